"""What the index heard of a repository when its snapshots were published: a second witness beside the archive.

The hash chain cannot tell when its last manifest is replaced by a well-made other one, or when the newest snapshots,
or a whole repository, are gone. The index, which lies elsewhere and is written by Kafka's consumer only, can.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path
from typing import Any

from pivo.errors import NotFound
from pivo.index.interned import clean
from pivo.index.reader import IndexReader
from pivo.models import Manifest
from pivo.snapshot import manifest as manifests

Found = Callable[[str, str, str, str], None]

_FACTS = ("commit_hash", "taken_at", "source", "head_ref", "commits", "files", "size", "refs", "packs")
_SNAPSHOTS = (
    f"SELECT seq, hdfs_path, previous_sha256, {', '.join(_FACTS)} FROM v_snapshots WHERE repo_name = ? ORDER BY seq"
)
_REFS = "SELECT name, target FROM v_refs WHERE repo_name = ? AND current"
_SEEN = (
    "SELECT last_seq, manifest_sha256 FROM v_verifications WHERE repo_name = ? AND ok AND manifest_sha256 <> ''"
    " GROUP BY last_seq, manifest_sha256"
)
_REPOS = "SELECT repo_name FROM v_repos WHERE snapshots > 0"
_MANY = 1_000_000


@dataclass(frozen=True)
class Witness:
    """The index's memory of one repository; empty where there is no index. `snapshots` by folder name, `refs` of the
    last one, `seen` the digests of manifests by number, from verifications before."""

    snapshots: dict[str, dict[str, Any]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    last: str = ""
    seen: dict[int, str] = field(default_factory=dict)

    @property
    def dirnames(self) -> set[str]:
        return set(self.snapshots)

    @property
    def digests(self) -> set[str]:
        """SHA-256 of manifests that the index knows."""
        return set(self.seen.values()) | {s["previous_sha256"] for s in self.snapshots.values()}

    def compare(self, manifest: Manifest, digest: str, found: Found) -> None:
        """Says where a manifest differs from what was heard."""
        name, dirname = manifests.NAME, manifest.dirname
        heard = self.snapshots.get(dirname)
        told = _facts(manifest)
        other = [fact for fact in _FACTS if heard is not None and heard[fact] != told[fact]]
        refs = {clean(r.name): r.target for r in manifest.refs}
        if dirname == self.last and refs != self.refs:
            other.append("where the refs stand")
        if other:
            found(dirname, name, "replaced", f"says other things than the index heard of it: {', '.join(other)}")
        if self.seen.get(manifest.seq, digest) != digest:
            found(dirname, name, "replaced", "has another SHA-256 than when it was last verified")

    def save(self, path: Path) -> None:
        """Writes it for a process on another machine."""
        path.parent.mkdir(parents=True, exist_ok=True)
        seen = list(self.seen.items())
        path.write_text(json.dumps([self.snapshots, self.refs, self.last, seen]), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Witness:
        """What :meth:`save` wrote; an empty one when there is none."""
        try:
            snapshots, refs, last, seen = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return cls()
        return cls(snapshots, refs, last, {int(n): d for n, d in seen})


def _facts(manifest: Manifest) -> dict[str, Any]:
    return {
        "commit_hash": manifest.head,
        "taken_at": manifest.taken_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "source": manifest.source,
        "head_ref": manifest.head_ref,
        "commits": manifest.commits,
        "files": manifest.files,
        "size": manifest.size,
        "refs": len(manifest.refs),
        "packs": len(manifest.packs),
    }


def repos(reader: IndexReader) -> set[str]:
    """The repositories that the index has snapshots of; empty when there is no index."""
    try:
        return {name for (name,) in reader.query(_REPOS, limit=_MANY, timeout=60.0).rows}
    except NotFound:
        return set()


def ask(reader: IndexReader, repo: str) -> Witness:
    """The index's memory of `repo`; empty when there is no index."""
    try:
        rows = reader.query(_SNAPSHOTS, [repo], limit=_MANY, timeout=60.0).dicts()
        refs = reader.query(_REFS, [repo], limit=_MANY, timeout=60.0)
        seen = reader.query(_SEEN, [repo], limit=_MANY, timeout=60.0).rows
    except NotFound:
        return Witness()
    snapshots = {row["hdfs_path"].rsplit("/", 1)[-1]: row for row in rows}
    # An answer that is too long for the reader is cut: then the refs cannot be compared.
    last = rows[-1]["hdfs_path"].rsplit("/", 1)[-1] if rows and not refs.truncated else ""
    return Witness(snapshots, dict(refs.rows), last, {int(n): d for n, d in seen})
