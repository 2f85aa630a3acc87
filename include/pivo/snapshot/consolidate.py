"""Consolidation: a snapshot that adds nothing but one pack in the place of many small ones.

A night adds a pack, and the packs of a year are too many to look into. So when a reader would have `MOST` packs, most
nights' packs become one of the next level, and those of that level with them where there are less than `FAN`. What
outweighs them (the first snapshot, an import of many files) is left alone: the few largest nights are most of a year's
bytes. As late as that, and with one pack fewer each time: so few objects of the first year are written more than once
again, and the largest ones not at all.

The new pack is thin on whole ones (snapshot/thin.py) where that spares a fifth, else whole, and new ones build on it. A
pack that others build on stays until they are replaced too.

The new pack holds every object of those that it replaces, lost commits' too: nothing is judged by what refs reach.
The replaced packs stay where they are, and older manifests go on naming them; see retain.py for what may go.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pivo import __version__
from pivo.errors import ArchiveError, Unavailable
from pivo.models import Manifest, Previous, RepoName, StoredPack
from pivo.progress import Progress, silent
from pivo.snapshot import manifest as manifests
from pivo.snapshot.archive import Archive
from pivo.snapshot.objects import ObjectReader
from pivo.snapshot.publish import Upload, settle
from pivo.snapshot.repack import Repack
from pivo.store import Store

MOST = 40
"""Packs of a reader from which on some are consolidated."""

FAN = 16
"""Packs that become one, at least: with fewer, those of the next level are taken along."""

_HEAVY = 4
"""A pack of over a fourth of all smaller ones is not written again with them, unless too few are left."""

_log = logging.getLogger(__name__)


def due(manifest: Manifest) -> tuple[StoredPack, ...]:
    """The packs that should become one now, oldest first; none as long as a reader has few."""
    if len(manifest.packs) < MOST:
        return ()
    for heavy in range(_HEAVY, 0, -1):
        for level in range(1 + max(p.level for p in manifest.packs)):
            ready = sorted((p for p in manifest.packs if p.level <= level), key=lambda p: p.size)
            while ready and heavy * ready[-1].size > sum(p.size for p in ready[:-1]):
                ready.pop()
            chosen = _closed(manifest.packs, {p.key for p in ready})
            if len(chosen) >= FAN:
                return chosen
    return ()


def _closed(packs: Sequence[StoredPack], keys: set[str]) -> tuple[StoredPack, ...]:
    """Those of `keys` on which no other pack builds, nor one that stays for that."""
    while needed := keys & {key for p in packs if p.key not in keys for key in p.bases}:
        keys = keys - needed
    return tuple(p for p in packs if p.key in keys)


def consolidate(
    store: Store,
    repo: RepoName,
    *,
    scratch: Path,
    environment: Mapping[str, str],
    everything: bool = False,
    progress: Progress = silent,
) -> Manifest | None:
    """Publishes the consolidating snapshot that is due, or one of all packs with `everything`; None if there is
    nothing to do. `scratch` needs room for twice the packs; `environment` is what git runs in.

    ArchiveError when a pack is not what its manifest says; ArchiveConflict when another writer published meanwhile.
    In both cases nothing changed.
    """
    archive = Archive(store)
    settle(store, str(repo))
    previous = archive.require(repo)
    chosen = previous.packs if everything else due(previous)
    if len(chosen) < 2:
        return None
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="ingest-", dir=scratch, ignore_cleanup_errors=True) as folder:
        work = Repack(Path(folder) / "repack", environment)
        for number, pack in enumerate(chosen):
            progress("collecting packs", number, len(chosen))
            work.fetch(archive, previous.repo, pack)
        progress("repacking", 0, None)
        whole = [p for p in reversed(previous.packs) if p not in chosen and not p.thin]
        reader = ObjectReader(store, previous)
        made = work.repack(reader, whole)
        return _publish(archive, previous, reader, chosen, made, progress)


def _publish(
    archive: Archive,
    previous: Manifest,
    reader: ObjectReader,
    chosen: Sequence[StoredPack],
    made: tuple[Path, int, tuple[str, ...]],
    progress: Progress,
) -> Manifest:
    pack, count, bases = made
    seq = previous.seq + 1
    upload = Upload(archive.store)
    try:
        stored = upload.add(pack, f"{seq:06d}-{previous.head[:12]}", count, progress)
        stored = replace(stored, level=1 + max(p.level for p in chosen), bases=bases)
        last = max(place for place, p in enumerate(previous.packs) if p in chosen)
        stay = {p: replace(p, summary=reader.summary(p)) for p in previous.packs if p not in chosen}
        before, after = (
            [stay[p] for p in part if p in stay] for part in (previous.packs[:last], previous.packs[last:])
        )
        now = datetime.now(UTC)
        raw = archive.manifest_bytes(previous.repo, previous.dirname)
        if manifests.load(raw, previous.dirname) != previous:
            raise ArchiveError(
                f"The manifest of {previous.repo}/{previous.dirname} changed meanwhile.", "Verify the archive."
            )
        manifest = replace(
            previous,
            seq=seq,
            taken_at=max(now.replace(microsecond=now.microsecond // 1000 * 1000), previous.taken_at),
            packs=(*before, stored, *after),
            previous=Previous(previous.dirname, manifests.digest(raw)),
            commits=0,
            replaces=tuple(p.key for p in chosen),
            tool=f"pivo {__version__}",
            lfs=(),
            removed=(),
        )
        upload.publish(manifest)
    except BaseException:
        try:
            upload.discard()
        except Unavailable as err:  # what is in .incoming is not published, and is swept later
            _log.warning("could not remove %s: %s", upload.path, err)
        raise
    return manifest
