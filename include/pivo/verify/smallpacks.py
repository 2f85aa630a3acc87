"""Many small packs, a night's each, and thin ones: read first, then hashed by one git for all that go together.

An index-pack costs about as much as hashing some megabytes; packs joined into one stream cost one (snapshot/
localpacks.py). Of the index that git makes of it, each pack's own part must be the index that is stored.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pivo.models import StoredPack
from pivo.snapshot.localpacks import groups
from pivo.snapshot.thin import floors
from pivo.verify.reading import Expected, Problem, Reading
from pivo.verify.shallow import File
from pivo.verify.summaries import Told

SMALL = 4 << 20
"""Bytes up to which a pack is small: an index-pack costs about as much as hashing that."""

MANY = 8
"""Small packs from which on they are proven together."""


@dataclass(frozen=True)
class Read:
    """A pack that has the bytes of its manifest, at `path`; `indexed` says so of the index beside it."""

    path: Path
    stored: StoredPack
    indexed: bool


def collected(files: Iterable[File]) -> frozenset[str]:
    """The keys of the packs to read before they are proven: thin ones, and small ones when there are many."""
    packs = [f.pack for f in files if f.pack]
    small = {p.key for p in packs if p.size <= SMALL}
    thin = {p.key for p in packs if p.thin}
    return frozenset(thin | small if len(small) >= MANY else thin)


@dataclass
class SmallPacks:
    """Reads packs of those `keys` into `folder`."""

    reading: Reading
    folder: Path
    keys: frozenset[str]
    read: dict[str, Read] = field(default_factory=dict)

    def has(self, file: File) -> bool:
        """Whether `file` is one of theirs."""
        return file.pack is not None and file.pack.key in self.keys

    def check(self, file: File, want: Expected) -> list[Problem]:
        """Reads a file; what is wrong with its bytes."""
        pack = file.pack
        assert pack
        told = Told(pack)
        # Two snapshots may have brought the same pack.
        path = self.folder / f"{pack.snapshot}-{pack.pack_name}"
        with path.open("wb") as out, path.with_suffix(".idx").open("wb") as index:
            problems = self.reading.check(want, out.write, told.both(index.write))
        if all(kind == "idx" for kind, _ in problems):
            self.read[pack.key] = Read(path, pack, not problems)
        else:
            path.unlink()
        return problems or told.problems()

    def together(self, first: Collection[str]) -> list[list[Read]]:
        """What was read, in groups to be proven at once: before a pack what it builds on, those of `first` apart."""
        found: list[list[Read]] = []
        stored = [r.stored for r in self.read.values()]
        thin = [{p.key for p in floor} for floor in floors(stored)]
        for floor in ({p.key for p in stored if not p.thin}, *thin):
            for early in (True, False):
                some = [r for k, r in self.read.items() if k in floor and (k in first) == early]
                by_path = {r.path: r for r in some if r.indexed}
                found += [[by_path[path] for path in group] for group in groups(sorted(by_path))]
                found += [[r] for r in some if not r.indexed]
        return found
