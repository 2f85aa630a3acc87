"""The manifests of one repository, read in order: each whole and in its place, each quoting the one before it.

What they say of packs and refs is gathered on the way, for the checks of files and objects. Manifests are read
a few at a time and let go, so that thousands of snapshots with many refs need little memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime

from pivo.errors import ArchiveError, NotFound
from pivo.findings import Finding
from pivo.models import CLAIM_DIR, SNAPSHOT_DIR, LfsObject, Manifest, StoredPack
from pivo.removed import Removed
from pivo.snapshot import manifest as manifests
from pivo.snapshot.archive import Archive, SnapshotId
from pivo.store import Entry
from pivo.verify.reading import Reading
from pivo.verify.witness import Witness

_AHEAD = 8  # snapshots that are read at once
_HASH = re.compile(r"[0-9a-f]{40}")


@dataclass
class Chain:
    """What the manifests of a repository say, and what is wrong with them.

    `packs` are all packs by folder and id, `last_packs` those that the newest manifest names, `lfs` the git LFS objects
    by folder; `listed` the files of each folder; `tips` every object that a ref, a
    HEAD or a lost tip of any snapshot names, with who named it first; `peeled` what tags must lead to. `trusted`
    are the folders whose own manifest is whole. `replaced` tells by key which pack consolidation put in a pack's place,
    `removed` what retention is said to have removed, and by which folder; `excused` what may be missing.
    """

    repo: str
    findings: list[Finding] = field(default_factory=list)
    packs: dict[str, dict[str, StoredPack]] = field(default_factory=dict)
    lfs: dict[str, tuple[LfsObject, ...]] = field(default_factory=dict)
    listed: dict[str, dict[str, Entry]] = field(default_factory=dict)
    last_packs: tuple[StoredPack, ...] = ()
    tips: dict[str, tuple[str, str]] = field(default_factory=dict)
    peeled: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    trusted: set[str] = field(default_factory=set)
    replaced: dict[str, str] = field(default_factory=dict)
    removed: dict[str, tuple[str, Removed]] = field(default_factory=dict)
    excused: frozenset[str] = frozenset()
    snapshots: int = 0
    bytes: int = 0
    last_seq: int = 0
    last_dirname: str = ""
    last_sha256: str = ""

    def found(self, snapshot: str, file: str, kind: str, detail: str) -> None:
        self.findings.append(Finding(self.repo, snapshot, file, kind, detail))


@dataclass(frozen=True)
class _Read:
    """One snapshot as it lies there: its files, and its manifest's bytes or why there are none."""

    id: SnapshotId
    entries: dict[str, Entry]
    raw: bytes | None
    problem: tuple[str, str] = ("", "")


def walk(archive: Archive, reading: Reading, repo: str, witness: Witness) -> Chain:
    """Reads the whole chain of `repo`. Unavailable when the archive does not answer."""
    chain = Chain(repo)
    ids = archive.snapshots(repo)
    previous: SnapshotId | None = None
    taken: datetime | None = None
    for read in _ahead(archive, reading, repo, ids):
        dirname = read.id.dirname
        chain.snapshots += 1
        chain.listed[dirname] = read.entries
        _number(chain, previous, read.id)
        if read.raw is None:
            chain.found(dirname, manifests.NAME, *read.problem)
            previous, chain.last_seq, chain.last_sha256 = read.id, read.id.seq, ""
            continue
        chain.bytes += len(read.raw)
        digest = manifests.digest(read.raw)
        manifest = _parsed(chain, read)
        if manifest is not None:
            chain.trusted.add(dirname)
            _linked(chain, manifest, previous)
            witness.compare(manifest, digest, chain.found)
            if taken is not None and manifest.taken_at < taken:
                chain.found(dirname, manifests.NAME, "manifest", "says that it was taken before the one before it")
            taken = manifest.taken_at
            _gather(chain, manifest)
        previous, chain.last_seq, chain.last_sha256 = read.id, read.id.seq, digest
    there = {i.dirname for i in ids}
    for dirname in sorted(witness.dirnames - there):
        chain.found(dirname, "", "missing", "was published, as the index knows, and is not in the archive")
    return chain


def strays(archive: Archive, repo: str) -> list[Finding]:
    """What lies in a repository's folder and is neither a snapshot, nor one being published, nor a repository."""
    found = []
    for entry in _entries(archive, repo):
        if SNAPSHOT_DIR.match(entry.name) or CLAIM_DIR.match(entry.name):
            if not entry.is_dir:
                found.append(Finding(repo, "", entry.name, "foreign", "is a file where a snapshot's folder should be"))
            continue
        inside = _entries(archive, f"{repo}/{entry.name}") if entry.is_dir else []
        nested = all(e.is_dir and (SNAPSHOT_DIR.match(e.name) or CLAIM_DIR.match(e.name)) for e in inside)
        if not entry.is_dir or not nested or "/" in repo:
            found.append(Finding(repo, "", entry.name, "foreign", "is not part of any snapshot"))
    return found


def _entries(archive: Archive, path: str) -> list[Entry]:
    try:
        return archive.store.list(path)
    except NotFound:
        return []


def _ahead(archive: Archive, reading: Reading, repo: str, ids: list[SnapshotId]) -> Iterator[_Read]:
    with ThreadPoolExecutor(_AHEAD) as pool:
        for at in range(0, len(ids), _AHEAD):
            yield from pool.map(lambda i: _read(archive, reading, repo, i), ids[at : at + _AHEAD])


def _read(archive: Archive, reading: Reading, repo: str, which: SnapshotId) -> _Read:
    entries = {e.name: e for e in _entries(archive, archive.path(repo, which.dirname))}
    listed = entries.get(manifests.NAME)
    try:
        path = archive.path(repo, which.dirname, manifests.NAME)
        return _Read(which, entries, reading.whole(path, listed.size if listed else None))
    except NotFound:
        return _Read(which, entries, None, ("missing", "is not in the archive"))
    except ArchiveError as err:
        return _Read(which, entries, None, ("unreadable", f"cannot be read: {err.what}"))


def _number(chain: Chain, previous: SnapshotId | None, this: SnapshotId) -> None:
    """That the numbers count from 1 without a hole."""
    expected = previous.seq + 1 if previous else 1
    if this.seq > expected:
        gap = f"number {expected}" if this.seq == expected + 1 else f"numbers {expected} to {this.seq - 1}"
        chain.found("", "", "chain", f"has no snapshot of {gap}, before {this.dirname}")
    elif previous and this.seq == previous.seq:
        chain.found(this.dirname, "", "chain", f"has the number of {previous.dirname}")


def _parsed(chain: Chain, read: _Read) -> Manifest | None:
    """The manifest, if its bytes can be trusted as far as itself can tell."""
    assert read.raw is not None
    dirname = read.id.dirname
    try:
        manifest = manifests.load(read.raw, f"{chain.repo}/{dirname}/{manifests.NAME}")
    except ArchiveError as err:
        chain.found(dirname, manifests.NAME, "manifest", f"cannot be used: {err.what}")
        return None
    if manifest.dirname != dirname:
        chain.found(dirname, manifests.NAME, "manifest", f"says that it is {manifest.dirname}")
        return None
    return manifest


def _linked(chain: Chain, manifest: Manifest, previous: SnapshotId | None) -> None:
    """That the manifest is of this repository and quotes the one before it."""
    dirname, before = manifest.dirname, manifest.previous
    if manifest.repo != chain.repo:
        chain.found(dirname, manifests.NAME, "manifest", f"says that it is of {manifest.repo}")
    if manifest.object_format != "sha1":
        chain.found(dirname, manifests.NAME, "manifest", f"is of the object format {manifest.object_format!r}")
    if previous is None:
        if manifest.seq == 1 and before is not None:
            chain.found(dirname, manifests.NAME, "chain", f"is the first, and quotes {before.snapshot}")
    elif manifest.seq > previous.seq + 1:
        pass  # the hole in the numbers is told by itself
    elif before is None:
        chain.found(dirname, manifests.NAME, "chain", f"does not quote {previous.dirname}, which is before it")
    elif before.snapshot != previous.dirname:
        told = f"quotes {before.snapshot}, but {previous.dirname} is before it"
        chain.found(dirname, manifests.NAME, "chain", told)
    elif before.manifest_sha256 != chain.last_sha256 and previous.dirname in chain.trusted:
        told = f"does not have the SHA-256 that {dirname} quotes: one of the two was replaced"
        chain.found(previous.dirname, manifests.NAME, "chain", told)


def _gather(chain: Chain, manifest: Manifest) -> None:
    dirname = manifest.dirname
    chain.last_packs, chain.last_dirname = manifest.packs, dirname
    if manifest.replaces and manifest.own_packs:
        chain.replaced.update(dict.fromkeys(manifest.replaces, manifest.own_packs[0].key))
    for entry in manifest.removed:
        chain.removed.setdefault(entry.key, (dirname, entry))
    if manifest.lfs:
        chain.lfs[dirname] = manifest.lfs
    for pack in manifest.packs:
        known = chain.packs.setdefault(pack.snapshot, {}).setdefault(pack.id, pack)
        if replace(pack, summary=known.summary) != known or pack.summary not in ("", known.summary):
            chain.found(dirname, manifests.NAME, "manifest", f"says other things of {pack.file_name} than earlier ones")
        at = 0
        for segment in pack.segments:
            at = at + segment.length if segment.offset == at else -1
        if pack.segments and at != pack.size:
            chain.found(dirname, manifests.NAME, "manifest", f"has segments that do not make up {pack.file_name}")
    for ref in manifest.refs:
        chain.tips.setdefault(ref.target, (dirname, ref.name))
        if ref.peeled:
            chain.tips.setdefault(ref.peeled, (dirname, ref.name))
            chain.peeled.setdefault(ref.target, (ref.peeled, dirname, ref.name))
    if manifest.head.strip("0"):
        chain.tips.setdefault(manifest.head, (dirname, "HEAD"))
    for oid in manifest.lost:
        chain.tips.setdefault(oid, (dirname, "a lost tip"))
    for oid in [o for o in (manifest.head, *manifest.lost) if not _HASH.fullmatch(o)]:
        chain.found(dirname, manifests.NAME, "manifest", f"names {oid[:60]!r}, which is no object's hash")
        chain.tips.pop(oid, None)
