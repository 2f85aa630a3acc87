"""The loop: a question goes to the brain, its tool calls run, their answers go back, until it has answered.

    for event in Agent(mind, toolbox).ask("Who committed last to PIVO?"):
        …

Nothing here acts: an acting tool makes a proposal, and only the person's own confirmation starts anything.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Iterator, Sequence

from pivo.agent import goingon
from pivo.agent.brain import Brain, BrainError, Declaration, Mind, Part, TurnEnd
from pivo.agent.events import (
    AgentEvent,
    Badge,
    Done,
    ProposalMade,
    Refusal,
    TextDelta,
    ToolCall,
    Usage,
)
from pivo.agent.messages import Message, ModelMessage, ToolAnswer, ToolMessage, ToolUse, UserMessage
from pivo.agent.tools import Toolbox, failed
from pivo.masking import masked

MAX_CALLS = 20
"""Calls of tools for one question; those beyond are answered with an error."""

FALLBACK_SECONDS = 10.0
"""What the fallback has at least, when the first brain has used the time up."""

MAX_QUESTION = 4000
"""Characters of a question; a longer one is refused before any brain sees it."""


class Agent:
    """Answers questions with a mind and tools.

    `fallback` takes over, with a badge that says so, when the first mind's brain does not answer. At
    most `max_steps` turns and `max_seconds` for one question; at either limit the agent says so and stops.
    What is asked and done is told to the trail of the toolbox, if it has one.
    """

    def __init__(
        self,
        mind: Mind,
        toolbox: Toolbox,
        *,
        fallback: Mind | None = None,
        max_steps: int = 8,
        max_seconds: float = 120.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._brain: Brain = mind.brain
        self._toolbox = toolbox
        self._toolbox.use(mind)
        self._fallback = fallback
        self._max_steps = max_steps
        self._max_seconds = max_seconds
        self._clock = clock
        self._deadline = 0.0

    def ask(self, question: str, history: Sequence[Message] = ()) -> Iterator[AgentEvent]:
        """Stream the answer to `question`; `history` are the messages of earlier turns.

        Credentials in the question are masked before any brain, log or memory gets it.
        """
        question = masked(question)
        answer = self._answer(question, history)
        trail = self._toolbox.context.trail
        return trail.watched(question, answer) if trail else answer

    def _answer(self, question: str, history: Sequence[Message]) -> Iterator[AgentEvent]:
        started = self._clock()
        self._deadline = started + self._max_seconds
        messages: list[Message] = [*history, UserMessage(question)]
        usage, steps = Usage(), 0
        self._toolbox.begin(question, messages)
        if len(question) > MAX_QUESTION or not question.strip():
            yield Refusal((), (), f"A question has 1 to {MAX_QUESTION} characters.", ("help",))
            yield Done(usage, self._brain.badge, steps, self._clock() - started)
            return
        seen: list[str] = []
        while steps < self._max_steps and self._clock() < self._deadline:
            steps += 1
            turn = yield from self._turn(messages)
            usage += turn.usage
            messages.append(turn.message)
            if not turn.message.calls:
                break
            answers = []
            for call in turn.message.calls:
                answers.append((yield from self._call(call, seen)))
            messages.append(ToolMessage(tuple(answers)))
        else:
            yield TextDelta(self._gave_up(steps))
        kept = tuple(messages[len(history) :])
        yield Done(usage, self._brain.badge, steps, self._clock() - started, kept)

    def _turn(self, messages: Sequence[Message]) -> Generator[AgentEvent, None, TurnEnd]:
        """One turn of the brain, or of the fallback from now on if the brain does not answer."""
        begun = False
        try:
            for part in self._brain.reply(messages, self._toolbox.declarations, self._deadline):
                if isinstance(part, TurnEnd):
                    return part
                begun = True
                yield part
            raise BrainError("The brain ended without an answer.")
        except BrainError as err:
            if self._fallback is None:
                yield TextDelta(f"\n\n{err}")
                return TurnEnd(ModelMessage(str(err)))
            if begun:  # half a sentence stands there
                yield TextDelta(" …\n\n")
            self._take_over(self._fallback, str(err))
            return (yield from self._turn(messages))

    def _take_over(self, mind: Mind, why: str) -> None:
        badge = mind.brain.badge
        self._brain, self._fallback = _Noted(mind.brain, Badge(badge.brain, badge.model, why)), None
        self._deadline = max(self._deadline, self._clock() + FALLBACK_SECONDS)
        self._toolbox.use(mind)

    def _call(self, call: ToolUse, seen: list[str]) -> Generator[AgentEvent, None, ToolAnswer]:
        yield ToolCall(call.id, call.name, call.arguments)
        same = json.dumps([call.name, dict(call.arguments)], sort_keys=True, default=str)
        if same in seen:  # a loop is cut here
            output = failed(f"{call.name} was already called with these arguments.", "Use that answer, or finish.")
        elif len(seen) >= MAX_CALLS:
            output = failed(f"One question takes {MAX_CALLS} calls of tools at most.", "Finish with what is there.")
        else:
            output = self._toolbox.run(call)
            seen.append(same)
        yield goingon.told(self._toolbox.context, call, output)
        if output.proposal is not None:
            yield ProposalMade(output.proposal)
        return ToolAnswer(call.id, call.name, output.summary, output.ok, output.view)

    def _gave_up(self, steps: int) -> str:
        if steps >= self._max_steps:
            return f"\n\nI stopped after {steps} steps without an answer. Ask for less at once."
        return f"\n\nI stopped after {self._max_seconds:.0f} seconds. Ask for less at once."


class _Noted:
    """A brain with another badge."""

    def __init__(self, brain: Brain, badge: Badge) -> None:
        self._brain = brain
        self._badge = badge

    @property
    def badge(self) -> Badge:
        return self._badge

    def reply(self, messages: Sequence[Message], tools: Sequence[Declaration], deadline: float) -> Iterator[Part]:
        return self._brain.reply(messages, tools, deadline)
