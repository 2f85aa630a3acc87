"""All parts of the stack, in the order in which they are shown; stopped in reverse."""

from __future__ import annotations

from functools import cache

from pivo.settings import Settings
from pivo.stack import airflow, forge, hdfs, java, kafka, spark
from pivo.stack.part import Part


def all_parts(settings: Settings) -> list[Part]:
    """The parts for these settings. Nothing is looked for or written yet."""
    found = cache(java.find)
    return [
        *airflow.parts(settings, found),  # the slowest to come up, hence the first to start
        *hdfs.parts(settings, found),
        *kafka.parts(settings, found),
        *spark.parts(settings, found),
        *forge.parts(settings),
    ]
