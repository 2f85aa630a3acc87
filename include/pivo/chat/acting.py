"""Proposals and the runs that they become. What acts needs the person's own role, the policy, and what was shown."""

# No postponed annotations here: FastAPI reads those of the routes, and they name what routes() is given.
import re
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import BaseModel, Field

from pivo.agent import acting, build
from pivo.agent.messages import ToolUse, UserMessage
from pivo.agent.outcomes import outcomes
from pivo.agent.proposals import Proposals
from pivo.chat import standing
from pivo.chat.guards import Actor, Callers, resources, same_origin
from pivo.chat.host import DAG, Caller, Host
from pivo.errors import NotFound, UsageError
from pivo.models import Json
from pivo.restore.policy import Policy
from pivo.settings import Settings

_ORIGIN = "chat"
_RUN_ID = re.compile(r"^[A-Za-z0-9_.:+-]{1,250}$")


class Confirmation(BaseModel):
    """The digest of the proposal as it was shown."""

    digest: str = Field(pattern=r"^[0-9a-f]{64}$")


class Wish(BaseModel):
    """A restore that a person chose on the archive page; `target` empty lets PIVO choose a name."""

    repo: str = Field(min_length=1, max_length=255)
    ref: str = Field(min_length=1, max_length=255)
    target: str = Field(default="", max_length=512)


def routes(host: Host, who: Callers) -> APIRouter:
    """The routes under api/proposals and api/runs."""
    router = APIRouter()

    @router.post("/api/proposals", dependencies=[Depends(same_origin)])
    def propose(body: Wish, actor: Annotated[Actor, Depends(who.actor)]) -> Json:
        actor.require(DAG)
        return _propose(host.settings(), actor.caller.name, body)

    @router.get("/api/proposals/{proposal_id}")
    def proposal(proposal_id: str, caller: Annotated[Caller, Depends(who.anyone)]) -> Json:
        return _book(host.settings()).get(proposal_id, caller.name).to_json()

    @router.post("/api/proposals/{proposal_id}/cancel", dependencies=[Depends(same_origin)])
    def cancel(proposal_id: str, body: Confirmation, caller: Annotated[Caller, Depends(who.anyone)]) -> Json:
        settings = host.settings()
        trail = resources(settings).trail(caller.name, _ORIGIN)
        return acting.cancel(trail, _book(settings), caller.name, proposal_id).to_json()

    @router.post("/api/proposals/{proposal_id}/confirm", dependencies=[Depends(same_origin)])
    def confirm(
        proposal_id: str, body: Confirmation, request: Request, actor: Annotated[Actor, Depends(who.actor)]
    ) -> Json:
        settings, caller = host.settings(), actor.caller
        actor.require(_book(settings).get(proposal_id, caller.name).dag)
        trail = resources(settings).trail(caller.name, _ORIGIN)
        with host.orchestrator(request, caller) as airflow:
            confirmed, run = acting.confirm(
                settings, trail, _book(settings), airflow, caller.name, proposal_id, body.digest
            )
        return confirmed.to_json() | {"run": {"run_id": run.run_id, "state": run.state}}

    @router.get("/api/runs/{run_id}")
    def run(run_id: str, request: Request, caller: Annotated[Caller, Depends(who.anyone)]) -> Json:
        if not _RUN_ID.match(run_id):
            raise HTTPException(404, "There is no such run.")
        settings = host.settings()
        dag = _dag(_book(settings), run_id, caller.name)
        with host.orchestrator(request, caller) as airflow:  # which refuses who may not see the run
            found = airflow.run(dag, run_id)
            tasks = airflow.tasks(dag, run_id)
            why = airflow.failure(dag, run_id) if found.state == "failed" else None
            restored = found.state == "success" and dag == DAG
            address = airflow.result(dag, run_id, "push", 0) if restored else None
            approval = airflow.approval(dag, run_id) if dag == DAG and standing.asked(tasks) else None
            came = outcomes(airflow, settings.archive, dag, run_id, tasks) if found.ended else ()
        told = {"run_id": run_id, "dag_id": dag, "state": found.state, "failure": why, "address": address}
        told["outcomes"] = [outcome.to_json() for outcome in came]
        if dag != DAG:
            return {**told, "stages": standing.steps(tasks), **standing.Standing().to_json()}
        stood = standing.standing(settings, run_id)
        return {**told, "stages": standing.stages(tasks, stood.amount, approval), **stood.to_json()}

    return router


def _propose(settings: Settings, who: str, wish: Wish) -> Json:
    """What the agent's own tool makes of the wish: the same checks, the same proposal."""
    tools = build.toolbox(resources(settings), who)
    said = f"Restore {wish.repo} at {wish.ref}" + (f" into {wish.target}" if wish.target else "")
    tools.begin(said, [UserMessage(said)])
    arguments = {"repo": wish.repo, "ref": wish.ref} | ({"target": wish.target} if wish.target else {})
    output = tools.run(ToolUse("page-1", "restore_repo", arguments))
    if output.proposal is None:
        raise UsageError(str(output.summary.get("error", "")), str(output.summary.get("do", "")))
    return output.proposal.to_json()


def _dag(book: Proposals, run_id: str, who: str) -> str:
    """The DAG of a run: that of the proposal which began it, else a restore, which others may follow, too."""
    try:
        return book.by_run(run_id, who).dag
    except NotFound:
        return DAG


def _book(settings: Settings) -> Proposals:
    return build.proposals(settings, Policy.load(settings))
