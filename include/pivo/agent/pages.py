"""The queries behind long results, kept for going on: a model may turn the same question into other SQL."""

from __future__ import annotations

import json
import secrets
import time
from pathlib import Path

from pivo.agent.brain import Query
from pivo.agent.database import opened
from pivo.errors import NotFound

_SCHEMA = """
CREATE TABLE IF NOT EXISTS pages (
    id TEXT PRIMARY KEY, who TEXT NOT NULL, sql TEXT NOT NULL, parameters TEXT NOT NULL, read_as TEXT NOT NULL,
    made REAL NOT NULL
)
"""
_KEPT = 24 * 3600.0  # seconds


class Pages:
    """The queries under one home folder, by person and id. Use it from any thread."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "agent.db"

    def keep(self, who: str, query: Query) -> str:
        """An id by which `who` may run `query` again within a day; those that are older go."""
        key, now = secrets.token_urlsafe(9), time.time()
        with opened(self._path, _SCHEMA) as db:
            db.execute("DELETE FROM pages WHERE made < ?", (now - _KEPT,))
            row = (key, who, query.sql, json.dumps(dict(query.parameters)), query.read_as, now)
            db.execute("INSERT INTO pages VALUES (?, ?, ?, ?, ?, ?)", row)
        return key

    def find(self, who: str, key: str) -> Query:
        """What `keep` was given; NotFound when it is another's, or too old."""
        with opened(self._path, _SCHEMA) as db:
            found = db.execute(
                "SELECT sql, parameters, read_as FROM pages WHERE id = ? AND who = ? AND made >= ?",
                (key, who, time.time() - _KEPT),
            ).fetchone()
        if found is None:
            raise NotFound("There is no such query of yours to go on with.", "Ask the question again.")
        return Query(found[0], json.loads(found[1]), found[2])
