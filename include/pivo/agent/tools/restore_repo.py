"""restore_repo: proposes to bring a repository back at a commit, or several as of a date. It resolves and checks; it
starts nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pivo.agent import answers, safe
from pivo.agent.brain import Declaration
from pivo.agent.events import Evidence
from pivo.agent.tools import fleet, restore_fleet
from pivo.agent.tools.base import Tool, ToolContext, ToolOutput
from pivo.errors import TargetError, UsageError
from pivo.models import Json, RepoName
from pivo.trace import trace

if TYPE_CHECKING:
    from pivo.restore.plan import RestorePlan

NAME = "restore_repo"
DESCRIPTION = (
    "Proposes to restore an archived repository at a commit into a fresh repository, or several (`repos`) as of a date "
    "into an organisation. Nothing happens until the person confirms the proposal. Of one repository, leave "
    "`target` out "
    "unless the person named one in their own words; then a new name next to the original is proposed. Several "
    "need the "
    "organisation that the person named, as `neworg/`, and `ref` a date or HEAD."
)
PARAMETERS: Json = {
    "type": "object",
    "properties": {
        "repo": {"type": "string", "description": "name or owner/name, as archived", "minLength": 1, "maxLength": 255},
        "ref": {
            "type": "string",
            "description": "commit (full or short hash), branch, tag, or @2026-11-20 (as of)",
            "minLength": 1,
            "maxLength": 255,
        },
        "repos": fleet.REPOS,
        "target": {"type": "string", "description": "owner/name of the fresh repository, or neworg/", "maxLength": 512},
    },
    "required": ["ref"],
    "additionalProperties": False,
}


_OTHER_NAMES = 4


def run(context: ToolContext, arguments: Mapping[str, Any]) -> ToolOutput:
    """A proposal with everything resolved; TargetError, NotFound and the like say why there is none."""
    context.policy.check_confirm(context.who)
    ref, named = str(arguments["ref"]), str(arguments.get("target") or "")
    if named and not _said(named.rstrip("/"), context.said):
        # A target may come out of a file that a model read; then it is not the person's wish.
        raise UsageError(
            f"The target {named[:120]!a} is not in the person's own words.",
            "Leave the target out, or let the person name it.",
        )
    if ("repo" in arguments) == ("repos" in arguments) or ("repos" in arguments and not named):
        raise UsageError("A restore is of one `repo`, or of `repos` into a `target`.", "Give one of them.")
    if "repos" in arguments:
        return restore_fleet.propose(context, arguments["repos"], ref, named)
    plan = _plan(context, RepoName.parse(str(arguments["repo"])), ref, named)
    conf: Json = {
        "repo": plan.repo,
        "ref": plan.commit,
        "commit": plan.commit,
        "target": plan.target,
        "requested_by": context.who,
        "origin": "agent",
    }
    shown = details(plan, ref, context.approval({plan.repo: plan.target}))
    proposal = context.proposals.make(context.who, NAME, conf, shown)
    trace(
        context.settings.trace_log,
        "PIVO-ORCHESTRATOR",
        "INFO",
        f"proposal {proposal.digest[:12]} for {context.who}: restore {plan.repo} at {plan.commit} to {plan.target}",
    )
    summary: Json = {
        "status": "proposed; the person must confirm it, nothing has happened",
        "repo": plan.repo,
        "commit": plan.commit,
        "target": plan.target,
        "needs_approval": "Needs" in shown,
    }
    place = f"{context.archive().store.url}/{plan.repo}/{plan.snapshot}"
    evidence = Evidence(snapshot=plan.snapshot, hdfs_path=place, commit=plan.commit)
    return ToolOutput(summary, None, evidence, proposal)


def _said(target: str, words: str) -> bool:
    """Whether `target` stands in the person's words, whole: not as a part of a longer name or path."""
    whole = rf"(?<![\w./-]){re.escape(target.casefold())}(?!/?[\w-]|\.\w)"
    return re.search(whole, words.casefold()) is not None


def _plan(context: ToolContext, repo: RepoName, ref: str, named: str) -> RestorePlan:
    """The checked plan. A name that was not the person's own choice gives way, as -2, -3 …, to what is there."""
    first = _target(context, repo, ref, named)
    refused: TargetError | None = None
    for target in [first] if named else [first, *(f"{first}-{n}" for n in range(2, 2 + _OTHER_NAMES))]:
        context.policy.check_target(target)
        try:
            return context.validate(context.settings, repo=str(repo), ref=ref, target=target)
        except TargetError as err:
            refused = refused or err
    assert refused is not None
    raise refused


def _target(context: ToolContext, repo: RepoName, ref: str, named: str) -> str:
    """The target that was named, a bare name under its owner; else `<owner>/<name>-restored-<short hash>`.

    The owner is the repository's own, else the policy's, else the account of the forge's token.
    """
    if "/" in named:
        return named
    owner = repo.owner or context.policy.default_owner or context.forge_owner()
    if named:
        return f"{owner}/{named}"
    commit = context.archive().resolve(repo, ref).commit
    return f"{owner}/{repo.name}-restored-{commit[:7]}"


def details(plan: RestorePlan, asked: str, approval: str) -> dict[str, str]:
    """The plan for the person's eyes, label by label; `approval` says who has to approve it besides."""
    packs = len(plan.packs)
    shown = {
        "Repository": plan.repo,
        "Commit": plan.commit,
        "Subject": safe.line(plan.subject),
        "Date": plan.commit_date.replace("T", " ").replace("+00:00", " UTC"),
        "Asked for": asked,
        "Branch": plan.branch,
        "From": f"snapshot {plan.snapshot}, {packs} pack{'s' if packs != 1 else ''}, {answers.size(plan.bytes)}",
        "To": plan.target,
        "Will create": plan.creates,
        "Needs": approval,
    }
    return {label: value for label, value in shown.items() if value}


TOOL = Tool(Declaration(NAME, DESCRIPTION, PARAMETERS, acts=True), run)
