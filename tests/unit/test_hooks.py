"""How failures reach Airflow, and how its Connections become settings."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowFailException

from pivo import hooks
from pivo.errors import NotFound, PivoError, Unavailable
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
    }
    monkeypatch.setattr(hooks, "_connection", given.get)
    found = hooks.settings()
    assert (found.archive, found.archive_reader, found.archive_writer) == ("webhdfs://nn:50070/backups", "ro", "rw")
    assert found.kafka == {"bootstrap.servers": "k:9", "x.flag": "true"}
    assert found.spark_master == "spark://sm:7077"
    assert (found.forge.api_url, found.forge.token) == ("https://ghe.corp/api/v3", "token-word")
    assert (found.gemini.api_key, found.gemini.model) == ("key-word", "m")
    assert "token-word" not in repr(found) and "key-word" not in repr(found)


def test_without_connections_the_environment_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "_connection", lambda _: None)
    monkeypatch.setenv("PIVO_ARCHIVE", "webhdfs://elsewhere:1/x")
    assert hooks.settings().archive == "webhdfs://elsewhere:1/x"
