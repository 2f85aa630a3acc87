"""Many events in one transaction, of which a bad one costs only itself."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from pivo.events import Event
from pivo.index.apply import Indexer

_log = logging.getLogger(__name__)
_UNUSABLE = (ValueError, OverflowError, sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError)
T = TypeVar("T")


class Applier:
    """Applies events to an open index, within a transaction of the caller's in which nothing was written before.

    It remembers ids: after a transaction that failed, take a new one.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._indexer = Indexer(db)
        self.commits = 0  # that were new
        self.snapshots = 0  # that were new

    def apply(self, events: Sequence[tuple[T, Event]]) -> list[tuple[T, str]]:
        """Applies `events`, each with what the caller knows it by; returns those that cannot be stored, and why.

        Where there is such a one, the transaction is begun anew. A savepoint instead would keep a copy of every page
        that a batch changes: beside millions of commits, hundreds of megabytes.
        """
        bad: list[tuple[T, str]] = []
        try:
            self._indexer.apply(event for _, event in events)
        except _UNUSABLE as err:
            _log.warning("a batch holds an event that cannot be used (%s); one by one now", err)
            self._db.execute("ROLLBACK")
            self._db.execute("BEGIN IMMEDIATE")
            self._indexer = Indexer(self._db)
            bad = self._one_by_one(events)
        self._count()
        return bad

    def _one_by_one(self, events: Sequence[tuple[T, Event]]) -> list[tuple[T, str]]:
        bad = []
        for name, event in events:
            self._db.execute("SAVEPOINT one")
            try:
                self._indexer.apply([event])
                self._count()
            except _UNUSABLE as err:
                self._db.execute("ROLLBACK TO one")
                self._indexer = Indexer(self._db)
                bad.append((name, f"the event cannot be stored: {err}"))
            self._db.execute("RELEASE one")
        return bad

    def _count(self) -> None:
        self.commits += self._indexer.commits
        self.snapshots += self._indexer.snapshots
        self._indexer.commits = self._indexer.snapshots = 0


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing; `db` is in autocommit mode."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if db.in_transaction:  # a full disk rolls back by itself
            db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
