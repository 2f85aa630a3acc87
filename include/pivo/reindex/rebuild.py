"""`pivo reindex`: a new index from the archive alone, put in the old one's place in one step.

The index's path is a link to a file with a name of its own, or that file itself until it is first rebuilt: each
generation has its own -wal and -shm beside it, and a reader or writer sees one of them whole. The new file is built
while the drain goes on writing to the old one and readers read it. In the end, with the lock of the writer:

1. snapshots that the old index has and the new one does not yet are read from the archive too;
2. what only Kafka tells (restores, audit, verifications, heartbeats, offsets) is copied from the old index;
3. the link is renamed over the path.

Without an old index, or with one that cannot be read, the next drain reads from Kafka all that Kafka still has.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from pivo.errors import ArchiveError, Unavailable
from pivo.events import COMMIT_TOPIC
from pivo.events.types import now
from pivo.index.apply import utc
from pivo.index.batch import transaction
from pivo.index.migrations import migrate
from pivo.index.tables import FROM_KAFKA
from pivo.index.writer import close, connect, locked
from pivo.progress import Progress, silent
from pivo.reindex.load import Loader
from pivo.reindex.sources import Source

_log = logging.getLogger(__name__)
_LATE = frozenset({"commits_time", "commits_address_time", "commit_files_path_time", "people_email", "paths_path"})
"""Indices that nothing needs while rows are written: they are made at the end, sorted, in one go."""

_PATIENCE = 3600.0  # seconds; a drain that reads a long backlog is waited for


@dataclass
class Rebuilt:
    """What a rebuild came to; `kept` says whether the old index's facts of Kafka's were taken along."""

    repositories: int = 0
    snapshots: int = 0
    commits: int = 0
    refused: int = 0
    kept: bool = False
    elapsed: float = 0.0
    path: str = ""
    missing: list[str] = field(default_factory=list)


def rebuild(index: Path, source: Source, *, accept_losses: bool = False, progress: Progress = silent) -> Rebuilt:
    """Builds the index anew and puts it in place; the old one stays untouched until then, and if anything fails.

    ArchiveError when the old index knows snapshots that the archive lacks, unless `accept_losses`: it may be their
    last witness. Unavailable when HDFS is away, or another rebuild runs.
    """
    began, result = time.monotonic(), Rebuilt()
    with _only_one(index):
        _sweep(index)
        fresh = index.with_name(f"{index.stem}-{uuid.uuid4().hex[:12]}{index.suffix}")
        try:
            db = _begin(fresh)
            try:
                loader = Loader(db)
                done: set[tuple[str, str]] = set()
                _load(source, loader, done, progress)
                progress("sorting indices", 0, None)
                _finish(db)
                with locked(index, _PATIENCE):
                    if index.exists():
                        _catch_up(index, db, source, loader, done, accept_losses, result)
                        result.kept = _keep(index, db)
                    _seal(db, fresh)
                    _put_in_place(fresh, index)
                result.snapshots, result.commits, result.refused = loader.snapshots, loader.commits, loader.refused
            finally:
                with suppress(sqlite3.ProgrammingError):
                    db.close()
        except BaseException:
            _remove(fresh)
            raise
    result.repositories = len({repo for repo, _ in done})
    result.elapsed, result.path = time.monotonic() - began, str(fresh)
    return result


@contextmanager
def _only_one(index: Path) -> Iterator[None]:
    index.parent.mkdir(parents=True, exist_ok=True)
    with index.with_name(index.name + ".reindex-lock").open("a+") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unavailable(
                f"The index {index} is being rebuilt by another process.", "Wait until it has ended."
            ) from None
        yield


def _sweep(index: Path) -> None:
    """Removes what rebuilds that were killed have left."""
    current = index.resolve()
    for path in index.parent.glob(f"{index.stem}-{'[0-9a-f]' * 12}{index.suffix}"):
        if path.resolve() != current:
            _remove(path)


def _remove(path: Path, but: Path | None = None) -> None:
    """Deletes a generation of the index, but not what is `but` by now: the link, where a plain file was before."""
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm", f"{path.name}-journal"):
        one = path.with_name(name)
        if but is None or one != but.parent.resolve() / but.name:
            one.unlink(missing_ok=True)


def _begin(fresh: Path) -> sqlite3.Connection:
    """The new file, with all tables and without the indices that can wait. Nobody else knows of it: no log."""
    db = sqlite3.connect(fresh, isolation_level=None, cached_statements=256)
    for pragma in ("journal_mode = MEMORY", "synchronous = OFF", "cache_size = -262144", "temp_store = FILE"):
        db.execute(f"PRAGMA {pragma}")
    migrate(db)
    for name, sql in _indices(db):
        if name in _LATE:
            db.execute(f'DROP INDEX "{name}"')
            db.execute("INSERT INTO meta VALUES (?, ?)", (f"late index {name}", sql))
    return db


def _indices(db: sqlite3.Connection) -> list[tuple[str, str]]:
    return db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL").fetchall()


def _finish(db: sqlite3.Connection) -> None:
    """Makes the indices that could wait."""
    for key, sql in db.execute("SELECT key, value FROM meta WHERE key LIKE 'late index %'").fetchall():
        db.execute(sql)
        db.execute("DELETE FROM meta WHERE key = ?", (key,))


def _load(source: Source, loader: Loader, done: set[tuple[str, str]], progress: Progress) -> None:
    total = source.total()
    for repo, dirname, values in source.snapshots():
        loader.load(values)
        done.add((repo, dirname))
        progress("reading snapshots", len(done), total)


def _catch_up(
    index: Path,
    db: sqlite3.Connection,
    source: Source,
    loader: Loader,
    done: set[tuple[str, str]],
    accept_losses: bool,
    result: Rebuilt,
) -> None:
    """Reads the snapshots that the old index has come to know meanwhile."""
    try:
        old = _opened(index)
        rows = old.execute("SELECT repo_name, hdfs_path FROM repo_snapshots ORDER BY repo_name, seq").fetchall()
        old.close()
    except sqlite3.DatabaseError as err:
        _log.warning("the old index cannot be read (%s): nothing is taken from it", err)
        return
    known = [(repo, path.rstrip("/").rpartition("/")[2]) for repo, path in rows]
    result.missing = [f"{r}/{d}" for r, d in known if (r, d) not in done and not source.has(r, d)]
    if result.missing and not accept_losses:
        raise ArchiveError(
            f"The archive lacks {len(result.missing)} snapshots that the index knows, {result.missing[0]} among them.",
            "See `pivo verify`; the old index stays as it is, unless you give --accept-losses.",
        )
    for repo, dirname in known:
        if (repo, dirname) not in done and f"{repo}/{dirname}" not in result.missing:
            loader.load(source.values(repo, dirname))
            done.add((repo, dirname))


def _opened(index: Path) -> sqlite3.Connection:
    """The old index, with every table of today; the lock of the writer is held."""
    db = connect(index)
    migrate(db)
    return db


def _keep(index: Path, db: sqlite3.Connection) -> bool:
    """Copies what only Kafka tells; False, with nothing copied, when the old index cannot be read."""
    try:
        db.execute("ATTACH ? AS old", (str(index),))
        try:
            with transaction(db):
                for table in FROM_KAFKA:
                    db.execute(f"INSERT OR REPLACE INTO main.{table} SELECT * FROM old.{table}")
                db.execute(
                    "UPDATE main.repos AS r"
                    " SET last_checked_at = max(coalesce(r.last_checked_at, ''), o.last_checked_at)"
                    " FROM old.repos o WHERE o.name = r.name AND o.last_checked_at IS NOT NULL"
                )
                db.execute(
                    "UPDATE main.kafka_gaps SET filled_at = ? WHERE topic = ? AND filled_at IS NULL",
                    (utc(now()), COMMIT_TOPIC),
                )
        finally:
            db.execute("DETACH old")
    except sqlite3.DatabaseError as err:
        _log.warning("the old index cannot be read (%s): Kafka is read from its beginning", err)
        return False
    return True


def _seal(db: sqlite3.Connection, fresh: Path) -> None:
    """Makes the new file one that others may open, and that outlives a power cut."""
    db.close()
    with fresh.open("rb") as file:
        os.fsync(file.fileno())
    close(connect(fresh), fresh)


def _put_in_place(fresh: Path, index: Path) -> None:
    """Renames a link to the new file over the index's path; the old generation goes, whoever has it open reads on."""
    before = Path(os.path.realpath(index))
    link = index.with_name(f"{index.name}.{uuid.uuid4().hex[:8]}.link")
    link.symlink_to(fresh.name)
    link.rename(index)
    folder = os.open(index.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    _remove(before, but=index)
