"""What the DAGs that run on Spark are made of: their params, their Spark tasks, and the runs behind their tasks.

One of the modules that import airflow, and the only one that does so when it is imported: DAG files import it.
"""

from __future__ import annotations

import logging
import shlex
from typing import TYPE_CHECKING, Any

from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import BaseHook, Param, get_current_context

from pivo.masking import NO_LOGIN
from pivo.settings import default_root

if TYPE_CHECKING:
    from airflow.sdk import Context

    from pivo.orchestrator import Approval
    from pivo.restore.run import RestoreRun
    from pivo.settings import Settings
    from pivo.verify.run import VerifyRun

log = logging.getLogger(__name__)
_JOBS = default_root() / "spark_jobs"
_START_FAST = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto"  # short-lived JVMs: 5 of 15 seconds


def _text(title: str, description: str, default: str = "", longest: int = 512) -> Param:
    """A string param; all have defaults because a run that is only parsed must not fail."""
    return Param(default, type="string", maxLength=longest, pattern=NO_LOGIN, title=title, description=description)


RESTORE_PARAMS = {
    "repo": _text("Repository", "Its name in the archive, e.g. PIVO or acme/PIVO.", longest=255),
    "ref": _text("Commit, branch, tag or date", "A full or short hash, a branch, a tag, or @2026-11-20.", "HEAD"),
    "target": _text(
        "Target",
        "owner/name on the forge, or a git URL without commits. For several: neworg/ or neworg/{owner}-{name}.",
        longest=2048,
    ),
    "repos": Param(
        [],
        type=["array", "string"],
        items={"type": "string", "maxLength": 255},
        maxLength=100_000,
        title="Several repositories",
        description="Instead of one: names or patterns, e.g. acme/*, or * for all of them.",
    ),
    "all_refs": Param(
        None,
        type=["boolean", "null"],
        title="All refs",
        description="The whole repository as of a date: every branch, tag and note. Not told: yes for several.",
    ),
    "commit": _text("Expected commit", "Refuse if the ref is another full hash by now; may be empty.", longest=40),
    "requested_by": _text("Requested by", "On whose behalf; may be empty.", longest=255),
    "origin": _text("Origin", "Where the request came from: chat, cli, form.", longest=64),
}


VERIFY_PARAMS = {
    "repos": Param(
        [],
        type="array",
        items={"type": "string", "maxLength": 255},
        title="Repositories",
        description="Names in the archive; empty for the night's share of all.",
    ),
    "deep": Param(
        None,
        type=["null", "boolean"],
        title="Deep",
        description="Every object too, or bytes only; left out: on Sundays.",
    ),
    "share": Param(
        None,
        type=["null", "integer"],
        minimum=1,
        title="Nights",
        description="In how many nights all repositories have their turn; left out: 7, and all on Sundays.",
    ),
}


class _Submit(SparkSubmitOperator):
    """spark-submit of one of PIVO's jobs, on the cluster that the Connection `pivo_spark` names."""

    def __init__(self, *, job: str, conf: dict[str, Any] | None = None, **kwargs: Any) -> None:
        fast = {"spark.driver.extraJavaOptions": _START_FAST, "spark.executor.extraJavaOptions": _START_FAST}
        super().__init__(conn_id="pivo_spark", application=str(_JOBS / job), conf=fast | (conf or {}), **kwargs)

    def submit(self, context: Context, run: RestoreRun | VerifyRun) -> Any:
        """Runs the job with the run's arguments; where it fails, with the job's own words."""
        self.name, self.application_args = run.job_name, run.job_arguments()
        line = ["spark-submit", "--master", run.settings.spark_master, "--name", self.name, self.application]
        with run.submitting(shlex.join([*line, *self.application_args])):
            return super().execute(context)

    def connected(self) -> None:
        """Fails where there is no Connection: the provider would quietly ask YARN."""
        BaseHook.get_connection(self._conn_id)


class SubmitRestore(_Submit):
    """The Spark application that downloads what a restore needs."""

    def __init__(self, **kwargs: Any) -> None:
        # two cores: one JVM for two readers, which are processes of their own anyhow
        super().__init__(job="restore_job.py", conf={"spark.executor.cores": "2"}, **kwargs)

    def execute(self, context: Context) -> Any:
        from pivo import hooks

        with hooks.task_errors():
            self.connected()
            run = current_restore(context)
            return None if run.over else self.submit(context, run)


class AskApproval(ApprovalOperator):
    """Airflow's own question to a person, where the policy asks for a second one; skipped where it does not.

    The policy is read, and the question made, when the task runs: neither is known while the DAG is parsed.
    """

    def __init__(self, **kwargs: Any) -> None:
        # the time that a person takes is no execution time
        super().__init__(subject="May this restore go on?", execution_timeout=None, **kwargs)

    def execute(self, context: Context) -> Any:
        from airflow.sdk.exceptions import AirflowSkipException

        from pivo import hooks

        run = current_restore(context)
        with hooks.task_errors():
            # An answer that comes before the scheduler has seen the task wait ends the try (Airflow 3.3.2): it counts.
            if by := run.recalled(lambda: _given(run.settings, context)):
                return by
            question = run.ask_approval()
        if question is None and (by := run.second_person.approved_by):
            return by  # before Airflow ran this task again
        if question is None:
            raise AirflowSkipException("Nobody is to be asked.")
        self.subject, self.body = question.subject, question.body
        self.assigned_users = [{"id": person.id, "name": person.name} for person in question.needed.approvers]
        self.response_timeout = question.needed.within
        return super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> str:
        """Airflow's record of the answer, judged: who approved."""
        from pivo import hooks
        from pivo.restore.approval import Person

        told = event.get("responded_by_user")
        by = Person(str(told["id"]), str(told["name"])) if told else None
        with hooks.task_errors():
            return current_restore(context).answered(by, event.get("chosen_options") == [self.APPROVE])


def _given(settings: Settings, context: Context) -> Approval | None:
    """What Airflow has heard of this task; None where it cannot be asked."""
    from pivo.errors import PivoError
    from pivo.orchestrator import Orchestrator

    task = context["ti"]
    try:
        with Orchestrator(settings.airflow_url, settings.airflow_user, settings.airflow_password) as airflow:
            return airflow.approval(task.dag_id, task.run_id, task.task_id)
    except PivoError as err:
        log.warning("Whether somebody has answered already is not known: %s", err)
        return None


class SubmitVerify(_Submit):
    """The Spark application that re-reads a share of the archive."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(job="verify_job.py", **kwargs)

    def execute(self, context: Context) -> Any:
        from pivo import hooks

        with hooks.task_errors():
            self.connected()
            return self.submit(context, current_verify(context))


def current_restore(context: Context | None = None) -> RestoreRun:
    """The run that this task belongs to."""
    from pivo import hooks
    from pivo.restore.run import RestoreRun

    context = context or get_current_context()
    dag_run, task = context["dag_run"], context["ti"]
    conf = {**context["params"], **(dag_run.conf or {})}
    return RestoreRun(
        hooks.settings(),
        dag_run.run_id,
        conf,
        getattr(dag_run, "triggering_user_name", None),
        last=task.try_number > (getattr(task, "max_tries", None) or 0),
    )


def current_verify(context: Context | None = None) -> VerifyRun:
    """The run that this task belongs to."""
    from pivo import hooks
    from pivo.verify.run import VerifyRun

    context = context or get_current_context()
    dag_run = context["dag_run"]
    conf = {**context["params"], **(dag_run.conf or {})}
    night = (dag_run.logical_date or dag_run.run_after).date()
    return VerifyRun(hooks.settings(), dag_run.run_id, conf, night, getattr(dag_run, "triggering_user_name", None))


def alert(context: Context) -> None:
    """A task's `on_failure_callback`: tells a person, by the Connection `pivo_alert`, why it failed."""
    from pivo import hooks

    hooks.alert(context)
