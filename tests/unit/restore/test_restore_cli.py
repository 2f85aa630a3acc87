"""`pivo restore` as a person and as a script use it; Airflow's answers are scripted, all else is real."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import httpx
import pytest
import typer
from typer.testing import CliRunner

from index_kit import MockKafka
from pivo.cli import restore as command
from pivo.errors import NotFound, PivoError, TargetError, Unavailable, UsageError
from pivo.orchestrator import Orchestrator
from pivo.restore.report import RepoReport, Report
from pivo.settings import Settings
from pivo.stack.localforge import ForgeServer
from pivo.store import LocalStore
from restore_kit import Git, publish

Run = Callable[..., str]


@pytest.fixture
def kafka() -> MockKafka:
    return MockKafka()


@pytest.fixture
def run(settings: Settings, kafka: MockKafka, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command; its output. A PivoError comes through, as pivo.cli.main would get it."""
    settings = replace(settings, kafka=kafka.config)
    monkeypatch.setattr(Settings, "load", classmethod(lambda cls: settings))
    app = typer.Typer()
    command.register(app)
    app.callback()(lambda: None)

    def invoke(*args: str, code: int = 0) -> str:
        done = CliRunner().invoke(app, ["restore", *args])
        if isinstance(done.exception, PivoError):
            raise done.exception
        assert done.exit_code == code, done.output
        return done.output

    return invoke


@pytest.fixture
def airflow(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """Airflow as far as the command needs it; the configurations of the runs that were triggered."""
    triggered: list[dict[str, object]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        path, failing = request.url.path, bool(triggered) and triggered[-1]["target"] == "pivo/fails"
        done = "failed" if failing else "success"
        run = {"dag_id": "pivo_restore", "dag_run_id": "manual__1", "state": done}
        if path == "/auth/token":
            return httpx.Response(201, json={"access_token": "jwt"})
        if request.method == "POST":
            triggered.append(json.loads(request.content)["conf"])
            return httpx.Response(200, json=run | {"state": "queued"})
        if path.endswith("/taskInstances"):
            start, end = "2026-11-23T03:12:00Z", "2026-11-23T03:12:05Z"
            rows = [
                {"task_id": t, "state": done, "try_number": 1, "start_date": start, "end_date": end}
                for t in ("validate", "download", "reconstruct", "push")
            ]
            return httpx.Response(200, json={"task_instances": rows})
        if "/logs/" in path:
            return httpx.Response(200, json={"content": [{"event": "PIVO-ERROR: The pack is corrupt. Verify."}]})
        if "/report/xcomEntries/" in path:
            row = RepoReport("acme/a", "neworg/a", "1" * 40, url="http://forge/neworg/a", refs=3)
            lost = RepoReport("acme/b", "neworg/b", failure="The pack is corrupt. Verify.")
            rows = (row, lost) if "half" in str(triggered[-1]["target"]) else (row,)
            made = Report("manual__1", "ada", "HEAD", "neworg/", True, "2026-11-23T03:12:07+00:00", rows)
            return httpx.Response(200, json={"value": json.dumps(made.short())})
        if "/xcomEntries/" in path:
            return httpx.Response(200, json={"value": '"http://forge/pivo/back"'})
        return httpx.Response(200, json=run)

    scripted = partial(Orchestrator, transport=httpx.MockTransport(answer))
    monkeypatch.setattr(command, "Orchestrator", scripted)
    return triggered


def test_a_dry_run_shows_the_proposal_and_changes_nothing(
    run: Run, store: LocalStore, source: Git, forge: ForgeServer, airflow: list[dict[str, object]]
) -> None:
    publish(store, "PIVO", source)
    head = source("rev-parse", "main")
    said = run("PIVO", "main", "--to", "pivo/back", "--dry-run")
    assert head in said and "pivo/back" in said and "nothing was changed" in said
    plan = json.loads(run("PIVO", head[:8], "--to", "pivo/back", "--dry-run", "--json"))["plan"]
    assert (plan["commit"], plan["branch"], plan["packs"]) == (head, "main", 1)
    assert airflow == [] and forge.forge.owners() == []


def test_a_restore_is_triggered_with_the_full_hash_and_followed(
    run: Run, store: LocalStore, source: Git, airflow: list[dict[str, object]]
) -> None:
    publish(store, "PIVO", source)
    said = run("PIVO", "v1", "--to", "pivo/back", "--yes", "--wait")
    assert "Restored PIVO" in said and "http://forge/pivo/back" in said
    commit = source("rev-parse", "v1^{commit}")
    asked = {"repo": "PIVO", "ref": "v1", "target": "pivo/back", "commit": commit, "origin": "cli"}
    assert airflow == [asked | {"requested_by": "tester"}]
    told = json.loads(run("PIVO", "v1", "--to", "pivo/back2", "--yes", "--wait", "--json"))
    assert told["url"] == "http://forge/pivo/back" and told["run"]["state"] == "success"
    told = json.loads(run("PIVO", "v1", "--to", "pivo/back3", "--yes", "--json"))
    assert told["url"] is None and told["run"]["state"] == "queued"


def test_a_failed_run_is_told_in_the_failed_tasks_words(
    run: Run, store: LocalStore, source: Git, airflow: list[dict[str, object]]
) -> None:
    publish(store, "PIVO", source)
    with pytest.raises(PivoError, match=r"The pack is corrupt\. Verify\."):
        run("PIVO", "v1", "--to", "pivo/fails", "--yes", "--wait")


def test_nobody_there_to_answer_is_a_usage_error(
    run: Run, store: LocalStore, source: Git, airflow: list[dict[str, object]]
) -> None:
    publish(store, "PIVO", source)
    with pytest.raises(UsageError, match="asks before it starts"):
        run("PIVO", "main", "--to", "pivo/back")
    assert airflow == []


def test_what_cannot_be_restored_is_told_before_airflow_is_asked(
    run: Run, store: LocalStore, source: Git, forge: ForgeServer, airflow: list[dict[str, object]]
) -> None:
    publish(store, "PIVO", source)
    taken = forge.forge.create("pivo", "taken", None, private=True)
    source("push", "-q", str(taken.path), "main:refs/heads/main")
    for args, error in [
        (("PIVO", "nope", "--to", "pivo/back"), NotFound),
        (("NOPE", "main", "--to", "pivo/back"), NotFound),
        (("PIVO", "main", "--to", "pivo/taken"), TargetError),
        (("PIVO", "main", "--to", "ext::sh -c id"), UsageError),
    ]:
        with pytest.raises(error):
            run(*args, "--yes")
    assert airflow == []


def test_airflow_that_is_down_is_told_with_what_to_do(run: Run, store: LocalStore, source: Git) -> None:
    publish(store, "PIVO", source)
    with pytest.raises(Unavailable, match="pivo up"):
        run("PIVO", "main", "--to", "pivo/back", "--yes")


def test_words_from_a_repository_cannot_steer_the_terminal(run: Run, store: LocalStore, tmp_path_factory) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path_factory.mktemp("rude") / "work"
    path.mkdir()
    git = Git(path)
    git("init", "-q", "-b", "main")
    git.commit("\x1b[2Jgone [bold]\u202eevil[/bold]", file="x")
    publish(store, "rude", git)
    said = run("rude", "main", "--to", "pivo/back", "--dry-run")
    assert "\x1b[2J" not in said and "\u202e" not in said and "[bold]" in said


def test_several_are_planned_triggered_and_told_from_the_runs_report(
    run: Run, store: LocalStore, source: Git, airflow: list[dict[str, object]], settings: Settings
) -> None:
    for name in ("acme/a", "acme/b", "other/c"):
        publish(store, name, source)
    said = run("acme/*", "@2026-11-20", "--to", "neworg/", "--all-refs", "--dry-run")
    assert "neworg/a" in said and "neworg/b" in said and "other/c" not in said and airflow == []
    said = run("acme/*", "@2026-11-20", "--to", "neworg/", "--all-refs", "--yes", "--wait")
    asked = {"repos": ["acme/*"], "ref": "@2026-11-20", "target": "neworg/", "all_refs": True}
    assert airflow == [asked | {"requested_by": "tester", "origin": "cli"}]
    assert "1 of 1 restored" in said and "http://forge/neworg/a" in said
    said = run("acme/a,acme/b", "HEAD", "--to", "half/", "--yes", "--wait", code=1)
    assert airflow[-1]["repos"] == ["acme/a", "acme/b"] and airflow[-1]["all_refs"] is False
    assert "FAILED    acme/b: The pack is corrupt. Verify." in said
    said = run("acme/a,acme/gone", "--to", "neworg/", "--all-refs", "--dry-run")
    assert "not possible" in said and "acme/gone" in said
    with pytest.raises(NotFound):
        run("acme/x*", "--to", "neworg/", "--yes")


def test_a_report_is_shown_from_the_home_folder(run: Run, settings: Settings) -> None:
    row = RepoReport("acme/b", "neworg/b", failure="The pack is corrupt. Verify.")
    Report("r 1", "ada", "HEAD", "neworg/", True, "2026-11-23T03:12:07+00:00", (row,)).save(settings.home)
    assert "FAILED    acme/b" in run("--report", "r 1", code=1)
    assert json.loads(run("--report", "r 1", "--json", code=1))["report"]["who"] == "ada"


def test_a_whole_repository_is_one_restore_too(
    run: Run, store: LocalStore, source: Git, airflow: list[dict[str, object]]
) -> None:
    publish(store, "PIVO", source)
    run("PIVO", "--to", "pivo/back", "--all-refs", "--yes")
    head = source("rev-parse", "main")
    assert (airflow[0]["ref"], airflow[0]["commit"], airflow[0]["all_refs"]) == ("HEAD", head, True)


def test_without_kafka_nothing_is_triggered(
    settings: Settings, run: Run, store: LocalStore, source: Git, airflow: list[dict[str, object]], monkeypatch
) -> None:
    publish(store, "PIVO", source)
    away = replace(settings, kafka={"bootstrap.servers": "127.0.0.1:1"})
    monkeypatch.setattr(Settings, "load", classmethod(lambda cls: away))
    with pytest.raises(Unavailable, match="Nothing was started"):
        run("PIVO", "main", "--to", "pivo/back", "--yes")
    assert airflow == []
    kept = b"".join(path.read_bytes() for path in (away.home / "audit").iterdir())
    assert b'"action":"confirmation"' in kept
