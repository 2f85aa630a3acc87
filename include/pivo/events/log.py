"""Sending events to Kafka, and asking what has been sent.

A snapshot's events are one Kafka transaction: a reader sees all of them or none. The transactional id belongs to
the repository, so that a second process which announces the same repository fences the first, and two
repositories never disturb each other. The transaction is short whatever the history's length: the events are
spooled to a temporary file first, and only then sent.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import IO, Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from pivo.errors import ArchiveConflict, Unavailable
from pivo.events.codec import commit_events, dump, snapshot_events
from pivo.events.state import announced
from pivo.events.topics import (
    AUDIT_TOPIC,
    COMMIT_TOPIC,
    CONNECT_SECONDS,
    STATE_TOPIC,
    WAKE_KEY,
    client_config,
    unavailable,
)
from pivo.events.types import AuditEvent, Event, HeartbeatEvent, RestoreEvent, VerifyEvent
from pivo.models import Commit, Manifest, RefUpdate
from pivo.progress import Progress, silent

_log = logging.getLogger(__name__)
_HEADERS: list[tuple[str, str | bytes | None]] = [("content-type", b"application/cloudevents+json; charset=UTF-8")]
_LENGTH = struct.Struct("<I")
_SPOOL_MEMORY = 32 << 20  # bytes kept in memory before the spool goes to disk
_COMMIT_SECONDS = 60.0
_SENDER: dict[str, Any] = {
    "acks": "all",
    "enable.idempotence": True,
    "compression.type": "lz4",
    "linger.ms": 5,
    "queue.buffering.max.kbytes": 65536,
    "queue.buffering.max.messages": 200_000,
}
# An idempotent producer would wait half a second for its id. One message at a time needs none: a retry keeps the
# order, and what arrives twice is known by its event's id.
_ONE_BY_ONE = {"message.timeout.ms": int(CONNECT_SECONDS * 1000), "enable.idempotence": False, "max.in.flight": 1}
_LOCK = threading.Lock()
_plain: dict[tuple[int, tuple[tuple[str, str], ...]], Producer] = {}  # for what needs no transaction; one a process


class EventLog:
    """Sends events. A context manager; Unavailable when Kafka does not answer (about 10 s), nothing sent then.

    `transactional_id` overrides the one derived from the repository's name (for tests).
    """

    def __init__(self, kafka: Mapping[str, str], *, transactional_id: str | None = None) -> None:
        self._kafka = kafka
        self._transactional_id = transactional_id

    def __enter__(self) -> EventLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Nothing to let go of: every event was sent or refused, and the connections are the process's."""

    def announced(self, repo: str) -> int:
        """The highest snapshot number of `repo` that has been announced, 0 if none."""
        return announced(self._kafka, repo)

    def announce(
        self,
        manifest: Manifest,
        commits: Iterable[Commit],
        updates: Sequence[RefUpdate],
        archive_path: str,
        progress: Progress = silent,
        published: Callable[[], None] = lambda: None,
    ) -> int:
        """Sends a snapshot's events as one transaction and returns how many commits it told of.

        `archive_path` is the snapshot's folder, e.g. `/backups/PIVO/000001-…`. `published` is called when the events
        are ready, before any is sent: it returns once the snapshot is in its place. What it or `commits` raises goes
        through, with nothing sent. ArchiveConflict when another process announces this repository now.
        """
        producer = self._transactional(manifest.repo)
        with tempfile.SpooledTemporaryFile(max_size=_SPOOL_MEMORY) as spool:
            count = _spool(spool, manifest, commits, updates, archive_path, progress)
            spool.seek(0)
            self._answers(producer)
            published()
            self._begin(producer, manifest.repo)
            try:
                producer.begin_transaction()
                for value in _unspool(spool):
                    _produce(producer, COMMIT_TOPIC, manifest.repo, value)
                state = json.dumps({"seq": manifest.seq, "snapshot": manifest.dirname}).encode()
                _produce(producer, STATE_TOPIC, manifest.repo, state)
                _commit(producer)
            except KafkaException as err:
                _abort(producer)
                raise self._refusal(manifest.repo, err) from err
            except BaseException:
                _abort(producer)
                raise
        return count

    def heartbeat(self, repo: str, snapshot: str, head: str) -> None:
        """Says that `repo` was looked at and is still as `snapshot` (a folder name) has it."""
        self._send(COMMIT_TOPIC, repo.encode(), dump(HeartbeatEvent(repo, snapshot, head)))

    def restore(self, event: RestoreEvent) -> None:
        """Records a step of a restore, and wakes the indexer where a person may wait for it."""
        self._send(AUDIT_TOPIC, event.repo.encode(), dump(event))
        if event.state in ("requested", "pushed", "failed"):
            self._send(STATE_TOPIC, WAKE_KEY, b"{}")

    def audit(self, event: AuditEvent) -> None:
        """Records what somebody asked for or did."""
        self._send(AUDIT_TOPIC, event.who.encode("utf-8", "replace"), dump(event))

    def verified(self, event: VerifyEvent) -> None:
        """Records what a verification or a drill came to, and wakes the indexer."""
        self._send(AUDIT_TOPIC, event.repo.encode(), dump(event))
        self._send(STATE_TOPIC, WAKE_KEY, b"{}")

    def _send(self, topic: str, key: bytes, value: bytes) -> None:
        """Sends one message outside of any transaction and waits until the brokers have it."""
        key_of_client = (os.getpid(), tuple(sorted(self._kafka.items())))  # a client does not outlive a fork
        with _LOCK:
            producer = _plain.get(key_of_client)
            if producer is None:
                producer = _plain[key_of_client] = Producer(client_config(self._kafka) | _SENDER | _ONE_BY_ONE)
        failures: list[KafkaError] = []

        def delivered(err: KafkaError | None, _: Message) -> None:
            if err is not None:
                failures.append(err)

        producer.produce(topic, key=key, value=value, headers=_HEADERS, on_delivery=delivered)
        left = producer.flush(CONNECT_SECONDS + 2)
        if left or failures:
            with _LOCK:
                _plain.pop(key_of_client, None)
            raise unavailable(self._kafka, failures[0].str() if failures else "it did not take an event in time")

    def _transactional(self, repo: str) -> Producer:
        digest = hashlib.sha256(repo.encode("utf-8", "surrogateescape")).hexdigest()[:24]
        transaction = {
            "transactional.id": self._transactional_id or f"pivo-announce-{digest}",
            # a process that dies within its transaction holds readers up for this long, or until its retry
            "transaction.timeout.ms": 120_000,
        }
        return Producer(client_config(self._kafka) | _SENDER | transaction)  # it connects by itself

    def _answers(self, producer: Producer) -> None:
        """Waits until it is connected."""
        try:
            producer.list_topics(COMMIT_TOPIC, timeout=CONNECT_SECONDS)
        except KafkaException as err:
            raise unavailable(self._kafka, err) from err

    def _begin(self, producer: Producer, repo: str) -> None:
        """From here on no other process can announce this repository."""
        try:
            producer.init_transactions(3 * CONNECT_SECONDS)
        except KafkaException as err:
            raise self._refusal(repo, err) from err

    def _refusal(self, repo: str, err: KafkaException) -> ArchiveConflict | Unavailable:
        """What to tell of a transaction that failed."""
        if err.args[0].code() in (KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH):
            return ArchiveConflict(
                f"Another process announces {repo} now; this one's events were withdrawn.",
                "Nothing is lost; try again in a minute.",
            )
        return unavailable(self._kafka, err)


def _spool(
    spool: IO[bytes],
    manifest: Manifest,
    commits: Iterable[Commit],
    updates: Sequence[RefUpdate],
    path: str,
    progress: Progress,
) -> int:
    """Writes the snapshot's events, each with its length before it; returns how many commits there were."""

    def put(event: Event) -> None:
        value = dump(event, manifest.taken_at)
        spool.write(_LENGTH.pack(len(value)))
        spool.write(value)

    count = 0
    for count, commit in enumerate(commits, 1):
        for share in commit_events(manifest, commit):
            put(share)
        if count % 500 == 0:
            progress("announcing", count, manifest.commits or None)
    for event in snapshot_events(manifest, updates, path):
        put(event)
    progress("announcing", count, count)
    return count


def _unspool(spool: IO[bytes]) -> Iterator[bytes]:
    while head := spool.read(_LENGTH.size):
        yield spool.read(_LENGTH.unpack(head)[0])


def _produce(producer: Producer, topic: str, repo: str, value: bytes) -> None:
    """Queues one message; when the queue is full it waits until there is room."""
    key = repo.encode("utf-8", "surrogateescape")
    patience = time.monotonic() + _COMMIT_SECONDS
    while True:
        try:
            producer.produce(topic, key=key, value=value, headers=_HEADERS)
            return
        except BufferError:
            producer.poll(0.1)
            if time.monotonic() > patience:
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "its queue does not drain")) from None


def _commit(producer: Producer) -> None:
    """Commits; a commit that says it may be tried again is, once: it is the same commit then, not another."""
    try:
        producer.commit_transaction(_COMMIT_SECONDS)
    except KafkaException as err:
        if not err.args[0].retriable():
            raise
        producer.commit_transaction(_COMMIT_SECONDS)


def _abort(producer: Producer) -> None:
    """Withdraws what was sent. Where even that fails, Kafka does it at the transaction's timeout."""
    try:
        producer.abort_transaction(CONNECT_SECONDS)
    except KafkaException as err:
        _log.warning("the transaction could not be aborted (%s); Kafka aborts it at its timeout", err)
