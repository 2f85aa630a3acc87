"""The events, as values. Each is the `data` of a CloudEvent; a field added later needs a default.

| type                    | class             | topic              | one a …                                   |
|-------------------------|-------------------|--------------------|-------------------------------------------|
| pivo.commit.v1          | CommitEvent       | pivo-commit-events | commit that a snapshot added              |
| pivo.commit.files.v1    | CommitEvent       | pivo-commit-events | further FILES_LIMIT paths of such a commit |
| pivo.snapshot.refs.v1   | SnapshotRefsEvent | pivo-commit-events | further REFS_LIMIT refs of a snapshot     |
| pivo.snapshot.v1        | SnapshotEvent     | pivo-commit-events | snapshot, after all of its other events   |
| pivo.heartbeat.v1       | HeartbeatEvent    | pivo-commit-events | look at a repository that had not changed |
| pivo.restore.v1         | RestoreEvent      | pivo-audit-logs    | step of a restore                         |
| pivo.audit.v1           | AuditEvent        | pivo-audit-logs    | thing that somebody asked for or did      |
| pivo.verify.v1          | VerifyEvent       | pivo-audit-logs    | verification or drill of one repository   |
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from pivo.findings import Finding
from pivo.models import Commit, Manifest, Previous, Ref, RefUpdate

FILES_LIMIT = 500
"""Changed paths in one event."""

REFS_LIMIT = 2000
"""Refs, and ref updates, in one event."""

FINDINGS_LIMIT = 500
"""Findings in one event; a report beyond that says how many there are."""

BYTES_LIMIT = 500_000
"""Bytes of paths or refs in one event, about: Kafka's default limit is 1 MB a message."""

VerifyMode = Literal["shallow", "deep", "drill"]

RestoreState = Literal[
    "requested", "validated", "waiting", "approved", "downloaded", "reconstructed", "pushed", "failed"
]
"""`waiting` is for the approval of a second person, where the policy asks for it."""


def now() -> datetime:
    """This moment, aware, UTC."""
    return datetime.now(UTC)


class CommitEvent(msgspec.Struct, frozen=True, gc=False):
    """A commit that snapshot `seq` of `repo` added.

    A commit with many changed paths comes in several events: each carries the whole commit but only its share
    of `commit.files`, so that they may arrive in any order. `part` counts from 0; `files_total` is of all parts.
    """

    repo: str
    seq: int
    commit: Commit
    part: int
    files_total: int


@dataclass(frozen=True)
class SnapshotEvent:
    """A snapshot that is in the archive: its manifest without the packs' details.

    `path` is its folder in the archive (`/backups/PIVO/000001-…`), `size` the bytes it added, `packs` how many
    packs a reader of it needs, `missing` how many git LFS objects could not be had so far. Refs and updates over the
    limits are in `parts` SnapshotRefsEvents (1 … parts).
    """

    repo: str
    seq: int
    snapshot: str
    path: str
    head: str
    head_ref: str | None
    source: str
    taken_at: datetime
    files: int
    commits: int
    size: int
    packs: int
    previous: Previous | None
    lost: tuple[str, ...]
    object_format: str
    tool: str
    refs: tuple[Ref, ...]
    updates: tuple[RefUpdate, ...]
    parts: int = 0
    missing: int = 0

    @classmethod
    def of(
        cls,
        manifest: Manifest,
        path: str,
        refs: tuple[Ref, ...],
        updates: tuple[RefUpdate, ...],
        parts: int = 0,
    ) -> SnapshotEvent:
        """The event of `manifest`, with the first share of its refs and updates."""
        return cls(
            repo=manifest.repo,
            seq=manifest.seq,
            snapshot=manifest.dirname,
            path=path,
            head=manifest.head,
            head_ref=manifest.head_ref,
            source=manifest.source,
            taken_at=manifest.taken_at,
            files=manifest.files,
            commits=manifest.commits,
            size=manifest.size,
            packs=len(manifest.packs),
            previous=manifest.previous,
            lost=manifest.lost,
            object_format=manifest.object_format,
            tool=manifest.tool,
            refs=refs,
            updates=updates,
            parts=parts,
            missing=len(manifest.lfs_missing),
        )


@dataclass(frozen=True)
class SnapshotRefsEvent:
    """A further share of the refs and ref updates of snapshot `seq`; `part` counts from 1."""

    repo: str
    seq: int
    part: int
    refs: tuple[Ref, ...]
    updates: tuple[RefUpdate, ...]


@dataclass(frozen=True)
class HeartbeatEvent:
    """`repo` was looked at and had not changed since `snapshot` (a folder name), whose head is `head`."""

    repo: str
    snapshot: str
    head: str
    at: datetime = field(default_factory=now)


@dataclass(frozen=True)
class RestoreEvent:
    """A restore of `repo` at `commit` came to `state`. `ref` and `target` are as the person gave them; `detail`
    says more to a person, e.g. the reason of a failure."""

    run_id: str
    repo: str
    ref: str
    commit: str
    target: str
    who: str
    state: RestoreState
    detail: str = ""
    at: datetime = field(default_factory=now)


@dataclass(frozen=True)
class AuditEvent:
    """`who` did `action` (question, tool, proposal, confirmation, refusal, trigger, …) with `parameters`, which
    never hold a secret, and it came to `outcome`. `id` stays the same when the event is sent again."""

    who: str
    action: str
    parameters: dict[str, Any]
    outcome: str
    at: datetime = field(default_factory=now)
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass(frozen=True)
class VerifyEvent:
    """A verification of `repo` came to its end; `findings` is empty when all was as it should be.

    `snapshots`, `files` and `bytes` were read, `objects` hashed (0 unless deep); `last_seq` and `manifest_sha256`
    name the newest snapshot that was seen. Of more than FINDINGS_LIMIT findings only the first are told;
    `findings_total` counts all. `detail` says more, e.g. what a drill restored and where to.
    """

    run_id: str
    repo: str
    mode: VerifyMode
    who: str
    findings: tuple[Finding, ...]
    findings_total: int
    snapshots: int = 0
    files: int = 0
    bytes: int = 0
    objects: int = 0
    last_seq: int = 0
    manifest_sha256: str = ""
    seconds: float = 0.0
    detail: str = ""
    at: datetime = field(default_factory=now)


Event = CommitEvent | SnapshotEvent | SnapshotRefsEvent | HeartbeatEvent | RestoreEvent | AuditEvent | VerifyEvent


@dataclass(frozen=True)
class ParseFailure:
    """A message that is not an event this PIVO knows; `reason` tells a person why."""

    reason: str
