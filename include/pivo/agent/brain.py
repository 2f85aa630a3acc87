"""What a brain is: messages and tool declarations in, text or tool calls out. It holds no data and touches none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pivo.agent.events import Badge, Refusal, TextDelta, Usage
from pivo.agent.messages import Message, ModelMessage
from pivo.models import Json


@dataclass(frozen=True)
class Declaration:
    """A tool as a brain sees it; `parameters` is a JSON schema. `acts` marks one that only proposes."""

    name: str
    description: str
    parameters: Json
    acts: bool = False


@dataclass(frozen=True)
class TurnEnd:
    """The end of a brain's turn: the message for the history (with its tool calls) and what it cost."""

    message: ModelMessage
    usage: Usage = field(default_factory=Usage)


Part = TextDelta | Refusal | TurnEnd


class BrainError(Exception):
    """The brain did not answer; another may. Its text is one sentence for the person, without secrets."""


class Brain(Protocol):
    """One turn of thought. `reply` yields text as it comes and exactly one TurnEnd, last; BrainError if it cannot."""

    @property
    def badge(self) -> Badge: ...

    def reply(self, messages: Sequence[Message], tools: Sequence[Declaration], deadline: float) -> Iterator[Part]: ...


@dataclass(frozen=True)
class Query:
    """One SELECT over the v_* views with its named parameters, and how the question was understood.

    `page` is how many rows are shown at a time of a list whose length nobody named; its SQL ends with LIMIT :n."""

    sql: str
    parameters: Json
    read_as: str = ""
    page: int = 0


class SqlWriter(Protocol):
    """Turns a question into one SELECT. `failed` are earlier tries with their errors, for a writer that learns."""

    def write(self, question: str, failed: Sequence[tuple[str, str]] = ()) -> Query: ...


class Explainer(Protocol):
    """Explains text out of a repository in a call that holds no tools: what it reads cannot act."""

    def explain(self, question: str, material: str) -> str: ...


@dataclass(frozen=True)
class Mind:
    """What thinks for the agent, together: who talks, who writes SQL, and who explains (nobody: by numbers)."""

    brain: Brain
    writer: SqlWriter
    explainer: Explainer | None = None
