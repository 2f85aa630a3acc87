"""The webhook's receiver: inside a real Airflow API server, and alone with a host that stands for Airflow."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from pivo.chat import webhook
from pivo.chat.guards import resources
from pivo.settings import Settings
from webhook_kit import SECRET, Runs, encoded, headers, push

AT = "/pivo-webhook/github"


def deliver(airflow: Any, payload: dict[str, Any], event: str = "push", secret: str = SECRET) -> httpx.Response:
    body = encoded(payload)
    return httpx.post(airflow.url + AT, content=body, headers=headers(body, event, secret=secret), timeout=20)


def test_a_ping_is_answered_without_a_login(airflow: Any) -> None:
    answer = deliver(airflow, {"zen": "Design for failure."}, "ping")
    assert (answer.status_code, answer.json()) == (200, {"outcome": "pong"})
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_only_a_signed_delivery_counts(airflow: Any) -> None:
    wrong = deliver(airflow, push(), secret="another-secret")
    assert wrong.status_code == 401 and "another secret" in wrong.json()["what"]
    for name, value in (("x-hub-signature-256", ""), ("x-hub-signature-256", "sha256=zz")):
        body = encoded(push())
        unsigned = httpx.post(airflow.url + AT, content=body, headers=headers(body) | {name: value})
        assert unsigned.status_code == 401
    body = encoded(push())
    altered = httpx.post(airflow.url + AT, content=body + b" ", headers=headers(body))
    assert altered.status_code == 401


def test_what_is_no_event_is_a_bad_request(airflow: Any) -> None:
    for body in (b"no json", b"[]", b"{}"):
        answer = httpx.post(airflow.url + AT, content=body, headers=headers(body))
        assert answer.status_code == 400 and answer.json()["do"]


def test_a_stranger_s_push_starts_nothing(airflow: Any) -> None:
    answer = deliver(airflow, push("stranger/web"))
    assert (answer.status_code, answer.json()) == (200, {"outcome": "not registered"})


def test_a_registered_one_is_asked_for_with_the_installation_s_own_login(airflow: Any) -> None:
    # This server has no DAG loaded: Airflow's own API, reached in process as a user, answers 404.
    answer = deliver(airflow, push("acme/web"))
    assert answer.status_code == 500
    assert "pivo_snapshot" in answer.json()["what"]


@pytest.mark.parametrize(("method", "path"), [("GET", AT), ("GET", "/pivo-webhook/"), ("GET", "/pivo-webhook/docs")])
def test_nothing_else_is_there(airflow: Any, method: str, path: str) -> None:
    assert httpx.request(method, airflow.url + path).status_code in {404, 405}


def test_a_body_that_is_too_long_is_refused_before_it_is_read(airflow: Any) -> None:
    host, port = airflow.url.removeprefix("http://").split(":")
    head = "".join(f"{k}: {v}\r\n" for k, v in headers(b"x").items())
    with socket.create_connection((host, int(port)), timeout=10) as sock:
        sock.sendall(f"POST {AT} HTTP/1.1\r\nHost: x\r\n{head}Content-Length: 99000000\r\n\r\n".encode() + b"x" * 100)
        assert sock.recv(100).startswith(b"HTTP/1.1 413 ")


def test_slow_senders_of_large_bodies_keep_no_small_one_waiting(airflow: Any) -> None:
    host, port = airflow.url.removeprefix("http://").split(":")
    head = "".join(f"{k}: {v}\r\n" for k, v in headers(b"x").items())
    slow = [socket.create_connection((host, int(port)), timeout=10) for _ in range(6)]
    try:
        for sock in slow:
            sock.sendall(f"POST {AT} HTTP/1.1\r\nHost: x\r\n{head}Content-Length: 900000\r\n\r\n".encode())
            sock.sendall(b"x" * 300_000)  # and no more
        body = encoded({})  # the slow ones are given ten seconds, this one would have to wait for them
        answer = httpx.post(airflow.url + AT, content=body, headers=headers(body, "ping"), timeout=9)
        assert answer.status_code == 200
    finally:
        for sock in slow:
            sock.close()


class Host:
    """Stands for Airflow: settings, and an orchestrator whose runs are in memory."""

    def __init__(self, settings: Settings) -> None:
        self.given, self.runs = settings, Runs()

    def settings(self) -> Settings:
        return self.given

    def service(self, *_: Any) -> Any:
        return self.runs.client()


@pytest.fixture
def host(tmp_path: Path, kafka: str) -> Iterator[Host]:
    (tmp_path / "repositories.yaml").write_text("organisations: [acme]\n")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "webhook-secret").write_text(SECRET + "\n")
    env = {"PIVO_HOME": str(tmp_path), "PIVO_REPOSITORIES": str(tmp_path / "repositories.yaml"), "PIVO_KAFKA": kafka}
    made = Host(Settings.load(env | {"PIVO_FORGE_URL": "https://forge.example/api/v3"}))
    yield made
    resources(made.given).close()


def test_pushes_are_accepted_folded_and_known_again(host: Host, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = TestClient(webhook.create_app(host))  # type: ignore[arg-type]
    body = encoded(push())
    sent = headers(body)
    first = client.post("/github", content=body, headers=sent)
    assert first.status_code == 202 and first.json()["outcome"] == "started"
    again = client.post("/github", content=body, headers=sent)
    assert again.status_code == 200 and again.json() == {"outcome": "seen", "run_id": first.json()["run_id"]}
    another = encoded(push())
    folded = TestClient(webhook.create_app(host)).post(  # type: ignore[arg-type]  # as after a restart
        "/github", content=another, headers=headers(another)
    )
    assert folded.status_code == 202 and folded.json()["outcome"] == "folded"
    assert [a["conf"] for a in host.runs.asked] == [{"repos": ["acme/web"]}]
    assert SECRET not in caplog.text and SECRET not in repr(host.given)


def test_several_secrets_one_a_line_may_have_blanks_in_them(host: Host) -> None:
    (host.given.home / "secrets" / "webhook-secret").write_text("It's a Secret to Everybody\n\n  another one \n")
    host.given = Settings.load({"PIVO_HOME": str(host.given.home)})
    assert host.given.webhook_secrets == ("It's a Secret to Everybody", "another one")
    client, body = TestClient(webhook.create_app(host)), encoded({})  # type: ignore[arg-type]
    for secret, status in (("It's a Secret to Everybody", 200), ("another one", 200), ("Secret", 401)):
        assert client.post("/github", content=body, headers=headers(body, "ping", secret=secret)).status_code == status


def test_without_a_secret_it_is_off(host: Host) -> None:
    (host.given.home / "secrets" / "webhook-secret").unlink()
    host.given = Settings.load({"PIVO_HOME": str(host.given.home)})
    body = encoded(push())
    answer = TestClient(webhook.create_app(host)).post(  # type: ignore[arg-type]
        "/github", content=body, headers=headers(body, secret="")
    )
    assert answer.status_code == 404 and "off" in answer.json()["what"]


def test_airflow_away_is_told_so_that_the_forge_shows_a_failed_delivery(host: Host) -> None:
    host.runs.down = True
    body = encoded(push())
    answer = TestClient(webhook.create_app(host)).post("/github", content=body, headers=headers(body))  # type: ignore[arg-type]
    assert answer.status_code == 503 and answer.headers["retry-after"] == "60"


def test_a_long_body_without_a_length_is_cut_off(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "LIMIT", 1000)
    client = TestClient(webhook.create_app(host))  # type: ignore[arg-type]
    body = encoded(push(filler="x" * 2000))

    def chunks() -> Iterator[bytes]:
        yield body[:700]
        yield body[700:]

    assert client.post("/github", content=chunks(), headers=headers(body)).status_code == 413


def test_refusals_fill_no_disk(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    client = TestClient(webhook.create_app(host))  # type: ignore[arg-type]
    told: list[Any] = []
    monkeypatch.setattr("pivo.agent.audit.Trail.record", lambda _self, *what, **facts: told.append((what, facts)))
    for _ in range(20):
        body = encoded(push())
        assert client.post("/github", content=body, headers=headers(body, secret="guessed")).status_code == 401
    assert [what for what, _ in told] == [("refusal", "refused: wrong signature")]
