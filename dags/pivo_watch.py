"""
### Promises

Every hour: has each registered repository (`include/repositories.yaml`) been looked at within its promised time,
`promise` there, 26 hours unless it says otherwise? It reads the index; a snapshot or a heartbeat counts.

When one has not, the task fails with a sentence for each in its log, and the alert goes out: by the Connection
`pivo_alert` (type smtp: an e-mail; any other: a POST of JSON to its URL, as chat programs take it), else to the log
alone. The same repositories are told once a day, not every hour.
"""

from __future__ import annotations

from datetime import datetime

from airflow.sdk import dag, task
from airflow.timetables.trigger import CronTriggerTimetable

from pivo.operators import alert


@dag(
    dag_id="pivo_watch",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("20 * * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    tags=["pivo"],
)
def pivo_watch() -> None:
    @task(on_failure_callback=alert)
    def promises() -> list[str]:
        """The repositories that were looked at in time; fails when one was not."""
        from pivo import health, hooks

        with hooks.task_errors():
            return health.kept_promises(hooks.settings())

    promises()


pivo_watch()
