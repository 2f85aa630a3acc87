from __future__ import annotations

import json
import re
import stat
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest

from pivo.settings import CHECKOUT, Settings
from pivo.stack import airflow, hdfs, java, kafka, spark
from pivo.stack.keys import secret
from pivo.stack.part import environment, write_config
from pivo.stack.parts import all_parts


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.load({"PIVO_HOME": str(tmp_path / "home"), "PIVO_ROOT": str(CHECKOUT), "PIVO_PORT_OFFSET": "30000"})


def test_every_part_has_a_name_of_its_own_and_needs_only_parts_that_exist(settings: Settings) -> None:
    parts = all_parts(settings)
    names = [part.name for part in parts]
    assert len(set(names)) == len(names)
    assert {name for part in parts for name in (*part.after, *part.prepared)} <= set(names)


def test_every_port_is_a_setting_and_belongs_to_one_part(settings: Settings) -> None:
    ports = [(name, port) for part in all_parts(settings) for name, port in part.ports.items()]
    assert all(getattr(settings.ports, name) == port for name, port in ports)
    assert len({port for _, port in ports}) == len(ports)


def test_looking_at_the_parts_writes_nothing(settings: Settings) -> None:
    all_parts(settings)
    assert not settings.home.exists()


def test_the_parts_get_every_setting_spelled_out(settings: Settings) -> None:
    env = environment(settings)
    assert Settings.load(env) == settings


def test_hdfs_listens_on_loopback_only(settings: Settings) -> None:
    addresses = {
        name: value
        for values in hdfs.configuration(settings).values()
        for name, value in values.items()
        if re.search(r"address|bind-host|hostname$|defaultFS", name)
    }
    assert len(addresses) >= 8
    assert all("127.0.0.1" in value or value == "false" for value in addresses.values()), addresses


def test_hdfs_configuration_is_what_hadoop_reads(settings: Settings, tmp_path: Path) -> None:
    hdfs.write_configuration(settings, tmp_path)
    read = {
        row.findtext("name"): row.findtext("value")
        for row in ElementTree.parse(tmp_path / "hdfs-site.xml").getroot().iter("property")
    }
    assert read == hdfs.configuration(settings)["hdfs-site.xml"]
    assert read["dfs.permissions.enabled"] == "true"
    assert read["dfs.namenode.http-address"] == "127.0.0.1:39870"
    assert hdfs.site_xml({"a": "<&>"}).count("&lt;&amp;&gt;") == 1


def test_kafka_and_zookeeper_listen_on_loopback_only(settings: Settings) -> None:
    assert kafka.kafka_properties(settings)["listeners"] == "PLAINTEXT://127.0.0.1:39092"
    zoo = kafka.zookeeper_properties(settings)
    assert (zoo["clientPortAddress"], zoo["clientPort"]) == ("127.0.0.1", "32181")


def test_one_broker_keeps_one_copy_of_everything(settings: Settings) -> None:
    factors = {
        k: v for k, v in kafka.kafka_properties(settings).items() if re.search(r"replication\.factor|isr|insync", k)
    }
    assert len(factors) == 5 and set(factors.values()) == {"1"}


def test_spark_runs_this_python_with_pivo_on_its_path(settings: Settings) -> None:
    import sys

    env = spark.environment(settings, cache(java.find))
    assert env["PYSPARK_PYTHON"] == sys.executable
    assert env["PYTHONPATH"] == str(CHECKOUT / "include")
    assert env["SPARK_LOCAL_IP"] == "127.0.0.1"


def test_airflow_keeps_to_loopback(settings: Settings) -> None:
    env = airflow.configuration(settings)
    assert env["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert env["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:38080/execution/"
    assert len(env["AIRFLOW__API_AUTH__JWT_SECRET"]) >= 64
    serving = [part for part in airflow.parts(settings, cache(java.find)) if part.name in _SERVES_LOGS]
    assert all("--skip-serve-logs" in part.command() for part in serving) and len(serving) == 2


_SERVES_LOGS = ("airflow-scheduler", "airflow-triggerer")


def test_airflows_keys_stay_the_same_from_start_to_start(settings: Settings) -> None:
    assert airflow.configuration(settings) == airflow.configuration(settings)


def test_the_connections_are_what_the_hooks_read(settings: Settings) -> None:
    env = airflow.configuration(settings)
    found = {name: json.loads(value) for name, value in env.items() if name.startswith("AIRFLOW_CONN_")}
    assert {name.removeprefix("AIRFLOW_CONN_").lower() for name in found} == {
        "pivo_hdfs",
        "pivo_kafka",
        "pivo_spark",
        "pivo_github",
    }
    assert found["AIRFLOW_CONN_PIVO_HDFS"]["login"] == "pivo-reader"
    assert found["AIRFLOW_CONN_PIVO_KAFKA"]["extra"]["enable.auto.commit"] is False
    assert found["AIRFLOW_CONN_PIVO_GITHUB"]["password"] == secret(settings.home / "secrets" / "forge-token")


def test_a_key_for_the_model_becomes_a_connection(settings: Settings, tmp_path: Path) -> None:
    with_key = Settings.load({"PIVO_HOME": str(tmp_path / "home"), "GEMINI_API_KEY": "k"})
    assert airflow.connections(with_key)["pivo_gemini"]["password"] == "k"
    assert "pivo_gemini" not in airflow.connections(settings)


def test_secrets_are_made_once_and_readable_by_their_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "token"
    first = secret(path)
    assert len(first) >= 24 and secret(path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert secret(tmp_path / "secrets" / "other") != first


def test_a_secret_that_was_cut_short_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.touch()
    assert secret(path)


def test_configuration_is_written_only_when_it_differs(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.conf"
    write_config(path, "one", mode=0o600)
    before = path.stat()
    write_config(path, "one", mode=0o600)
    assert path.stat().st_ino == before.st_ino and stat.S_IMODE(before.st_mode) == 0o600
    write_config(path, "two")
    assert path.read_text() == "two" and [entry.name for entry in path.parent.iterdir()] == ["a.conf"]
