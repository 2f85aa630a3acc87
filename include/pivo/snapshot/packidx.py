"""A pack and its index in one file of the archive, `pack-<id>.packidx`: the pack's bytes, then the index's.

One file is one inode and one block less for the NameNode. Git reads the pack off a pipe, and stops where it ends.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from pivo.errors import ArchiveError
from pivo.models import StoredPack
from pivo.store import Store

Sink = Callable[[bytes], object]


class Splitter:
    """Tells the parts of a file apart as its bytes pass: hands each part's to its sink, and hashes them.

    `sizes` are the parts' bytes; what comes after the last part is taken for its own.
    """

    def __init__(self, sizes: Sequence[int], sinks: Sequence[Sink | None] = ()) -> None:
        self._sizes = sizes
        self._sinks = sinks
        self._digests = [hashlib.sha256() for _ in sizes]
        self._got = [0] * len(sizes)
        self._at = 0

    def update(self, block: bytes) -> None:
        """The next bytes."""
        view = memoryview(block)
        while view:
            left = self._sizes[self._at] - self._got[self._at]
            last = self._at == len(self._sizes) - 1
            if not left and not last:
                self._at += 1
                continue
            piece = view if last else view[:left]
            self._digests[self._at].update(piece)
            self._got[self._at] += len(piece)
            sink = self._sinks[self._at] if self._sinks else None
            if sink:
                sink(block if len(piece) == len(block) else bytes(piece))
            view = view[len(piece) :]

    @property
    def parts(self) -> list[tuple[int, str]]:
        """The bytes that each part had so far, and their SHA-256 (hex)."""
        return [(got, digest.hexdigest()) for got, digest in zip(self._got, self._digests, strict=True)]


def told(pack: StoredPack) -> list[tuple[int, str]]:
    """What :attr:`Splitter.parts` must be for `pack` by its manifest."""
    return [(pack.size, pack.sha256), (pack.idx_size, pack.idx_sha256)]


def copy_out(store: Store, repo: str, pack: StoredPack, into: Path) -> None:
    """Writes a pack and its index into the local folder `into`, as the two files that git reads.

    ArchiveError when they are not what was archived; an OSError of the local disk comes through.
    """
    at = f"{repo}/{pack.snapshot}/{pack.file_name}"
    with (into / pack.pack_name).open("wb") as body, (into / pack.idx_name).open("wb") as index:
        parts = Splitter((pack.size, pack.idx_size), (body.write, index.write))
        for block in store.stream(at):
            parts.update(block)
    if parts.parts != told(pack):
        raise ArchiveError(
            f"{at} is damaged: its SHA-256 is not the manifest's.",
            "`pivo verify` tells what else is wrong; another snapshot may hold the same objects.",
        )
