"""Which words of a question are names: repositories, people, paths, refs, commits, dates, numbers, texts."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from pivo.agent.planner import lexicon, periods, relations, runs, sizes, texts
from pivo.agent.planner.exclusions import Exclusions
from pivo.agent.planner.reading import Cursor, Reading
from pivo.agent.planner.strays import Strays
from pivo.agent.planner.vocabulary import Vocabulary
from pivo.agent.planner.words import wordset

_HEX = re.compile(r"^[0-9a-f]{4,40}$")
_PATHLIKE = re.compile(r"^\.?[\w@+-][\w@+./-]*(\.[A-Za-z0-9_+-]{1,10}|/[\w@+.-]*)$|^\.[A-Za-z][\w.-]*$")
_COMMIT_WORDS = wordset("commit commits revision hash sha changeset id")
_OTHER_THINGS = wordset("file folder directory path branch tag")
_REPO_WORDS = wordset("repo repository project")
_REF_WORDS = wordset("branch tag release version")
_PATH_WORDS = wordset("file folder directory path")
_LIKE_BRANCHES = wordset("PERSON TAG HEADBRANCH BRANCH")
_UP_TO = wordset("and to with until till than vs versus against from -")
_INSIDE = wordset("in below under beneath inside within")


class Names:
    """Takes words, longest explanation first, until each is explained or unknown."""

    def __init__(self, cursor: Cursor, vocabulary: Vocabulary, now: datetime) -> None:
        self._at = cursor
        self._words = cursor.words
        self._reading = cursor.reading
        self._vocabulary = vocabulary
        self._now = now
        self._order: list[tuple[int, str]] = []
        self._open_end = False

    def run(self) -> Reading:
        reading, excluded = self._reading, Exclusions(self._at, self._vocabulary)
        texts.path_part(self._at, self._vocabulary)
        texts.ending(self._at)
        texts.search_text(self._at, self._vocabulary)
        sizes.threshold(self._at)
        self._each(excluded.names)
        if reading.text is None:
            texts.fixed_text(self._at, self._named)
        self._each(self._repo)
        if not reading.repos and not reading.owner and len(repos := self._vocabulary.repos()) == 1:
            reading.repos, reading.defaulted = [repos[0]], True
        self._each(excluded.refs)
        for explain in (self._numbered, self._period, self._commit, self._ref, self._path):
            self._each(explain)
        for explain in (self._concept, self._number, self._person, self._asker):
            self._each(explain)
        self._each(Strays(self._at).stray)
        relations.related(self._reading)
        relations.both_ends(self._reading)
        reading.settle([options[0] for options in reading.choices])
        if self._open_end and len(self._order) == 1:
            self._order.append((len(self._words), "HEAD"))
        reading.ends = [text for _, text in sorted(self._order)]
        return reading

    # Each of these explains the words from `at` on and returns how many it took; 0 for none.

    def _repo(self, at: int) -> int:
        word, vocabulary = self._words[at], self._vocabulary
        if word.norm == "old" and self._at.norm(at - 1).removesuffix("s") in periods.UNITS:
            return 0
        if word.text.endswith("/*") or self._owner(at):
            owner = word.text.removesuffix("/*")
            if owner not in vocabulary.owners() or self._reading.owner:
                return 0
            self._reading.owner = owner
            self._at.mark("owner", at, 1, f"repositories of {owner}")
            return 1
        beside = self._at.near(at, _REPO_WORDS)
        if word.quoted and not beside and self._at.near(at, _OTHER_THINGS):
            return 0
        if not (word.quoted or beside or word.text in vocabulary.repos()) and self._at.grammar(at):
            return 0
        found = vocabulary.repo(word.text)
        if len(found) > 1:
            self._reading.problems.append(f"{word.text} is the name of {len(found)} repositories")
            self._reading.candidates += found
            return 1
        if not found:
            return 0
        if found[0] not in self._reading.repos:
            self._reading.repos.append(found[0])
        self._at.mark("repo", at, 1, f"repository {found[0]}")
        return 1

    def _named(self, text: str) -> bool:
        known = self._vocabulary
        return bool(known.repo(text) or text in known.owners() or known.authors(text) or known.paths(None, text))

    def _owner(self, at: int) -> bool:
        """Whether the word is an owner of repositories and no repository."""
        word = self._words[at]
        return word.text in self._vocabulary.owners() and not self._vocabulary.repo(word.text)

    def _numbered(self, at: int) -> int:
        return runs.run_id(self._at, at) or runs.snapshot_number(self._at, at)

    def _period(self, at: int) -> int:
        if self._words[at].quoted or (self._words[at].norm == "now" and not self._end_now(at)):
            return 0
        found = periods.find(self._words, at, self._now)
        if found is None or not all(self._at.free[at : at + found[1]]):
            return 0
        period, used = found
        self._reading.periods.append(period)
        self._at.mark("period", at, used, period.says)
        if period.asof:
            self._reading.concepts.add("ASOF")
        if period.point:
            self._order.append((at, period.point))
        return used

    def _end_now(self, at: int) -> bool:
        """Whether "now" ends a span: "between v1.0 and now"; else it asks for nothing."""
        before = self._words[at - 1].norm if at else ""
        return not self._at.idiom(at) and before in _UP_TO

    def _commit(self, at: int) -> int:
        word = self._words[at]
        if not _HEX.match(word.norm) or (word.norm,) in lexicon.PHRASES:
            return 0
        named = self._at.near(at, _COMMIT_WORDS)
        if not named and (len(word.norm) < 6 or word.norm.isdigit()):
            return 0
        found = self._vocabulary.commits(self._reading.repo, word.norm)
        if not found and not named and not any(c.isdigit() for c in word.norm):
            return 0
        if len(found) > 1:
            self._reading.problems.append(f"{word.text} is the beginning of several commits")
            self._reading.candidates += [commit for _, commit in found]
        elif not found:
            self._reading.problems.append(f"no commit in the archive begins with {word.text}")
        elif not self._reading.repos or self._reading.defaulted:
            self._reading.repos = [found[0][0]]
        full = found[0][1] if found else word.norm
        self._reading.commits.append(full)
        self._order.append((at, full))
        self._since(at)
        self._at.mark("commit", at, 1, f"commit {full[:12]}")
        return 1

    def _ref(self, at: int) -> int:
        word = self._words[at]
        if word.text in {"HEAD", "@"}:
            self._order.append((at, "HEAD"))
            self._at.mark("ref", at, 1, "HEAD")
            return 1
        beside = self._at.near(at, _REF_WORDS)
        if word.quoted and not beside and self._at.near(at, _PATH_WORDS):
            return 0
        grammar = self._at.grammar(at) and not self._at.branchlike(at)
        listed = grammar and self._listed(at)
        if not (word.quoted or beside or listed) and (grammar or periods.number(word.norm) is not None):
            return 0
        found = self._vocabulary.refs(self._reading.repo, word.text)
        if listed and not found:
            self._reading.problems.append(f"no branch or tag is called {word.text}")
            return 1
        if not found or len({r.repo for r in found}) > 1:
            return 0  # which repository's is not said; the rule that needs one asks
        ref = min(found, key=lambda r: not r.name.startswith("refs/heads/"))
        if not self._reading.repos:
            self._reading.repos.append(ref.repo)
        self._reading.refs.append(ref)
        self._order.append((at, word.text))
        self._since(at)
        self._at.mark("ref", at, 1, f"{ref.name} of {ref.repo}")
        return 1

    def _listed(self, at: int) -> bool:
        """Whether the word goes on a list of branches: "not on main or release"."""
        after = any(at - 1 == end for kind in ("ref", "without") for _, end in self._reading.spans.get(kind, ()))
        told = set(lexicon.PHRASES.get((self._words[at].norm,), "").split())
        return after and self._at.norm(at - 1) in {"or", "nor", "and"} and bool(told & _LIKE_BRANCHES)

    def _since(self, at: int) -> None:
        """ "Since v1.0" goes on to the head, unless another end is said."""
        the = 1 if self._at.norm(at - 1) in _REF_WORDS | _COMMIT_WORDS | {"the"} else 0
        the += bool(the) and self._at.norm(at - 2) == "the"
        if self._at.norm(at - 1 - the) in {"since", "after"}:
            self._at.take(at - 1 - the, 1)
            self._open_end = True

    def _path(self, at: int) -> int:
        word = self._words[at]
        beside = self._at.near(at, _PATH_WORDS)
        looks = bool(_PATHLIKE.match(word.text)) or word.quoted
        named = word.capital and not word.text.isupper()  # like a person; a file only if it is written just so
        if not looks and (self._at.grammar(at) or word.text.isdigit()):
            return 0
        short = not (looks or beside or self._at.norm(at - 1) in _INSIDE) and len(word.norm) < 4
        if short and len(word.norm) < 3:
            return 0
        found = self._vocabulary.paths(self._reading.repo, word.text)
        if short and not (found and found[0].folder):
            return 0
        if named and not looks:
            found = [p for p in found if p.path.rstrip("/").rpartition("/")[2] == word.text]
        if (
            not found
            and (looks or word.capital)
            and self._reading.repo
            and self._words[0].norm in {"is", "does", "do", "has", "are"}
        ):
            found = [p for p in self._vocabulary.paths(None, word.text) if p.path == word.text]  # it may not be there
        if len(found) > 1:
            self._reading.problems.append(f"{word.text} names several files")
            self._reading.candidates += [p.path for p in found]
            return 1
        if not found:
            return 0
        if self._at.norm(at - 1) in _PATH_WORDS:
            self._at.take(at - 1, 1)  # "the file README.md" asks for nothing more than "README.md"
        elif self._at.norm(at + 1) in _PATH_WORDS:
            self._at.take(at + 1, 1)
        if self._at.norm(at - 1) in _INSIDE:
            self._at.take(at - 1, 1)
        self._reading.paths.append(found[0])
        if not self._reading.repos and found[0].repo:
            self._reading.repos.append(found[0].repo)
        self._at.mark("path", at, 1, f"path {found[0].path}")
        return 1

    def _concept(self, at: int) -> int:
        concepts, used = self._at.phrase(at)
        if not used:
            return 0
        options = lexicon.CHOICES.get(tuple(w.norm for w in self._words[at : at + used]))
        if options:
            self._reading.choices.append(options)
        else:
            self._reading.add(concepts)
        kind = "last" if "LAST" in concepts or concepts.startswith("NTH") else "concept"
        self._at.mark(kind, at, used, " ".join(w.text for w in self._words[at : at + used]))
        return used

    def _number(self, at: int) -> int:
        value = None if self._words[at].quoted else periods.number(self._words[at].norm)
        if value is None or self._words[at].norm == "one":
            return 0
        if self._reading.number is not None or not 1 <= value <= 1000:
            return 0
        if self._at.near(at, periods.MONTHS_NAMED):
            return 0  # a day that no month has
        self._reading.number = value
        self._at.mark("number", at, 1, str(value))
        return 1

    def _person(self, at: int) -> int:
        for length in (4, 3, 2, 1):
            span = self._words[at : at + length]
            if len(span) < length or not all(self._at.free[at : at + length]):
                continue
            text = " ".join(w.text for w in span)
            if any(w.norm in lexicon.FILLER and not (w.capital and at + i > 0) for i, w in enumerate(span)):
                continue
            found = self._vocabulary.authors(text)
            if len(found) > 1:
                self._reading.problems.append(f"{text} is the name of {len(found)} people")
                self._reading.candidates += [a.name for a in found]
                return length
            if found:
                if found[0].name not in self._reading.people:
                    self._reading.people.append(found[0].name)
                self._at.mark("person", at, length, f"person {found[0].name}")
                return length
        return 0

    def _asker(self, at: int) -> int:
        return runs.target(self._at, at, self._vocabulary) or runs.user(self._at, at, self._vocabulary)

    def _each(self, explain: Callable[[int], int]) -> None:
        at = 0
        while at < len(self._words):
            used = explain(at) if self._at.free[at] else 0
            self._at.take(at, used)
            at += max(used, 1)
