"""Sentences that tell PIVO to take a snapshot or to verify: "Back up acme/tool now", "Verify acme/web deeply".

Only a sentence that begins with the verb is one; "when was acme/web verified?" asks. Every word must be explained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pivo.agent.planner.vocabulary import Vocabulary
from pivo.agent.planner.words import Word, words, wordset

POLITE = wordset(
    "please kindly can could would will you i we us me want like need to let 'd now go ahead and just ok hey hi also"
    " then you go gonna would let's kindly maybe perhaps pls plz mind quickly have"
)
"""Words before the verb of a sentence that tells to do something."""

_SNAPSHOT = (
    "take a snapshot", "take another snapshot", "take a new snapshot", "make a snapshot", "make a new snapshot",
    "create a snapshot", "take a backup", "make a backup", "create a backup", "take a fresh snapshot", "snapshot",
    "back up", "backup", "archive", "run a snapshot", "run a backup", "trigger a snapshot", "start a snapshot",
    "save", "capture", "backing up", "snapshotting", "archiving", "taking a snapshot", "taking a backup", "preserve",
)  # fmt: skip
_VERIFY = (
    "verify", "check the integrity", "check integrity", "run a verification", "run a deep verification",
    "deeply verify",
    "start a verification", "prove", "verify the archive", "deep verify", "verify the integrity",
    "start a deep verification",
    "run a deep verify", "do a deep verification", "verifying", "check", "validate", "make sure",
    "make sure that", "double check",
    "double check that", "ensure", "ensure that", "prove that", "verify that", "check that", "confirm that",
    "double-check",
)  # fmt: skip
NOUNS = wordset(
    "history log logs list count counts status health drill drills request requests point points run runs job jobs"
    " failure failures attempt attempts operations date dates size sizes schedule number path paths time times "
    "activity"
    " statistics stats report overview age records entries rate rates state frequency progress"
)
"""Nouns that make one of the verb before them: "restore history", "backup status"."""
_FILLER = wordset(
    "a an of the repo repository project for me us now again please right away archive archived once more in on up its"
    " immediately thanks our my all-round named called repos repositories and"
)
WORDS = _FILLER | frozenset(w for phrase in (*_SNAPSHOT, *_VERIFY) for w in phrase.split())
"""Words that only mean something in such a sentence."""
_SOUND = wordset(
    "is are that intact sound fine ok okay healthy undamaged uncorrupted valid good still backup backups snapshot "
    "snapshots"
    " 's integrity copy copies for damage corruption errors our my"
)
"""Words of a sentence that tells to verify which say nothing more."""
_DEEP = wordset("deeply deep thoroughly fully full thorough complete completely comprehensive comprehensively in-depth")
_ALL = wordset("all everything every each whole entire")


@dataclass
class ActionWish:
    """What the sentence asks for. With `problems` or `unknown` nothing is proposed."""

    tool: str
    says: str
    repos: list[str] = field(default_factory=list)
    deep: bool = False
    unknown: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    understood: list[str] = field(default_factory=list)
    candidates: list[str] = field(default_factory=list)

    @property
    def arguments(self) -> dict[str, Any]:
        """The tool's arguments."""
        return {"repos": self.repos} | ({"deep": self.deep} if self.tool == "verify_repo" else {})


def wish(question: str, vocabulary: Vocabulary) -> ActionWish | None:
    """The snapshot or verification that `question` asks for, or None when it is no such sentence."""
    found = words(question)
    start = 0
    while start < len(found) and found[start].norm in POLITE and not found[start].quoted:
        start += 1
    for tool, says, phrases in (
        ("verify_repo", "a verification", _VERIFY),
        ("snapshot_repo", "a snapshot", _SNAPSHOT),
    ):
        for phrase in sorted(phrases, key=len, reverse=True):
            verb = phrase.split()
            if [w.norm for w in found[start : start + len(verb)] if not w.quoted] == verb:
                following = found[start + len(verb)] if start + len(verb) < len(found) else None
                if len(verb) == 1 and following and (following.norm in NOUNS or following.norm.isdigit()):
                    return None
                made = ActionWish(tool, says, deep="deep" in phrase)
                return _fill(made, found[start + len(verb) :], vocabulary)
    # "back it up": the verb goes around its object
    if tool_at := _around(found, start):
        return _fill(ActionWish("snapshot_repo", "a snapshot"), tool_at, vocabulary)
    return None


def _around(found: Sequence[Word], start: int) -> list[Word]:
    norms = [w.norm for w in found[start:]]
    if norms[:1] == ["back"] and "up" in norms[1:]:
        up = norms.index("up")
        return [*found[start + 1 : start + up], *found[start + up + 1 :]]
    return []


def _fill(made: ActionWish, rest: Sequence[Word], vocabulary: Vocabulary) -> ActionWish:
    everything = False
    for word in rest:
        repos = vocabulary.repo(word.text) if word.quoted or word.norm not in _FILLER | _ALL | _SOUND else ()
        owner = word.text.removesuffix("/*")
        if len(repos) == 1:
            made.repos += [r for r in repos if r not in made.repos]
            made.understood.append(f"repository {repos[0]}")
        elif len(repos) > 1:
            made.problems.append(f"{word.text} is the name of {len(repos)} repositories")
            made.candidates += repos
        elif owner in vocabulary.owners():
            made.repos.append(f"{owner}/*")
            made.understood.append(f"repositories of {owner}")
        elif word.norm in _ALL and not word.quoted:
            everything = True
        elif word.norm in _DEEP and not word.quoted and made.tool == "verify_repo":
            made.deep = True
        elif word.quoted or word.norm not in (_FILLER | _SOUND if made.tool == "verify_repo" else _FILLER):
            made.unknown.append(word.text)
            made.candidates += vocabulary.similar_repos(word.text)
    known = vocabulary.repos()
    if not made.repos and everything:
        made.repos.append("*")
        made.understood.append("all repositories")
    elif not made.repos and len(known) == 1 and not made.unknown:
        made.repos.append(known[0])
        made.understood.append(f"repository {known[0]} (the only one)")
    if not made.repos and not made.problems:
        made.problems.append("which repository is not clear")
    return made
