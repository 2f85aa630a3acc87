"""Which deliveries were acted upon, and which run each repository last got by one: a small SQLite file.

All workers of the API server share it, and it outlives them. It never holds a lock while Airflow is asked.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

KEPT = 30 * 24 * 3600.0
"""Seconds for which a delivery is remembered; GitHub can send one again for three days."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS deliveries (
    id TEXT PRIMARY KEY, digest TEXT NOT NULL UNIQUE, event TEXT NOT NULL, repo TEXT NOT NULL, run_id TEXT NOT NULL,
    at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS deliveries_at ON deliveries (at);
CREATE TABLE IF NOT EXISTS runs (
    repo TEXT PRIMARY KEY, run_id TEXT NOT NULL, at REAL NOT NULL, after REAL NOT NULL DEFAULT 0
);
"""


@dataclass(frozen=True)
class Run:
    """The run that a repository last got, when it was asked for, and before when it does not begin (Unix seconds; 0
    while Airflow has not said that it will)."""

    run_id: str
    at: float
    after: float = 0.0


class Ledger:
    """The file at `path`; made when it is first used. Any thread or process may use it."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path, self._clock = path, clock

    def seen(self, delivery: str, digest: str) -> str | None:
        """The run that this delivery, or one with the very same body, came to; None for a new one.

        The id is not part of what is signed: who repeats a delivery that was overheard can give it another.
        """
        with self._opened() as db:
            row = db.execute("SELECT run_id FROM deliveries WHERE id = ? OR digest = ?", (delivery, digest)).fetchone()
        return str(row[0]) if row else None

    def remember(self, delivery: str, digest: str, event: str, repo: str, run_id: str) -> None:
        """The delivery was acted upon. Forgets those that are older than KEPT."""
        now = self._clock()
        with self._opened() as db:
            db.execute(
                "INSERT OR IGNORE INTO deliveries VALUES (?, ?, ?, ?, ?, ?)",
                (delivery, digest, event, repo, run_id, now),
            )
            db.execute("DELETE FROM deliveries WHERE at < ?", (now - KEPT,))

    def run(self, repo: str) -> Run | None:
        """The run that `repo` last got."""
        with self._opened() as db:
            row = db.execute("SELECT run_id, at, after FROM runs WHERE repo = ?", (repo,)).fetchone()
        return Run(*row) if row else None

    def replace(self, repo: str, old: Run | None, run_id: str) -> bool:
        """Make `run_id` the run of `repo`, if that is still `old`; whether it was."""
        with self._opened() as db:
            if old is None:
                done = db.execute("INSERT OR IGNORE INTO runs VALUES (?, ?, ?, 0)", (repo, run_id, self._clock()))
            else:
                done = db.execute(
                    "UPDATE runs SET run_id = ?, at = ?, after = 0 WHERE repo = ? AND run_id = ?",
                    (run_id, self._clock(), repo, old.run_id),
                )
            return done.rowcount == 1

    def waits(self, repo: str, run_id: str, after: float) -> None:
        """Airflow has the run, and does not begin it before `after`."""
        with self._opened() as db:
            db.execute("UPDATE runs SET after = ? WHERE repo = ? AND run_id = ?", (after, repo, run_id))

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with closing(sqlite3.connect(self._path, timeout=5)) as db:
            if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'runs'").fetchone():
                db.executescript(_SCHEMA)
            with db:
                yield db
