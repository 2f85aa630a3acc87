"""How PIVO is: how far the index is behind, which promises were missed, what verification found, what waits.

One look for `pivo status`, the page and the alert. A part that does not answer is a problem that is told like any
other; nothing here waits for one longer than a few seconds.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from confluent_kafka import Consumer, KafkaException, TopicPartition

from pivo.errors import PivoError
from pivo.events import AUDIT_TOPIC, COMMIT_TOPIC, client_config, spool
from pivo.events.audit import folder
from pivo.index import state
from pivo.organisations import left_out
from pivo.registry import Promises, promises
from pivo.settings import Settings

KAFKA_SECONDS = 3.0
"""How long Kafka has to answer, all together."""

BEHIND = timedelta(minutes=30)
"""What the index, or the disk's audit records, may be behind; the DAG pivo_index runs every ten minutes."""

UNPROVEN = timedelta(days=15)
"""Age of a repository's last verification from which it is told; each has its turn every seven nights."""

_RECENT = timedelta(days=7)

Level = Literal["problem", "notice"]


@dataclass(frozen=True)
class Finding:
    """`what` is not as it should be, and what to `do`. A `problem` needs a person, a `notice` is good to know."""

    level: Level
    part: str
    what: str
    do: str = ""


@dataclass(frozen=True)
class Lag:
    """Messages of a topic that the index has not read, and when the oldest of them came (None: none, or unknown)."""

    topic: str
    behind: int
    oldest: datetime | None


@dataclass(frozen=True)
class Repository:
    """A repository in the archive, or one that is promised to be: ages and `promise` in hours, None for never."""

    name: str
    promise: float | None
    checked_at: str | None
    age: float | None
    snapshot_at: str | None
    late: bool
    incomplete: int
    verified_at: str | None
    verified: Literal["whole", "wrong", "never"]
    findings: int


@dataclass(frozen=True)
class Health:
    """The look at a moment. `lag` is None when Kafka did not answer; `spool` are bytes of audit records on disk."""

    at: datetime
    findings: tuple[Finding, ...]
    lag: tuple[Lag, ...] | None
    repositories: tuple[Repository, ...]
    dead_letters: int
    spool: int
    indexed: bool

    @property
    def ok(self) -> bool:
        """Whether nothing needs a person."""
        return not any(f.level == "problem" for f in self.findings)

    @property
    def late(self) -> tuple[Repository, ...]:
        """The repositories whose promise was missed."""
        return tuple(r for r in self.repositories if r.late)


def look(settings: Settings, at: datetime | None = None) -> Health:
    """How the installation is, as of `at` (now). Raises nothing that a part which is down could cause."""
    moment = at or datetime.now(UTC)
    findings: list[Finding] = []
    index = _index(settings, findings)
    lag = _lag(settings.kafka, index.offsets if index else {}, moment, findings)
    waiting = spool.waiting(folder(settings.home))
    if waiting.bytes:
        old = waiting.since is not None and moment.timestamp() - waiting.since > BEHIND.total_seconds()
        what = f"{waiting.bytes:,} bytes of audit records wait on disk for Kafka"
        findings.append(Finding("problem" if old else "notice", "audit", what + ".", "`pivo index` sends them."))
    if index:
        _letters(index, moment, findings)
    rows = _repositories(settings, index, moment, findings)
    dead = index.dead if index else 0
    return Health(moment, tuple(findings), lag, rows, dead, waiting.bytes, index is not None)


def _index(settings: Settings, findings: list[Finding]) -> state.IndexState | None:
    try:
        found = state.read(settings.index)
    except (sqlite3.Error, OSError) as err:
        findings.append(Finding("problem", "index", f"{settings.index} cannot be read: {err}.", "`pivo reindex`."))
        return None
    if found is None:
        findings.append(Finding("notice", "index", "There is no index yet.", "`pivo index` makes it."))
    return found


def _lag(
    kafka: Mapping[str, str], saved: Mapping[tuple[str, int], int], at: datetime, findings: list[Finding]
) -> tuple[Lag, ...] | None:
    try:
        lag = _behind(kafka, saved)
    except (KafkaException, ValueError) as err:
        where = kafka.get("bootstrap.servers", "(no bootstrap.servers)")
        reason = err.args[0].str() if isinstance(err, KafkaException) else str(err)
        findings.append(
            Finding("problem", "kafka", f"Kafka at {where} does not answer: {reason}.", "`pivo logs kafka`.")
        )
        return None
    behind = sum(row.behind for row in lag)
    oldest = min((row.oldest for row in lag if row.oldest), default=None)
    if oldest and at - oldest > BEHIND:
        what = f"The index is {behind:,} messages behind; the oldest came {_ago(at - oldest)} ago."
        findings.append(Finding("problem", "index", what, "Look at the DAG pivo_index, or run `pivo index`."))
    return lag


def _behind(kafka: Mapping[str, str], saved: Mapping[tuple[str, int], int]) -> tuple[Lag, ...]:
    deadline = time.monotonic() + KAFKA_SECONDS
    settings = {"group.id": "pivo-health", "enable.auto.commit": False, "isolation.level": "read_committed"}
    consumer = Consumer(client_config(kafka) | settings | {"auto.offset.reset": "earliest", "fetch.wait.max.ms": 10})
    try:
        found = consumer.list_topics(timeout=KAFKA_SECONDS).topics
        rows = []
        for topic in (COMMIT_TOPIC, AUDIT_TOPIC):
            unread: list[TopicPartition] = []
            behind = 0
            for number in sorted(found[topic].partitions) if topic in found else ():
                part = TopicPartition(topic, number)
                low, high = consumer.get_watermark_offsets(part, timeout=_left(deadline)) or (0, 0)
                first = max(low, min(saved.get((topic, number), low), high))
                if high > first:
                    behind += high - first
                    unread.append(TopicPartition(topic, number, first))
            rows.append(Lag(topic, behind, _oldest(consumer, unread, deadline) if unread else None))
        return tuple(rows)
    finally:
        consumer.close()


def _oldest(consumer: Consumer, unread: list[TopicPartition], deadline: float) -> datetime | None:
    """When the first unread message came: the markers of transactions, which are offsets too, have none."""
    consumer.assign(unread)
    came: list[int] = []
    until = min(deadline, time.monotonic() + 1.0)
    while len(came) < len(unread) and time.monotonic() < until:
        message = consumer.poll(0.1)
        if message is not None and message.error() is None:
            came.append(message.timestamp()[1])
            consumer.pause([TopicPartition(message.topic() or "", message.partition() or 0)])
    consumer.unassign()
    return datetime.fromtimestamp(min(came) / 1000, UTC) if came else None


def _left(deadline: float) -> float:
    return max(0.1, deadline - time.monotonic())


def _letters(index: state.IndexState, at: datetime, findings: list[Finding]) -> None:
    if index.dead:
        recent = index.last_dead is not None and at - _time(index.last_dead) < _RECENT
        what = f"{index.dead:,} messages could not be used; the last came {index.last_dead}."
        findings.append(Finding("problem" if recent else "notice", "index", what, "They are in v_index_problems."))
    if index.gaps:
        what = f"Kafka had lost {index.gaps:,} runs of messages that the index never read."
        findings.append(Finding("problem", "index", what, "`pivo index` fills them from the archive."))


def _repositories(
    settings: Settings, index: state.IndexState | None, at: datetime, findings: list[Finding]
) -> tuple[Repository, ...]:
    try:
        promised = promises(settings.repositories, left_out(settings.home))
    except PivoError as err:
        findings.append(Finding("problem", "registry", err.what, err.do))
        promised = Promises(26.0, {}, (), at.timestamp())
    known = {r.name: r for r in index.repos} if index else {}
    rows = [
        _repository(name, known.get(name), promised, at)
        for name in sorted({*known, *(promised.by_name if index else ())})
    ]
    findings += _told(rows, at)
    return tuple(rows)


def _repository(name: str, known: state.RepoState | None, promised: Promises, at: datetime) -> Repository:
    promise = promised.of(name)
    seen = _time(known.checked_at) if known and known.checked_at else None
    age = (at - seen).total_seconds() / 3600 if seen else None
    # one that was never seen has had its time since the registration last changed
    waited = age if age is not None else (at.timestamp() - promised.since) / 3600
    return Repository(
        name=name,
        promise=promise,
        checked_at=known.checked_at if known else None,
        age=None if age is None else round(age, 2),
        snapshot_at=known.snapshot_at if known else None,
        late=promise is not None and waited > promise,
        incomplete=known.incomplete if known else 0,
        verified_at=known.verified_at if known else None,
        verified="never" if known is None or known.verified_ok is None else "whole" if known.verified_ok else "wrong",
        findings=known.findings if known else 0,
    )


def missed(row: Repository) -> str:
    """The sentence about a promise that was missed."""
    since = "was never archived" if row.age is None else f"was last looked at {row.checked_at}, {span(row.age)} ago"
    return f"{row.name} {since}; {span(row.promise or 0)} are promised."


def _told(rows: Iterable[Repository], at: datetime) -> Iterable[Finding]:
    for row in rows:
        if row.late:
            yield Finding("problem", row.name, missed(row), "Look at the last runs of pivo_snapshot.")
        if row.verified == "wrong":
            what = f"The last verification of {row.name}, at {row.verified_at}, found {row.findings:,} things wrong."
            yield Finding("problem", row.name, what, "v_findings names them; `pivo verify` looks again.")
        elif row.verified_at and at - _time(row.verified_at) > UNPROVEN:
            yield Finding("notice", row.name, f"{row.name} was last verified at {row.verified_at}.", "`pivo verify`.")
        if row.incomplete:
            what = f"The last snapshot of {row.name} lacks {row.incomplete:,} git LFS objects."
            yield Finding("notice", row.name, what, "The next one asks for them again.")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def span(hours: float) -> str:
    """Hours in words, e.g. `26 h`."""
    return _ago(timedelta(hours=hours))


def _ago(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 72 * 60 else f"{minutes // 1440} days"


def kept_promises(settings: Settings) -> list[str]:
    """The repositories that are promised and were looked at in time; Overdue names those that were not."""
    health = look(settings)
    if health.late:
        sentences = [missed(row) for row in health.late]
        lag = sum(row.behind for row in health.lag or ())
        if lag:
            sentences.append(f"The index is {lag:,} messages behind, so it may not know all yet.")
        raise Overdue(" ".join(sentences), "Look at the last runs of pivo_snapshot.")
    return [row.name for row in health.repositories if row.promise is not None]


class Overdue(PivoError):
    """Repositories were not looked at within their promised time."""
