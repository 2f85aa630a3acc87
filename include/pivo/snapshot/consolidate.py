"""Consolidation: a snapshot that adds nothing but one pack in the place of many small ones.

A night adds a pack, and the packs of a year are too many to look into. So when `FAN` packs of one level have come
together, they are repacked into one of the next level; a pack that is larger than all others of its level together
(the first snapshot's, as a rule) is left alone. Each object is written once more per level, and a reader has less
than `FAN` packs a level.

The new pack holds every object of those that it replaces, lost commits' too: nothing is judged by what refs reach.
The replaced packs stay where they are, and older manifests go on naming them.
"""

from __future__ import annotations

import heapq
import logging
import subprocess
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
from pivo.snapshot.packidx import copy_out
from pivo.snapshot.publish import Upload, settle
from pivo.snapshot.summary import ids
from pivo.store import Store

FAN = 16  # packs of a level that become one of the next; three levels hold 16³ nights, over eleven years
_MEMORY = "64m"  # git's window and delta cache, per thread
_BIG = "32m"  # larger files are copied as they are, not held in memory

_log = logging.getLogger(__name__)


def due(manifest: Manifest) -> tuple[StoredPack, ...]:
    """The packs that should become one now, oldest first; none as long as a reader has few."""
    chosen: list[StoredPack] = []
    for level in range(1 + max((p.level for p in manifest.packs), default=0)):
        ready = sorted((p for p in manifest.packs if p.level == level), key=lambda p: p.size)
        while ready and ready[-1].size > sum(p.size for p in ready[:-1]):
            ready.pop()
        if len(ready) + bool(chosen) < FAN:
            break
        chosen += ready
    return tuple(p for p in manifest.packs if p in chosen)


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
        work = _Repack(Path(folder) / "repack", environment)
        for number, pack in enumerate(chosen):
            progress("collecting packs", number, len(chosen))
            work.fetch(archive, previous.repo, pack)
        progress("repacking", 0, None)
        made, count = work.repack(chosen)
        return _publish(archive, previous, chosen, made, count, progress)


def _publish(
    archive: Archive, previous: Manifest, chosen: Sequence[StoredPack], made: Path, count: int, progress: Progress
) -> Manifest:
    seq = previous.seq + 1
    upload = Upload(archive.store)
    try:
        stored = upload.add(made, f"{seq:06d}-{previous.head[:12]}", count, progress)
        stored = replace(stored, level=1 + max(p.level for p in chosen))
        last = max(place for place, p in enumerate(previous.packs) if p in chosen)
        after = previous.packs[last + 1 :]
        before = [p for p in previous.packs[: last + 1] if p not in chosen]
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
            replaces=tuple(f"{p.snapshot}/{p.id}" for p in chosen),
            tool=f"pivo {__version__}",
            lfs=(),
        )
        upload.publish(manifest)
    except BaseException:
        try:
            upload.discard()
        except Unavailable as err:  # what is in .incoming is not published, and is swept later
            _log.warning("could not remove %s: %s", upload.path, err)
        raise
    return manifest


class _Repack:
    """A temporary bare repository that holds some packs and makes one of them."""

    def __init__(self, path: Path, environment: Mapping[str, str]) -> None:
        self._path = path
        self._packs = path / "objects" / "pack"
        self._env = {
            "PATH": environment.get("PATH", ""),
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
        }
        subprocess.run(["git", "init", "--quiet", "--bare", "--template=", str(path)], env=self._env, check=True)

    def fetch(self, archive: Archive, repo: str, pack: StoredPack) -> None:
        """Copies a pack and its index out of the archive; ArchiveError when they are not what was archived."""
        try:
            copy_out(archive.store, repo, pack, self._packs)
        except OSError as err:
            raise _no_space(self._path) from err

    def repack(self, chosen: Sequence[StoredPack]) -> tuple[Path, int]:
        """One pack of all objects of those that were fetched, every object's hash computed again; and how many."""
        options = ("--delta-base-offset", f"--window-memory={_MEMORY}", "--threads=2", "--quiet")
        settings = ("-c", "pack.deltaCacheSize=" + _MEMORY, "-c", "core.bigFileThreshold=" + _BIG)
        made = self._git(
            *settings, "pack-objects", "--stdin-packs", *options, str(self._path / "pack"),
            stdin="".join(f"{p.pack_name}\n" for p in chosen).encode(),
        )  # fmt: skip
        pack = self._path / f"pack-{made.decode().strip()}.pack"
        self._git("verify-pack", str(pack.with_suffix(".idx")))
        return pack, self._compare(chosen, pack.with_suffix(".idx"))

    def _compare(self, chosen: Sequence[StoredPack], made: Path) -> int:
        """How many objects the packs hold together, by their sorted lists; ArchiveError when the new one lacks any."""
        new, at, count, last = ids(made), b"", 0, b""
        for oid in heapq.merge(*(ids(self._packs / p.idx_name) for p in chosen)):
            if oid == last:
                continue
            count, last = count + 1, oid
            while at < oid:
                at = next(new, b"\xff" * 21)
            if at != oid:
                raise ArchiveError(
                    f"git did not repack every object: {oid.hex()} and perhaps others are missing.",
                    "Nothing was consolidated; report this: it is a defect in PIVO or in git.",
                )
        return count

    def _git(self, *args: str, stdin: bytes | None = None) -> bytes:
        done = subprocess.run(
            ["git", "-C", str(self._path), *args], input=stdin, capture_output=True, env=self._env, check=False
        )
        if b"No space left" in done.stderr:
            raise _no_space(self._path)
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise ArchiveError(
                f"git could not repack: {said[-1] if said else 'it said nothing'}",
                "Nothing was consolidated; verify the archive.",
            )
        return done.stdout


def _no_space(path: Path) -> Unavailable:
    return Unavailable(
        f"There is no space left in {path.parent.parent} for consolidating.",
        "Free some, or set PIVO_STAGING to a larger folder; nothing was published.",
    )
