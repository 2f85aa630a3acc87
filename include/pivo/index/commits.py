"""Commit events → rows of commits, people, paths, changes, messages and the counts made of them."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from typing import Any

from pivo.events import CommitEvent
from pivo.models import Person

_CACHED = 300_000  # people or paths whose numbers are remembered; then all are forgotten and looked up again
_SUBJECT = 500  # characters of a first line that a list shows; the message has all
_YEAR_ONE, _YEAR_LAST = -62_135_596_800, 253_402_300_799  # Unix seconds of the years 1 and 9999


def iso(seconds: int) -> str:
    """Unix seconds as `2026-11-20T12:00:00Z`; a date beyond any calendar becomes the nearest that can be written."""
    t = time.gmtime(min(max(seconds, _YEAR_ONE), _YEAR_LAST))
    return f"{t.tm_year:04d}-{t.tm_mon:02d}-{t.tm_mday:02d}T{t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d}Z"


def text(value: str) -> str:
    """`value` without NUL, at which SQLite's functions would stop reading."""
    return value.replace("\0", "\ufffd") if "\0" in value else value


class Rows:
    """The rows of one batch, in the order of their tables' keys as far as that is known."""

    def __init__(self) -> None:
        self.commits: list[tuple[Any, ...]] = []
        self.parents: list[tuple[int, int, str]] = []
        self.messages: list[tuple[int, str]] = []
        self.files: list[tuple[Any, ...]] = []
        self.paths: list[tuple[int, int, str]] = []
        self.by_repo: dict[int, int] = {}
        self.by_author: dict[tuple[int, int], tuple[int, str, str]] = {}
        self.by_day: dict[tuple[int, str], int] = {}
        self.earlier: list[tuple[int, int]] = []


class CommitLoader:
    """Writes commits. It remembers ids, so it is good for one connection until a transaction fails."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._people: dict[tuple[str, str], int] = {}
        self._paths: dict[tuple[int, str], int] = {}
        self._next = {
            table: int(db.execute(f"SELECT coalesce(max(id), 0) + 1 FROM {table}").fetchone()[0])
            for table in ("commits", "people", "paths")
        }

    def load(self, events: Sequence[tuple[int, CommitEvent]]) -> int:
        """Writes `events`, each with its repository's number; returns how many commits were new."""
        rows = Rows()
        seen: dict[tuple[str, int], tuple[int, int]] = {}
        for repo_id, event in events:
            key = (event.commit.hash, repo_id)
            known = seen.get(key) or self._known(*key)
            if known is None:
                known = (self._take("commits"), event.seq)
                self._commit(rows, known[0], repo_id, event)
            elif event.seq < known[1]:
                known = (known[0], event.seq)
                rows.earlier.append((event.seq, known[0]))
            seen[key] = known
            self._files(rows, known[0], repo_id, event)
        self._write(rows)
        for cache in (self._people, self._paths):
            if len(cache) > _CACHED:
                cache.clear()
        return len(rows.commits)

    def _known(self, commit: str, repo_id: int) -> tuple[int, int] | None:
        row: tuple[int, int] | None = self._db.execute(
            "SELECT id, snapshot_seq FROM commits WHERE hash = ? AND repo_id = ?", (commit, repo_id)
        ).fetchone()
        return row

    def _take(self, table: str) -> int:
        number = self._next[table]
        self._next[table] = number + 1
        return number

    def _commit(self, rows: Rows, number: int, repo_id: int, event: CommitEvent) -> None:
        commit = event.commit
        message = text(commit.message)
        written = iso(commit.author.time)
        committed = iso(commit.committer.time) if commit.committer.time != commit.author.time else written
        author = self._person(commit.author)
        rows.commits.append(
            (
                number,
                repo_id,
                commit.hash,
                bytes.fromhex(commit.tree),
                author,
                written,
                commit.author.tz,
                self._person(commit.committer),
                committed,
                commit.committer.tz,
                message.split("\n", 1)[0][:_SUBJECT],
                len(commit.parents),
                event.files_total,
                commit.signed,
                event.seq,
            )
        )
        rows.parents += [(number, n, parent) for n, parent in enumerate(commit.parents)]
        rows.messages.append((number, message))
        rows.by_repo[repo_id] = rows.by_repo.get(repo_id, 0) + 1
        count, first, last = rows.by_author.get((repo_id, author), (0, written, written))
        rows.by_author[repo_id, author] = (count + 1, min(first, written), max(last, written))
        day = (repo_id, committed[:10])
        rows.by_day[day] = rows.by_day.get(day, 0) + 1

    def _files(self, rows: Rows, number: int, repo_id: int, event: CommitEvent) -> None:
        if not event.commit.files:
            return
        committed = iso(event.commit.committer.time)
        for change in event.commit.files:
            rows.files.append(
                (
                    number,
                    self._path(rows, repo_id, change.path),
                    change.status,
                    change.mode,
                    bytes.fromhex(change.blob) if change.blob else None,
                    bytes.fromhex(change.old_blob) if change.old_blob else None,
                    committed,
                )
            )

    def _person(self, person: Person) -> int:
        key = (person.name, person.email)
        number = self._people.get(key)
        if number is None:
            name, email = text(person.name), text(person.email)
            row = self._db.execute("SELECT id FROM people WHERE name = ? AND email = ?", (name, email)).fetchone()
            if row is None:
                number = self._take("people")
                self._db.execute("INSERT INTO people VALUES (?, ?, ?)", (number, name, email))
            else:
                number = int(row[0])
            self._people[key] = number
        return number

    def _path(self, rows: Rows, repo_id: int, path: str) -> int:
        number = self._paths.get((repo_id, path))
        if number is None:
            shown = text(path)
            row = self._db.execute("SELECT id FROM paths WHERE repo_id = ? AND path = ?", (repo_id, shown)).fetchone()
            if row is None:
                number = self._take("paths")
                self._db.execute("INSERT INTO paths VALUES (?, ?, ?)", (number, repo_id, shown))
                rows.paths.append((number, repo_id, shown))
            else:
                number = int(row[0])
            self._paths[repo_id, path] = number
        return number

    def _write(self, rows: Rows) -> None:
        many = self._db.executemany
        many(f"INSERT INTO commits VALUES ({', '.join('?' * 15)}, 0)", rows.commits)
        many("INSERT INTO commit_parents VALUES (?, ?, ?)", rows.parents)
        many("INSERT INTO messages VALUES (?, ?)", rows.messages)
        many("INSERT INTO message_fts (rowid, message) VALUES (?, ?)", rows.messages)
        many("INSERT INTO path_fts (rowid, path) VALUES (?, ?)", [(n, path) for n, _, path in rows.paths])
        many("INSERT OR IGNORE INTO commit_files VALUES (?, ?, ?, ?, ?, ?, ?)", rows.files)
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
