"""The download of a restore as a real Spark application, from a real HDFS, and the way to the local forge."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from pivo.models import Manifest
from pivo.orchestrator import Orchestrator
from pivo.restore import outcome
from pivo.restore.download import fetch_group, plan_units
from pivo.restore.plan import PLAN, RestorePlan, repo_folder, run_folder, validate
from pivo.restore.push import push
from pivo.restore.reconstruct import reconstruct
from pivo.restore.run import RestoreRun
from pivo.settings import CHECKOUT, Settings
from pivo.stack import java, spark
from pivo.store import LocalStore, open_store
from restore_kit import Git, difficult, publish
from stack_kit import Pivo

pytestmark = pytest.mark.stack
FAST = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Git:
    return difficult(tmp_path_factory.mktemp("spark-source") / "work")


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A repository's name in the archive, another one for each test and session."""
    return "restore-" + hashlib.sha256(f"{request.node.nodeid}{os.getpid()}".encode()).hexdigest()[:12]


def archived(stack: Settings, name: str, source: Git, scratch: Path, flip: int | None = None) -> Manifest:
    """A snapshot of `source` in HDFS; the byte at `flip` of its pack is another one than the manifest says."""
    local = LocalStore(scratch / "local")
    manifest = publish(local, name, source)
    remote = open_store(stack.archive, stack.archive_writer)
    for entry in local.list(f"{name}/{manifest.dirname}"):
        path = f"{name}/{manifest.dirname}/{entry.name}"
        data = bytearray(local.read(path))
        if flip is not None and entry.name.endswith(".packidx"):
            data[flip] ^= 1
        remote.write(path, [bytes(data)])
    return manifest


@pytest.fixture
def plan(stack: Settings, name: str, source: Git, tmp_path: Path) -> Iterator[RestorePlan]:
    archived(stack, name, source, tmp_path)
    made = validate(stack, repo=name, ref="main", target=f"pivo/{name}", run_id=f"test {name}")
    made.save(repo_folder(stack.staging, made.run_id, name) / PLAN)
    yield made
    shutil.rmtree(run_folder(stack.staging, made.run_id))


def command(stack: Settings, plan: RestorePlan, *conf: str) -> list[str]:
    """spark-submit as Airflow's operator calls it."""
    return [
        str(Path(sys.executable).with_name("spark-submit")),
        *("--master", stack.spark_master, "--name", f"PIVO-Restore-{plan.repo}-{plan.commit[:7]}"),
        *("--conf", f"spark.driver.extraJavaOptions={FAST}", "--conf", f"spark.executor.extraJavaOptions={FAST}"),
        *(word for each in conf for word in ("--conf", each)),
        str(CHECKOUT / "spark_jobs" / "restore_job.py"),
        *RestoreRun(stack, plan.run_id, {}).job_arguments(),
    ]


def submit(stack: Settings, plan: RestorePlan) -> subprocess.CompletedProcess[str]:
    """The application of the run of `plan`, to its end."""
    env = os.environ | spark.environment(stack, java.find)
    return subprocess.run(command(stack, plan), env=env, capture_output=True, text=True, timeout=300, check=False)


def test_executors_bring_the_packs_and_the_repository_is_the_source(
    stack: Settings, plan: RestorePlan, source: Git
) -> None:
    done = submit(stack, plan)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = re.findall(r"^\[\d{4}-.*\] \[(SPARK-\w+)\] \[LOG\] (.*)$", done.stdout, re.MULTILINE)
    executors = [said for service, said in lines if service == "SPARK-EXECUTOR"]
    assert len(executors) >= 2 and all("SHA-256 verified" in said for said in executors)
    assert any(re.search(r"app-\d+-\d+ on spark://", said) for service, said in lines if service == "SPARK-DRIVER")
    assert stack.trace_log.read_text().count(executors[0]) == 1
    assert stack.forge.token not in done.stdout + done.stderr
    staging = repo_folder(stack.staging, plan.run_id, plan.repo)
    made = reconstruct(plan, staging)
    pushed = push(plan, made.path, stack)
    expected = source("rev-list", "--objects", "main", *[n for n in made.refs if n.startswith("refs/tags/")])
    there = subprocess.run(
        ["git", "-C", str(made.path), "rev-list", "--objects", "--all"], capture_output=True, text=True, check=True
    )
    assert sorted(there.stdout.split("\n")) == sorted([*expected.split("\n"), ""])
    assert pushed.refs["refs/heads/main"] == source("rev-parse", "main")


def test_a_second_application_fetches_only_what_is_not_there(stack: Settings, plan: RestorePlan) -> None:
    folder = repo_folder(stack.staging, plan.run_id, plan.repo) / "packs"
    units = plan_units(plan, folder)
    fetch_group(units[:4], stack.archive, stack.archive_reader)
    done = submit(stack, plan)
    assert done.returncode == 0, done.stdout + done.stderr
    fetched = plan.bytes - sum(u.length for u in units[:4])
    assert f"{fetched:,} of {plan.bytes:,} bytes fetched now" in done.stdout
    again = submit(stack, plan)
    assert again.returncode == 0 and "nothing to fetch" in again.stdout


def test_a_corrupt_pack_in_hdfs_is_named_and_nothing_comes_of_it(
    stack: Settings, name: str, source: Git, tmp_path: Path
) -> None:
    manifest = archived(stack, name, source, tmp_path, flip=2500)
    plan = validate(stack, repo=name, ref=manifest.head, target=f"pivo/{name}", run_id=f"corrupt {name}")
    folder = run_folder(stack.staging, plan.run_id)
    plan.save(repo_folder(stack.staging, plan.run_id, name) / PLAN)
    done = submit(stack, plan)
    told = re.findall(r"^PIVO-ERROR: (.*)$", done.stdout, re.MULTILINE)
    assert done.returncode == 1 and len(told) == 1
    assert manifest.packs[0].file_name in told[0] and "bytes 2,000 to 3,000" in told[0]
    left = outcome.failure(repo_folder(stack.staging, plan.run_id, name))
    assert left and not left.retry and str(left) == told[0]
    assert "Traceback" not in done.stdout + done.stderr
    assert not list((folder / name / "packs").glob("*.pack"))


def test_a_cluster_that_is_away_is_a_reason_to_try_again(stack: Settings, plan: RestorePlan) -> None:
    done = submit(replace(stack, spark_master="spark://127.0.0.1:9"), plan)
    left = outcome.failure(run_folder(stack.staging, plan.run_id))
    assert done.returncode == 1 and left and left.retry, done.stderr[-2000:]
    assert "The Spark master at spark://127.0.0.1:9 does not answer" in left.what


def test_hdfs_that_is_away_is_a_reason_to_try_again(stack: Settings, plan: RestorePlan) -> None:
    gone = replace(stack, archive="webhdfs://127.0.0.1:9/backups")
    done = submit(gone, plan)
    left = outcome.failure(repo_folder(stack.staging, plan.run_id, plan.repo))
    assert done.returncode == 1 and left and left.retry and "127.0.0.1:9" in left.what


def test_one_application_brings_all_repositories_and_each_failure_is_its_own(
    stack: Settings, name: str, source: Git, tmp_path: Path
) -> None:
    run_id, plans = f"several {name}", {}
    for number in range(4):
        repo = f"{name}/r{number}"
        archived(stack, repo, source, tmp_path / str(number), flip=2500 if number == 2 else None)
        plans[repo] = validate(
            stack, repo=repo, ref="HEAD", target=f"pivo/{name}-{number}", run_id=run_id, all_refs=True
        )
        plans[repo].save(repo_folder(stack.staging, run_id, repo) / PLAN)
    done = submit(stack, plans[f"{name}/r0"])
    assert done.returncode == 0, done.stdout + done.stderr  # three of four are there, and a new try would not help
    assert len(re.findall(r"app-\d+-\d+ on spark://", done.stdout)) == 1
    for repo, plan in plans.items():
        at = repo_folder(stack.staging, run_id, repo)
        left = outcome.failure(at)
        if repo.endswith("r2"):
            assert left and "is corrupt: bytes 2,000 to 3,000" in left.what and not outcome.left(at, "downloaded")
        else:
            made = reconstruct(plan, at)
            assert left is None and made.refs["refs/tags/elsewhere"] == source("rev-parse", "elsewhere")
    shutil.rmtree(run_folder(stack.staging, run_id))


def test_a_killed_executor_costs_a_retry_and_not_the_run(stack: Settings, name: str, tmp_path: Path) -> None:
    git = Git(tmp_path / "big")
    git.path.mkdir()
    git("init", "-q", "-b", "main")
    for number in range(6):  # 90 MB that do not compress
        (git.path / f"noise{number}").write_bytes(os.urandom(15 << 20))
        git.commit(f"noise {number}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("restore_kit.SEGMENT", 1 << 20)
        archived(stack, name, git, tmp_path)
    plan = validate(stack, repo=name, ref="main", target=f"pivo/{name}", run_id=f"killed {name}")
    at = repo_folder(stack.staging, plan.run_id, name)
    plan.save(at / PLAN)
    env, log = os.environ | spark.environment(stack, java.find), tmp_path / "spark.log"
    with log.open("wb") as out:
        job = subprocess.Popen(command(stack, plan), env=env, stdout=out, stderr=out)
        try:
            deadline = time.monotonic() + 120
            while not list((at / "packs").glob("*.done")):
                assert time.monotonic() < deadline and job.poll() is None, log.read_text()
                time.sleep(0.01)
            application = re.search(r"app-\d+-\d+", log.read_text())
            victims = [
                p
                for p in psutil.process_iter(["cmdline"])
                if application
                and application[0] in (p.info["cmdline"] or [])
                and any("CoarseGrainedExecutorBackend" in word for word in p.info["cmdline"])
            ]
            assert victims, "no executor was found"
            done_before = len(list((at / "packs").glob("*.done")))
            victims[0].kill()
            assert job.wait(timeout=240) == 0, log.read_text()
        finally:
            job.kill()
    said = log.read_text()
    assert done_before < len(plan.packs[0].segments), "it was over before the executor died"
    assert "Lost executor" in said or "Lost task" in said, said
    made = reconstruct(plan, at)
    assert made.refs["refs/heads/main"] == git("rev-parse", "main")
    shutil.rmtree(run_folder(stack.staging, plan.run_id))


def test_many_repositories_come_back_through_the_dag_and_the_run_keeps_its_report(
    stack: Settings, pivo: Pivo, name: str, source: Git, tmp_path: Path
) -> None:
    for number in range(3):
        archived(stack, f"{name}/r{number}", source, tmp_path / str(number), flip=2500 if number == 1 else None)
    args = ("restore", f"{name}/*", "HEAD", "--to", f"file://{stack.home}/out/{name}/", "--all-refs", "--yes", "--wait")
    told = json.loads(pivo(*args, "--json", code=1).stdout)["report"]
    rows = {row["repo"]: row for row in told["repositories"]}
    assert "is corrupt" in rows[f"{name}/r1"]["failure"]
    for number in (0, 2):
        row = rows[f"{name}/r{number}"]
        assert row["failure"] == "" and row["url"] == f"file://{stack.home}/out/{name}/r{number}.git"
        there = subprocess.run(["git", "ls-remote", row["url"]], capture_output=True, text=True, check=True).stdout
        assert f"{source('rev-parse', 'v2')}\trefs/tags/v2" in there
    again = pivo("restore", "--report", told["run_id"], code=1).stdout
    assert "2 of 3 restored" in again and "FAILED" in again
    with Orchestrator(stack.airflow_url, stack.airflow_user, stack.airflow_password) as airflow:
        assert airflow.result("pivo_restore", told["run_id"], "report")["run_id"] == told["run_id"]
        assert [t.task_id for t in airflow.tasks("pivo_restore", told["run_id"])].count("download") == 1
