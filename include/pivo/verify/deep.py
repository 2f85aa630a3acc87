"""Every object: each pack is streamed through `git index-pack`, and git walks from every ref and every lost tip.

git computes the hash of every object of a pack from its bytes, a thin pack's with what it builds on, and writes the
index that belongs to it; the stored index must have the same bytes. Packs that pass lie in a temporary repository
then, in which the walk is done. The temporary repository needs as much disk as the packs; memory is git's, two
streams', and the list of tips.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pivo.errors import StackError
from pivo.models import StoredPack
from pivo.progress import Progress, silent
from pivo.snapshot import manifest as manifests
from pivo.snapshot.archive import Archive
from pivo.snapshot.localpacks import LocalIndex, bases, checksum, count_objects, joined, slices
from pivo.verify import shallow
from pivo.verify.chain import Chain
from pivo.verify.gitproof import Pack, Repository, sha256
from pivo.verify.hashing import Hashed, hash_pack, taken_in
from pivo.verify.reading import Expected, Problem, Reading
from pivo.verify.report import Verified
from pivo.verify.shallow import File
from pivo.verify.smallpacks import Read, SmallPacks, collected
from pivo.verify.witness import Witness

_STREAMS = 2  # packs at once: each has a git beside it, which has threads of its own
_MANY_PACKS = 8  # from here on a multi-pack index saves more than it costs
_NAMED = 20  # missing objects that are named; the others are counted
_SEARCHED = 50  # snapshots that are walked one by one to tell which one misses an object first


def verify(
    archive: Archive,
    repo: str,
    scratch: Path,
    environment: Mapping[str, str],
    witness: Witness | None = None,
    progress: Progress = silent,
    hashed: Sequence[Hashed] = (),
) -> Verified:
    """Re-reads every object of a repository, and proves that every tip of every snapshot leads to nothing but those.

    `scratch` is a local folder for the temporary repository; `hashed` are packs that were read before, which lie on the
    same disk (hashing.py) and are moved into it. Unavailable when the archive does not answer,
    StackError when there is no room or no git.
    """
    began = time.monotonic() - sum(h.seconds for h in hashed)  # all that it took, though not one after another
    reading = Reading(archive.store)
    chain = shallow.begin(archive, reading, repo, witness or Witness())
    wanted = shallow.files(chain)
    _room(scratch, sum(f.size for f in wanted) - sum(h.pack.size for h in hashed if h.file))
    with tempfile.TemporaryDirectory(prefix="verify-", dir=scratch, ignore_cleanup_errors=True) as folder:
        repository, small = Repository(Path(folder) / "packs.git", environment), Path(folder) / "small"
        small.mkdir()
        done = {h.pack.key: h for h in hashed}
        proof = _Proof(chain, reading, repository, SmallPacks(reading, small, collected(wanted)), done)
        size = shallow.read_all(chain, wanted, proof.check, _STREAMS, progress)
        proof.take_small()
        progress("walking the history", 0, None)
        _connect(chain, proof.repository)
        _suffice(chain, proof)
    return shallow.close(chain, "deep", began, len(wanted), size, proof.objects)


def _room(scratch: Path, size: int) -> None:
    scratch.mkdir(parents=True, exist_ok=True)
    free = os.statvfs(scratch)
    if size > free.f_bavail * free.f_frsize:
        raise StackError(
            f"{scratch} has no room for {size:,} bytes of packs, which a deep verification puts there.",
            "Free space there, or move PIVO_STAGING.",
        )


@dataclass
class _Proof:
    """Takes the packs of one repository into git, several at a time."""

    chain: Chain
    reading: Reading
    repository: Repository
    few: SmallPacks
    apart: Mapping[str, Hashed]
    objects: int = 0
    taken: dict[str, Pack] = field(default_factory=dict)  # by a stored pack's key; several may be in one

    def check(self, file: File, want: Expected) -> list[Problem]:
        """What is wrong with a file."""
        if self.few.has(file):
            return self.few.check(file, want)
        if file.pack is None:
            return self.reading.check(want)
        problems, pack = taken_in(self.apart.get(file.pack.key), self.repository, want) or hash_pack(
            self.reading, self.repository, file.pack, want
        )
        if any(kind not in ("idx", "summary") for kind, _ in problems):  # other bytes than were published
            return problems
        if pack.failure:
            self._failed(file.pack, pack)
        else:
            self._indexed(file.pack, pack, pack.objects, pack.idx_sha256())
        return problems

    def take_small(self) -> None:
        """Takes the packs in that were read before: as many at once as can be, else each by itself."""
        for group in self.few.together({p.key for p in self.chain.last_packs}):
            group = [read for read in group if self._founded(read)]
            if group and not self._together(group):
                for read in group:
                    self._together([read])

    def _founded(self, read: Read) -> bool:
        """Whether a thin pack's base is here, and has all that the pack builds on."""
        stored = read.stored
        wanted = bases(read.path) if read.indexed else set()
        for key in stored.bases:
            base, small = self.taken.get(key), self.few.read.get(key)
            if base is None:  # which is what is found
                return False
            assert base.file
            # Where it was joined to others, git's index is of all of them.
            own = small.path if small and small.indexed else base.file
            with LocalIndex(own.with_suffix(".idx")) as index:
                wanted = {oid for oid in wanted if bytes.fromhex(oid) not in index}
        if wanted and stored.thin:
            named = " or ".join(stored.bases)
            told = f"builds on {min(wanted)}, which is not in its base, {named} ({len(wanted):,} such objects)"
            self.chain.found(stored.snapshot, stored.file_name, "pack", told)
        return not (wanted and stored.thin)

    def _together(self, group: list[Read]) -> bool:
        """Lets git hash the objects of packs; whether it had nothing against them. What it has against one is found."""
        paths = [read.path for read in group]
        with self.repository.receive(thin=group[0].stored.thin) as pack:
            for block in joined(paths):
                pack.write(block)
        if pack.failure:
            if len(group) == 1:
                self._failed(group[0].stored, pack)
            return False
        assert pack.file
        made = self.few.folder / "made.idx"
        with LocalIndex(pack.file.with_suffix(".idx")) as index:
            whole = slices(paths)
            for read, slice_, own in zip(group, whole, index.split(whole), strict=True):
                index.write(own, slice_.start - whole[0].start, checksum(read.path), made)
                self._indexed(read.stored, pack, count_objects(read.path), sha256(made))
        return True

    def _failed(self, stored: StoredPack, pack: Pack) -> None:
        told = f"has the bytes of its manifest and is no whole pack; git: {pack.failure}"
        self.chain.found(stored.snapshot, stored.file_name, "pack", told)

    def _indexed(self, stored: StoredPack, pack: Pack, objects: int, idx_sha256: str) -> None:
        """After git has indexed a pack that has the bytes of its manifest, and `objects` of its own."""
        if idx_sha256 != stored.idx_sha256:
            told = "has by its manifest another index than git makes of its pack"
            self.chain.found(stored.snapshot, stored.file_name, "idx", told)
        self.objects += objects
        self.taken[stored.key] = pack
        if objects != stored.objects:
            told = f"has {objects:,} objects, and its manifest says {stored.objects:,}"
            self.chain.found(stored.snapshot, stored.file_name, "pack", told)

    def only(self, packs: Iterable[StoredPack]) -> bool:
        """Leaves only `packs` in the repository; whether there were others."""
        wanted = {p.key for p in packs}
        kept = {self.taken[key].file for key in wanted & self.taken.keys()}
        other = [pack for key, pack in self.taken.items() if key not in wanted and pack.file not in kept]
        for pack in other:
            pack.drop()
        if other:
            self.repository.disjoin()
        return bool(other)


def _suffice(chain: Chain, proof: _Proof) -> None:
    """That the newest snapshot's packs alone have everything: a consolidation may have left something out."""
    if any(f.kind in {"object", "pack"} for f in chain.findings) or not proof.only(chain.last_packs):
        return
    proof.repository.join(_MANY_PACKS)
    names, count = proof.repository.missing(chain.tips, _NAMED)
    for oid in names:
        told = f"names packs that lack {oid}, which only earlier packs have ({count:,} such objects)"
        chain.found(chain.last_dirname, manifests.NAME, "object", told)


def _connect(chain: Chain, repository: Repository) -> None:
    """That every tip is there, leads where its manifest says, and to objects that are there."""
    repository.join(_MANY_PACKS)
    kinds = repository.kinds(chain.tips)
    for oid, (snapshot, name) in chain.tips.items():
        if kinds[oid] is None:
            chain.found(snapshot, manifests.NAME, "object", f"{name} leads to {oid}, which is in no whole pack")
    for oid, (wanted, snapshot, name) in chain.peeled.items():
        told = kinds[oid]
        if told is not None and told[1] != wanted:
            chain.found(snapshot, manifests.NAME, "ref", f"{name} leads to {told[1]}, and its manifest says {wanted}")
    for oid, (snapshot, name) in chain.tips.items():
        told = kinds[oid]
        if name == "HEAD" and told is not None and told[0] != "commit":
            chain.found(snapshot, manifests.NAME, "ref", f"HEAD leads to a {told[0]}")
    there = [oid for oid, told in kinds.items() if told is not None]
    names, count = repository.missing(there, _NAMED)
    if count:
        snapshot = _first_without(chain, repository, there)
        for oid in names:
            chain.found(snapshot, "", "object", f"its history leads to {oid}, which is in no whole pack")
        if count > len(names):
            chain.found(snapshot, "", "object", f"{count - len(names):,} more objects of its history are in no pack")


def _first_without(chain: Chain, repository: Repository, there: list[str]) -> str:
    """The first snapshot that brought a tip from which objects are missing; empty when that takes too long to say."""
    by_snapshot: dict[str, list[str]] = {}
    for oid in there:
        by_snapshot.setdefault(chain.tips[oid][0], []).append(oid)
    for snapshot in sorted(by_snapshot)[:_SEARCHED]:
        if repository.missing(by_snapshot[snapshot], 1)[1]:
            return snapshot
    return ""
