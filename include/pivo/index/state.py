"""How far the index is, and how the archive stands by what it knows: for `pivo status` and its like.

The statements here are PIVO's own, so they do without the guard and its process; the file is opened read-only.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RepoState:
    """One repository. Times are ISO 8601, None for never; `verified_ok` is of the last verification or drill,
    `findings` what that found; `incomplete` LFS objects that the last snapshot lacks."""

    name: str
    snapshot_at: str | None
    checked_at: str | None
    incomplete: int
    verified_at: str | None
    verified_ok: bool | None
    findings: int


@dataclass(frozen=True)
class IndexState:
    """`offsets` are the next to read by topic and partition; `dead` and `last_dead` (ISO 8601) messages that could not
    be used; `gaps` runs of messages that Kafka had lost and that were not filled from the archive yet."""

    offsets: dict[tuple[str, int], int]
    repos: tuple[RepoState, ...]
    dead: int
    last_dead: str | None
    gaps: int


def read(index: Path, seconds: float = 2.0) -> IndexState | None:
    """The state of the index; None where there is none yet. sqlite3.Error for a file that cannot be read."""
    if not index.exists():
        return None
    with closing(sqlite3.connect(f"{index.absolute().as_uri()}?mode=ro", uri=True, timeout=seconds)) as db:
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "verifications" not in tables:  # of a PIVO before these tables: the next drain adds them
            return None
        offsets = {(t, p): n for t, p, n in db.execute("SELECT topic, partition, next_offset FROM kafka_offsets")}
        dead, last = db.execute("SELECT count(*), max(seen_at) FROM dead_letters").fetchone()
        (gaps,) = db.execute("SELECT count(*) FROM kafka_gaps WHERE filled_at IS NULL").fetchone()
        return IndexState(offsets, tuple(_repos(db)), dead, last, gaps)


def _repos(db: sqlite3.Connection) -> list[RepoState]:
    last = "SELECT at, ok, findings FROM verifications WHERE repo_name = ? ORDER BY at DESC LIMIT 1"
    repos = db.execute(
        "SELECT r.name, r.last_snapshot_at, r.last_checked_at, coalesce(s.incomplete, 0) FROM repos r"
        " LEFT JOIN repo_snapshots s ON s.repo_name = r.name AND s.seq = r.last_seq ORDER BY r.name"
    ).fetchall()
    found = []
    for name, taken, checked, incomplete in repos:
        at, ok, findings = db.execute(last, (name,)).fetchone() or (None, None, 0)
        found.append(RepoState(name, taken, checked, incomplete, at, None if ok is None else bool(ok), findings))
    return found
