"""A question read: which words were names, dates, numbers or concepts, and which were nothing that is known."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pivo.agent.planner import lexicon, periods
from pivo.agent.planner.periods import Period
from pivo.agent.planner.vocabulary import KnownPath, KnownRef, Vocabulary
from pivo.agent.planner.words import Word, words

_HEX = re.compile(r"^[0-9a-f]{4,40}$")
_PATHLIKE = re.compile(r"^\.?[\w@+-][\w@+./-]*(\.[A-Za-z0-9_+-]{1,10}|/[\w@+.-]*)$|^\.[A-Za-z][\w.-]*$")
_COMMIT_WORDS = {"commit", "commits", "revision", "hash", "sha", "changeset", "id"}
_OTHER_THINGS = {"file", "folder", "directory", "path", "branch", "tag"}
_TEXT_ENDS = {"in", "by", "since", "from", "before", "after", "on", "during", "last", "this", "between", "until", "for"}


@dataclass
class Reading:
    """What was found in a question. `unknown` are the words that nothing explains; with any, nothing is run."""

    question: str
    words: list[Word]
    concepts: set[str] = field(default_factory=set)
    repos: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    paths: list[KnownPath] = field(default_factory=list)
    commits: list[str] = field(default_factory=list)  # full hashes, or a prefix that the index does not know
    refs: list[KnownRef] = field(default_factory=list)
    periods: list[Period] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)  # refs, hashes and @dates in the order in which they were said
    number: int | None = None
    text: str | None = None
    unknown: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    understood: list[str] = field(default_factory=list)
    candidates: list[str] = field(default_factory=list)
    defaulted: bool = False  # the only repository, not said

    @property
    def repo(self) -> str | None:
        return self.repos[0] if len(self.repos) == 1 else None

    @property
    def path(self) -> KnownPath | None:
        return self.paths[0] if len(self.paths) == 1 else None

    @property
    def period(self) -> Period | None:
        return self.periods[0] if len(self.periods) == 1 else None


def read(question: str, vocabulary: Vocabulary, now: datetime) -> Reading:
    """Read `question` against the names of the index. Never guesses: an unexplained word is in `unknown`."""
    return _Reader(question, words(question), vocabulary, now).run()


class _Reader:
    """Takes words, longest explanation first, until each is explained or unknown."""

    def __init__(self, question: str, found: Sequence[Word], vocabulary: Vocabulary, now: datetime) -> None:
        self._reading = Reading(question, list(found))
        self._words = self._reading.words
        self._free = [True] * len(self._words)
        self._vocabulary = vocabulary
        self._now = now

    def run(self) -> Reading:
        self._search_text()
        self._each(self._repo)
        if not self._reading.repos and len(self._vocabulary.repos()) == 1:
            self._reading.repos, self._reading.defaulted = [self._vocabulary.repos()[0]], True
        self._each(self._period)
        self._each(self._commit)
        self._each(self._ref)
        self._each(self._path)
        self._each(self._concept)
        self._each(self._number)
        self._each(self._person)
        self._each(self._stray)
        self._reading.ends = [text for _, text in sorted(self._order)]
        return self._reading

    # Each of these explains the words from `at` on and returns how many it took; 0 for none.

    def _search_text(self) -> None:
        self._order: list[tuple[int, str]] = []
        for at in range(len(self._words)):
            concept, used = self._phrase(at)
            if concept != "SEARCH":
                continue
            start = at + used
            while start < len(self._words) and self._words[start].norm in {
                "the", "a", "an", "word", "words", "text", "phrase", "term", "message", "messages", "commit",
                "commits", "string", "for", "mentioning", "containing", "about", "that", "which", "with", "mention",
            }:  # fmt: skip
                start += 1
            end = start
            while end < len(self._words) and (end == start or not self._ends_text(end)):
                end += 1
                if self._words[start].quoted:
                    break
            if end > start:
                taken = self._words[start:end]
                self._take(at, end - at)
                self._reading.concepts.add("SEARCH")
                self._reading.text = " ".join(w.text for w in taken)
                self._reading.understood.append(f"text {self._reading.text!r}")
                bad = [w.text for w in taken if not w.quoted and lexicon.PHRASES.get((w.norm,)) in {"NOT", "LEAST"}]
                self._reading.unknown += bad
            return

    def _ends_text(self, at: int) -> bool:
        return self._words[at].norm in _TEXT_ENDS and not self._words[at].quoted

    def _repo(self, at: int) -> int:
        word = self._words[at]
        beside = self._near(at, {"repo", "repository", "project"})
        if word.quoted and not beside and self._near(at, _OTHER_THINGS):
            return 0
        if not (word.quoted or beside or word.text in self._vocabulary.repos()) and self._is_grammar(word):
            return 0
        found = self._vocabulary.repo(word.text)
        if len(found) > 1:
            self._reading.problems.append(f"{word.text} is the name of {len(found)} repositories")
            self._reading.candidates += found
            return 1
        if not found:
            return 0
        if found[0] not in self._reading.repos:
            self._reading.repos.append(found[0])
            self._reading.understood.append(f"repository {found[0]}")
        return 1

    def _period(self, at: int) -> int:
        if self._words[at].quoted:
            return 0
        found = periods.find(self._words, at, self._now)
        if found is None or not all(self._free[at : at + found[1]]):
            return 0
        period, used = found
        self._reading.periods.append(period)
        self._reading.understood.append(period.says)
        if period.asof:
            self._reading.concepts.add("ASOF")
        if period.point:
            self._order.append((at, period.point))
        return used

    def _commit(self, at: int) -> int:
        word = self._words[at]
        if not _HEX.match(word.norm) or (word.norm,) in lexicon.PHRASES:
            return 0
        named = self._near(at, _COMMIT_WORDS)
        if not named and (len(word.norm) < 6 or word.norm.isdigit()):
            return 0
        found = self._vocabulary.commits(self._reading.repo, word.norm)
        if not found and not named and not any(c.isdigit() for c in word.norm):
            return 0
        if len(found) > 1:
            self._reading.problems.append(f"{word.text} is the beginning of several commits")
            self._reading.candidates += [commit for _, commit in found]
        elif found and not self._reading.repos:
            self._reading.repos.append(found[0][0])
        full = found[0][1] if found else word.norm
        self._reading.commits.append(full)
        self._order.append((at, full))
        self._reading.understood.append(f"commit {full[:12]}")
        return 1

    def _ref(self, at: int) -> int:
        word = self._words[at]
        if word.text in {"HEAD", "@"}:
            self._order.append((at, "HEAD"))
            self._reading.understood.append("HEAD")
            return 1
        beside = self._near(at, {"branch", "tag", "release", "version"})
        if word.quoted and not beside and self._near(at, {"file", "folder", "directory", "path"}):
            return 0
        if not (word.quoted or beside) and (self._is_grammar(word) or periods.number(word.norm) is not None):
            return 0
        found = self._vocabulary.refs(self._reading.repo, word.text)
        if not found:
            return 0
        if len({r.repo for r in found}) > 1:
            return 0  # which repository's is not said; the rule that needs one asks
        ref = min(found, key=lambda r: not r.name.startswith("refs/heads/"))
        if not self._reading.repos:
            self._reading.repos.append(ref.repo)
        self._reading.refs.append(ref)
        self._order.append((at, word.text))
        self._reading.understood.append(f"{ref.name} of {ref.repo}")
        return 1

    def _path(self, at: int) -> int:
        word = self._words[at]
        beside = self._near(at, {"file", "folder", "directory", "path"})
        looks = bool(_PATHLIKE.match(word.text)) or word.quoted
        if not looks and (self._is_grammar(word) or word.text.isdigit() or (word.capital and not word.text.isupper())):
            return 0
        if not (looks or beside) and len(word.norm) < 4:
            return 0
        found = self._vocabulary.paths(self._reading.repo, word.text)
        if len(found) > 1:
            self._reading.problems.append(f"{word.text} names several files")
            self._reading.candidates += [p.path for p in found]
            return 1
        if not found:
            return 0
        if at and self._free[at - 1] and self._words[at - 1].norm in {"file", "folder", "directory", "path"}:
            self._take(at - 1, 1)  # "the file README.md" asks for nothing more than "README.md"
        self._reading.paths.append(found[0])
        if not self._reading.repos and found[0].repo:
            self._reading.repos.append(found[0].repo)
        self._reading.understood.append(f"path {found[0].path}")
        return 1

    def _concept(self, at: int) -> int:
        concept, used = self._phrase(at)
        if concept:
            self._reading.concepts.add(concept)
            if concept in lexicon.SUPERSETS:
                self._reading.concepts.add(lexicon.SUPERSETS[concept])
            self._reading.understood.append(" ".join(w.text for w in self._words[at : at + used]))
        return used

    def _number(self, at: int) -> int:
        value = None if self._words[at].quoted else periods.number(self._words[at].norm)
        if value is None or self._words[at].norm == "one":
            return 0
        if self._reading.number is not None or not 1 <= value <= 1000:
            return 0
        self._reading.number = value
        self._reading.understood.append(str(value))
        return 1

    def _person(self, at: int) -> int:
        for length in (4, 3, 2, 1):
            span = self._words[at : at + length]
            if len(span) < length or not all(self._free[at : at + length]):
                continue
            text = " ".join(w.text for w in span)
            if length == 1 and span[0].norm in lexicon.FILLER and not (span[0].capital and at > 0):
                continue
            if any(w.norm in lexicon.FILLER and not w.capital for w in span):
                continue
            found = self._vocabulary.authors(text)
            if len(found) > 1:
                self._reading.problems.append(f"{text} is the name of {len(found)} people")
                self._reading.candidates += [a.name for a in found]
                return length
            if found:
                if found[0].name not in self._reading.people:
                    self._reading.people.append(found[0].name)
                    self._reading.understood.append(f"person {found[0].name}")
                return length
        return 0

    def _stray(self, at: int) -> int:
        word = self._words[at]
        if word.quoted or word.norm not in lexicon.FILLER:
            self._reading.unknown.append(word.text)
        return 1

    def _phrase(self, at: int) -> tuple[str, int]:
        for length in range(min(lexicon.LONGEST, len(self._words) - at), 0, -1):
            span = self._words[at : at + length]
            if any(w.quoted for w in span) or not all(self._free[at : at + length]):
                continue
            concept = lexicon.PHRASES.get(tuple(w.norm for w in span))
            if concept:
                return concept, length
        return "", 0

    def _is_grammar(self, word: Word) -> bool:
        if word.quoted:
            return False
        return word.norm in lexicon.FILLER or (word.norm,) in lexicon.PHRASES or word.norm in _TEXT_ENDS

    def _near(self, at: int, beside: set[str]) -> bool:
        around = self._words[max(at - 1, 0) : at] + self._words[at + 1 : at + 2]
        return any(w.norm in beside and not w.quoted for w in around)

    def _each(self, explain: object) -> None:
        at = 0
        while at < len(self._words):
            used = explain(at) if self._free[at] else 0  # type: ignore[operator]
            self._take(at, used)
            at += max(used, 1)

    def _take(self, at: int, used: int) -> None:
        self._free[at : at + used] = [False] * used
