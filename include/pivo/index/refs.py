"""Refs over time: one row a run of snapshots in which a ref stood still, not one a snapshot.

Snapshots nearly always come in order, and then only what changed is written. One that comes late (a topic that was
made anew, a gap that was filled) makes the runs be computed again from what every snapshot had.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

Value = tuple[str, str]
"""What a ref points at, and the commit that it leads to."""

Run = tuple[str, Value, int, int | None]
"""A ref's name and value, and the first and last snapshot that had it; None where that is the latest."""


def record(db: sqlite3.Connection, repo_id: int, repo: str, seq: int, refs: Mapping[str, Value]) -> None:
    """Adds the refs of snapshot `seq`; its row in repo_snapshots is there already."""
    known = [n for (n,) in db.execute("SELECT seq FROM repo_snapshots WHERE repo_name = ? ORDER BY seq", (repo,))]
    if known[-1] == seq:
        _append(db, repo_id, known[-2] if len(known) > 1 else None, seq, refs)
    else:
        _rebuild(db, repo_id, known, seq, refs)


def _append(db: sqlite3.Connection, repo_id: int, before: int | None, seq: int, refs: Mapping[str, Value]) -> None:
    """The usual case: ends the runs of refs that moved or went, begins those of refs that came or moved."""
    rows = db.execute("SELECT name, target, commit_hash FROM refs WHERE repo_id = ? AND to_seq IS NULL", (repo_id,))
    stood = {name: (target, commit) for name, target, commit in rows}
    ended = [(before, repo_id, name) for name, value in stood.items() if refs.get(name) != value]
    begun = [(repo_id, n, *value, seq, None) for n, value in refs.items() if stood.get(n) != value]
    db.executemany("UPDATE refs SET to_seq = ? WHERE repo_id = ? AND name = ? AND to_seq IS NULL", ended)
    db.executemany("INSERT INTO refs VALUES (?, ?, ?, ?, ?, ?)", begun)


def _rebuild(db: sqlite3.Connection, repo_id: int, known: Sequence[int], seq: int, refs: Mapping[str, Value]) -> None:
    rows = db.execute("SELECT name, target, commit_hash, from_seq, to_seq FROM refs WHERE repo_id = ?", (repo_id,))
    history: dict[int, dict[str, Value]] = {n: {} for n in known}
    for name, target, commit, first, last in rows:
        for n in known:
            if n != seq and first <= n and (last is None or n <= last):
                history[n][name] = (target, commit)
    history[seq] = dict(refs)
    db.execute("DELETE FROM refs WHERE repo_id = ?", (repo_id,))
    db.executemany(
        "INSERT INTO refs VALUES (?, ?, ?, ?, ?, ?)",
        [(repo_id, name, *value, first, last) for name, value, first, last in runs(history)],
    )


def runs(history: Mapping[int, Mapping[str, Value]]) -> Iterable[Run]:
    """The runs of `history`, which gives the refs of every snapshot, by number."""
    order = sorted(history)
    following = dict(pairwise(order))
    start: dict[str, int] = {}
    for n in order:
        after = following.get(n)
        for name, value in history[n].items():
            first = start.setdefault(name, n)
            if after is None:
                yield name, value, first, None
            elif history[after].get(name) != value:
                yield name, value, first, n
                del start[name]
