"""The main job on one repository, each step beside git's own way of doing it.

`python -m benchmarks main_job [path of a bare repository]`; without one, a history of 20,000 commits is made.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.sides import Row, git, measure, show, timed
from pivo.agent import build
from pivo.agent.diffs import changed, compare
from pivo.index.writer import drain
from pivo.models import RepoName
from pivo.orchestrator import Orchestrator
from pivo.registry import Registered, snapshot
from pivo.settings import CHECKOUT, Settings, base_environment
from pivo.snapshot.archive import Archive
from pivo.snapshot.blocks import BlockCache
from pivo.snapshot.objects import ObjectReader
from pivo.store import open_store


def main(path: str | None = None) -> None:
    settings = Settings.load()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source.git"
        if path:  # branches and tags only: hidden refs are not archived, so git should not copy them either
            git("clone", "--quiet", "--bare", path, str(source))
        else:
            from benchmarks.history import make

            make(source)
        rows = [*_snapshots(settings, source, Path(folder)), *_reading(settings, source), *_restore(settings, source)]
    commits = rows and _commits
    show(f"The main job on {path or 'a made history'}, {commits:,} commits", rows)


_commits = 0
_name = f"bench-{int(time.time())}"


def _snapshots(settings: Settings, source: Path, folder: Path) -> list[Row]:
    global _commits
    _commits = int(git("-C", str(source), "rev-list", "--count", "--all"))
    url = source.as_uri()
    names = iter([_name, f"{_name}-2", f"{_name}-3"])
    clones = iter(range(100))

    def ours() -> None:
        snapshot(settings, Registered.parse({"url": url, "name": next(names)}))

    def and_index() -> None:
        ours()
        drain(settings.index, settings.kafka)

    def clone() -> None:
        git("clone", "--quiet", "--mirror", url, str(folder / f"mirror-{next(clones)}"))

    first = measure("first snapshot (HDFS, events)", ours, "git clone --mirror", clone, 2, "≤ 1.5 ×")
    indexed = measure("first snapshot with index", and_index, "git clone --mirror", clone, 1, "≤ 1.5 ×")
    again = Registered.parse({"url": url, "name": _name})
    idle = measure("nothing new", lambda: snapshot(settings, again), "git ls-remote", lambda: git("ls-remote", url), 5)
    command = [sys.executable, "-c", "from pivo.cli import main; main()", "ingest", url, "--name", _name]
    env = base_environment() | {"PYTHONPATH": str(CHECKOUT / "include")}

    def process() -> None:
        subprocess.run(command, env=env, check=True, capture_output=True)

    whole = measure("nothing new, a process of its own", process, "git ls-remote", lambda: git("ls-remote", url), 3)
    return [first, indexed, idle, whole]


def _reading(settings: Settings, source: Path) -> list[Row]:
    archive = Archive(open_store(settings.archive, settings.archive_reader))
    manifest = archive.require(_name)
    at = str(source)
    pick = random.Random(1)
    history = git("-C", at, "rev-list", "HEAD").split()
    paths = git("-C", at, "ls-tree", "-r", "--name-only", "HEAD").splitlines()
    busy = next((p for p in paths if p.lower().startswith("readme")), paths[0])
    author = git("-C", at, "log", "-1", "--format=%an").strip()
    old, new = history[len(history) // 10], history[0]

    with build.opened(settings) as resources:
        agent = build.agent(resources, "benchmark", offline=True)

        def ask(question: str) -> None:
            list(agent.ask(question))

        rows = [
            measure(
                "who committed last?",
                lambda: ask(f"Who committed last to {_name}?"),
                "git log -1 --all",
                lambda: git("-C", at, "log", "-1", "--all", "--format=%an"),
                5,
            ),
            measure(
                f"how many commits by {author}?",
                lambda: ask(f"How many commits did {author} make in {_name}?"),
                "git shortlog -sn --all",
                lambda: git("-C", at, "shortlog", "-sn", "--all"),
                5,
            ),
            measure(
                f"who last changed {busy}?",
                lambda: ask(f"Who last changed {busy} in {_name}?"),
                "git log -1 -- path",
                lambda: git("-C", at, "log", "-1", "--all", "--format=%an", "--", busy),
                5,
            ),
        ]

    def cat() -> None:  # a cold cache each time, a random commit
        commit = pick.choice(history[: len(history) // 2])
        ObjectReader(archive.store, manifest, BlockCache()).list_dir(commit)
        ObjectReader(archive.store, manifest, BlockCache()).read_file(new, busy)

    def diff() -> None:
        reader = ObjectReader(archive.store, manifest, BlockCache())
        for pair in changed(reader, old, new, busy):
            compare(reader, reader, pair)

    rows.append(measure("a file, cold cache", cat, "git show", lambda: git("-C", at, "show", f"{new}:{busy}"), 9))
    rows.append(measure("a diff, cold cache", diff, "git diff", lambda: git("-C", at, "diff", old, new, "--", busy), 9))
    return rows


def _restore(settings: Settings, source: Path) -> list[Row]:
    history = git("-C", str(source), "rev-list", "--first-parent", "HEAD").split()
    commit = history[len(history) // 2]
    with tempfile.TemporaryDirectory() as folder:
        bundle, target = Path(folder) / "all.bundle", Path(folder) / "restored.git"
        git("-C", str(source), "bundle", "create", "--quiet", str(bundle), "--all")
        row = Row("restore, DAG start to pushed", "git clone of a bundle")
        row.theirs.append(timed(lambda: git("clone", "--quiet", "--bare", str(bundle), str(Path(folder) / "b.git"))))
        with Orchestrator(settings.airflow_url, settings.airflow_user, settings.airflow_password) as airflow:
            conf = {"repo": str(RepoName.parse(_name)), "ref": commit, "target": target.as_uri()}

            def restore() -> None:
                run = airflow.wait("pivo_restore", airflow.trigger("pivo_restore", conf).run_id, timeout=900)
                if run.state != "success":
                    raise SystemExit(airflow.failure("pivo_restore", run.run_id))

            row.ours.append(timed(restore))
        ours, theirs = (git("-C", str(at), "rev-list", "--objects", commit) for at in (target, source))
        if sorted(ours.split()) != sorted(theirs.split()):
            raise SystemExit("The restored objects are not those of the source.")
        shutil.rmtree(target)
    return [row]
