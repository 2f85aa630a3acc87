"""
### Bring repositories back

`validate` → `approval` → `download` → `reconstruct` → `push` (these two for each repository), then `restored` if all
went well, and `report` in every case.

| task | does |
|---|---|
| validate | resolves the ref, checks every file in the archive and the targets; changes nothing |
| approval | asks a second person, where the policy says so (Required Actions); else skipped |
| download | one Spark application: executors read the packs from HDFS, verify SHA-256, fill the staging folder |
| reconstruct | a bare repository with exactly that history, its commit's hash proven, every object there |
| push | creates the fresh repository, pushes without force, compares every ref |
| report | what was restored, withheld and refused, and why; removes the staging folder |

One repository, or several (`repos`: names, `acme/*`, `*`) into an organisation. A failure is its repository's own; it
says what happened and what to do in a line `PIVO-ERROR: …` of the task's log, and in the report. What is verified
of a repository that failed stays a day: clear its tasks to go on from there.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import dag, get_current_context, task, task_group, teardown

from pivo.operators import RESTORE_PARAMS, AskApproval, SubmitRestore, current_restore


@dag(
    schedule=None,
    catchup=False,
    params=RESTORE_PARAMS,
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
    def validate() -> list[str]:
        from pivo import hooks

        with hooks.task_errors():
            return current_restore().validate()

    @task(map_index_template="{{ repository }}")
    def reconstruct(repo: str) -> str:
        from pivo import hooks

        get_current_context()["repository"] = repo
        with hooks.task_errors():
            return current_restore().reconstruct(repo)

    @task(map_index_template="{{ repository }}", pool="pivo_push")
    def push(repo: str) -> str:
        from pivo import hooks

        get_current_context()["repository"] = repo
        with hooks.task_errors():
            return current_restore().push(repo)

    @task_group(prefix_group_id=False)
    def repository(repo: str) -> None:
        reconstruct(repo) >> push(repo)

    @task
    def restored() -> None:
        """Fails with what went before it: a run's end is told by its last tasks, and `report` has its own."""

    @teardown(on_failure_fail_dagrun=True)  # a run that was marked as failed by hand would end well without
    def report() -> dict[str, Any]:
        from pivo import hooks

        told = current_restore().finish()
        get_current_context()["ti"].xcom_push(key="return_value", value=told)  # also when it fails
        hooks.fail_where_skipped(
            "push", "The run was stopped before all was restored; its report says what is missing."
        )
        return told

    repos = validate()
    approval = AskApproval(task_id="approval")
    download = SubmitRestore(task_id="download", trigger_rule="none_failed")  # also when nobody had to be asked
    repos >> approval >> download >> repository.expand(repo=repos) >> [restored(), report()]


pivo_restore()
