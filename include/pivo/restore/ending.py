"""The end of a run: what each repository came to, read from the staging folder, and which of that folder goes."""

from __future__ import annotations

import errno
import logging
import re
import shutil
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from pivo.errors import PivoError, StackError, Unavailable
from pivo.restore import outcome
from pivo.restore.plan import PLAN, RestorePlan, repo_folder, run_folder
from pivo.restore.report import RepoReport
from pivo.restore.secondperson import waits
from pivo.restore.withheld import Withheld

log = logging.getLogger(__name__)

KEPT_FOR = 24 * 3600.0
"""Seconds for which what a failed run has verified waits for a rerun of it."""

_EXIT_CODE = re.compile(r"Error code is: (-?\d+)")
_FORGOTTEN = 2 * 24 * 3600.0  # seconds; longer than all tries of all tasks of a run together

_KILLED = "It did not come to its end: a task was killed, skipped or timed out. Clear the whole run to go on."


def put_together(
    staging: Path,
    run_id: str,
    targets: Mapping[str, str],
    whole: PivoError | None = None,
    before: Mapping[str, RepoReport] | None = None,
) -> list[RepoReport]:
    """The rows of the report; `whole` is what failed the run as a whole, for those with no failure of their own.

    What an earlier end of the same run has cleared away was not done again: its row in `before` stands.
    """
    rows = []
    for repo, target in targets.items():
        at = repo_folder(staging, run_id, repo)
        old = None if at.exists() else (before or {}).get(repo)
        rows.append(old or _row(at, repo, target, whole))
    return rows


def _row(at: Path, repo: str, target: str, whole: PivoError | None) -> RepoReport:
    pushed = outcome.left(at, "pushed")
    if pushed and "report" in pushed:  # from an earlier attempt of the run
        told = dict(pushed["report"])
        return RepoReport(**told | {"withheld": tuple(Withheld(**w) for w in told["withheld"])})
    failed = "" if pushed else str(outcome.failure(at) or whole or _KILLED)
    try:
        plan = RestorePlan.load(at / PLAN)
    except (PivoError, OSError):
        return RepoReport(repo, target, failure=failed)
    rebuilt, pushed = outcome.left(at, "rebuilt") or {}, pushed or {}
    left = [Withheld(**w) for w in (*rebuilt.get("withheld", ()), *pushed.get("withheld", ()))]
    return RepoReport(
        repo=repo,
        target=target,
        commit=plan.commit,
        snapshot=plan.snapshot,
        branch=plan.branch,
        url=pushed.get("url", ""),
        refs=pushed.get("refs", 0),
        commits=rebuilt.get("commits", 0),
        objects=rebuilt.get("objects", 0),
        bytes=plan.bytes,
        pushes=pushed.get("pushes", 0),
        withheld=(*plan.withheld, *left),
        failure=failed,
    )


def clear(staging: Path, run_id: str, repos: Iterable[str]) -> None:
    """Remove a run's staging folder; what was verified of a repository that a rerun could still bring back stays.

    Such remains of runs that ended over a day ago go, too.
    """
    folder, keep = run_folder(staging, run_id), False
    for repo in repos:
        at = repo_folder(staging, run_id, repo)
        err = outcome.failure(at) or outcome.failure(folder)
        # no failure at all: killed, or it never came to its turn; with all packs there, only the target is in the way
        hopeful = err is None or err.retry or outcome.left(at, "downloaded") is not None
        mendable = hopeful and (at / PLAN).exists() and not outcome.left(at, "pushed")
        if mendable:
            keep = True
            shutil.rmtree(at / "repo.git", ignore_errors=True)
        elif at.parent == folder:
            shutil.rmtree(at, ignore_errors=True)
    if keep:
        (folder / outcome.KEPT).touch()
        log.info("What was verified is kept for a day in %s: clear the failed tasks to go on.", folder)
    else:
        shutil.rmtree(folder, ignore_errors=True)
    _sweep(staging)


def _sweep(staging: Path) -> None:
    """Removes what ended runs have kept for long enough, and what runs have left that never came to their end."""
    for mark in (*staging.glob(f"*/{outcome.KEPT}"), *staging.glob(f"*/{outcome.RUN}")):
        folder = mark.parent
        kept = folder / outcome.KEPT
        try:
            seen = [kept] if kept.exists() else [mark, *folder.glob("*/"), *folder.glob("*/*/")]
            age = time.time() - max(path.stat().st_mtime for path in seen)
        except OSError:  # it is going already
            continue
        if not waits(staging, folder.name) and age > (KEPT_FOR if seen == [kept] else _FORGOTTEN):
            shutil.rmtree(folder, ignore_errors=True)


def ended_badly(err: Exception) -> PivoError:
    """For a Spark application that left no word: killed, out of memory, or never begun."""
    said = " ".join(str(err).split()) or type(err).__name__
    code = _EXIT_CODE.search(said)
    if code is None:
        return Unavailable(
            f"The Spark application ended without a word: {said[:300]}", "The task's log has what Spark said."
        )
    number = int(code[1])
    if number < 0 or number > 128:
        signal = -number if number < 0 else number - 128
        return Unavailable(
            f"The Spark application was ended from outside (signal {signal}): by hand, or for lack of memory.",
            "Try again; what it had verified is not read again.",
        )
    return Unavailable(
        f"The Spark application ended with exit code {number} and without a word.",
        "The task's log has what Spark said; a new try reads only what is missing.",
    )


def no_room(err: BaseException, staging: Path) -> PivoError | None:
    """For what the operating system said of a full disk below `staging`; None for anything else."""
    if not isinstance(err, OSError) or err.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return None
    return StackError(
        f"The staging folder {staging} has no room left.",
        "Free space there, or move PIVO_STAGING, then clear the failed tasks; nothing was pushed.",
    )
