"""The tools: one module each, its name, description, JSON schema and whether it acts as data at the top."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import jsonschema

from pivo.agent.brain import Declaration, Mind
from pivo.agent.messages import Message, ToolUse, said
from pivo.agent.tools import (
    dag_run_status,
    get_file_diff,
    list_repositories,
    list_snapshots,
    query_metadata,
    read_file,
    restore_repo,
    search_history,
    snapshot_repo,
    verify_repo,
)
from pivo.agent.tools.base import Tool, ToolContext, ToolOutput
from pivo.errors import AmbiguousRef, PivoError
from pivo.trace import trace

ALL: tuple[Tool, ...] = (
    query_metadata.TOOL,
    search_history.TOOL,
    list_repositories.TOOL,
    list_snapshots.TOOL,
    read_file.TOOL,
    get_file_diff.TOOL,
    dag_run_status.TOOL,
    restore_repo.TOOL,
    snapshot_repo.TOOL,
    verify_repo.TOOL,
)


class Toolbox:
    """Runs the calls of a brain: checks the arguments against the schema and turns failures into answers."""

    def __init__(self, context: ToolContext, tools: Sequence[Tool] = ALL) -> None:
        self.context = context
        self._tools = {tool.declaration.name: tool for tool in tools}

    @property
    def declarations(self) -> tuple[Declaration, ...]:
        return tuple(tool.declaration for tool in self._tools.values())

    def use(self, mind: Mind) -> None:
        """From now on `mind` writes the SQL and explains."""
        self.context.writer, self.context.explainer = mind.writer, mind.explainer

    def begin(self, question: str, messages: Sequence[Message]) -> None:
        """A new question of the person; `messages` are the conversation up to and with it."""
        self.context.question = question
        self.context.said = said(messages)
        self._trace(f'{self.context.who} asks: "{question}"')

    def run(self, call: ToolUse) -> ToolOutput:
        """The output of one call; every failure that a person or a brain can cause becomes an answer."""
        output = self._run(call)
        if self.context.trail:
            self.context.trail.called(call, output)
        return output

    def _run(self, call: ToolUse) -> ToolOutput:
        tool = self._tools.get(call.name)
        if tool is None:
            return failed(f"There is no tool {call.name[:60]!r}.", f"Tools: {', '.join(self._tools)}.")
        arguments = dict(call.arguments)
        try:
            jsonschema.validate(arguments, tool.declaration.parameters)
        except jsonschema.ValidationError as err:
            where = ".".join(map(str, err.absolute_path)) or "the arguments"
            return failed(f"{call.name} cannot take {where}: {err.message[:200]}", "Call it by its schema.")
        shown = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
        self._trace(f"tool {call.name}({shown})")
        started = time.monotonic()
        try:
            output = tool.run(self.context, arguments)
        except PivoError as err:
            self._trace(f"tool {call.name} refused: {err}")
            candidates = err.candidates if isinstance(err, AmbiguousRef) else ()
            return failed(err.what, err.do, candidates)
        elapsed = time.monotonic() - started
        return replace(output, evidence=replace(output.evidence, elapsed=elapsed))

    def _trace(self, text: str) -> None:
        trace(self.context.settings.trace_log, "PIVO-ORCHESTRATOR", "INFO", text)


def failed(what: str, do: str = "", candidates: Sequence[str] = ()) -> ToolOutput:
    """An error as a tool's answer."""
    summary = {"error": what, "do": do}
    return ToolOutput({**summary, "candidates": list(candidates)} if candidates else summary, ok=False)
