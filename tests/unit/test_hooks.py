"""How failures reach Airflow, and how its Connections become settings."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowFailException

from pivo import hooks
from pivo.errors import NotFound, PivoError, Unavailable
from pivo.hdfsaddress import Address
from pivo.orchestrator import _ERROR


def test_what_a_retry_cannot_help_fails_at_once(caplog: pytest.LogCaptureFixture) -> None:
    with (
        caplog.at_level(logging.ERROR),
        pytest.raises(AirflowFailException, match="No such"),
        hooks.task_errors(),
    ):
        raise NotFound("No such\nthing.", "Look\nagain.")
    assert caplog.messages == ["PIVO-ERROR: No such thing. Look again."]
    assert _ERROR.findall(caplog.messages[0])[0].strip() == "No such thing. Look again."


def test_what_a_retry_may_help_is_left_to_airflow(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(Unavailable), hooks.task_errors():
        raise Unavailable("Kafka does not answer.", "Start it.")
    assert caplog.messages == ["PIVO-ERROR: Kafka does not answer. Start it."]


def test_defects_go_through_as_they_are(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ZeroDivisionError), hooks.task_errors():
        1 / 0  # noqa: B018
    assert caplog.messages == []


@pytest.mark.parametrize("kind", PivoError.__subclasses__())
def test_every_error_says_whether_to_try_again(kind: type[PivoError]) -> None:
    with pytest.raises(kind if kind.retry else AirflowFailException), hooks.task_errors():
        raise kind("What.", "Do.")


def test_connections_are_laid_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {
        "pivo_hdfs": Connection(
            conn_id="pivo_hdfs", conn_type="webhdfs", host="nn", port=50070, login="ro", extra='{"writer": "rw"}'
        ),
        "pivo_kafka": Connection(
            conn_id="pivo_kafka",
            conn_type="kafka",
            extra='{"bootstrap.servers": "k:9", "enable.auto.commit": false, "group.id": "g", "x.flag": true}',
        ),
        "pivo_spark": Connection(conn_id="pivo_spark", conn_type="spark", host="sm", port=7077),
        "pivo_github": Connection(
            conn_id="pivo_github", conn_type="http", host="ghe.corp/api/v3/", password="token-word"
        ),
        "pivo_gemini": Connection(
            conn_id="pivo_gemini", conn_type="generic", password="key-word", extra='{"model": "m"}'
        ),
        "pivo_webhook": Connection(conn_id="pivo_webhook", conn_type="generic", password="new secret\nold secret"),
    }
    monkeypatch.setattr(hooks, "_connection", given.get)
    found = hooks.settings()
    assert (found.archive, found.archive_reader, found.archive_writer) == ("webhdfs://nn:50070/backups", "ro", "rw")
    assert found.kafka == {"bootstrap.servers": "k:9", "x.flag": "true"}
    assert found.spark_master == "spark://sm:7077"
    assert found.webhook_secrets == ("new secret", "old secret") and "new secret" not in repr(found)
    assert (found.forge.api_url, found.forge.token) == ("https://ghe.corp/api/v3", "token-word")
    assert (found.gemini.api_key, found.gemini.model) == ("key-word", "m")
    assert "token-word" not in repr(found) and "key-word" not in repr(found)


def test_a_connection_to_a_kerberised_hdfs_says_all_that_the_address_says() -> None:
    told = {"use_ssl": True, "verify": "/secrets/ca.pem", "auth": "kerberos", "principal": "{user}@EXAMPLE.ORG"}
    extra = json.dumps(told | {"keytab": "/secrets/pivo.keytab", "proxy": "no"})
    connection = Connection(conn_id="pivo_hdfs", conn_type="webhdfs", host="nn.example.org", extra=extra)
    read = Address.parse(hooks._archive(connection, "backups"))
    assert (read.url, read.ca) == ("swebhdfs://nn.example.org:9871/backups", "/secrets/ca.pem")
    assert (read.kerberos, read.principal, read.keytab, read.proxy) == (
        True,
        "{user}@EXAMPLE.ORG",
        "/secrets/pivo.keytab",
        False,
    )


def test_without_connections_the_environment_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "_connection", lambda _: None)
    monkeypatch.setenv("PIVO_ARCHIVE", "webhdfs://elsewhere:1/x")
    assert hooks.settings().archive == "webhdfs://elsewhere:1/x"


class Webhook(HTTPServer):
    """A chat program that takes messages; `got` are their tokens and bodies."""

    def __init__(self) -> None:
        self.got: list[tuple[str | None, dict[str, str]]] = []
        super().__init__(("127.0.0.1", 0), Taking)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"


class Taking(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.headers["Authorization"], json.loads(body)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with Webhook() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def late(repo: str, age: str) -> dict[str, Any]:
    """The context of a task of pivo_watch that failed."""
    why = AirflowFailException(f"{repo} was last looked at 2026-11-22T12:00:00Z, {age} ago; 26 h are promised.")
    run = SimpleNamespace(dag_id="pivo_watch", run_id="scheduled__1")
    return {"dag_run": run, "ti": SimpleNamespace(log_url="http://airflow/log"), "exception": why}


def test_a_missed_promise_reaches_a_person_once_a_day(
    webhook: Webhook, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PIVO_HOME", str(tmp_path))
    given = Connection(conn_id="pivo_alert", conn_type="http", host=webhook.url, password="token-word")
    monkeypatch.setattr(hooks, "_connection", lambda conn_id: given)
    hooks.alert(late("acme/web", "27 h"))
    hooks.alert(late("acme/web", "28 h"))
    hooks.alert(late("acme/tool", "27 h"))
    assert [token for token, _ in webhook.got] == ["Bearer token-word"] * 2
    first, second = (body for _, body in webhook.got)
    assert first["text"].startswith("PIVO: pivo_watch failed. acme/web was last looked at")
    assert (first["dag_id"], first["run_id"], first["url"]) == ("pivo_watch", "scheduled__1", "http://airflow/log")
    assert "acme/tool" in second["text"]


def test_an_alert_that_does_not_get_through_is_logged_and_tried_again(
    webhook: Webhook, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PIVO_HOME", str(tmp_path))
    for given in (
        Connection(conn_id="pivo_alert", conn_type="http", host="http://127.0.0.1:1/hook"),
        Connection(conn_id="pivo_alert", conn_type="http", host="no url"),
        Connection(conn_id="pivo_alert", conn_type="smtp", host="127.0.0.1", port=1, extra="{}"),
    ):
        monkeypatch.setattr(hooks, "_connection", lambda conn_id, given=given: given)
        hooks.alert(late("acme/web", "27 h"))
    assert sum("the alert did not get through" in m for m in caplog.messages) == 3
    monkeypatch.setattr(
        hooks, "_connection", lambda conn_id: Connection(conn_id="a", conn_type="http", host=webhook.url)
    )
    hooks.alert(late("acme/web", "27 h"))
    assert len(webhook.got) == 1


def test_without_a_connection_the_log_has_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PIVO_HOME", str(tmp_path))
    monkeypatch.setattr(hooks, "_connection", lambda conn_id: None)
    hooks.alert(late("acme/web", "27 h"))
    assert any(m.startswith("ALERT PIVO: pivo_watch failed. acme/web") for m in caplog.messages)
