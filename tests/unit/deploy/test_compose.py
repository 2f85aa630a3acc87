"""docker-compose.yaml and its images: valid, complete, and in agreement with the embedded stack.

No container is started: what can be known from the files is compared with the code that reads them.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from pivo import __version__
from pivo.settings import CHECKOUT, Settings
from pivo.stack import airflow, airflow_probe, hdfs, kafka, spark

COMPOSE = CHECKOUT / "docker-compose.yaml"
DOCKERFILE = CHECKOUT / "Dockerfile"
OURS = re.compile(r"^pivo-\w+:\$\{PIVO_VERSION:-")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return dict(yaml.safe_load(COMPOSE.read_text()))


@pytest.fixture
def embedded(tmp_path: Path) -> Settings:
    return Settings.load({"PIVO_HOME": str(tmp_path)})


def environment(service: dict[str, Any]) -> dict[str, str]:
    """A service's environment, where no .env says otherwise."""
    told = {name: str(value) for name, value in service.get("environment", {}).items()}
    return {name: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value) for name, value in told.items()}


def test_the_file_is_what_the_compose_specification_says() -> None:
    tool = Path(sys.executable).with_name("check-jsonschema")
    words = [str(tool), "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_image_is_pinned(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        image = service["image"]
        if OURS.match(image):
            assert service["build"]["target"] == image.removeprefix("pivo-").partition(":")[0], name
        else:
            assert re.search(r":\d+\.\d+", image), f"{name}: {image}"
    assert re.search(r"^ARG PYTHON_IMAGE=python:3\.1[12]\.\d+-", DOCKERFILE.read_text(), re.MULTILINE)


def test_every_service_that_stays_has_a_health_check_a_limit_and_conditions(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["deploy"]["resources"]["limits"]["memory"], name
        if service["restart"] != "no":
            assert service["healthcheck"]["test"], name
        for other, wait in service.get("depends_on", {}).items():
            ended = compose["services"][other]["restart"] == "no"
            assert wait["condition"] == ("service_completed_successfully" if ended else "service_healthy"), name


def test_nothing_is_published_beyond_loopback(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_state_is_in_named_volumes(compose: dict[str, Any]) -> None:
    used = [volume.partition(":")[0] for s in compose["services"].values() for volume in s.get("volumes", [])]
    assert set(used) == set(compose["volumes"])
    for shared in ("staging", "index"):
        assert used.count(shared) > 1
    # what the images write to is in a volume
    for name, folder in (
        ("namenode", "/var/lib/hdfs"),
        ("datanode", "/var/lib/hdfs"),
        ("kafka", "/var/lib/kafka/data"),
    ):
        assert any(volume.endswith(f":{folder}") for volume in compose["services"][name]["volumes"])


def test_secrets_are_files_and_the_script_makes_each(compose: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    subprocess.run([sys.executable, str(CHECKOUT / "deploy" / "make_secrets.py"), str(folder)], check=True)
    made = {path.name: path.read_text() for path in folder.iterdir()}
    subprocess.run([sys.executable, str(CHECKOUT / "deploy" / "make_secrets.py"), str(folder)], check=True)
    assert {path.name: path.read_text() for path in folder.iterdir()} == made
    assert set(made) == set(compose["secrets"])
    assert folder.stat().st_mode & 0o077 == 0
    assert len(made["airflow_jwt_secret"]) >= 64
    assert made["postgres_password"] in made["airflow_database_url"]
    assert json.loads(made["airflow_passwords"])["admin"] == made["airflow_admin_password"]
    text = COMPOSE.read_text()
    for value in filter(None, made.values()):
        assert value not in text
    mounted = {name for service in compose["services"].values() for name in service.get("secrets", [])}
    named = set(re.findall(r"/run/secrets/(\w+)", text + (CHECKOUT / "deploy/spark/with-secret.sh").read_text()))
    assert mounted == named == set(compose["secrets"])


def _read_by_settings() -> set[str]:
    seen: set[str] = set()

    class Recorder(dict[str, str]):
        def get(self, key: str, default: Any = None) -> Any:
            seen.add(key)
            return default

    Settings.load(Recorder())
    return seen | {f"{name}_FILE" for name in seen}


def test_every_name_in_an_environment_is_one_that_something_reads(compose: dict[str, Any]) -> None:
    from airflow.configuration import conf

    ours = _read_by_settings()
    scripts = "".join(path.read_text() for path in (CHECKOUT / "deploy").rglob("*") if path.suffix in (".sh", ".xml"))
    # by the images of others and by Spark's own scripts
    elsewhere = re.compile(
        r"^(KAFKA_|ZOOKEEPER_|POSTGRES_|SPARK_(DAEMON|MASTER|WORKER)_|TZ$|AIRFLOW_HOME$|AIRFLOW_CONN_)"
    )
    for service in compose["services"].values():
        for name in environment(service):
            if name.startswith("AIRFLOW__"):
                section, option = name.removeprefix("AIRFLOW__").lower().split("__", 1)
                if option.endswith("_cmd"):
                    option = option.removesuffix("_cmd")
                    assert (section, option) in conf.sensitive_config_values, name
                assert conf.configuration_description[section]["options"].get(option) or conf.get(
                    section, option, fallback=None
                ), name
            else:
                assert name in ours or elsewhere.match(name) or name in scripts, name


def test_every_variable_is_in_the_example(compose: dict[str, Any]) -> None:
    text = COMPOSE.read_text()
    used = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", text))
    told = dict(
        line.split("=", 1) for line in (CHECKOUT / ".env.example").read_text().splitlines() if re.match(r"\w+=", line)
    )
    assert told == used
    assert set(re.findall(r"(?<!\$)\$\{?(\w+)", text)) == set(used)
    assert used["PIVO_VERSION"] == __version__


def test_the_images_copy_and_run_what_exists(compose: dict[str, Any]) -> None:
    text = DOCKERFILE.read_text()
    ignored = (CHECKOUT / ".dockerignore").read_text().splitlines()
    for words in re.findall(r"^COPY --chown=\S+ (.+)$", text, re.MULTILINE):
        for source in words.split()[:-1]:
            assert (CHECKOUT / source).exists(), source
            assert f"!{source.rstrip('/')}" in ignored, source
    assert (CHECKOUT / re.findall(r"^RUN python (\S+)$", text, re.MULTILINE)[0]).is_file()
    commands = [service["command"] for service in compose["services"].values() if "command" in service]
    for command in commands:
        for word in command:
            if word.startswith("deploy/"):
                assert (CHECKOUT / word).is_file(), word
    for script in (CHECKOUT / "deploy").rglob("*.sh"):
        assert subprocess.run(["sh", "-n", str(script)], check=False).returncode == 0
    targets = set(re.findall(r"^FROM base AS (\w+)$", text, re.MULTILINE))
    assert {s["build"]["target"] for s in compose["services"].values() if "build" in s} == targets


def _hosts(value: str) -> str:
    """A value without what differs by place: hosts, ports that were moved, folders."""
    value = re.sub(r"\b(127\.0\.0\.1|0\.0\.0\.0|namenode|kafka|zookeeper|spark-master|airflow-[\w-]+)\b", "HOST", value)
    return re.sub(r"(file://)?/[\w./-]*/", "FOLDER/", value)


def test_hdfs_is_configured_as_in_the_embedded_stack(embedded: Settings) -> None:
    mine = hdfs.configuration(embedded)
    mine["hdfs-site.xml"] |= {"dfs.permissions.superusergroup": "hdfs", "dfs.replication": "${env.HDFS_REPLICATION:-1}"}
    # a DataNode of its own container has a name of its own (datanode.sh), and clients use it
    mine["hdfs-site.xml"] |= {"dfs.datanode.use.datanode.hostname": "true"}
    del mine["hdfs-site.xml"]["dfs.datanode.hostname"]
    for name, values in mine.items():
        tree = ElementTree.parse(CHECKOUT / "deploy" / "hdfs" / name)
        told = {p.findtext("name", ""): p.findtext("value", "") for p in tree.iter("property")}
        assert {k: _hosts(v) for k, v in told.items()} == {k: _hosts(v) for k, v in values.items()}


def test_kafka_is_configured_as_in_the_embedded_stack(compose: dict[str, Any], embedded: Settings) -> None:
    told = {
        name.removeprefix("KAFKA_").lower().replace("_", "."): value
        for name, value in environment(compose["services"]["kafka"]).items()
        if name != "KAFKA_HEAP_OPTS"
    }
    mine = kafka.kafka_properties(embedded)
    # where its data lies the image says, and how many threads it takes by the machine
    for name in ("log.dirs", "num.network.threads", "num.io.threads", "log.cleaner.dedupe.buffer.size"):
        del mine[name]
    assert {k: _hosts(v) for k, v in told.items()} == {k: _hosts(v) for k, v in mine.items()}
    versions = (CHECKOUT / "include/pivo/stack/ivy.xml").read_text()
    assert 'name="kafka_2.13" rev="3.4.0"' in versions  # what Confluent calls 7.4.0
    assert compose["services"]["kafka"]["image"].endswith(":7.4.0")


def test_spark_is_configured_as_in_the_embedded_stack(embedded: Settings) -> None:
    rows = (CHECKOUT / "deploy/spark/spark-defaults.conf").read_text().splitlines()
    told = dict(row.split(" ", 1) for row in rows if row and not row.startswith("#"))
    mine = spark.defaults(embedded)
    for name in ("spark.driver.extraJavaOptions", "spark.executor.extraJavaOptions"):  # loopback, and fast starts
        del mine[name]
    assert {k: _hosts(v) for k, v in told.items()} == {k: _hosts(v) for k, v in mine.items()}


def test_airflow_is_configured_as_in_the_embedded_stack(compose: dict[str, Any], embedded: Settings) -> None:
    mine = {n.removesuffix("_CMD"): v for n, v in airflow.configuration(embedded).items() if n.startswith("AIRFLOW__")}
    told = environment(compose["services"]["airflow-scheduler"])
    told = {n.removesuffix("_CMD"): v for n, v in told.items() if n.startswith("AIRFLOW__")}
    only_embedded = {
        "AIRFLOW__DATABASE__CHECK_MIGRATIONS",  # the init service migrates
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT",
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL",
    }
    assert mine.keys() - told.keys() == only_embedded
    assert told.keys() - mine.keys() == {"AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK"}
    same = ("EXECUTOR", "MAX_MAP_LENGTH", "USERS", "JWT_ISSUER", "EXECUTION_API_RETRIES", "MIN_HEARTBEAT_INTERVAL")
    for name in mine:
        if name.endswith(same):
            assert told[name] == mine[name], name


def test_connections_and_pools_are_those_of_the_embedded_stack(compose: dict[str, Any], embedded: Settings) -> None:
    told = environment(compose["services"]["airflow-scheduler"])
    mine = airflow.connections(embedded)
    for name in ("pivo_spark", "pivo_kafka"):  # the others hold secrets, or nothing that Settings does not read itself
        connection = json.loads(told[f"AIRFLOW_CONN_{name.upper()}"])
        assert _hosts(json.dumps(connection, sort_keys=True)) == _hosts(json.dumps(mine[name], sort_keys=True))
    pools = json.loads((CHECKOUT / "deploy/pools.json").read_text())
    assert {n: (p["slots"], p["description"]) for n, p in pools.items()} == airflow_probe.POOLS


def test_users_and_the_archive_are_those_of_the_embedded_stack(compose: dict[str, Any], embedded: Settings) -> None:
    told = environment(compose["services"]["airflow-scheduler"])
    there = Settings.load({**told, "PIVO_HOME": "/nowhere"})
    for name in ("archive_writer", "archive_reader", "archive_keeper", "push_limit", "file_limit"):
        assert getattr(there, name) == getattr(embedded, name)
    assert there.archive.endswith("/backups")


def test_the_containers_commands_name_programs_that_the_image_has(compose: dict[str, Any]) -> None:
    scripts = Path(sys.executable).parent
    for name, service in compose["services"].items():
        if "build" not in service:
            continue
        words = [w for w in service["command"] if not w.startswith(("deploy/", "-"))]
        program = words[0] if words[0] != "sh" else (words[1] if len(words) > 1 else "sh")
        assert program == "sh" or (scripts / program).exists(), f"{name}: {shlex.join(service['command'])}"


def test_the_trigger_s_connection_is_made_of_kafka_s_secret_file(tmp_path: Path) -> None:
    (tmp_path / "kafka.properties").write_text("security.protocol=SASL_SSL\nsasl.password=hidden=word\n")
    env = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "PYTHONPATH": str(CHECKOUT / "include"),
        "PIVO_HOME": str(tmp_path),
        "PIVO_KAFKA": "kafka:9092",
        "PIVO_KAFKA_CONFIG_FILE": str(tmp_path / "kafka.properties"),
    }
    words = ["sh", str(CHECKOUT / "deploy/kafka/with-connection.sh"), "printenv", "AIRFLOW_CONN_PIVO_KAFKA"]
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    extra = json.loads(done.stdout)["extra"]
    assert (extra["sasl.password"], extra["security.protocol"]) == ("hidden=word", "SASL_SSL")
    assert (extra["bootstrap.servers"], extra["group.id"]) == ("kafka:9092", "pivo-index-trigger")
