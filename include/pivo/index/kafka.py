"""Reading topics from offsets that the index keeps, and noticing when those no longer mean what they meant."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

from pivo.events import client_config, ensure_topics, unavailable
from pivo.events.topics import CONNECT_SECONDS

_log = logging.getLogger(__name__)
_SILENCE = 15.0  # seconds without a message or an end before Kafka counts as away
_ID_SECONDS = 4.0  # for Kafka to tell its ids of the topics; offsets alone do without
_CHUNK = 2000

Partition = tuple[str, int]


@dataclass(frozen=True)
class Range:
    """What Kafka holds of a partition: offsets `low` to `high` - 1, of the topic with this id (None: unknown)."""

    low: int
    high: int
    topic_id: str | None


@dataclass(frozen=True)
class Saved:
    """How far the index has read a partition, and of which topic."""

    offset: int
    topic_id: str | None


@dataclass(frozen=True)
class Gap:
    """Messages `first` to `last` - 1 that Kafka no longer has, though the index has not read them."""

    partition: Partition
    first: int
    last: int
    reason: str


def where_to_start(partition: Partition, saved: Saved | None, there: Range) -> tuple[int, Gap | None]:
    """The offset to read from, and what is missing before it."""
    if saved is None:
        gap = Gap(partition, 0, there.low, "deleted by Kafka before the index first read it") if there.low else None
        return there.low, gap
    renewed = saved.topic_id and there.topic_id and saved.topic_id != there.topic_id
    if renewed or saved.offset > there.high:
        # how much the old topic had beyond the saved offset cannot be known any more
        return there.low, Gap(partition, saved.offset, saved.offset, "the topic was deleted and made anew")
    if saved.offset < there.low:
        return there.low, Gap(partition, saved.offset, there.low, "deleted by Kafka before the index read it")
    return saved.offset, None


class Source:
    """The topics as a stream of messages, read_committed. A context manager; Unavailable when Kafka is away."""

    def __init__(self, kafka: Mapping[str, str], topics: tuple[str, ...]) -> None:
        self._kafka = kafka
        self._topics = topics
        self._ids: dict[str, str | None] = {}
        self._ranges: dict[Partition, Range] = {}
        self._consumer = Consumer(
            client_config(kafka)
            | {
                "group.id": "pivo-index",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "error",
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 100,
                "queued.max.messages.kbytes": 32768,
            }
        )
        self.position: dict[Partition, int] = {}
        self.at_end: set[Partition] = set()
        self.backlog: dict[Partition, int] = {}
        """Offsets, about as many as messages, that were unread at the start."""

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def ranges(self) -> dict[Partition, Range]:
        """All partitions of the topics, which are made when they are missing."""
        try:
            found = self._partitions()
            if found is None:
                ensure_topics(self._kafka)
                found = self._partitions() or []
            self._ids = self._topic_ids()
            self._ranges = {p: self._range(p) for p in found}
            return self._ranges
        except KafkaException as err:
            raise unavailable(self._kafka, err) from err

    def start(self, offsets: Mapping[Partition, int]) -> None:
        """Reads on from `offsets`."""
        self._consumer.assign([TopicPartition(t, p, offset) for (t, p), offset in offsets.items()])
        self.position = dict(offsets)
        self.backlog = {p: self._ranges[p].high - offset for p, offset in offsets.items()}
        self.at_end = set()

    def exhausted(self) -> bool:
        """Whether every partition was read to its end."""
        return self.at_end >= self.position.keys()

    def read(self, timeout: float) -> list[Message]:
        """The next messages, none when there are none within `timeout` seconds; `position` is after them."""
        messages = []
        for message in self._consumer.consume(_CHUNK, timeout):
            err = message.error()
            partition: Partition = (message.topic() or "", message.partition() or 0)
            if err is None:
                messages.append(message)
                self.position[partition] = (message.offset() or 0) + 1
                self.at_end.discard(partition)
            elif err.code() == KafkaError._PARTITION_EOF:
                # past the markers of transactions, which are offsets without a message
                self.position[partition] = max(self.position[partition], message.offset() or 0)
                self.at_end.add(partition)
            elif err.retriable() or err.code() in (KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN):
                _log.info("Kafka: %s", err)
            else:
                raise unavailable(self._kafka, err)
        return messages

    def until_exhausted(self) -> Iterator[list[Message]]:
        """Lists of messages up to the end of every partition, empty ones in between."""
        heard = time.monotonic()
        while not self.exhausted():
            ends = len(self.at_end)
            messages = self.read(0.1)
            if messages or len(self.at_end) > ends:
                heard = time.monotonic()
            elif time.monotonic() - heard > _SILENCE:
                raise unavailable(self._kafka, "no message and no end of a partition came")
            yield messages

    def topic_id(self, topic: str) -> str | None:
        """Kafka's id of the topic, None where it does not tell."""
        return self._ids.get(topic)

    def _partitions(self) -> list[Partition] | None:
        topics = self._consumer.list_topics(timeout=CONNECT_SECONDS).topics
        if any(t not in topics or topics[t].error is not None for t in self._topics):
            return None
        return [(t, p) for t in self._topics for p in sorted(topics[t].partitions)]

    def _topic_ids(self) -> dict[str, str | None]:
        admin = AdminClient(client_config(self._kafka))
        ids: dict[str, str | None] = {}
        futures = admin.describe_topics(TopicCollection(list(self._topics)), request_timeout=_ID_SECONDS)
        for topic, future in futures.items():
            try:
                ids[topic] = str(future.result().topic_id)
            except KafkaException as err:  # an old broker has no ids; offsets alone must do then
                _log.info("no id of topic %s: %s", topic, err)
                ids[topic] = None
        return ids

    def _range(self, partition: Partition) -> Range:
        topic, number = partition
        low, high = self._consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=CONNECT_SECONDS) or (
            0,
            0,
        )
        return Range(int(low), int(high), self._ids.get(topic))
