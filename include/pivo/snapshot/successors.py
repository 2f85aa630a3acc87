"""Where the objects of removed packs are now: older manifests name them, and are never written again."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pivo.errors import ArchiveError
from pivo.models import Manifest, StoredPack
from pivo.removed import Removed
from pivo.snapshot.members import decode, stored_ids
from pivo.store import Store

Load = Callable[[str], Manifest]
"""Gives the manifest of a snapshot of the repository, by its folder's name."""


class Successors:
    """The removed packs of a repository, of which the newest manifest has `removed_in`. Files may still be there."""

    def __init__(self, load: Load, removed_in: Iterable[str]) -> None:
        self._load = load
        self.removed: dict[str, Removed] = {r.key: r for dirname in removed_in for r in load(dirname).removed}

    def packs(self, packs: Iterable[StoredPack]) -> tuple[StoredPack, ...]:
        """`packs` with those that hold the objects of removed ones in their place, and what these build on."""
        found: dict[str, StoredPack] = {}
        for pack in packs:
            last = self.standing(pack)
            found[last.key] = last
        left = list(found.values())
        while left:
            pack = left.pop()
            for base in pack.bases:
                if base not in found:  # it was made later, on a pack that came later
                    if base in self.removed:
                        raise ArchiveError(f"{pack.key} builds on {base}, which was removed.", "Verify the archive.")
                    found[base] = self._pack(base)
                    left.append(found[base])
        return tuple(sorted(found.values(), key=lambda p: p.snapshot))

    def standing(self, pack: StoredPack) -> StoredPack:
        """The pack that holds the objects of `pack` and was not removed; ArchiveError when there is none."""
        seen = set()
        while entry := self.removed.get(pack.key):
            if pack.key in seen:
                raise ArchiveError(f"{pack.key} was removed, and is said to replace itself.", "Verify the archive.")
            seen.add(pack.key)
            pack = self._pack(entry.successor)
        return pack

    def ids(self, store: Store, repo: str, pack: StoredPack) -> list[bytes]:
        """The sorted ids of what `pack` holds, or held. ArchiveError when nothing can tell."""
        entry = self.removed.get(pack.key)
        if entry is None:
            return stored_ids(store, repo, pack)
        self.standing(pack)  # that it ends
        return decode(entry.members, self.ids(store, repo, self._pack(entry.successor)))

    def _pack(self, key: str) -> StoredPack:
        for pack in self._load(key.partition("/")[0]).packs:
            if pack.key == key:
                return pack
        raise ArchiveError(f"The manifest of {key} does not name that pack.", "Verify the archive.")
