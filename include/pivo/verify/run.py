"""One verification run as the tasks of `pivo_verify` call it: what to look at, the Spark job, the records.

The run's staging folder holds the work list, what the index witnesses of each repository, and the results, which
the executors leave there as they come: a second try goes on with the repositories that have none yet.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pivo.errors import NotFound, Unavailable, UsageError
from pivo.events import AuditEvent, EventLog
from pivo.events.audit import open_audit
from pivo.findings import Finding
from pivo.index.reader import IndexReader
from pivo.models import RepoName
from pivo.progress import Progress
from pivo.restore import outcome
from pivo.restore.ending import ended_badly
from pivo.restore.plan import run_folder
from pivo.settings import Settings
from pivo.snapshot.archive import Archive
from pivo.store import open_store
from pivo.trace import trace
from pivo.verify import shallow, witness
from pivo.verify.report import Verified, failure
from pivo.verify.share import SUNDAY, tonight
from pivo.verify.work import Work, leave

PARAMS = frozenset({"repos", "deep", "share"})
"""The keys that a run's configuration may have."""

NIGHTS = 7
"""Nights in which every repository has its turn, by default."""

_log = logging.getLogger(__name__)
_WORK = "work.json"


@dataclass(frozen=True)
class VerifyRun:
    """A run by its id; `conf` is what it was asked for, `user` who triggered it, `night` its date."""

    settings: Settings
    run_id: str
    conf: Mapping[str, Any]
    night: date
    user: str | None = None

    @property
    def folder(self) -> Path:
        """The run's staging folder."""
        return run_folder(self.settings.staging, self.run_id)

    @property
    def deep(self) -> bool:
        """Whether every object is read: as asked for, else on Sundays."""
        asked = self.conf.get("deep")
        return self.night.weekday() == SUNDAY if asked is None else bool(asked)

    def plan(self) -> list[str]:
        """Writes the work list; the repositories on it. UsageError for unknown parameters, NotFound for a name."""
        unknown = set(self.conf) - PARAMS
        if unknown:
            raise UsageError(
                f"A verification has no parameter {', '.join(sorted(map(repr, unknown)))}.",
                f"It has {', '.join(sorted(PARAMS))}.",
            )
        archive = Archive(open_store(self.settings.archive, self.settings.archive_reader))
        with IndexReader(self.settings.index) as reader:
            chosen, lost = self._chosen(archive, reader)
            work = [self._work(repo) for repo in chosen]
            for item in work:
                witness.ask(reader, item.repo).save(item.witness)
        for finding in lost:
            item = self._work(finding.repo)
            leave(item.result, Verified(finding.repo, "shallow").found([finding]))
            work.append(item)
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / _WORK).write_text(json.dumps([asdict(w) for w in work]), encoding="utf-8")
        _log.info("%s verification of %d repositories: %s", self._mode, len(work), ", ".join(chosen[:20]))
        return [w.repo for w in work]

    @property
    def _mode(self) -> str:
        return "deep" if self.deep else "shallow"

    def _work(self, repo: str) -> Work:
        return Work(repo, self.deep, self.settings.archive, self.settings.archive_reader, str(self.folder))

    def _chosen(self, archive: Archive, reader: IndexReader) -> tuple[list[str], list[Finding]]:
        """The repositories of this run; what else lies in the archive, when the run looks at all of it."""
        known = sorted({str(r) for r in archive.repos()} | witness.repos(reader))
        asked = [str(RepoName.parse(str(r))) for r in self.conf.get("repos") or ()]
        if asked:
            other = sorted(set(asked) - set(known))
            if other:
                raise NotFound(f"No repository {other[0]} is in the archive.", "`pivo snapshots` lists what there is.")
            return asked, []
        share = int(self.conf.get("share") or (1 if self.deep else NIGHTS))
        if share < 1:
            raise UsageError(f"The archive cannot be verified in {share} nights.", "Give share as 1 or more.")
        return tonight(known, self.night, share), shallow.foreign(archive)

    @property
    def job_name(self) -> str:
        """What the Spark application is called."""
        return "PIVO-Verify"

    def job_arguments(self) -> list[str]:
        """What spark_jobs/verify_job.py is told; no secrets."""
        return [
            *("--work", str(self.folder / _WORK), "--cluster", self.settings.spark_master),
            *("--trace-log", str(self.settings.trace_log)),
        ]

    @contextmanager
    def submitting(self, command: str) -> Iterator[None]:
        """Around the Spark job: turns its failure into the error that the job left behind."""
        outcome.forget_failure(self.folder)
        if not (self.folder / _WORK).exists():  # cleared by hand, after the run had put its folder away
            self.plan()
        trace(self.settings.trace_log, "SPARK-SUBMIT", "CMD", command)
        try:
            yield
        except Exception as err:
            raise outcome.failure(self.folder) or ended_badly(err) from err

    def report(self, repo: str) -> dict[str, Any]:
        """Records the result of `repo`, and returns its counts. ArchiveError, which names them, for findings."""
        result = self._work(repo).done()
        if result is None and not self.folder.exists():
            raise NotFound(
                f"What this run found of {repo} is on record, and its files are put away.",
                "v_verifications has it; to look again, clear the task verify with what comes after it.",
            )
        if result is None:
            raise Unavailable(f"{repo} was not verified: its task was lost.", "Run the verification again.")
        record(self.settings, result, self.run_id, self.user or "schedule")
        err = failure([result])
        if err:
            for finding in result.findings:
                _log.error("%s", finding)
            raise err
        return asdict(result) | {"findings": result.total}

    def clean(self) -> None:
        """Removes the staging folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


def record(settings: Settings, result: Verified, run_id: str, who: str) -> None:
    """Tells the event log, and the trace, what a verification came to. Unavailable when Kafka is away."""
    said = f"{result.mode} verification of {result.repo}: {'whole' if result.ok else f'{result.total} findings'}"
    trace(settings.trace_log, "PIVO-ORCHESTRATOR", "RES", f"{said} ({run_id})")
    with EventLog(settings.kafka) as events:
        events.verified(result.event(run_id, who))


def begin_drill(settings: Settings, run_id: str, who: str) -> None:
    """A drill makes a repository on the forge, so it is on the audit log first: Unavailable when that is away."""
    with open_audit(settings) as log:
        log.require(AuditEvent(who, "drill", {"run_id": run_id}, "asked"))


def drill(
    settings: Settings, run_id: str, conf: Mapping[str, Any], user: str | None, progress: Progress
) -> dict[str, Any]:
    """One restore drill, recorded; its counts. ArchiveError for one that failed, UsageError for unknown parameters."""
    from pivo.verify.drill import drill as restore

    unknown = set(conf) - {"repos", "owner"}
    if unknown:
        raise UsageError(
            f"A drill has no parameter {', '.join(sorted(map(repr, unknown)))}.", "It has owner and repos."
        )
    repos = [str(r) for r in conf.get("repos") or ()]
    who = user or "schedule"
    begin_drill(settings, run_id, who)
    owner = str(conf.get("owner") or "")
    result = restore(settings, run_id, owner=owner, repos=repos, by=user or "", progress=progress)
    record(settings, result, run_id, who)
    err = failure([result])
    if err:
        raise err
    return asdict(result) | {"findings": 0}
