"""Sending events, against librdkafka's own broker; what transactions hide is seen in tests/stack."""

from __future__ import annotations

import json
import logging
import time

import pytest
from confluent_kafka import KafkaError, KafkaException

from index_kit import MockKafka, Snap, commit, manifest, sha
from pivo.errors import Unavailable
from pivo.events import AUDIT_TOPIC, COMMIT_TOPIC, STATE_TOPIC, AuditEvent, EventLog, RestoreEvent, ensure_topics, state
from pivo.events.topics import client_config

NOWHERE = {"bootstrap.servers": "127.0.0.1:1"}


@pytest.fixture
def mock():
    return MockKafka()


def sent(mock, topic):
    """Keys, headers and values of a topic."""
    return [(m.key(), dict(m.headers() or []), json.loads(m.value())) for m in mock.messages(topic)]


def snap(repo="acme/PIVO", seq=3):
    return Snap(manifest(repo, seq, {"main": "b"}, 2), (commit("a"), commit("b", ["a"])), ())


def test_a_snapshot_is_announced_with_the_repository_as_key(mock):
    snap().announce(mock.config)
    found = sent(mock, COMMIT_TOPIC)
    assert {key for key, _, _ in found} == {b"acme/PIVO"}
    assert {h["content-type"] for _, h, _ in found} == {b"application/cloudevents+json; charset=UTF-8"}
    assert [v["type"] for _, _, v in found] == ["pivo.commit.v1", "pivo.commit.v1", "pivo.snapshot.v1"]
    assert {v["time"] for _, _, v in found} == {"2026-01-04T12:00:00Z"}


def test_announced_is_the_highest_of_its_own_repository(mock):
    with EventLog(mock.config) as log:
        assert log.announced("acme/PIVO") == 0
        snap(seq=3).announce(mock.config)
        snap(seq=4).announce(mock.config)
        snap("acme/PIV", 9).announce(mock.config)
        snap(seq=2).announce(mock.config)
        assert log.announced("acme/PIVO") == 4
        assert log.announced("acme/PIV") == 9
        assert log.announced("acme") == 0


def test_a_reader_that_heard_of_no_partitions_while_kafka_started_is_replaced(mock, monkeypatch):
    snap(seq=3).announce(mock.config)
    log = EventLog(mock.config)
    assert log.announced("acme/PIVO") == 3
    (kept,) = (r for (_, config), r in state._readers.items() if config == tuple(sorted(mock.config.items())))
    asked = []

    def forgotten():
        asked.append(1)
        raise KafkaException(KafkaError(KafkaError._UNKNOWN_PARTITION))

    monkeypatch.setattr(kept, "catch_up", forgotten)
    assert (log.announced("acme/PIVO"), log.announced("acme/PIVO"), asked) == (3, 3, [1])


def test_a_state_that_cannot_be_read_does_not_stop_anybody(mock):
    mock.send([b"junk", b"[]", b'{"seq": null}'], STATE_TOPIC, b"acme/PIVO")
    snap().announce(mock.config)
    assert EventLog(mock.config).announced("acme/PIVO") == 3


def test_what_the_history_raises_goes_through_and_nothing_is_sent(mock):
    def broken():
        yield commit("a")
        raise ValueError("the source broke")

    with pytest.raises(ValueError, match="the source broke"), EventLog(mock.config) as log:
        log.announce(manifest("PIVO", 1, {"main": "a"}), broken(), (), "/p")
    assert sent(mock, COMMIT_TOPIC) == []
    assert EventLog(mock.config).announced("PIVO") == 0


def test_restores_and_audit_go_to_the_audit_topic_and_a_restore_wakes_the_indexer(mock):
    with EventLog(mock.config) as log:
        log.audit(AuditEvent("ann", "question", {"text": "?"}, "answered"))
        log.restore(RestoreEvent("run", "PIVO", "v1", sha("a"), "x/y", "ann", "validated"))
        assert sent(mock, STATE_TOPIC) == []
        log.restore(RestoreEvent("run", "PIVO", "v1", sha("a"), "x/y", "ann", "pushed"))
        log.heartbeat("PIVO", "000001-abc", sha("a"))
    assert sorted(v["type"] for _, _, v in sent(mock, AUDIT_TOPIC)) == [
        "pivo.audit.v1",
        "pivo.restore.v1",
        "pivo.restore.v1",
    ]
    assert [key for key, _, _ in sent(mock, STATE_TOPIC)] == [b"/wake"]
    assert [v["type"] for _, _, v in sent(mock, COMMIT_TOPIC)] == ["pivo.heartbeat.v1"]


def test_topics_that_are_there_are_left_alone(mock):
    ensure_topics(mock.config)
    ensure_topics(mock.config)


@pytest.mark.parametrize(
    "call",
    [
        lambda: EventLog(NOWHERE).announced("PIVO"),
        lambda: snap().announce(NOWHERE),
        lambda: EventLog(NOWHERE).heartbeat("PIVO", "s", sha("a")),
        lambda: ensure_topics(NOWHERE),
    ],
    ids=["announced", "announce", "heartbeat", "ensure_topics"],
)
def test_without_kafka_it_is_unavailable_soon_and_quiet(call, monkeypatch, capfd):
    monkeypatch.setattr("pivo.events.log.CONNECT_SECONDS", 0.5)
    monkeypatch.setattr("pivo.events.state.CONNECT_SECONDS", 0.5)
    monkeypatch.setattr("pivo.events.topics.CONNECT_SECONDS", 0.5)
    began = time.monotonic()
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1"):
        call()
    assert time.monotonic() - began < 5
    assert capfd.readouterr().err == ""


def test_settings_of_a_consumer_are_not_given_to_other_clients():
    config = client_config(
        {"bootstrap.servers": "x", "group.id": "g", "enable.auto.commit": "false", "sasl.username": "u"}
    )
    assert "group.id" not in config and "enable.auto.commit" not in config
    assert config["sasl.username"] == "u"


def test_the_same_complaint_is_logged_once(caplog):
    log = logging.getLogger("pivo.kafka")
    with caplog.at_level(logging.INFO, "pivo.kafka"):
        for i in range(50):
            log.error(
                "FAIL [rdkafka#producer-8] [thrd:x]: x: Connect to x failed once (after %dms in state CONNECT)", i
            )
    assert len(caplog.records) == 1
