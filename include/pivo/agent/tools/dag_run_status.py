"""dag_run_status: how a run of one of PIVO's DAGs stands, task by task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from pivo.agent.brain import Declaration
from pivo.agent.events import Evidence
from pivo.agent.outcomes import outcomes
from pivo.agent.tools.base import Tool, ToolContext, ToolOutput
from pivo.agent.views import Table
from pivo.errors import NotFound, Unavailable, UsageError
from pivo.models import Json
from pivo.orchestrator import DagRun, Orchestrator, TaskState

NAME = "dag_run_status"
DAGS = ("pivo_restore", "pivo_snapshot", "pivo_verify", "pivo_index", "pivo_drill")
DESCRIPTION = (
    "Tells how a run of one of PIVO's Airflow DAGs stands: its state, the states of its tasks, why it failed, and at "
    "its end what came of each repository. Give a run id, or a DAG for its latest run."
)
PARAMETERS: Json = {
    "type": "object",
    "properties": {
        "dag": {"enum": list(DAGS), "description": "whose latest run, or where `run_id` is; pivo_restore if left out"},
        "run_id": {"type": "string", "pattern": "^[A-Za-z0-9_.:+-]{1,250}$"},
    },
    "additionalProperties": False,
}


def run(context: ToolContext, arguments: Mapping[str, Any]) -> ToolOutput:
    """State and tasks of the run; NotFound when there is none, Unavailable when Airflow does not answer."""
    if context.airflow is None:
        raise Unavailable("Airflow cannot be asked from here.", "Ask in the chat view, or look at the run in Airflow.")
    with context.airflow() as airflow:
        found = _find(airflow, arguments)
        tasks = airflow.tasks(found.dag_id, found.run_id)
        why = airflow.failure(found.dag_id, found.run_id) if found.state == "failed" else None
        waited = any(t.task_id == "approval" and t.state not in {None, "skipped"} for t in tasks)
        approval = airflow.approval(found.dag_id, found.run_id) if waited else None
        archive = context.settings.archive
        came = outcomes(airflow, archive, found.dag_id, found.run_id, tasks) if found.ended else ()
    rows = [_row(task) for task in tasks] + ([("why it failed", why, None, None)] if why else [])
    rows += [("a second person", approval.words, None, None)] if approval else []
    rows += [(outcome.repo, outcome.words, None, None) for outcome in came]
    table = Table(("task", "state", "started", "ended"), tuple(rows))
    counted = Counter((t.task_id, t.state or "waiting") for t in tasks)
    summary: Json = {
        "dag": found.dag_id,
        "run_id": found.run_id,
        "state": found.state,
        "tasks": [{"task": task, "state": state, "count": count} for (task, state), count in counted.items()],
        "approval": approval.words if approval else None,
        "outcomes": [{"repo": outcome.repo, "outcome": outcome.words} for outcome in came],
        "why_it_failed_shown_to_person_only": why is not None,
    }
    return ToolOutput(summary, table, Evidence(run=f"{found.dag_id} {found.run_id}"))


def _find(airflow: Orchestrator, arguments: Mapping[str, Any]) -> DagRun:
    run_id, dag = str(arguments.get("run_id", "")), str(arguments.get("dag", ""))
    if not run_id:
        return airflow.latest(dag or DAGS[0])
    for each in (dag,) if dag else DAGS:
        try:
            return airflow.run(each, run_id)
        except NotFound:
            continue
    raise UsageError(f"None of PIVO's DAGs has a run {run_id[:80]!a}.", "Look at the run's id in Airflow.")


def _row(task: TaskState) -> tuple[Any, ...]:
    name = task.task_id if task.map_index < 0 else f"{task.task_id}[{task.map_index}]"
    return name, task.state or "waiting", _at(task.start), _at(task.end)


def _at(moment: Any) -> str | None:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else None


TOOL = Tool(Declaration(NAME, DESCRIPTION, PARAMETERS), run)
