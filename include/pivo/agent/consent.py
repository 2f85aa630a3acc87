"""Consent given beforehand (`pivo ask --yes`): it covers what the person asked for, not what a model made of that.

A model may have been talked into a proposal by what it read. So with a model, `--yes` confirms only what the
deterministic planner, which reads the person's words and nothing else, would propose as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from pivo.agent import build
from pivo.agent.build import Resources
from pivo.agent.events import AgentEvent, Done, ProposalMade
from pivo.agent.planner import Plan, Planner
from pivo.agent.proposals import Proposal
from pivo.models import Json


def agreed(resources: Resources, question: str, answer: Sequence[AgentEvent]) -> list[Proposal]:
    """The proposals in `answer` that a consent given beforehand covers."""
    proposals = [e.proposal for e in answer if isinstance(e, ProposalMade)]
    if all(e.badge.brain == "offline" and not e.badge.note for e in answer if isinstance(e, Done)):
        return proposals
    planner = build.planner(resources)
    return [proposal for proposal in proposals if covers(planner, question, proposal)]


def covers(planner: Planner, question: str, proposal: Proposal) -> bool:
    """Whether `question`, read by the planner, asks for what `proposal` would do."""
    plan = planner.plan(question)
    if not isinstance(plan, Plan) or not plan.steps or plan.steps[-1].tool != proposal.tool:
        return False
    asked = plan.steps[-1].arguments(())
    if asked is None:  # it hangs on what an earlier step finds
        return False
    return _repositories(asked, proposal.arguments) and _commit(asked, proposal)


def _repositories(asked: Json, given: Json) -> bool:
    patterns = [str(p).casefold() for p in asked.get("repos") or [asked.get("repo", "")]]
    named = [r["name"] if isinstance(r, dict) else r for r in given.get("repos") or [given.get("repo", "")]]
    return all(any(fnmatchcase(str(name).casefold(), pattern) for pattern in patterns) for name in named)


def _commit(asked: Json, proposal: Proposal) -> bool:
    ref, commit = str(asked.get("ref", "")), str(proposal.arguments.get("commit", ""))
    return ref in {"", proposal.details.get("Asked for"), proposal.arguments.get("ref")} or commit.startswith(ref)
