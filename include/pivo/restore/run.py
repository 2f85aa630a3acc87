"""One restore run as the DAG's tasks call it: the four steps, what they leave for each other, and the records.

The run's staging folder holds `plan.json`, the packs, the repository, and how the run stands, so that the last
task can tell the outcome of tasks that were killed too.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pivo.errors import PivoError, Unavailable, UsageError
from pivo.events import EventLog, RestoreEvent
from pivo.progress import logged
from pivo.restore import outcome
from pivo.restore.plan import PLAN, RestorePlan, repo_folder, run_folder, validate
from pivo.restore.push import push
from pivo.restore.reconstruct import reconstruct
from pivo.settings import Settings
from pivo.trace import trace

log = logging.getLogger(__name__)

PARAMS = frozenset({"repo", "ref", "target", "commit", "requested_by", "origin"})
"""The keys that a run's configuration may have."""


@dataclass(frozen=True)
class RestoreRun:
    """A run by its id; `conf` is what it was asked for, `user` the Airflow user who triggered it."""

    settings: Settings
    run_id: str
    conf: Mapping[str, Any]
    user: str | None = None

    @property
    def folder(self) -> Path:
        """The run's staging folder."""
        return run_folder(self.settings.staging, self.run_id)

    @property
    def who(self) -> str:
        """Who is behind the run: the Airflow user, and the person whom that user says to act for."""
        claimed = str(self.conf.get("requested_by") or "")
        user = self.user or ""
        if user and claimed and claimed != user:
            return f"{user} for {claimed}"
        return user or claimed or "unknown"

    def plan(self) -> RestorePlan:
        """The plan that `validate` saved."""
        return RestorePlan.load(self.folder / PLAN)

    def validate(self) -> dict[str, str]:
        """Plan the run; the plan's path and the name of the Spark application.

        UsageError for unknown parameters. The request is recorded first, and a run that cannot be recorded does
        not start.
        """
        with self._step("validate"):
            unknown = set(self.conf) - PARAMS
            if unknown:
                raise UsageError(
                    f"A restore has no parameter {', '.join(sorted(map(repr, unknown)))}.",
                    f"It has {', '.join(sorted(PARAMS))}.",
                )
            missing = [k for k in ("repo", "ref", "target") if not self._text(k)]
            if missing:
                raise UsageError(f"A restore needs {', '.join(missing)}.", "Give them when you trigger the run.")
            self._record("requested", self._text("origin"), strict=True)
            plan = validate(
                self.settings,
                repo=self._text("repo"),
                ref=self._text("ref"),
                target=self._text("target"),
                commit=self._text("commit"),
                run_id=self.run_id,
            )
            path = plan.save(self.folder / PLAN)
            self._record("validated", f"{plan.creates} {plan.volume}.", plan)
        return {"plan": str(path), "name": f"PIVO-Restore-{plan.repo}-{plan.commit[:7]}"}

    def job_arguments(self) -> list[str]:
        """What spark_jobs/restore_job.py is told; no secrets."""
        return [
            *("--plan", str(self.folder / PLAN), "--staging", str(self.folder)),
            *("--archive", self.settings.archive, "--user", self.settings.archive_reader),
            *("--cluster", self.settings.spark_master, "--trace-log", str(self.settings.trace_log)),
        ]

    @contextmanager
    def submitting(self, command: str) -> Iterator[None]:
        """Around the Spark job: records it, and turns its failure into the error that the job left behind."""
        with self._step("download"):
            trace(self.settings.trace_log, "SPARK-SUBMIT", "CMD", command)
            try:
                yield
            except Exception as err:
                raise outcome.failure(self.folder) or _ended_badly(err) from err
            plan = self.plan()
            self._record("downloaded", f"{plan.volume}, verified.", plan)

    def reconstruct(self) -> str:
        """Rebuild and prove the repository; its path."""
        with self._step("reconstruct"):
            plan = self.plan()
            staging = repo_folder(self.settings.staging, self.run_id, plan.repo)
            made = reconstruct(plan, staging, progress=logged(log))
            said = f"{made.commits:,} commits, {made.objects:,} objects, {len(made.refs)} refs, all there."
            if made.withheld:
                said += f" {len(made.withheld)} tags are not of this history and stay out."
            self._record("reconstructed", said, plan)
        return str(made.path)

    def push(self, path: str) -> str:
        """Take the repository at `path` to its target; the target's address."""
        with self._step("push"):
            plan = self.plan()
            done = push(plan, Path(path), self.settings, progress=logged(log))
            outcome.leave_pushed(self.folder, done.url)
            self._record("pushed", done.url, plan)
        return done.url

    def clean(self) -> None:
        """The end in every case: records a failure, removes the staging folder."""
        if not outcome.pushed(self.folder):
            err = outcome.failure(self.folder)
            try:
                plan: RestorePlan | None = self.plan()
            except PivoError:
                plan = None
            self._record("failed", str(err) if err else "A task was killed or timed out; its log says more.", plan)
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        outcome.forget_failure(self.folder)
        log.info("%s of %s", name, self.run_id)
        try:
            yield
        except PivoError as err:
            outcome.leave_failure(self.folder, err)
            trace(self.settings.trace_log, "PIVO-ORCHESTRATOR", "RES", f"restore {self.run_id} {name}: {err}")
            raise
        except Exception as err:
            unforeseen = f"The task {name} broke off: {type(err).__name__}: {err}"[:500]
            outcome.leave_failure(self.folder, PivoError(unforeseen, "Its log says more; report it."))
            raise

    def _record(self, state: Any, detail: str, plan: RestorePlan | None = None, *, strict: bool = False) -> None:
        """Say in the audit log, and in the trace, where the run stands.

        Only the request must get through (`strict`): a restore that has begun is not stopped for want of Kafka.
        """
        event = RestoreEvent(
            run_id=self.run_id,
            repo=plan.repo if plan else self._text("repo"),
            ref=self._text("ref"),
            commit=plan.commit if plan else "",
            target=self._text("target"),
            who=self.who,
            state=state,
            detail=detail,
        )
        said = f"restore {self.run_id} of {event.repo} at {event.commit[:12] or event.ref}: {state}. {detail}"
        trace(self.settings.trace_log, "PIVO-ORCHESTRATOR", "INFO", said)
        try:
            with EventLog(self.settings.kafka) as events:
                events.restore(event)
        except PivoError as err:
            if strict:
                raise
            log.warning("The restore goes on, but its state %s is not in the audit log: %s", state, err)

    def _text(self, key: str) -> str:
        return str(self.conf.get(key) or "").strip()


def _ended_badly(err: Exception) -> PivoError:
    """For a Spark application that left no word: killed, out of memory, or never begun."""
    said = (str(err).splitlines() or [type(err).__name__])[0][:300]
    return Unavailable(f"The Spark application ended without a word: {said}", "The task's log has what Spark said.")
