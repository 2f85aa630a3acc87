"""What travels between the parts: who does not know the secret, or is not who it says, is not let in."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy_kit import free_port
from gitmake import linear
from pivo.errors import Unavailable
from pivo.index.reader import IndexReader
from pivo.settings import CHECKOUT, Settings
from pivo.stack import airflow, kafka, spark
from pivo.stack.java import find, jvm
from pivo.store import open_store
from tls_kit import Authority

pytestmark = pytest.mark.stack

_REFUSED = "Failed to connect to master"


def refused(stack: Settings, folder: Path, rows: Sequence[str]) -> str:
    """What a Spark driver with this configuration says until the master has refused it."""
    folder.mkdir()
    (folder / "spark-defaults.conf").write_text("\n".join(rows) + "\n")
    name = f"stranger-{os.getpid()}-{folder.name}"
    (folder / "job.py").write_text(
        f"from pyspark import SparkConf, SparkContext\nSparkContext(conf=SparkConf().setAppName({name!r}))\n"
    )
    submit = [str(Path(sys.executable).parent / "spark-submit"), "--master", stack.spark_master, str(folder / "job.py")]
    env = {**os.environ, **spark.environment(stack, find), "SPARK_CONF_DIR": str(folder)}
    said, end = folder / "said", time.monotonic() + 90
    with said.open("wb") as out:
        driver = subprocess.Popen(submit, env=env, stdout=out, stderr=out, start_new_session=True)
    try:
        while _REFUSED not in said.read_text(errors="replace"):
            assert driver.poll() is None and time.monotonic() < end, said.read_text(errors="replace")[-3000:]
            time.sleep(0.2)
    finally:
        os.killpg(driver.pid, signal.SIGKILL)
        driver.wait(20)
    state = httpx.get(f"http://127.0.0.1:{stack.ports.spark_master_ui}/json/", timeout=20).json()
    assert name not in {app["name"] for app in (*state["activeapps"], *state["completedapps"])}
    return said.read_text(errors="replace")


def test_spark_lets_nobody_in_who_does_not_know_its_secret(stack: Settings, tmp_path: Path) -> None:
    conf = stack.home / "conf" / "spark" / "spark-defaults.conf"
    assert conf.stat().st_mode & 0o77 == 0
    rows = conf.read_text().splitlines()
    refused(stack, tmp_path / "without", [r for r in rows if not r.startswith(("spark.authenticate", "spark.network"))])
    secret = "spark.authenticate.secret"
    told = refused(stack, tmp_path / "wrong", [f"{secret} another" if r.startswith(secret) else r for r in rows])
    assert (stack.home / "secrets" / "spark").read_text().strip() not in told


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.make(tmp_path)


@pytest.fixture
def closed_kafka(stack: Settings, tmp_path: Path, authority: Authority) -> Iterator[tuple[str, str]]:
    """A broker that speaks TLS and asks for a password: its address, and the user pivo's password."""
    port, password = free_port(), f"MARK-{uuid.uuid4().hex}"
    address = f"127.0.0.1:{port}"
    users = f'username="broker" password="{password}b" user_broker="{password}b" user_pivo="{password}"'
    told = kafka.kafka_properties(stack) | {
        "listeners": f"SASL_SSL://{address}",
        "advertised.listeners": f"SASL_SSL://{address}",
        "security.inter.broker.protocol": "SASL_SSL",
        "sasl.mechanism.inter.broker.protocol": "PLAIN",
        "sasl.enabled.mechanisms": "PLAIN",
        "listener.name.sasl_ssl.plain.sasl.jaas.config": "org.apache.kafka.common.security.plain.PlainLoginModule "
        f"required {users};",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(authority.server),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(authority.ca),
        "zookeeper.connect": f"127.0.0.1:{stack.ports.zookeeper}/closed-{uuid.uuid4().hex[:8]}",
        "log.dirs": str(tmp_path / "kafka"),
    }
    conf = tmp_path / "server.properties"
    conf.write_text(kafka.properties(told))
    command = jvm(find, "256m", [stack.home / "conf" / "kafka", f"{stack.jars}/kafka/*"], "kafka.Kafka", str(conf))
    with (tmp_path / "kafka.log").open("wb") as log:
        broker = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 90
        while "started (kafka.server.KafkaServer)" not in (said := (tmp_path / "kafka.log").read_text()):
            if "] started" in said:
                break
            assert broker.poll() is None and time.monotonic() < end, said[-3000:]
            time.sleep(0.3)
        yield address, password
    finally:
        broker.kill()
        broker.wait(20)


def test_every_client_of_kafka_speaks_tls_and_logs_in(
    stack: Settings, stack_env: dict[str, str], closed_kafka: tuple[str, str], authority: Authority, tmp_path: Path
) -> None:
    """Producers, consumers and the admin by the command line, the trigger's by Airflow's Connection."""
    address, password = closed_kafka
    config = tmp_path / "kafka.properties"
    own = {name: value for name, value in os.environ.items() if not name.startswith("PIVO_")} | stack_env
    own |= {"PIVO_KAFKA": address, "PIVO_KAFKA_CONFIG_FILE": str(config), "PIVO_INDEX": str(tmp_path / "index.db")}
    own |= {"PYTHONPATH": str(CHECKOUT / "include")}

    def configure(ca: Path = authority.ca, secret: str = password) -> None:
        config.write_text(
            "# librdkafka's own names\nsecurity.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.username=pivo\n"
            f"sasl.password={secret}\nssl.ca.location={ca}\n"
        )

    def pivo(code: int, *words: str) -> str:
        command = [sys.executable, "-c", "from pivo.cli import main; main()", *words]
        done = subprocess.run(command, env=own, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        assert password not in done.stdout + done.stderr
        return done.stdout + done.stderr

    name = f"closed-{uuid.uuid4().hex[:8]}"
    configure()
    pivo(0, "index")  # makes the topics
    pivo(0, "ingest", linear(tmp_path / "source.git", 3).url, "--name", name)
    pivo(0, "index")
    with IndexReader(tmp_path / "index.db") as reader:
        assert reader.query("SELECT commits FROM v_snapshots WHERE repo_name = ?", [name]).rows == [(3,)]

    configure(secret="wrong")
    assert "do not trust each other: SASL authentication error" in pivo(1, "index")
    (tmp_path / "other").mkdir()
    configure(ca=Authority.make(tmp_path / "other").ca)
    assert "certificate verify failed" in pivo(1, "index")

    configure()
    told = Settings.load(own)
    connection: dict[str, Any] = airflow.connections(told)["pivo_kafka"]
    # the DAG's own trigger: what it hears, with no other settings than the Connection's
    producer = (
        "import asyncio, sys\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "from pivo_index import news\n"
        "trigger = news.watchers[0].trigger\n"
        "stream = type(trigger).create_shared_stream_producer(trigger.serialize()[1])\n"
        "async def listen():\n"
        "    async for value, payload in stream.open_stream():\n"
        "        return payload.topic, value\n"
        "print('HEARD', *asyncio.run(asyncio.wait_for(listen(), 60)))\n"
    )
    heard = {**connection, "extra": connection["extra"] | {"auto.offset.reset": "earliest"}}
    env = {**own, "AIRFLOW_HOME": str(tmp_path / "airflow"), "AIRFLOW_CONN_PIVO_KAFKA": json.dumps(heard)}
    words = [sys.executable, "-c", producer, str(CHECKOUT / "dags")]
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert "HEARD pivo-snapshot-state" in done.stdout and '"seq": 1' in done.stdout, done.stdout + done.stderr
    assert password not in done.stdout + done.stderr


class Tunnel:
    """TLS in front of HTTP servers that have none: what a NameNode names as a DataNode's address, goes through it too.

    One TLS listener a server behind it; it speaks for both of them, and rewrites where the NameNode sends its clients.
    """

    def __init__(self, authority: Authority, behind: dict[str, int]) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(authority.server)
        self.ports = {name: free_port() for name in behind}
        self.served = 0
        self._moved = {
            f"http://127.0.0.1:{port}".encode(): f"https://127.0.0.1:{self.ports[name]}".encode()
            for name, port in behind.items()
        }
        tunnel = self
        self._servers = []
        for name, port in behind.items():

            class Handler(BaseHTTPRequestHandler):
                target = port

                def pass_on(self) -> None:
                    tunnel.served += 1
                    body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                    if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
                        parts = []
                        while size := int(self.rfile.readline(), 16):
                            parts.append(self.rfile.read(size))
                            self.rfile.readline()
                        self.rfile.readline()
                        body = b"".join(parts)
                    there = HTTPConnection("127.0.0.1", self.target, timeout=60)
                    dropped = {"transfer-encoding", "content-length", "host", "connection"}
                    headers = {n: v for n, v in self.headers.items() if n.lower() not in dropped}
                    there.request(self.command, self.path, body=body, headers=headers)
                    answer = there.getresponse()
                    content = tunnel.moved(answer.read())
                    self.send_response(answer.status)
                    for name, value in answer.getheaders():
                        if name.lower() not in dropped:
                            self.send_header(name, tunnel.moved(value.encode()).decode())
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)
                    there.close()

                def do_GET(self) -> None:
                    self.pass_on()

                def do_PUT(self) -> None:
                    self.pass_on()

                def do_POST(self) -> None:
                    self.pass_on()

                def do_DELETE(self) -> None:
                    self.pass_on()

                def log_message(self, *_: object) -> None: ...

            server = ThreadingHTTPServer(("127.0.0.1", self.ports[name]), Handler)
            server.socket = self.context.wrap_socket(server.socket, server_side=True)
            self._servers.append(server)
            threading.Thread(target=server.serve_forever, daemon=True).start()

    def moved(self, content: bytes) -> bytes:
        for before, after in self._moved.items():
            content = content.replace(before, after)
        return content

    def __enter__(self) -> Tunnel:
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()


def test_the_archive_is_written_and_read_over_tls(
    stack: Settings, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem.of.somebody.else"))
    behind = {"namenode": stack.ports.namenode_http, "datanode": stack.ports.datanode_http}
    folder, data = f".incoming/tls-{uuid.uuid4().hex[:8]}", os.urandom(3 << 20)
    with Tunnel(authority, behind) as tunnel:
        place = f"127.0.0.1:{tunnel.ports['namenode']}/backups"
        store = open_store(f"swebhdfs://{place}?ca={authority.ca}", stack.archive_writer)
        assert store.url == f"swebhdfs://{place}"
        store.write(f"{folder}/file", iter([data[:1000], data[1000:]]))
        assert store.read(f"{folder}/file", 1 << 20, 5000) == data[1 << 20 :][:5000]
        assert b"".join(store.stream(f"{folder}/file")) == data
        store.rename(f"{folder}/file", f"{folder}/moved")
        assert [e.name for e in store.list(folder)] == ["moved"]
        served = tunnel.served
        store.delete(folder)
        assert served >= 7, f"something went by another way: {served}"

        (tmp_path / "other").mkdir()
        stranger = open_store(f"swebhdfs://{place}?ca={Authority.make(tmp_path / 'other').ca}", "pivo-reader")
        monkeypatch.delenv("REQUESTS_CA_BUNDLE")
        for untrusting in (stranger, open_store(f"swebhdfs://{place}", "pivo-reader")):
            for look in (
                lambda s=untrusting: s.list(""),
                lambda s=untrusting: s.read("x"),
                lambda s=untrusting: s.stat("x"),
            ):
                with pytest.raises(Unavailable, match="certificate verify failed"):
                    look()
        plain = open_store(f"swebhdfs://127.0.0.1:{stack.ports.namenode_http}/backups", "pivo-reader")
        with pytest.raises(Unavailable, match="speaks no TLS"):
            plain.list("")
