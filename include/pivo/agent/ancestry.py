"""Which commits a tip reaches, from the index's parents: walked here, as the guarded reader runs no recursion."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pivo.errors import UsageError

if TYPE_CHECKING:
    from pivo.index.reader import IndexReader

_PAGE = 20_000  # parents in one answer, about a quarter of the characters that one may have
MOST = 400_000
"""Parents that are walked at most."""


def reached(reader: IndexReader, repo: str, tips: Iterable[str], without: Iterable[str] = ()) -> list[str]:
    """The commits that `tips` reach, themselves included, and that none of `without` reaches; UsageError when the
    repository has over :data:`MOST` parents."""
    parents = _parents(reader, repo)
    left_out = _walk(parents, without)
    return [commit for commit in _walk(parents, tips) if commit not in left_out]


def _walk(parents: dict[str, list[str]], tips: Iterable[str]) -> dict[str, None]:
    """All ancestors, in the order in which they were met."""
    seen = dict.fromkeys(tips)
    waiting = list(seen)
    while waiting:
        for parent in parents.get(waiting.pop(), ()):
            if parent not in seen:
                seen[parent] = None
                waiting.append(parent)
    return seen


def _parents(reader: IndexReader, repo: str) -> dict[str, list[str]]:
    """Every commit's parents, read page by page."""
    found: dict[str, list[str]] = {}
    after, count = "", 0
    while True:
        rows = reader.query(
            "SELECT commit_hash, parent_hash FROM v_parents WHERE repo_name = :repo AND commit_hash > :after"
            " ORDER BY commit_hash LIMIT :n",
            {"repo": repo, "after": after, "n": _PAGE},
            limit=_PAGE,
        ).rows
        whole = len(rows) < _PAGE
        # the last commit of a page may have parents on the next: it is read again with that
        last = None if whole else rows[-1][0]
        for child, parent in rows:
            if child != last:
                found.setdefault(child, []).append(parent)
                after = child
        count += len(rows)
        if whole:
            return found
        if count > MOST:
            raise UsageError(
                f"{repo} has over {MOST:,} commits; a branch of it is not walked.",
                "Ask by time, person or path, or for what a branch points to.",
            )
