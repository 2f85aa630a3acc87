"""Spark application of a verification: every repository of the work list a task, on whichever executor is free.

The packs of a huge one are tasks of their own, among the other repositories'; its own task comes after them.

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
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from pivo import sparkjob
from pivo.errors import PivoError, Unavailable
from pivo.restore.outcome import leave_failure
from pivo.trace import Service, line, trace
from pivo.verify.hashing import Hashed
from pivo.verify.work import PackWork, Work, attempt, load_work

_LOOKS = 8  # repositories that are looked at together, for the size of their packs

Told = tuple[str, tuple[str, str, bool]]


def begin(work: Work | PackWork) -> Told | Hashed | None:
    """Runs on an executor: a repository, or one pack of a huge one."""
    return work.do() if isinstance(work, PackWork) else verify((work, ()))


def verify(task: tuple[Work, Sequence[Hashed]]) -> Told:
    """Runs on an executor: a line for the log, and why it failed."""
    work, hashed = task
    result, failed = attempt(work, hashed)
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
        results = _spread(context, work, log)
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


def _spread(context: Any, work: list[Work], log: Callable[[Service, str], None]) -> list[Told]:
    with ThreadPoolExecutor(_LOOKS) as pool:
        packs = {w.repo: found for w, found in zip(work, pool.map(Work.packs, work), strict=True) if found}
    tasks = [p for found in packs.values() for p in found]
    if tasks:
        log("SPARK-DRIVER", f"{len(tasks)} packs of {', '.join(packs)} are hashed in tasks of their own")
    items: list[Work | PackWork] = [*tasks, *(w for w in work if w.repo not in packs)]
    first = sparkjob.spread(context, begin, items)
    hashed: dict[str, list[Hashed]] = {repo: [] for repo in packs}
    for item, made in zip(items, first, strict=True):
        if isinstance(item, PackWork) and isinstance(made, Hashed):
            hashed[item.work.repo].append(made)
    huge: list[tuple[Work, Sequence[Hashed]]] = [(w, hashed[w.repo]) for w in work if w.repo in packs]
    last = sparkjob.spread(context, verify, huge) if huge else []
    return [*(told for told in first if isinstance(told, tuple)), *last]


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
