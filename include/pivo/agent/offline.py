"""The offline brain: no model, no key. The planner plans, this walks the plan's steps and says what came out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from pivo.agent import answers, safe
from pivo.agent.brain import Declaration, Part, TurnEnd
from pivo.agent.events import Badge, Refusal, TextDelta
from pivo.agent.messages import Message, ModelMessage, ToolAnswer, ToolMessage, ToolUse, UserMessage
from pivo.agent.planner import Plan, Planner, Turn
from pivo.agent.views import Code, Diff, Table

_ID = "offline-"
"""How this brain's calls are told from another's, whose place it may have taken in the middle."""


_TOLD = frozenset({"restore_repo", "snapshot_repo", "verify_repo", "dag_run_status"})  # by what they say, not by rows
_TURNS = 6  # earlier questions that a question may lean on, one by one


class OfflineBrain:
    """Answers what the planner understands, refuses the rest."""

    badge = Badge("offline", "planner")

    def __init__(self, planner: Planner, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._planner = planner
        self._now = now
        self._planned: tuple[int, str, Plan | Refusal] | None = None

    def reply(self, messages: Sequence[Message], tools: Sequence[Declaration], deadline: float) -> Iterator[Part]:
        """The next step of the plan for the last question, or its answer."""
        question, given = _current(messages)
        plan = self._plan(question, messages)
        if isinstance(plan, Refusal):
            yield plan
            yield TurnEnd(ModelMessage(f"Refused: {plan.reason}"))
            return
        call = self._next(plan, given)
        if call is not None:
            yield TurnEnd(ModelMessage("", (call,)))
            return
        text = _corrections(plan) + self._conclude(plan, given)
        yield TextDelta(text)
        yield TurnEnd(ModelMessage(text))

    def _plan(self, question: str, messages: Sequence[Message]) -> Plan | Refusal:
        # A question is planned once, although each of its steps is a turn.
        asked = sum(isinstance(m, UserMessage) for m in messages)
        if self._planned is None or self._planned[:2] != (asked, question):
            self._planned = asked, question, self._planner.plan(question, _before(messages))
        return self._planned[2]

    def _next(self, plan: Plan, given: Sequence[ToolAnswer]) -> ToolUse | None:
        if len(given) >= len(plan.steps) or any(not answer.ok for answer in given):
            return None
        step = plan.steps[len(given)]
        arguments = step.arguments(given)
        return None if arguments is None else ToolUse(f"{_ID}{len(given) + 1}", step.tool, arguments)

    def _conclude(self, plan: Plan, given: Sequence[ToolAnswer]) -> str:
        if plan.frame == "help":
            return answers.HELP
        last = given[-1]
        if not last.ok:
            return _error(last)
        view = last.view
        if len(given) < len(plan.steps) and isinstance(view, Table):
            return f"There are not enough commits to go by: {len(view.rows)} found."
        if last.name in _TOLD:
            return answers.proposed(last.name, last.content)
        if isinstance(view, Diff):
            span = f"`{view.old[:7]}` and `{view.new[:7]}`" if view.old else f"nothing and `{view.new[:7]}`"
            return f"{view.explanation} (Between {span}.)"
        if isinstance(view, Code):
            return _file(view, str(last.content.get("commit", "")))
        if isinstance(view, Table) and last.name == "read_file":
            return f"{len(view.rows)} entries in `{last.content['folder'] or '/'}` at `{last.content['commit'][:7]}`:"
        if last.name == "search_history":
            return answers.history(last.content)
        if isinstance(view, Table):
            return answers.sentence(plan.frame, plan.reading, view, self._now())
        return "There is nothing to show."


def _before(messages: Sequence[Message]) -> list[Turn]:
    """The questions before the last one, with the answers of the tools to each; what no tool answered has none."""
    turns: list[Turn] = []
    for message in messages[:-1]:
        if isinstance(message, UserMessage):
            turns.append(Turn(message.text))
        elif isinstance(message, ToolMessage) and turns:
            turns[-1] = Turn(turns[-1].question, (*turns[-1].answers, *message.answers))
    start = max(i for i, m in enumerate(messages) if isinstance(m, UserMessage))
    return turns[: sum(isinstance(m, UserMessage) for m in messages[:start])][-_TURNS:]


def _current(messages: Sequence[Message]) -> tuple[str, list[ToolAnswer]]:
    """The last question and this brain's own answers since."""
    start = max(i for i, m in enumerate(messages) if isinstance(m, UserMessage))
    question = messages[start]
    assert isinstance(question, UserMessage)
    later = [m for m in messages[start:] if isinstance(m, ToolMessage)]
    return question.text, [a for m in later for a in m.answers if a.id.startswith(_ID)]


def _corrections(plan: Plan) -> str:
    read = ", ".join(f"“{answers.name(typed)}” as “{meant}”" for typed, meant in plan.corrected.items())
    left = "; ".join(f"“{answers.name(text)}”" for text in plan.left_out)
    return (f"(I read {read}.) " if read else "") + (f"(Left out, as it asks for nothing: {left}.) " if left else "")


def _error(answer: ToolAnswer) -> str:
    content = answer.content
    text = f"{answers.name(content.get('error', ''))} {answers.name(content.get('do', ''))}".strip()
    candidates = "".join(f"\n- `{safe.line(str(c))}`" for c in content.get("candidates", ()))
    return text + ("\n" + candidates if candidates else "")


def _file(view: Code, commit: str) -> str:
    where = f"`{safe.line(view.path)}` at `{commit[:7]}`"
    if view.note and not view.text:
        return f"{where}: {view.note}."
    lines = f"{view.total_lines:,} line{'s' if view.total_lines != 1 else ''}"
    more = f", shown up to line {view.next_line - 1:,}" if view.next_line else ""
    return f"{where}, {lines}{more}:"
