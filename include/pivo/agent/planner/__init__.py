"""The offline planner: a question becomes tool calls, or is refused. Deterministic; no model, no guess.

    question ─▶ words ─▶ names, dates, concepts (every word explained) ─▶ frame ─▶ steps (tool calls)

`Planner.plan` gives the steps, `Planner.write` (a SqlWriter) the SELECT of a question that one query answers.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pivo.agent.brain import Query
from pivo.agent.events import Refusal
from pivo.agent.messages import ToolAnswer
from pivo.agent.planner import frames, restores, sql
from pivo.agent.planner.reading import Reading, read
from pivo.agent.planner.vocabulary import Vocabulary
from pivo.agent.views import Table
from pivo.errors import UsageError

EXAMPLES = (
    "Who committed last to {repo}?",
    "Show the last 5 commits in {repo}",
    "What changed in README.md between the last two commits that touched it?",
    "How many commits were there last week in {repo}?",
    "Who are the contributors of {repo}?",
    "When was {repo} last backed up?",
    "Which repositories were not snapshotted since yesterday?",
    "List the branches of {repo}",
    "Show README.md of {repo} as of yesterday",
    "Which commits mention 'fix' in {repo}?",
    "Who restored {repo}?",
    "Restore the '{repo}' repo to the latest commit",
)
"""Questions that can be asked; a refusal suggests the nearest."""


@dataclass(frozen=True)
class Step:
    """One tool call. `arguments` is worked out from the answers so far; None ends the plan there."""

    tool: str
    arguments: Callable[[Sequence[ToolAnswer]], dict[str, Any] | None]


@dataclass(frozen=True)
class Plan:
    """What to do about a question: the steps, and the frame for the sentence at the end."""

    frame: str
    reading: Reading
    steps: tuple[Step, ...]


class Planner:
    """Plans questions against one index. `now` is the clock that "yesterday" goes by."""

    def __init__(self, vocabulary: Vocabulary, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._vocabulary = vocabulary
        self._now = now

    def plan(self, question: str) -> Plan | Refusal:
        """The plan for `question`, or why there is none; nothing but names has been looked up by then."""
        wanted = restores.wish(question, self._vocabulary, self._now())
        if wanted is not None:
            return self._restore(question, wanted)
        reading, name, refusal = self._understand(question)
        if refusal is not None or name is None:
            return refusal or self._refuse(question, reading, "")
        return Plan(name, reading, _steps(name, reading))

    def write(self, question: str, failed: Sequence[tuple[str, str]] = ()) -> Query:
        """The SELECT that answers `question`; UsageError when it is not understood as such a question."""
        reading, name, refusal = self._understand(question)
        if refusal is not None:
            raise UsageError(refusal.reason, f"Try: {'; '.join(refusal.suggestions)}")
        if name not in sql.QUERIES:
            raise UsageError("The index alone cannot answer that.", "Ask for commits, people, snapshots or refs.")
        return sql.compile_frame(name, reading)

    def _understand(self, question: str) -> tuple[Reading, str | None, Refusal | None]:
        reading = read(question, self._vocabulary, self._now())
        if reading.problems:
            return reading, None, self._refuse(question, reading, f"{'; '.join(reading.problems)}.")
        if reading.unknown:
            return reading, None, self._refuse(question, reading, "")
        name = frames.frame(reading)
        reason = "I know the words, but not a question that has all of them."
        if name is None:
            return reading, None, self._refuse(question, reading, reason)
        if name in _NEED_REPO and reading.repo is None:
            names = ", ".join(self._vocabulary.repos()[:5])
            return reading, None, self._refuse(question, reading, f"Which repository? The archive has {names}.")
        return reading, name, None

    def _refuse(self, question: str, reading: Reading, reason: str) -> Refusal:
        unknown = tuple(dict.fromkeys(reading.unknown))
        similar = [
            n for w in unknown for n in (*self._vocabulary.similar_repos(w), *self._vocabulary.similar_authors(w))
        ]
        if similar:
            reason = f"{reason} Did you mean {', '.join(dict.fromkeys(similar))}?".strip()
        elif reading.candidates:
            reason = f"{reason} It may be {', '.join(reading.candidates[:5])}.".strip()
        elif unknown and not reason:
            reason = "No repository, person, path, ref or word that I know."
        return Refusal(tuple(dict.fromkeys(reading.understood)), unknown, reason, self._suggest(question, reading.repo))

    def _restore(self, question: str, wanted: restores.RestoreWish) -> Plan | Refusal:
        if wanted.problems or wanted.unknown:
            reason = "; ".join(wanted.problems)
            candidates = tuple(dict.fromkeys(wanted.candidates))
            if candidates:
                reason += f". Did you mean {', '.join(candidates[:5])}?"
            repo = wanted.repo or next(iter(candidates), None)
            return Refusal(
                ("a restore", *wanted.understood), tuple(wanted.unknown), reason.strip(), self._suggest(question, repo)
            )
        arguments = {"repo": wanted.repo, "ref": wanted.ref}
        if wanted.target:
            arguments["target"] = wanted.target
        reading = Reading(question, [], repos=[wanted.repo])
        return Plan("restore", reading, (Step("restore_repo", lambda _: arguments),))

    def _suggest(self, question: str, repo: str | None) -> tuple[str, ...]:
        known = self._vocabulary.repos()
        name = repo or (known[0] if known else "PIVO")
        filled = [example.format(repo=name) for example in EXAMPLES]
        scores = {e: difflib.SequenceMatcher(None, question.casefold(), e.casefold()).ratio() for e in filled}
        return tuple(sorted(filled, key=lambda e: -scores[e])[:3])


_NEED_REPO = {"read_file", "list_files", "diff", "diff_period", "diff_commit", "diff_last_two", "diff_last", "tip"}


def _steps(name: str, reading: Reading) -> tuple[Step, ...]:
    if name == "help":
        return ()
    if name in sql.QUERIES:
        return (Step("query_metadata", lambda _: {"question": reading.question}),)
    return _TOOLS[name](reading)


def _read_file(reading: Reading) -> tuple[Step, ...]:
    arguments: dict[str, Any] = {"repo": reading.repo, "path": reading.path.path.rstrip("/") if reading.path else ""}
    if reading.ends:
        arguments["ref"] = reading.ends[0]
    return (Step("read_file", lambda _: arguments),)


def _diff(reading: Reading) -> tuple[Step, ...]:
    ends = list(reading.ends)
    if reading.period and reading.period.start and reading.period.end and not ends:
        ends = [f"@{reading.period.start:%Y-%m-%dT%H:%M}", f"@{reading.period.end:%Y-%m-%dT%H:%M}"]
    arguments = (
        {"repo": reading.repo, "old": ends[0], "new": ends[1]}
        if len(ends) == 2
        else {"repo": reading.repo, "new": ends[0]}
    )
    return (Step("get_file_diff", lambda _: arguments | _path(reading)),)


def _diff_last(reading: Reading) -> tuple[Step, ...]:
    touching = f' touching file "{reading.path.path}"' if reading.path else ""
    first = f'last commit{touching} in repository "{reading.repo}"'

    def compare(answers: Sequence[ToolAnswer]) -> dict[str, Any] | None:
        hashes = _hashes(answers)
        return {"repo": reading.repo, "new": hashes[0], **_path(reading)} if hashes else None

    return (Step("query_metadata", lambda _: {"question": first}), Step("get_file_diff", compare))


def _diff_last_two(reading: Reading) -> tuple[Step, ...]:
    touching = f' touching file "{reading.path.path}"' if reading.path else ""
    first = f'last 2 commits{touching} in repository "{reading.repo}"'

    def compare(answers: Sequence[ToolAnswer]) -> dict[str, Any] | None:
        hashes = _hashes(answers)
        if len(hashes) < 2:
            return None
        return {"repo": reading.repo, "old": hashes[1], "new": hashes[0], **_path(reading)}

    return (Step("query_metadata", lambda _: {"question": first}), Step("get_file_diff", compare))


def _hashes(answers: Sequence[ToolAnswer]) -> list[str]:
    view = answers[0].view
    return [str(row["hash"]) for row in view.records()] if isinstance(view, Table) else []


def _path(reading: Reading) -> dict[str, str]:
    return {"path": reading.path.path.rstrip("/")} if reading.path else {}


_TOOLS: dict[str, Callable[[Reading], tuple[Step, ...]]] = {
    "read_file": _read_file,
    "list_files": _read_file,
    "diff": _diff,
    "diff_period": _diff,
    "diff_commit": _diff,
    "diff_last": _diff_last,
    "diff_last_two": _diff_last_two,
}
