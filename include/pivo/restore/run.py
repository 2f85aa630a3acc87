"""One restore run as the DAG's tasks call it: the four steps, what they leave for each other, and the records.

The run's staging folder holds one folder for each repository (its plan, its packs, the repository, how it stands), so
that the last task can tell the outcome of tasks that were killed too, and a rerun goes on from what is there. One
repository's failure is its own: it is left in that repository's folder, and its later steps tell it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from pivo.errors import PivoError, Unavailable
from pivo.events import EventLog, RestoreEvent
from pivo.events.audit import keep
from pivo.orchestrator import Approval
from pivo.progress import logged
from pivo.restore import outcome
from pivo.restore import report as reports
from pivo.restore.approval import Person
from pivo.restore.ending import clear, ended_badly, no_room, put_together
from pivo.restore.plan import PLAN, RestorePlan, repo_folder, run_folder
from pivo.restore.planning import goals, plan_each
from pivo.restore.push import push
from pivo.restore.reconstruct import reconstruct
from pivo.restore.request import Request
from pivo.restore.secondperson import Question, SecondPerson
from pivo.settings import Settings
from pivo.trace import trace

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RestoreRun:
    """A run by its id; `conf` is what it was asked for, `user` the Airflow user who triggered it.

    `last` says that a failure now is the task's last: what one repository lacks then no longer holds up the others.
    """

    settings: Settings
    run_id: str
    conf: Mapping[str, Any]
    user: str | None = None
    last: bool = True

    @property
    def folder(self) -> Path:  # the run's staging folder
        return run_folder(self.settings.staging, self.run_id)

    def at(self, repo: str) -> Path:
        """The staging folder of one repository."""
        return repo_folder(self.settings.staging, self.run_id, repo)

    @property
    def who(self) -> str:
        """Who is behind the run: the Airflow user, and the person whom that user says to act for."""
        claimed = self._text("requested_by")
        user = self.user or ""
        if user and claimed and claimed != user:
            return f"{user} for {claimed}"
        return user or claimed or "unknown"

    @cached_property
    def request(self) -> Request:
        """What was asked for; UsageError when that means nothing."""
        return Request.parse(self.conf)

    def plan(self, repo: str) -> RestorePlan:
        """The plan that `validate` saved for `repo`."""
        return RestorePlan.load(self.at(repo) / PLAN)

    def validate(self) -> list[str]:
        """Plan the run; the names of its repositories.

        The request is recorded first, and a run that cannot be recorded does not start. Raises what keeps the only
        repository, or all of them, from being restored; else each failure is left for the repository's later steps.
        """
        with self._step("validate"):
            targets = goals(self.settings, self.request)
            self._record("requested", dict.fromkeys(targets, self._text("origin")), targets, strict=True)
            before = reports.earlier(self.settings.home, self.run_id)
            todo = {repo: target for repo, target in targets.items() if not self._pushed_before(repo, before)}
            outcome.leave_run(self.folder, targets)
            made = plan_each(self.settings, self.request, todo, self.run_id)
            for repo, plan in made.items():
                self._keep(repo, plan)
            failed = [err for err in made.values() if isinstance(err, PivoError)]
            if failed and (len(failed) == len(targets) or (not self.last and any(e.retry for e in failed))):
                raise next((e for e in failed if e.retry), failed[0])
            plans = [plan for plan in made.values() if isinstance(plan, RestorePlan)]
            self._record("validated", {p.repo: f"{p.creates} {p.volume}." for p in plans})
        return list(targets)

    @property
    def second_person(self) -> SecondPerson:
        """The approval of this run. Whoever is said to have asked is behind it, too, and so approves it no more than
        whoever triggered it."""
        behind = [who for who in (self.user or "", self._text("requested_by")) if who]
        return SecondPerson(self.settings, self.run_id, self.who, tuple(behind))

    def ask_approval(self) -> Question | None:
        """What a second person is asked before anything is read; None when nobody is to be asked (any more)."""
        with self._step("approval"):
            plans = self._plans()
            question = self.second_person.ask(plans)
            if question:
                self._record("waiting", dict.fromkeys(plans, f"for the approval of {question.needed.words}"))
        return question

    def recalled(self, given: Callable[[], Approval | None]) -> str:
        """Who approved in an earlier try of the task, which Airflow ended without telling it; empty when nobody did.
        PivoError when they rejected it. `given` asks Airflow, only where a question waits."""
        if not self.second_person.waits or (told := given()) is None:
            return ""
        by = self.second_person.heard(self._plans(), told)
        return self.answered(by, told.approved) if by else ""

    def answered(self, by: Person | None, approved: bool) -> str:
        """Who approved; PivoError when nobody did. `by` is the person as Airflow knows them, None when time ran out."""
        with self._step("approval"):
            plans = self._plans()
            name = self.second_person.answer(plans, by, approved)
            self._record("approved", dict.fromkeys(plans, f"by {name}"))
        return name

    def _plans(self) -> dict[str, RestorePlan]:
        """The plans of what is still to be brought back."""
        made = [RestorePlan.load(at / PLAN) for at in self._planned()]
        return {plan.repo: plan for plan in made}

    def _keep(self, repo: str, plan: RestorePlan | PivoError) -> None:
        at = self.at(repo)
        if isinstance(plan, RestorePlan):
            plan.save(at / PLAN)
            outcome.forget_failure(at)
        else:
            if not plan.retry:
                (at / PLAN).unlink(missing_ok=True)
            outcome.leave_failure(at, plan)

    def _pushed_before(self, repo: str, before: Mapping[str, reports.RepoReport]) -> bool:
        """Whether an earlier attempt of this run brought `repo` back; its facts are carried over then."""
        at = self.at(repo)
        row = before.get(repo)
        if row and row.restored and outcome.left(at, "pushed") is None:
            outcome.leave(at, "pushed", {"url": row.url, "report": asdict(row)})
        return outcome.left(at, "pushed") is not None

    @cached_property
    def over(self) -> bool:
        """Whether this run has ended well and put its staging away: a task that is cleared then has nothing to do."""
        rows = reports.earlier(self.settings.home, self.run_id).values()
        return not self.folder.exists() and bool(rows) and all(row.restored for row in rows)

    def _brought_back(self, repo: str) -> str | None:
        """Where an earlier attempt of this run has brought `repo`."""
        if done := outcome.left(self.at(repo), "pushed"):
            return str(done["url"])
        row = reports.earlier(self.settings.home, self.run_id).get(repo)
        return row.url if row and row.restored and not self.at(repo).exists() else None

    @property
    def job_name(self) -> str:
        """What the Spark application is called."""
        planned = list(outcome.run(self.folder))
        if len(planned) == 1 and (self.at(planned[0]) / PLAN).exists():
            return f"PIVO-Restore-{planned[0]}-{self.plan(planned[0]).commit[:7]}"
        return f"PIVO-Restore-{len(planned)}-repositories"

    def job_arguments(self) -> list[str]:
        """What spark_jobs/restore_job.py is told; no secrets."""
        return [
            *("--staging", str(self.folder)),
            *("--archive", self.settings.archive, "--user", self.settings.archive_reader),
            *("--cluster", self.settings.spark_master, "--trace-log", str(self.settings.trace_log)),
        ]

    @contextmanager
    def submitting(self, command: str) -> Iterator[None]:
        """Around the Spark job: records it, and turns its failure into the error that the job left behind.

        Repositories that are there go on when this try is the last; before that, what may come right is tried again.
        """
        with self._step("download"):
            self.second_person.require(self._plans())
            for at in self._planned():
                outcome.forget_failure(at)
            trace(self.settings.trace_log, "SPARK-SUBMIT", "CMD", command)
            try:
                yield
            except Exception as err:
                if ended := self._after_job(outcome.failure(self.folder) or ended_badly(err)):
                    raise ended from err
            else:
                if ended := self._after_job(None):
                    raise ended

    def _after_job(self, ended: PivoError | None) -> PivoError | None:
        """Records what is there; why the run cannot go on, None when it can. `ended` is why the job broke off."""
        planned = self._planned()
        there = [at for at in planned if outcome.left(at, "downloaded")]
        told = [failed for at in planned if (failed := outcome.failure(at))]
        if len(there) + len(told) == len(planned):
            ended = next((e for e in told if e.retry), next(iter(told), None))  # the job came to its end
        if ended and (not there or (ended.retry and not self.last)):
            return ended
        plans = [RestorePlan.load(at / PLAN) for at in there]
        self._record("downloaded", {p.repo: f"{p.volume}, verified." for p in plans})
        return None

    def _planned(self) -> list[Path]:
        """The folders of the repositories that are still to be brought back."""
        folders = map(self.at, outcome.run(self.folder))
        return [at for at in folders if (at / PLAN).exists() and outcome.left(at, "pushed") is None]

    def reconstruct(self, repo: str) -> str:
        """Rebuild and prove the repository; its path, or its address when it is pushed already."""
        if url := self._brought_back(repo):
            return url
        self._require_downloaded(repo)
        with self._step("reconstruct", repo):
            plan = self.plan(repo)
            limit = self.settings.file_limit if plan.target_kind == "forge" else 0
            made = reconstruct(plan, self.at(repo), file_limit=limit, progress=logged(log))
            facts = {"commits": made.commits, "objects": made.objects, "withheld": [asdict(w) for w in made.withheld]}
            outcome.leave(self.at(repo), "rebuilt", facts)
            said = f"{made.commits:,} commits, {made.objects:,} objects, {len(made.refs)} refs, all there."
            if made.withheld:
                left = reports.RepoReport(repo, plan.target, withheld=made.withheld).left_out
                said += f" Left out: {left}."
            self._record("reconstructed", {repo: said})
        return str(made.path)

    def _require_downloaded(self, repo: str) -> None:
        """Raises what kept this repository from getting here; it is final, another try of this task cannot help."""
        at = self.at(repo)
        if outcome.left(at, "downloaded") is None:
            err = outcome.failure(at) or Unavailable(f"{repo} was not downloaded.", "Clear the task download.")
            final = PivoError(err.what, err.do)
            final.__cause__ = err
            raise final

    def push(self, repo: str) -> str:
        """Take the reconstructed repository to its target; the target's address."""
        if url := self._brought_back(repo):
            return url
        at = self.at(repo)
        if not (at / "repo.git").is_dir():  # cleared after the run had ended: only the packs were kept
            self.reconstruct(repo)
        with self._step("push", repo):
            plan = self.plan(repo)
            self.second_person.require({repo: plan})
            sent = push(plan, at / "repo.git", self.settings, progress=logged(log))
            facts = {"url": sent.url, "refs": len(sent.refs), "pushes": sent.pushes}
            outcome.leave(at, "pushed", facts | {"withheld": [asdict(w) for w in sent.withheld]})
            row = put_together(self.settings.staging, self.run_id, {repo: plan.target})[0]
            row = replace(row, withheld=tuple(w for w in row.withheld if w.what != "tag"))
            self._record("pushed", {repo: sent.url + (f" Withheld: {row.left_out}." if row.withheld else "")})
        return sent.url

    def finish(self) -> dict[str, Any]:
        """The end in every case: the report, kept in the home folder and returned in short; records failures.

        The staging folder goes, but for what a rerun of this run could go on with.
        """
        if self.over:
            return reports.load(self.settings.home, self.run_id).short()
        whole, targets, all_refs = outcome.failure(self.folder), dict[str, str](), False
        try:
            all_refs = self.request.all_refs
            targets = outcome.run(self.folder)
            known = reports.earlier(self.settings.home, self.run_id)
            rows = put_together(self.settings.staging, self.run_id, targets, whole, known)
        except PivoError as err:  # it never came to a plan
            named = self._text("repo") or self._text("repos")
            rows = [reports.RepoReport(named, self._text("target"), failure=str(whole or err))]
        made = reports.Report(
            run_id=self.run_id,
            who=self.who,
            ref=self._text("ref"),
            target=self._text("target"),
            all_refs=all_refs,
            ended=datetime.now(UTC).isoformat(timespec="seconds"),
            repositories=tuple(rows),
            approved_by=self.second_person.approved_by,
        )
        self._record("failed", {r.repo: r.failure for r in made.failed}, targets)
        path = made.save(self.settings.home)
        log.info("%s\nThe report is in %s", made.summary(), path)
        clear(self.settings.staging, self.run_id, targets)
        return made.short()

    @contextmanager
    def _step(self, name: str, repo: str = "") -> Iterator[None]:
        at = self.at(repo) if repo else self.folder
        outcome.forget_failure(at)
        (self.folder / outcome.KEPT).unlink(missing_ok=True)
        try:
            yield
        except PivoError as err:
            outcome.leave_failure(at, err)
            said = f"restore {self.run_id} {name} {repo}".rstrip()
            trace(self.settings.trace_log, "PIVO-ORCHESTRATOR", "RES", f"{said}: {err}")
            raise
        except Exception as err:
            unforeseen = f"The task {name} broke off: {type(err).__name__}: {err}"[:500]
            full = no_room(err, self.settings.staging)
            with suppress(OSError):  # there may be no room for this either
                outcome.leave_failure(at, full or PivoError(unforeseen, "Its log says more; report it."))
            if full:
                raise full from err
            raise

    def _record(
        self,
        state: Any,
        details: Mapping[str, str],
        targets: Mapping[str, str] | None = None,
        *,
        strict: bool = False,
    ) -> None:
        """Say in the audit log, and in the trace, where repositories of the run stand: `details` by repository.

        Only the request must get through (`strict`): a restore that has begun is not stopped for want of Kafka.
        """
        events = []
        for repo, detail in details.items():
            plan = self._planned_or_none(repo)
            target = plan.target if plan else (targets or {}).get(repo, self._text("target"))
            commit = plan.commit if plan else ""
            event = RestoreEvent(self.run_id, repo, self._text("ref"), commit, target, self.who, state, detail)
            events.append(event)
            said = f"restore {self.run_id} of {repo} at {commit[:12] or event.ref}: {state}. {detail}"
            trace(self.settings.trace_log, "PIVO-ORCHESTRATOR", "INFO", said)
        try:
            with EventLog(self.settings.kafka) as audit:
                for event in events:
                    audit.restore(event)
        except PivoError as err:
            if strict:
                raise
            log.warning("The restore goes on; its state %s waits on disk for the audit log: %s", state, err)
            keep(self.settings, events)

    def _planned_or_none(self, repo: str) -> RestorePlan | None:
        try:
            return self.plan(repo)
        except (PivoError, OSError):
            return None

    def _text(self, key: str) -> str:
        value = self.conf.get(key) or ""
        return (", ".join(map(str, value)) if isinstance(value, list) else str(value)).strip()
