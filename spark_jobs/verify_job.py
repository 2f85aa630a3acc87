"""Spark application of a verification: every repository of the work list a task, on whichever executor is free.

    spark-submit --name PIVO-Verify verify_job.py --work …/work.json --cluster spark://…

A task reads all files of its repository from HDFS and leaves its result in the run's folder. The exit code is 1 when
a repository could not be verified (not when something was found: the results say that), with one sentence for the DAG.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
import time
from pathlib import Path

from pivo import sparkjob
from pivo.errors import PivoError, Unavailable
from pivo.restore.outcome import leave_failure
from pivo.trace import Service, line, trace
from pivo.verify.work import Work, attempt, load_work

Told = tuple[str, tuple[str, str, bool]]


def verify(work: Work) -> Told:
    """Runs on an executor: a line for the log, and why it failed."""
    result, failed = attempt(work)
    said = f"{socket.gethostname()} pid {os.getpid()}: {work.repo} "
    if result is None:
        said += f"could not be verified: {failed[0]}"
    else:
        said += (
            f"{result.mode}: {result.snapshots} snapshots, {result.files} files, {result.bytes:,} bytes, "
            f"{result.objects:,} objects in {result.seconds:.2f} s, {result.total or 'no'} findings"
        )
    text = line("SPARK-EXECUTOR", "LOG", said)
    sys.stderr.write(text + "\n")
    return text, failed


def run(args: argparse.Namespace) -> None:
    """Verify everything on the list that has no result yet."""
    began = time.monotonic()

    def log(service: Service, text: str) -> None:
        trace(args.trace_log, service, "LOG", text)
        sys.stdout.write(line(service, "LOG", text) + "\n")
        sys.stdout.flush()

    work = [w for w in load_work(args.work) if w.done() is None]
    if not work:
        log("SPARK-DRIVER", "nothing to verify")
        return
    with sparkjob.application(args.cluster) as context:
        up = time.monotonic() - began
        log("SPARK-DRIVER", f"{context.applicationId} on {context.master} after {up:.1f} s; {len(work)} repositories")
        results = sparkjob.spread(context, verify, work)
        took = time.monotonic() - began - up
    for text, _ in results:
        sys.stdout.write(text + "\n")
        if args.trace_log and args.trace_log.parent.is_dir():
            with args.trace_log.open("a", encoding="utf-8") as out:
                out.write(text + "\n")
    log("SPARK-DRIVER", f"{len(work)} repositories verified in {took:.2f} s after a start of {up:.1f} s")
    failed = [why for _, why in results if why[0]]
    if failed:
        what, do, retry = next((f for f in failed if not f[2]), failed[0])
        more = f" ({len(failed)} of {len(work)} repositories.)" if len(failed) > 1 else ""
        raise (Unavailable if retry else PivoError)(what + more, do)


def arguments(argv: list[str]) -> argparse.Namespace:
    """The job's arguments; no secret is among them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="the work list, a JSON file in the run's folder")
    parser.add_argument("--cluster", default="", help="spark://host:port, to look whether it is there")
    parser.add_argument("--trace-log", type=Path, help="a file that gets a line for each event")
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    """Run the job; 0, or 1 with one sentence."""
    args = arguments(argv)
    try:
        run(args)
    except PivoError as err:
        leave_failure(args.work.parent, err)
        sys.stdout.write(f"PIVO-ERROR: {err}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
