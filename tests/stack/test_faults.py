"""Parts that are killed, stopped or full in the middle of a run: what is said, and that the next run is right.

All on the session's own stack, one after another; each test leaves every part running.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
import requests

import gitmake
from gitmake import Repo
from pivo.errors import Unavailable
from pivo.orchestrator import Orchestrator
from pivo.registry import Registered, snapshot
from pivo.restore import outcome
from pivo.restore import report as reports
from pivo.restore.plan import PLAN, RestorePlan, repo_folder, run_folder, validate
from pivo.restore.run import RestoreRun
from pivo.settings import CHECKOUT, Settings
from pivo.snapshot.archive import Archive
from pivo.stack import hdfs, java, process, spark
from pivo.store import HdfsStore, open_store
from stack_kit import Pivo

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(
        "PIVO_TEST_HOME" in os.environ and "PIVO_TEST_DISTURB" not in os.environ,
        reason="stops parts of a stack that is not this session's",
    ),
]
DAG = "pivo_restore"
PATIENCE = 30  # seconds without a running task


def part(stack: Settings, name: str) -> psutil.Process:
    """The running process of a part."""
    record = process.load(stack.home / "run", name)
    running = record.process() if record else None
    assert running is not None, f"{name} does not run"
    return running


def kill(stack: Settings, name: str) -> None:
    victim = part(stack, name)
    victim.kill()
    victim.wait(20)


@contextmanager
def stopped(stack: Settings, name: str) -> Iterator[None]:
    """The part hangs: it has its connections, and answers nothing."""
    frozen = part(stack, name)
    frozen.suspend()
    try:
        yield
    finally:
        frozen.resume()


def until(true: Callable[[], Any], what: str, seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.02)


@pytest.fixture(scope="module")
def airflow(stack: Settings) -> Iterator[Orchestrator]:
    with Orchestrator(stack.airflow_url, stack.airflow_user, stack.airflow_password) as client:
        yield client


@pytest.fixture(scope="module")
def archive(stack: Settings) -> Archive:
    return Archive(open_store(stack.archive, stack.archive_reader))


@pytest.fixture
def name() -> str:
    return f"faults/{uuid.uuid4().hex[:10]}"


@pytest.fixture
def take(stack: Settings, name: str) -> Callable[..., Any]:
    def run(repo: Repo, progress: Any = lambda *_: None) -> Any:
        return snapshot(stack, Registered(repo.url, name), progress)

    return run


@pytest.fixture
def small(tmp_path: Path) -> Repo:
    return gitmake.linear(tmp_path / "small.git", 6)


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory, stack: Settings) -> tuple[str, Repo]:
    """A repository of 12 nights in the archive, 4 MB a night that do not compress: 24 units to download."""
    repo, name = gitmake.linear(tmp_path_factory.mktemp("nights") / "nights.git", 3), f"faults/{uuid.uuid4().hex[:10]}"
    for night in range(12):
        repo.commit("main", 100 + night, gitmake.put(f"noise{night}", os.urandom(4 << 20)))
        snapshot(stack, Registered(repo.url, name))
    return name, repo


@pytest.fixture
def planned(stack: Settings, nights: tuple[str, Repo]) -> RestorePlan:
    target = f"pivo/{uuid.uuid4().hex[:10]}"
    plan = validate(stack, repo=nights[0], ref="main", target=target, run_id=f"faults {target}")
    plan.save(repo_folder(stack.staging, plan.run_id, plan.repo) / PLAN)
    return plan


@contextmanager
def submitted(stack: Settings, plan: RestorePlan, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """spark-submit of the download of `plan`."""
    words = [
        *(str(Path(sys.executable).with_name("spark-submit")), "--master", stack.spark_master, "--name", "PIVO-faults"),
        *("--conf", f"spark.pivo.noExecutor={PATIENCE}", str(CHECKOUT / "spark_jobs" / "restore_job.py")),
        *RestoreRun(stack, plan.run_id, {}).job_arguments(),
    ]
    env = os.environ | spark.environment(stack, java.find)
    with log.open("wb") as out, subprocess.Popen(words, env=env, stdout=out, stderr=out) as job:
        try:
            yield job
        finally:
            job.kill()


def verified(at: Path) -> dict[str, int]:
    """What is verified in staging, by the time at which it was: marks of parts, and whole files."""
    found = [*at.glob("packs/*.done"), *at.glob("packs/*.pack"), *at.glob("packs/*.idx")]
    return {path.name: path.stat().st_mtime_ns for path in found}


def told(log: Path) -> str:
    return " ".join(re.findall(r"^PIVO-ERROR: (.*)$", log.read_text(), re.MULTILINE))


def test_a_worker_that_is_gone_is_said_and_a_rerun_goes_on_from_what_was_verified(
    stack: Settings, planned: RestorePlan, pivo: Pivo, tmp_path: Path
) -> None:
    at = repo_folder(stack.staging, planned.run_id, planned.repo)
    log = tmp_path / "first.log"
    try:
        with submitted(stack, planned, log) as job:
            until(lambda: len(verified(at)) >= 3 or job.poll() is not None, "nothing was downloaded")
            with stopped(stack, "datanode"):
                time.sleep(0.5)
                kill(stack, "spark-worker")
            assert job.wait(timeout=PATIENCE + 90) == 1, log.read_text()[-3000:]
    finally:
        pivo("up")
    assert f"ran no task for {PATIENCE} s" in told(log) and "no worker" in told(log)
    left = outcome.failure(run_folder(stack.staging, planned.run_id))
    assert left and left.retry
    before, held = verified(at), {p.name: p.stat().st_ino for p in (at / "packs").glob("*.part")}
    assert before
    log = tmp_path / "second.log"
    with submitted(stack, planned, log) as job:
        assert job.wait(timeout=240) == 0, log.read_text()[-3000:]
    said = re.search(r"([\d,]+) of ([\d,]+) bytes fetched now", log.read_text())
    assert said and int(said[1].replace(",", "")) < planned.bytes - (4 << 20), said
    files = {p.name: p.stat().st_ino for p in (at / "packs").iterdir()}
    assert all(files[part.removesuffix(".part")] == inode for part, inode in held.items())  # filled, not made anew


def test_a_worker_that_comes_back_and_a_master_that_does_not_cost_no_run(
    stack: Settings, planned: RestorePlan, pivo: Pivo, tmp_path: Path
) -> None:
    at, log = repo_folder(stack.staging, planned.run_id, planned.repo), tmp_path / "spark.log"
    try:
        with submitted(stack, planned, log) as job:
            until(lambda: verified(at) or job.poll() is not None, "nothing was downloaded")
            with stopped(stack, "datanode"):
                kill(stack, "spark-worker")
            pivo("up")
            until(lambda: len(verified(at)) > 4 or job.poll() is not None, "the worker did not come back")
            kill(stack, "spark-master")
            assert job.wait(timeout=240) == 0, log.read_text()[-3000:]
    finally:
        pivo("up")
    assert told(log) == "" and outcome.left(at, "downloaded")


# -- Airflow, by hand


def asked(nights: tuple[str, Repo]) -> dict[str, str]:
    return {"repo": nights[0], "ref": "main", "target": f"pivo/{uuid.uuid4().hex[:10]}"}


def hold(stack: Settings, airflow: Orchestrator, run_id: str) -> None:
    """Waits until some of the download is verified."""
    at = run_folder(stack.staging, run_id)
    until(lambda: any(verified(repo) for repo in at.glob("*/")), f"{airflow.tasks(DAG, run_id)}")


def test_a_run_that_is_stopped_by_hand_has_failed_and_keeps_what_it_had_verified(
    stack: Settings, airflow: Orchestrator, nights: tuple[str, Repo]
) -> None:
    conf = asked(nights)
    run = airflow.trigger(DAG, conf)
    hold(stack, airflow, run.run_id)
    with stopped(stack, "datanode"):
        airflow._send("PATCH", airflow._run_path(DAG, run.run_id), {"state": "failed"})
        time.sleep(1)
    assert airflow.wait(DAG, run.run_id, timeout=240).state == "failed"
    why = airflow.failure(DAG, run.run_id) or ""
    assert why.startswith("download: ") and "ended from outside (signal " in why, why
    assert not reports.load(stack.home, run.run_id).restored
    at = repo_folder(stack.staging, run.run_id, nights[0])
    kept = verified(at)
    assert kept, "what was verified is gone"


# -- full disks and servers that hang, at a snapshot


def quota(stack: Settings, path: str, size: int) -> None:
    """Sets how many bytes HDFS takes below `path`; -1 for any number."""
    host, unlimited = urlsplit(stack.archive).netloc, (1 << 63) - 1
    asked = {"op": "SETQUOTA", "user.name": hdfs.superuser(), "namespacequota": str(unlimited)}
    answer = requests.put(
        f"http://{host}/webhdfs/v1{path}",
        params=asked | {"storagespacequota": str(size if size >= 0 else -1)},
        timeout=20,
    )
    assert answer.ok, answer.text


def test_a_full_archive_is_said_and_nothing_of_it_stays(
    stack: Settings, archive: Archive, small: Repo, name: str, take: Callable[..., Any]
) -> None:
    take(small)
    small.commit("main", 50)
    before = {e.name for e in archive.store.list(".incoming")}
    quota(stack, "/backups", 1)
    try:
        with pytest.raises(Unavailable, match="has used up its quota on HDFS") as full:
            take(small)
        assert "nothing was published" in full.value.do
    finally:
        quota(stack, "/backups", -1)
    assert {e.name for e in archive.store.list(".incoming")} == before
    assert [s.seq for s in archive.snapshots(name)] == [1]
    assert take(small).snapshot.startswith("000002") and take(small).outcome == "unchanged"


def test_a_namenode_that_dies_between_the_two_renames_loses_nothing(
    stack: Settings,
    archive: Archive,
    small: Repo,
    name: str,
    take: Callable[..., Any],
    pivo: Pivo,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    take(small)
    made = small.commit("main", 60)
    rename = HdfsStore.rename

    def claimed(self: HdfsStore, src: str, dst: str) -> None:
        rename(self, src, dst)
        if "/.next-" in dst:
            kill(stack, "namenode")

    try:
        with monkeypatch.context() as patch:
            patch.setattr(HdfsStore, "rename", claimed)
            with pytest.raises(Unavailable):
                take(small)
    finally:
        pivo("up")
    report = take(small)
    assert (report.outcome, [s.seq for s in archive.snapshots(name)]) == ("unchanged", [1, 2])
    assert report.announced and archive.require(name).head == made
    assert not [e.name for e in archive.store.list(name) if e.name.startswith(".next")]


def test_safe_mode_is_said_and_the_next_run_is_right(
    stack: Settings, archive: Archive, small: Repo, name: str, take: Callable[..., Any]
) -> None:
    take(small)
    small.commit("main", 70)
    jars = f"{stack.home / 'conf' / 'hdfs'}:{stack.jars}/hdfs/*"
    admin = [str(java.find().binary), "-cp", jars, "org.apache.hadoop.hdfs.tools.DFSAdmin", "-safemode"]
    env = os.environ | {"HADOOP_USER_NAME": hdfs.superuser()}
    subprocess.run([*admin, "enter"], env=env, check=True, capture_output=True, timeout=60)
    try:
        with pytest.raises(Unavailable, match="safe mode"):
            take(small)
    finally:
        subprocess.run([*admin, "leave"], env=env, check=True, capture_output=True, timeout=60)
    assert [s.seq for s in archive.snapshots(name)] == [1]
    assert take(small).snapshot.startswith("000002")


@pytest.mark.parametrize(("hangs", "step"), [("datanode", "reading back"), ("namenode", "publishing")])
def test_hdfs_that_hangs_for_a_while_is_waited_for(
    stack: Settings, archive: Archive, small: Repo, name: str, take: Callable[..., Any], hangs: str, step: str
) -> None:
    take(small)
    made = small.commit("main", 80)
    frozen, resumed = part(stack, hangs), list[threading.Timer]()

    def midway(at: str, *_: Any) -> None:
        if at == step and not resumed:
            frozen.suspend()
            resumed.append(threading.Timer(20, frozen.resume))
            resumed[0].start()

    try:
        report = take(small, midway)
    finally:
        frozen.resume()
        for timer in resumed:
            timer.cancel()
    assert resumed and report.outcome == "published"
    assert [s.seq for s in archive.snapshots(name)] == [1, 2] and archive.require(name).head == made


def test_kafka_that_hangs_is_not_waited_for_and_hears_of_it_later(
    stack: Settings, archive: Archive, small: Repo, name: str, take: Callable[..., Any]
) -> None:
    take(small)
    small.commit("main", 90)
    with stopped(stack, "kafka"), pytest.raises(Unavailable, match=r"could not be announced|Kafka"):
        take(small)
    report = take(small)
    assert [s.seq for s in archive.snapshots(name)] == [1, 2]
    assert [s[:6] for s in report.announced] == ["000002"]


def test_the_dag_and_the_command_line_may_archive_one_repository_at_once(
    stack: Settings, archive: Archive, airflow: Orchestrator, small: Repo, name: str, pivo: Pivo
) -> None:
    runs = [airflow.trigger("pivo_snapshot", {"repos": [{"url": small.url, "name": name}]}) for _ in range(2)]
    end = time.monotonic() + 10  # while the runs begin
    while time.monotonic() < end:
        pivo("ingest", small.url, "--name", name)
    for run in runs:
        ended = airflow.wait("pivo_snapshot", run.run_id, timeout=240)
        assert ended.state == "success", airflow.failure("pivo_snapshot", run.run_id)
    assert archive.require(name).head == small("rev-parse", "main")
    assert [s.seq for s in archive.snapshots(name)] == [1]
