"""A pack and its index, read by ranges where they lie.

Formats: git's gitformat-pack(5), index version 2. A lookup reads the fan-out table once, then the block of names
that the id falls into; an object is inflated from its offset, and its delta chain followed.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Lock
from typing import NamedTuple

from dulwich.errors import ApplyDeltaError
from dulwich.pack import apply_delta

from pivo.errors import ArchiveError
from pivo.snapshot.blocks import BLOCK, RangeFile

_STEP = 1 << 20  # bytes read at once when a whole file is
_FANOUT_AT, _NAMES_AT = 8, 8 + 1024
_KINDS = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}
_OFS_DELTA, _REF_DELTA = 6, 7
_CHAIN_LIMIT = 10_000  # git's own packs stay below 4,096 (pack.depth); more is damage


class PackIndex:
    """Looks object ids up in an index of version 2."""

    def __init__(self, file: RangeFile) -> None:
        self._file = file
        self._fanout: tuple[int, ...] | None = None

    @property
    def at_hand(self) -> bool:
        """Whether it was asked before."""
        return self._fanout is not None

    @property
    def fanout(self) -> tuple[int, ...]:
        if self._fanout is None:
            head = self._file.read(0, _NAMES_AT)
            if len(head) < _NAMES_AT or head[:8] != b"\xfftOc\x00\x00\x00\x02":
                raise ArchiveError(f"{self._file.path} is no pack index of version 2.", "Verify the archive.")
            fanout = struct.unpack(">256L", head[_FANOUT_AT:])
            # Names, checksums, and offsets of 4 bytes each, then two trailing checksums.
            if sorted(fanout) != list(fanout) or _NAMES_AT + 28 * fanout[255] + 40 > self._file.size:
                raise self.damaged()
            self._fanout = fanout
        return self._fanout

    def damaged(self) -> ArchiveError:
        return ArchiveError(
            f"{self._file.path} is damaged.", "Verify the archive; another snapshot may hold the same objects."
        )

    def verify(self, sha256: str) -> None:
        """Reads the whole index; ArchiveError when it is not what the manifest's `sha256` says."""
        seen = hashlib.sha256()
        for offset in range(0, self._file.size, _STEP):
            seen.update(self._file.read(offset, _STEP))
        if seen.hexdigest() != sha256:
            raise self.damaged()

    def __len__(self) -> int:
        return self.fanout[255]

    def _name(self, position: int) -> bytes:
        return self._file.read(_NAMES_AT + 20 * position, 20)

    def _lower_bound(self, wanted: bytes) -> int:
        """The first position whose name is not below `wanted` (up to 20 bytes)."""
        low = self.fanout[wanted[0] - 1] if wanted[0] else 0
        high = self.fanout[wanted[0]]
        while (high - low) * 20 > BLOCK:
            middle = (low + high) // 2
            if self._name(middle) < wanted:
                low = middle + 1
            else:
                high = middle
        names = self._file.read(_NAMES_AT + 20 * low, 20 * (high - low))
        return low + bisect_left(range(high - low), wanted, key=lambda i: names[20 * i : 20 * i + 20])

    def find(self, oid: bytes) -> int | None:
        """The offset of object `oid` (20 bytes) in the pack, or None."""
        position = self._lower_bound(oid)
        if position >= len(self) or self._name(position) != oid:
            return None
        return self._offset(position)

    def _offset(self, position: int) -> int:
        count = len(self)
        table = _NAMES_AT + 24 * count
        (offset,) = struct.unpack(">L", self._file.read(table + 4 * position, 4))
        if offset & 0x80000000:
            raw = self._file.read(table + 4 * count + 8 * (offset & 0x7FFFFFFF), 8)
            if len(raw) < 8:
                raise self.damaged()
            (offset,) = struct.unpack(">Q", raw)
        return int(offset)

    def with_prefix(self, prefix: str) -> list[str]:
        """All ids (hex) that begin with the hex digits `prefix`, one at least."""
        low = bytes.fromhex(prefix + "0" * (len(prefix) % 2))
        found: list[str] = []
        position = self._lower_bound(low)
        while position < len(self):
            name = self._name(position).hex()
            if not name.startswith(prefix):
                break
            found.append(name)
            position += 1
        return found


class Piece(NamedTuple):
    """Where deflated bytes begin in a pack, and how many they are when inflated."""

    start: int
    size: int


@dataclass(frozen=True)
class _Delta:
    data: bytes
    offset: int


Elsewhere = Callable[[bytes], tuple[str, bytes]]
"""Type and body of the object of an id (20 bytes) that a thin pack's delta builds on."""


class PackFile:
    """Inflates objects out of a pack; keeps the bases that it met, at most `base_limit` bytes.

    `elsewhere` has the bases that a thin pack does not hold itself.
    """

    def __init__(
        self, file: RangeFile, index: PackIndex, elsewhere: Elsewhere | None = None, base_limit: int = 16 << 20
    ) -> None:
        self._file = file
        self._index = index
        self._elsewhere = elsewhere
        self._bases: OrderedDict[int, tuple[str, bytes]] = OrderedDict()
        self._base_limit = base_limit
        self._held = 0
        self._lock = Lock()

    def read(self, offset: int) -> tuple[str, bytes]:
        """The type and body of the object at `offset`; ArchiveError when the bytes there are damaged."""
        try:
            return self._read(offset)
        except (ApplyDeltaError, IndexError, ValueError, struct.error) as err:
            raise self._damaged(offset) from err

    def kind(self, offset: int) -> str:
        """The type of the object at `offset`, found without inflating anything."""
        at = offset
        for _ in range(_CHAIN_LIMIT):
            code, _size, start = self._header(at)
            if code in _KINDS:
                return _KINDS[code]
            base, _start = self._base(code, at, start)
            if isinstance(base, bytes):
                return self._from_elsewhere(base, offset)[0]
            at = base
            if at <= 0:
                break
        raise self._damaged(offset)

    def size(self, offset: int) -> int:
        """Bytes of the object at `offset`, found without inflating more than a delta's beginning."""
        code, size, start = self._header(offset)
        if code in _KINDS:
            return size
        _base, start = self._base(code, offset, start)
        try:
            # Deflated data may begin with some 300 bytes of tables.
            head = zlib.decompressobj().decompress(self._file.read(start, 1024), 20)
        except zlib.error as err:
            raise self._damaged(offset) from err
        # Two numbers of seven bits a byte, the lowest first: the base's bytes, and the object's.
        sizes = [0, 0]
        number = shift = 0
        for byte in head:
            sizes[number] |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                number, shift = number + 1, 0
                if number == 2:
                    return sizes[1]
        raise self._damaged(offset)

    def chain(self, offset: int) -> tuple[list[Piece], str | bytes]:
        """What the object at `offset` is made of, its own piece first: all but the last are deltas against the next.

        And its type; or, when the last is a delta too, the id of the base that a thin pack does not hold itself.
        """
        pieces: list[Piece] = []
        at = offset
        while len(pieces) <= _CHAIN_LIMIT and at > 0:
            code, size, start = self._header(at)
            if code in _KINDS:
                return [*pieces, Piece(start, size)], _KINDS[code]
            base, start = self._base(code, at, start)
            pieces.append(Piece(start, size))
            if isinstance(base, bytes):
                return pieces, base
            at = base
        raise self._damaged(offset)

    def inflated(self, piece: Piece) -> Iterator[bytes]:
        """A piece's bytes as they are inflated, never all at once."""
        inflater, at, got = zlib.decompressobj(), piece.start, 0
        try:
            while not inflater.eof:
                raw = inflater.unconsumed_tail
                if not raw:
                    raw = self._file.read(at, _STEP)
                    at += len(raw)
                    if not raw:
                        raise self._damaged(piece.start)
                data = inflater.decompress(raw, _STEP)
                got += len(data)
                if got > piece.size:  # damage must not inflate without limit
                    raise self._damaged(piece.start)
                yield data
        except zlib.error as err:
            raise self._damaged(piece.start) from err
        if got != piece.size:
            raise self._damaged(piece.start)

    def _read(self, offset: int) -> tuple[str, bytes]:
        deltas: list[_Delta] = []
        at = offset
        while True:
            kept = self._kept(at)
            if kept:
                kind, body = kept
                break
            code, size, start = self._header(at)
            if code in _KINDS:
                kind, body = _KINDS[code], self._inflate(start, size)
                self._keep(at, kind, body)
                break
            base, start = self._base(code, at, start)
            deltas.append(_Delta(self._inflate(start, size), at))
            if isinstance(base, bytes):
                kind, body = self._from_elsewhere(base, offset)
                break
            if len(deltas) > _CHAIN_LIMIT or base <= 0:
                raise self._damaged(offset)
            at = base
        for delta in reversed(deltas):
            body = b"".join(apply_delta(body, delta.data))
            self._keep(delta.offset, kind, body)
        return kind, body

    def _header(self, at: int) -> tuple[int, int, int]:
        """Type code, inflated size, and where the rest begins."""
        raw = self._file.read(at, 32)
        if not raw:
            raise self._damaged(at)
        byte = raw[0]
        code, size, shift, used = (byte >> 4) & 7, byte & 15, 4, 1
        while byte & 0x80:
            if used >= len(raw):
                raise self._damaged(at)
            byte = raw[used]
            size |= (byte & 0x7F) << shift
            shift, used = shift + 7, used + 1
        if code not in _KINDS and code not in (_OFS_DELTA, _REF_DELTA):
            raise self._damaged(at)
        return code, size, at + used

    def _from_elsewhere(self, name: bytes, offset: int) -> tuple[str, bytes]:
        if self._elsewhere is None:
            raise self._damaged(offset)
        return self._elsewhere(name)

    def _base(self, code: int, at: int, start: int) -> tuple[int | bytes, int]:
        """The offset of a delta's base, or its id where it is in another pack; and where the delta's data begins."""
        if code == _REF_DELTA:
            name = self._file.read(start, 20)
            if len(name) < 20:
                raise self._damaged(at)
            base = self._index.find(name)
            return (base if base is not None else name), start + 20
        raw = self._file.read(start, 16)
        if not raw:
            raise self._damaged(at)
        used = 1
        distance = raw[0] & 0x7F
        while raw[used - 1] & 0x80:
            if used >= len(raw):
                raise self._damaged(at)
            distance = ((distance + 1) << 7) | (raw[used] & 0x7F)
            used += 1
        return at - distance, start + used

    def _inflate(self, start: int, size: int) -> bytes:
        inflater = zlib.decompressobj()
        # Compressed text is rarely over its own size; most objects end within the first block.
        step = min(max(size // 2, 512), BLOCK)
        out: list[bytes] = []
        at, got = start, 0
        try:
            while not inflater.eof:
                raw = self._file.read(at, step)
                if not raw:
                    raise self._damaged(start)
                piece = inflater.decompress(raw, size - got + 1)  # damage must not inflate without limit
                out.append(piece)
                got += len(piece)
                at += len(raw)
                step = min(step * 4, 1 << 20)
                if got > size:
                    raise self._damaged(start)
        except zlib.error as err:
            raise self._damaged(start) from err
        if got != size:
            raise self._damaged(start)
        return b"".join(out)

    def _kept(self, offset: int) -> tuple[str, bytes] | None:
        with self._lock:
            found = self._bases.get(offset)
            if found:
                self._bases.move_to_end(offset)
            return found

    def _keep(self, offset: int, kind: str, body: bytes) -> None:
        if len(body) > self._base_limit // 4:
            return
        with self._lock:
            if offset in self._bases:
                return
            self._bases[offset] = (kind, body)
            self._held += len(body)
            while self._held > self._base_limit:
                _, (_, dropped) = self._bases.popitem(last=False)
                self._held -= len(dropped)

    def _damaged(self, offset: int) -> ArchiveError:
        return ArchiveError(
            f"{self._file.path} is damaged at byte {offset:,}.",
            "Verify the archive; another snapshot may hold the object.",
        )
