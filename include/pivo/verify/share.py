"""Which repositories a night verifies: each has its turn every n nights, by its name alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date

SUNDAY = 6
"""`date.weekday()` of the night on which everything is verified deeply."""


def tonight(repos: Iterable[str], night: date, nights: int) -> list[str]:
    """The share of `repos` whose turn `night` is; any `nights` nights in a row have all of them."""
    turn = night.toordinal() % max(nights, 1)
    return [repo for repo in repos if _place(repo) % max(nights, 1) == turn]


def _place(repo: str) -> int:
    return int.from_bytes(hashlib.sha256(repo.encode("utf-8", "surrogateescape")).digest()[:8], "big")
