"""
### Restore drill

Once a week (Wednesday night): a random commit of a random repository, lost commits among them, is restored by the
library's own path all the way to a fresh repository on the forge, cloned back from there, and compared with what the
archive holds. The result is an event, and so in v_verifications (mode `drill`); a drill that fails names why.

By hand, `repos` limits the choice and `owner` says who gets the restored repository (the token's own account when
empty). It stays there, private, as `drill-…`: PIVO deletes nothing on a forge.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import Param, dag, get_current_context, task
from airflow.timetables.trigger import CronTriggerTimetable


@dag(
    dag_id="pivo_drill",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("0 5 * * 3", timezone="UTC"),
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    params={
        "repos": Param(
            [],
            type="array",
            items={"type": "string", "maxLength": 255},
            title="Repositories",
            description="Names in the archive to choose from; empty for all.",
        ),
        "owner": Param("", type="string", maxLength=255, title="Owner", description="Who gets the restored one."),
    },
    tags=["pivo"],
    default_args={"retries": 2, "retry_delay": timedelta(seconds=30), "execution_timeout": timedelta(hours=12)},
)
def pivo_drill() -> None:
    @task(pool="pivo_push")
    def drill() -> dict[str, Any]:
        """Restores, compares, records; the counts."""
        import logging

        from pivo import hooks
        from pivo.progress import logged
        from pivo.verify import run

        context = get_current_context()
        conf = {**context["params"], **(context["dag_run"].conf or {})}
        user = getattr(context["dag_run"], "triggering_user_name", None)
        with hooks.task_errors():
            progress = logged(logging.getLogger("pivo.verify"))
            return run.drill(hooks.settings(), context["dag_run"].run_id, conf, user, progress)

    drill()


pivo_drill()
