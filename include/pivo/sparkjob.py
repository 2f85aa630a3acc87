"""What Spark applications share on the driver's side: reaching the cluster, and not waiting for it for ever.

Only RDDs are used: without Spark SQL an application starts seconds sooner.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from pivo.errors import Unavailable

NO_EXECUTOR = 120.0
"""Seconds without a running task, while some are left, after which the cluster counts as away."""

PATIENCE = "spark.pivo.noExecutor"
"""The Spark property that sets another number of seconds."""

T = TypeVar("T")
R = TypeVar("R")


@contextmanager
def application(cluster: str) -> Iterator[Any]:
    """A SparkContext; Unavailable when the master at `cluster` does not listen or does not take the application."""
    from py4j.protocol import Py4JError
    from pyspark import SparkConf, SparkContext

    reach(cluster)
    try:
        context = SparkContext(conf=SparkConf())
        context.setLogLevel("WARN")
    except Py4JError as err:
        raise _not_taken(cluster, err) from None
    try:
        yield context
    finally:
        context.stop()


def spread(
    context: Any, work: Callable[[T], R], items: Sequence[T], advice: str = "Look at its log, then try again."
) -> list[R]:
    """`work` of each item, a task each; Unavailable, with `advice`, when the cluster starts none or gives up."""
    from py4j.protocol import Py4JError

    watch = _Watch(context)
    try:
        return list(context.parallelize(items, len(items)).map(work).collect())
    except Py4JError as err:
        if any(sign in str(err) for sign in _STOPPED):
            raise _not_taken(str(context.master), err) from None
        if watch.gave_up:
            raise Unavailable(
                f"The Spark cluster at {context.master} ran no task for {watch.patience:.0f} s.",
                "It has no free executor, or no worker: look at `pivo status`, then try again.",
            ) from None
        raise Unavailable(f"The Spark application failed: {reason(err)}.", advice) from None
    finally:
        watch.stop()


_STOPPED = ("stopped SparkContext", "SparkContext has been shutdown")
_NEVER_BEGAN = (*_STOPPED, "SparkContext._taskScheduler()")  # what is left when no master took the application


def _not_taken(cluster: str, err: Exception) -> Unavailable:
    why = reason(err)
    if any(sign in str(err) for sign in _NEVER_BEGAN):
        why = "its master listens, but let nobody in with this secret (spark.authenticate.secret)"
    return Unavailable(
        f"The Spark cluster at {cluster} did not take the application: {why}.",
        "Compare the secrets, look at `pivo status` and the Spark master's log, then try again.",
    )


class _Watch:
    """Cancels the application when no task runs: without workers, lost or never there, Spark waits for ever."""

    def __init__(self, context: Any) -> None:
        self._context, self._stop = context, threading.Event()
        self.patience = float(context.getConf().get(PATIENCE, str(NO_EXECUTOR)))
        self.gave_up = False
        threading.Thread(target=self._look, daemon=True).start()

    def stop(self) -> None:
        self._stop.set()

    def _look(self) -> None:
        heard, done = time.monotonic(), 0
        while not self._stop.wait(min(2.0, self.patience / 4)):
            tracker = self._context.statusTracker()
            stages = [s for stage in tracker.getActiveStageIds() if (s := tracker.getStageInfo(stage))]
            completed = sum(s.numCompletedTasks for s in stages)
            if completed != done or any(s.numActiveTasks for s in stages):
                heard, done = time.monotonic(), completed
            elif time.monotonic() - heard > self.patience:
                self.gave_up = True
                self._context.cancelAllJobs()
                return


def reach(master: str) -> None:
    """Unavailable when no standalone master listens; Spark itself would try for a minute."""
    if not master.startswith("spark://"):
        return
    for address in master.removeprefix("spark://").split(","):
        host, _, port = address.rpartition(":")
        with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=5):
            return
    raise Unavailable(
        f"The Spark master at {master} does not answer.", "Look at `pivo status`, start it, and try again."
    )


def reason(err: Exception) -> str:
    """The first line of what Java, or Python, said."""
    java = getattr(err, "java_exception", None)
    text = str(java.toString()) if java is not None else str(err)
    return " ".join(text.partition("\n")[0].split())[:300].rstrip(".")
