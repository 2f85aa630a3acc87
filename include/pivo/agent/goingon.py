"""Going on where a long answer was cut: a page's button, `pivo more`. It asks the tool again, not the brain."""

from __future__ import annotations

from pivo.agent.events import ToolResult
from pivo.agent.messages import ToolUse
from pivo.agent.pages import Pages
from pivo.agent.tools import Toolbox
from pivo.agent.tools.base import ToolContext, ToolOutput


def told(context: ToolContext, call: ToolUse, output: ToolOutput) -> ToolResult:
    """The event of a call's output; where it was cut, `more` is the same person's id for :func:`go_on`, for a day."""
    more = ""
    if output.more is not None:
        more = _pages(context).keep_call(context.who, ToolUse(call.id, call.name, output.more))
    return ToolResult(call.id, call.name, output.ok, output.view, output.summary, output.evidence, more)


def go_on(tools: Toolbox, more: str) -> ToolResult:
    """What comes next, by the same tool with the same query; NotFound when the id is another's, or too old."""
    call = _pages(tools.context).find_call(tools.context.who, more)
    return told(tools.context, call, tools.run(call))


def _pages(context: ToolContext) -> Pages:
    return Pages(context.settings.home / "agent")
