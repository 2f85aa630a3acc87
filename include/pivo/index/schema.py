"""What the index holds, in words, from one place.

The views (`v_*`) and `repo_snapshots` are all that a question may name. Their descriptions
(:mod:`pivo.index.views`, :mod:`pivo.index.tables`) make the views themselves, the documentation, and the schema
that the agent's model is told.
"""

from __future__ import annotations

import hashlib

from pivo.index.tables import TABLES
from pivo.index.views import VIEWS, Column, View

__all__ = ["READABLE_TABLES", "TABLES", "VIEWS", "Column", "View", "describe", "views_digest"]

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
