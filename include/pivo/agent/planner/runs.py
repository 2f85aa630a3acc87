"""Names of DAG runs, snapshots by their number, who asked for restores, and where these went."""

from __future__ import annotations

import re

from pivo.agent.planner.reading import Cursor
from pivo.agent.planner.vocabulary import Vocabulary
from pivo.agent.planner.words import wordset

_RUN = re.compile(r"^(agent__|manual__|scheduled__|backfill__|asset_triggered__)[\w.:+-]+$")

_BEFORE_TARGETS = wordset("into onto to in target as under")


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


def target(cursor: Cursor, at: int, vocabulary: Vocabulary) -> int:
    """Takes where restores went, "into dr"."""
    before = cursor.words[at - 1].norm if at else ""
    if "RESTORE" not in cursor.reading.concepts or before not in _BEFORE_TARGETS:
        return 0
    cursor.reading.target = vocabulary.target(cursor.words[at].text) or ""
    if cursor.reading.target:
        cursor.mark("target", at, 1, f"target {cursor.reading.target}")
    return int(bool(cursor.reading.target))


def user(cursor: Cursor, at: int, vocabulary: Vocabulary) -> int:
    """Takes somebody who asked PIVO for something; the rules see to it that it is about such things."""
    found = None if cursor.grammar(at) else vocabulary.user(cursor.words[at].text)
    if found is None:
        return 0
    cursor.reading.users.append(found)
    cursor.mark("user", at, 1, f"user {found}")
    return 1
