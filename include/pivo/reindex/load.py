"""Derived events into an open index, in transactions of bounded size."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Iterator
from itertools import islice

from pivo.events import ParseFailure, parse
from pivo.index.batch import Applier, transaction
from pivo.index.writer import BATCH, BATCH_BYTES

_log = logging.getLogger(__name__)


class Loader:
    """Applies events as they come from the archive. Those that cannot be stored are told in the log, and counted:
    the same ones are dead letters where they come from Kafka."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._applier = Applier(db)
        self.refused = 0

    @property
    def commits(self) -> int:
        """How many were new."""
        return self._applier.commits

    @property
    def snapshots(self) -> int:
        """How many were new."""
        return self._applier.snapshots

    def load(self, values: Iterable[bytes]) -> None:
        """Applies `values`; what was applied before an error stays, and may be applied again."""
        for batch in _batches(iter(values)):
            parsed = [(value[:200], parse(value)) for value in batch]
            bad = [(value, event.reason) for value, event in parsed if isinstance(event, ParseFailure)]
            with transaction(self._db):
                bad += self._applier.apply([(v, event) for v, event in parsed if not isinstance(event, ParseFailure)])
            for value, reason in bad:
                _log.warning("an event cannot be used: %s: %r", reason, value)
            self.refused += len(bad)


def _batches(values: Iterator[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    while some := list(islice(values, 500)):
        batch += some
        size += sum(map(len, some))
        if len(batch) >= BATCH or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
