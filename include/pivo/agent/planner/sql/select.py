"""A SELECT in the making: what it reads, and how that reads in English. Every value is a named parameter."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from pivo.agent.brain import Query
from pivo.agent.planner.frames import Frame
from pivo.agent.planner.reading import Reading

Compiler = Callable[[Frame, Reading], Query]

GROUPS = {
    "day": "substr({time}, 1, 10)",
    "week": "date(substr({time}, 1, 10), '-6 days', 'weekday 1')",  # its Monday
    "month": "substr({time}, 1, 7)",
    "year": "substr({time}, 1, 4)",
    "repository": "repo_name",
}
"""What rows are grouped by, for a column of times."""


def stamp(when: datetime) -> str:
    """A time as the index writes it."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Select:
    """Columns of one view, with conditions that say what they are."""

    def __init__(self, columns: str, view: str) -> None:
        self._columns, self._view = columns, view
        self._where: list[str] = []
        self._params: dict[str, Any] = {}
        self._says: list[str] = []
        self._tail = ""

    def where(self, condition: str, says: str = "", **params: Any) -> Select:
        self._where.append(condition)
        self._params |= params
        if says:
            self._says.append(says)
        return self

    def repo(self, reading: Reading, *, named_only: bool = False) -> Select:
        """The repositories of the question; with `named_only` not the one that only stands for all."""
        if reading.owner:
            # "0" is the character after "/": a range that an index serves
            low, high = f"{reading.owner}/", f"{reading.owner}0"
            self.where(
                "repo_name >= :owner AND repo_name < :past_owner", f"of {reading.owner}", owner=low, past_owner=high
            )
        if not reading.repos or (named_only and reading.defaulted):
            return self
        return self._any("repo_name", "repo", reading.repos, "in")

    def time(self, reading: Reading, column: str = "commit_time") -> Select:
        for period in reading.periods:
            self._says.append(period.says)
            if period.start:
                self.where(f"{column} >= :since", since=stamp(period.start))
            if period.end:
                self.where(f"{column} < :before", before=stamp(period.end))
        return self

    def people(self, reading: Reading) -> Select:
        if reading.people:
            self._any("author_name", "person", reading.people, "by")
        for i, name in enumerate(reading.without.get("person", ())):
            self.where(f"author_name <> :not_person{i or ''}", f"not by {name}", **{f"not_person{i or ''}": name})
        return self

    def users(self, reading: Reading) -> Select:
        return self._any("who", "who", reading.users, "asked for by") if reading.users else self

    def path(self, reading: Reading) -> Select:
        if reading.path is None:
            return self
        path = reading.path.path
        if reading.path.folder:
            past = path[:-1] + "0"
            return self.where("path >= :folder AND path < :past", f"below {path}", folder=path, past=past)
        return self.where("path = :path", f"touching {path}", path=path)

    def commit(self, prefix: str, column: str) -> Select:
        """One commit, by its hash or the beginning of it."""
        if len(prefix) == 40:
            return self.where(f"{column} = :commit", prefix[:12], commit=prefix)
        return self.where(f"{column} >= :low AND {column} < :high", prefix, low=prefix, high=prefix + "g")

    def tail(self, text: str, **params: Any) -> Select:
        self._tail = text
        self._params |= params
        return self

    def query(self, says: str) -> Query:
        where = f" WHERE {' AND '.join(self._where)}" if self._where else ""
        tail = f" {self._tail}" if self._tail else ""
        sql = f"SELECT {self._columns} FROM {self._view}{where}{tail}"
        return Query(sql, self._params, " ".join([says, *self._says]))

    def _any(self, column: str, key: str, names: list[str], preposition: str) -> Select:
        keyed = {f"{key}{i or ''}": name for i, name in enumerate(names)}
        marks = ", ".join(f":{k}" for k in keyed)
        condition = f"{column} IN ({marks})" if len(keyed) > 1 else f"{column} = {marks}"
        return self.where(condition, f"{preposition} {' or '.join(names)}", **keyed)


def order(frame: Frame, column: str, *, ascending: bool = False) -> str:
    """`ORDER BY` the column, largest first unless the frame or the caller says otherwise."""
    return f"ORDER BY {column}{'' if frame.ascending or ascending else ' DESC'}"


def nth(frame: Frame) -> tuple[str, dict[str, Any]]:
    """`LIMIT` for the one row that is wanted."""
    return ("LIMIT 1 OFFSET :skip", {"skip": frame.offset}) if frame.offset else ("LIMIT 1", {})


def ordinal(frame: Frame) -> str:
    """ "second " of the second last; empty for the last itself."""
    return ("", "second ", "third ", "fourth ", "fifth ")[frame.offset]
