"""Commit events → rows of commits, people, paths, changes, messages and the counts made of them.

Thirty thousand a second are wanted of one core, so what is known already is asked for in one query a batch, and
everything is written table by table.
"""

from __future__ import annotations

import sqlite3
import time
from collections import Counter, defaultdict
from collections.abc import Container, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

from pivo.events import CommitEvent
from pivo.index.interned import Paths, People, clean
from pivo.models import FileChange

_SUBJECT = 500  # characters of a first line that a list shows; the message has all
_YEAR_ONE, _YEAR_LAST = -62_135_596_800, 253_402_300_799  # Unix seconds of the years 1 and 9999
_DAY = 86_400
_MINUTES = tuple(f"T{m // 60:02d}:{m % 60:02d}:" for m in range(_DAY // 60))
_SECONDS = tuple(f"{s:02d}Z" for s in range(60))
_PATH = itemgetter(1)  # of a row of changes
_KNOWN = (
    "SELECT c.hash, c.id, c.snapshot_seq FROM json_each(?1) j CROSS JOIN commits c"
    " ON c.hash = j.value AND c.repo_id = ?2"
)
Known = dict[str, tuple[int, int]]
"""Commits by hash: their number, and the first snapshot that had them."""


def iso(seconds: int) -> str:
    """Unix seconds as `2026-11-20T12:00:00Z`; a date beyond any calendar becomes the nearest that can be written."""
    day, second = divmod(_within(seconds), _DAY)
    return _date(day) + _MINUTES[second // 60] + _SECONDS[second % 60]


def _within(seconds: int) -> int:
    return seconds if _YEAR_ONE <= seconds <= _YEAR_LAST else min(max(seconds, _YEAR_ONE), _YEAR_LAST)


@lru_cache(maxsize=20_000)
def _date(day: int) -> str:
    t = time.gmtime(day * _DAY)
    return f"{t.tm_year:04d}-{t.tm_mon:02d}-{t.tm_mday:02d}"


class Rows:
    """The rows of one batch, in the order of their tables' keys as far as that is known."""

    def __init__(self) -> None:
        self.commits: list[tuple[Any, ...]] = []
        self.parents: list[tuple[int, int, str]] = []
        self.messages: list[tuple[int, str]] = []
        self.files: list[tuple[Any, ...]] = []
        self.by_path: list[tuple[int, int, str, int]] = []
        self.by_repo: dict[int, int] = {}
        self.by_author: dict[tuple[int, int], tuple[int, str, str]] = {}
        self.by_day: dict[tuple[int, str], int] = {}
        self.by_hour: dict[tuple[int, int, int], int] = {}
        self.earlier: list[tuple[int, int]] = []
        self.whole: dict[tuple[int, str], tuple[str, int, int]] = {}
        """New commits with all of their changes, by repository and hash: first parent, and where in `files`."""
        self._told: dict[int, set[int]] = {}
        self._sorted = 0  # how many of `files` are in `_told`

    def told(self, number: int, db: sqlite3.Connection) -> set[int]:
        """The paths of a commit's changes that are written already, or are among these rows."""
        for commit, path, *_ in self.files[self._sorted :]:
            self._told.setdefault(commit, set()).add(path)
        self._sorted = len(self.files)
        if number not in self._told:
            rows = db.execute("SELECT path_id FROM commit_files WHERE commit_id = ?", (number,))
            self._told[number] = {path for (path,) in rows}
        return self._told[number]


class CommitLoader:
    """Writes commits. It remembers ids, so it is good for one connection until a transaction fails."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._people = People(db)
        self._paths = Paths(db)
        self._next = int(db.execute("SELECT coalesce(max(id), 0) + 1 FROM commits").fetchone()[0])
        self.rows = Rows()
        """Of the last batch."""

    def load(self, events: Sequence[tuple[int, CommitEvent]]) -> int:
        """Writes `events`, each with its repository's number; returns how many commits were new."""
        self.rows = rows = Rows()
        if not events:
            return 0
        by_repo: dict[int, list[CommitEvent]] = defaultdict(list)
        for repo_id, event in events:
            by_repo[repo_id].append(event)
        self._people.learn(
            {
                (person.name, person.email)
                for _, event in events
                for person in (event.commit.author, event.commit.committer)
            }
        )
        for repo_id, mine in by_repo.items():
            self._repo(rows, repo_id, mine)
        self._write(rows)
        self._paths.forget()
        return len(rows.commits)

    def _repo(self, rows: Rows, repo_id: int, events: Sequence[CommitEvent]) -> None:
        """Adds the rows of one repository's events."""
        self._paths.learn(repo_id, {change.path for event in events for change in event.commit.files})
        paths, known, first = self._paths.of(repo_id), self._known(repo_id, events), len(rows.files)
        for event in events:
            commit, committed = event.commit, iso(event.commit.committer.time)
            there, told = known.get(commit.hash), None
            if there is None:
                there = known[commit.hash] = (self._next, event.seq)
                self._next += 1
                self._commit(rows, there[0], repo_id, event, committed)
                if event.files_total == len(commit.files):
                    start, parent = len(rows.files), commit.parents[0] if commit.parents else ""
                    rows.whole[repo_id, commit.hash] = (parent, start, start + event.files_total)
            else:
                if event.seq < there[1]:
                    there = known[commit.hash] = (there[0], event.seq)
                    rows.earlier.append((event.seq, there[0]))
                told = rows.told(there[0], self._db)
            if commit.files:
                _files(rows.files, there[0], commit.files, paths, committed, told)
        rows.by_path += _by_path(rows.files[first:], repo_id)

    def _known(self, repo_id: int, events: Sequence[CommitEvent]) -> Known:
        row = self._db.execute("SELECT commits FROM repos WHERE id = ?", (repo_id,)).fetchone()
        if not row[0]:
            return {}
        hashes = '["' + '","'.join(sorted({event.commit.hash for event in events})) + '"]'
        return {h: (number, seq) for h, number, seq in self._db.execute(_KNOWN, (hashes, repo_id))}

    def _commit(self, rows: Rows, number: int, repo_id: int, event: CommitEvent, committed: str) -> None:
        commit = event.commit
        author, committer, numbers = commit.author, commit.committer, self._people.numbers
        message = clean(commit.message)
        written = iso(author.time) if author.time != committer.time else committed
        who, address = numbers[author.name, author.email]
        rows.commits.append(
            (
                number,
                repo_id,
                commit.hash,
                bytes.fromhex(commit.tree),
                who,
                written,
                author.tz,
                numbers[committer.name, committer.email][0],
                committed,
                committer.tz,
                message.split("\n", 1)[0][:_SUBJECT],
                len(commit.parents),
                event.files_total,
                commit.signed,
                event.seq,
                address,
            )
        )
        for n, parent in enumerate(commit.parents):
            rows.parents.append((number, n, parent))
        rows.messages.append((number, message))
        rows.by_repo[repo_id] = rows.by_repo.get(repo_id, 0) + 1
        count, first, last = rows.by_author.get((repo_id, who), (0, written, written))
        rows.by_author[repo_id, who] = (count + 1, min(first, written), max(last, written))
        day = (repo_id, committed[:10])
        rows.by_day[day] = rows.by_day.get(day, 0) + 1
        hours = _within(committer.time) // 3600
        hour = (repo_id, (hours // 24 + 3) % 7, hours % 24)  # day 0 was a Thursday
        rows.by_hour[hour] = rows.by_hour.get(hour, 0) + 1

    def _write(self, rows: Rows) -> None:
        many = self._db.executemany
        many(f"INSERT INTO commits VALUES ({', '.join('?' * 15)}, 0, ?)", rows.commits)
        many("INSERT INTO commit_parents VALUES (?, ?, ?)", rows.parents)
        many("INSERT INTO messages VALUES (?, ?)", rows.messages)
        many("INSERT INTO message_fts (rowid, message) VALUES (?, ?)", rows.messages)
        many("INSERT OR IGNORE INTO commit_files VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows.files)
        many("UPDATE commits SET snapshot_seq = ? WHERE id = ?", rows.earlier)
        many("UPDATE repos SET commits = commits + ? WHERE id = ?", [(n, repo) for repo, n in rows.by_repo.items()])
        many(
            "INSERT INTO repo_authors VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " commits = commits + excluded.commits, first_time = min(first_time, excluded.first_time),"
            " last_time = max(last_time, excluded.last_time)",
            [(*key, *value) for key, value in rows.by_author.items()],
        )
        many(
            "INSERT INTO repo_days VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET commits = commits + excluded.commits",
            [(*key, n) for key, n in rows.by_day.items()],
        )
        many(
            "INSERT INTO repo_hours VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET commits = commits + excluded.commits",
            [(*key, n) for key, n in rows.by_hour.items()],
        )
        many(
            "INSERT INTO path_changes VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " changes = changes + excluded.changes, last_time = max(last_time, excluded.last_time)",
            rows.by_path,
        )


def _files(
    rows: list[tuple[Any, ...]],
    number: int,
    files: Sequence[FileChange],
    paths: Mapping[str, int],
    at: str,
    told: Container[int] | None,
) -> None:
    """Adds the rows of a commit's changes but those that are `told` already."""
    octets = bytes.fromhex
    if told is not None:
        files = [change for change in files if paths[change.path] not in told]
    rows += [
        (
            number,
            paths[change.path],
            change.status,
            change.mode,
            octets(change.blob) if change.blob else None,
            octets(change.old_blob) if change.old_blob else None,
            at,
            change.size,
        )
        for change in files
    ]


def _by_path(files: Sequence[tuple[Any, ...]], repo_id: int) -> list[tuple[int, int, str, int]]:
    """Path, number of changes, time of the last one, and repository."""
    latest: dict[int, str] = {}
    for _, path, _, _, _, _, at, _ in files:
        if at > latest.get(path, ""):
            latest[path] = at
    return [(path, n, latest[path], repo_id) for path, n in Counter(map(_PATH, files)).items()]
