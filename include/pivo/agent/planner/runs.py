"""Names of DAG runs, and snapshots by their number."""

from __future__ import annotations

import re

from pivo.agent.planner.reading import Cursor

_RUN = re.compile(r"^(agent__|manual__|scheduled__|backfill__|asset_triggered__)[\w.:+-]+$")


def run_id(cursor: Cursor, at: int) -> int:
    """Takes the id of a DAG run; the number of words that were taken."""
    word = cursor.words[at]
    if not _RUN.match(word.text) or cursor.reading.run:
        return 0
    cursor.reading.run = word.text
    cursor.mark("run", at, 1, f"run {word.text}")
    return 1


def snapshot_number(cursor: Cursor, at: int) -> int:
    """Takes "snapshot 3", "backup number 3"; the number of words that were taken."""
    if cursor.norm(at) not in {"snapshot", "backup"}:
        return 0
    skip = 2 if cursor.norm(at + 1) in {"number", "no", "#", "nr"} else 1
    digits = cursor.norm(at + skip).lstrip("#")
    if not digits.isdigit() or len(digits) > 7:
        return 0
    cursor.reading.seq = int(digits)
    cursor.reading.concepts.add("SNAPSHOT")
    cursor.mark("seq", at, skip + 1, f"snapshot {int(digits)}")
    return skip + 1
