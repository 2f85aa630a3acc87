"""A push in several parts, for forges that limit what one push may bring (2 GiB is usual).

Each part is a run of commits in topological order, with all that they reach; its tips go to refs of their own
(`refs/pivo/part/…`), so that branches and tags appear on the target at the end only, all at once, and the parts' refs
go with the same push. An attempt that broke off is found by these refs, and git does not send again what is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pivo.restore import gitcli


@dataclass(frozen=True)
class Part:
    """Commits `start` to `end` (of the order in which they are sent), their `tips`, and their bytes on disk."""

    start: int
    end: int
    tips: tuple[str, ...]
    bytes: int


def size(repo: Path) -> int:
    """Bytes of the packs of `repo`, what its refs do not reach included."""
    return sum(pack.stat().st_size for pack in (repo / "objects" / "pack").glob("*.pack"))


def parts(repo: Path, limit: int) -> list[Part]:
    """The history of `repo` in parts of at most `limit` bytes, parents first; one commit is never cut.

    The sizes are those on disk; what is cut from the packs anew may come out somewhat larger.
    """
    rows = [
        line.split(" ")
        for line in gitcli.run("rev-list", "--topo-order", "--reverse", "--parents", "--all", at=repo).splitlines()
    ]
    found: list[Part] = []
    for part in _split(repo, rows, 0, len(rows), limit):
        last = found[-1] if found else None
        if last and last.bytes + part.bytes <= limit:
            found[-1] = Part(last.start, part.end, _tips(rows, part.end), last.bytes + part.bytes)
        else:
            found.append(part)
    return found


def _split(repo: Path, rows: list[list[str]], start: int, end: int, limit: int) -> list[Part]:
    if start == end:
        return []
    tips = _tips(rows, end)
    revisions = "".join(f"{tip}\n" for tip in tips) + "".join(f"^{tip}\n" for tip in _tips(rows, start))
    taken = int(gitcli.run("rev-list", "--objects", "--disk-usage", "--stdin", at=repo, stdin=revisions))
    if taken <= limit or end - start == 1:
        return [Part(start, end, tips, taken)]
    middle = (start + end) // 2
    return _split(repo, rows, start, middle, limit) + _split(repo, rows, middle, end, limit)


def _tips(rows: list[list[str]], end: int) -> tuple[str, ...]:
    """The commits among the first `end` that are no parent of another of them: from these all are reached."""
    parents = {parent for row in rows[:end] for parent in row[1:]}
    return tuple(row[0] for row in rows[:end] if row[0] not in parents)
