"""What a manifest tells of a small pack's objects, so that a reader opens only the packs that can hold an object.

A summary is a set of 65,536 bits, one for each beginning of two bytes that an object id can have, deflated and in
base64: some hundred characters for a night. Of ids that are not in a pack of `LIMIT` objects, one in nine seems to be.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from pivo.errors import ArchiveError

LIMIT = 8192  # objects; the index of a larger pack is asked itself
_BYTES = 65_536 // 8
_FANOUT_AT, _NAMES_AT = 8, 8 + 1024  # of an index of version 2, gitformat-pack(5)


def ids(index: Path) -> Iterator[bytes]:
    """The object ids (20 bytes, sorted) of a local index of version 2; ArchiveError when it is cut short."""
    with index.open("rb") as file:
        file.seek(_NAMES_AT - 4)
        left = int.from_bytes(file.read(4), "big")
        while left:
            names = file.read(20 * min(left, 4096))
            if not names or len(names) % 20:
                raise ArchiveError(f"{index} is shorter than its table.", "Verify the archive.")
            left -= len(names) // 20
            for at in range(0, len(names), 20):
                yield names[at : at + 20]


def summarise(index: Path) -> str:
    """The summary of the pack with that index; empty for one of more than `LIMIT` objects."""
    with index.open("rb") as file:
        file.seek(_NAMES_AT - 4)
        if int.from_bytes(file.read(4), "big") > LIMIT:
            return ""
    bits = bytearray(_BYTES)
    for oid in ids(index):
        bits[(oid[0] << 8 | oid[1]) >> 3] |= 1 << (oid[1] & 7)
    return base64.b64encode(zlib.compress(bytes(bits), 9)).decode()


def may_hold(summary: str, begin: bytes) -> bool:
    """Whether the pack of `summary` can hold an object whose id begins with `begin` (two bytes at least)."""
    if not summary or len(begin) < 2:
        return True
    return bool(_bits(summary)[(begin[0] << 8 | begin[1]) >> 3] & 1 << (begin[1] & 7))


@lru_cache(maxsize=256)
def _bits(summary: str) -> bytes:
    try:
        bits = zlib.decompressobj().decompress(base64.b64decode(summary), _BYTES)
    except (ValueError, zlib.error):
        bits = b""
    # One that cannot be read excludes nothing.
    return bits if len(bits) == _BYTES else b"\xff" * _BYTES
