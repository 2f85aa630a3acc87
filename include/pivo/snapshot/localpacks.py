"""Pack and index files on the local disk: what a thin pack builds on, many packs as one, and an index taken apart.

Formats: git's gitformat-pack(5), index version 2. What a pack's objects say of their places is relative, so the bodies
of packs can stand one after another under one header; git then indexes many packs at the cost of one.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import struct
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from pivo.errors import ArchiveError
from pivo.snapshot.summary import ids

_TOGETHER = 500_000  # objects of packs that are joined: their ids are held in memory
_STEP = 1 << 20
_HEADER, _TRAILER = 12, 20
_FANOUT_AT, _NAMES_AT = 8, 8 + 1024
_REF_DELTA = 7
_FAR = 0x80000000  # offsets from here on are in a table of their own


class Slice(NamedTuple):
    """Where a pack's objects lie in a pack that was joined of several: from `start` up to `end`."""

    start: int
    end: int


class LocalIndex:
    """A local index of version 2, mapped; ArchiveError when it is cut short."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._fanout = struct.unpack(">256L", self._map[_FANOUT_AT:_NAMES_AT])
        self.count: int = self._fanout[255]
        self._crcs = _NAMES_AT + 20 * self.count
        self._offsets = self._crcs + 4 * self.count
        self._far = self._offsets + 4 * self.count
        if len(self._map) < self._far + 40:
            raise ArchiveError(f"{path} is shorter than its table.", "Verify the archive.")

    def __enter__(self) -> LocalIndex:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self._map.close()

    def name(self, position: int) -> bytes:
        return self._map[_NAMES_AT + 20 * position : _NAMES_AT + 20 * position + 20]

    def crc(self, position: int) -> bytes:
        return self._map[self._crcs + 4 * position : self._crcs + 4 * position + 4]

    def offset(self, position: int) -> int:
        at: int = struct.unpack_from(">L", self._map, self._offsets + 4 * position)[0]
        if at & _FAR:
            at = struct.unpack_from(">Q", self._map, self._far + 8 * (at & ~_FAR))[0]
        return at

    def __contains__(self, oid: bytes) -> bool:
        low, high = self._fanout[oid[0] - 1] if oid[0] else 0, self._fanout[oid[0]]
        at = bisect_left(range(high), oid, lo=low, key=self.name)
        return at < high and self.name(at) == oid

    def split(self, slices: Sequence[Slice]) -> list[array[int]]:
        """The positions of the objects in each slice, ordered by their names. `slices` are in order."""
        starts = [s.start for s in slices]
        found = [array("L") for _ in slices]
        for position in range(self.count):
            offset = self.offset(position)
            number = bisect_right(starts, offset) - 1
            if number >= 0 and offset < slices[number].end:
                found[number].append(position)
        return found

    def write(self, positions: Sequence[int], shift: int, checksum: bytes, out: Path) -> None:
        """The index, as git would write it, of a pack of only those objects, each `shift` bytes nearer its start."""
        digest = hashlib.sha1(usedforsecurity=False)
        fanout, far = [0] * 256, []
        for position in positions:
            fanout[self.name(position)[0]] += 1
        for byte in range(1, 256):
            fanout[byte] += fanout[byte - 1]

        def near(position: int) -> bytes:
            offset = self.offset(position) - shift
            if offset < _FAR:
                return offset.to_bytes(4, "big")
            far.append(offset.to_bytes(8, "big"))
            return (_FAR | len(far) - 1).to_bytes(4, "big")

        with out.open("wb") as file:

            def put(data: bytes) -> None:
                digest.update(data)
                file.write(data)

            put(b"\xfftOc\0\0\0\2" + struct.pack(">256L", *fanout))
            for column in (self.name, self.crc, near):
                for at in range(0, len(positions), 4096):
                    put(b"".join(map(column, positions[at : at + 4096])))
            put(b"".join(far) + checksum)
            file.write(digest.digest())


def count_objects(pack: Path) -> int:
    """How many objects a local pack holds, by its header."""
    with pack.open("rb") as file:
        return int.from_bytes(file.read(_HEADER)[8:], "big")


def checksum(pack: Path) -> bytes:
    """The SHA-1 at the end of a local pack."""
    with pack.open("rb") as file:
        file.seek(-_TRAILER, os.SEEK_END)
        return file.read()


def bases(pack: Path) -> set[str]:
    """The ids of the objects that a thin pack's deltas build on and that it does not hold; its index is beside it."""
    found: set[bytes] = set()
    with LocalIndex(pack.with_suffix(".idx")) as index, pack.open("rb") as file:
        for position in range(index.count):
            raw = os.pread(file.fileno(), 32 + 20, index.offset(position))
            if not raw or (raw[0] >> 4) & 7 != _REF_DELTA:
                continue
            at = next((n for n, byte in enumerate(raw) if not byte & 0x80), len(raw)) + 1
            name = raw[at : at + 20]
            if len(name) == 20 and name not in found and name not in index:
                found.add(name)
        return {name.hex() for name in found}


def groups(packs: Sequence[Path]) -> list[list[Path]]:
    """The packs in groups to be joined, in order: git resolves no deltas on an object that a stream has twice, nor on
    one that it has and that git can also find elsewhere.

    Their indexes are beside them.
    """
    made: list[tuple[list[Path], set[bytes], set[bytes]]] = []
    for pack in packs:
        own, needed = set(ids(pack.with_suffix(".idx"))), set(map(bytes.fromhex, bases(pack)))
        for group, there, elsewhere in made:
            apart = there.isdisjoint(own | needed) and elsewhere.isdisjoint(own)
            if apart and len(own) + len(there) <= _TOGETHER:
                group.append(pack)
                there |= own
                elsewhere |= needed
                break
        else:
            made.append(([pack], own, needed))
    return [group for group, _, _ in made]


def slices(packs: Sequence[Path]) -> list[Slice]:
    """Where each pack's objects lie in what :func:`joined` makes of them."""
    found, at = [], _HEADER
    for pack in packs:
        size = pack.stat().st_size - _HEADER - _TRAILER
        found.append(Slice(at, at + size))
        at += size
    return found


def joined(packs: Sequence[Path]) -> Iterator[bytes]:
    """The bytes of one pack with the objects of all `packs`, thin if one of them is."""
    digest = hashlib.sha1(usedforsecurity=False)
    header = b"PACK" + struct.pack(">LL", 2, sum(map(count_objects, packs)))
    digest.update(header)
    yield header
    for pack in packs:
        left = pack.stat().st_size - _HEADER - _TRAILER
        with pack.open("rb") as file:
            file.seek(_HEADER)
            while left > 0 and (block := file.read(min(_STEP, left))):
                left -= len(block)
                digest.update(block)
                yield block
    yield digest.digest()
