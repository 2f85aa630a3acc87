"""A question read: which words were names, dates, numbers or concepts, and which were nothing that is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pivo.agent.planner import lexicon
from pivo.agent.planner.periods import Period
from pivo.agent.planner.vocabulary import KnownPath, KnownRef, Vocabulary
from pivo.agent.planner.words import Word, words, wordset

_ALSO_BRANCHES = frozenset({"PERSON", "TAG", "HEADBRANCH", "HAVE"})  # a branch may be called dev, release, default
_BEFORE_BRANCHES = wordset(
    "branches tags branch log logs "
    "compare diff on from to into onto between than vs versus with against and is does has of in at behind merged "
    "merge merging"
    " was were"
)


@dataclass
class Reading:
    """What was found in a question. `unknown` are the words that nothing explains; with any, nothing is run.

    `without` are names after "except", "not by", "but not on": people, repositories or refs that are left out.
    `choices` are the meanings of each word that has several; `concepts` has the first of each until a frame
    is found (planner/frames.py).
    `spans` says, kind by kind, which words a name was taken from.
    """

    question: str
    words: list[Word]
    concepts: set[str] = field(default_factory=set)
    choices: list[tuple[str, ...]] = field(default_factory=list)
    repos: list[str] = field(default_factory=list)
    owner: str = ""  # all repositories of an owner, `acme/`
    people: list[str] = field(default_factory=list)
    users: list[str] = field(default_factory=list)  # who asked PIVO for something
    target: str = ""  # of restores; "dr/" is all in that organisation
    paths: list[KnownPath] = field(default_factory=list)
    commits: list[str] = field(default_factory=list)  # full hashes, or a prefix that the index does not know
    refs: list[KnownRef] = field(default_factory=list)
    periods: list[Period] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)  # refs, hashes and @dates in the order in which they were said
    without: dict[str, list[str]] = field(default_factory=dict)
    number: int | None = None
    seq: int | None = None  # a snapshot's number
    run: str = ""  # the id of a DAG run
    text: str | None = None
    exact: bool = False  # the text was quoted: its words stand side by side
    alternatives: list[str] = field(default_factory=list)  # texts, any of which will do as well
    part: str | None = None  # of a path
    suffix: str = ""  # what files end in, ".py"
    bytes_: tuple[str, int] | None = None  # a file's size: SQL's comparison, bytes
    unknown: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    understood: list[str] = field(default_factory=list)
    candidates: list[str] = field(default_factory=list)
    defaulted: bool = False  # the only repository, not said
    _fixed: set[str] = field(default_factory=set)  # concepts that no choice changes
    _settled: bool = False
    spans: dict[str, list[tuple[int, int]]] = field(default_factory=dict)

    def add(self, concepts: str) -> None:
        """Adds what a phrase means, and what that is a kind of."""
        for concept in concepts.split():
            self.concepts.add(concept)
            if concept in lexicon.SUPERSETS:
                self.concepts.add(lexicon.SUPERSETS[concept])

    def settle(self, options: Sequence[str]) -> None:
        """Takes these meanings of the words that have several, instead of those taken before."""
        if not self._settled:
            self._fixed, self._settled = set(self.concepts), True
        self.concepts = set(self._fixed)
        for option in options:
            self.add(option)

    @property
    def repo(self) -> str | None:
        return self.repos[0] if len(self.repos) == 1 else None

    @property
    def path(self) -> KnownPath | None:
        return self.paths[0] if len(self.paths) == 1 else None

    @property
    def period(self) -> Period | None:
        return self.periods[0] if len(self.periods) == 1 else None

    @property
    def ref(self) -> KnownRef | None:
        return self.refs[0] if len(self.refs) == 1 else None


def read(question: str, vocabulary: Vocabulary, now: datetime) -> Reading:
    """Read `question` against the names of the index. Never guesses: an unexplained word is in `unknown`."""
    from pivo.agent.planner.names import Names

    return Names(Cursor(question, words(question)), vocabulary, now).run()


class Cursor:
    """The words of a question and which of them are explained already."""

    def __init__(self, question: str, found: Sequence[Word]) -> None:
        self.reading = Reading(question, list(found))
        self.words = self.reading.words
        self.free = [True] * len(self.words)
        self._idioms = self._covered()

    def take(self, at: int, used: int) -> None:
        self.free[at : at + used] = [False] * used

    def norm(self, at: int) -> str:
        """The word at `at` in lower case; empty beyond the ends, for quoted words, and for those explained."""
        inside = 0 <= at < len(self.words) and self.free[at] and not self.words[at].quoted
        return self.words[at].norm if inside else ""

    def near(self, at: int, beside: frozenset[str]) -> bool:
        """Whether a word next to `at` is one of `beside`."""
        around = self.words[max(at - 1, 0) : at] + self.words[at + 1 : at + 2]
        return any(w.norm in beside and not w.quoted for w in around)

    def phrase(self, at: int) -> tuple[str, int]:
        """The longest phrase that begins at `at`: its concepts and how many words it takes."""
        longest = lexicon.LONGEST.get(self.words[at].norm, 0) if at < len(self.words) else 0
        for length in range(min(longest, len(self.words) - at), 0, -1):
            span = self.words[at : at + length]
            if any(w.quoted for w in span) or not all(self.free[at : at + length]):
                continue
            concept = lexicon.PHRASES.get(tuple(w.norm for w in span))
            if concept is not None:
                return concept, length
        return "", 0

    def grammar(self, at: int) -> bool:
        """Whether the word has a meaning of its own, so that it is no name unless something says so."""
        word = self.words[at]
        if word.quoted:
            return False
        known = (
            at in self._idioms
            or (word.norm,) in lexicon.PHRASES
            or word.norm in lexicon.FILLER
            or word.norm in lexicon.PRONOUNS
        )
        return known or word.norm in lexicon.ENDS_TEXT

    def branchlike(self, at: int) -> bool:
        """Whether a word that has a meaning of its own stands where a branch's name does: "on dev"."""
        meaning = lexicon.PHRASES.get((self.words[at].norm,), "")
        before = self.words[at - 1].norm if at else ""
        owner = at + 1 < len(self.words) and self.words[at + 1].norm == "'s"
        return meaning in _ALSO_BRANCHES and at not in self._idioms and (owner or before in _BEFORE_BRANCHES)

    def idiom(self, at: int) -> bool:
        """Whether the word is part of a phrase of several."""
        return at in self._idioms

    def _covered(self) -> frozenset[int]:
        """The words that are part of a phrase of several, as "old" in "how old"."""
        found: set[int] = set()
        for at in range(len(self.words)):
            used = self.phrase(at)[1]
            found.update(range(at, at + used) if used > 1 else ())
        return frozenset(found)

    def mark(self, kind: str, at: int, used: int, says: str) -> None:
        self.reading.spans.setdefault(kind, []).append((at, at + used))
        self.reading.understood.append(says)
