"""Packs from the archive into the staging folder, by many workers at once, each byte checked as it streams.

The unit of work is one segment of one pack (an index file is a unit of its own). A unit is written to its
offset of a `.part` file that has the full size from the start, so that workers on several machines can fill one
file on a shared volume; a `.done` mark follows the flushed bytes. A later run re-reads what is marked and
fetches only what is not there or not right. `plan_units` and `finish` run on the driver, `fetch_group` on the
executors; all three are plain functions, and `download` without Spark is the three in a row.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pivo.errors import ArchiveError, NotFound, PivoError, StackError, Unavailable
from pivo.models import Segment, StoredPack
from pivo.progress import Progress, silent
from pivo.store import Store, open_store

if TYPE_CHECKING:  # executors import this module in every application: it stays light
    from pivo.restore.plan import RestorePlan

_CHUNK = 4 << 20
_TRIES = 3  # of one unit within one worker; a lost worker is Spark's affair


@dataclass(frozen=True)
class Unit:
    """A run of bytes of a stored file: `source` in the archive, `folder` and `file` in the staging folder.

    `offset` and `length` in bytes, `size` that of the whole staged file, `sha256` of these bytes, in hex. The staged
    file's first byte is at `start` of the source: a pack and its index are one file there, and two here.
    """

    source: str
    folder: str
    file: str
    offset: int
    length: int
    size: int
    sha256: str
    start: int = 0

    @property
    def part(self) -> Path:
        """The file that is being filled."""
        return Path(self.folder) / f"{self.file}.part"

    @property
    def mark(self) -> Path:
        """Says that the unit's bytes are on disk."""
        return Path(self.folder) / f"{self.file}.{self.offset}.done"


@dataclass(frozen=True)
class Outcome:
    """What became of a unit: the `bytes` that were fetched (0 when they were there), or the `error` (what, do)."""

    unit: Unit
    bytes: int
    seconds: float
    host: str
    error: tuple[str, str] | None = None
    retry: bool = False


@dataclass(frozen=True)
class Downloaded:
    """The result: the `folder` of the packs, `files` in it, their `bytes`, and how many of these were `fetched`."""

    folder: Path
    files: int
    bytes: int
    fetched: int


def plan_units(plan: RestorePlan, folder: Path) -> list[Unit]:
    """All units of a plan, files that are complete in `folder` left out; prepares `folder` and its part files.

    StackError when the disk has no room for what is missing.
    """
    units: list[Unit] = []
    for pack in plan.packs:
        source = f"{plan.repo}/{pack.snapshot}/{pack.file_name}"
        if not _complete(folder / pack.pack_name, pack.size):
            units += [
                Unit(source, str(folder), pack.pack_name, s.offset, s.length, pack.size, s.sha256)
                for s in _segments(pack)
            ]
        if not _complete(folder / pack.idx_name, pack.idx_size):
            size = pack.idx_size
            units.append(Unit(source, str(folder), pack.idx_name, 0, size, size, pack.idx_sha256, start=pack.size))
    folder.mkdir(parents=True, exist_ok=True)
    _prepare(units, folder)
    return units


def grouped(units: Sequence[Unit], groups: int) -> list[list[Unit]]:
    """The units in at most `groups` groups of about the same number of bytes (the longest first)."""
    count = max(1, min(groups, len(units)))
    shares: list[list[Unit]] = [[] for _ in range(count)]
    load = [0] * count
    for unit in sorted(units, key=lambda u: -u.length):
        least = load.index(min(load))
        shares[least].append(unit)
        load[least] += unit.length + (1 << 16)  # a request costs about as much as this many bytes
    return [share for share in shares if share]


def fetch_group(units: Iterable[Unit], archive: str, user: str, host: str = "") -> list[Outcome]:
    """Fetch units one after another; runs on an executor. Failures come back in the outcomes, never as raised.

    Once the archive does not answer, the units that are left are given up: the task is tried again as a whole.
    """
    store = open_store(archive, user)
    outcomes: list[Outcome] = []
    away: tuple[str, str] | None = None
    for unit in units:
        begin = time.monotonic()
        fetched, error = 0, away
        try:
            fetched = 0 if away else fetch(unit, store)
        except Unavailable as err:
            error = away = (err.what, err.do)
        except PivoError as err:
            error = (err.what, err.do)
        except OSError as err:
            error = (f"{unit.part} cannot be written: {err.strerror}.", "Free space in the staging folder.")
        retry = error is not None and error is away
        outcomes.append(Outcome(unit, fetched, time.monotonic() - begin, host, error, retry))
    return outcomes


def fetch(unit: Unit, store: Store) -> int:
    """Bring one unit's bytes into its part file; the number of bytes fetched, 0 when they were there and right.

    ArchiveError when the archive holds other bytes than the manifest says, Unavailable when it does not answer.
    """
    if unit.mark.exists():
        if _digest(unit.part, unit.offset, unit.length) == unit.sha256:
            return 0
        unit.mark.unlink()
    for attempt in range(1, _TRIES + 1):
        try:
            _stream(unit, store)
        except Unavailable:
            if attempt == _TRIES:
                raise
            time.sleep(0.5 * 2**attempt)
        else:
            break
    unit.mark.touch()
    return unit.length


def _stream(unit: Unit, store: Store) -> None:
    digest, got, begin = hashlib.sha256(), 0, unit.start + unit.offset
    handle = os.open(unit.part, os.O_WRONLY)
    try:
        for block in store.stream(unit.source, begin, unit.length, _CHUNK):
            digest.update(block)
            view = memoryview(block)
            while view:
                written = os.pwrite(handle, view, unit.offset + got)
                got, view = got + written, view[written:]
        os.fsync(handle)
    except NotFound:
        raise ArchiveError(f"{unit.source} is missing from the archive.", _VERIFY) from None
    finally:
        os.close(handle)
    if got != unit.length:
        raise ArchiveError(f"{unit.source} is cut short: {got:,} of {unit.length:,} bytes at {begin:,}.", _VERIFY)
    if digest.hexdigest() != unit.sha256:
        end = begin + unit.length
        raise ArchiveError(
            f"{unit.source} is corrupt: bytes {begin:,} to {end:,} do not have the SHA-256 of the manifest.",
            _VERIFY,
        )


_VERIFY = "Nothing was restored; verify the archive, an earlier snapshot may still be whole."


def finish(plan: RestorePlan, folder: Path, outcomes: Sequence[Outcome]) -> Downloaded:
    """Check the whole files and give them their names. The first failed outcome is raised as its error."""
    failed = [o for o in outcomes if o.error]
    if failed:
        worst = next((o for o in failed if not o.retry), failed[0])
        assert worst.error
        what, do = worst.error
        if len(failed) > 1:
            what = f"{what.rstrip('.')} ({len(failed)} of {len(outcomes)} parts failed)."
        raise (Unavailable if worst.retry else ArchiveError)(what, do)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda pack: _finish_pack(plan, folder, pack), plan.packs))
    return Downloaded(folder, 2 * len(plan.packs), plan.bytes, sum(o.bytes for o in outcomes))


def download(
    plan: RestorePlan,
    folder: Path,
    archive: str,
    user: str,
    *,
    spread: Callable[[list[list[Unit]]], Iterable[Outcome]] | None = None,
    groups: int = 4,
    progress: Progress = silent,
) -> Downloaded:
    """All packs of `plan` in `folder`, verified. `spread` runs `fetch_group` on each group, by default here.

    `archive` is the store's URL and `user` the HDFS user who reads. ArchiveError names what is corrupt or missing.
    """
    units = plan_units(plan, folder)
    total, done, outcomes = sum(u.length for u in units), 0, []
    work = grouped(units, groups) if units else []
    for outcome in (spread or _here(archive, user))(work):
        outcomes.append(outcome)
        done += outcome.unit.length
        progress("download", done, total)
    return finish(plan, folder, outcomes)


def _here(archive: str, user: str) -> Callable[[list[list[Unit]]], Iterable[Outcome]]:
    return lambda work: (o for share in work for o in fetch_group(share, archive, user))


def _segments(pack: StoredPack) -> tuple[Segment, ...]:
    return pack.segments or (Segment(0, pack.size, pack.sha256),)


def _complete(path: Path, size: int) -> bool:
    """Whether a file has its final name (it was verified then) and still its size."""
    return path.is_file() and path.stat().st_size == size


def missing(units: Iterable[Unit]) -> int:
    """Bytes of the units that are not there."""
    return sum(u.length for u in units if not u.mark.exists())


def room(folder: Path) -> int:
    """Bytes that the disk of `folder` has free."""
    free = os.statvfs(folder)
    return free.f_bavail * free.f_frsize


def _prepare(units: Sequence[Unit], folder: Path) -> None:
    needed = missing(units)
    if needed > room(folder):
        raise StackError(
            f"The staging folder {folder} has no room for {needed:,} bytes.", "Free space there, or move PIVO_STAGING."
        )
    for unit in units:
        if not unit.part.exists() or unit.part.stat().st_size != unit.size:
            for mark in folder.glob(f"{unit.file}.*.done"):
                mark.unlink()
            with unit.part.open("wb") as part:
                part.truncate(unit.size)  # sparse: every worker then finds a file of the full size


def _finish_pack(plan: RestorePlan, folder: Path, pack: StoredPack) -> None:
    for name, size, sha256 in (
        (pack.pack_name, pack.size, pack.sha256),
        (pack.idx_name, pack.idx_size, pack.idx_sha256),
    ):
        final, part = folder / name, folder / f"{name}.part"
        if _complete(final, size):
            continue
        # A file of one segment was hashed whole as it came.
        whole = name == pack.idx_name or (len(pack.segments) <= 1 and _one(pack))
        if not whole and _digest(part, 0, size) != sha256:
            raise ArchiveError(
                f"{plan.repo}/{pack.snapshot}/{pack.file_name}: its pack does not have the SHA-256 of the manifest; "
                "the pack's segments do.",
                _VERIFY,
            )
        part.rename(final)
        for mark in folder.glob(f"{name}.*.done"):
            mark.unlink()


def _one(pack: StoredPack) -> bool:
    return not pack.segments or pack.segments[0].sha256 == pack.sha256


def _digest(path: Path, offset: int, length: int) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as source:
        source.seek(offset)
        while length > 0 and (block := source.read(min(_CHUNK, length))):
            digest.update(block)
            length -= len(block)
    return digest.hexdigest()
