"""
### Snapshot

Every night, each registered repository (`include/repositories.yaml`, and what the organisations named there have on
the forge) is fetched, proven complete and published in the archive; its new commits are announced in Kafka. One
mapped task a repository: one that fails leaves the others alone.

At the end `freeze` takes the day's HDFS snapshot of the whole archive, if there is none yet.

By hand, `repos` limits the run: registered names, URLs, or `{"url": …, "name": …}`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import Param, dag, get_current_context, task, teardown
from airflow.timetables.trigger import CronTriggerTimetable

from pivo.masking import NO_LOGIN


@dag(
    dag_id="pivo_snapshot",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("0 2 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=4,
    params={
        "repos": Param(
            [],
            type="array",
            items={
                "type": ["string", "object"],
                "pattern": NO_LOGIN,
                "properties": {"url": {"type": "string", "pattern": NO_LOGIN}},
            },
            title="Repositories",
            description="Registered names, URLs or {url, name}; empty for all that are registered.",
        ),
    },
    tags=["pivo"],
    default_args={"retries": 2, "retry_delay": timedelta(seconds=30), "retry_exponential_backoff": True},
)
def pivo_snapshot() -> None:
    @task
    def plan() -> list[dict[str, Any]]:
        """The repositories of this run."""
        from dataclasses import asdict

        from pivo import hooks, registry

        context: Any = get_current_context()
        last = context["ti"].try_number > context["ti"].max_tries
        with hooks.task_errors():
            return [asdict(r) for r in registry.plan(hooks.settings(), context["params"]["repos"], last=last)]

    @task(pool="pivo_fetch", map_index_template="{{ repository }}", execution_timeout=timedelta(hours=12))
    def snapshot(repo: dict[str, Any]) -> dict[str, Any]:
        """Archives one repository; returns what it did."""
        import logging
        from dataclasses import asdict

        from pivo import hooks, registry
        from pivo.progress import logged

        get_current_context()["repository"] = repo["name"]
        with hooks.task_errors():
            settings = hooks.settings()
            source = registry.place(repo["url"]) | registry.named(settings, repo["name"])
            with hooks.audited("snapshot", **source) as facts:
                what = registry.Registered.parse(repo)
                report = registry.snapshot(settings, what, logged(logging.getLogger("pivo.ingest")))
                facts |= registry.facts(report)
            return asdict(report)

    @task
    def archived() -> None:
        """Nothing to do but to stand beside `freeze` at the end: a teardown alone there would end every run well."""

    @teardown(on_failure_fail_dagrun=True)  # runs in every case
    def freeze() -> str:
        """The day's HDFS snapshot of the archive; returns its path."""
        from pivo import hooks
        from pivo.snapshot.freeze import freeze as take

        with hooks.task_errors(), hooks.audited("freeze"):
            path = take(hooks.settings())
        hooks.fail_where_skipped("archived", "The run was stopped before all repositories were archived.")
        return path

    snapshot.expand(repo=plan()) >> [archived(), freeze()]


pivo_snapshot()
