"""What tells that a question leans on the one before: its first words, and words that point back."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from pivo.agent.planner.reading import Reading
from pivo.agent.planner.words import Word, words, wordset

MARKERS = (
    ("sorry", "make", "that"), ("sorry", "make", "it"), ("no", "make", "that"), ("no", "make", "it"), ("make", "that"),
    ("make", "it"), ("sorry", "i", "meant"), ("no", "i", "meant"), ("i", "meant"), ("i", "mean"),
    ("sorry", "i", "mean"),
    ("sorry",), ("actually", "make", "that"), ("make", "it"), ("rather",), ("no", "wait"), ("wait",),
    ("just", "the", "ones"), ("only", "the", "ones"), ("and", "just", "the", "ones"), ("but", "only", "the", "ones"),
    ("and", "only", "the", "ones"), ("and", "only"), ("but", "only"), ("only", "those"), ("just", "those"), ("only",),
    ("and", "just"), ("just",), ("limit", "that", "to"), ("limit", "it", "to"), ("restrict", "that", "to"),
    ("and", "what", "about"), ("and", "how", "about"), ("and", "the", "same", "for"), ("and", "same", "for"),
    ("what", "about"), ("how", "about"), ("the", "same", "for"), ("same", "for"), ("same", "question", "for"),
    ("which", "of", "those", "are"), ("which", "of", "these", "are"), ("which", "of", "them", "are"),
    ("which", "of", "those", "were"), ("which", "of", "these", "were"), ("which", "of", "them", "were"),
    ("filter", "by"), ("filter", "to"), ("filter", "for"), ("narrow", "to"), ("narrow", "down", "to"), ("now", "only"),
    ("now", "just"), ("now", "the", "same", "for"), ("now", "same", "for"), ("now",), ("only", "those"),
    ("now", "for"), ("and", "for"), ("and", "also"), ("and", "then"), ("and",), ("or",), ("also",), ("then",),
)  # fmt: skip
SHORT = 5
"""Words of a question that may be nothing but another name, or lack one."""
PERSON = wordset("he she him her his hers they them their")
IT = frozenset({"it", "its"})


def within(kind: str, old: Reading, new: Reading) -> bool:
    """Whether "only since Monday" is inside what was asked before; of other kinds of names none is inside another."""
    if kind != "period" or old.period is None or new.period is None:
        return False
    early, late = old.period, new.period
    starts = early.start is None or (late.start is not None and late.start >= early.start)
    return starts and (early.end is None or (late.end is not None and late.end <= early.end))


def leans(question: str) -> bool:
    """Whether anything in the question may point back; most questions stand for themselves and cost nothing here."""
    found = words(question)
    norms = [w.norm for w in found if not w.quoted]
    if len(found) <= SHORT:
        return True
    pointing = IT | PERSON | {"that", "this", "there", "same", "one", "previous", "preceding"}
    return bool(
        pointing & set(norms)
        or any(tuple(norms[: len(m)]) == m for m in MARKERS)
        or any(a == "the" and b in {"repo", "repository", "project", "commit"} for a, b in pairwise(norms))
    )


def dummy(found: list[Word], at: int) -> bool:
    """ "Is there", "there are": a word that stands for nothing."""
    around = {found[i].norm for i in (at - 1, at + 1) if 0 <= i < len(found)}
    return bool(around & {"is", "are", "was", "were", "been", "be"})


def flat(found: Sequence[Word]) -> str:
    return " ".join("\0" if w.quoted else w.norm for w in found)


def span(found: Sequence[Word], start: int, end: int) -> tuple[int, int]:
    """The words that characters `start` to `end` of the flat text cover."""
    position, first, last = 0, 0, len(found)
    for i, word in enumerate(found):
        length = 1 if word.quoted else len(word.norm)
        if position <= start:
            first = i
        if position < end:
            last = i + 1
        position += length + 1
    return first, last
