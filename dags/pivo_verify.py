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

import shlex
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from airflow.sdk import BaseHook, Param, dag, get_current_context, task, teardown
from airflow.timetables.trigger import CronTriggerTimetable

if TYPE_CHECKING:
    from airflow.sdk import Context

    from pivo.verify.run import VerifyRun

JOB = str(Path(__file__).resolve().parents[1] / "spark_jobs" / "verify_job.py")
START_FAST = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto"  # short-lived JVMs
PARAMS = {
    "repos": Param(
        [],
        type="array",
        items={"type": "string", "maxLength": 255},
        title="Repositories",
        description="Names in the archive; empty for the night's share of all.",
    ),
    "deep": Param(
        None,
        type=["null", "boolean"],
        title="Deep",
        description="Every object too, or bytes only; left out: on Sundays.",
    ),
    "share": Param(
        None,
        type=["null", "integer"],
        minimum=1,
        title="Nights",
        description="In how many nights all repositories have their turn; left out: 7, and all on Sundays.",
    ),
}


class SubmitVerify(SparkSubmitOperator):
    """spark-submit, with the run's arguments, and with the job's own words when it fails."""

    def execute(self, context: Context) -> Any:
        from pivo import hooks

        with hooks.task_errors():
            BaseHook.get_connection(self._conn_id)  # fails if there is none: the provider would quietly ask YARN
            run = current_run(context)
            self.application_args = run.job_arguments()
            line = ["spark-submit", "--master", run.settings.spark_master, "--name", "PIVO-Verify", JOB]
            with run.submitting(shlex.join([*line, *self.application_args])):
                return super().execute(context)


def current_run(context: Context | None = None) -> VerifyRun:
    """The run that this task belongs to."""
    from pivo import hooks
    from pivo.verify.run import VerifyRun

    context = context or get_current_context()
    dag_run = context["dag_run"]
    conf = {**context["params"], **(dag_run.conf or {})}
    night = (dag_run.logical_date or dag_run.run_after).date()
    return VerifyRun(hooks.settings(), dag_run.run_id, conf, night, getattr(dag_run, "triggering_user_name", None))


@dag(
    dag_id="pivo_verify",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("0 4 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    params=PARAMS,
    tags=["pivo"],
    default_args={"retries": 2, "retry_delay": timedelta(seconds=30), "execution_timeout": timedelta(hours=12)},
)
def pivo_verify() -> None:
    @task
    def plan() -> list[str]:
        from pivo import hooks

        with hooks.task_errors():
            return current_run().plan()

    verify = SubmitVerify(
        task_id="verify",
        conn_id="pivo_spark",
        application=JOB,
        name="PIVO-Verify",
        conf={"spark.driver.extraJavaOptions": START_FAST, "spark.executor.extraJavaOptions": START_FAST},
    )

    # all_done: what was verified is recorded, even where the application could not do all of it
    @task(map_index_template="{{ repository }}", trigger_rule="all_done")
    def report(repo: str) -> dict[str, Any]:
        from pivo import hooks

        get_current_context()["repository"] = repo
        with hooks.task_errors():
            return current_run().report(repo)

    @teardown
    def clean() -> None:
        current_run().clean()

    repos = plan()
    repos >> verify >> report.expand(repo=repos) >> clean()


pivo_verify()
