"""snapshot_repo: proposes to archive repositories now. It starts nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pivo.agent.brain import Declaration
from pivo.agent.tools import fleet
from pivo.agent.tools.base import Tool, ToolContext, ToolOutput
from pivo.models import Json
from pivo.trace import trace

NAME = "snapshot_repo"
DESCRIPTION = (
    "Proposes to take a snapshot of archived repositories now, from where they were archived before. Nothing happens "
    "until the person confirms the proposal."
)
PARAMETERS: Json = {
    "type": "object",
    "properties": {"repos": fleet.REPOS},
    "required": ["repos"],
    "additionalProperties": False,
}


def run(context: ToolContext, arguments: Mapping[str, Any]) -> ToolOutput:
    """A proposal with every source resolved; NotFound for what is not archived, since a model may not add sources."""
    context.policy.check_confirm(context.who)
    names = fleet.resolved(context, arguments["repos"])
    sources = {name: context.archive().require(name).source for name in names}
    conf: Json = {"repos": [{"url": url, "name": name} for name, url in sources.items()]}
    details = {
        "Repositories": fleet.shown(names),
        "From": fleet.shown(list(sources.values()), 5),
        "Will create": "a snapshot of each that has changed since its last one",
    }
    proposal = context.proposals.make(context.who, NAME, conf, details)
    told = f"proposal {proposal.digest[:12]} for {context.who}: snapshot of {fleet.shown(names)}"
    trace(context.settings.trace_log, "PIVO-ORCHESTRATOR", "INFO", told)
    summary: Json = {"status": "proposed; the person must confirm it, nothing has happened", "repos": names}
    read_as = f"snapshot {fleet.shown(names)}, after what is archived"
    return ToolOutput(summary, None, fleet.evidence(context, read_as, names), proposal)


TOOL = Tool(Declaration(NAME, DESCRIPTION, PARAMETERS, acts=True), run)
