"""
### Index

Brings the index up to date with Kafka. A snapshot or a restore that has news wakes it within seconds
(`pivo-snapshot-state` has one record of each); every ten minutes it runs in any case, for audit events and for
a wake-up call that got lost. Rows and Kafka's offsets are written in one transaction, so a run that fails or is
killed is simply followed by the next. Where Kafka had deleted messages before they were read, `fill` reads the
snapshots that they told of from HDFS.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.providers.apache.kafka.triggers.shared_stream import KafkaSharedStreamTrigger
from airflow.sdk import Asset, AssetWatcher, dag, task
from airflow.timetables.assets import AssetOrTimeSchedule
from airflow.timetables.trigger import CronTriggerTimetable

news = Asset(
    name="pivo-events",
    uri="kafka://pivo/pivo-snapshot-state",
    watchers=[
        AssetWatcher(
            name="pivo-snapshot-state",
            trigger=KafkaSharedStreamTrigger(topics=["pivo-snapshot-state"], kafka_config_id="pivo_kafka"),
        )
    ],
)


@dag(
    dag_id="pivo_index",
    doc_md=__doc__,
    schedule=AssetOrTimeSchedule(timetable=CronTriggerTimetable("*/10 * * * *", timezone="UTC"), assets=[news]),
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    tags=["pivo"],
)
def pivo_index() -> None:
    @task(pool="pivo_index", retries=2, retry_delay=timedelta(seconds=20))
    def drain() -> dict[str, float]:
        """Reads the topics to their end; returns the counts."""
        import logging

        from pivo import hooks
        from pivo.events.audit import send_waiting
        from pivo.index import writer
        from pivo.progress import logged

        with hooks.task_errors():
            settings = hooks.settings()
            send_waiting(settings)
            report = writer.drain(settings.index, settings.kafka, progress=logged(logging.getLogger("pivo.index")))
        return {"events": report.events, "commits": report.commits, "dead": report.dead, "seconds": report.elapsed}

    @task(pool="pivo_index", retries=2, retry_delay=timedelta(seconds=20))
    def fill() -> dict[str, int]:
        """Reads from the archive what Kafka no longer had; nearly always nothing. Returns the counts."""
        import logging
        from dataclasses import asdict

        from pivo import hooks
        from pivo.progress import logged
        from pivo.reindex import gaps

        with hooks.task_errors():
            return asdict(gaps.fill_for(hooks.settings(), logged(logging.getLogger("pivo.index"))))

    drain() >> fill()


pivo_index()
