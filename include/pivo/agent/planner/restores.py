"""Sentences that tell PIVO to bring a repository back: "Restore the 'PIVO' repo to commit a1b2c3d".

Only a sentence that begins with the verb is one; "who restored PIVO?" asks. Every word must be explained here, too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pivo.agent.planner import periods
from pivo.agent.planner.vocabulary import Vocabulary
from pivo.agent.planner.words import Word, words

_POLITE = frozenset(
    [
        "please",
        "kindly",
        "can",
        "could",
        "would",
        "will",
        "you",
        "i",
        "we",
        "us",
        "me",
        "want",
        "like",
        "need",
        "to",
        "let",
        "'d",
        "now",
        "go",
        "ahead",
        "and",
        "just",
        "ok",
        "hey",
        "hi",
    ]
)
_VERBS = {"restore", "recover", "rebuild", "reconstruct", "resurrect", "rollback", "bring", "roll", "get"}
_NEEDS_BACK = {"bring", "roll", "get"}
_FILLER = frozenset(
    [
        "the",
        "a",
        "an",
        "its",
        "it",
        "this",
        "that",
        "repo",
        "repository",
        "project",
        "archive",
        "archived",
        "back",
        "please",
        "for",
        "me",
        "us",
        "at",
        "in",
        "on",
        "of",
        "with",
        "from",
        "is",
        "was",
        "were",
        "be",
        "as",
        "state",
        "version",
        "snapshot",
        "copy",
        "fresh",
        "new",
        "empty",
        "backup",
        "all",
        "history",
        "then",
        "thanks",
        "hash",
        "sha",
        "revision",
        "ref",
    ]
)
_GRAMMAR = frozenset({"to", "commit", "branch", "tag"})
_TARGET = frozenset(["into", "as", "onto", "called", "named", "under", "in"])
_LATEST = frozenset(["latest", "last", "newest", "head", "current", "recent", "most", "tip"])
_HEX = re.compile(r"^[0-9a-f]{4,40}$")
_NAME = re.compile(r"^[A-Za-z0-9_.][A-Za-z0-9_.\-]*(/[A-Za-z0-9_.][A-Za-z0-9_.\-]*)?$")


@dataclass
class RestoreWish:
    """What the sentence asks for. With `problems` or `unknown` nothing is proposed."""

    repo: str = ""
    ref: str = ""
    target: str = ""
    unknown: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    understood: list[str] = field(default_factory=list)
    candidates: list[str] = field(default_factory=list)


def wish(question: str, vocabulary: Vocabulary, now: datetime) -> RestoreWish | None:
    """The restore that `question` asks for, or None when it is no such sentence."""
    found = words(question)
    start = 0
    while start < len(found) and found[start].norm in _POLITE and not found[start].quoted:
        start += 1
    if start >= len(found) or found[start].quoted or found[start].norm not in _VERBS:
        return None
    verb = found[start].norm
    rest = found[start + 1 :]
    if verb in _NEEDS_BACK and not any(w.norm == "back" for w in rest):
        return None
    return _Wisher(rest, vocabulary, now).run()


class _Wisher:
    def __init__(self, found: Sequence[Word], vocabulary: Vocabulary, now: datetime) -> None:
        self._words = found
        self._vocabulary = vocabulary
        self._now = now
        self._wish = RestoreWish()

    def run(self) -> RestoreWish:
        wish, at = self._wish, 0
        while at < len(self._words):
            used = self._repo(at) or self._date(at) or self._target(at) or self._ref(at) or self._latest(at)
            if not used and (self._words[at].quoted or self._words[at].norm not in _FILLER | _TARGET | _GRAMMAR):
                wish.unknown.append(self._words[at].text)
            at += max(used, 1)
        known = self._vocabulary.repos()
        if not wish.repo and not wish.candidates and len(known) == 1:
            wish.repo = known[0]
            wish.understood.append(f"repository {known[0]} (the only one)")
        if not wish.repo:
            wish.problems.append("which repository is not clear")
            for word in [*wish.unknown, wish.target]:
                wish.candidates += self._vocabulary.similar_repos(word)
        if not wish.target and any(w.norm in {"into", "onto", "called", "named"} and not w.quoted for w in self._words):
            wish.problems.append("the target's name is missing")
        wish.ref = wish.ref or "HEAD"
        return wish

    def _repo(self, at: int) -> int:
        word = self._words[at]
        if self._wish.repo or (word.norm in _FILLER | _TARGET | {"to"} and not word.quoted):
            return 0
        found = self._vocabulary.repo(word.text)
        if len(found) > 1:
            self._wish.problems.append(f"{word.text} is the name of {len(found)} repositories")
            self._wish.candidates += found
            return 1
        if not found:
            return 0
        self._wish.repo = found[0]
        self._wish.understood.append(f"repository {found[0]}")
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
        marked = before in _TARGET or (before == "to" and "/" in word.text)
        if not marked or not _NAME.match(word.text) or self._is_ref(word):
            return 0
        if not word.quoted and word.norm in _FILLER | _LATEST | _GRAMMAR:
            return 0
        return self._set_target(word.text)

    def _ref(self, at: int) -> int:
        word, before = self._words[at], self._words[at - 1].norm if at else ""
        if not word.quoted and word.norm in _FILLER | _TARGET | _GRAMMAR:
            return 0
        if word.norm.startswith("@") and periods.day([Word(word.text[1:], word.norm[1:])], 0, self._now):
            return self._set_ref(word.norm)
        hexadecimal = _HEX.match(word.norm) and (
            before in {"commit", "to", "at", "hash", "revision", "sha"} or len(word.norm) >= 7
        )
        if word.text == "HEAD" or hexadecimal or self._is_ref(word):
            return self._set_ref(word.text)
        return 0

    def _latest(self, at: int) -> int:
        used = 0
        while at + used < len(self._words) and self._words[at + used].norm in _LATEST:
            used += 1
        following = self._words[at + used].norm if at + used < len(self._words) else ""
        if not used or (following and following not in {"commit", "state", "version", "snapshot", "of", "backup"}):
            return 0
        return self._set_ref("HEAD") * (used + (following not in {"", "of"}))

    def _is_ref(self, word: Word) -> bool:
        return bool(self._wish.repo and self._vocabulary.refs(self._wish.repo, word.text))

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
