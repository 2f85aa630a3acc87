"""Events ⇄ CloudEvents 1.0 in JSON, structured mode.

`dump` never fails on what a git history can hold (bytes that are not UTF-8, dates beyond any calendar, a message
of megabytes); `parse` never raises on what a topic can hold: a message it cannot use becomes a ParseFailure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

import msgspec
from msgspec.structs import replace

from pivo.events.types import (
    BYTES_LIMIT,
    FILES_LIMIT,
    REFS_LIMIT,
    AuditEvent,
    CommitEvent,
    Event,
    HeartbeatEvent,
    ParseFailure,
    RestoreEvent,
    SnapshotEvent,
    SnapshotRefsEvent,
    VerifyEvent,
)
from pivo.models import Commit, FileChange, Manifest, Person, Ref, RefUpdate

MESSAGE_LIMIT = 64_000
"""Characters of a commit message that an event carries; the archive has the rest."""

_COMMIT_BEGINS = b'{"specversion":"1.0","type":"pivo.commit.'
_PERSON_LIMIT = 1_000  # characters of a name or an address
_HASH = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_HASHES = re.compile(r"(?: [0-9a-f]{40}(?:[0-9a-f]{24})?)+")
_DATA: dict[str, type[Event]] = {
    "pivo.commit.v1": CommitEvent,
    "pivo.commit.files.v1": CommitEvent,
    "pivo.snapshot.v1": SnapshotEvent,
    "pivo.snapshot.refs.v1": SnapshotRefsEvent,
    "pivo.heartbeat.v1": HeartbeatEvent,
    "pivo.restore.v1": RestoreEvent,
    "pivo.audit.v1": AuditEvent,
    "pivo.verify.v1": VerifyEvent,
}
_FAMILIES = {name.rsplit(".", 1)[0] for name in _DATA}
T = TypeVar("T")


class _Envelope(msgspec.Struct):
    """The attributes of a CloudEvent, in the order that they are written."""

    specversion: str
    type: str
    id: str
    source: str
    subject: str
    time: datetime
    datacontenttype: str
    data: Any


class _Received(msgspec.Struct):
    """What is read of a CloudEvent; `data` stays raw until its type is known."""

    specversion: str
    type: str
    id: str
    source: str
    data: msgspec.Raw


class _ReceivedCommit(msgspec.Struct, gc=False):
    """The same of a commit's event, read in one pass: nearly all messages are one."""

    specversion: str
    type: Literal["pivo.commit.v1", "pivo.commit.files.v1"]
    id: str
    source: str
    data: CommitEvent


_encode = msgspec.json.Encoder().encode
_commit = msgspec.json.Decoder(_ReceivedCommit)
_envelope = msgspec.json.Decoder(_Received)
_decoders = {name: msgspec.json.Decoder(kind) for name, kind in _DATA.items()}


def dump(event: Event, time: datetime | None = None) -> bytes:
    """The event as a CloudEvent. Its id is the same whenever the same thing is said again."""
    kind, event_id, subject, at = _attributes(event)
    repo = getattr(event, "repo", "")
    envelope = _Envelope(
        specversion="1.0",
        type=kind,
        id=event_id,
        source=f"/pivo/{repo}" if repo else "/pivo",
        subject=subject,
        time=(time or at).astimezone(UTC),
        datacontenttype="application/json",
        data=event,
    )
    try:
        return _encode(envelope)
    except UnicodeEncodeError:
        return _encode(_clean(msgspec.to_builtins(envelope)))


def parse(value: bytes | None) -> Event | ParseFailure:
    """The event in a Kafka message's value, or why there is none."""
    if value is None:
        return ParseFailure("the message is empty")
    if value.startswith(_COMMIT_BEGINS):
        try:
            told = _commit.decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass  # the long way tells why
        else:
            return _checked(told.data)
    try:
        received = _envelope.decode(value)
        if received.specversion != "1.0":
            return ParseFailure(f"CloudEvents version {received.specversion!r} is unknown")
        decoder = _decoders.get(received.type)
        if decoder is None:
            family, _, version = received.type.rpartition(".")
            if family in _FAMILIES:
                return ParseFailure(f"version {version} of {family} is unknown to this PIVO")
            return ParseFailure(f"event type {received.type[:100]!r} is unknown")
        event = decoder.decode(received.data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as err:  # ValidationError is a DecodeError
        return ParseFailure(f"not an event: {str(err)[:300]}")
    return _checked(event)


def _checked(event: Event) -> Event | ParseFailure:
    """The event, if its values can be what they say they are."""
    if type(event) is CommitEvent and event.repo and event.seq > 0 and event.part >= 0:
        commit = event.commit
        if _HASHES.fullmatch(f" {commit.hash} {commit.tree} {' '.join(commit.parents)}".rstrip(" ")):
            return event
    for name in ("repo", "run_id", "who"):
        if getattr(event, name, "x") == "":
            return ParseFailure(f"the event's {name} is empty")
    if getattr(event, "seq", 1) < 1 or getattr(event, "part", 0) < 0:
        return ParseFailure("the event's numbers are out of range")
    if isinstance(event, CommitEvent):
        commit = event.commit
        if not all(_HASH.fullmatch(h) for h in (commit.hash, commit.tree, *commit.parents)):
            return ParseFailure(f"{commit.hash[:80]!r} is not a commit's hash")
    if isinstance(event, SnapshotEvent) and not _HASH.fullmatch(event.head):
        return ParseFailure(f"{event.head[:80]!r} is not a commit's hash")
    moment = getattr(event, "at", None) or getattr(event, "taken_at", None)
    if moment is not None and moment.tzinfo is None:
        return ParseFailure("the event's time has no zone")
    return event


def commit_events(manifest: Manifest, commit: Commit) -> Iterator[CommitEvent]:
    """The events of one commit: one, or several when it changed more than FILES_LIMIT paths."""
    total = len(commit.files)
    if (
        len(commit.message) > MESSAGE_LIMIT
        or max(len(p.name) + len(p.email) for p in (commit.author, commit.committer)) > _PERSON_LIMIT
    ):
        commit = replace(
            commit,
            message=_cut(commit.message),
            author=_short(commit.author),
            committer=_short(commit.committer),
        )
    if total <= 100:  # no need to weigh them: a path has at most 4 kB
        yield CommitEvent(manifest.repo, manifest.seq, commit, 0, total)
        return
    for part, files in enumerate(_shares(commit.files, FILES_LIMIT, _file_weight)):
        yield CommitEvent(manifest.repo, manifest.seq, replace(commit, files=tuple(files)), part, total)


def snapshot_events(
    manifest: Manifest, updates: Sequence[RefUpdate], path: str
) -> Iterator[SnapshotRefsEvent | SnapshotEvent]:
    """The events of the snapshot itself: shares of its refs where there are very many, the snapshot last."""
    refs = list(_shares(manifest.refs, REFS_LIMIT, lambda r: len(r.name) + 140)) or [[]]
    moves = list(_shares(updates, REFS_LIMIT, lambda u: len(u.name) + 160)) or [[]]
    # a full share of refs and a full share of updates are too much for one message
    shares: list[tuple[tuple[Ref, ...], tuple[RefUpdate, ...]]]
    if len(refs) == 1 and len(moves) == 1 and len(refs[0]) + len(moves[0]) <= REFS_LIMIT:
        shares = [(tuple(refs[0]), tuple(moves[0]))]
    else:
        shares = [(tuple(r), ()) for r in refs] + [((), tuple(m)) for m in moves if m]
    for part, (some_refs, some_moves) in enumerate(shares[1:], 1):
        yield SnapshotRefsEvent(manifest.repo, manifest.seq, part, some_refs, some_moves)
    yield SnapshotEvent.of(manifest, path, *shares[0], parts=len(shares) - 1)


def _attributes(event: Event) -> tuple[str, str, str, datetime]:
    """CloudEvents' type, id, subject and time of an event."""
    match event:
        case CommitEvent(repo, seq, commit, part):
            kind = "pivo.commit.files.v1" if part else "pivo.commit.v1"
            return kind, f"{repo}/{seq}/{commit.hash}" + (f"/{part}" if part else ""), commit.hash, _EPOCH
        case SnapshotEvent():
            return "pivo.snapshot.v1", f"{event.repo}/{event.seq}", event.snapshot, event.taken_at
        case SnapshotRefsEvent(repo, seq, part):
            return "pivo.snapshot.refs.v1", f"{repo}/{seq}/refs/{part}", f"{seq}", _EPOCH
        case HeartbeatEvent():
            return "pivo.heartbeat.v1", f"{event.repo}/heartbeat/{event.at.isoformat()}", event.snapshot, event.at
        case RestoreEvent():
            event_id = f"{event.run_id}/{event.repo}/{event.state}/{event.at.isoformat()}"
            return "pivo.restore.v1", event_id, event.run_id, event.at
        case AuditEvent():
            return "pivo.audit.v1", event.id, event.action, event.at
        case VerifyEvent():
            return "pivo.verify.v1", f"{event.run_id}/{event.repo}/{event.mode}", event.run_id, event.at


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)  # replaced by the snapshot's time when it is sent


def _file_weight(change: FileChange) -> int:
    return len(change.path) + 180


def _shares(items: Sequence[T], limit: int, weight: Any) -> Iterator[list[T]]:
    """`items` cut into runs of at most `limit` items and about BYTES_LIMIT bytes; at least one item each."""
    run: list[T] = []
    size = 0
    for item in items:
        size += weight(item)
        if run and (len(run) >= limit or size > BYTES_LIMIT):
            yield run
            run, size = [], weight(item)
        run.append(item)
    if run:
        yield run


def _cut(message: str) -> str:
    rest = len(message) - MESSAGE_LIMIT
    return message if rest <= 0 else f"{message[:MESSAGE_LIMIT]}\n[… {rest:,} more characters are in the archive]"


def _short(person: Person) -> Person:
    return replace(person, name=person.name[:_PERSON_LIMIT], email=person.email[:_PERSON_LIMIT])


def _clean(value: Any) -> Any:
    """`value` with what JSON cannot say, a byte that is not UTF-8, spelled out as \\xff."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    if isinstance(value, dict):
        return {_clean(k): _clean(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(v) for v in value]
    return value
