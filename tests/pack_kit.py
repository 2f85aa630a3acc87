"""Packs that git has made, put into a snapshot's folder as the archive holds them."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from pivo.models import Segment, StoredPack


def join(pack: Path, dirname: str = "", segment: int = 0) -> StoredPack:
    """Makes one file of `pack-<id>.pack` and its index where they lie; what a manifest says of it.

    `dirname` is the snapshot's folder, by default the name of the one that it lies in; `segment` the bytes of one.
    """
    index = pack.with_suffix(".idx")
    stored = told(pack.read_bytes(), index.read_bytes(), pack.stem[-40:], dirname or pack.parent.name, segment)
    (pack.parent / stored.file_name).write_bytes(pack.read_bytes() + index.read_bytes())
    pack.unlink()
    index.unlink()
    return stored


def told(body: bytes, index: bytes, identity: str, dirname: str, segment: int = 0) -> StoredPack:
    """What a manifest says of a pack with that index."""
    step = segment or len(body)
    segments = tuple(
        Segment(at, len(body[at : at + step]), hashlib.sha256(body[at : at + step]).hexdigest())
        for at in range(0, len(body), step)
    )
    sums = [hashlib.sha256(x).hexdigest() for x in (body, index)]
    count = int.from_bytes(body[8:12], "big")
    return StoredPack(dirname, identity, len(body), sums[0], len(index), sums[1], count, segments)


def parts(path: Path, stored: StoredPack) -> tuple[bytes, bytes]:
    """The pack's and the index's bytes of a file of the archive."""
    raw = path.read_bytes()
    return raw[: stored.size], raw[stored.size :]


def replaced(path: Path, stored: StoredPack, body: bytes | None = None, index: bytes | None = None) -> StoredPack:
    """Puts another pack or index into a file of the archive; what a manifest says of it then."""
    old = parts(path, stored)
    new = (old[0] if body is None else body, old[1] if index is None else index)
    path.chmod(0o644)
    path.write_bytes(b"".join(new))
    made = told(*new, stored.id, stored.snapshot)
    return replace(made, level=stored.level, summary=stored.summary, bases=stored.bases)
