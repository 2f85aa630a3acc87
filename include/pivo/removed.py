"""What a retention policy removed from the archive, as the manifest of the snapshot that says so records it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Removed:
    """A replaced pack that was removed: its `key` (`<snapshot>/<id>`) and hashes, as its own manifest has them.

    `successor` is the key of the pack that holds its objects, `members` which of that one's they are
    (snapshot/members.py), and `ids` the SHA-256 of their sorted ids. `policy` is the rule that asked for it, `by` who
    ran it, `at` when (aware, UTC).
    """

    key: str
    sha256: str
    idx_sha256: str
    successor: str
    ids: str
    members: str
    policy: str
    at: datetime
    by: str
