"""A published snapshot's events, derived again from the archive: those that were announced when it was taken."""

from __future__ import annotations

import shutil
import struct
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO

from pivo.events import Event, commit_events, dump, snapshot_events
from pivo.ingest import hdfs_path
from pivo.models import Manifest
from pivo.progress import Progress, silent
from pivo.snapshot.archive import Archive
from pivo.snapshot.history import ref_updates, reopen, tips

_LENGTH = struct.Struct("<I")


def values(
    archive: Archive,
    repo: str,
    dirname: str,
    scratch: Path,
    environment: Mapping[str, str],
    progress: Progress = silent,
) -> Iterator[bytes]:
    """The events of one snapshot as Kafka carried them, the snapshot's own last.

    The snapshot's own packs are brought to a temporary folder below `scratch`; `environment` is the one that git runs
    in. ArchiveError or NotFound for a snapshot that is damaged.
    """
    manifest = archive.manifest(repo, dirname)
    scratch.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="reindex-", dir=scratch))
    try:
        for event in _events(archive, manifest, folder / "git", environment, progress):
            yield dump(event, manifest.taken_at)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _events(
    archive: Archive, manifest: Manifest, folder: Path, environment: Mapping[str, str], progress: Progress
) -> Iterator[Event]:
    before = archive.manifest(manifest.repo, manifest.previous.snapshot).refs if manifest.previous else ()
    with reopen(archive, manifest, folder, environment) as work:
        for commit in work.commits(tips(manifest), progress):
            yield from commit_events(manifest, commit)
        updates = ref_updates(before, manifest.refs, work.parents, work.reaches)
    yield from snapshot_events(manifest, updates, hdfs_path(archive.store, manifest.repo, manifest.dirname))


def spool(values: Iterable[bytes], out: IO[bytes]) -> None:
    """Writes `values`, each with its length (4 bytes, little-endian) before it."""
    for value in values:
        out.write(_LENGTH.pack(len(value)))
        out.write(value)


def spooled(source: IO[bytes]) -> Iterator[bytes]:
    """What :func:`spool` wrote."""
    while head := source.read(_LENGTH.size):
        yield source.read(_LENGTH.unpack(head)[0])
