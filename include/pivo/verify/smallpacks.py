"""Many small packs, a night's each, proven by one `git fsck` instead of one `git index-pack` each.

`git fsck --full` hashes every object that an index names, at its place in the pack, and compares the checksums of all
parts; of its judgements only that on packs is asked. Where it has anything against one, each is indexed alone, which
names the pack.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pivo.models import StoredPack
from pivo.verify.gitproof import Pack, Repository
from pivo.verify.reading import Expected, Problem, Reading
from pivo.verify.shallow import File
from pivo.verify.summaries import Told

SMALL = 4 << 20
"""Bytes up to which a pack is small: an index-pack costs about as much as hashing that."""

MANY = 8
"""Small packs from which on they are proven together."""


def small(files: Iterable[File]) -> dict[str, StoredPack]:
    """The packs to prove together, by their file's name; none when there are few."""
    found: dict[str, StoredPack] = {}
    for file in files:
        if file.pack and file.pack.size <= SMALL:
            found.setdefault(file.name, file.pack)
    return found if len(found) >= MANY else {}


@dataclass
class SmallPacks:
    """Collects small packs and their indices in `repository`, which has nothing else."""

    reading: Reading
    repository: Repository
    packs: dict[str, StoredPack]
    bad: set[str] = field(default_factory=set)  # names of files that are not whole
    read: dict[str, StoredPack] = field(default_factory=dict)  # packs that have the bytes of their manifest

    def has(self, file: File) -> bool:
        """Whether `file` is one of theirs: a pack of the same name in another snapshot is not."""
        pack = self.packs.get(file.name)
        return pack is not None and pack.snapshot == file.snapshot

    def check(self, file: File, want: Expected) -> list[Problem]:
        """Reads a file into the repository; what is wrong with its bytes."""
        pack = self.packs[file.name]
        told = Told(pack)
        body, index = self.repository.packs / pack.pack_name, self.repository.packs / pack.idx_name
        with body.open("wb") as out, index.open("wb") as idx_out:
            problems = self.reading.check(want, out.write, told.both(idx_out.write))
        if problems:
            self.bad.add(file.name)
        if all(kind == "idx" for kind, _ in problems):
            self.read[file.name] = pack
        return problems or told.problems()

    def proven(self) -> dict[str, Pack]:
        """The packs that git has nothing against, in their place; empty where it has something against any."""
        if self.bad or self.read.keys() != self.packs.keys() or not self.repository.whole():
            return {}
        return {name: Pack.opened(self.repository.packs / pack.pack_name) for name, pack in self.packs.items()}

    def pieces(self, name: str) -> Iterator[bytes]:
        """The bytes of a pack that was read, by its file's name."""
        with (self.repository.packs / self.packs[name].pack_name).open("rb") as file:
            while block := file.read(1 << 20):
                yield block
