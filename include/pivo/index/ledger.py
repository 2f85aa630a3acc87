"""The ledger of what force-pushes and deletions took away: commits that no current ref reaches, and what did it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from pivo.index.reader import IndexReader

_COMMITS = (
    "SELECT repo_name, hash, subject, author_name, author_email, commit_time, snapshot_seq FROM v_commits"
    " WHERE lost = 1 AND (?1 IS NULL OR repo_name = ?1) ORDER BY repo_name, commit_time DESC, hash"
)
_PARENTS = (
    "SELECT p.repo_name, p.commit_hash, p.parent_hash FROM v_commits c"
    " JOIN v_parents p ON p.repo_name = c.repo_name AND p.commit_hash = c.hash"
    " WHERE c.lost = 1 AND c.repo_name = ?1"
)
_UPDATES = (
    "SELECT u.repo_name, u.name, u.change, u.seen_at, u.snapshot_seq, coalesce(r.commit_hash, u.old) AS old"
    " FROM v_ref_updates u LEFT JOIN v_refs r"
    " ON r.repo_name = u.repo_name AND r.snapshot_seq = u.snapshot_seq - 1 AND r.name = u.name"
    " WHERE u.repo_name = ?1 AND u.old IS NOT NULL ORDER BY u.snapshot_seq, u.name"
)
_LIMIT = 1_000_000
_SECONDS = 60.0


@dataclass(frozen=True)
class LostCommit:
    """A commit that no ref of the last snapshot reaches; a restore by its hash brings it back.

    `ref`, `change` (forced, deleted or moved) and `seen_at` tell the update that took it away; empty where none did
    that a snapshot saw. `snapshot_seq` is the first snapshot that had the commit, `lost_seq` the first without.
    """

    repo_name: str
    hash: str
    subject: str
    author_name: str
    author_email: str
    commit_time: str
    snapshot_seq: int
    ref: str = ""
    change: str = ""
    seen_at: str = ""
    lost_seq: int = 0


def lost(reader: IndexReader, repo: str | None = None) -> list[LostCommit]:
    """The ledger of one repository, or of all; the latest commits first. NotFound when there is no index."""
    rows = reader.query(_COMMITS, [repo], limit=_LIMIT, timeout=_SECONDS).dicts()
    by_repo: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        by_repo[row["repo_name"]].append(row)
    return [
        LostCommit(**row, **causes.get(row["hash"], {}))
        for name, mine in by_repo.items()
        for causes in [_causes(reader, name, {row["hash"] for row in mine})]
        for row in mine
    ]


def _causes(reader: IndexReader, repo: str, hashes: set[str]) -> dict[str, dict[str, Any]]:
    """The update that took each commit away: the last one before which a ref still led to it."""
    parents: dict[str, list[str]] = defaultdict(list)
    for _, child, parent in reader.query(_PARENTS, [repo], limit=_LIMIT, timeout=_SECONDS).rows:
        parents[child].append(parent)
    causes: dict[str, dict[str, Any]] = {}
    updates = reader.query(_UPDATES, [repo], limit=_LIMIT, timeout=_SECONDS).dicts()
    for update in reversed(updates):  # what a later one took away was still reached before
        cause = {
            "ref": update["name"],
            "change": update["change"],
            "seen_at": update["seen_at"],
            "lost_seq": update["snapshot_seq"],
        }
        left = [update["old"]]
        while left:
            commit = left.pop()
            if commit in hashes and commit not in causes:
                causes[commit] = cause
                left += parents[commit]
    return causes
