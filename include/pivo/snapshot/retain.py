"""Retention: which replaced packs may go, and the snapshot that says that they do."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from pivo import __version__
from pivo.errors import ArchiveError
from pivo.models import Manifest, Previous, StoredPack
from pivo.removed import Removed
from pivo.snapshot import manifest as manifests
from pivo.snapshot.archive import Archive
from pivo.snapshot.members import digest, encode, stored_ids
from pivo.snapshot.publish import Upload
from pivo.store import INCOMING, Store


@dataclass(frozen=True)
class Candidate:
    """A pack that may be removed, and the one that holds its objects and stays."""

    pack: StoredPack
    successor: StoredPack


@dataclass(frozen=True)
class Replaced:
    """The packs of a repository: all by key, which one replaced which and when (by two clocks), what is recorded."""

    newest: Manifest
    packs: dict[str, StoredPack] = field(default_factory=dict)
    by: dict[str, tuple[str, datetime, datetime]] = field(default_factory=dict)
    removed: dict[str, Removed] = field(default_factory=dict)

    def candidates(self, days: int, now: datetime, store_now: datetime) -> list[Candidate]:
        """What both clocks say was replaced `days` or more ago, no reader needs, and nothing that is left builds on."""
        age, needed = timedelta(days=days), {p.key for p in self.newest.packs}
        left = self.packs.keys() - self.removed.keys()
        chosen = {
            key
            for key, (_, told, stored) in self.by.items()
            if key in left and key not in needed and now - told >= age and store_now - stored >= age
        }
        while bases := {base for key in left - chosen for base in self.packs[key].bases} & chosen:
            chosen -= bases
        found = []
        for key in sorted(chosen):
            last = self.by[key][0]
            while last in chosen or last in self.removed:
                last = self.by[last][0]
            found.append(Candidate(self.packs[key], self.packs[last]))
        return found

    def leftovers(self, store: Store) -> list[StoredPack]:
        """Packs on record as removed, of which the file is still there: whoever removed them was interrupted."""
        packs = [self.packs[key] for key in sorted(self.removed)]
        return [p for p in packs if store.stat(f"{self.newest.repo}/{p.snapshot}/{p.file_name}")]


def survey(archive: Archive, repo: str) -> Replaced:
    """Reads all manifests of a repository."""
    found = Replaced(archive.require(repo))
    for snapshot in archive.snapshots(repo):
        manifest = archive.manifest(repo, snapshot.dirname)
        found.packs.update((p.key, p) for p in manifest.packs)
        found.removed.update((r.key, r) for r in manifest.removed)
        if manifest.replaces:
            (own,) = manifest.own_packs
            file = archive.store.stat(archive.path(repo, manifest.dirname, own.file_name))
            # Where the pack that replaced them was removed itself, its manifest lies beside it.
            file = file or archive.store.stat(archive.path(repo, manifest.dirname, manifests.NAME))
            if file is None:
                raise ArchiveError(f"{own.key} is not in the archive.", "Nothing was removed; verify the archive.")
            written = datetime.fromtimestamp(file.modified, UTC)
            found.by.update((key, (own.key, manifest.taken_at, written)) for key in manifest.replaces)
    return found


def store_clock(store: Store) -> datetime:
    """What time it is where the archive lies: when it says that a folder was made just now."""
    path = f"{INCOMING}/{uuid.uuid4().hex}"
    store.mkdirs(path)
    try:
        made = store.stat(path)
    finally:
        store.delete(path)
    if made is None:
        raise ArchiveError(f"{path} was made and is not there.", "Nothing was removed; look at the archive.")
    return datetime.fromtimestamp(made.modified, UTC)


def entries(store: Store, repo: str, chosen: Sequence[Candidate], policy: str, by: str) -> tuple[Removed, ...]:
    """The records of what is to be removed; ArchiveError when an object of one is not in its successor."""
    now, found, last = datetime.now(UTC), [], ("", list[bytes]())
    for one in sorted(chosen, key=lambda c: (c.successor.key, c.pack.key)):
        if one.successor.key != last[0]:
            last = one.successor.key, stored_ids(store, repo, one.successor)
        ids = stored_ids(store, repo, one.pack)
        found.append(
            Removed(
                one.pack.key,
                one.pack.sha256,
                one.pack.idx_sha256,
                one.successor.key,
                digest(ids),
                encode(ids, last[1]),
                policy,
                now,
                by,
            )
        )
    return tuple(found)


def record(archive: Archive, newest: Manifest, sha256: str, removed: tuple[Removed, ...]) -> Manifest:
    """Publishes the snapshot that says so: the same refs and packs as `newest`, whose manifest has that SHA-256.

    ArchiveConflict when another writer published meanwhile; nothing changed then.
    """
    now, seq = datetime.now(UTC), newest.seq + 1
    manifest = replace(
        newest,
        seq=seq,
        taken_at=max(now.replace(microsecond=now.microsecond // 1000 * 1000), newest.taken_at),
        previous=Previous(newest.dirname, sha256),
        commits=0,
        replaces=(),
        tool=f"pivo {__version__}",
        lfs=(),
        removed=removed,
        removed_in=(*newest.removed_in, f"{seq:06d}-{newest.head[:12]}"),
    )
    upload = Upload(archive.store)
    try:
        upload.publish(manifest)
    except BaseException:
        upload.discard()
        raise
    return manifest
