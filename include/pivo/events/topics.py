"""The topics, and how PIVO talks to Kafka."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from pivo.errors import Unavailable

COMMIT_TOPIC = "pivo-commit-events"
AUDIT_TOPIC = "pivo-audit-logs"
STATE_TOPIC = "pivo-snapshot-state"
"""Compacted; key = repository, value `{"seq": n, "snapshot": folder}`: what has been announced of each.

One record a snapshot, or a restore that has news (WAKE_KEY): so this is the topic that wakes the indexer, which
would otherwise be woken once a commit.
"""

WAKE_KEY = b"/wake"
"""The key of a record that only wakes the indexer; no repository's name begins with a slash."""

PARTITIONS = 3
CONNECT_SECONDS = 8.0
_HANDSHAKE = 3.0  # seconds for the other side to say why it refuses
_WHERE = re.compile(r"^(\[thrd:[^]]*\]: )?\S+://\S+: ")

_log = logging.getLogger("pivo.kafka")
_log.addHandler(logging.NullHandler())  # unless somebody set logging up, nothing of it reaches a terminal
_CONSUMER_ONLY = ("group.", "auto.", "enable.auto.", "enable.partition.eof", "session.", "max.poll.", "isolation.")
_DAY_MS = 86_400_000
_TOPICS = {
    # how long a stopped index may stay behind without asking HDFS for what it missed
    COMMIT_TOPIC: (PARTITIONS, {"retention.ms": str(30 * _DAY_MS)}),
    AUDIT_TOPIC: (PARTITIONS, {"retention.ms": "-1"}),
    STATE_TOPIC: (1, {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.1", "segment.ms": "3600000"}),
}


class _Seldom(logging.Filter):
    """Lets the same complaint of librdkafka through once in 30 s: it says one per attempt to connect."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage().rpartition("]: ")[2].partition(" (after ")[0]
        moment = time.monotonic()
        if moment - self._said.get(said, -60.0) < 30.0:
            return False
        if len(self._said) > 100:
            self._said.clear()
        self._said[said] = moment
        return True


_log.addFilter(_Seldom())


def client_config(kafka: Mapping[str, str]) -> dict[str, Any]:
    """librdkafka settings for a client that is no consumer group's member; its logs go to `pivo.kafka`."""
    config: dict[str, Any] = {k: v for k, v in kafka.items() if not k.startswith(_CONSUMER_ONLY)}
    # Sparse connections wait a quarter of a second before the first one, which for a short run is most of its time.
    return {"reconnect.backoff.ms": 500, "enable.sparse.connections": False} | config | {"logger": _log}


def unavailable(kafka: Mapping[str, str], err: object) -> Unavailable:
    """The failure to tell when Kafka does not answer."""
    where = kafka.get("bootstrap.servers", "(no bootstrap.servers)")
    reason = err.args[0].str() if isinstance(err, KafkaException) else str(err)
    if kafka.get("security.protocol", "plaintext").lower() != "plaintext" and (refused := _refused(kafka)):
        return Unavailable(
            f"Kafka at {where} and PIVO do not trust each other: {refused}.",
            "Mend its settings (secrets/kafka.properties, or the Connection pivo_kafka), then try again.",
        )
    return Unavailable(f"Kafka at {where} did not answer: {reason}.", "See `pivo status`; then try again.")


def _refused(kafka: Mapping[str, str]) -> str:
    """Why Kafka's or our side ends the handshake, empty where it does not: a client only tells that nobody answered."""
    heard: list[str] = []

    def listen(err: KafkaError) -> None:
        if err.code() in (KafkaError._AUTHENTICATION, KafkaError._SSL):
            heard.append(err.str())

    try:
        admin = AdminClient(client_config(kafka) | {"error_cb": listen})
        end = time.monotonic() + _HANDSHAKE
        while not heard and time.monotonic() < end:
            admin.poll(0.2)
    except (KafkaException, ValueError) as err:  # a setting that librdkafka does not take
        return str(err.args[0])
    return _WHERE.sub("", heard[0].partition(" (after ")[0]).rstrip(".: ") if heard else ""


def ensure_topics(kafka: Mapping[str, str]) -> None:
    """Creates the topics that are missing and waits until each partition has a leader; idempotent.

    Unavailable when Kafka does not answer within about 10 s.
    """
    admin = AdminClient(client_config(kafka))
    deadline = time.monotonic() + 2 * CONNECT_SECONDS
    try:
        cluster = admin.list_topics(timeout=CONNECT_SECONDS)
        missing = [name for name in _TOPICS if name not in cluster.topics]
        replicas = min(3, len(cluster.brokers))
        if missing:
            new = [
                NewTopic(name, num_partitions=_TOPICS[name][0], replication_factor=replicas, config=_TOPICS[name][1])
                for name in missing
            ]
            for future in admin.create_topics(new, operation_timeout=CONNECT_SECONDS).values():
                _created(future)
        while not _led(admin):
            if time.monotonic() > deadline:
                raise unavailable(kafka, "its partitions have no leader")
            time.sleep(0.1)
    except KafkaException as err:
        raise unavailable(kafka, err) from err


def _created(future: Any) -> None:
    try:
        future.result()
    except KafkaException as err:
        if err.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise


def _led(admin: AdminClient) -> bool:
    topics = admin.list_topics(timeout=CONNECT_SECONDS).topics
    return all(
        name in topics
        and topics[name].error is None
        and len(topics[name].partitions) > 0
        and all(p.leader >= 0 for p in topics[name].partitions.values())
        for name in _TOPICS
    )
