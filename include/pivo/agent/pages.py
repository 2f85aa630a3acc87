"""How long results go on: the queries behind them, as a model may turn the same question into other SQL, and the calls
that a person's "more" stands for."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pivo.agent.brain import Query
from pivo.agent.database import new_id, opened
from pivo.agent.messages import ToolUse
from pivo.errors import NotFound

_QUERIES = """
CREATE TABLE IF NOT EXISTS queries (
    id TEXT PRIMARY KEY, who TEXT NOT NULL, sql TEXT NOT NULL, parameters TEXT NOT NULL, read_as TEXT NOT NULL,
    page INTEGER NOT NULL, made REAL NOT NULL
)
"""
_CALLS = """
CREATE TABLE IF NOT EXISTS calls (
    id TEXT PRIMARY KEY, who TEXT NOT NULL, tool TEXT NOT NULL, arguments TEXT NOT NULL, made REAL NOT NULL
)
"""
_KEPT = 24 * 3600.0  # seconds


class Pages:
    """The queries and calls under one home folder, by person and id. Use it from any thread."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "agent.db"

    def keep(self, who: str, query: Query) -> str:
        """An id by which `who` may run `query` again within a day; those that are older go."""
        with self._fresh("queries", _QUERIES) as (db, key, now):
            row = (key, who, query.sql, json.dumps(dict(query.parameters)), query.read_as, query.page, now)
            db.execute("INSERT INTO queries VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        return key

    def find(self, who: str, key: str) -> Query:
        """What `keep` was given; NotFound when it is another's, or too old."""
        sql, parameters, read_as, page = self._find("sql, parameters, read_as, page FROM queries", _QUERIES, who, key)
        return Query(sql, json.loads(parameters), read_as, page)

    def keep_call(self, who: str, call: ToolUse) -> str:
        """An id by which `who` may have `call` within a day; those that are older go."""
        with self._fresh("calls", _CALLS) as (db, key, now):
            row = (key, who, call.name, json.dumps(dict(call.arguments)), now)
            db.execute("INSERT INTO calls VALUES (?, ?, ?, ?, ?)", row)
        return key

    def find_call(self, who: str, key: str) -> ToolUse:
        """What `keep_call` was given; NotFound when it is another's, or too old."""
        tool, arguments = self._find("tool, arguments FROM calls", _CALLS, who, key)
        return ToolUse(key, tool, json.loads(arguments))

    @contextmanager
    def _fresh(self, table: str, schema: str) -> Iterator[tuple[sqlite3.Connection, str, float]]:
        """The database without what is too old, a new id, and the time."""
        now = time.time()
        with opened(self._path, schema) as db:
            db.execute(f"DELETE FROM {table} WHERE made < ?", (now - _KEPT,))
            yield db, new_id(9), now

    def _find(self, what: str, schema: str, who: str, key: str) -> tuple[Any, ...]:
        with opened(self._path, schema) as db:
            sql = f"SELECT {what} WHERE id = ? AND who = ? AND made >= ?"
            found: tuple[Any, ...] | None = db.execute(sql, (key, who, time.time() - _KEPT)).fetchone()
        if found is None:
            raise NotFound("There is no such query of yours to go on with.", "Ask the question again.")
        return found
