"""What the page showed, kept so that a reload shows it again: conversations by person, turn by turn.

Beside :mod:`pivo.agent.conversations`, which keeps what a brain needs to go on; this keeps what a person saw.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

from pivo.agent import safe
from pivo.agent.database import opened
from pivo.errors import NotFound
from pivo.models import Json

_TALKS = """
CREATE TABLE IF NOT EXISTS talks (
    who TEXT NOT NULL, id TEXT NOT NULL, title TEXT NOT NULL, updated REAL NOT NULL, PRIMARY KEY (who, id)
)
"""
_TURNS = """
CREATE TABLE IF NOT EXISTS turns (
    id INTEGER PRIMARY KEY, who TEXT NOT NULL, talk TEXT NOT NULL, question TEXT NOT NULL, events TEXT NOT NULL,
    asked REAL NOT NULL
)
"""
_KEPT = 100  # conversations of one person; the oldest give way
_SHOWN = 50  # turns of a conversation
_MAX = 1 << 20  # characters of what one answer showed; what is longer is kept without its tables, files and diffs
_TITLE = 80


class Talks:
    """The conversations in the agent's folder. Use it from any thread."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "chat.db"

    def all(self, who: str) -> list[Json]:
        """`who`'s conversations, the latest first: id, title, updated (Unix seconds)."""
        with opened(self._path, _TALKS) as db:
            rows = db.execute("SELECT id, title, updated FROM talks WHERE who = ? ORDER BY updated DESC", (who,))
            return [{"id": r[0], "title": r[1], "updated": r[2]} for r in rows]

    def turns(self, talk: str, who: str) -> list[Json]:
        """The last turns of a conversation, the oldest first: question, events as they were shown. NotFound."""
        with opened(self._path, _TALKS) as db:
            if not db.execute("SELECT 1 FROM talks WHERE who = ? AND id = ?", (who, talk)).fetchone():
                raise NotFound("There is no such conversation of yours.", "Begin a new one.")
            db.execute(_TURNS)
            rows = db.execute(
                "SELECT question, events FROM turns WHERE who = ? AND talk = ? ORDER BY id DESC LIMIT ?",
                (who, talk, _SHOWN),
            ).fetchall()
        return [{"question": r[0], "events": json.loads(r[1])} for r in reversed(rows)]

    def begin(self, talk: str, who: str, question: str) -> int:
        """A question is asked; what comes of it is told to :meth:`end` with the number that this returns."""
        now = time.time()
        with opened(self._path, _TALKS) as db:
            db.execute(_TURNS)
            title = safe.line(question, _TITLE)
            db.execute(
                "INSERT INTO talks VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET updated = excluded.updated",
                (who, talk, title, now),
            )
            turn = db.execute(
                "INSERT INTO turns (who, talk, question, events, asked) VALUES (?, ?, ?, '[]', ?)",
                (who, talk, question, now),
            ).lastrowid
            old = db.execute(
                "SELECT id FROM talks WHERE who = ? ORDER BY updated DESC LIMIT -1 OFFSET ?", (who, _KEPT)
            ).fetchall()
            for (gone,) in old:
                _delete(db, gone, who)
        assert turn is not None
        return turn

    def end(self, turn: int, events: Sequence[Json]) -> None:
        """Keep what was shown. A conversation that was deleted meanwhile stays deleted."""
        text = json.dumps(list(events), default=str)
        if len(text) > _MAX:
            text = json.dumps([{**e, "view": None} if "view" in e else e for e in events], default=str)
        with opened(self._path, _TURNS) as db:
            db.execute("UPDATE turns SET events = ? WHERE id = ?", (text, turn))

    def rename(self, talk: str, who: str, title: str) -> None:
        """Give a conversation another title; NotFound."""
        with opened(self._path, _TALKS) as db:
            named = (safe.line(title, _TITLE), who, talk)
            if not db.execute("UPDATE talks SET title = ? WHERE who = ? AND id = ?", named).rowcount:
                raise NotFound("There is no such conversation of yours.", "Begin a new one.")

    def delete(self, talk: str, who: str) -> None:
        """Forget a conversation; nothing happens when there is none."""
        with opened(self._path, _TALKS) as db:
            db.execute(_TURNS)
            _delete(db, talk, who)


def _delete(db: sqlite3.Connection, talk: str, who: str) -> None:
    db.execute("DELETE FROM talks WHERE who = ? AND id = ?", (who, talk))
    db.execute("DELETE FROM turns WHERE who = ? AND talk = ?", (who, talk))
