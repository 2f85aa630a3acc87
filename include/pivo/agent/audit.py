"""What the agent is asked, does and refuses, as audit events. It only tells; who keeps them is injected.

A conversation's text is not recorded as it is: a question may hold a password. Its plain words are, and the names
that the index knows; of a tool call that worked, its arguments, since all of them were found in the archive.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from pivo.agent.events import AgentEvent, Done, Refusal, TextDelta
from pivo.agent.planner.lexicon import FILLER, PHRASES
from pivo.agent.proposals import Proposal
from pivo.agent.views import Table
from pivo.errors import PivoError
from pivo.events import redaction
from pivo.events.types import AuditEvent
from pivo.index.views import VIEWS

if TYPE_CHECKING:
    from pivo.agent.messages import ToolUse
    from pivo.agent.tools.base import ToolOutput

_VIEWS = frozenset({v.name for v in VIEWS} | {"repo_snapshots"})
_ARGUMENTS = ("repo", "repos", "ref", "exclude", "path", "old", "new", "target", "deep", "dag", "run_id", "limit")


class Audit(Protocol):
    """Keeps audit events; :class:`pivo.events.audit.AuditLog` is the real one."""

    def record(self, event: AuditEvent) -> None:
        """Keeps an event, and does not wait for Kafka."""
        ...

    def require(self, event: AuditEvent) -> None:
        """Keeps an event of something that is about to act; Unavailable when Kafka has not taken it."""
        ...


class Trail:
    """The audit of one person who came by `origin` (chat or cli). `repos` are the names that are no secret."""

    def __init__(self, audit: Audit, who: str, origin: str, repos: Callable[[], tuple[str, ...]] = tuple) -> None:
        self._audit = audit
        self._who = who
        self._origin = origin
        self._repos = repos
        self._request = ""  # the question that is being answered

    def record(self, what: str, outcome: str, **parameters: Any) -> None:
        """Keeps what was asked or done: an action, what came of it (both fixed words), and the facts."""
        self._audit.record(self._event(what, outcome, parameters))

    def require(self, what: str, outcome: str, **parameters: Any) -> None:
        """Before something is done: Unavailable, and a refusal on record, when Kafka does not take it."""
        try:
            self._audit.require(self._event(what, outcome, parameters))
        except PivoError:
            self._audit.record(self._event("refusal", "refused: the audit log was away", parameters))
            raise

    def watched(self, question: str, answer: Iterator[AgentEvent]) -> Iterator[AgentEvent]:
        """The events of `answer` as they come, each kept; the question first, what came of it last."""
        self._request = secrets.token_hex(8)
        told = redaction.words(question, _common(), self._known())
        self.record("question", "asked", question=told, words=len(question.split()))
        outcome, facts = "broken off", dict[str, Any]()
        try:
            for event in answer:
                match event:
                    case Refusal():
                        outcome = "refused"
                        self.record("refusal", "refused: not understood")
                    case TextDelta():
                        outcome = outcome if outcome == "refused" else "answered"
                    case Done():
                        outcome = "answered" if outcome == "broken off" else outcome
                        facts = {"brain": event.badge.brain, "model": event.badge.model, "steps": event.steps}
                        facts |= {"tokens": event.usage.prompt + event.usage.answer}
                        facts |= {"seconds": round(event.elapsed, 3)}
                yield event
        except PivoError as err:
            outcome = "failed"
            facts |= {"error": type(err).__name__}
            raise
        except Exception as err:
            outcome, facts = "failed", facts | {"error": type(err).__name__}
            raise
        finally:
            self.record("answer", outcome, **{k: v for k, v in facts.items() if v != ""})
            self._request = ""

    def called(self, call: ToolUse, output: ToolOutput) -> None:
        """A call of a tool. What one that failed was called with is not known to be harmless."""
        arguments, evidence = call.arguments, output.evidence
        facts: dict[str, Any] = {"tool": call.name, "seconds": round(evidence.elapsed, 3)}
        if output.ok:
            facts |= {k: arguments[k] for k in _ARGUMENTS if k in arguments}
        elif "repo" in arguments:
            repo = str(arguments["repo"])
            facts["repo"] = repo if self._known()(repo) else None
        if evidence.commit:
            facts["commit"] = evidence.commit
        if evidence.sql:
            facts["views"] = sorted(_VIEWS & set(redaction.identifiers(evidence.sql)))
        if isinstance(output.view, Table):
            facts["rows"] = len(output.view.rows)
        self.record("tool", "done" if output.ok else "failed", **facts)
        if output.proposal:
            self.record("proposal", "proposed", **of(output.proposal))

    def _known(self) -> Callable[[str], bool]:
        try:
            repos = self._repos()
        except PivoError:  # no index yet
            repos = ()
        names = {r.casefold() for r in repos} | {r.rpartition("/")[2].casefold() for r in repos}
        return lambda word: word.casefold() in names

    def _event(self, action: str, outcome: str, parameters: Mapping[str, Any]) -> AuditEvent:
        told = {**parameters, "origin": self._origin} | ({"request": self._request} if self._request else {})
        return AuditEvent(self._who, action, told, outcome)


def of(proposal: Proposal) -> dict[str, Any]:
    """What is recorded of a proposal: all of it was resolved and shown."""
    arguments = proposal.arguments
    told = {key: arguments.get(key) for key in ("repo", "commit", "target", "ref", "deep")}
    told["repos"] = [r["name"] if isinstance(r, dict) else r for r in arguments.get("repos") or ()]
    return {k: v for k, v in told.items() if v} | {"tool": proposal.tool, "proposal": proposal.digest[:12]}


@cache
def _common() -> frozenset[str]:
    """The words that say what is asked, and none that somebody would choose as a password."""
    return frozenset({word for phrase in PHRASES for word in phrase} | FILLER | _MORE)


_MORE: frozenset[str] = frozenset().union(
    *map(
        str.split,
        (
            "today yesterday tomorrow week weeks month months year years day days night nights hour hours minute",
            "monday tuesday wednesday thursday friday saturday sunday january february march april may june july",
            "august september october november december between before after since until ago this last next previous",
            "past readme makefile main master head branch repo repository commit commits into back file files line",
            "lines minutes password token secret key api",
        ),
    )
)
