"""The planner's words: phrases to concepts, and words that carry no meaning of their own. Data only.

A word that is in no table, and that no name in the index explains, makes the planner refuse.
"""

from __future__ import annotations

from pivo.agent.planner.lexicon.archive import ARCHIVE
from pivo.agent.planner.lexicon.asking import ASKING
from pivo.agent.planner.lexicon.contents import CONTENTS
from pivo.agent.planner.lexicon.history import HISTORY
from pivo.agent.planner.lexicon.inflect import forms
from pivo.agent.planner.lexicon.order import ORDER
from pivo.agent.planner.lexicon.small import (
    DUTIES,
    ENDS_TEXT,
    FILLER,
    JOINS,
    MANY,
    MODALS,
    PRONOUNS,
    SKIPPED_BEFORE_TEXT,
    THINGS,
)
from pivo.agent.planner.lexicon.verbs import VERBS

__all__ = [
    "CHOICES",
    "DUTIES",
    "ENDS_TEXT",
    "FILLER",
    "JOINS",
    "LONGEST",
    "MANY",
    "MODALS",
    "PHRASES",
    "PRONOUNS",
    "SKIPPED_BEFORE_TEXT",
    "SUPERSETS",
    "THINGS",
]

_Phrase = tuple[str, ...]


def _phrases() -> dict[_Phrase, str]:
    verbs = {form: told for told, lemmas in VERBS.items() for lemma in lemmas.split("|") for form in forms(lemma)}
    nouns = {
        phrase: told
        for table in (ASKING, HISTORY, CONTENTS, ARCHIVE, ORDER)
        for told, phrases in table.items()
        for phrase in phrases.split("|")
    }
    return {tuple(phrase.split()): told for phrase, told in (verbs | nouns).items()}


def _options(told: str) -> tuple[str, ...]:
    return tuple(option.strip() for option in told.split("/"))


_TOLD = _phrases()

PHRASES: dict[_Phrase, str] = {phrase: _options(told)[0] for phrase, told in _TOLD.items()}
"""Phrase (as lower-case words) → its concepts, parted by blanks; of several meanings the likeliest."""

CHOICES: dict[_Phrase, tuple[str, ...]] = {phrase: _options(told) for phrase, told in _TOLD.items() if "/" in told}
"""The phrases with several meanings, the likeliest first; an empty one asks for nothing. What fits the rest of the
question is taken (planner/frames.py)."""

LONGEST: dict[str, int] = {}
for _phrase in PHRASES:
    LONGEST[_phrase[0]] = max(len(_phrase), LONGEST.get(_phrase[0], 0))
"""The first words of phrases, and how many words the longest with each has."""

SUPERSETS = {"COMMITS": "COMMIT", "SNAPSHOTS": "SNAPSHOT", "PEOPLE": "PERSON", "REPOS": "REPO"}
"""Plural concepts and what they are the plural of."""
