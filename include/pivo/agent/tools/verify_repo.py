"""verify_repo: proposes to prove what is archived of repositories. It starts nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pivo.agent.brain import Declaration
from pivo.agent.tools import fleet
from pivo.agent.tools.base import Tool, ToolContext, ToolOutput
from pivo.models import Json
from pivo.trace import trace

NAME = "verify_repo"
DESCRIPTION = (
    "Proposes to verify what is archived of repositories: manifests, sizes, SHA-256 and the hash chain; with `deep` "
    "every object too. Nothing happens until the person confirms the proposal. Results of earlier verifications are in "
    "v_verifications and v_findings."
)
PARAMETERS: Json = {
    "type": "object",
    "properties": {"repos": fleet.REPOS, "deep": {"type": "boolean", "description": "every object, not bytes only"}},
    "required": ["repos"],
    "additionalProperties": False,
}


def run(context: ToolContext, arguments: Mapping[str, Any]) -> ToolOutput:
    """A proposal with every repository resolved; NotFound for what is not archived."""
    context.policy.check_confirm(context.who)
    names, deep = fleet.resolved(context, arguments["repos"]), bool(arguments.get("deep"))
    details = {
        "Repositories": fleet.shown(names),
        "Reads": "every object of every pack" if deep else "every file's bytes and the hash chain",
        "Will create": "nothing; what is found is recorded",
    }
    proposal = context.proposals.make(context.who, NAME, {"repos": names, "deep": deep}, details)
    told = f"proposal {proposal.digest[:12]} for {context.who}: {'deep ' * deep}verification of {fleet.shown(names)}"
    trace(context.settings.trace_log, "PIVO-ORCHESTRATOR", "INFO", told)
    status = "proposed; the person must confirm it, nothing has happened"
    summary: Json = {"status": status, "repos": names, "deep": deep}
    read_as = f"verify {fleet.shown(names)}{' deeply' * deep}"
    return ToolOutput(summary, None, fleet.evidence(context, read_as, names), proposal)


TOOL = Tool(Declaration(NAME, DESCRIPTION, PARAMETERS, acts=True), run)
