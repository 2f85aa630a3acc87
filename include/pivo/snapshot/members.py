"""Which of a pack's objects were another pack's: what is left of a pack that was removed after it was replaced.

The places of its ids in the sorted ids of the pack that holds them now: the steps from each to the next (four bytes,
little-endian), deflated, in base64.
"""

from __future__ import annotations

import base64
import hashlib
import struct
import zlib
from bisect import bisect_left
from collections.abc import Sequence

from pivo.errors import ArchiveError
from pivo.models import StoredPack
from pivo.store import Store

_NAMES_AT = 8 + 1024  # of an index of version 2, gitformat-pack(5)


def encode(part: Sequence[bytes], whole: Sequence[bytes]) -> str:
    """The places of `part` in `whole`, both sorted ids; ArchiveError when one is not in it."""
    steps, at = [], -1
    for oid in part:
        place = bisect_left(whole, oid, at + 1)
        if place == len(whole) or whole[place] != oid:
            raise ArchiveError(f"Object {oid.hex()} is not in the pack that replaces its own.", "Verify the archive.")
        steps.append(place - at)
        at = place
    return base64.b64encode(zlib.compress(struct.pack(f"<{len(steps)}I", *steps), 9)).decode()


def decode(text: str, whole: Sequence[bytes]) -> list[bytes]:
    """The ids at the places that `text` tells, sorted; ArchiveError when it tells none."""
    try:
        raw = zlib.decompressobj().decompress(base64.b64decode(text, validate=True), 4 * len(whole) + 4)
        steps = struct.unpack(f"<{len(raw) // 4}I", raw)
    except (ValueError, zlib.error, struct.error) as err:
        raise ArchiveError(f"What a removed pack held cannot be read: {err}.", "Verify the archive.") from None
    found, at = [], -1
    for step in steps:
        at += step
        if not step or at >= len(whole):
            raise ArchiveError("What a removed pack held is told wrongly.", "Verify the archive.")
        found.append(whole[at])
    return found


def digest(ids: Sequence[bytes]) -> str:
    """SHA-256 (hex) of sorted ids."""
    return hashlib.sha256(b"".join(ids)).hexdigest()


def stored_ids(store: Store, repo: str, pack: StoredPack) -> list[bytes]:
    """The sorted ids of a pack in the archive; ArchiveError when its index is not what was archived."""
    path = f"{repo}/{pack.snapshot}/{pack.file_name}"
    raw = store.read(path, pack.size, pack.idx_size)
    if hashlib.sha256(raw).hexdigest() != pack.idx_sha256:
        raise ArchiveError(f"The index in {path} is damaged.", "Verify the archive.")
    count = int.from_bytes(raw[_NAMES_AT - 4 : _NAMES_AT], "big")
    return [raw[at : at + 20] for at in range(_NAMES_AT, _NAMES_AT + 20 * count, 20)]
