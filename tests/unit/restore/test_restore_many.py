"""Several repositories in one run: which, where to, each failure its own, the report, and going on after a failure."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from pivo.errors import NotFound, PivoError, TargetError, UsageError
from pivo.events import EventLog, RestoreEvent
from pivo.models import RepoName
from pivo.restore import outcome, report
from pivo.restore.download import Outcome, Unit, fetch_group
from pivo.restore.downloads import download_run
from pivo.restore.request import Request, select, targets
from pivo.restore.run import RestoreRun
from pivo.restore.target import Target
from pivo.restore.withheld import Withheld
from pivo.settings import Settings
from pivo.stack.localforge import ForgeServer
from pivo.store import LocalStore
from restore_kit import Git, publish

KNOWN = [RepoName.parse(n) for n in ("PIVO", "acme/tool", "acme/web", "other/tool")]


def test_names_and_patterns_choose_repositories() -> None:
    assert select(["*"], KNOWN) == sorted(map(str, KNOWN))
    assert select(["acme/*", "PIVO", "acme/web"], KNOWN) == ["PIVO", "acme/tool", "acme/web"]
    assert select(["gone/for-good"], KNOWN) == ["gone/for-good"]  # its own failure later, not that of all
    with pytest.raises(NotFound, match=r"matches 'acne/\*'"):
        select(["acne/*"], KNOWN)
    with pytest.raises(UsageError):
        select(["../etc"], KNOWN)


def test_targets_follow_the_pattern_and_never_collide() -> None:
    assert targets(["PIVO", "acme/tool"], "neworg/") == {"PIVO": "neworg/PIVO", "acme/tool": "neworg/tool"}
    assert targets(["acme/tool"], "new/{owner}-{name}") == {"acme/tool": "new/acme-tool"}
    assert targets(["acme/tool"], "file:///srv/") == {"acme/tool": "file:///srv/tool.git"}
    assert targets(["acme/tool"], "new/exactly") == {"acme/tool": "new/exactly"}
    with pytest.raises(UsageError, match="acme/tool and other/tool would both become neworg/tool"):
        targets(["acme/tool", "other/tool"], "neworg/")
    with pytest.raises(UsageError, match="both become"):
        targets(["a/Tool", "b/tool"], "neworg/")  # forges do not tell them apart
    with pytest.raises(UsageError, match="cannot all go to"):
        targets(["acme/tool", "acme/web"], "neworg/one")
    with pytest.raises(UsageError, match="no owner"):
        targets(["PIVO"], "neworg/{owner}-{name}")


@pytest.mark.parametrize(
    ("conf", "said"),
    [
        ({"repo": "a", "repos": ["b"]}, "not of both"),
        ({"repos": ["a"], "commit": "1" * 40}, "one repository only"),
        ({"repos": [1]}, "list of names"),
        ({"repos": ["a"], "force": True}, "no parameter 'force'"),
        ({"repos": []}, "needs repo or repos"),
    ],
)
def test_params_that_do_not_go_together_are_refused(conf: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Request.parse({"ref": "HEAD", "target": "neworg/"} | conf)


def test_all_refs_are_the_rule_for_several_and_the_exception_for_one() -> None:
    base = {"ref": "@2026-11-20", "target": "neworg/"}
    assert Request.parse(base | {"repos": ["a"]}).all_refs and Request.parse(base | {"repo": "acme/*"}).all_refs
    assert not Request.parse(base | {"repo": "a"}).all_refs
    assert not Request.parse(base | {"repos": ["a"], "all_refs": False}).all_refs
    assert Request.parse(base | {"repo": "a", "all_refs": True}).all_refs


def test_a_folder_outside_the_allowed_ones_is_refused_links_followed(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (inside / "way").symlink_to(outside)
    Target.parse(f"file://{inside}/deep/x.git").allow([inside])
    Target.parse("acme/x").allow([])
    for path in (outside / "x.git", inside / "way" / "x.git", inside):
        with pytest.raises(TargetError, match="PIVO_RESTORE_ROOTS"):
            Target.parse(f"file://{path}").allow([inside])


def test_roots_are_the_home_and_the_folder_for_temporary_files_unless_told(tmp_path: Path) -> None:
    env = {"PIVO_HOME": str(tmp_path)}
    assert Settings.load(env).restore_roots[0] == tmp_path.resolve()
    told = Settings.load(env | {"PIVO_RESTORE_ROOTS": "/srv/a:/srv/b"}).restore_roots
    assert told == (Path("/srv/a"), Path("/srv/b"))
    assert Settings.load(env | {"PIVO_RESTORE_ROOTS": ""}).restore_roots == ()
    with pytest.raises(UsageError, match="not absolute"):
        Settings.load(env | {"PIVO_RESTORE_ROOTS": "here"})


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[RestoreEvent]:
    """What the run says in the audit log, in place of Kafka."""
    sent: list[RestoreEvent] = []
    monkeypatch.setattr(EventLog, "restore", lambda self, told: sent.append(told))
    return sent


@pytest.fixture
def start(settings: Settings, events: list[RestoreEvent]) -> Callable[..., RestoreRun]:
    def make(last: bool = True, **conf: Any) -> RestoreRun:
        asked = {"repos": ["acme/*"], "ref": "HEAD", "target": "neworg/", "requested_by": "ada", "repo": ""}
        return RestoreRun(settings, "manual__1", asked | conf, "admin", last)

    return make


@pytest.fixture
def three(store: LocalStore, source: Git) -> None:
    for name in ("acme/a", "acme/b", "acme/c", "elsewhere/a"):
        publish(store, name, source)


def job(run: RestoreRun, spread: Callable[[list[list[Unit]]], Iterable[Outcome]] | None = None) -> None:
    """What the Spark application does; it ends badly as the application would."""
    with run.submitting("spark-submit"):
        got = download_run(run.folder, run.settings.archive, "reader", spread)
        if got.failed and (not got.done or any(e.retry for e in got.failed.values())):
            raise RuntimeError("exit code 1")


def each(run: RestoreRun, repos: list[str]) -> dict[str, str]:
    """The mapped tasks of every repository; what came of each."""
    came: dict[str, str] = {}
    for repo in repos:
        try:
            run.reconstruct(repo)
            came[repo] = run.push(repo)
        except PivoError as err:
            came[repo] = str(err)
    return came


def test_three_come_back_and_the_report_says_so(
    three: None, source: Git, forge: ForgeServer, start: Callable[..., RestoreRun], events: list[RestoreEvent]
) -> None:
    run = start()
    repos = run.validate()
    assert repos == ["acme/a", "acme/b", "acme/c"] and run.job_name == "PIVO-Restore-3-repositories"
    job(run)
    came = each(run, repos)
    assert came == {f"acme/{n}": f"{forge.url}/neworg/{n}" for n in "abc"}
    told = run.finish()
    assert not run.folder.exists()
    kept = report.load(run.settings.home, "manual__1")
    assert kept.to_dict() == told and report.Report.from_dict(told) == kept
    assert [r.repo for r in kept.restored] == repos and not kept.failed and kept.all_refs
    head, names = source("rev-parse", "main"), source("for-each-ref", "--format=%(refname)").split()
    assert {(r.commit, r.refs, r.url) for r in kept.repositories} == {(head, len(names), u) for u in came.values()}
    assert "3 of 3 restored" in kept.summary() and "admin for ada" in kept.summary()
    assert {(e.repo, e.target) for e in events if e.state == "pushed"} == {(f"acme/{n}", f"neworg/{n}") for n in "abc"}


def test_each_failure_is_its_own(
    three: None,
    store: LocalStore,
    source: Git,
    forge: ForgeServer,
    start: Callable[..., RestoreRun],
    events: list[RestoreEvent],
) -> None:
    publish(store, "acme/d", source)
    taken = forge.forge.create("neworg", "b", None, private=False)
    source("push", "-q", str(taken.path), "main~3:refs/heads/main")
    (pack,) = (store.root / "acme" / "c").glob("*/pack-*")
    data = bytearray(pack.read_bytes())
    data[1500] ^= 1
    pack.chmod(0o644)
    pack.write_bytes(data)
    run = start(repos=["acme/*", "acme/none"])
    repos = run.validate()
    job(run)
    came = each(run, repos)
    told = run.finish()
    assert [r["repo"] for r in told["repositories"] if not r["failure"]] == ["acme/a", "acme/d"]
    why = {r["repo"]: r["failure"] for r in told["repositories"] if r["failure"]}
    assert "is not empty" in why["acme/b"] and "is corrupt: bytes 1,000 to 2,000" in why["acme/c"]
    assert "No repository acme/none" in why["acme/none"]
    assert all(came[repo] == said for repo, said in why.items())
    assert {e.repo: e.detail for e in events if e.state == "failed"} == why
    assert not run.folder.exists()  # nothing of it would come right by itself


def test_a_run_of_which_nothing_can_be_restored_fails_at_once(
    three: None, start: Callable[..., RestoreRun], forge: ForgeServer
) -> None:
    run = start(ref="@2001-01-01")
    with pytest.raises(NotFound, match="no snapshot from before"):
        run.validate()
    told = run.finish()
    assert len(told["repositories"]) == 3 and all(r["failure"] for r in told["repositories"])
    run = start(target="neworg/same")
    with pytest.raises(UsageError, match="cannot all go"):
        run.validate()
    assert run.finish()["repositories"][0]["failure"].startswith("3 repositories cannot all go")
    assert forge.forge.owners() == []


def test_what_was_away_is_tried_again_and_then_given_up_for_itself_alone(
    three: None, start: Callable[..., RestoreRun], forge: ForgeServer
) -> None:
    def flaky(work: list[list[Unit]]) -> Iterable[Outcome]:
        for unit in (u for share in work for u in share):
            if "acme/b/" in unit.source:
                yield Outcome(unit, 0, 0.0, "", ("HDFS broke off.", "Try again."), True)
            else:
                yield from fetch_group([unit], run.settings.archive, "reader")

    run = start(last=False)
    repos = run.validate()
    with pytest.raises(PivoError, match="HDFS broke off") as caught:
        job(run, flaky)
    assert caught.value.retry  # Airflow tries the task again
    run = start()
    job(run, flaky)  # the last try: the others go on
    came = each(run, repos)
    assert came["acme/b"].startswith("HDFS broke off (") and came["acme/a"].endswith("/neworg/a")
    run.finish()
    assert [p.name for p in run.folder.iterdir() if p.is_dir()] == ["acme+b"]  # for a rerun

    # cleared in Airflow from `validate` on: only what is missing is done, and what was verified is not read again
    run = start()
    assert run.validate() == repos
    read: list[Unit] = []

    def counting(work: list[list[Unit]]) -> Iterable[Outcome]:
        read.extend(u for share in work for u in share)
        return (o for share in work for o in fetch_group(share, run.settings.archive, "reader"))

    job(run, counting)
    assert {Path(u.folder).parent.name for u in read} == {"acme+b"}
    assert each(run, repos) == {f"acme/{n}": f"{forge.url}/neworg/{n}" for n in "abc"}
    kept = run.finish()
    assert all(not r["failure"] and r["refs"] for r in kept["repositories"]) and not run.folder.exists()


def test_a_target_that_was_in_the_way_and_is_not_any_more_needs_no_second_download(
    three: None, source: Git, start: Callable[..., RestoreRun], forge: ForgeServer
) -> None:
    run = start()
    repos = run.validate()
    job(run)
    taken = forge.forge.create("neworg", "b", None, private=False)
    source("push", "-q", str(taken.path), "main~3:refs/heads/main")
    assert "is not empty" in each(run, repos)["acme/b"]
    run.finish()
    shutil.rmtree(taken.path)
    assert run.push("acme/b") == f"{forge.url}/neworg/b"  # as if only that task were cleared
    assert [r["failure"] for r in run.finish()["repositories"]] == ["", "", ""] and not run.folder.exists()


def test_remains_of_old_runs_go_and_those_of_running_ones_stay(
    three: None, start: Callable[..., RestoreRun], settings: Settings
) -> None:
    for name, kept, age in (("old", True, 90_000), ("fresh", True, 10), ("running", False, 90_000)):
        folder = settings.staging / name
        folder.mkdir(parents=True)
        if kept:
            (folder / outcome.KEPT).touch()
            os.utime(folder / outcome.KEPT, (time.time() - age,) * 2)
    for name, age in (("forgotten", 200_000), ("at-work", 200_000)):  # never ended: killed, or deleted by hand
        packs = settings.staging / name / "repo" / "packs"
        packs.mkdir(parents=True)
        outcome.leave_run(settings.staging / name, {"repo": "a/b"})
        for path in (packs, packs.parent, settings.staging / name / outcome.RUN):
            os.utime(path, (time.time() - age,) * 2)
    (settings.staging / "at-work" / "repo" / "packs" / "a-new-file").touch()
    start().finish()
    assert sorted(p.name for p in settings.staging.iterdir()) == ["at-work", "fresh", "running"]


def test_names_that_could_leave_the_staging_folder_do_not(
    start: Callable[..., RestoreRun], settings: Settings, store: LocalStore
) -> None:
    (settings.staging / "of-another-run").mkdir(parents=True)
    for repo in ("..", ".", "../..", "a/../b"):
        run = start(repo=repo, repos=[])
        with pytest.raises(UsageError):
            run.validate()
        assert run.finish()["repositories"][0]["failure"]
    assert (settings.staging / "of-another-run").is_dir()


def test_a_report_is_kept_under_the_runs_own_name_only(tmp_path: Path) -> None:
    plain = "manual__2026-11-23T03:12:07+00:00"
    assert report.path_of(tmp_path, plain) == tmp_path / "reports" / f"{plain}.json"
    for name in ("../../etc/passwd", ".hidden", "a/b", "x" * 400, ""):
        assert report.path_of(tmp_path, name).parent == tmp_path / "reports"
    with pytest.raises(NotFound, match="no report"):
        report.load(tmp_path, "nope")


def test_a_repository_does_not_lie_in_the_folder_of_another(
    store: LocalStore, source: Git, start: Callable[..., RestoreRun]
) -> None:
    run = start()
    assert run.at("acme").parent == run.at("acme/packs").parent == run.folder
    assert run.at("acme/packs") != run.at("acme")


def test_no_room_for_all_is_told_before_anything_is_fetched(
    three: None, start: Callable[..., RestoreRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start()
    run.validate()
    monkeypatch.setattr("pivo.restore.downloads.room", lambda _folder: 100)
    with pytest.raises(PivoError, match="has room for 100 bytes"):
        download_run(run.folder, run.settings.archive, "reader")


def test_an_xcom_of_many_withheld_refs_stays_small() -> None:
    held = tuple(Withheld("hidden-ref", f"refs/pull/{n}/head", "kept") for n in range(5000))
    row = report.RepoReport("a", "n/a", url="http://x", withheld=held)
    made = report.Report("r", "ada", "HEAD", "n/", True, "2026-11-23T00:00:00+00:00", (row,))
    short = made.short()
    assert len(json.dumps(short)) < 5000 and short["repositories"][0]["withheld_count"] == 5000
    assert "5,000 refs that the target keeps" in made.summary()
