"""The one writer of the index: drains Kafka into SQLite.

Rows and offsets are written in one transaction, so a crash at any point leaves an index that simply has not read
the rest yet. A file lock keeps a second writer out; readers (WAL) neither wait nor are waited for.
"""

from __future__ import annotations

import fcntl
import logging
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka import Message

from pivo.errors import Unavailable
from pivo.events import AUDIT_TOPIC, COMMIT_TOPIC, ParseFailure, parse
from pivo.events.types import now
from pivo.index.apply import utc
from pivo.index.batch import Applier, transaction
from pivo.index.commits import iso
from pivo.index.kafka import Gap, Partition, Saved, Source, where_to_start
from pivo.index.migrations import migrate
from pivo.progress import Progress, silent

TOPICS = (COMMIT_TOPIC, AUDIT_TOPIC)
BATCH = 20_000
"""Messages in one transaction, about: the more of them, the fewer times a page of an index is written."""

BATCH_BYTES = 48 << 20
"""Bytes of messages in one transaction, about: what is in memory is some times that."""

_log = logging.getLogger(__name__)
_LOCK_SECONDS = 60.0
_DEAD_VALUE = 64 << 10  # bytes kept of a message that cannot be used


@dataclass
class DrainReport:
    """What a drain did: messages read, commits and snapshots that were new, messages that could not be used,
    gaps that were found, and seconds that it took."""

    events: int = 0
    commits: int = 0
    snapshots: int = 0
    dead: int = 0
    elapsed: float = 0.0
    gaps: list[str] = field(default_factory=list)


def drain(
    index: Path,
    kafka: Mapping[str, str],
    *,
    follow: bool = False,
    progress: Progress = silent,
    stop: Callable[[], bool] = lambda: False,
) -> DrainReport:
    """Brings the index up to the end of the topics, making it when it is missing; with `follow`, until `stop()`.

    `stop` is asked between batches. Unavailable when Kafka is away, or another process writes for over a minute.
    """
    began, report = time.monotonic(), DrainReport()
    with Source(kafka, TOPICS) as source:
        ahead: list[Message] = []
        while True:
            with _told(index), writing(index) as db:
                _drain_once(db, source, report, progress, stop, ahead)
            if not follow or stop():
                break
            while not ahead and not stop():
                ahead = source.read(0.5)
    report.elapsed = time.monotonic() - began
    return report


_FULL = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)


@contextmanager
def _told(index: Path) -> Iterator[None]:
    """A disk that is full or refuses, in words. What is not committed is rolled back, its offsets with it."""
    try:
        yield
    except (sqlite3.OperationalError, OSError) as err:
        code = getattr(err, "sqlite_errorcode", None)
        if code is not None and code & 0xFF not in _FULL:
            raise
        raise Unavailable(
            f"The index {index} cannot be written: {err}.",
            "Free space on its disk; nothing is lost, the next run reads on from the last whole batch.",
        ) from err


@contextmanager
def writing(index: Path) -> Iterator[sqlite3.Connection]:
    """The index open for writing, migrated, with every other writer kept out; Unavailable after a minute."""
    with locked(index):
        db = connect(index)
        try:
            migrate(db)
            yield db
        finally:
            close(db, index)


@contextmanager
def locked(index: Path, patience: float | None = None) -> Iterator[None]:
    """Keeps every other writer out; Unavailable when one is at work for `patience` seconds, or a minute."""
    index.parent.mkdir(parents=True, exist_ok=True)
    with index.with_name(index.name + ".lock").open("a+") as handle:
        _take(handle.fileno(), index, _LOCK_SECONDS if patience is None else patience)
        yield


def close(db: sqlite3.Connection, index: Path) -> None:
    """Closes the writer's connection so that a reader without the right to write to the folder can open the index.

    The last connection to close would delete the -wal and -shm files, without which such a reader cannot. One that is
    read-only leaves them, so it closes last.
    """
    with closing(sqlite3.connect(f"{index.absolute().as_uri()}?mode=ro", uri=True)) as last:
        last.execute("SELECT 1 FROM sqlite_master").fetchone()
        db.execute("PRAGMA wal_checkpoint(PASSIVE)")
        db.close()


def connect(index: Path) -> sqlite3.Connection:
    """A connection in autocommit mode with the pragmas of the writer."""
    db = sqlite3.connect(index, isolation_level=None, timeout=30.0, cached_statements=256)
    for pragma in (
        "journal_mode = WAL",
        # a power cut may take the last transactions, offsets included: they are read again then
        "synchronous = NORMAL",
        "cache_size = -262144",
        "temp_store = MEMORY",
        "wal_autocheckpoint = 64000",
        "journal_size_limit = 268435456",
    ):
        db.execute(f"PRAGMA {pragma}")
    return db


def _take(handle: int, index: Path, patience: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"Another process has been writing the index {index} for {patience:.0f} s.",
                    "It goes on by itself; try again later.",
                ) from None
            time.sleep(0.1)


def _drain_once(
    db: sqlite3.Connection,
    source: Source,
    report: DrainReport,
    progress: Progress,
    stop: Callable[[], bool],
    ahead: list[Message],
) -> None:
    """Reads to the end of every partition; `ahead` are messages already read, and is emptied."""
    saved = _saved(db)
    if not ahead or {p: s.offset for p, s in saved.items()} != _before(source, ahead):
        ahead.clear()
        _begin(db, source, saved, report)
    total = report.events + sum(source.backlog.values())
    batch = _Batch(db, source, report)
    batch.add(ahead)
    ahead.clear()
    for messages in source.until_exhausted():
        batch.add(messages)
        if batch.full():
            batch.write()
            progress("indexing", report.events, total)
        if stop():
            break
    batch.write()
    progress("indexing", report.events, report.events)


def _before(source: Source, ahead: Sequence[Message]) -> dict[Partition, int]:
    """Where the source stood before it read `ahead`."""
    position = dict(source.position)
    for message in ahead:
        partition = (message.topic() or "", message.partition() or 0)
        position[partition] = min(position[partition], message.offset() or 0)
    return position


def _begin(db: sqlite3.Connection, source: Source, saved: Mapping[Partition, Saved], report: DrainReport) -> None:
    """Finds where to read on, and writes down at once what is missing before that."""
    offsets: dict[Partition, int] = {}
    gaps: list[Gap] = []
    for partition, there in source.ranges().items():
        offsets[partition], gap = where_to_start(partition, saved.get(partition), there)
        if gap is not None:
            gaps.append(gap)
    if gaps:
        with transaction(db):
            for gap in gaps:
                text = f"{gap.partition[0]}[{gap.partition[1]}] {gap.first} to {gap.last}: {gap.reason}"
                _log.warning("messages are missing: %s", text)
                report.gaps.append(text)
                db.execute(
                    "INSERT INTO kafka_gaps VALUES (?, ?, ?, ?, ?, ?, NULL)",
                    (*gap.partition, gap.first, gap.last, gap.reason, utc(now())),
                )
                _save(db, source, {gap.partition: offsets[gap.partition]})
    source.start(offsets)


class _Batch:
    """Messages that are written together, with the offsets after them."""

    def __init__(self, db: sqlite3.Connection, source: Source, report: DrainReport) -> None:
        self._db = db
        self._source = source
        self._report = report
        self._applier = Applier(db)
        self.messages: list[Message] = []
        self._bytes = 0

    def add(self, messages: Sequence[Message]) -> None:
        self.messages += messages
        self._bytes += sum(map(len, messages))

    def full(self) -> bool:
        return len(self.messages) >= BATCH or self._bytes >= BATCH_BYTES

    def write(self) -> None:
        saved = _saved(self._db)
        moved = {p: n for p, n in self._source.position.items() if p not in saved or saved[p].offset != n}
        if not self.messages and not moved:
            return
        parsed = [(message, parse(message.value())) for message in self.messages]
        good = [(m, e) for m, e in parsed if not isinstance(e, ParseFailure)]
        bad = [(m, e.reason) for m, e in parsed if isinstance(e, ParseFailure)]
        with transaction(self._db):
            bad += self._applier.apply(good)
            self._bury(bad)
            _save(self._db, self._source, moved)
        self._report.events += len(self.messages)
        self._report.commits += self._applier.commits
        self._report.snapshots += self._applier.snapshots
        self._report.dead += len(bad)
        self._applier.commits = self._applier.snapshots = 0
        self.messages.clear()
        self._bytes = 0

    def _bury(self, bad: Sequence[tuple[Message, str]]) -> None:
        for message, reason in bad:
            topic = message.topic() or ""
            _log.warning("%s[%s] offset %s: %s", topic, message.partition(), message.offset(), reason)
            self._db.execute(
                "INSERT OR IGNORE INTO dead_letters VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    self._source.topic_id(topic) or "",
                    topic,
                    message.partition(),
                    message.offset(),
                    reason,
                    message.key(),
                    (message.value() or b"")[:_DEAD_VALUE],
                    iso(message.timestamp()[1] // 1000),
                ),
            )


def _saved(db: sqlite3.Connection) -> dict[Partition, Saved]:
    rows = db.execute("SELECT topic, partition, next_offset, topic_id FROM kafka_offsets")
    return {(topic, partition): Saved(offset, topic_id) for topic, partition, offset, topic_id in rows}


def _save(db: sqlite3.Connection, source: Source, offsets: Mapping[Partition, int]) -> None:
    at = utc(now())
    db.executemany(
        "INSERT OR REPLACE INTO kafka_offsets VALUES (?, ?, ?, ?, ?)",
        [(topic, p, source.topic_id(topic), offset, at) for (topic, p), offset in offsets.items()],
    )
