"""Filling what Kafka no longer had: the snapshots that it would have told of are read from the archive.

Only commits, refs and snapshots are there. Heartbeats, restores, verifications and the audit are facts of Kafka's
alone; a gap in their topic stays on record as one.
"""

from __future__ import annotations

import logging
import sqlite3
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pivo.events import COMMIT_TOPIC
from pivo.events.types import now
from pivo.index.apply import utc
from pivo.index.batch import transaction
from pivo.index.writer import writing
from pivo.progress import Progress, silent
from pivo.reindex.derive import spool, spooled, values
from pivo.reindex.load import Loader
from pivo.settings import Settings, base_environment
from pivo.snapshot.archive import Archive
from pivo.store import open_store

_log = logging.getLogger(__name__)
_OPEN = "SELECT rowid FROM kafka_gaps WHERE topic = ? AND filled_at IS NULL"
# A snapshot's events are one transaction of one partition, its own the last: where Kafka deleted only some of them,
# the snapshot is there, and commits or changes of it are not.
_PARTIAL = (
    "SELECT s.repo_name, s.seq FROM repo_snapshots s JOIN repos r ON r.name = s.repo_name LEFT JOIN"
    " (SELECT c.repo_id, c.snapshot_seq AS seq, count(*) AS commits, sum(c.files > (SELECT count(*) FROM commit_files f"
    "  WHERE f.commit_id = c.id)) AS short FROM commits c GROUP BY 1, 2) n ON n.repo_id = r.id AND n.seq = s.seq"
    " WHERE s.commits > coalesce(n.commits, 0) OR n.short"
)


@dataclass(frozen=True)
class Filled:
    """What filling came to: gaps that are closed, snapshots that were read again, and commits that were new."""

    gaps: int = 0
    snapshots: int = 0
    commits: int = 0


def fill(
    index: Path,
    open_archive: Callable[[], Archive],
    scratch: Path,
    environment: Mapping[str, str],
    progress: Progress = silent,
) -> Filled:
    """Fills the gaps of the commit topic that are on record, if any. Whatever it is stopped at, the next call goes on.

    `open_archive` is called only then. The index is kept from other writers only while rows are written. Unavailable
    when HDFS is away.
    """
    gaps = _gaps(index)
    if not gaps:
        return Filled()
    archive = open_archive()
    wanted = _wanted(index, archive)
    commits = 0
    scratch.mkdir(parents=True, exist_ok=True)
    for done, (repo, dirname) in enumerate(wanted):
        progress("filling the gap from the archive", done, len(wanted))
        with tempfile.TemporaryFile(dir=scratch) as derived:
            spool(values(archive, repo, dirname, scratch, environment), derived)
            derived.seek(0)
            with writing(index) as db:
                loader = Loader(db)
                loader.load(spooled(derived))
        commits += loader.commits
        _log.info("filled %s of %s from the archive: %d new commits", dirname, repo, loader.commits)
    with writing(index) as db, transaction(db):
        at = utc(now())
        db.executemany("UPDATE kafka_gaps SET filled_at = ? WHERE rowid = ?", [(at, gap) for gap in gaps])
    progress("filling the gap from the archive", len(wanted), len(wanted))
    return Filled(len(gaps), len(wanted), commits)


def fill_for(settings: Settings, progress: Progress = silent) -> Filled:
    """:func:`fill` for an installation."""
    return fill(
        settings.index,
        lambda: Archive(open_store(settings.archive, settings.archive_reader)),
        settings.staging / "reindex",
        base_environment(),
        progress,
    )


def _gaps(index: Path) -> list[int]:
    if not index.exists():
        return []
    db = sqlite3.connect(f"{index.absolute().as_uri()}?mode=ro", uri=True)
    try:
        return [n for (n,) in db.execute(_OPEN, (COMMIT_TOPIC,))]
    except sqlite3.OperationalError as err:
        if "no such table" in str(err):
            return []
        raise
    finally:
        db.close()


def _wanted(index: Path, archive: Archive) -> list[tuple[str, str]]:
    """Repository and folder of the snapshots that the index does not have, or has only in part."""
    db = sqlite3.connect(f"{index.absolute().as_uri()}?mode=ro", uri=True)
    try:
        there = set(db.execute("SELECT repo_name, seq FROM repo_snapshots"))
        partial = set(db.execute(_PARTIAL))
    finally:
        db.close()
    return [
        (str(repo), snapshot.dirname)
        for repo in archive.repos()
        for snapshot in archive.snapshots(repo)
        if (str(repo), snapshot.seq) not in there or (str(repo), snapshot.seq) in partial
    ]
