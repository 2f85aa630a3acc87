"""What a view of the index is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column of a view: its name, what it means, and the SQL that it stands for."""

    name: str
    about: str
    sql: str


@dataclass(frozen=True)
class View:
    """A view. Its first table drives it and all others are LEFT JOINs, so that the planner may leave out those
    that a question does not touch, and may walk an index of the first in order (15 s became 0.01 ms by that)."""

    name: str
    about: str
    source: str
    columns: tuple[Column, ...]

    def sql(self) -> str:
        columns = ",\n  ".join(f'{c.sql} AS "{c.name}"' for c in self.columns)
        return f"CREATE VIEW {self.name} AS SELECT\n  {columns}\nFROM {self.source}"


def columns(*rows: tuple[str, str, str]) -> tuple[Column, ...]:
    return tuple(Column(name, about, sql) for name, sql, about in rows)


def octets(column: str) -> str:
    return f"lower(hex({column}))"
