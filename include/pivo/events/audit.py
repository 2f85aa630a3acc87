"""Telling the audit log who asked for what, and what came of it, without losing any of it and without waiting for it.

A record is written to disk first (:mod:`pivo.events.spool`), then handed to librdkafka, which sends in threads of its
own. What Kafka has not taken when this process ends stays on disk, and is sent by the next one that reaches Kafka.
Each event has an id of its own, by which the index knows one that comes twice.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from pivo.errors import Unavailable
from pivo.events import redaction, spool
from pivo.events.codec import dump, parse
from pivo.events.topics import AUDIT_TOPIC, client_config, unavailable
from pivo.events.types import AuditEvent, ParseFailure, RestoreEvent, VerifyEvent
from pivo.settings import Settings

Recorded = AuditEvent | RestoreEvent | VerifyEvent

PATIENCE = 1.0
"""Seconds that the end of a process waits for Kafka to take what it has recorded."""

ACT_SECONDS = 4.0
"""Seconds in which Kafka must have taken the record of something that is about to be done."""

_LISTEN_SECONDS = 0.5
_log = logging.getLogger(__name__)
_SENDER = {
    "acks": "all",
    "compression.type": "lz4",
    "linger.ms": 0,
    # an idempotent producer waits half a second for its id, and what arrives twice is known by its event's id
    "enable.idempotence": False,
    "max.in.flight": 1,
    "message.timeout.ms": 0,  # tried for as long as the process lives; the disk has it for when it does not
    "socket.timeout.ms": 10_000,
    "reconnect.backoff.max.ms": 2_000,
}
_HEADERS: list[tuple[str, str | bytes | None]] = [("content-type", b"application/cloudevents+json; charset=UTF-8")]


class AuditLog:
    """Records for `pivo-audit-logs`. A context manager; threads may share it. `folder` is for this home's spool.

    Parameters of audit events pass :func:`pivo.events.redaction.allowed` here, wherever they come from.
    """

    def __init__(self, kafka: Mapping[str, str], folder: Path) -> None:
        self._kafka = kafka
        self._folder = folder
        self._lock = threading.RLock()
        self._pid = 0
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._spool = spool.Spool(self._folder)
        self._producer: Producer | None = None
        self._listener: threading.Thread | None = None
        self._pending: set[str] = set()
        self._away = ""  # why no broker can be reached, as librdkafka last said
        self._reached = False

    def __enter__(self) -> AuditLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def record(self, event: Recorded) -> None:
        """Keeps `event`, and sends it when Kafka is there. Unavailable only when neither disk nor Kafka takes it."""
        self._put(event)
        with self._lock:
            if self._producer is not None and self._listener is None:
                self._listener = threading.Thread(target=self._listen, args=(self._producer,), daemon=True)
                self._listener.start()

    def require(self, event: Recorded, seconds: float = ACT_SECONDS) -> None:
        """As :meth:`record`, but returns only when Kafka has it: Unavailable otherwise. For what is about to act."""
        name = self._put(event)
        self._await({name}, seconds)
        if name in self._pending:
            with self._lock:
                self._spool.sync()
            raise _refused(self._kafka, self._away)

    def flush(self, seconds: float = PATIENCE) -> bool:
        """Waits until Kafka has all that was recorded, no longer than `seconds`, and not at all while it is known to
        be away; what it has not is safe on disk. Sends what dead processes left behind, too."""
        self._await(set(self._pending), 0 if self._away else seconds)
        with self._lock:
            if self._pending:
                self._spool.sync()
                return False
        if self._reached:
            try:
                self.send_left_behind()
            except Unavailable as err:
                _log.info("audit records of other processes wait on: %s", err)
        return True

    def send_left_behind(self) -> int:
        """Sends what processes that are no more have left on disk; how many events. Unavailable without Kafka."""
        sent = 0
        for path in spool.abandoned(self._folder):
            with spool.left_behind(path) as lines:
                if lines:
                    self._send(path, lines)
                    sent += len(lines)
        return sent

    def close(self) -> None:
        """Flushes, and leaves on disk what Kafka did not take."""
        if self._pid != os.getpid():
            return
        self.flush()
        with self._lock:
            if self._producer is not None and self._pending:
                self._producer.purge()
            self._producer = None
            self._spool.close()
            self._pending.clear()

    def _put(self, event: Recorded) -> str:
        """Writes the event to disk and queues it; the name by which it is pending."""
        if isinstance(event, AuditEvent):
            event = replace(event, parameters=redaction.allowed(event.parameters))
        value = dump(event)
        with self._lock:
            if self._pid != os.getpid():  # a fork: its parent's file and connections are not its own
                self._reset()
            name, on_disk = _name(value), True
            try:
                self._spool.append(value)
            except (OSError, Unavailable) as err:
                _log.warning("an audit record is not on disk: %s", err)
                on_disk = False
            self._produce(name, _key(event), value)
        if not on_disk:
            self._await({name}, ACT_SECONDS)
            if name in self._pending:
                raise _refused(self._kafka, self._away)
        return name

    def _produce(self, name: str, key: bytes, value: bytes) -> None:
        def delivered(err: KafkaError | None, _: Message) -> None:
            with self._lock:
                if err is not None:
                    self._away = err.str()
                    return
                self._away, self._reached = "", True
                self._pending.discard(name)
                if not self._pending:
                    self._spool.clear()

        with self._lock:
            self._pending.add(name)
            try:
                self._connected().produce(AUDIT_TOPIC, key=key, value=value, headers=_HEADERS, on_delivery=delivered)
            except (BufferError, KafkaException) as err:  # its queue is full, or it cannot even be made
                self._away = str(err)

    def _listen(self, producer: Producer) -> None:
        """Hears what Kafka has taken, so that a process which lives on and records no more does not keep it on disk."""
        while True:
            producer.poll(_LISTEN_SECONDS)
            with self._lock:
                if not self._pending or self._producer is not producer:
                    self._listener = None
                    return

    def _connected(self) -> Producer:
        if self._producer is None:
            self._producer = Producer(client_config(self._kafka) | _SENDER | {"error_cb": self._noticed})
        return self._producer

    def _noticed(self, err: KafkaError) -> None:
        if err.code() == KafkaError._ALL_BROKERS_DOWN:
            self._away = err.str()

    def _await(self, names: set[str], seconds: float) -> None:
        """Until Kafka has `names`, `seconds` are over, or it is plain that no broker is there."""
        producer, deadline = self._producer, time.monotonic() + seconds
        if producer is None:
            return
        producer.poll(0)
        before, self._away = self._away, ""
        while names & self._pending and not self._away and time.monotonic() < deadline:
            producer.poll(0.02)
        if names & self._pending:  # librdkafka does not say again that it is still away
            self._away = self._away or before

    def _send(self, path: Path, lines: list[bytes]) -> None:
        names: set[str] = set()
        for number, line in enumerate(lines):
            key, value = _again(path, number, line)
            names.add(_name(value))
            self._produce(_name(value), key, value)
            if number % 1000 == 999:
                self._await(set(names), ACT_SECONDS)
        self._await(set(names), ACT_SECONDS)
        with self._lock:
            if left := names & self._pending:
                self._pending.difference_update(left)  # their file stays
                raise _refused(self._kafka, self._away)


def folder(home: Path) -> Path:
    """Where the records of an installation wait for Kafka."""
    return home / "audit"


def open_audit(settings: Settings) -> AuditLog:
    """The audit log of an installation."""
    return AuditLog(settings.kafka, folder(settings.home))


def keep(settings: Settings, events: Iterable[Recorded]) -> None:
    """Records events that Kafka did not take: they wait on disk until it does."""
    with open_audit(settings) as log:
        for event in events:
            log.record(event)


def send_waiting(settings: Settings) -> int:
    """Sends what processes that are no more left on disk; how many events. What Kafka does not take waits on."""
    with open_audit(settings) as log:
        try:
            return log.send_left_behind()
        except Unavailable as err:
            _log.warning("audit records wait on disk: %s", err.what)
            return 0


@contextmanager
def audited(log: AuditLog, who: str, action: str, **parameters: Any) -> Iterator[dict[str, Any]]:
    """Around something that `who` does: its outcome is on record at the end, with what the block adds to the facts."""
    facts = dict(parameters)
    try:
        yield facts
    except BaseException as err:
        ended = "failed" if isinstance(err, Exception) else "broken off"
        with suppress(Unavailable):  # the failure itself is what a person has to hear
            log.record(AuditEvent(who, action, {**facts, "error": type(err).__name__}, ended))
        raise
    log.record(AuditEvent(who, action, facts, "done"))


def _name(value: bytes) -> str:
    return hashlib.sha256(value).hexdigest()


def _key(event: Recorded) -> bytes:
    told = event.who if isinstance(event, AuditEvent) else event.repo
    return told.encode("utf-8", "replace")


def _again(path: Path, number: int, line: bytes) -> tuple[bytes, bytes]:
    """Key and value of a line that was left behind; one that a kill cut short becomes an event that says so."""
    event = parse(line)
    if not isinstance(event, ParseFailure):
        return _key(event) if isinstance(event, Recorded) else b"pivo", line.rstrip(b"\n")
    digest = hashlib.sha256(f"{path.name}/{number}".encode() + line).hexdigest()[:32]
    torn = AuditEvent(
        who="pivo",
        action="spool",
        parameters={"bytes": len(line)},
        outcome="a record was cut short when its process was killed",
        at=datetime.fromtimestamp(path.stat().st_mtime, UTC),
        id=digest,
    )
    return b"pivo", dump(torn)


def _refused(kafka: Mapping[str, str], why: str) -> Unavailable:
    err = unavailable(kafka, why or "it took no audit record in time")
    return Unavailable(
        f"The audit log cannot be reached, and nothing is done that is not in it. {err.what}",
        "Nothing was started. See `pivo status`; then try again.",
    )
