"""Restores beside git: one large repository, and many small ones at a time.

`python -m benchmarks restores [path of a bare repository]`; without one, a history of 20,000 commits is made.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks.sides import Row, git, show, timed
from pivo.orchestrator import Orchestrator
from pivo.registry import Registered, snapshot
from pivo.restore.plan import PLAN, RestorePlan, repo_folder, run_folder
from pivo.restore.planning import plan_each
from pivo.restore.push import push
from pivo.restore.reconstruct import reconstruct
from pivo.restore.request import Request, targets
from pivo.restore.run import RestoreRun
from pivo.settings import CHECKOUT, Settings
from pivo.stack import java, spark

MANY = 50
_COMMITS = 60  # of a small repository
_JVM = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto"


def main(path: str | None = None) -> None:
    settings, stamp = Settings.load(), f"bench-restores-{int(time.time())}"
    with tempfile.TemporaryDirectory(dir=settings.home) as folder:
        one = _one(settings, stamp, Path(folder), path)
        several = _many(settings, stamp, Path(folder))
    show(f"Restores of {path or 'a made history'}, and of {MANY} repositories", [one, several])


@dataclass
class Bench:
    """One restore as the run does it, but for Airflow: `executors` of one core each, `hands` tasks at a time."""

    settings: Settings
    run_id: str
    plans: Mapping[str, RestorePlan]
    executors: int = 2
    hands: int = 2
    spark_start: float = 0.0

    def prepare(self) -> None:
        """An empty staging folder with the plans."""
        shutil.rmtree(run_folder(self.settings.staging, self.run_id), ignore_errors=True)
        for repo, plan in self.plans.items():
            plan.save(repo_folder(self.settings.staging, self.run_id, repo) / PLAN)

    def download(self) -> float:
        """Runs the application; the seconds after Spark's own start."""
        options = {
            "spark.cores.max": self.executors,
            "spark.executor.cores": 1,
            "spark.driver.extraJavaOptions": _JVM,
            "spark.executor.extraJavaOptions": _JVM,
        }
        command = [str(Path(sys.executable).with_name("spark-submit")), "--master", self.settings.spark_master]
        command += [word for key, value in options.items() for word in ("--conf", f"{key}={value}")]
        job = str(CHECKOUT / "spark_jobs" / "restore_job.py")
        command += [job, *RestoreRun(self.settings, self.run_id, {}).job_arguments()]
        env, begin = os.environ | spark.environment(self.settings, java.find), time.perf_counter()
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        took = re.search(r"([\d.]+) s of them after Spark's own start", done.stdout)
        if done.returncode or not took:
            raise SystemExit(done.stdout + done.stderr)
        self.spark_start = time.perf_counter() - begin - float(took[1])
        return float(took[1])

    def rebuild(self, repo: str) -> Path:
        return reconstruct(self.plans[repo], repo_folder(self.settings.staging, self.run_id, repo)).path

    def finish(self) -> float:
        """Rebuilds and pushes every repository, by processes as in Airflow; the seconds, without their start."""
        with ProcessPoolExecutor(self.hands, mp_context=multiprocessing.get_context("spawn")) as pool:
            list(pool.map(time.sleep, [0.5] * self.hands))  # all of them are up, and have imported this
            return timed(lambda: list(pool.map(self.rebuild_and_push, self.plans)))

    def rebuild_and_push(self, repo: str) -> None:
        push(self.plans[repo], self.rebuild(repo), self.settings)


def _planned(settings: Settings, run_id: str, goals: Mapping[str, str]) -> dict[str, RestorePlan]:
    asked = Request(tuple(goals), "HEAD", "", many=True, all_refs=True)
    plans = plan_each(settings, asked, goals, run_id)
    if wrong := [plan for plan in plans.values() if not isinstance(plan, RestorePlan)]:
        raise SystemExit(str(wrong[0]))
    return {repo: plan for repo, plan in plans.items() if isinstance(plan, RestorePlan)}


def _one(settings: Settings, name: str, folder: Path, path: str | None) -> Row:
    source, bundle = folder / "source.git", folder / "all.bundle"
    if path:
        git("clone", "--quiet", "--bare", path, str(source))
    else:
        from benchmarks.history import make

        make(source)
    snapshot(settings, Registered.parse({"url": source.as_uri(), "name": name}))
    git("-C", str(source), "bundle", "create", "--quiet", str(bundle), "--all")
    plans = _planned(settings, name, {name: f"file://{folder}/restored.git"})
    row = Row("download + reconstruct, executors 2", "git clone of a bundle", target="≤ 0.5 ×")
    copies = iter(range(100))
    bench = Bench(settings, name, plans)
    for _ in range(3):
        row.theirs.append(
            timed(lambda: git("clone", "--quiet", "--bare", str(bundle), f"{folder}/b{next(copies)}.git"))
        )
        bench.prepare()
        fetched = bench.download()
        rebuilt = timed(lambda: bench.rebuild(name))
        row.ours.append(fetched + rebuilt)
        start = f"Spark's own start {bench.spark_start:.1f} s"
        print(f"  git clone {row.theirs[-1]:.2f} s; download {fetched:.2f} s, reconstruct {rebuilt:.2f} s; {start}")
    restored, original = (
        sorted(git("-C", str(at), "rev-list", "--objects", "--all").split())
        for at in (repo_folder(settings.staging, name, name) / "repo.git", source)
    )
    if restored != original:
        raise SystemExit("The restored objects are not those of the source.")
    shutil.rmtree(run_folder(settings.staging, name))
    return row


def _many(settings: Settings, stamp: str, folder: Path) -> Row:
    from benchmarks.history import make

    for number in range(MANY):
        source = folder / f"small{number}.git"
        make(source, _COMMITS, seed=number)
        snapshot(settings, Registered.parse({"url": source.as_uri(), "name": f"{stamp}/r{number:02}"}))
    row = _compare(settings, stamp)
    _dag(settings, stamp, min(row.ours))
    return row


def _compare(settings: Settings, stamp: str) -> Row:
    names = [f"{stamp}/r{number:02}" for number in range(MANY)]

    def once(executors: int, hands: int) -> float:
        run_id = f"{stamp}-{executors}-{int(time.time())}"
        plans = _planned(settings, run_id, targets(names, f"{run_id}/"))
        bench = Bench(settings, run_id, plans, executors, hands)
        bench.prepare()
        fetched = bench.download()
        sent = bench.finish()
        shutil.rmtree(run_folder(settings.staging, run_id))
        start = f"Spark's own start {bench.spark_start:.1f} s"
        print(f"  executors {executors}: download {fetched:.2f} s, reconstruct and push {sent:.2f} s; {start}")
        return fetched + sent

    row = Row(f"{MANY} repositories, executors 2", "one after another, with 1", target="≤ 0.62 × (1.6 × faster)")
    for _ in range(3):
        row.theirs.append(once(1, 1))
        row.ours.append(once(2, 2))
    return row


def _dag(settings: Settings, stamp: str, work: float) -> None:
    """The same as a DAG run, for what Airflow adds."""
    conf = {"repos": [f"{stamp}/*"], "ref": "HEAD", "target": f"{stamp}-dag/", "all_refs": True}
    with Orchestrator(settings.airflow_url, settings.airflow_user, settings.airflow_password) as airflow:
        begin = time.perf_counter()
        run = airflow.wait("pivo_restore", airflow.trigger("pivo_restore", conf).run_id, timeout=1800)
        took = time.perf_counter() - begin
        if run.state != "success":
            raise SystemExit(airflow.failure("pivo_restore", run.run_id))
        tasks = [t for t in airflow.tasks("pivo_restore", run.run_id) if t.start and t.end]
    print(f"  the DAG run of all {MANY}: {took:.1f} s, {len(tasks)} tasks; the work is {work:.1f} s of it")
