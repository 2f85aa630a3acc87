"""Objects too large for memory: inflated as a stream, their deltas applied from file to file.

The format of a delta is git's gitformat-pack(5): two sizes, then instructions, each a copy of a run of the base's bytes
or an insertion of bytes that follow.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import IO

from pivo.errors import ArchiveError
from pivo.snapshot.packs import PackFile, Piece

LARGE = 16 << 20
"""Bytes from which an object, or anything that it is made of, is not held in memory."""

_STEP = 1 << 20


def body(pieces: Sequence[tuple[PackFile, Piece]]) -> Iterator[bytes]:
    """The object that `pieces` make (each a delta against the next but the last), in parts of up to a megabyte.

    Takes disk for the base and the result where there are deltas. ArchiveError when a delta is damaged; whether the
    whole is what it should be, only its hash tells.
    """
    pack, piece = pieces[-1]
    if len(pieces) == 1:
        yield from pack.inflated(piece)
        return
    with ExitStack() as files:
        base = files.enter_context(tempfile.TemporaryFile())
        for data in pack.inflated(piece):
            base.write(data)
        for pack, piece in reversed(pieces[:-1]):
            made = files.enter_context(tempfile.TemporaryFile())
            _apply(_Instructions(pack.inflated(piece)), base, made)
            base.close()
            base = made
        base.seek(0)
        while data := base.read(_STEP):
            yield data


class _Instructions:
    """A delta's bytes, some at a time."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._buffer = b""
        self._at = 0

    def more(self) -> bool:
        """Whether any are left."""
        while self._at == len(self._buffer):
            piece = next(self._pieces, None)
            if piece is None:
                return False
            self._buffer, self._at = piece, 0
        return True

    def byte(self) -> int:
        if not self.more():
            raise _damaged()
        self._at += 1
        return self._buffer[self._at - 1]

    def take(self, size: int) -> bytes:
        out = b""
        while len(out) < size:
            if not self.more():
                raise _damaged()
            part = self._buffer[self._at : self._at + size - len(out)]
            self._at += len(part)
            out += part
        return out

    def number(self) -> int:
        """Seven bits a byte, the lowest first."""
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value

    def bits(self, which: int, places: int) -> int:
        """A number of up to `places` bytes; `which` has a bit for each that is not zero."""
        return sum(self.byte() << 8 * n for n in range(places) if which >> n & 1)


def _apply(delta: _Instructions, base: IO[bytes], made: IO[bytes]) -> None:
    base.flush()
    if delta.number() != base.seek(0, 2):
        raise _damaged()
    size = delta.number()
    while delta.more():
        code = delta.byte()
        if code & 0x80:
            offset, left = delta.bits(code & 15, 4), delta.bits(code >> 4 & 7, 3) or 0x10000
            base.seek(offset)
            while left:
                data = base.read(min(left, _STEP))
                if not data:
                    raise _damaged()
                made.write(data)
                left -= len(data)
        elif code:
            made.write(delta.take(code))
        else:  # reserved
            raise _damaged()
    if made.tell() != size:
        raise _damaged()


def _damaged() -> ArchiveError:
    return ArchiveError("A delta of a large object is damaged.", "Verify the archive; another snapshot may hold it.")
