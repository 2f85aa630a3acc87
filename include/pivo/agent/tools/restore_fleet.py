"""The proposal to restore several repositories as of one moment, each checked like a single one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from pivo.agent import answers
from pivo.agent.tools import fleet
from pivo.agent.tools.base import ToolContext, ToolOutput
from pivo.agent.views import Table
from pivo.errors import PivoError, UsageError
from pivo.models import Json
from pivo.restore.request import targets
from pivo.trace import trace

if TYPE_CHECKING:
    from pivo.restore.plan import RestorePlan

_MOMENT = re.compile(r"^@\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?Z?)?$")
_AT_ONCE = 8  # plans that are made at a time; they wait for HDFS and the forge


def propose(context: ToolContext, patterns: Sequence[str], ref: str, target: str) -> ToolOutput:
    """A proposal for all repositories that `patterns` name; PivoError when one of them cannot be restored so.

    What a person confirms is what was shown: the names are written out, and the latest is pinned to this moment.
    """
    if ref.upper() == "HEAD":
        ref = f"@{context.now():%Y-%m-%dT%H:%M:%SZ}"
    if not _MOMENT.match(ref):
        raise UsageError("Several repositories go back to a date, or to the latest.", "Say as of 2026-11-20.")
    names = fleet.resolved(context, patterns)
    places = targets(names, target)
    for place in places.values():
        context.policy.check_target(place)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        plans = list(pool.map(lambda name: _plan(context, name, ref, places[name]), names))
    conf: Json = {
        "repos": names,
        "ref": ref,
        "target": target,
        "all_refs": True,
        "requested_by": context.who,
        "origin": "agent",
    }
    approval = context.approval(places)
    details = {
        "Repositories": fleet.shown(names),
        "As of": ref[1:],
        "Commits": fleet.shown([f"{p.repo} {p.commit[:12]} ({p.commit_date[:10]})" for p in plans]),
        "From": f"{len(plans)} snapshots, {answers.size(sum(p.bytes for p in plans))}",
        "To": fleet.shown(list(places.values())),
        "Will create": f"{len(plans)} repositories, with all branches and tags",
    } | ({"Needs": approval} if approval else {})
    proposal = context.proposals.make(context.who, "restore_repo", conf, details)
    told = (
        f"proposal {proposal.digest[:12]} for {context.who}: restore {fleet.shown(names)} as of {ref[1:]} to {target}"
    )
    trace(context.settings.trace_log, "PIVO-ORCHESTRATOR", "INFO", told)
    rows = tuple((p.repo, p.commit, p.commit_date, p.snapshot, p.target) for p in plans)
    status = "proposed; the person must confirm it, nothing has happened"
    summary: Json = {"status": status, "repos": names, "ref": ref, "target": target, "needs_approval": bool(approval)}
    table = Table(("repo_name", "commit_hash", "commit_date", "snapshot", "target"), rows)
    return ToolOutput(
        summary, table, fleet.evidence(context, f"restore {fleet.shown(names)} as of {ref[1:]}", names), proposal
    )


def _plan(context: ToolContext, repo: str, ref: str, target: str) -> RestorePlan:
    try:
        return context.validate(context.settings, repo=repo, ref=ref, target=target, all_refs=True)
    except PivoError as err:
        raise type(err)(f"{repo}: {err.what}", err.do) from err
