"""What a confirmation sets in motion: the one place where something of the agent's begins to act."""

from __future__ import annotations

from pivo.agent.audit import Trail, of
from pivo.agent.proposals import DAGS, Proposal, Proposals
from pivo.errors import PivoError
from pivo.orchestrator import DagRun, Orchestrator
from pivo.restore.policy import Policy
from pivo.settings import Settings
from pivo.trace import trace


def confirm(
    settings: Settings, trail: Trail, book: Proposals, airflow: Orchestrator, who: str, proposal_id: str, digest: str
) -> tuple[Proposal, DagRun]:
    """Uses the proposal of `who` up, and triggers its run once; the proposal and the run.

    The confirmation is on the audit log first: Unavailable, with the proposal still open, when that is away. PivoError
    when the policy, the proposal or Airflow refuses; a proposal whose run was refused is open again.
    """
    try:
        Policy.load(settings).check_confirm(who)
        facts = of(book.get(proposal_id, who))
    except PivoError as err:
        trail.record("refusal", "refused", action="confirmation", error=type(err).__name__)
        raise
    trail.require("confirmation", "asked", **facts)
    try:
        confirmed = book.confirm(proposal_id, who, digest)
        trace(settings.trace_log, "PIVO-ORCHESTRATOR", "INFO", f"proposal {digest[:12]} confirmed by {who}")
        run = _trigger(airflow, book, confirmed)
    except PivoError as err:
        trail.record("trigger", "refused", **facts, dag=DAGS[facts["tool"]], error=type(err).__name__)
        raise
    trail.record("trigger", "started", **facts, dag=confirmed.dag, run_id=run.run_id)
    trace(settings.trace_log, "PIVO-ORCHESTRATOR", "INFO", f"DAG run {confirmed.dag} {run.run_id} triggered as {who}")
    return confirmed, run


def cancel(trail: Trail, book: Proposals, who: str, proposal_id: str) -> Proposal:
    """Puts the proposal of `who` away."""
    cancelled = book.cancel(proposal_id, who)
    trail.record("cancellation", cancelled.state, **of(cancelled))
    return cancelled


def _trigger(airflow: Orchestrator, book: Proposals, confirmed: Proposal) -> DagRun:
    try:
        return airflow.trigger(confirmed.dag, confirmed.arguments, confirmed.planned_run_id)
    except BaseException:
        book.reopen(confirmed.id, confirmed.who)
        raise
