"""The typed history of a conversation: what the person said, what the brain said and called, what tools answered.

A brain that talks to a model keeps the provider's own content beside the typed one (`ModelMessage.raw`) and sends
it back verbatim: models sign their thoughts and refuse a history that was rebuilt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pivo.agent.views import View
from pivo.models import Json


@dataclass(frozen=True)
class ToolUse:
    """A brain's wish to call a tool. `id` ties the answer to it."""

    id: str
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class ToolAnswer:
    """What a tool answered. `content` is the summary for a model: typed values, no text out of repositories.

    `view` is what the person was shown. It stays within the turn: it is neither stored nor sent to a model.
    """

    id: str
    name: str
    content: Json
    ok: bool = True
    view: View | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class UserMessage:
    text: str


@dataclass(frozen=True)
class ModelMessage:
    """One turn of a brain. `brain` says which; `raw` holds its provider's contents as they came, in order."""

    text: str
    calls: tuple[ToolUse, ...] = ()
    brain: str = "offline"
    raw: tuple[Json, ...] = ()


@dataclass(frozen=True)
class ToolMessage:
    answers: tuple[ToolAnswer, ...]


Message = UserMessage | ModelMessage | ToolMessage


def to_json(messages: Sequence[Message]) -> list[Json]:
    """The history as plain JSON, for storage; :func:`from_json` reads it back."""
    return [_one(message) for message in messages]


def from_json(data: Sequence[Json]) -> tuple[Message, ...]:
    """The history that :func:`to_json` wrote; KeyError or TypeError for anything else."""
    return tuple(_parse(item) for item in data)


def said(messages: Sequence[Message]) -> str:
    """All that the person said in this conversation, the newest last. Brains and tools are not the person."""
    return "\n".join(m.text for m in messages if isinstance(m, UserMessage))


def _one(message: Message) -> Json:
    match message:
        case UserMessage(text):
            return {"role": "user", "text": text}
        case ModelMessage(text, calls, brain, raw):
            uses = [{"id": c.id, "name": c.name, "arguments": dict(c.arguments)} for c in calls]
            return {"role": "model", "text": text, "calls": uses, "brain": brain, "raw": list(raw)}
        case ToolMessage(answers):
            given = [{"id": a.id, "name": a.name, "content": a.content, "ok": a.ok} for a in answers]
            return {"role": "tool", "answers": given}


def _parse(item: Json) -> Message:
    match item["role"]:
        case "user":
            return UserMessage(item["text"])
        case "model":
            calls = tuple(ToolUse(**call) for call in item["calls"])
            return ModelMessage(item["text"], calls, item["brain"], tuple(item["raw"]))
        case "tool":
            return ToolMessage(tuple(ToolAnswer(**answer) for answer in item["answers"]))
        case role:
            raise KeyError(role)
