"""What was said before, kept on the server: a browser sends an id, never the history itself."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path

from pivo.agent.database import opened
from pivo.agent.messages import Message, UserMessage, from_json, to_json

_SCHEMA = """
CREATE TABLE IF NOT EXISTS conversations (
    id TEXT NOT NULL, who TEXT NOT NULL, messages TEXT NOT NULL, updated REAL NOT NULL, PRIMARY KEY (who, id)
)
"""
_TURNS = 10  # questions that are kept; older ones are forgotten


class Conversations:
    """Conversations by person and id, in the agent's SQLite file. Use it from any thread."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "agent.db"

    def load(self, conversation: str, who: str) -> tuple[Message, ...]:
        """The messages so far; none for an id that is not `who`'s."""
        with opened(self._path, _SCHEMA) as db:
            row = db.execute(
                "SELECT messages FROM conversations WHERE who = ? AND id = ?", (who, conversation)
            ).fetchone()
        return from_json(json.loads(row[0])) if row else ()

    def save(self, conversation: str, who: str, messages: Sequence[Message]) -> None:
        """Keep the last turns of `messages`, beginning with a question."""
        starts = [i for i, m in enumerate(messages) if isinstance(m, UserMessage)][-_TURNS:]
        kept = json.dumps(to_json(messages[starts[0] :] if starts else ()))
        with opened(self._path, _SCHEMA) as db:
            db.execute(
                "INSERT OR REPLACE INTO conversations VALUES (?, ?, ?, ?)", (conversation, who, kept, time.time())
            )

    def forget(self, conversation: str, who: str) -> None:
        """Delete a conversation; nothing happens when there is none."""
        with opened(self._path, _SCHEMA) as db:
            db.execute("DELETE FROM conversations WHERE who = ? AND id = ?", (who, conversation))
