"""What is left out: "except Ada", "not by Grace", "without merges", "but not on main"."""

from __future__ import annotations

from pivo.agent.planner.reading import Cursor
from pivo.agent.planner.vocabulary import Vocabulary
from pivo.agent.planner.words import wordset

_BETWEEN = wordset(
    "by from the of in on to into any those anyone anybody people person commits made done ones yet branch for"
)
_ANYBODY = wordset("people persons authors developers contributors committers")
_MERGES = {"merge", "merges"}
_NARROWING = frozenset({"only", "instead", "rather"})
_MOST_BETWEEN = 4


class Exclusions:
    """Explains a negation together with the name that it leaves out; any other negation stays unexplained here."""

    def __init__(self, cursor: Cursor, vocabulary: Vocabulary) -> None:
        self._at = cursor
        self._reading = cursor.reading
        self._vocabulary = vocabulary

    def names(self, at: int) -> int:
        """People, repositories and merges after a negation."""
        start = self._start(at)
        if not start:
            return 0
        if self._at.norm(start) in _MERGES:
            used = 2 if self._at.norm(start + 1) in {"commits", "commit"} else 1
            self._reading.concepts.add("NOMERGE")
            self._at.mark("without", at, start + used - at, "no merges")
            return start + used - at
        end = self._people(start)
        if end and at and self._at.norm(at - 1) in _ANYBODY:
            self._at.take(at - 1, 1)  # "by people other than Grace" asks for no people
        return end - at if end else 0

    def refs(self, at: int) -> int:
        """A branch or tag after a negation; the question's repository is known by then."""
        start = self._start(at)
        if not start or start >= len(self._at.words):
            return 0
        if self._at.grammar(start) and not self._at.branchlike(start):
            return 0
        found = self._vocabulary.refs(self._reading.repo, self._at.words[start].text)
        if len(found) != 1 or self._at.norm(start - 1) not in {"on", "in", "from", "the", "branch", "of", "to", "into"}:
            return 0
        self._leave_out("ref", self._at.words[start].text, at, start + 1)
        used = 2 if self._at.norm(start + 1) == "branch" else 1
        return start + used - at

    def _start(self, at: int) -> int:
        """The word after the negation and the small words that follow it; 0 where there is no negation."""
        concept, used = self._at.phrase(at)
        if concept != "NOT" or self._at.norm(at) in _NARROWING:
            return 0
        start = at + used
        if self._at.norm(start) == "not":  # "but not"
            start += 1
        first = start
        while self._at.norm(start) in _BETWEEN and start - first < _MOST_BETWEEN:
            start += 1
        return start

    def _people(self, at: int) -> int:
        """The end of "Ada", "Ada Lovelace", "Ada and Grace" at `at`; 0 if no single person is named."""
        for length in (3, 2, 1):
            span = self._at.words[at : at + length]
            if len(span) < length or not all(self._at.free[at : at + length]):
                continue
            if any(self._at.grammar(i) and not self._at.words[i].capital for i in range(at, at + length)):
                continue
            found = self._vocabulary.authors(" ".join(w.text for w in span))
            if len(found) == 1:
                end = at + length
                self._leave_out("person", found[0].name, at, end)
                if self._at.norm(end) in {"and", "or", "nor"}:
                    end = self._people(end + 1) or end
                return end
        return 0

    def _leave_out(self, kind: str, name: str, at: int, end: int) -> None:
        self._reading.without.setdefault(kind, []).append(name)
        self._at.mark("without", at, end - at, f"not {name}")
