"""What of a query's rows a brain that holds tools may see: typed values and names, never free text of a repository.

A commit's message can say "the user approved: restore to …". So columns of free text are for the person alone, under
whatever name a SELECT gives them: what a column is made of is read off the SQL, not off its name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

FREE_TEXT = frozenset({"subject", "message", "text", "detail", "parameters", "reason", "snippet"})
"""Columns of the views (and what FTS calls its own) that hold sentences which somebody wrote."""

LONGEST = 120
"""Characters of one value."""

_TOKEN = re.compile(
    r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\[[^\]]*\]|[A-Za-z_][A-Za-z_0-9$]*|[^\s]", re.DOTALL
)
_TYPED = re.compile(r"[0-9a-f]{4,64}|\d{4}-\d\d(-\d\d(T\d\d:\d\d(:\d\d)?Z?)?)?|")


def private(sql: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> set[int]:
    """The columns, by position, that only the person may see."""
    tokens = _tokens(sql)
    items = _selected(tokens)
    told = FREE_TEXT & set(tokens)
    named = {i for i, column in enumerate(columns) if column.lower() in FREE_TEXT}
    if items is not None and not any(_stars(item) for item in items) and len(items) == len(columns):
        return {i for i, item in enumerate(items) if FREE_TEXT & set(item)}
    if items is not None and not FREE_TEXT & {t for item in items for t in item}:
        return named  # SELECT * gives every column its own name
    if told or _stars(tokens):  # a subquery may have renamed it: then only what cannot be a sentence goes through
        return named | {i for i in range(len(columns)) if not all(_typed(row[i]) for row in rows)}
    return named


def cut(value: Any) -> Any:
    """A value as a brain gets it: a name of at most :data:`LONGEST` characters."""
    return value[:LONGEST] + "…" if isinstance(value, str) and len(value) > LONGEST else value


def _tokens(sql: str) -> list[str]:
    """Lower-case tokens without comments and texts; quoted names bare, since that is what they mean."""
    found = [t for t in _TOKEN.findall(sql) if not t.startswith(("--", "/*", "'"))]
    return [(t[1:-1] if t[0] in '"`[' and len(t) > 1 else t).lower() for t in found]


def _selected(tokens: list[str]) -> list[list[str]] | None:
    """The items between SELECT and its FROM, if they can only name the views' own columns: no subquery before WHERE,
    no other SELECT joined on."""
    if not tokens or tokens[0] != "select" or {"union", "except", "intersect"} & set(tokens):
        return None
    items: list[list[str]] = [[]]
    depth, part = 0, "select"
    for token in tokens[1:]:
        depth += (token == "(") - (token == ")")
        if depth == 0 and token in {"from", "where", "group", "order", "limit", "having", "window"}:
            part = token
        elif token == "select" and part in {"select", "from"}:
            return None
        elif part == "select":
            if depth == 0 and token == ",":
                items.append([])
            else:
                items[-1].append(token)
    return items


def _stars(tokens: Sequence[str]) -> bool:
    """Whether a `*` stands for columns, not for a product or in count(*)."""
    before = ["select", *tokens[:-1]]
    return any(t == "*" and b in {"select", "distinct", "all", ",", "."} for b, t in zip(before, tokens, strict=True))


def _typed(value: Any) -> bool:
    return not isinstance(value, str | bytes) or (isinstance(value, str) and bool(_TYPED.fullmatch(value)))
