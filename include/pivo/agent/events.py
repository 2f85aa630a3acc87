"""What an agent tells while it works, in order: the CLI prints these, the chat view streams them.

ToolCall → ToolResult [→ ProposalMade] …, TextDelta …, at most one Refusal, and Done last.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pivo.agent.messages import Message
from pivo.agent.proposals import Proposal
from pivo.agent.views import View
from pivo.models import Json


@dataclass(frozen=True)
class Badge:
    """Which brain answers: `offline` or `gemini`, its model, and why it is not the one that was asked for."""

    brain: str
    model: str = ""
    note: str = ""


@dataclass(frozen=True)
class Usage:
    """Tokens that a model counted; all zero for the offline brain."""

    prompt: int = 0
    answer: int = 0
    thoughts: int = 0
    cached: int = 0
    calls: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.prompt + other.prompt,
            self.answer + other.answer,
            self.thoughts + other.thoughts,
            self.cached + other.cached,
            self.calls + other.calls,
        )


@dataclass(frozen=True)
class Evidence:
    """Where an answer comes from, for a person who wants to check it. Seconds in `elapsed`."""

    read_as: str = ""  # how the question was understood
    sql: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    snapshot: str = ""
    hdfs_path: str = ""
    commit: str = ""
    run: str = ""  # DAG and id of the run
    elapsed: float = 0.0


@dataclass(frozen=True)
class TextDelta:
    """The next piece of the answer (Markdown)."""

    text: str


@dataclass(frozen=True)
class ToolCall:
    id: str
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class ToolResult:
    """`view` is for the person, `summary` what a model gets; `ok` is False for an error, said in `summary`. `more` is
    the id of what comes next, where a view was cut."""

    id: str
    name: str
    ok: bool
    view: View | None
    summary: Json
    evidence: Evidence
    more: str = ""


@dataclass(frozen=True)
class ProposalMade:
    """Something that the person may confirm. Nothing has happened yet."""

    proposal: Proposal


@dataclass(frozen=True)
class Refusal:
    """The offline brain will not guess: what it understood, which words it did not, what it can do instead."""

    understood: tuple[str, ...]
    unclear: tuple[str, ...]
    reason: str
    suggestions: tuple[str, ...]


@dataclass(frozen=True)
class Done:
    """The end: what it cost (`elapsed` in seconds), who answered, and the messages to keep as history."""

    usage: Usage
    badge: Badge
    steps: int
    elapsed: float
    messages: tuple[Message, ...] = field(default=(), repr=False)


AgentEvent = TextDelta | ToolCall | ToolResult | ProposalMade | Refusal | Done


def to_json(event: AgentEvent) -> Json:
    """An event as plain JSON with its `type`; what is only for the server (messages) is left out."""
    match event:
        case TextDelta(text):
            return {"type": "text", "text": text}
        case ToolCall():
            return {"type": "tool_call", "id": event.id, "name": event.name, "arguments": dict(event.arguments)}
        case ToolResult():
            return {
                "type": "tool_result",
                "id": event.id,
                "name": event.name,
                "ok": event.ok,
                "view": event.view.to_json() if event.view else None,
                "error": event.summary.get("error") if not event.ok else None,
                "evidence": {**asdict(event.evidence), "parameters": dict(event.evidence.parameters)},
                "more": event.more,
            }
        case ProposalMade(proposal):
            return {"type": "proposal", **proposal.to_json()}
        case Refusal():
            return {"type": "refusal", **asdict(event)}
        case Done():
            return {
                "type": "done",
                "usage": asdict(event.usage),
                "badge": asdict(event.badge),
                "steps": event.steps,
                "elapsed": round(event.elapsed, 3),
            }
