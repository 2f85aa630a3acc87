"""manifest.json: what a snapshot says of itself, and the link to the one before it.

The format is JSON with sorted keys, so that a manifest has one byte form and one SHA-256. Each carries a seal, the
SHA-256 of its own bytes with the seal's digits as zeros: the last of a chain has no successor that would quote it.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from typing import Any

from pivo.errors import ArchiveError
from pivo.models import LfsMissing, LfsObject, Manifest, Previous, Ref, Segment, StoredPack

FORMAT = 1
NAME = "manifest.json"

_UNSEALED = b"0" * 64
_SEAL = re.compile(rb'^ "seal": "([0-9a-f]{64})"', re.MULTILINE)


def dump(manifest: Manifest) -> bytes:
    """The manifest's one byte form."""
    data = {
        "format": FORMAT,
        "repo": manifest.repo,
        "seq": manifest.seq,
        "head": manifest.head,
        "head_ref": manifest.head_ref,
        "source": manifest.source,
        "taken_at": manifest.taken_at.astimezone(UTC).isoformat(timespec="milliseconds"),
        "refs": [
            {"name": r.name, "target": r.target, **({"peeled": r.peeled} if r.peeled else {})} for r in manifest.refs
        ],
        "packs": [_dump_pack(p) for p in manifest.packs],
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
        "seal": _UNSEALED.decode(),
        **({"replaces": list(manifest.replaces)} if manifest.replaces else {}),
        **_dump_lfs(manifest),
    }
    raw = (json.dumps(data, sort_keys=True, indent=1, ensure_ascii=True) + "\n").encode()
    found = _SEAL.search(raw)
    assert found
    return raw[: found.start(1)] + digest(raw).encode() + raw[found.end(1) :]


def sealed(raw: bytes) -> bool | None:
    """Whether a manifest's bytes are those that its seal was made of; None when it has no seal."""
    found = _SEAL.search(raw)
    if found is None:
        return None
    return digest(raw[: found.start(1)] + _UNSEALED + raw[found.end(1) :]) == found[1].decode()


def load(raw: bytes, where: str) -> Manifest:
    """Parses a manifest found at `where`; ArchiveError for one that is damaged or of a newer format."""
    try:
        data: dict[str, Any] = json.loads(raw)
        version = data["format"]
        if version != FORMAT:
            raise ArchiveError(
                f"{where} has manifest format {version}; this PIVO reads format {FORMAT}.",
                "Use a newer PIVO to read it.",
            )
        if sealed(raw) is False:
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
            packs=tuple(_load_pack(p) for p in data["packs"]),
            previous=Previous(previous["snapshot"], previous["manifest_sha256"]) if previous else None,
            files=int(data["files"]),
            commits=int(data["commits"]),
            lost=tuple(data["lost"]),
            object_format=data["object_format"],
            tool=data["tool"],
            replaces=tuple(data.get("replaces", ())),
            lfs=tuple(LfsObject(str(o), int(n)) for o, n in data.get("lfs", ())),
            lfs_in=tuple(data.get("lfs_in", ())),
            lfs_missing=tuple(
                LfsMissing(m["oid"], int(m["size"]), m["why"], tuple(m["paths"])) for m in data.get("lfs_missing", ())
            ),
        )
    except (ValueError, KeyError, TypeError) as err:
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


def _dump_pack(pack: StoredPack) -> dict[str, Any]:
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
        **({"summary": pack.summary} if pack.summary else {}),
    }


def _whole(pack: StoredPack) -> tuple[Segment, ...]:
    return (Segment(0, pack.size, pack.sha256),)


def _load_pack(data: dict[str, Any]) -> StoredPack:
    told = data.get("segments", [[0, data["size"], data["sha256"]]])
    segments = tuple(Segment(int(o), int(n), str(h)) for o, n, h in told)
    return StoredPack(
        data["snapshot"], data["id"], int(data["size"]), data["sha256"], int(data["idx_size"]), data["idx_sha256"],
        int(data["objects"]), segments, int(data.get("level", 0)), str(data.get("summary", "")),
    )  # fmt: skip
