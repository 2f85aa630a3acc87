"""The files at the head of every repository, kept up as snapshots come.

A commit's changes are told against its first parent, so the newest change of each path along the line of first
parents is what the head's tree has there. Only what is new of that line is looked at; the whole of it when the old
head is not on it (a force-push), or when commits came after the snapshot that they belong to. What of a line is in
the batch at hand is not read back from the tables, which takes seven times as long.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from pivo.index.commits import Rows

_LINE = """
    INSERT INTO line
    WITH RECURSIVE walk (commit_id, n, parent) AS (
        SELECT c.id, 0, (SELECT p.parent FROM commit_parents p WHERE p.commit_id = c.id AND p.n = 0)
        FROM commits c WHERE c.hash = ?1 AND c.repo_id = ?2
        UNION ALL
        SELECT c.id, walk.n + 1, (SELECT p.parent FROM commit_parents p WHERE p.commit_id = c.id AND p.n = 0)
        FROM walk CROSS JOIN commits c ON c.hash = walk.parent AND c.repo_id = ?2
        WHERE walk.parent <> ?3
    )
    SELECT commit_id, n, parent FROM walk
"""
_NEWEST = """
    SELECT f.path_id, f.status, f.mode, f.blob, f.size, f.commit_id, min(line.n)
    FROM line CROSS JOIN commit_files f ON f.commit_id = line.commit_id GROUP BY f.path_id
"""


Change = tuple[Any, ...]
"""A path's number, status, mode, blob, size, and the commit's number."""


def follow(db: sqlite3.Connection, repo_id: int, rows: Rows | None = None, *, anew: bool = False) -> None:
    """Brings `head_files` of one repository to its head; `anew`: whatever it was brought to before. `rows` are the
    batch at hand."""
    now, before = db.execute("SELECT head, files_head FROM repos WHERE id = ?", (repo_id,)).fetchone()
    if now is None or (now == before and not anew):
        return
    start = "" if anew or before is None else before
    newest, at = _at_hand(rows, repo_id, now, start) if rows else ([], now)
    reached = at == start
    if not reached:
        told = {path for path, *_ in newest}
        older, reached = _read(db, repo_id, at, start)
        newest += [change for change in older if change[0] not in told]
    if not reached or not start:
        db.execute("DELETE FROM head_files WHERE repo_id = ?", (repo_id,))
    else:
        gone = [(repo_id, path) for path, status, *_ in newest if status == "D"]
        db.executemany("DELETE FROM head_files WHERE repo_id = ? AND path_id = ?", gone)
    db.executemany(
        "INSERT OR REPLACE INTO head_files VALUES (?, ?, ?, ?, ?, ?)",
        [(repo_id, path, *rest) for path, status, *rest in newest if status != "D"],
    )
    db.execute("UPDATE repos SET files_head = head WHERE id = ?", (repo_id,))


def _at_hand(rows: Rows, repo_id: int, now: str, start: str) -> tuple[list[Change], str]:
    """The newest change of each path from `now` towards `start` (empty: the beginning), as far as it is in the batch,
    and the commit that comes next: `start`, or one to be read."""
    newest: dict[int, Change] = {}
    at = now
    while at != start and (found := rows.whole.get((repo_id, at))):
        at, first, end = found
        for change in rows.files[first:end]:
            newest.setdefault(change[1], change)
    return [(path, status, mode, blob, size, c) for c, path, status, mode, blob, _, _, size in newest.values()], at


def _read(db: sqlite3.Connection, repo_id: int, now: str, start: str) -> tuple[list[Change], bool]:
    """The same from the tables, and whether `start` is on the line; if not, it is all of the line."""
    db.execute("CREATE TEMP TABLE IF NOT EXISTS line (commit_id INTEGER PRIMARY KEY, n INTEGER, parent TEXT)")
    db.execute(_LINE, (now, repo_id, start))
    newest = [row[:6] for row in db.execute(_NEWEST)]
    reached = db.execute("SELECT 1 FROM line WHERE parent = ?", (start,)).fetchone()
    db.execute("DELETE FROM line")
    return newest, reached is not None
