"""What a manifest tells of a pack's objects, so that a reader opens only the packs that can hold an object.

A summary is a table of fingerprints: the ids' first bits choose one of about as many buckets as there are objects, and
the next twelve are kept; deflated and in base64, some fifteen bits an object. One in 3,000 objects that are not in a
pack seems to be. Every manifest has those of small packs, as most nights' are. A larger one's is in the manifest of the
snapshot that brought it, and, unless it is large, in those of snapshots that consolidate: one read gives all of a year.
"""

from __future__ import annotations

import base64
import zlib
from array import array
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from pivo.errors import ArchiveError

SMALL = 256
"""Objects up to which a pack's summary is in every manifest."""

LARGE = 8192
"""Objects above which a pack is large: only the manifest of its own snapshot has its summary."""

_BITS = 18  # of a bucket's number, at most: of a pack of more objects than fit there, the index is asked
_MOST_BYTES = 5 << _BITS
_FULL = 255  # objects of a bucket that can be counted
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
    """The summary of the pack with that index; empty where it would not be worth its bytes, or a bucket is full."""
    with index.open("rb") as file:
        file.seek(_NAMES_AT - 4)
        count = int.from_bytes(file.read(4), "big")
    bits = count.bit_length() - 1
    if not 0 <= bits <= _BITS:
        return ""
    counts, prints, rests = bytearray(1 << bits), bytearray(), bytearray((count + 1) // 2)
    for number, oid in enumerate(ids(index)):
        bucket, fingerprint = _place(oid, bits)
        if counts[bucket] == _FULL:  # somebody has made objects for it
            return ""
        counts[bucket] += 1
        prints.append(fingerprint >> 4)
        rests[number >> 1] |= (fingerprint & 15) << (4 * (number & 1))
    return base64.b64encode(zlib.compress(bytes([bits]) + counts + prints + rests, 9)).decode()


def may_hold(summary: str, begin: bytes) -> bool:
    """Whether the pack of `summary` can hold an object whose id begins with `begin`."""
    table = _table(summary) if summary else None
    if table is None:
        return True
    if 8 * len(begin) < table.bits + 12:
        first, last = (_place(begin + fill * 8, table.bits)[0] for fill in (b"\0", b"\xff"))
        return table.starts[last + 1] > table.starts[first]
    bucket, fingerprint = _place(begin, table.bits)
    return any(table.at(number) == fingerprint for number in range(table.starts[bucket], table.starts[bucket + 1]))


def hidden(summary: str, oids: Iterable[bytes]) -> list[bytes]:
    """Those of a pack's objects that its summary says it does not hold."""
    return [oid for oid in oids if not may_hold(summary, oid)]


class _Table(NamedTuple):
    bits: int
    starts: array[int]  # where each bucket's fingerprints begin; one more at the end
    prints: bytes  # the first eight bits of each
    rests: bytes  # the other four, of two in a byte

    def at(self, number: int) -> int:
        return self.prints[number] << 4 | self.rests[number >> 1] >> (4 * (number & 1)) & 15


def _place(oid: bytes, bits: int) -> tuple[int, int]:
    """The bucket of an id (its first eight bytes will do), and its fingerprint."""
    head = int.from_bytes(oid[:8].ljust(8, b"\0"), "big")
    return head >> (64 - bits), head >> (52 - bits) & 0xFFF


@lru_cache(maxsize=64)
def _table(summary: str) -> _Table | None:
    """None for one that cannot be read: it excludes nothing."""
    try:
        raw = zlib.decompressobj().decompress(base64.b64decode(summary), _MOST_BYTES)
    except (ValueError, zlib.error):
        return None
    if not raw or raw[0] > _BITS:
        return None
    at = 1 + (1 << raw[0])
    starts = array("L", accumulate(raw[1:at], initial=0))
    end = at + starts[-1]
    table = _Table(raw[0], starts, raw[at:end], raw[end:])
    return table if len(starts) == at and len(table.rests) == (starts[-1] + 1) // 2 else None
