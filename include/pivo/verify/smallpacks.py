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

SMALL = 4 << 20
"""Bytes up to which a pack is small: an index-pack costs about as much as hashing that."""

MANY = 8
"""Small packs from which on they are proven together."""


def small(files: Iterable[File]) -> dict[str, StoredPack]:
    """The packs to prove together, by their file's name; none when there are few."""
    found: dict[str, StoredPack] = {}
    for file in files:
        if file.pack and file.size <= SMALL:
            found.setdefault(file.name, file.pack)
    return found if len(found) >= MANY else {}


@dataclass
class SmallPacks:
    """Collects small packs and their indices in `repository`, which has nothing else."""

    reading: Reading
    repository: Repository
    packs: dict[str, StoredPack]
    bad: set[str] = field(default_factory=set)  # names of packs that are not whole, or whose index is not
    read: dict[str, StoredPack] = field(default_factory=dict)  # packs that have the bytes of their manifest

    def has(self, file: File) -> bool:
        """Whether `file` is one of theirs: a pack of the same name in another snapshot is not."""
        pack = self.packs.get(_pack_name(file.name))
        return pack is not None and pack.snapshot == file.snapshot

    def check(self, file: File, want: Expected) -> list[Problem]:
        """Reads a file into the repository; what is wrong with its bytes."""
        with (self.repository.packs / file.name).open("wb") as out:
            problems = self.reading.check(want, out.write)
        if problems:
            self.bad.add(_pack_name(file.name))
        elif file.pack:
            self.read[file.name] = file.pack
        return problems

    def proven(self) -> dict[str, Pack]:
        """The packs that git has nothing against, in their place; empty where it has something against any."""
        paths = [self.repository.packs / name for name in self.packs if name not in self.bad]
        if not paths or self.bad or not all(p.exists() and p.with_suffix(".idx").exists() for p in paths):
            return {}
        return {p.name: Pack.opened(p) for p in paths} if self.repository.whole() else {}

    def pieces(self, name: str) -> Iterator[bytes]:
        """The bytes of a pack that was read."""
        with (self.repository.packs / name).open("rb") as file:
            while block := file.read(1 << 20):
                yield block


def _pack_name(name: str) -> str:
    return name.removesuffix(".idx") + ".pack" if name.endswith(".idx") else name
