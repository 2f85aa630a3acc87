"""What has been announced: the highest snapshot number of each repository, as STATE_TOPIC tells.

One reader a process, shared by all repositories: it goes on from where it was. While nothing was announced by anybody,
a question is one request to Kafka, for the topic's end.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from pivo.events.topics import CONNECT_SECONDS, STATE_TOPIC, client_config, unavailable

_log = logging.getLogger(__name__)
_LOCK = threading.Lock()
_readers: dict[tuple[int, tuple[tuple[str, str], ...]], _Reader] = {}


def announced(kafka: Mapping[str, str], repo: str) -> int:
    """The highest snapshot number in STATE_TOPIC for `repo`, 0 if none; reads only what was committed.

    A transaction that is still open may hide newer ones: it is waited for, but only for a few seconds, since the
    worst of a number that is too low is that events are sent twice. Unavailable when Kafka does not answer.
    """
    key = (os.getpid(), tuple(sorted(kafka.items())))  # a client does not outlive a fork
    with _LOCK:
        reader = _readers.pop(key, None)
        try:
            if reader is None or not _goes_on(reader):
                reader = _Reader(kafka)
                reader.catch_up()
        except KafkaException as err:
            raise unavailable(kafka, err) from err
        if reader.complete:  # what another has not seen may never come to it
            _readers[key] = reader
        return reader.highest.get(repo.encode("utf-8", "surrogateescape"), 0)


def _goes_on(reader: _Reader) -> bool:
    """Lets a reader catch up; False for one that heard of a topic without partitions while Kafka was starting again."""
    try:
        reader.catch_up()
    except KafkaException as err:
        if err.args[0].code() not in (KafkaError._UNKNOWN_PARTITION, KafkaError._UNKNOWN_TOPIC):
            raise
        return False
    return True


class _Reader:
    """A consumer that belongs to no group, and what it has read so far."""

    def __init__(self, kafka: Mapping[str, str]) -> None:
        settings = {
            "group.id": "pivo-state",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 5,
        }
        self._consumer = Consumer(client_config(kafka) | settings)
        self._reached: dict[int, int] = {}
        self.highest: dict[bytes, int] = {}
        self.complete = False

    def catch_up(self) -> None:
        """Reads what is new; KafkaException when Kafka does not answer."""
        if not self._reached:
            self._reached = dict.fromkeys(self._partitions(), -1)
        ranges = {p: self._range(p) for p in self._reached}
        if any(end < self._reached[p] for p, (_, end) in ranges.items()):  # another topic of that name: begin anew
            self._reached, self.highest = dict.fromkeys(ranges, -1), {}
        unread = {p: max(low, self._reached[p]) for p, (low, end) in ranges.items() if end > max(0, self._reached[p])}
        if unread:
            self._consumer.assign([TopicPartition(STATE_TOPIC, p, at) for p, at in unread.items()])
            self._read(unread.keys(), {p: end for p, (_, end) in ranges.items()})
            self._consumer.unassign()  # or it would go on asking, with nobody to hear
        else:
            self.complete = True

    def _partitions(self) -> list[int]:
        topic = self._consumer.list_topics(STATE_TOPIC, timeout=CONNECT_SECONDS).topics[STATE_TOPIC]
        if topic.error is not None and topic.error.code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
            raise KafkaException(topic.error)
        return list(topic.partitions)

    def _range(self, partition: int) -> tuple[int, int]:
        part = TopicPartition(STATE_TOPIC, partition)
        low, high = self._consumer.get_watermark_offsets(part, timeout=CONNECT_SECONDS) or (0, 0)
        return int(low), int(high)

    def _read(self, partitions: Any, ends: Mapping[int, int]) -> None:
        unread, deadline = set(partitions), time.monotonic() + CONNECT_SECONDS
        while unread and time.monotonic() < deadline:
            for message in self._consumer.consume(500, timeout=0.01):
                err, partition, offset = message.error(), message.partition(), message.offset()
                if err is not None and err.code() != KafkaError._PARTITION_EOF:
                    raise KafkaException(err)
                if partition is None:
                    continue
                if err is None:
                    deadline = time.monotonic() + CONNECT_SECONDS
                    key = bytes(message.key() or b"")
                    self.highest[key] = max(self.highest.get(key, 0), _seq(message.value()))
                reached = (offset or 0) + (0 if err is not None else 1)
                self._reached[partition] = max(self._reached[partition], reached)
                if reached >= ends[partition]:
                    unread.discard(partition)
        self.complete = not unread


def _seq(value: Any) -> int:
    try:
        return int(json.loads(value).get("seq", 0))
    except (ValueError, AttributeError, TypeError):
        _log.warning("a record of %s cannot be read", STATE_TOPIC)
        return 0
