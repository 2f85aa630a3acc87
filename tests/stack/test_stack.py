"""The embedded stack itself, on the real parts."""

from __future__ import annotations

import ipaddress
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import httpx
import psutil
import pytest
from confluent_kafka.admin import AdminClient
from hdfs import InsecureClient
from hdfs.util import HdfsError

from pivo.settings import CHECKOUT, Settings
from pivo.stack import process, spark
from pivo.stack.java import find
from stack_kit import Pivo

pytestmark = pytest.mark.stack

disturbs = pytest.mark.skipif(
    "PIVO_TEST_HOME" in os.environ, reason="stops parts of a stack that is not this session's"
)


def parts(pivo: Pivo, code: int | None = None) -> dict[str, dict[str, object]]:
    """What `pivo status --json` says, by part. Other tests leave what needs a person: any exit code will do."""
    return {part["name"]: part for part in json.loads(pivo("status", "--json", code=code).stdout)["parts"]}


def leaders(stack: Settings) -> Counter[str]:
    """How many processes run as the first of a session, by part."""
    return Counter(name for name, one in process.members(stack.home) if os.getsid(one.pid) == one.pid)


def test_status_tells_scripts_how_every_part_is(pivo: Pivo) -> None:
    found = parts(pivo)
    assert {"namenode", "datanode", "zookeeper", "kafka", "spark-master", "spark-worker", "airflow-api"} < set(found)
    assert {part["state"] for part in found.values()} == {"up"}
    for part in found.values():
        assert psutil.pid_exists(int(str(part["pid"])))
        assert float(str(part["memory"])) > 10e6


def test_a_second_up_finds_everything_running(pivo: Pivo) -> None:
    before = parts(pivo)
    begun = time.monotonic()
    pivo("up")
    assert time.monotonic() - begun < 15
    assert {name: part["pid"] for name, part in parts(pivo).items()} == {n: p["pid"] for n, p in before.items()}


def test_nothing_listens_beyond_this_machine(stack: Settings) -> None:
    pids = {one.pid for _, one in process.members(stack.home)}
    listening = {
        connection.laddr.ip
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.pid in pids
    }
    assert listening
    addresses = [ipaddress.ip_address(ip.removeprefix("::ffff:")) for ip in listening]
    assert all(address.is_loopback for address in addresses), listening


def test_only_the_writer_may_write_to_the_archive(stack: Settings) -> None:
    url = f"http://127.0.0.1:{stack.ports.namenode_http}"
    name = f"/backups/.incoming/probe-{os.getpid()}"
    with pytest.raises(HdfsError, match="Permission denied"):
        InsecureClient(url, user=stack.archive_reader).write(name, b"x")
    writer = InsecureClient(url, user=stack.archive_writer)
    writer.write(name, b"content")
    with InsecureClient(url, user=stack.archive_reader).read(name) as reader:
        assert reader.read() == b"content"
    writer.delete(name)


def test_kafka_has_the_topics(stack: Settings) -> None:
    topics = AdminClient(dict(stack.kafka)).list_topics(timeout=10).topics
    assert len(topics["pivo-commit-events"].partitions) >= 3
    assert {"pivo-audit-logs", "pivo-snapshot-state"} < set(topics)


@pytest.mark.parametrize(("user", "status"), [("admin", 200), ("user", 403), ("viewer", 403)])
def test_airflows_users_have_their_roles(stack: Settings, user: str, status: int) -> None:
    secret = stack.home / "secrets" / f"airflow-{user}"
    assert secret.stat().st_mode & 0o077 == 0
    with httpx.Client(base_url=stack.airflow_url, timeout=20) as airflow:
        login = airflow.post("/auth/token", json={"username": user, "password": secret.read_text().strip()})
        bearer = {"Authorization": f"Bearer {login.raise_for_status().json()['access_token']}"}
        assert airflow.get("/api/v2/dags", headers=bearer).status_code == 200
        assert airflow.get("/api/v2/connections", headers=bearer).status_code == status


def test_airflow_has_the_pools_and_no_broken_dag(stack: Settings) -> None:
    with httpx.Client(base_url=stack.airflow_url, timeout=20) as airflow:
        body = {"username": stack.airflow_user, "password": stack.airflow_password}
        bearer = {"Authorization": f"Bearer {airflow.post('/auth/token', json=body).json()['access_token']}"}
        slots = {pool["name"]: pool["slots"] for pool in airflow.get("/api/v2/pools", headers=bearer).json()["pools"]}
        errors = airflow.get("/api/v2/importErrors", headers=bearer).json()["import_errors"]
    assert slots["pivo_index"] == 1 and {"pivo_fetch", "pivo_push"} < set(slots)
    assert errors == []


def test_a_spark_application_runs_on_the_worker_with_pivo_and_this_python(stack: Settings, tmp_path: Path) -> None:
    script = tmp_path / "job.py"
    script.write_text(
        "from pyspark.sql import SparkSession\n"
        "def where(_):\n"
        "    import os, sys, pivo\n"
        "    return f'{sys.executable} {pivo.__file__} {\"PIVO_STACK_PART\" in os.environ}'\n"
        "spark = SparkSession.builder.appName('probe').getOrCreate()\n"
        "print('FOUND', spark.sparkContext.parallelize([0], 1).map(where).collect()[0], spark.sparkContext.master)\n"
        "spark.stop()\n"
    )
    submit = [str(Path(sys.executable).parent / "spark-submit"), "--master", stack.spark_master, str(script)]
    env = {**os.environ, **spark.environment(stack, find)}
    done = subprocess.run(submit, env=env, capture_output=True, text=True, timeout=180, check=False)
    found = [line.split() for line in done.stdout.splitlines() if line.startswith("FOUND")]
    assert found == [
        ["FOUND", sys.executable, str(CHECKOUT / "include/pivo/__init__.py"), "True", stack.spark_master]
    ], done.stderr[-3000:]


def test_logs_are_listed_and_shown(pivo: Pivo) -> None:
    assert "airflow-scheduler" in pivo("logs").stdout
    assert len(pivo("logs", "namenode", "-n", "5").stdout.splitlines()) == 5
    assert "There is no log of 'nothing'" in pivo("logs", "nothing", code=1).stderr


@disturbs
def test_killed_parts_are_mended_by_the_next_up(stack: Settings, pivo: Pivo) -> None:
    before = parts(pivo)
    killed = ("kafka", "datanode", "airflow-scheduler")
    for name in killed:
        os.kill(int(str(before[name]["pid"])), signal.SIGKILL)
    time.sleep(1)
    assert {name for name, part in parts(pivo, code=1).items() if part["state"] == "down"} >= set(killed)
    pivo("up")
    after = parts(pivo)
    changed = {name for name in after if after[name]["pid"] != before[name]["pid"]}
    assert changed == set(killed)
    assert {part["state"] for part in after.values()} == {"up"}
    assert set(leaders(stack).values()) == {1}


@disturbs
def test_down_ends_every_process_and_an_up_killed_in_the_middle_is_mended(
    stack: Settings, stack_env: dict[str, str], pivo: Pivo
) -> None:
    url = f"http://127.0.0.1:{stack.ports.namenode_http}"
    name = f"/backups/.incoming/kept-{os.getpid()}"
    InsecureClient(url, user=stack.archive_writer).write(name, b"kept")

    pivo("down")
    assert list(process.members(stack.home)) == []
    assert {part["state"] for part in parts(pivo, code=1).values()} == {"down"}
    assert "Nothing was running" in pivo("down").stdout

    env = {**os.environ, **stack_env, "PYTHONPATH": str(CHECKOUT / "include")}
    cut_short = subprocess.Popen([sys.executable, "-c", "from pivo.cli import main; main()", "up", "-q"], env=env)
    deadline = time.monotonic() + 60
    while len(leaders(stack)) < 4 and time.monotonic() < deadline:
        time.sleep(0.1)
    cut_short.kill()
    cut_short.wait()
    started = {name for name, _ in process.members(stack.home)}
    assert len(started) >= 4

    pivo("up")
    assert {part["state"] for part in parts(pivo).values()} == {"up"}
    assert set(leaders(stack).values()) == {1}
    with InsecureClient(url, user=stack.archive_reader).read(name) as reader:
        assert reader.read() == b"kept"
    InsecureClient(url, user=stack.archive_writer).delete(name)
