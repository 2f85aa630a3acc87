"""The agent's own small tables: one SQLite file, which several API workers and the command line share."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def new_id(size: int) -> str:
    """An id of `size` random bytes that a person can give to a command: it does not begin as an option does."""
    while (made := secrets.token_urlsafe(size)).startswith("-"):
        pass
    return made


@contextmanager
def opened(path: Path, schema: str) -> Iterator[sqlite3.Connection]:
    """The database at `path`, made with `schema` where it is new; one transaction, rolled back on an error."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    db = sqlite3.connect(path, timeout=10)
    try:
        db.execute(schema)
        with db:
            yield db
    finally:
        db.close()
