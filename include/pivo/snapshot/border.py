"""Where new history meets the archive: what git opens there is read from the archive and laid beside the new pack."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dulwich.objects import parse_tree

from pivo.snapshot.objects import ObjectReader

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
FOLDER = 0o40000
"""The mode of a tree in a tree."""

_AT_ONCE = 500  # pairs of trees that are compared together
_STREAMS = 8  # objects of the archive that are read at once

Bodies = Callable[[Iterable[str]], Iterator[tuple[str, bytes]]]
"""Id and body of each object that is there."""


class Border:
    """Lays archived objects, out of `known`, as loose ones into the folder `objects`.

    `here` are the trees that came, and `bodies` reads them.
    """

    def __init__(self, objects: Path, known: ObjectReader, here: Container[str], bodies: Bodies) -> None:
        self._objects = objects
        self._known = known
        self._here = here
        self._bodies = bodies
        self._laid: dict[str, Mapping[bytes, str]] = {EMPTY_TREE: {}}  # archived trees, and the trees in them

    def lay(self, oid: str, objects: Path | None = None) -> bytes:
        """Writes an archived object, or into another folder; gives its body."""
        kind, body = self._known.get(oid)
        loose = (objects or self._objects) / oid[:2] / oid[2:]
        if not loose.exists():
            loose.parent.mkdir(parents=True, exist_ok=True)
            loose.write_bytes(zlib.compress(f"{kind} {len(body)}\0".encode() + body, 0))
        return body

    def lay_between(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Lays the archived trees that git opens when it compares the first tree of each pair with the second.

        They are on both sides: the server sends no tree that the archive has, neither one that a commit leaves nor
        one that it goes back to. Of a pair of one tree, an empty commit's, git opens it all the same.
        """
        seen: set[tuple[str, str]] = set()
        left = list(pairs)
        with ThreadPoolExecutor(_STREAMS) as pool:
            while left:
                some = set(left[-_AT_ONCE:]) - seen
                del left[-_AT_ONCE:]
                seen |= some
                folders = self._folders({oid for pair in some for oid in pair}, pool)
                for old, new in some:
                    mine, theirs = folders[old], folders[new]
                    inner = ((mine.get(n, EMPTY_TREE), theirs.get(n, EMPTY_TREE)) for n in mine.keys() | theirs.keys())
                    left += [pair for pair in inner if pair[0] != pair[1]]

    def _folders(self, trees: set[str], pool: ThreadPoolExecutor) -> dict[str, Mapping[bytes, str]]:
        """The trees in each of some trees, by name. One that nobody has has none: the proof names it."""
        here, far = (sorted(oid for oid in trees if (oid in self._here) is came) for came in (True, False))
        new = [oid for oid in far if oid not in self._laid]
        self._laid.update(zip(new, pool.map(self._archived, new), strict=True))
        return {oid: _inner(body) for oid, body in self._bodies(here)} | {oid: self._laid[oid] for oid in far}

    def _archived(self, tree: str) -> Mapping[bytes, str]:
        return _inner(self.lay(tree)) if self._known.contains(tree) else {}


def _inner(tree: bytes) -> dict[bytes, str]:
    return {name: sha.decode() for name, mode, sha in parse_tree(tree, 20) if mode == FOLDER}
