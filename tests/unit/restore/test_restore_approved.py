"""A run that takes a second person's approval: what they are shown, and that nothing goes round them."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pivo.errors import PivoError, TargetError, Unavailable, UsageError
from pivo.events import AuditEvent, RestoreEvent
from pivo.orchestrator import Approval
from pivo.restore import ending
from pivo.restore import report as reports
from pivo.restore.approval import Person
from pivo.restore.downloads import download_run
from pivo.restore.run import RestoreRun
from pivo.settings import Settings
from pivo.stack.localforge import ForgeServer
from pivo.store import LocalStore
from restore_kit import Git, publish

GRACE, LINUS = Person("grace", "grace"), Person("linus", "linus")
POLICY = "approval: [{repositories: ['PIVO'], approvers: [grace, linus, ada]}]\n"


class Trail:
    """The audit log and the events of restores, in memory; while `away` nothing can be required of it."""

    def __init__(self) -> None:
        self.audit: list[AuditEvent] = []
        self.steps: list[RestoreEvent] = []
        self.away = False

    def __call__(self, _: object) -> Trail:
        return self

    def __enter__(self) -> Trail:
        return self

    def __exit__(self, *exc: object) -> None: ...

    def restore(self, event: RestoreEvent) -> None:
        self.steps.append(event)

    def record(self, event: AuditEvent) -> None:
        self.audit.append(event)

    def require(self, event: AuditEvent) -> None:
        if self.away:
            raise Unavailable("Kafka does not answer.", "Start it.")
        self.audit.append(event)


@pytest.fixture
def trail(monkeypatch: pytest.MonkeyPatch) -> Trail:
    made = Trail()
    monkeypatch.setattr("pivo.restore.run.EventLog", made)
    monkeypatch.setattr("pivo.restore.secondperson.open_audit", made)
    return made


@pytest.fixture
def start(settings: Settings, store: LocalStore, source: Git, trail: Trail) -> Callable[..., RestoreRun]:
    """A planned run; `policy` is what the policy says from then on."""
    publish(store, "PIVO", source)

    def make(policy: str = POLICY, user: str = "admin", **conf: object) -> RestoreRun:
        settings.home.mkdir(parents=True, exist_ok=True)
        (settings.home / "policy.yaml").write_text(policy)
        asked = {"repo": "PIVO", "ref": "main", "target": "pivo/back", "requested_by": "ada", "origin": "test"}
        own = replace(settings, policy=settings.home / "policy.yaml")
        run = RestoreRun(own, "manual__1", asked | conf, user)
        run.validate()
        return run

    return make


def download(run: RestoreRun) -> None:
    with run.submitting("spark-submit …"):
        download_run(run.folder, run.settings.archive, "reader")


def test_nobody_is_asked_where_the_policy_asks_nobody(start: Callable[..., RestoreRun], trail: Trail) -> None:
    run = start("approval: [{repositories: ['secret/*'], approvers: [grace]}]")
    assert run.ask_approval() is None
    download(run)
    run.reconstruct("PIVO")
    assert run.push("PIVO")
    assert run.finish()["approved_by"] == ""
    assert trail.audit == []


def test_approved_it_goes_on_and_all_records_say_by_whom(
    start: Callable[..., RestoreRun], trail: Trail, source: Git, forge: ForgeServer
) -> None:
    run = start()
    question = run.ask_approval()
    assert question
    commit = source("rev-parse", "main")
    assert [p.name for p in question.needed.approvers] == ["grace", "linus"], "ada asked for it"
    assert question.subject == f"Restore PIVO at {commit[:12]}?"
    for told in (
        f"`{commit}`",
        "`PIVO`",
        "`pivo/back`",
        "`admin for ada`",
        "`manual__1`",
        source("log", "-1", "--format=%s"),
    ):
        assert told in question.body
    assert run.answered(GRACE, True) == "grace"
    download(run)
    run.reconstruct("PIVO")
    assert run.push("PIVO") == f"{forge.url}/pivo/back"
    run.finish()
    report = reports.load(run.settings.home, "manual__1")
    assert report.approved_by == "grace"
    assert "asked for by admin for ada, approved by grace" in report.summary()
    states = ["requested", "validated", "waiting", "approved", "downloaded", "reconstructed", "pushed"]
    assert [s.state for s in trail.steps] == states
    assert [s.detail for s in trail.steps if s.state in {"waiting", "approved"}] == [
        "for the approval of grace or linus, within 24 hours",
        "by grace",
    ]
    assert [(e.who, e.action, e.outcome) for e in trail.audit] == [
        ("admin for ada", "approval", "asked"),
        ("grace", "approval", "approved"),
    ]
    assert trail.audit[1].parameters["commit"] == commit
    assert trail.audit[1].parameters["target"] == "pivo/back"


@pytest.mark.parametrize("mark", ["never asked", "asked"])
def test_a_task_that_is_marked_as_done_by_hand_approves_nothing(start: Callable[..., RestoreRun], mark: str) -> None:
    run = start()
    if mark == "asked":
        run.ask_approval()
    with pytest.raises(PivoError, match="takes the approval of a second person, and has none"):
        download(run)
    assert "has none" in run.finish()["repositories"][0]["failure"]


def test_what_was_downloaded_before_the_policy_asked_is_not_pushed(start: Callable[..., RestoreRun]) -> None:
    run = start("{}")
    download(run)
    run.reconstruct("PIVO")
    run.settings.policy.write_text(POLICY)
    with pytest.raises(PivoError, match="has none"):
        run.push("PIVO")


def test_who_is_not_asked_cannot_answer(start: Callable[..., RestoreRun], trail: Trail) -> None:
    """Airflow refuses them; but with its setting that makes everybody an admin it does not."""
    for who in ("ada", "admin", "mallory"):
        run = start()
        run.ask_approval()
        with pytest.raises(PivoError, match="grace answered, and is none of those"):
            run.answered(Person(who, "grace"), True)
        with pytest.raises(PivoError, match="has none"):
            download(run)


def given(by: Person, chosen: str = "Approve", after: timedelta = timedelta()) -> Approval:
    """An answer as Airflow has it on record, so long after now."""
    return Approval(("grace", "linus"), by.name, chosen, by.id, datetime.now(UTC) + after)


def test_an_answer_that_airflow_took_and_told_no_task_counts(start: Callable[..., RestoreRun], trail: Trail) -> None:
    run = start()
    assert run.recalled(lambda: pytest.fail("nobody was asked")) == ""
    run.ask_approval()
    assert run.recalled(lambda: None) == "", "Airflow does not answer"
    assert run.recalled(lambda: Approval(("grace", "linus"))) == "", "nobody has answered"
    assert run.recalled(lambda: given(GRACE)) == "grace"
    assert [(e.who, e.outcome) for e in trail.audit] == [("admin for ada", "asked"), ("grace", "approved")]
    assert run.recalled(lambda: pytest.fail("it has its answer")) == ""
    assert run.ask_approval() is None
    download(run)


def test_a_rejection_that_no_task_was_told_is_one(start: Callable[..., RestoreRun]) -> None:
    run = start()
    run.ask_approval()
    with pytest.raises(PivoError, match="linus rejected the restore"):
        run.recalled(lambda: given(LINUS, "Reject"))
    with pytest.raises(PivoError, match="linus rejected"):
        download(run)


@pytest.mark.parametrize(
    "answer",
    [
        given(GRACE, after=timedelta(days=2)),
        given(Person("mallory", "grace")),
        given(Person("ada", "ada")),
        given(Person("", "")),
    ],
    ids=["too late", "another of that name", "who asked", "time ran out"],
)
def test_what_is_no_answer_to_the_question_is_asked_again(start: Callable[..., RestoreRun], answer: Approval) -> None:
    run = start()
    run.ask_approval()
    assert run.recalled(lambda: answer) == ""
    assert run.ask_approval() is not None
    with pytest.raises(PivoError, match="has none"):
        download(run)


def test_an_answer_to_another_plan_is_none(start: Callable[..., RestoreRun]) -> None:
    start().ask_approval()
    with pytest.raises(PivoError, match="not what its approval was asked for"):
        start(ref="v1").recalled(lambda: given(GRACE))


def test_rejected_is_the_end_of_the_run(start: Callable[..., RestoreRun], trail: Trail) -> None:
    run = start()
    run.ask_approval()
    with pytest.raises(PivoError, match=r"linus rejected the restore\. Nothing was restored\."):
        run.answered(LINUS, False)
    with pytest.raises(PivoError, match="linus rejected"):
        download(run)
    assert "linus rejected" in run.finish()["repositories"][0]["failure"]
    assert (trail.audit[-1].who, trail.audit[-1].outcome) == ("linus", "rejected")
    run.validate()  # the whole run is cleared
    with pytest.raises(PivoError, match="linus rejected"):
        run.ask_approval()


def test_nobody_answered(start: Callable[..., RestoreRun], trail: Trail) -> None:
    run = start()
    run.ask_approval()
    with pytest.raises(PivoError, match="Nobody approved the restore in time; it waited for grace or linus"):
        run.answered(None, False)
    assert "Nobody approved" in run.finish()["repositories"][0]["failure"]
    assert trail.audit[-1].outcome == "timed out"


def test_a_plan_that_changed_after_it_was_shown_is_not_what_was_approved(
    start: Callable[..., RestoreRun], source: Git
) -> None:
    run = start()
    run.ask_approval()
    run.answered(GRACE, True)
    other = start(ref="v1")  # the same run, planned anew
    assert other.plan("PIVO").commit == source("rev-parse", "v1^{commit}")
    for act in (other.ask_approval, lambda: other.answered(GRACE, True), lambda: download(other)):
        with pytest.raises(PivoError, match="not what its approval was asked for: PIVO is to come back at"):
            act()


def test_an_approved_run_that_is_cleared_is_not_asked_about_again(start: Callable[..., RestoreRun]) -> None:
    run = start()
    run.ask_approval()
    run.answered(GRACE, True)
    run.finish()
    run.validate()
    assert run.ask_approval() is None
    download(run)


def test_an_answer_waits_for_the_audit_log(start: Callable[..., RestoreRun], trail: Trail) -> None:
    run = start()
    run.ask_approval()
    trail.away = True
    with pytest.raises(Unavailable):
        run.answered(GRACE, True)
    with pytest.raises(Unavailable):  # what Airflow tries again is the whole task
        run.ask_approval()
    trail.away = False
    assert run.ask_approval() is None
    assert [e.outcome for e in trail.audit] == ["asked", "approved"]


def test_nobody_is_left_to_approve(start: Callable[..., RestoreRun]) -> None:
    with pytest.raises(TargetError, match="names only ada, who asked for this"):
        start("approval: [{approvers: [ada]}]").ask_approval()


def test_a_policy_that_cannot_be_read_restores_nothing(start: Callable[..., RestoreRun]) -> None:
    run = start("approval: yes please")
    for act in (run.ask_approval, lambda: download(run)):
        with pytest.raises(UsageError, match="no list of rules"):
            act()


def test_a_subject_is_shown_as_text(
    store: LocalStore, settings: Settings, trail: Trail, tmp_path: Path, start: Callable[..., RestoreRun]
) -> None:
    hostile = "`![x](https://evil.example.org/?q) **approve** \u202e{{ var.value.secret }}"
    (tmp_path / "hostile").mkdir()
    git = Git(tmp_path / "hostile")
    git("init", "-q", "-b", "main")
    git.commit(hostile, a="a\n")
    publish(store, "hostile", git)
    question = start("approval: [{approvers: [grace]}]", repo="hostile").ask_approval()
    assert question
    (line,) = [line for line in question.body.splitlines() if "evil" in line]
    assert line == "- Subject: `'![x](https://evil.example.org/?q) **approve** \\u202e{{ var.value.secret }}`"


def test_several_repositories_are_one_question(
    start: Callable[..., RestoreRun], store: LocalStore, source: Git
) -> None:
    publish(store, "acme/web", source)
    run = start(repo="", repos=["*"], ref="HEAD", target="pivo/{name}")
    question = run.ask_approval()
    assert question
    assert question.subject == "Restore 2 repositories?"
    assert len([line for line in question.body.splitlines() if " at `" in line]) == 2
    run.answered(GRACE, True)
    download(run)


def test_staging_stays_while_an_answer_can_still_come(start: Callable[..., RestoreRun]) -> None:
    run = start()
    run.ask_approval()
    old = time.time() - 3 * 24 * 3600
    for path in (*run.folder.rglob("*"), run.folder):
        os.utime(path, (old, old))
    ending.clear(run.settings.staging, "another run", [])
    assert run.folder.exists()
    record = next((run.settings.staging / "approvals").glob("*.json"))
    record.write_text(json.dumps(json.loads(record.read_text()) | {"until": "2026-01-01T00:00:00+00:00"}))
    ending.clear(run.settings.staging, "another run", [])
    assert not run.folder.exists()
