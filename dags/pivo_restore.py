"""
### Bring a repository back at one commit

`validate` → `download` → `reconstruct` → `push`, then `clean` in every case.

| task | does |
|---|---|
| validate | resolves the ref, checks every file in the archive and the target; changes nothing |
| download | a Spark application: executors read the packs from HDFS, verify SHA-256, fill the staging folder |
| reconstruct | a bare repository with exactly that history, its commit's hash proven, every object there |
| push | creates the fresh repository, pushes without force, compares every ref |
| clean | records a failure, removes the staging folder |

A failure says what happened and what to do in a line `PIVO-ERROR: …` of the task's log. The chat view, the
CLI (`pivo restore`) and the trigger form start the same run; what it is asked for is in the params.
"""

from __future__ import annotations

import shlex
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from airflow.sdk import BaseHook, Param, dag, get_current_context, task, teardown

if TYPE_CHECKING:
    from airflow.sdk import Context

    from pivo.restore.run import RestoreRun

JOB = str(Path(__file__).resolve().parents[1] / "spark_jobs" / "restore_job.py")
START_FAST = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto"  # short-lived JVMs: 5 of 15 seconds


def text(title: str, description: str, default: str = "", longest: int = 512) -> Param:
    """A string param; all have defaults because a run that is only parsed must not fail."""
    return Param(default, type="string", maxLength=longest, title=title, description=description)


PARAMS = {
    "repo": text("Repository", "Its name in the archive, e.g. PIVO or acme/PIVO.", longest=255),
    "ref": text("Commit, branch, tag or date", "A full or short hash, a branch, a tag, or @2026-11-20.", "HEAD"),
    "target": text("Target", "owner/name on the forge, or a git URL; it must not have commits.", longest=2048),
    "commit": text("Expected commit", "Refuse if the ref is another full hash by now; may be empty.", longest=40),
    "requested_by": text("Requested by", "On whose behalf; may be empty.", longest=255),
    "origin": text("Origin", "Where the request came from: chat, cli, form.", longest=64),
}


class SubmitRestore(SparkSubmitOperator):
    """spark-submit, with the run's arguments, and with the job's own words when it fails."""

    def execute(self, context: Context) -> Any:
        from pivo import hooks

        with hooks.task_errors():
            BaseHook.get_connection(self._conn_id)  # fails if there is none: the provider would quietly ask YARN
            run = current_run(context)
            self.application_args = run.job_arguments()
            line = ["spark-submit", "--master", run.settings.spark_master, "--name", self.name, JOB]
            with run.submitting(shlex.join([*line, *self.application_args])):
                return super().execute(context)


def current_run(context: Context | None = None) -> RestoreRun:
    """The run that this task belongs to."""
    from pivo import hooks
    from pivo.restore.run import RestoreRun

    context = context or get_current_context()
    dag_run = context["dag_run"]
    conf = {**context["params"], **(dag_run.conf or {})}
    return RestoreRun(hooks.settings(), dag_run.run_id, conf, getattr(dag_run, "triggering_user_name", None))


@dag(
    schedule=None,
    catchup=False,
    params=PARAMS,
    doc_md=__doc__,
    tags=["pivo"],
    default_args={
        "retries": 3,
        "retry_delay": timedelta(seconds=5),
        "retry_exponential_backoff": True,
        "max_retry_delay": timedelta(minutes=1),
        "execution_timeout": timedelta(hours=6),
    },
)
def pivo_restore() -> None:
    @task
    def validate() -> dict[str, str]:
        from pivo import hooks

        with hooks.task_errors():
            return current_run().validate()

    download = SubmitRestore(
        task_id="download",
        conn_id="pivo_spark",
        application=JOB,
        name="{{ ti.xcom_pull(task_ids='validate')['name'] }}",
        conf={
            "spark.driver.extraJavaOptions": START_FAST,
            "spark.executor.extraJavaOptions": START_FAST,
            "spark.executor.cores": "2",
        },
    )

    @task
    def reconstruct() -> str:
        from pivo import hooks

        with hooks.task_errors():
            return current_run().reconstruct()

    @task(pool="pivo_push")
    def push(path: str) -> str:
        from pivo import hooks

        with hooks.task_errors():
            return current_run().push(path)

    @teardown
    def clean() -> None:
        current_run().clean()

    rebuilt = reconstruct()
    validate() >> download >> rebuilt
    push(rebuilt) >> clean()


pivo_restore()
