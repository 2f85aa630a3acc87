"""How far a run has come, read off the staging folder and the report that it leaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pivo.chat.standing import Amount, asked, stages, standing, steps
from pivo.models import StoredPack
from pivo.orchestrator import Approval, TaskState
from pivo.restore import outcome
from pivo.restore.plan import PLAN, RestorePlan, repo_folder, run_folder
from pivo.restore.report import RepoReport, Report
from pivo.settings import Settings

RUN = "agent__1"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(Settings.load({"PIVO_HOME": str(tmp_path)}), staging=tmp_path / "staging")


def planned(settings: Settings) -> Path:
    packs = tuple(StoredPack("000001-aaaaaaaaaaaa", c * 40, 1 << 20, "0" * 64, 4096, "0" * 64, 9) for c in "ab")
    plan = RestorePlan(RUN, "acme/web", "main", "a" * 40, "s", "2026-11-20", "main", (), (), "000001-aaaaaaaaaaaa",
                       packs, "acme/new", "forge", "Makes it.", sum(p.file_size for p in packs))  # fmt: skip
    outcome.leave_run(run_folder(settings.staging, RUN), {"acme/web": "acme/new"})
    at = repo_folder(settings.staging, RUN, "acme/web")
    plan.save(at / PLAN)
    (at / "packs").mkdir()
    return at


def task(name: str, state: str | None, index: int = -1) -> TaskState:
    begun = datetime.now(UTC) - timedelta(seconds=9)
    return TaskState(name, index, state, 1, begun if state else None, begun if state == "success" else None)


def test_nothing_is_known_of_a_run_that_left_nothing(settings: Settings) -> None:
    assert standing(settings, RUN).amount == Amount()


def test_bytes_count_as_they_reach_the_disk(settings: Settings) -> None:
    at = planned(settings)
    names = [p.pack_name for p in RestorePlan.load(at / PLAN).packs]
    assert (standing(settings, RUN).amount.bytes_done, standing(settings, RUN).amount.packs) == (0, 2)
    with (at / "packs" / f"{names[0]}.part").open("wb") as part:
        part.truncate(1 << 20)  # as a download prepares it
        assert standing(settings, RUN).amount.bytes_done == 0
        part.write(b"x" * (256 << 10))
        part.flush()
        assert 256 << 10 <= standing(settings, RUN).amount.bytes_done <= 300 << 10
    (at / "packs" / names[1]).write_bytes(b"y" * (1 << 20))
    amount = standing(settings, RUN).amount
    assert amount.packs_done == 1
    assert (1 << 20) + (256 << 10) <= amount.bytes_done < amount.bytes
    outcome.leave(at, "downloaded", {"bytes": amount.bytes, "fetched": 1})
    assert standing(settings, RUN).amount.bytes_done == amount.bytes


def test_the_approval_is_a_stage_where_somebody_was_asked() -> None:
    for state, shown in ((None, False), ("skipped", False), ("awaiting_input", True), ("success", True)):
        assert asked([task("validate", "success"), task("approval", state)]) is shown
    tasks = [task("validate", "success"), task("approval", "awaiting_input"), task("download", None)]
    found = {s["name"]: s for s in stages(tasks, Amount(), Approval(("grace", "linus")))}
    assert list(found) == ["validate", "approval", "download", "reconstruct", "push"]
    assert (found["approval"]["state"], found["approval"]["detail"]) == ("awaiting_input", "waits for grace or linus")


def test_a_stage_tells_its_percent_and_what_it_does(settings: Settings) -> None:
    planned(settings)
    amount = replace(standing(settings, RUN).amount, bytes_done=(2 << 20) // 4, packs_done=1)
    shown = {s["name"]: s for s in stages([task("validate", "success"), task("download", "running")], amount)}
    assert list(shown) == ["validate", "download", "reconstruct", "push"]
    assert shown["download"]["percent"] == 24
    assert shown["download"]["detail"] == "524.3 kB of 2.1 MB · 1 of 2 packs"
    assert 8 < shown["download"]["seconds"] < 20
    assert shown["push"]["state"] is None


def test_of_many_mapped_tasks_the_worst_is_told() -> None:
    states = ("success", "failed", "running", "success")
    (push,) = [s for s in stages([task("push", s, i) for i, s in enumerate(states)], Amount()) if s["name"] == "push"]
    assert (push["state"], push["done"], push["total"], push["percent"]) == ("failed", 2, 4, 50)


def test_the_report_tells_what_came_of_it(settings: Settings) -> None:
    planned(settings)
    rows = (RepoReport("acme/web", "x", url="http://f/x.git", commits=7, bytes=99), RepoReport("b", "y", failure="No."))
    Report(RUN, "ada", "main", "x", False, "2026-11-23T00:00:00Z", rows).save(settings.home)
    stood = standing(settings, RUN)
    assert (stood.amount.commits, stood.amount.bytes_done) == (7, 99)
    assert stood.to_json()["restored"] == [{"repo": "acme/web", "text": "http://f/x.git"}]
    assert stood.to_json()["failed"] == [{"repo": "b", "text": "No."}]


def test_another_dags_tasks_are_its_stages() -> None:
    tasks = [task("plan", "success"), task("snapshot", "running", 0), task("snapshot", "success", 1), task("end", None)]
    shown = [(s["name"], s["state"], s["done"], s["total"]) for s in steps(tasks)]
    assert shown == [("plan", "success", 1, 1), ("snapshot", "running", 1, 2), ("end", None, 0, 1)]
