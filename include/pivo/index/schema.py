"""What the index holds, in words, from one place.

The views (`v_*`) and `repo_snapshots` are all that a question may name. Their descriptions
(:mod:`pivo.index.views`, :mod:`pivo.index.tables`) make the views themselves, docs/schema.md, `pivo schema`, and the
schema that the agent's model is told.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from pivo.index.tables import TABLES
from pivo.index.views import VIEWS, Column, View

__all__ = [
    "READABLE_TABLES",
    "TABLES",
    "VIEWS",
    "Column",
    "Relation",
    "View",
    "describe",
    "markdown",
    "relations",
    "views_digest",
]

READABLE_TABLES = frozenset(TABLES) - {"meta", "schema_migrations", "snapshot_parts", "kafka_offsets"}
"""Tables that a view may read. Only `repo_snapshots` may also be named by a question itself."""


def views_digest() -> str:
    """Changes when a view does."""
    return hashlib.sha256("\n".join(v.sql() for v in VIEWS).encode()).hexdigest()


def describe() -> str:
    """The views and `repo_snapshots` as text, for the documentation and for a model: one line a column."""
    lines = [
        "SQLite. Times are text in UTC like 2026-11-20T12:00:00Z: compare them as text; date('now', '-1 day') works.",
    ]
    for view in VIEWS:
        lines += ["", f"{view.name}: {view.about}"]
        lines += [f"  {c.name}: {c.about}" for c in view.columns]
    about, columns = TABLES["repo_snapshots"]
    lines += ["", f"repo_snapshots: {about}"]
    lines += [f"  {name}: {text}" for name, text in columns.items()]
    return "\n".join(lines)


@dataclass(frozen=True)
class Relation:
    """A view or a table, and what each of its columns means, in their order."""

    name: str
    about: str
    columns: dict[str, str]


def relations(*, tables: bool = True) -> list[Relation]:
    """All that a question may name; then, with `tables`, what is behind it."""
    found = [Relation(v.name, v.about, {c.name: c.about for c in v.columns}) for v in VIEWS]
    rest = {name: table for name, table in TABLES.items() if name != "repo_snapshots"}
    named = {"repo_snapshots": TABLES["repo_snapshots"]} | (rest if tables else {})
    return found + [Relation(name, about, dict(columns)) for name, (about, columns) in named.items()]


def markdown() -> str:
    """docs/schema.md."""
    lines = [
        "# What the index holds",
        "",
        "Made of `include/pivo/index/views.py` and `tables.py`; `pivo schema` prints the same. Questions may name the",
        "views and `repo_snapshots`. Times are UTC, e.g. `2026-11-20T12:00:00Z`, and compare as text.",
        "",
        "## Views",
    ]
    for relation in relations():
        if relation.name == "repo_snapshots":
            lines += ["", "## Tables"]
        lines += ["", f"### {relation.name}", "", relation.about, "", "| column | |", "|---|---|"]
        lines += [f"| `{name}` | {_cell(about)} |" for name, about in relation.columns.items()]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
