"""The offline planner: a question becomes tool calls, or is refused. Deterministic; no model, no guess.

    question ─▶ what was said before put in ─▶ words ─▶ names, dates, concepts (every word explained) ─▶ frame ─▶ steps

`Planner.plan` gives the steps, `Planner.write` (a SqlWriter) the SELECT of a question that one query answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from pivo.agent.brain import Query
from pivo.agent.events import Refusal
from pivo.agent.planner import actions, changes, frames, kept, phrasing, reasons, restores, sql, suggest
from pivo.agent.planner.actions import ActionWish
from pivo.agent.planner.context import Turn
from pivo.agent.planner.followups import Followups
from pivo.agent.planner.frames import Frame
from pivo.agent.planner.reading import Reading, read
from pivo.agent.planner.restores import RestoreWish
from pivo.agent.planner.steps import NEED_REPO, Step, call, hashes, steps
from pivo.agent.planner.vocabulary import Vocabulary
from pivo.agent.planner.words import wordset
from pivo.errors import UsageError

__all__ = ["Plan", "Planner", "Step", "Turn"]

_ONE_COMMIT = frozenset({"last_commit", "first_commit", "commit", "parent", "tip", "snapshot", "first_snapshot"})


@dataclass(frozen=True)
class Plan:
    """What to do about a question: the steps, and the frame for the sentence at the end.

    `question` is what was planned: the question with what was said before put in, without greetings and the like.
    `corrected` are words that were taken for mistyped ones, and what they were read as; `left_out` are clauses that
    only tell why it is asked.
    """

    frame: str
    reading: Reading
    steps: tuple[Step, ...]
    question: str = ""
    corrected: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


class Planner:
    """Plans questions against one index. `now` is the clock that "yesterday" goes by."""

    def __init__(self, vocabulary: Vocabulary, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._vocabulary = vocabulary
        self._now = now
        self._tidied: tuple[str, tuple[str, dict[str, str]]] = "", ("", {})

    def plan(self, question: str, before: Sequence[Turn] = ()) -> Plan | Refusal:
        """The plan for `question` after the turns `before`, or why there is none; only names were looked up then."""
        plan = self._told(question, before)
        if isinstance(plan, Refusal):
            for text, left_out in reasons.shorter(question, self._vocabulary, self._now()):
                again = self._told(text, before)
                if not isinstance(again, Refusal):
                    return replace(again, left_out=left_out)
        return plan

    def _told(self, question: str, before: Sequence[Turn]) -> Plan | Refusal:
        _, corrected = self._tidy(question)
        told = Followups(self).told(question, before)
        if isinstance(told, Refusal):
            return told
        plan = self.plan_alone(told)
        return plan if isinstance(plan, Refusal) else replace(plan, corrected=corrected)

    def tidy(self, question: str) -> str:
        """The question without greetings and the like, mistyped words put right."""
        return self._tidy(question)[0]

    def _tidy(self, question: str) -> tuple[str, dict[str, str]]:
        if self._tidied[0] != question:
            self._tidied = question, phrasing.tidy(question, self._vocabulary)
        return self._tidied[1]

    def plan_alone(self, question: str) -> Plan | Refusal:
        """The plan for a question that stands for itself."""
        wanted = restores.wish(question, self._vocabulary, self._now())
        if wanted is not None:
            return self._restore(question, wanted)
        action = actions.wish(question, self._vocabulary)
        if action is not None:
            return self._act(question, action)
        if (verb := changes.wanted(question, self._vocabulary)) is not None:
            return self.refuse(question, Reading(question, [], unknown=[verb]), changes.REASON, similar=False)
        reading, frame, refusal = self._understand(question)
        if refusal is not None or frame is None:
            return refusal or self.refuse(question, reading, "")
        return Plan(frame.kind, reading, steps(frame, reading), question)

    def read(self, question: str) -> Reading:
        """The names and concepts of a question, known or not."""
        return read(question, self._vocabulary, self._now())

    def write(self, question: str, failed: Sequence[tuple[str, str]] = ()) -> Query:
        """The SELECT that answers `question`; UsageError when it is not understood as such a question."""
        question = self.tidy(question)
        if changes.wanted(question, self._vocabulary):
            raise UsageError(changes.REASON, f"Try: {'; '.join(self.suggestions(question, None))}")
        reading, frame, refusal = self._understand(question)
        if refusal is not None:
            raise UsageError(refusal.reason, f"Try: {'; '.join(refusal.suggestions)}")
        if frame is None or frame.kind not in sql.QUERIES:
            raise UsageError("The index alone cannot answer that.", "Ask for commits, people, snapshots or refs.")
        return sql.compile_frame(frame, reading)

    def refuse(self, question: str, reading: Reading, reason: str, *, similar: bool = True) -> Refusal:
        """What was understood, what was not, and what can be asked instead."""
        unknown = tuple(dict.fromkeys(reading.unknown))
        words = [w for w in unknown if " " not in w and w.casefold() not in _POINTERS]
        names = self._vocabulary
        alike = [
            n
            for w in words
            if similar
            for n in (*names.similar_repos(w), *names.similar_authors(w), *names.similar_paths(w))
        ]
        if alike:
            reason = f"{reason} Did you mean {', '.join(dict.fromkeys(alike))}?".strip()
        elif reading.candidates:
            reason = f"{reason} It may be {', '.join(reading.candidates[:5])}.".strip()
        elif len(words) < len(unknown) and not reason:
            pointers = ", ".join(f"“{w}”" for w in unknown if w not in words)
            reason = f"What is {pointers}? Nothing that was said before tells. Name it."
        elif unknown and not reason:
            reason = "No repository, person, path, ref or word that I know."
        return Refusal(
            tuple(dict.fromkeys(reading.understood)), unknown, reason, self.suggestions(question, reading.repo)
        )

    def suggestions(self, question: str, repo: str | None) -> tuple[str, ...]:
        """Three questions that can be asked."""
        known = self._vocabulary.repos()
        name = repo or (known[0] if known else "PIVO")
        return suggest.nearest(question, name, self._vocabulary.head_branch(name))

    def _understand(self, question: str) -> tuple[Reading, Frame | None, Refusal | None]:
        reading = self.read(question)
        if reading.problems:
            return reading, None, self.refuse(question, reading, f"{'; '.join(reading.problems)}.")
        if reading.unknown:
            return reading, None, self.refuse(question, reading, "")
        frame = frames.frame(reading)
        if frame is None:
            reason = "I know the words, but not a question that has all of them."
            return reading, None, self.refuse(question, reading, reason)
        if (
            reading.path
            and reading.path.homes
            and not (reading.repos or reading.owner or (frame.of or frame).kind == "repos_of_path")
        ):
            homes = ", ".join(reading.path.homes[:5])
            reason = f"Which repository? {reading.path.path} is in {homes}."
            return reading, None, self.refuse(question, reading, reason)
        if frame.kind in NEED_REPO and reading.repo is None:
            names = ", ".join(self._vocabulary.repos()[:5])
            return reading, None, self.refuse(question, reading, f"Which repository? The archive has {names}.")
        if left := kept.dropped(frame, reading):
            reason = f"I know the words, but no such question about {', '.join(left)}."
            return reading, None, self.refuse(question, reading, reason)
        return reading, frame, None

    def _restore(self, question: str, wanted: RestoreWish) -> Plan | Refusal:
        if not (wanted.problems or wanted.unknown) and wanted.described:
            return self._restore_described(question, wanted)
        if wanted.problems or wanted.unknown:
            return self._unclear(question, "a restore", wanted)
        arguments = wanted.arguments(wanted.ref)
        return Plan("restore", self._named(question, wanted), (call("restore_repo", arguments),), question)

    def _restore_described(self, question: str, wanted: RestoreWish) -> Plan | Refusal:
        """ "… to the last commit by Ada": the commit is looked up first."""
        first = f'{wanted.described} in repository "{wanted.repos[0]}"'
        reading, frame, refusal = self._understand(first)
        if refusal is not None:
            return refusal
        if frame is None or frame.kind not in _ONE_COMMIT:
            return self.refuse(question, reading, f"“{wanted.described}” is no single commit.")
        lookup = call("query_metadata", {"question": first})
        found = Step("restore_repo", lambda given: wanted.arguments(found[0]) if (found := hashes(given)) else None)
        return Plan("restore", self._named(question, wanted), (lookup, found), question)

    def _act(self, question: str, wanted: ActionWish) -> Plan | Refusal:
        if wanted.problems or wanted.unknown:
            return self._unclear(question, wanted.says, wanted)
        return Plan(wanted.tool, self._named(question, wanted), (call(wanted.tool, wanted.arguments),), question)

    def _named(self, question: str, wanted: RestoreWish | ActionWish) -> Reading:
        return Reading(question, [], repos=[r for r in wanted.repos if "*" not in r])

    def _unclear(self, question: str, says: str, wanted: RestoreWish | ActionWish) -> Refusal:
        reason = "; ".join(wanted.problems)
        candidates = tuple(dict.fromkeys(wanted.candidates))
        if candidates:
            reason += f"{'. ' if reason else ''}Did you mean {', '.join(candidates[:5])}?"
        repo = next((r for r in (*wanted.repos, *candidates) if r in self._vocabulary.repos()), None)
        understood = (says, *wanted.understood)
        return Refusal(understood, tuple(wanted.unknown), reason.strip(), self.suggestions(question, repo))


_POINTERS = wordset("it its he she him her his hers they them their same")
