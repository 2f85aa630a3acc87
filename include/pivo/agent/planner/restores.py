"""Sentences that tell PIVO to bring repositories back: "Restore the 'PIVO' repo to commit a1b2c3d", "restore all of
acme as of last Friday into acme-dr".

Only a sentence that begins with the verb is one; "who restored PIVO?" asks. Every word must be explained here, too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from pivo.agent.planner import asides, periods
from pivo.agent.planner.actions import NOUNS, POLITE
from pivo.agent.planner.lexicon import restoring as res
from pivo.agent.planner.vocabulary import Vocabulary
from pivo.agent.planner.words import Word, joined, words

_SNAPSHOTS = frozenset({"snapshot", "backup"})


@dataclass
class RestoreWish:
    """What the sentence asks for. With `problems` or `unknown` nothing is proposed.

    `repos` are names, `acme/*` or `*`; `many` says that there may be several. `described` is a commit in words, which
    has to be looked up.
    """

    repos: list[str] = field(default_factory=list)
    many: bool = False
    ref: str = ""
    described: str = ""
    target: str = ""
    unknown: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    understood: list[str] = field(default_factory=list)
    candidates: list[str] = field(default_factory=list)

    def arguments(self, ref: str) -> dict[str, Any]:
        """The arguments of restore_repo, at `ref`."""
        what: dict[str, Any] = {"repos": self.repos} if self.many else {"repo": self.repos[0]}
        return {**what, "ref": ref} | ({"target": self.target} if self.target else {})


def wish(question: str, vocabulary: Vocabulary, now: datetime) -> RestoreWish | None:
    """The restore that `question` asks for, or None when it is no such sentence."""
    found = words(question)
    found = asides.left_out(found)
    start = 0
    while start < len(found) and found[start].norm in POLITE and not found[start].quoted:
        start += 1
    wanted = any(w.norm in res.WANTING for w in found[:start])
    done = [w for w, after in pairwise([*found[start:], Word("", "")]) if not (w.norm == "back" and after.norm == "up")]
    later = {w.norm for w in done if not w.quoted}
    if wanted and found[start:] and found[start].norm not in res.VERBS and later & res.DONE:
        # "I want acme/web back", "I need acme/web restored"
        return _Wisher([w for w in found[start:] if w.quoted or w.norm not in res.DONE], vocabulary, now).run()
    if start >= len(found) or found[start].quoted or found[start].norm not in res.VERBS:
        return None
    verb = found[start].norm
    rest = found[start + 1 :]
    if rest and rest[0].norm in NOUNS and not rest[0].quoted:
        return None
    if verb in res.NEEDS_BACK and not any(w.norm == "back" for w in rest):
        return None
    return _Wisher(rest, vocabulary, now).run()


class _Wisher:
    def __init__(self, found: Sequence[Word], vocabulary: Vocabulary, now: datetime) -> None:
        self._words = found
        self._vocabulary = vocabulary
        self._now = now
        self._wish = RestoreWish()
        self._all = False
        self._taken: set[int] = set()  # words that named repositories

    def run(self) -> RestoreWish:
        wish, at = self._wish, 0
        for first in range(len(self._words)):  # the repositories tell what is a ref, before and after their names
            if self._every(first) or self._repo(first):
                self._taken.add(first)
        explain = (self._described, self._date, self._target, self._ref, self._latest)
        while at < len(self._words):
            if at in self._taken:
                at += 1
                continue
            used = next((used for each in explain if (used := each(at))), 0)
            if not used and (
                self._words[at].quoted or self._words[at].norm not in res.FILLER | res.TARGET | res.GRAMMAR | res.ARROWS
            ):
                wish.unknown.append(self._words[at].text)
            at += max(used, 1)
        self._which()
        if not wish.target and any(w.norm in {"into", "onto", "called", "named"} and not w.quoted for w in self._words):
            wish.problems.append("the target's name is missing")
        if wish.ref and wish.described:
            wish.problems.append(f"both {wish.ref[:12]} and the {wish.described} are asked for")
        if not (wish.ref or wish.described) and any(w.norm in res.UNSAID and not w.quoted for w in self._words):
            wish.problems.append("which commit is not said")
        wish.many = len(wish.repos) > 1 or any("*" in r for r in wish.repos)
        if wish.many:
            self._fleet()
        wish.ref = wish.ref or "HEAD"
        return wish

    def _which(self) -> None:
        """The repositories, where no name says it all."""
        wish, known = self._wish, self._vocabulary.repos()
        if self._all and not wish.repos:
            wish.repos.append("*")
            wish.understood.append("all repositories")
        elif self._all and not all("*" in r for r in wish.repos):
            wish.problems.append("all repositories, or only those that are named, is not clear")
        if not wish.repos and not wish.candidates and len(known) == 1:
            wish.repos.append(known[0])
            wish.understood.append(f"repository {known[0]} (the only one)")
        if not wish.repos:
            wish.problems.append("which repository is not clear")
            for word in [*wish.unknown, wish.target]:
                wish.candidates += self._vocabulary.similar_repos(word)

    def _norm(self, at: int) -> str:
        return self._words[at].norm if 0 <= at < len(self._words) and not self._words[at].quoted else ""

    def _fleet(self) -> None:
        """What several repositories need: a date or the latest, and an organisation to go to."""
        wish = self._wish
        if wish.described or (wish.ref and wish.ref != "HEAD" and not wish.ref.startswith("@")):
            wish.problems.append(
                "several repositories go back to a date, or to the latest, not to one commit or branch"
            )
        if not wish.target:
            wish.problems.append("several repositories need an organisation to go to, e.g. into acme-dr/")
        elif "/" in wish.target.rstrip("/") and "://" not in wish.target and "{" not in wish.target:
            wish.problems.append(f"several repositories cannot all go to {wish.target}")
        elif "://" not in wish.target and "{" not in wish.target:
            wish.target = wish.target.rstrip("/") + "/"

    def _every(self, at: int) -> int:
        whole = self._words[at].norm in res.WHOLE and any(
            self._norm(at + i) in {"archive", "organisation", "organization", "org", "vault"} for i in (1, 2)
        )
        if self._words[at].quoted or not (whole or self._words[at].norm in res.ALL):
            return 0
        self._all = True
        return 1

    def _described(self, at: int) -> int:
        """ "to the last commit by Ada", "to the commit before the last one": words that say which commit."""
        if self._words[at].quoted or self._wish.described:
            return 0
        if used := self._snapshot(at):
            return used
        if self._words[at].norm not in {"to", "at"}:
            return 0
        end = at + 1
        while end < len(self._words) and (
            self._words[end].quoted or self._words[end].norm not in {"into", "onto", "as", "called"}
        ):
            end += 1
        said = [self._words[i] for i in range(at + 1, end) if i not in self._taken]
        said = [w for w in said if w.norm != "the" or w.quoted]
        norms = {w.norm for w in said if not w.quoted}
        if " ".join(w.norm for w in said) in res.BEFORE_LAST:
            return self._describe("second last commit", end - at)
        if "commit" not in norms or not norms & res.WHICH or len(said) < 3:
            return 0
        if norms <= res.LATEST | {"commit", "of"}:
            return 0
        return self._describe(joined(said), end - at)

    def _snapshot(self, at: int) -> int:
        """ "To snapshot 2", "from the first snapshot": the commit that it was taken at."""
        the = 1 if self._norm(at + 1) == "the" else 0
        first, second = self._norm(at + 1 + the), self._norm(at + 2 + the)
        if self._norm(at) not in {"to", "at", "from"}:
            return 0
        if first in {"first", "oldest", "earliest"} and second in _SNAPSHOTS:
            return self._describe("first snapshot", 3 + the)
        number = 2 + (second in {"number", "no"}) + the
        digits = self._norm(at + number).lstrip("#")
        if first not in _SNAPSHOTS or not digits.isdigit():
            return 0
        return self._describe(f"snapshot {digits}", number + 1)

    def _describe(self, text: str, used: int) -> int:
        self._wish.described = text
        self._wish.understood.append(f"at the {text}")
        return used

    def _repo(self, at: int) -> int:
        word, before = self._words[at], self._words[at - 1].norm if at else ""
        if word.norm in res.FILLER | res.TARGET | res.ALL | {"to"} and not word.quoted:
            return 0
        owner = word.text.removesuffix("/*")
        if owner in self._vocabulary.owners() and before not in res.TARGET and not self._vocabulary.repo(word.text):
            owned = self._norm(at + 1) == "'s" and self._norm(at + 2) in {"repos", "repositories", "projects"}
            if not (self._all or word.text.endswith("/*") or owned):
                return 0
            self._all = False
            return self._add(f"{owner}/*", f"repositories of {owner}")
        found = self._vocabulary.repo(word.text)
        if len(found) > 1:
            self._wish.problems.append(f"{word.text} is the name of {len(found)} repositories")
            self._wish.candidates += found
            return 1
        if not found or before in res.TARGET or (self._wish.repos and before not in {"and", "repository", "repo"}):
            return 0
        return self._add(found[0], f"repository {found[0]}")

    def _add(self, repo: str, says: str) -> int:
        if repo not in self._wish.repos:
            self._wish.repos.append(repo)
            self._wish.understood.append(says)
        return 1

    def _date(self, at: int) -> int:
        if self._words[at].quoted or self._words[at].norm in {"from", "since", "before", "after", "between"}:
            return 0
        found = periods.find(self._words, at, self._now)
        if found is None or not (found[0].asof or found[0].point):
            found = periods.day(self._words, at, self._now)
        if found is None:
            return 0
        if found[0].point is None:
            self._wish.problems.append(f"{found[0].says} is no single day")
        else:
            self._set_ref(found[0].point)
        return found[1]

    def _target(self, at: int) -> int:
        word, before = self._words[at], self._words[at - 1].norm if at else ""
        # ssh's scp-like address and URLs are targets wherever they stand
        if "://" in word.text or re.match(r"^[\w.-]+@[\w.-]+:", word.text):
            return self._set_target(word.text)
        marked = before in res.TARGET or (before == "to" and ("/" in word.text or self._many()))
        marked = marked or (before in {"->", "→", "=>"} and not self._wish.target)
        if before in {"organisation", "organization", "org", "name"} and at > 1:
            marked = any(w.norm in res.TARGET | {"to"} for w in self._words[max(at - 3, 0) : at])
        if not marked or not res.NAME.match(word.text) or self._is_ref(word):
            return 0
        if not word.quoted and word.norm in res.FILLER | res.LATEST | res.GRAMMAR:
            return 0
        return self._set_target(word.text)

    def _many(self) -> bool:
        return self._all or len(self._wish.repos) > 1 or any("*" in r for r in self._wish.repos)

    def _ref(self, at: int) -> int:
        if [w.norm for w in self._words[at : at + 2]] == ["lost", "commit"] and at + 2 < len(self._words):
            used = self._ref(at + 2)  # the hash says which; where it is not one, "lost" stays unexplained
            return used + 2 if used else 0
        word, before = self._words[at], self._words[at - 1].norm if at else ""
        if not word.quoted and word.norm in res.FILLER | res.TARGET | res.GRAMMAR:
            return 0
        if word.norm.startswith("@") and periods.day([Word(word.text[1:], word.norm[1:])], 0, self._now):
            return self._set_ref(word.norm)
        hexadecimal = res.HEX.match(word.norm) and (
            before in {"commit", "to", "at", "hash", "revision", "sha"} or len(word.norm) >= 7
        )
        if word.text == "HEAD" or hexadecimal or self._is_ref(word):
            return self._set_ref(word.text)
        return 0

    def _latest(self, at: int) -> int:
        used = 0
        while at + used < len(self._words) and self._words[at + used].norm in res.LATEST:
            used += 1
        following = self._words[at + used].norm if at + used < len(self._words) else ""
        if used and at + used in self._taken:
            return self._set_ref("HEAD") * used  # "the latest acme/web"
        if not used or (following and following not in {"commit", "state", "version", "snapshot", "of", "backup"}):
            return 0
        return self._set_ref("HEAD") * (used + (following not in {"", "of"}))

    def _is_ref(self, word: Word) -> bool:
        known, named = self._vocabulary.repos(), self._wish.repos
        repo = named[0] if len(named) == 1 else known[0] if len(known) == 1 and not (named or self._all) else None
        return repo is not None and bool(self._vocabulary.refs(repo, word.text))

    def _set_ref(self, ref: str) -> int:
        if self._wish.ref and self._wish.ref != ref:
            self._wish.problems.append(f"both {self._wish.ref} and {ref} are asked for")
        self._wish.ref = ref
        self._wish.understood.append(f"at {ref}")
        return 1

    def _set_target(self, target: str) -> int:
        if self._wish.target:
            self._wish.problems.append(f"both {self._wish.target} and {target} are given as the target")
        self._wish.target = target
        self._wish.understood.append(f"into {target}")
        return 1
