"""What a tool shows to the person: a table, a file's text, a diff. Plain data; the CLI and the page draw it.

The text in a view comes out of repositories and is never trusted: `pivo.agent.safe` makes it fit for a terminal,
the page sets it as text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pivo.models import Json


@dataclass(frozen=True)
class Table:
    """Rows of a query. `truncated` says that there are more than these."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    truncated: bool = False

    def records(self) -> list[dict[str, Any]]:
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def to_json(self) -> Json:
        return {
            "kind": "table",
            "columns": list(self.columns),
            "rows": [[_plain(value) for value in row] for row in self.rows],
            "truncated": self.truncated,
        }


@dataclass(frozen=True)
class Code:
    """A part of a file: whole lines from `first_line` (counted from 1). `next_line` is where to go on, or None."""

    path: str
    text: str
    first_line: int = 1
    total_lines: int = 0
    next_line: int | None = None
    note: str = ""

    def to_json(self) -> Json:
        return {"kind": "code", **self.__dict__}


@dataclass(frozen=True)
class FileDiff:
    """One file's change: `status` is git's letter, `lines` a unified diff without its file header.

    `note` says why there are no lines (binary, too large, only the mode changed) or that they were cut.
    """

    path: str
    status: str
    added: int = 0
    removed: int = 0
    lines: tuple[str, ...] = ()
    note: str = ""

    def to_json(self) -> Json:
        return {**self.__dict__, "lines": list(self.lines)}


@dataclass(frozen=True)
class Diff:
    """The changes between two commits (full hashes). `more` files beyond these changed, too.

    `by_model` says that a model wrote the `explanation`: then no brain with tools has read it, nor repeats it.
    """

    old: str
    new: str
    files: tuple[FileDiff, ...]
    more: int = 0
    explanation: str = ""
    by_model: bool = False

    def to_json(self) -> Json:
        return {
            "kind": "diff",
            "old": self.old,
            "new": self.new,
            "files": [f.to_json() for f in self.files],
            "more": self.more,
            "explanation": self.explanation,
            "by_model": self.by_model,
        }


View = Table | Code | Diff


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)
