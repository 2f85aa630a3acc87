"""The chat app, alone with a host that stands for Airflow, and inside a real Airflow API server."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from confluent_kafka import Producer

from agent_world import World, several
from pivo.settings import CHECKOUT
from webhook_kit import SECRET

SERVER = """
import sys, uvicorn
from airflow.api_fastapi.app import cached_app
uvicorn.run(cached_app(apps="core"), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
"""


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = several(tmp_path_factory.mktemp("chat") / "w")
    yield made
    made.close()


class Airflow:
    """A running API server; `client(user)` speaks as that user with the cookie that browsers have."""

    def __init__(self, url: str, home: Path) -> None:
        self.url = url
        self.home = home

    def client(self, user: str = "", **headers: str) -> httpx.Client:
        cookies = {}
        if user:
            answer = httpx.post(f"{self.url}/auth/token", json={"username": user, "password": user})
            cookies = {"_token": answer.json()["access_token"]}
        return httpx.Client(base_url=self.url, headers=headers, cookies=cookies, timeout=30)


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """The address of librdkafka's own broker in memory: nothing acts without the audit log."""
    broker = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "127.0.0.1:1"})
    (one,) = broker.list_topics(timeout=10).brokers.values()
    yield f"{one.host}:{one.port}"
    broker.flush(0)


@pytest.fixture(scope="session")
def airflow(world: World, kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    """Airflow's API server with the plugin, on a fresh database; in a process of its own, as it reads the environment
    when it is imported."""
    home = tmp_path_factory.mktemp("airflow")
    users = ("admin", "user", "viewer")
    (home / "passwords.json").write_text(json.dumps({name: name for name in users}))
    (home / "repositories.yaml").write_text("organisations: [acme]\n")
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PYTHONPATH": str(CHECKOUT / "include"),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(CHECKOUT / "plugins"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{name}:{name}" for name in users),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__API_AUTH__JWT_SECRET": "x" * 64,
        "PIVO_HOME": str(home / "pivo"),
        "PIVO_KAFKA": kafka,
        "PIVO_INDEX": str(world.index),
        "PIVO_ARCHIVE": f"file://{world.archive}",
        "PIVO_REPOSITORIES": str(home / "repositories.yaml"),
        "PIVO_FORGE_URL": "https://api.forge.example",
        "PIVO_WEBHOOK_SECRET": SECRET,
        "PIVO_AIRFLOW_USER": "user",
        "PIVO_AIRFLOW_PASSWORD": "user",
    }
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], env=env, check=True, capture_output=True)
    with (home / "server.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-c", SERVER, str(port)], env=env, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        _await(url, process, home / "server.log")
        yield Airflow(url, home / "pivo")
    finally:
        process.terminate()
        process.wait(30)


def _await(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()[-3000:]
        try:
            if httpx.get(f"{url}/api/v2/version").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.3)
    raise AssertionError(log.read_text()[-3000:])
