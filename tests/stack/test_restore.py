"""The download of a restore as a real Spark application, from a real HDFS, and the way to the local forge."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pivo.models import Manifest
from pivo.restore import outcome
from pivo.restore.download import fetch_group, plan_units
from pivo.restore.plan import RestorePlan, repo_folder, run_folder, validate
from pivo.restore.push import push
from pivo.restore.reconstruct import reconstruct
from pivo.restore.run import RestoreRun
from pivo.settings import CHECKOUT, Settings
from pivo.stack import java, spark
from pivo.store import LocalStore, open_store
from restore_kit import Git, difficult, publish

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
        if flip is not None and entry.name.endswith(".pack"):
            data[flip] ^= 1
        remote.write(path, [bytes(data)])
    return manifest


@pytest.fixture
def plan(stack: Settings, name: str, source: Git, tmp_path: Path) -> Iterator[RestorePlan]:
    archived(stack, name, source, tmp_path)
    made = validate(stack, repo=name, ref="main", target=f"pivo/{name}", run_id=f"test {name}")
    made.save(run_folder(stack.staging, made.run_id) / "plan.json")
    yield made
    shutil.rmtree(run_folder(stack.staging, made.run_id))


def submit(stack: Settings, plan: RestorePlan) -> subprocess.CompletedProcess[str]:
    """spark-submit as Airflow's operator calls it."""
    command = [
        str(Path(sys.executable).with_name("spark-submit")),
        *("--master", stack.spark_master, "--name", f"PIVO-Restore-{plan.repo}-{plan.commit[:7]}"),
        *("--conf", f"spark.driver.extraJavaOptions={FAST}", "--conf", f"spark.executor.extraJavaOptions={FAST}"),
        str(CHECKOUT / "spark_jobs" / "restore_job.py"),
        *RestoreRun(stack, plan.run_id, {}).job_arguments(),
    ]
    env = os.environ | spark.environment(stack, java.find)
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)


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
    plan.save(folder / "plan.json")
    done = submit(stack, plan)
    told = re.findall(r"^PIVO-ERROR: (.*)$", done.stdout, re.MULTILINE)
    assert done.returncode == 1 and len(told) == 1
    assert manifest.packs[0].pack_name in told[0] and "bytes 2,000 to 3,000" in told[0]
    left = outcome.failure(folder)
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
    left = outcome.failure(run_folder(stack.staging, plan.run_id))
    assert done.returncode == 1 and left and left.retry and "127.0.0.1:9" in left.what
