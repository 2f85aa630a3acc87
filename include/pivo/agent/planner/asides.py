"""Words of a sentence that restores which say nothing more: "the way it was", "and put it"."""

from __future__ import annotations

from pivo.agent.planner.lexicon.restoring import PUT
from pivo.agent.planner.words import Word, wordset

_HOW = wordset("way where how what state as like")
_IT = frozenset({"it", "them"})


def left_out(found: list[Word]) -> list[Word]:
    """The words without both."""
    return _without_put_it(_without_as_it_was(found))


def _without_as_it_was(found: list[Word]) -> list[Word]:
    """The words without "the way it was", "where they were": what follows says when."""
    for at in range(len(found) - 2):
        how, what, was = (w.norm for w in found[at : at + 3])
        if how in _HOW and what in {"it", "they", "things"} and was in {"was", "were", "looked", "stood", "had"}:
            return [*found[:at], *found[at + 3 :]]
    return found


def _without_put_it(found: list[Word]) -> list[Word]:
    """The words without "put it", "it" and "them" after the repository's name: what follows says where to."""
    kept: list[Word] = []
    for at, word in enumerate(found):
        put = word.norm in PUT and not word.quoted and at + 1 < len(found) and found[at + 1].norm in _IT
        if not put and not (at > 2 and word.norm in _IT and not word.quoted):
            kept.append(word)
    return kept
