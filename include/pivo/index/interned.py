"""Numbers for what is said again and again: people and paths. Looked up and added many at a time."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

_CACHED = 300_000  # people or paths whose numbers are remembered; then all are forgotten and looked up again
_PEOPLE = (
    "SELECT p.name, p.email, p.id, p.address_id FROM json_each(?1) j CROSS JOIN people p"
    " ON p.name = j.value ->> 0 AND p.email = j.value ->> 1"
)
_ADDRESSES = "SELECT a.email, a.id FROM json_each(?1) j CROSS JOIN addresses a ON a.email = j.value"
_PATHS = "SELECT p.path, p.id FROM json_each(?1) j CROSS JOIN paths p ON p.repo_id = ?2 AND p.path = j.value"


class People:
    """Numbers of pairs of name and address: the pair's own, and the address's."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._next = _following(db, "people")
        self._next_address = _following(db, "addresses")
        self.numbers: dict[tuple[str, str], tuple[int, int]] = {}

    def learn(self, people: set[tuple[str, str]]) -> None:
        """After this `numbers` has all of `people`."""
        if len(self.numbers) > _CACHED:
            self.numbers.clear()
        missing = sorted(people.difference(self.numbers))
        if not missing:
            return
        shown = {p: (clean(p[0]), clean(p[1])) for p in missing}
        rows = self._db.execute(_PEOPLE, (json.dumps(list(shown.values()), ensure_ascii=False),))
        there = {(name, email): (number, address) for name, email, number, address in rows}
        added = [p for p in dict.fromkeys(shown.values()) if p not in there]
        addresses = self._addresses(list(dict.fromkeys(email for _, email in added)))
        there |= {p: (n, addresses[p[1]]) for n, p in enumerate(added, self._next)}
        self._next += len(added)
        new = [(number, *p, address) for p in added for number, address in [there[p]]]
        self._db.executemany("INSERT INTO people VALUES (?, ?, ?, ?)", new)
        self.numbers |= {p: there[s] for p, s in shown.items()}

    def _addresses(self, emails: list[str]) -> dict[str, int]:
        """The numbers of these addresses, which are added where they are new."""
        there = dict(self._db.execute(_ADDRESSES, (json.dumps(emails, ensure_ascii=False),)).fetchall())
        added = [(n, e) for n, e in enumerate((e for e in emails if e not in there), self._next_address)]
        self._next_address += len(added)
        self._db.executemany("INSERT INTO addresses VALUES (?, ?)", added)
        return there | {email: number for number, email in added}


class Paths:
    """Numbers of paths, by repository."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._next = _following(db, "paths")
        self._numbers: dict[int, dict[str, int]] = {}

    def of(self, repo_id: int) -> dict[str, int]:
        """The numbers of a repository's paths that are known here."""
        return self._numbers.setdefault(repo_id, {})

    def learn(self, repo_id: int, paths: set[str]) -> None:
        """After this `of(repo_id)` has all of `paths`."""
        numbers = self.of(repo_id)
        missing = sorted(paths.difference(numbers))
        if not missing:
            return
        shown = {p: clean(p) for p in missing}
        rows = self._db.execute(_PATHS, (json.dumps(list(shown.values()), ensure_ascii=False), repo_id))
        there: dict[str, int] = dict(rows)
        added = [p for p in dict.fromkeys(shown.values()) if p not in there]
        there |= zip(added, range(self._next, self._next + len(added)), strict=True)
        self._next += len(added)
        self._add(repo_id, [(there[p], p) for p in added])
        numbers |= {p: there[s] for p, s in shown.items()}

    def _add(self, repo_id: int, rows: Sequence[tuple[int, str]]) -> None:
        self._db.executemany("INSERT INTO paths VALUES (?, ?, ?)", [(n, repo_id, p) for n, p in rows])
        self._db.executemany("INSERT INTO path_fts (rowid, path) VALUES (?, ?)", rows)

    def forget(self) -> None:
        """Forgets all numbers when they are too many to remember. Between batches only."""
        if sum(map(len, self._numbers.values())) > _CACHED:
            self._numbers.clear()


def clean(value: str) -> str:
    """`value` without NUL, at which SQLite's functions would stop reading."""
    return value.replace("\0", "\ufffd") if "\0" in value else value


def _following(db: sqlite3.Connection, table: str) -> int:
    return int(db.execute(f"SELECT coalesce(max(id), 0) + 1 FROM {table}").fetchone()[0])
