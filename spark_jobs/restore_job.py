"""Spark application of a restore: the packs of all its plans from HDFS into the staging folder, by all executors.

    spark-submit --name PIVO-Restore-… restore_job.py --staging …/<run> --archive … --user …

Each task streams its share of the segments, of whichever repositories, and checks their SHA-256 as they pass
(`pivo.restore.download`). A failure is one sentence on standard output, and for the DAG in the folder of its
repository, or of the run; the exit code is 1 when nothing came of it or a new try may help.
Only RDDs are used: without Spark SQL an application starts seconds sooner.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pivo.errors import PivoError
from pivo.restore.download import Outcome, Unit, fetch_group
from pivo.restore.downloads import download_run, plans
from pivo.restore.outcome import leave_failure
from pivo.sparkjob import application, spread
from pivo.trace import Service, line, trace


@dataclass(frozen=True)
class Reader:
    """What runs on an executor: fetches a share of the units; outcomes, what to log about them, when it began."""

    archive: str
    user: str

    def __call__(self, share: list[Unit]) -> tuple[list[Outcome], str, float]:
        begin, host = time.time(), socket.gethostname()
        outcomes = fetch_group(share, self.archive, self.user, host)
        size, took = sum(o.bytes for o in outcomes), time.time() - begin
        wrong = sum(o.error is not None for o in outcomes)
        said = f"{host} pid {os.getpid()}: {len(share)} parts, {size:,} bytes in {took:.2f} s, SHA-256 verified"
        text = line("SPARK-EXECUTOR", "LOG", said + (f", {wrong} failed" if wrong else ""))
        sys.stderr.write(text + "\n")
        return outcomes, text, begin


class Job:
    """The driver's side."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.began = self.ready = time.time()

    def log(self, service: Service, text: str) -> None:
        """A line in the trace log, and on standard output for Airflow's."""
        trace(self.args.trace_log, service, "LOG", text)
        sys.stdout.write(line(service, "LOG", text) + "\n")
        sys.stdout.flush()

    def run(self) -> int:
        """Download everything that the run's plans name; the exit code."""
        for plan in plans(self.args.staging).values():
            self.log("SPARK-DRIVER", f"{plan.repo} at {plan.short}: {plan.volume}")
        got = download_run(self.args.staging, self.args.archive, self.args.user, self.spread)
        for err in got.failed.values():
            sys.stdout.write(f"PIVO-ERROR: {err}\n")
        now = time.time()
        self.log(
            "SPARK-DRIVER",
            f"{got.files} files complete, {got.fetched:,} of {got.bytes:,} bytes fetched now, "
            f"{now - self.began:.1f} s, {now - self.ready:.2f} s of them after Spark's own start",
        )
        return 1 if got.failed and (not got.done or any(e.retry for e in got.failed.values())) else 0

    def spread(self, work: list[list[Unit]]) -> Iterable[Outcome]:
        """Run the shares on the executors."""
        if not work:
            self.log("SPARK-DRIVER", "nothing to fetch: all of it is there")
            return []
        with application(self.args.cluster) as context:
            up = time.time() - self.began
            self.log("SPARK-DRIVER", f"{context.applicationId} on {context.master} after {up:.1f} s; {len(work)} tasks")
            reader = Reader(self.args.archive, self.args.user)
            results = spread(context, reader, work, "Look at its log; a new run resumes.")
        self.ready = min(begin for _, _, begin in results)
        for _, text, _ in results:
            sys.stdout.write(text + "\n")
            _append(self.args.trace_log, text)
        return [outcome for outcomes, _, _ in results for outcome in outcomes]


def _append(path: Path | None, text: str) -> None:
    if path is not None and path.parent.is_dir():
        with path.open("a", encoding="utf-8") as out:
            out.write(text + "\n")


def arguments(argv: list[str]) -> argparse.Namespace:
    """The job's arguments; no secret is among them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--staging", type=Path, required=True, help="the run's folder on the shared volume")
    parser.add_argument("--archive", required=True, help="webhdfs://host:port/backups")
    parser.add_argument("--user", required=True, help="the HDFS user who reads")
    parser.add_argument("--cluster", default="", help="spark://host:port, to look whether it is there")
    parser.add_argument("--trace-log", type=Path, help="a file that gets a line for each event")
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    """Run the job; 0, or 1 with one sentence."""
    args = arguments(argv)
    try:
        return Job(args).run()
    except PivoError as err:
        leave_failure(args.staging, err)
        sys.stdout.write(f"PIVO-ERROR: {err}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
