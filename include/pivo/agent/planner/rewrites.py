"""Ways of putting a question exchanged for plainer ones (lexicon/ways.py)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import zip_longest

from pivo.agent.planner.dates import number
from pivo.agent.planner.lexicon.ways import REWRITES
from pivo.agent.planner.words import Word, spans_of, words, wordset

_COMPILED = [
    (re.compile(rf"(?<!\S){pattern}" if pattern[0] != "^" else pattern), words(told)) for pattern, told in REWRITES
]
_GROUP = re.compile(r"^<(\d)>$")
_MOST = 8
_NOISE = wordset("exactly precisely really basically")


def rewrite(found: list[Word]) -> list[Word]:
    """The words with every way of putting things exchanged for its plainer one."""
    found = [
        word
        for word, after in zip_longest(found, found[1:])
        if word.quoted or word.norm not in _NOISE or (after is not None and _counts(after.norm))
    ]
    for _ in range(_MOST):
        flat, starts = spans_of(found)
        made = _one(found, flat, starts)
        if made is None:
            break
        found = made
    return found


def _counts(norm: str) -> bool:
    return norm in {"one", "once"} or number(norm) is not None


def _one(found: list[Word], flat: str, starts: Sequence[int]) -> list[Word] | None:
    for pattern, told in _COMPILED:
        match = pattern.search(flat)
        if match is None or match.start() == match.end():
            continue
        if match.end() < len(flat) and not flat[match.end()].isspace() and not flat[match.end() - 1].isspace():
            continue
        made = _put(found, starts, match, told)
        if len(made) > len(found) and (again := pattern.search(spans_of(made)[0])) and again.start() == match.start():
            continue  # it would feed on what it made, and grow
        if made and [w.norm for w in made] != [w.norm for w in found]:
            return made
    return None


def _put(found: list[Word], starts: Sequence[int], match: re.Match[str], told: Sequence[Word]) -> list[Word]:
    """The words with those of the match exchanged for the template's."""
    first, last = _words_at(starts, *match.span())
    put: list[Word] = []
    for word in told:
        group = _GROUP.match(word.text)
        if group is None:
            put.append(word)
        elif match[int(group[1])]:
            a, b = _words_at(starts, *match.span(int(group[1])))
            put += found[a:b]
    return [*found[:first], *put, *found[last:]]


def _words_at(starts: Sequence[int], start: int, end: int) -> tuple[int, int]:
    """The words that these characters cover."""
    first = max((i for i, s in enumerate(starts) if s <= start), default=0)
    last = max((i for i, s in enumerate(starts) if s < end), default=-1) + 1
    return first, last
