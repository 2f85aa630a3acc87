"""A deep verification beside `git fsck --full` of the same objects.

`python -m benchmarks verify [path of a bare repository]`; without one, a history of 20,000 commits is made. The Spark
application is timed as a whole, and once more without what Spark itself needs until a first task runs.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.sides import Row, git, measure, show, timed
from pivo.index.writer import drain
from pivo.registry import Registered, snapshot
from pivo.settings import CHECKOUT, Settings, base_environment
from pivo.snapshot.archive import Archive
from pivo.snapshot.packidx import copy_out
from pivo.stack import java, spark
from pivo.store import open_store
from pivo.verify import deep, shallow
from pivo.verify.run import VerifyRun

_COPIES = 2  # repositories of the same objects, so that two executors have one each
_ROUNDS = 5


def main(path: str | None = None) -> None:
    settings, stamp = Settings.load(), int(time.time())
    names = [f"verify-bench-{stamp}/{n}" for n in range(_COPIES)]
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source.git"
        if path:
            git("clone", "--quiet", "--bare", path, str(source))
        else:
            from benchmarks.history import make

            make(source)
        for name in names:
            snapshot(settings, Registered.parse({"url": source.as_uri(), "name": name}))
        drain(settings.index, settings.kafka)
        copies = [_restored(settings, name, Path(folder) / f"{n}.git") for n, name in enumerate(names)]
        rows = [*_here(settings, names[0], copies[0]), *_on_spark(settings, names, copies)]
    show(f"Deep verification of {path or 'a made history'}, {_objects(rows):,} objects a repository", rows)


_counted = 0


def _objects(rows: list[Row]) -> int:
    return _counted if rows else 0


def _restored(settings: Settings, name: str, into: Path) -> Path:
    """The packs of a repository as they are archived, in a repository for `git fsck`."""
    archive = Archive(open_store(settings.archive, settings.archive_reader))
    manifest = archive.require(name)
    git("init", "--quiet", "--bare", str(into))
    for pack in manifest.packs:
        copy_out(archive.store, name, pack, into / "objects" / "pack")
    for ref in manifest.refs:
        git("-C", str(into), "update-ref", ref.name, ref.target)
    return into


def _here(settings: Settings, name: str, copy: Path) -> list[Row]:
    """In this process, on one repository."""
    global _counted
    archive = Archive(open_store(settings.archive, settings.archive_reader))
    scratch, env = settings.staging / "verify", base_environment()

    def fully() -> None:
        global _counted
        result = deep.verify(archive, name, scratch, env)
        if not result.ok:
            raise SystemExit(str(result.findings))
        _counted = result.objects

    fully()
    fsck = ["-C", str(copy), "fsck", "--full", "--no-progress"]
    pack = next((copy / "objects" / "pack").glob("*.pack"))
    return [
        measure("deep, one repository, one process", fully, "git fsck --full", lambda: git(*fsck), _ROUNDS, "≤ 1.2 ×"),
        measure(
            "shallow, the same",
            lambda: shallow.verify(archive, name),
            "sha256sum of the local pack",
            lambda: subprocess.run(["sha256sum", str(pack)], check=True, capture_output=True),
            _ROUNDS,
        ),
    ]


def _on_spark(settings: Settings, names: list[str], copies: list[Path]) -> list[Row]:
    """A Spark application on all copies, beside fsck of one after another."""
    against = f"git fsck --full of {len(copies)}, in turn"
    whole = Row(f"Spark, {len(names)} repositories, all in", against)
    work = Row("the same, Spark's own start apart", against, target="≤ 1.2 ×")
    for _ in range(3):
        theirs = timed(lambda: [git("-C", str(c), "fsck", "--full", "--no-progress") for c in copies])
        run = VerifyRun(settings, f"bench {time.time()}", {"repos": names, "deep": True}, datetime.now(UTC).date())
        run.plan()
        begin = time.perf_counter()
        said = _submit(settings, run)
        took = time.perf_counter() - begin
        seconds = [float(s) for s in re.findall(r"objects in ([\d.]+) s, no findings", said)]
        if len(seconds) != len(names):
            raise SystemExit(said)
        run.clean()
        whole.ours.append(took)
        whole.theirs.append(theirs)
        work.ours.append(max(seconds))
        work.theirs.append(theirs)
    return [work, whole]


def _submit(settings: Settings, run: VerifyRun) -> str:
    command = [
        str(Path(sys.executable).with_name("spark-submit")),
        *("--master", settings.spark_master, "--name", "PIVO-Verify-bench"),
        str(CHECKOUT / "spark_jobs" / "verify_job.py"),
        *run.job_arguments(),
    ]
    env = os.environ | spark.environment(settings, java.find)
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=600, check=True).stdout
