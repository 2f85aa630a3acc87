"""Events → rows. Many events a call, inside the caller's transaction.

What is written depends on what was said, not on how often or in which order: commits and changes are inserted
once, the earliest snapshot of a commit and the latest of a repository win by their numbers, a restore's state by
its time.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from pivo.events import (
    AuditEvent,
    CommitEvent,
    Event,
    HeartbeatEvent,
    RestoreEvent,
    SnapshotEvent,
    SnapshotRefsEvent,
    VerifyEvent,
    dump,
    parse,
)
from pivo.index import head, lost, refs
from pivo.index.commits import CommitLoader
from pivo.index.interned import clean

_DONE = ("pushed", "failed")


class Indexer:
    """Applies events to one open index. It remembers ids: after a rolled back transaction take a new one."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._repos: dict[str, int] = {}
        self._loader = CommitLoader(db)
        self._taken: set[int] = set()  # repositories of the batch whose refs may have let go of something
        self._grown: dict[int, int] = {}  # the others with a new snapshot, and its number
        self.commits = 0  # that were new
        self.snapshots = 0  # that were new

    def apply(self, events: Iterable[Event]) -> None:
        """Writes the rows of `events`."""
        commits: list[tuple[int, CommitEvent]] = []
        others: list[Event] = []
        for event in events:
            if isinstance(event, CommitEvent):
                commits.append((self._repo(event.repo), event))
            else:
                others.append(event)
        self.commits += self._loader.load(commits)
        late = self._late(commits)
        self._taken, self._grown = set(late), {}
        for event in others:
            match event:
                case SnapshotEvent():
                    self._share(event, event.repo, event.seq, 0)
                case SnapshotRefsEvent():
                    self._share(event, event.repo, event.seq, event.part)
                case HeartbeatEvent():
                    self._checked(self._repo(event.repo), utc(event.at))
                case RestoreEvent():
                    self._restore(event)
                case AuditEvent():
                    self._audit(event)
                case VerifyEvent():
                    self._verified(event)
        for repo_id in sorted(self._taken | self._grown.keys()):
            if repo_id in self._taken:
                lost.mark(self._db, repo_id)
            else:
                lost.found_again(self._db, repo_id, self._grown[repo_id])
            head.follow(self._db, repo_id, self._loader.rows, anew=repo_id in late)

    def _late(self, commits: Sequence[tuple[int, CommitEvent]]) -> set[int]:
        """The repositories that have a commit here of a snapshot that is in the index already."""
        earliest: dict[int, int] = {}
        for repo_id, event in commits:
            earliest[repo_id] = min(event.seq, earliest.get(repo_id, event.seq))
        return {
            repo_id
            for repo_id, seq in earliest.items()
            if self._db.execute("SELECT 1 FROM repos WHERE id = ? AND last_seq >= ?", (repo_id, seq)).fetchone()
        }

    def _repo(self, name: str) -> int:
        number = self._repos.get(name)
        if number is None:
            self._db.execute("INSERT OR IGNORE INTO repos (name) VALUES (?)", (name,))
            number = int(self._db.execute("SELECT id FROM repos WHERE name = ?", (name,)).fetchone()[0])
            self._repos[name] = number
        return number

    def _share(self, event: SnapshotEvent | SnapshotRefsEvent, repo: str, seq: int, part: int) -> None:
        """Keeps a share of a snapshot until all have come; then the snapshot is written."""
        number, key = self._repo(repo), (repo, seq)
        if self._db.execute("SELECT 1 FROM repo_snapshots WHERE repo_name = ? AND seq = ?", key).fetchone():
            return
        if isinstance(event, SnapshotEvent) and event.parts == 0:
            self._snapshot(number, event, [])
            return
        self._db.execute("INSERT OR REPLACE INTO snapshot_parts VALUES (?, ?, ?, ?)", (*key, part, dump(event)))
        rows = self._db.execute("SELECT value FROM snapshot_parts WHERE repo_name = ? AND seq = ?", key).fetchall()
        shares = [parse(value) for (value,) in rows]
        whole = next((s for s in shares if isinstance(s, SnapshotEvent)), None)
        if whole is not None and len(shares) == whole.parts + 1:
            self._snapshot(number, whole, [s for s in shares if isinstance(s, SnapshotRefsEvent)])
            self._db.execute("DELETE FROM snapshot_parts WHERE repo_name = ? AND seq = ?", key)

    def _snapshot(self, repo_id: int, event: SnapshotEvent, more: list[SnapshotRefsEvent]) -> None:
        all_refs = [*event.refs, *(ref for share in more for ref in share.refs)]
        updates = [*event.updates, *(update for share in more for update in share.updates)]
        taken = utc(event.taken_at)
        self._db.execute(
            f"INSERT INTO repo_snapshots VALUES ({', '.join('?' * 17)})",
            (
                event.head,
                event.repo,
                event.files,
                event.size,
                event.path,
                event.seq,
                taken,
                event.source,
                event.head_ref,
                event.commits,
                len(all_refs),
                event.packs,
                event.previous.snapshot if event.previous else None,
                event.previous.manifest_sha256 if event.previous else None,
                event.object_format,
                event.tool,
                event.missing,
            ),
        )
        refs.record(self._db, repo_id, event.repo, event.seq, {clean(r.name): (r.target, r.commit) for r in all_refs})
        self._db.executemany(
            "INSERT OR IGNORE INTO ref_updates VALUES (?, ?, ?, ?, ?, ?)",
            [(repo_id, event.seq, clean(u.name), u.old, u.new, u.forced) for u in updates],
        )
        forced = any(u.forced or u.new is None for u in updates)
        rewritten = bool(event.lost) or forced
        last_seq, head_ref = self._db.execute(
            "SELECT last_seq, head_ref FROM repos WHERE id = ?", (repo_id,)
        ).fetchone()
        detached = last_seq and head_ref is None  # no update tells where such a HEAD was before
        if forced or detached or event.seq != last_seq + 1:
            self._taken.add(repo_id)
        self._grown.setdefault(repo_id, event.seq)
        self._db.execute(
            "UPDATE repos SET snapshots = snapshots + 1, size = size + ?, rewritten = max(rewritten, ?) WHERE id = ?",
            (event.size, rewritten, repo_id),
        )
        self._db.execute(
            "UPDATE repos SET last_seq = ?1, head = ?2, head_ref = ?3, source = ?4, last_snapshot_at = ?5"
            " WHERE id = ?6 AND last_seq < ?1",
            (event.seq, event.head, event.head_ref, event.source, taken, repo_id),
        )
        self._checked(repo_id, taken)
        self.snapshots += 1

    def _checked(self, repo_id: int, at: str) -> None:
        self._db.execute(
            "UPDATE repos SET last_checked_at = ?1 WHERE id = ?2 AND coalesce(last_checked_at, '') < ?1", (at, repo_id)
        )

    def _restore(self, event: RestoreEvent) -> None:
        at, key = utc(event.at), (event.run_id, event.repo)
        self._db.execute(
            "INSERT OR IGNORE INTO restore_events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*key, event.state, at, event.commit, event.ref, event.target, event.who, event.detail),
        )
        steps = self._db.execute(
            "SELECT state, at, commit_hash, ref, target, who, detail FROM restore_events"
            " WHERE run_id = ? AND repo_name = ? ORDER BY at, state IN ('pushed', 'failed'), state",
            key,
        ).fetchall()
        state, updated, *_, detail = steps[-1]

        def latest(column: int) -> str:
            return next((step[column] for step in reversed(steps) if step[column]), "")

        self._db.execute(
            "INSERT OR REPLACE INTO restores VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *key,
                *(latest(column) for column in (2, 3, 4, 5)),
                state,
                steps[0][1],
                updated if state in _DONE else None,
                updated,
                detail,
            ),
        )

    def _audit(self, event: AuditEvent) -> None:
        parameters = json.dumps(event.parameters, ensure_ascii=False, sort_keys=True)
        self._db.execute(
            "INSERT OR IGNORE INTO audit VALUES (?, ?, ?, ?, ?, ?)",
            (event.id, utc(event.at), event.who, event.action, clean(parameters), event.outcome),
        )

    def _verified(self, event: VerifyEvent) -> None:
        key = (event.run_id, event.repo, event.mode)
        self._db.execute(
            f"INSERT OR IGNORE INTO verifications VALUES ({', '.join('?' * 15)})",
            (
                *key,
                utc(event.at),
                event.who,
                event.findings_total == 0,
                event.findings_total,
                event.snapshots,
                event.files,
                event.bytes,
                event.objects,
                event.last_seq,
                event.manifest_sha256,
                event.seconds,
                clean(event.detail),
            ),
        )
        self._db.executemany(
            "INSERT OR IGNORE INTO findings VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [(*key, n, f.snapshot, clean(f.file), f.kind, clean(f.detail)) for n, f in enumerate(event.findings, 1)],
        )


def utc(moment: datetime) -> str:
    """A moment as the index writes it, e.g. `2026-11-20T12:00:00Z`: to the second, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
