"""The main job through Airflow: a repository goes in by pivo_snapshot, is indexed, and comes back by pivo_restore."""

from __future__ import annotations

import os
import random
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

import gitmake
from gitmake import Repo
from pivo.errors import TargetError, Unavailable
from pivo.index.reader import IndexReader
from pivo.orchestrator import DagRun, Orchestrator
from pivo.restore.download import download
from pivo.restore.plan import validate
from pivo.restore.push import push
from pivo.restore.reconstruct import reconstruct
from pivo.settings import ForgeAccess, Settings
from pivo.snapshot.archive import Archive
from pivo.stack import process
from pivo.stack.localforge import Account, Forge, ForgeServer
from pivo.store import open_store

pytestmark = pytest.mark.stack
SEED = 20261123
disturbs = pytest.mark.skipif(
    "PIVO_TEST_HOME" in os.environ, reason="stops parts of a stack that is not this session's"
)


@pytest.fixture(scope="module")
def airflow(stack: Settings) -> Iterator[Orchestrator]:
    with Orchestrator(stack.airflow_url, stack.airflow_user, stack.airflow_password) as client:
        yield client


Run = Callable[..., DagRun]


@pytest.fixture(scope="module")
def run(airflow: Orchestrator) -> Run:
    """Triggers a DAG and waits; the test fails unless it ends in `state`."""

    def go(dag: str, conf: dict[str, Any], state: str = "success") -> DagRun:
        ended = airflow.wait(dag, airflow.trigger(dag, conf).run_id, timeout=300)
        assert ended.state == state, airflow.failure(dag, ended.run_id) or ended
        return ended

    return go


@dataclass(frozen=True)
class Story:
    """A repository in two snapshots, a branch rewritten between them; `seen` are all commits ever observed."""

    name: str
    source: Repo
    seen: tuple[str, ...]
    lost: tuple[str, ...]
    signed: str


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, run: Run, stack: Settings) -> Story:
    source = gitmake.odd(tmp_path_factory.mktemp("story") / "odd.git")
    source("update-ref", "-d", "refs/pull/1/head")
    name = f"story/{uuid.uuid4().hex[:10]}"
    repos = [{"url": source.url, "name": name}]
    run("pivo_snapshot", {"repos": repos})
    before = set(source("rev-list", "--all").split())
    signed = source("rev-parse", "main")
    for n in range(3):
        source.commit("nothing", 600 + n, parents=["main~50"] if n == 0 else None)
    for n in range(4):
        source.commit("main", 610 + n, parents=["refs/heads/main", "refs/heads/nothing"] if n == 2 else None)
    source("update-ref", "-d", "refs/heads/weird/ü")
    source("update-ref", "refs/heads/orphan", source.commit("tmp", 620, parents=[]))
    source("update-ref", "-d", "refs/heads/tmp")
    run("pivo_snapshot", {"repos": repos})
    now = set(source("rev-list", "--all").split())
    lost = before - now
    # Nothing is ever collected from the source: what was rewritten can still be compared with.
    return Story(name, source, tuple(sorted(before | now)), tuple(sorted(lost)), signed)


def indexed(stack: Settings, name: str, seq: int) -> None:
    """Waits until pivo_index, which Kafka wakes, has written a snapshot."""
    end = time.monotonic() + 90
    rows: list[Any] = []
    while not rows:
        assert time.monotonic() < end, "pivo_index did not wake"
        time.sleep(0.5)
        with IndexReader(stack.index) as reader:
            rows = reader.query("SELECT 1 FROM v_snapshots WHERE repo_name = ? AND seq = ?", [name, seq]).rows


def proven(stack: Settings, story: Story, commit: str, address: str, folder: Path) -> None:
    """What plain git clones from `address` is the source's history of `commit`: that, all of it, and no more."""
    copy = gitmake.clone_from(address, folder / uuid.uuid4().hex)
    head = copy("symbolic-ref", "HEAD")
    refs = copy.refs()
    assert refs.pop(head) == commit == copy("rev-parse", "HEAD")
    source = story.source
    reached = set(source("rev-list", commit).split())
    tags = {}
    for ref in Archive(open_store(stack.archive, stack.archive_reader)).require(story.name).refs:
        if ref.name.startswith("refs/tags/") and ref.commit in reached:
            tags[ref.name] = ref.target
    assert refs == tags
    tips = [commit, *refs.values()]
    there, here = (sorted(repo.raw("rev-list", "--objects", *tips).splitlines()) for repo in (copy, source))
    assert there == here
    copy("fsck", "--full")
    assert copy.raw("cat-file", "commit", commit) == source.raw("cat-file", "commit", commit)


def test_what_a_night_archived_can_be_asked_for(story: Story, stack: Settings) -> None:
    indexed(stack, story.name, 2)
    with IndexReader(stack.index) as reader:
        rows = reader.query("SELECT hash, lost FROM v_commits WHERE repo_name = ?", [story.name], limit=1000).rows
    assert {oid for oid, _ in rows} == set(story.seen)
    assert {oid for oid, lost in rows if lost} == set(story.lost) and story.lost


def _staged(stack: Settings) -> set[str]:
    """What lies in the staging folder; of a run that failed, a rerun's beginning stays a day."""
    return {p.name for p in stack.staging.iterdir() if p.name != "ingest" and any(p.iterdir())}


def test_ten_random_commits_come_back_bit_for_bit(
    story: Story, stack: Settings, airflow: Orchestrator, tmp_path: Path
) -> None:
    """Two by the DAG with its Spark application, the others, meanwhile, by the functions that its tasks call."""
    rng, earlier = random.Random(SEED), _staged(stack)
    chosen = [story.signed, rng.choice(story.lost), *rng.sample(story.seen, 8)]
    targets = [f"pivo/{story.name.partition('/')[2]}-{number}" for number in range(10)]
    asked = [commit if number % 2 else commit[:12] for number, commit in enumerate(chosen)]
    runs = [
        airflow.trigger("pivo_restore", {"repo": story.name, "ref": ref, "target": target}).run_id
        for ref, target in zip(asked[:2], targets[:2], strict=True)
    ]
    for ref, target in zip(asked[2:], targets[2:], strict=True):
        plan = validate(stack, repo=story.name, ref=ref, target=target, run_id=f"test {target}")
        staging = tmp_path / target
        download(plan, staging / "packs", stack.archive, stack.archive_reader)
        push(plan, reconstruct(plan, staging).path, stack)
    for one in runs:
        assert airflow.wait("pivo_restore", one, timeout=300).state == "success", airflow.failure("pivo_restore", one)
    for commit, target in zip(chosen, targets, strict=True):
        proven(stack, story, commit, f"http://127.0.0.1:{stack.ports.forge}/{target}.git", tmp_path)
    assert _staged(stack) <= earlier


def test_restores_that_cannot_be_are_refused_in_words_at_once(
    story: Story, airflow: Orchestrator, stack: Settings, tmp_path: Path
) -> None:
    occupied = gitmake.linear(tmp_path / "occupied.git", 2)
    before, earlier = occupied.refs(), _staged(stack)
    wrong = {
        "is no commit, branch or tag": {"ref": "no-such-branch"},
        "No repository story/none is in the archive": {"repo": "story/none"},
        "'-x/y'": {"target": "-x/y"},
        "not 000000000000 as it was": {"commit": "0" * 40},
        "has commits": {"target": occupied.url},
    }
    asked = {"repo": story.name, "ref": "main"}
    runs = {
        said: airflow.trigger("pivo_restore", asked | {"target": f"pivo/no-{uuid.uuid4().hex[:8]}"} | conf)
        for said, conf in wrong.items()
    }
    for said, one in runs.items():
        assert airflow.wait("pivo_restore", one.run_id, timeout=200).state == "failed"
        why = airflow.failure("pivo_restore", one.run_id) or ""
        assert why.startswith("validate: ") and said in why, why
        tries = {t.task_id: t.try_number for t in airflow.tasks("pivo_restore", one.run_id)}
        assert tries["validate"] == 1, "a retry could not help"
        assert "Traceback" not in airflow.log("pivo_restore", one.run_id, "validate")
    assert occupied.refs() == before
    assert _staged(stack) <= earlier


def test_one_repository_that_is_gone_leaves_the_others_alone(
    run: Run, airflow: Orchestrator, stack: Settings, tmp_path: Path
) -> None:
    whole = gitmake.linear(tmp_path / "whole.git", 3)
    name = f"night/{uuid.uuid4().hex[:10]}"
    shallow = gitmake.clone(whole, tmp_path / "shallow.git", "--depth=1")
    repos = [
        {"url": f"{tmp_path}/gone", "name": f"{name}-gone"},
        {"url": shallow.url, "name": f"{name}-shallow"},
        {"url": whole.url, "name": name},
    ]
    ended = run("pivo_snapshot", {"repos": repos}, state="failed")
    states = [t.state for t in airflow.tasks("pivo_snapshot", ended.run_id) if t.task_id == "snapshot"]
    assert sorted(states) == ["failed", "failed", "success"]
    archive = Archive(open_store(stack.archive, stack.archive_reader))
    assert [len(archive.snapshots(r["name"])) for r in repos] == [0, 0, 1]
    logs = [airflow.log("pivo_snapshot", ended.run_id, "snapshot", 1, n) for n in range(2)]
    assert "There is no repository at" in logs[0] and "is a shallow clone" in logs[1]
    assert "Traceback" not in "".join(logs)


def test_a_token_without_rights_and_a_forge_that_is_away(story: Story, stack: Settings, tmp_path: Path) -> None:
    """The same functions against another forge: this session's own stays up for the tests beside this one."""
    accounts = {"writes": Account("pivo"), "reads": Account("guest", write=False)}
    with ForgeServer(Forge(tmp_path / "forge", accounts)) as forge:
        reader = replace(stack, forge=ForgeAccess(forge.api_url, "reads"))
        with pytest.raises(TargetError) as refused:
            plan = validate(reader, repo=story.name, ref="main", target="pivo/denied", run_id="t1")
            staging = tmp_path / "t1"
            download(plan, staging / "packs", stack.archive, stack.archive_reader)
            push(plan, reconstruct(plan, staging).path, reader)
        assert refused.value.do and "reads" not in str(refused.value).replace("that reads", "")
        assert forge.forge.find("pivo", "denied") is None
        writer = replace(stack, forge=ForgeAccess(forge.api_url, "writes"))
        plan = validate(writer, repo=story.name, ref="main", target="pivo/late", run_id="t2")
        staging = tmp_path / "t2"
        download(plan, staging / "packs", stack.archive, stack.archive_reader)
        made = reconstruct(plan, staging)
    with pytest.raises(Unavailable):
        push(plan, made.path, writer)


@disturbs
def test_a_forge_that_stays_away_is_tried_again_and_then_said(
    story: Story, stack: Settings, airflow: Orchestrator, run: Run, pivo: Any
) -> None:
    record = process.load(stack.home / "run", "forge")
    running = record.process() if record else None
    assert running
    earlier = _staged(stack)
    running.kill()
    running.wait(10)
    try:
        began = time.monotonic()
        target = f"pivo/away-{uuid.uuid4().hex[:8]}"
        ended = run("pivo_restore", {"repo": story.name, "ref": "main", "target": target}, state="failed")
        tries = {t.task_id: t.try_number for t in airflow.tasks("pivo_restore", ended.run_id)}
        assert tries["validate"] >= 3 and time.monotonic() - began > 10, tries
        why = airflow.failure("pivo_restore", ended.run_id) or ""
        assert why.startswith("validate: ") and "not answer" in why, why
    finally:
        pivo("up")
    assert _staged(stack) <= earlier
