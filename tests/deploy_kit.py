"""Runs what docker-compose.yaml's containers of ours would run, as processes on loopback.

Commands, environments and health checks are the file's own; only places are changed: hosts and ports, folders, and the
secrets' folder. What comes from other images (Postgres, ZooKeeper, Kafka) is given.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from pivo.settings import CHECKOUT, with_loopback
from pivo.stack import java, spark

HOST = "127.0.0.1"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


class Deployment:
    """The services of docker-compose.yaml below `folder`; `kafka` (host:port) and `database` (a URL) are given."""

    def __init__(self, folder: Path, kafka: str, database: str) -> None:
        self.folder = folder
        self.services: dict[str, Any] = yaml.safe_load((CHECKOUT / "docker-compose.yaml").read_text())["services"]
        self.ports = {name: free_port() for name in ("rpc", "web", "data", "http", "ipc", "spark", "ui", "worker")}
        self.ports |= {name: free_port() for name in ("airflow", "health")}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        places = {
            "/opt/pivo/.venv": sys.prefix,
            "/opt/pivo/deploy": str(folder / "deploy"),
            "/opt/pivo": str(CHECKOUT),
            "/var/lib": str(folder / "lib"),
            "/run/secrets": str(folder / "secrets"),
            "kafka:9092": kafka,
            "namenode:9870": self._at("web"),
            "namenode:8020": self._at("rpc"),
            "0.0.0.0:9866": self._at("data"),
            "0.0.0.0:9864": self._at("http"),
            "localhost:9864": self._at("http"),
            "0.0.0.0:9867": self._at("ipc"),
            "spark-master:7077": self._at("spark"),
            "airflow-api-server:8080": self._at("airflow"),
            "localhost:8974": self._at("health"),
            "localhost:8081": self._at("worker"),
            "0.0.0.0": HOST,
        }
        self._places = places
        java_home = spark.home_for_spark(java.find(), folder / "java")
        self._image = {
            "PATH": f"{Path(sys.executable).parent}:{java.find().home / 'bin'}:{os.environ.get('PATH', '')}",
            "JAVA_HOME": str(java_home),
            "HOME": str(folder),
            "PYTHONUNBUFFERED": "1",
            "NO_PROXY": with_loopback(""),
            "LANG": "C.UTF-8",
        }
        for line in re.findall(r"^ENV ((?:.+\\\n)*.+)$", (CHECKOUT / "Dockerfile").read_text(), re.MULTILINE):
            for word in line.replace("\\\n", " ").split():
                name, _, value = word.partition("=")
                if name not in ("PATH", "JAVA_HOME"):
                    self._image[name] = self.here(value)
        shutil.copytree(CHECKOUT / "deploy", folder / "deploy")
        subprocess.run(
            [sys.executable, str(CHECKOUT / "deploy" / "make_secrets.py"), str(folder / "secrets")], check=True
        )
        (folder / "secrets" / "airflow_database_url").write_text(database)
        for file in (folder / "deploy").rglob("*"):
            if file.suffix in (".xml", ".conf", ".sh"):
                file.write_text(self.here(file.read_text()).replace("airflow-scheduler", HOST))
        for name in ("hdfs", "airflow", "pivo/home", "pivo/index", "pivo/staging", "spark"):
            (folder / "lib" / name).mkdir(parents=True)

    def _at(self, port: str) -> str:
        return f"{HOST}:{self.ports[port]}"

    @property
    def url(self) -> str:
        return f"http://{self._at('airflow')}"

    def secret(self, name: str) -> str:
        return (self.folder / "secrets" / name).read_text()

    def here(self, text: str) -> str:
        """`text` with the places of this machine."""
        for there, mine in self._places.items():
            text = text.replace(there, mine)
        return text

    def environment(self, service: str) -> dict[str, str]:
        told = self.services[service].get("environment", {})
        values = {n: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(v)) for n, v in told.items()}
        mine = {name: self.here(value) for name, value in values.items()}
        if "AIRFLOW__API__PORT" in mine:
            mine["AIRFLOW__API__PORT"] = str(self.ports["airflow"])
            mine["AIRFLOW__API__BASE_URL"] = self.url
            mine["AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT"] = str(self.ports["health"])
            mine["AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_HOST"] = HOST
            spark_at = {"conn_type": "spark", "host": f"spark://{HOST}", "port": self.ports["spark"]}
            mine["AIRFLOW_CONN_PIVO_SPARK"] = json.dumps(spark_at)
        if service in ("namenode", "datanode"):
            mine["HADOOP_USER_NAME"] = "hdfs"
            mine["CLASSPATH"] = self._image["CLASSPATH"]
        return {**self._image, **mine}

    def command(self, service: str) -> list[str]:
        """The service's command, on this machine's ports."""
        words = [self.here(word) for word in self.services[service]["command"]]
        moved = {"--host": HOST, "--webui-port": str(self.ports["ui" if service == "spark-master" else "worker"])}
        moved["--port"] = str(self.ports["spark"])
        for place, word in enumerate(words[:-1]):
            if word in moved and service.startswith("spark"):
                words[place + 1] = moved[word]
        if service == "spark-worker":
            words[-1:-1] = ["--host", HOST]
        if service in ("airflow-scheduler", "airflow-triggerer"):
            words.append("--skip-serve-logs")  # its log server listens on every address
        return words

    def start(self, *services: str, timeout: float = 120.0) -> None:
        """Starts services and waits until the health check of each passes."""
        for service in services:
            with (self.folder / f"{service}.log").open("wb") as log:
                self._running[service] = subprocess.Popen(
                    self.command(service), env=self.environment(service), cwd=self.folder, stdin=subprocess.DEVNULL,
                    stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
                )  # fmt: skip
        end = time.monotonic() + timeout
        for service in services:
            while not self.healthy(service):
                assert self._running[service].poll() is None, self.tail(service)
                assert time.monotonic() < end, self.tail(service)
                time.sleep(1)

    def run(self, service: str) -> str:
        """Runs a service that ends; its output."""
        done = subprocess.run(
            self.command(service), env=self.environment(service), cwd=self.folder, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    def healthy(self, service: str) -> bool:
        kind, *words = self.services[service]["healthcheck"]["test"]
        words = [self.here(word).replace("$$", "$") for word in words]
        if service == "spark-master":
            words = [word.replace("localhost:8080", self._at("ui")) for word in words]
        if service == "airflow-api-server":
            words = [word.replace("localhost:8080", self._at("airflow")) for word in words]
        command: Sequence[str] = words if kind == "CMD" else ["sh", "-c", *words]
        env = self.environment(service)
        return subprocess.run(command, env=env, capture_output=True, timeout=60, check=False).returncode == 0

    def tail(self, service: str) -> str:
        return (self.folder / f"{service}.log").read_text(errors="replace")[-4000:]

    def stop(self) -> None:
        """Ends every process, the last one started first."""
        for process in reversed(self._running.values()):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in self._running.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait(20)
