"""Spark application of `pivo reindex`: every repository of the work list a task, on whichever executor is free.

    spark-submit --name PIVO-Reindex reindex_job.py --work …/work.json --cluster spark://…

A task reads the packs of its repository from HDFS and leaves the events of each snapshot in the run's folder, from
where the index's one writer takes them. The exit code is 1, with one sentence, when a repository cannot be read.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pivo import sparkjob
from pivo.errors import PivoError
from pivo.reindex.sources import Work, load_work

Told = tuple[str, str]


def derive(work: Work) -> Told:
    """Runs on an executor: what was done, and why it failed."""
    try:
        size = work.do()
    except PivoError as err:
        return "", f"{work.repo}: {err}"
    return f"{work.repo}: {len(work.snapshots)} snapshots, {size:,} bytes of events", ""


def main(argv: list[str]) -> int:
    """Runs the job; 0, or 1 with a sentence for each repository that failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="the work list, a JSON file in the run's folder")
    parser.add_argument("--cluster", default="", help="spark://host:port, to look whether it is there")
    args = parser.parse_args(argv)
    try:
        with sparkjob.application(args.cluster) as context:
            told = sparkjob.spread(context, derive, load_work(args.work))
    except PivoError as err:
        told = [("", str(err))]
    for done, failed in told:
        sys.stdout.write(f"PIVO-ERROR: {failed}\n" if failed else f"{done}\n")
    return 1 if any(failed for _, failed in told) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
