"""The steps of a run as the DAG's tasks call them: records, failures, and what is left behind."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from pivo.errors import ArchiveError, NotFound, PivoError, StackError, TargetError, Unavailable, UsageError
from pivo.events import RestoreEvent
from pivo.restore import outcome
from pivo.restore.downloads import download_run
from pivo.restore.ending import ended_badly
from pivo.restore.run import RestoreRun
from pivo.settings import Settings
from pivo.stack.localforge import ForgeServer
from pivo.store import LocalStore
from restore_kit import Git, publish


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[RestoreEvent]:
    """What is sent to the audit log, in place of Kafka; the element None makes every further sending fail."""
    sent: list[RestoreEvent] = []

    class Recorder:
        def __init__(self, kafka: object) -> None: ...

        def __enter__(self) -> Recorder:
            return self

        def __exit__(self, *exc: object) -> None: ...

        def restore(self, event: RestoreEvent) -> None:
            if None in sent:
                raise Unavailable("Kafka does not answer.", "Start it.")
            sent.append(event)

    monkeypatch.setattr("pivo.restore.run.EventLog", Recorder)
    return sent


@pytest.fixture
def start(settings: Settings, events: list[RestoreEvent]) -> Callable[..., RestoreRun]:
    def make(**conf: str) -> RestoreRun:
        asked = {"repo": "PIVO", "ref": "main", "target": "pivo/back", "requested_by": "ada", "origin": "test"}
        return RestoreRun(settings, "manual__1", asked | conf, "admin")

    return make


def job(run: RestoreRun) -> None:
    """What the Spark application does, here."""
    download_run(run.folder, run.settings.archive, "reader")


def restored(run: RestoreRun, repo: str = "PIVO") -> str:
    """What the two mapped tasks of one repository do."""
    run.reconstruct(repo)
    return run.push(repo)


def test_a_run_is_recorded_from_the_request_to_the_address(
    store: LocalStore, source: Git, forge: ForgeServer, start: Callable[..., RestoreRun], events: list[RestoreEvent]
) -> None:
    publish(store, "PIVO", source)
    run = start()
    assert run.validate() == ["PIVO"]
    assert run.job_name == f"PIVO-Restore-PIVO-{source('rev-parse', 'main')[:7]}"
    with run.submitting("spark-submit …"):
        job(run)
    assert restored(run) == f"{forge.url}/pivo/back"
    assert run.folder.is_dir()
    run.finish()
    assert not run.folder.exists()
    assert [e.state for e in events] == ["requested", "validated", "downloaded", "reconstructed", "pushed"]
    assert {(e.who, e.run_id, e.target) for e in events} == {("admin for ada", "manual__1", "pivo/back")}
    assert {e.commit for e in events[1:]} == {source("rev-parse", "main")}
    assert events[-1].detail == f"{forge.url}/pivo/back"
    trace = run.settings.trace_log.read_text()
    assert "[SPARK-SUBMIT] [CMD] spark-submit …" in trace and "pushed. " in trace


@pytest.mark.parametrize(
    ("conf", "error"),
    [
        ({"force": "yes"}, UsageError),
        ({"target": ""}, UsageError),
        ({"ref": "no-such-branch"}, NotFound),
        ({"repo": "../etc"}, UsageError),
        ({"commit": "1" * 40}, UsageError),
    ],
)
def test_what_cannot_be_done_is_recorded_as_failed_and_leaves_nothing(
    store: LocalStore,
    source: Git,
    forge: ForgeServer,
    start: Callable[..., RestoreRun],
    events: list[RestoreEvent],
    conf: dict[str, str],
    error: type[PivoError],
) -> None:
    publish(store, "PIVO", source)
    run = start(**conf)
    with pytest.raises(error) as caught:
        run.validate()
    run.finish()
    assert events[-1].state == "failed" and events[-1].detail == str(caught.value)
    assert not run.folder.exists() and forge.forge.owners() == []


def test_a_restore_that_cannot_be_recorded_does_not_start(
    store: LocalStore, source: Git, start: Callable[..., RestoreRun], events: list[RestoreEvent]
) -> None:
    publish(store, "PIVO", source)
    events.append(None)  # type: ignore[arg-type]
    with pytest.raises(Unavailable, match="Kafka"):
        start().validate()


def test_a_restore_that_has_begun_goes_on_without_kafka(
    store: LocalStore, source: Git, forge: ForgeServer, start: Callable[..., RestoreRun], events: list[RestoreEvent]
) -> None:
    publish(store, "PIVO", source)
    run = start()
    run.validate()
    events.append(None)  # type: ignore[arg-type]
    with run.submitting("spark-submit"):
        job(run)
    restored(run)
    run.finish()
    assert forge.forge.find("pivo", "back") and not run.folder.exists()


def test_the_spark_jobs_own_words_become_the_tasks_error(
    store: LocalStore, source: Git, start: Callable[..., RestoreRun], events: list[RestoreEvent]
) -> None:
    publish(store, "PIVO", source)
    run = start()
    run.validate()
    with pytest.raises(Unavailable, match="without a word: exit code 1"), run.submitting("spark-submit"):
        raise RuntimeError("exit code 1")
    for retry in (True, False):
        left = (Unavailable if retry else ArchiveError)("The pack is corrupt.", "Verify it.")
        with pytest.raises(PivoError, match="The pack is corrupt") as caught, run.submitting("spark-submit"):
            outcome.leave_failure(run.folder, left)
            raise RuntimeError("exit code 1")
        assert caught.value.retry is retry
    run.finish()
    assert events[-1].detail == "The pack is corrupt. Verify it."


def test_a_failure_that_was_overcome_is_forgotten(
    store: LocalStore, source: Git, start: Callable[..., RestoreRun], events: list[RestoreEvent]
) -> None:
    publish(store, "PIVO", source)
    run = start()
    run.validate()
    outcome.leave_failure(run.folder, Unavailable("HDFS did not answer."))
    with run.submitting("spark-submit"):
        job(run)
    run.finish()  # as if the next task had been killed
    assert events[-1].state == "failed" and "killed, skipped or timed out" in events[-1].detail


def test_a_task_that_broke_off_is_told_apart_from_one_that_was_killed(
    store: LocalStore,
    source: Git,
    start: Callable[..., RestoreRun],
    events: list[RestoreEvent],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publish(store, "PIVO", source)
    run = start()
    run.validate()
    job(run)
    monkeypatch.setattr("pivo.restore.run.reconstruct", lambda *a, **k: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        run.reconstruct("PIVO")
    run.finish()
    assert "The task reconstruct broke off: ZeroDivisionError" in events[-1].detail


def test_a_staging_folder_that_cannot_be_used_is_named(
    store: LocalStore, source: Git, start: Callable[..., RestoreRun]
) -> None:
    publish(store, "PIVO", source)
    run = start()
    run.validate()
    job(run)
    (run.folder / "PIVO" / "repo.git").write_text("in the way of the folder")
    with pytest.raises(StackError, match=f"staging folder {run.folder}/PIVO cannot be used"):
        run.reconstruct("PIVO")


def test_a_target_that_was_taken_meanwhile_fails_the_run_and_keeps_its_content(
    store: LocalStore, source: Git, forge: ForgeServer, start: Callable[..., RestoreRun], events: list[RestoreEvent]
) -> None:
    publish(store, "PIVO", source)
    run = start()
    run.validate()
    job(run)
    run.reconstruct("PIVO")
    taken = forge.forge.create("pivo", "back", None, private=False)
    source("push", "-q", str(taken.path), "main~3:refs/heads/main")
    with pytest.raises(TargetError, match="is not empty"):
        run.push("PIVO")
    run.finish()
    assert dict(forge.forge.branches(taken)) == {"main": source("rev-parse", "main~3")}
    assert json.dumps(events[-1].detail).count("not touched") == 1


def test_tasks_that_are_cleared_after_a_run_has_ended_well_have_nothing_to_do(
    store: LocalStore, source: Git, start: Callable[..., RestoreRun], forge: ForgeServer
) -> None:
    publish(store, "PIVO", source)
    run = start()
    assert not run.over
    run.validate()
    job(run)
    url = restored(run)
    told = run.finish()
    events_then = forge.forge.find("pivo", "back")
    for again in (start(), start()):
        assert again.over and not again.folder.exists()
        assert (again.push("PIVO"), again.reconstruct("PIVO")) == (url, url)
        assert again.finish() == told
    assert forge.forge.find("pivo", "back") == events_then


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("Cannot execute: spark-submit --master x y. Error code is: -15.", "was ended from outside (signal 15)"),
        ("Cannot execute: spark-submit " + "x " * 400 + ". Error code is: 137.", "was ended from outside (signal 9)"),
        ("Cannot execute: spark-submit. Error code is: 1.", "ended with exit code 1 and without a word"),
        ("no such file", "ended without a word: no such file"),
    ],
)
def test_a_spark_application_without_last_words_is_told_by_its_exit_code(said: str, sentence: str) -> None:
    err = ended_badly(RuntimeError(said))
    assert sentence in err.what and err.retry and len(err.what) < 400
