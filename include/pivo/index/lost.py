"""Which commits no ref reaches any more: rewritten by a force-push, or left behind by a deleted branch or tag.

They stay in the archive, and can be restored; the index only says so. `lost` follows from the commits, their
parents and the refs of the last snapshot alone, so it does not matter in which order or how often events came.
Most repositories never rewrite: theirs are not walked at all. In the others, a snapshot that only moved refs forward
can but find again what was lost, and is walked as far as that; the whole history is walked when it let go of something.
"""

from __future__ import annotations

import sqlite3


def mark(db: sqlite3.Connection, repo_id: int) -> int:
    """Sets `commits.lost` of one repository that was ever rewritten; returns how many rows changed.

    Commits of a snapshot whose own event has not come yet are left alone: its refs are not known yet.
    """
    row = db.execute("SELECT head, last_seq FROM repos WHERE id = ? AND rewritten", (repo_id,)).fetchone()
    if row is None:
        return 0
    head, last_seq = row
    db.execute("CREATE TEMP TABLE IF NOT EXISTS reached (hash TEXT PRIMARY KEY) WITHOUT ROWID")
    db.execute("DELETE FROM reached")
    db.execute(
        """
        WITH RECURSIVE walk (hash) AS (
            SELECT ?1 UNION SELECT commit_hash FROM refs WHERE repo_id = ?2 AND to_seq IS NULL
            UNION
            SELECT p.parent FROM walk
            CROSS JOIN commits c ON c.hash = walk.hash AND c.repo_id = ?2
            CROSS JOIN commit_parents p ON p.commit_id = c.id
        )
        INSERT INTO reached SELECT hash FROM walk WHERE hash IS NOT NULL
        """,
        (head, repo_id),
    )
    changed = db.execute(
        """
        UPDATE commits SET lost = 1 - lost
        WHERE repo_id = ?1 AND snapshot_seq <= ?2
        AND lost = EXISTS (SELECT 1 FROM reached r WHERE r.hash = commits.hash)
        """,
        (repo_id, last_seq),
    ).rowcount
    db.execute("DELETE FROM reached")
    return changed


def found_again(db: sqlite3.Connection, repo_id: int, seq: int) -> None:
    """What :func:`mark` does after snapshots from number `seq` on in which no ref let go of a commit: nothing is lost
    that was not, so the walk goes no further than new commits and those that were lost."""
    row = db.execute("SELECT head FROM repos WHERE id = ? AND rewritten", (repo_id,)).fetchone()
    if row is None:
        return
    db.execute(
        """
        WITH RECURSIVE walk (hash) AS (
            SELECT ?1 UNION SELECT commit_hash FROM refs WHERE repo_id = ?2 AND to_seq IS NULL
            UNION
            SELECT p.parent FROM walk
            CROSS JOIN commits c ON c.hash = walk.hash AND c.repo_id = ?2
            CROSS JOIN commit_parents p ON p.commit_id = c.id
            WHERE c.lost OR c.snapshot_seq >= ?3
        )
        UPDATE commits SET lost = 0 WHERE repo_id = ?2 AND lost = 1 AND hash IN (SELECT hash FROM walk)
        """,
        (row[0], repo_id, seq),
    )
