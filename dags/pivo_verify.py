"""
### Prove what is archived

`plan` → `verify` → `report` (one a repository), then `clean` in every case.

| task | does |
|---|---|
| plan | the night's share of the repositories: each has its turn every `share` nights, by its name alone |
| verify | a Spark application: executors re-read every file from HDFS, a repository each |
| report | records the result as an event; fails, and names what is wrong, where something is |
| clean | removes the staging folder |

Every night: manifests, sizes, SHA-256 and the hash chain of a seventh of the archive. On Sundays all of it, deeply:
every object's hash, every index beside its pack, and every object behind every ref and lost tip of every snapshot.
By hand, `repos` limits a run and `deep` chooses. Results are in v_verifications and v_findings.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import dag, get_current_context, task, teardown
from airflow.timetables.trigger import CronTriggerTimetable

from pivo.operators import VERIFY_PARAMS, SubmitVerify, current_verify


@dag(
    dag_id="pivo_verify",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("0 4 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    params=VERIFY_PARAMS,
    tags=["pivo"],
    default_args={"retries": 2, "retry_delay": timedelta(seconds=30), "execution_timeout": timedelta(hours=12)},
)
def pivo_verify() -> None:
    @task
    def plan() -> list[str]:
        from pivo import hooks

        with hooks.task_errors():
            return current_verify().plan()

    verify = SubmitVerify(task_id="verify")

    # all_done: what was verified is recorded, even where the application could not do all of it
    @task(map_index_template="{{ repository }}", trigger_rule="all_done")
    def report(repo: str) -> dict[str, Any]:
        from pivo import hooks

        get_current_context()["repository"] = repo
        with hooks.task_errors():
            return current_verify().report(repo)

    @teardown
    def clean() -> None:
        current_verify().clean()

    repos = plan()
    repos >> verify >> report.expand(repo=repos) >> clean()


pivo_verify()
