"""manifest.json.gz: what a snapshot says of itself, and the link to the one before it.

JSON with sorted keys, deflated: every snapshot names all packs and refs anew. Each carries a seal, the SHA-256 of its
file's bytes with the seal's digits as zeros: the last of a chain has no successor that would quote it. It stands in
the gzip header's comment, so that it covers every stored byte, the header's own as well; `zcat` and `hdfs dfs -text`
show the JSON.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from pivo.errors import ArchiveError
from pivo.models import LfsMissing, LfsObject, Manifest, Previous, Ref, Segment, StoredPack
from pivo.removed import Removed
from pivo.snapshot.summary import LARGE, SMALL

FORMAT = 2
"""Manifests with a pack that builds on several, or on a thin one; others are written as of format 1, as they were."""
NAME = "manifest.json.gz"

LIMIT = 64 << 20
"""Bytes of a manifest's JSON, at most: some 500,000 refs. What claims to be more is not inflated."""

# RFC 1952: deflate, with a comment, no time, best compression, unknown system; then `seal <SHA-256>`.
_HEAD = b"\x1f\x8b\x08\x10\0\0\0\0\x02\xffseal "
_UNSEALED = b"0" * 64
_BODY_AT = len(_HEAD) + 64 + 1


def dump(manifest: Manifest) -> bytes:
    """The manifest's file. ArchiveError when it would be over :data:`LIMIT`."""
    data = {
        "format": FORMAT if _floors(manifest.packs) else 1,
        "repo": manifest.repo,
        "seq": manifest.seq,
        "head": manifest.head,
        "head_ref": manifest.head_ref,
        "source": manifest.source,
        "taken_at": manifest.taken_at.astimezone(UTC).isoformat(timespec="milliseconds"),
        "refs": [
            {"name": r.name, "target": r.target, **({"peeled": r.peeled} if r.peeled else {})} for r in manifest.refs
        ],
        "packs": [_dump_pack(p, _summarised(manifest, p)) for p in manifest.packs],
        "previous": (
            {"snapshot": manifest.previous.snapshot, "manifest_sha256": manifest.previous.manifest_sha256}
            if manifest.previous
            else None
        ),
        "files": manifest.files,
        "commits": manifest.commits,
        "lost": list(manifest.lost),
        "object_format": manifest.object_format,
        "tool": manifest.tool,
        **({"replaces": list(manifest.replaces)} if manifest.replaces else {}),
        **({"symrefs": dict(manifest.symrefs)} if manifest.symrefs else {}),
        **_dump_lfs(manifest),
        **_dump_removed(manifest),
    }
    text = (json.dumps(data, sort_keys=True, indent=1, ensure_ascii=True) + "\n").encode()
    if len(text) > LIMIT:
        raise ArchiveError(
            f"The manifest of {manifest.repo} would have {len(text):,} bytes, and {LIMIT:,} are the most.",
            f"It has {len(manifest.refs):,} refs; archive fewer of them.",
        )
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = b"\0" + deflate.compress(text) + deflate.flush() + struct.pack("<LL", zlib.crc32(text), len(text))
    return _HEAD + digest(_HEAD + _UNSEALED + body).encode() + body


def sealed(raw: bytes) -> bool:
    """Whether a manifest's bytes are those that its seal was made of."""
    seal = raw[len(_HEAD) : _BODY_AT - 1]
    return raw.startswith(_HEAD) and digest(_HEAD + _UNSEALED + raw[_BODY_AT - 1 :]).encode() == seal


def text_of(raw: bytes) -> bytes:
    """The JSON of a manifest's bytes. ValueError when they are no whole gzip file, or more than :data:`LIMIT`."""
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        text = inflate.decompress(raw, LIMIT + 1)
    except zlib.error as err:
        raise ValueError(str(err)) from None
    if len(text) > LIMIT:
        raise ValueError(f"it inflates to more than {LIMIT:,} bytes")
    if not inflate.eof or inflate.unused_data:
        raise ValueError("it does not end where its gzip file ends")
    return text


def load(raw: bytes, where: str) -> Manifest:
    """Parses a manifest found at `where`; ArchiveError for one that is damaged or of a newer format."""
    try:
        data: dict[str, Any] = json.loads(text_of(raw))
        version = data["format"]
        if version not in range(1, FORMAT + 1):
            raise ArchiveError(
                f"{where} has manifest format {version}; this PIVO reads formats up to {FORMAT}.",
                "Use a newer PIVO to read it.",
            )
        if not sealed(raw):
            raise ArchiveError(
                f"{where} is damaged: its seal is that of other bytes.",
                "Restore from an earlier snapshot, and verify the archive.",
            )
        previous = data["previous"]
        return Manifest(
            repo=data["repo"],
            seq=int(data["seq"]),
            head=data["head"],
            head_ref=data["head_ref"],
            source=data["source"],
            taken_at=datetime.fromisoformat(data["taken_at"]),
            refs=tuple(Ref(r["name"], r["target"], r.get("peeled")) for r in data["refs"]),
            packs=_load_packs(data["packs"]),
            previous=Previous(previous["snapshot"], previous["manifest_sha256"]) if previous else None,
            files=int(data["files"]),
            commits=int(data["commits"]),
            lost=tuple(data["lost"]),
            object_format=data["object_format"],
            tool=data["tool"],
            replaces=tuple(data.get("replaces", ())),
            symrefs=tuple(sorted((str(name), str(to)) for name, to in data.get("symrefs", {}).items())),
            removed=tuple(map(_load_removed, data.get("removed", ()))),
            removed_in=tuple(data.get("removed_in", ())),
            lfs=tuple(LfsObject(str(o), int(n)) for o, n in data.get("lfs", ())),
            lfs_in=tuple(data.get("lfs_in", ())),
            lfs_missing=tuple(
                LfsMissing(m["oid"], int(m["size"]), m["why"], tuple(m["paths"])) for m in data.get("lfs_missing", ())
            ),
        )
    except (ValueError, KeyError, TypeError, RecursionError) as err:
        raise ArchiveError(
            f"{where} is damaged: {type(err).__name__}: {err}.",
            "Restore from an earlier snapshot, and verify the archive.",
        ) from err


def digest(raw: bytes) -> str:
    """SHA-256 (hex) of a manifest's bytes, as the next manifest's `previous` quotes it."""
    return hashlib.sha256(raw).hexdigest()


def _dump_lfs(manifest: Manifest) -> dict[str, Any]:
    """What a repository with git LFS has besides."""
    told = {
        "lfs": [[o.oid, o.size] for o in manifest.lfs],
        "lfs_in": list(manifest.lfs_in),
        "lfs_missing": [
            {"oid": m.oid, "size": m.size, "why": m.why, "paths": list(m.paths)} for m in manifest.lfs_missing
        ],
    }
    return {key: value for key, value in told.items() if value}


def _dump_removed(manifest: Manifest) -> dict[str, Any]:
    told = {
        "removed": [asdict(r) | {"at": r.at.astimezone(UTC).isoformat()} for r in manifest.removed],
        "removed_in": list(manifest.removed_in),
    }
    return {key: value for key, value in told.items() if value}


def _load_removed(data: dict[str, str]) -> Removed:
    return Removed(
        data["key"], data["sha256"], data["idx_sha256"], data["successor"], data["ids"], data["members"],
        data["policy"], datetime.fromisoformat(data["at"]), data["by"],
    )  # fmt: skip


def _summarised(manifest: Manifest, pack: StoredPack) -> bool:
    """Whether this manifest has a pack's summary; every night repeats it."""
    most = LARGE if manifest.replaces else SMALL
    return pack.snapshot == manifest.dirname or pack.objects <= most


def _dump_pack(pack: StoredPack, summarised: bool) -> dict[str, Any]:
    return {
        "snapshot": pack.snapshot,
        "id": pack.id,
        "size": pack.size,
        "sha256": pack.sha256,
        "idx_size": pack.idx_size,
        "idx_sha256": pack.idx_sha256,
        "objects": pack.objects,
        # Every night tells of every pack: what the rest says already is left out.
        **(
            {}
            if pack.segments == _whole(pack)
            else {"segments": [[s.offset, s.length, s.sha256] for s in pack.segments]}
        ),
        **({"level": pack.level} if pack.level else {}),
        **({"summary": pack.summary} if pack.summary and summarised else {}),
        **({"base": pack.bases[0]} if len(pack.bases) == 1 else {}),
        **({"bases": list(pack.bases)} if len(pack.bases) > 1 else {}),
    }


def _whole(pack: StoredPack) -> tuple[Segment, ...]:
    return (Segment(0, pack.size, pack.sha256),)


def _load_packs(data: list[dict[str, Any]]) -> tuple[StoredPack, ...]:
    packs = tuple(map(_load_pack, data))
    whole = {p.key for p in packs if not p.thin}
    firm = whole | {p.key for p in packs if whole.issuperset(p.bases)}
    for pack in packs:
        for base in pack.bases:
            if base not in firm or base == pack.key:
                raise ValueError(f"{pack.key} builds on {base}, which is no pack of it that may be built on")
    return packs


def _floors(packs: tuple[StoredPack, ...]) -> bool:
    """Whether any pack builds on several, or on one that is thin itself."""
    thin = {p.key for p in packs if p.thin}
    return any(len(p.bases) > 1 or not thin.isdisjoint(p.bases) for p in packs)


def _load_pack(data: dict[str, Any]) -> StoredPack:
    told = data.get("segments", [[0, data["size"], data["sha256"]]])
    segments = tuple(Segment(int(o), int(n), str(h)) for o, n, h in told)
    return StoredPack(
        data["snapshot"], data["id"], int(data["size"]), data["sha256"], int(data["idx_size"]), data["idx_sha256"],
        int(data["objects"]), segments, int(data.get("level", 0)), str(data.get("summary", "")),
        tuple(map(str, data.get("bases", [data["base"]] if "base" in data else []))),
    )  # fmt: skip
