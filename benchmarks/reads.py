"""One file, or the difference of two versions, straight from the archive; beside HDFS's own shell.

`python -m benchmarks reads [path of a bare repository]`; without one, a history of 20,000 commits is made.

Cold is a new archive, store and cache for every call (not a new Python); warm is one archive for all calls, each file
asked for the second time. Each call resolves the commit's full hash and reads one file, both at random. Against it:
`org.apache.hadoop.fs.FsShell -cat` of the same bytes, laid in HDFS as a plain file, in a new JVM as `hdfs dfs` starts
one; for a difference two of them and difflib.
"""

from __future__ import annotations

import difflib
import random
import statistics
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

from rich.console import Console

from benchmarks.sides import Row, git, show, timed
from pivo.agent.diffs import changed, compare
from pivo.models import RepoName
from pivo.registry import Registered, snapshot
from pivo.settings import Settings, base_environment
from pivo.snapshot.archive import Archive
from pivo.snapshot.objects import SHARED_CACHE
from pivo.stack import java
from pivo.stack.part import Folders
from pivo.store import open_store

_CALLS, _BESIDE = 200, 7  # random reads; how many of them are done by FsShell too
_name = f"bench-reads-{int(time.time())}"


def main(path: str | None = None) -> None:
    settings = Settings.load()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source.git"
        if path:
            git("clone", "--quiet", "--bare", "--no-local", path, str(source))
        else:
            from benchmarks.history import make

            make(source)
        snapshot(settings, Registered.parse({"url": source.as_uri(), "name": _name}))
        shell = FsShell(settings)
        try:
            rows = [*_cat(settings, source, shell), _diff(settings, source, shell)]
        finally:
            shell.close()
    show(f"Reading from the archive of {path or 'a made history'}", rows)
    cold, warm = sorted(rows[0].ours), sorted(rows[1].ours)
    for name, times, target in (("cold", cold, "p95 ≤ 80 ms"), ("warm", warm, "p50 ≤ 5 ms")):
        p95 = times[int(len(times) * 0.95)]
        Console().print(
            f"{name}: p50 {statistics.median(times) * 1e3:.1f} ms, p95 {p95 * 1e3:.1f} ms of {len(times)}; {target}"
        )


class FsShell:
    """`hdfs dfs -cat` of bytes that were laid in HDFS as a plain file."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._store = open_store(settings.archive, settings.archive_writer)
        self._folder = f".incoming/bench-{uuid.uuid4().hex}"
        classpath = f"{Folders(settings.home).conf / 'hdfs'}:{settings.jars}/hdfs/*"
        self._command = [str(java.find().binary), "-cp", classpath, "org.apache.hadoop.fs.FsShell", "-cat"]

    def lay(self, body: bytes) -> str:
        name = f"{self._folder}/{uuid.uuid4().hex}"
        self._store.write(name, [body])
        return f"/backups/{name}"

    def cat(self, path: str) -> bytes:
        env = base_environment() | {"HADOOP_USER_NAME": self._settings.archive_reader}
        return subprocess.run([*self._command, path], capture_output=True, check=True, env=env).stdout

    def close(self) -> None:
        self._store.delete(self._folder)


def _archive(settings: Settings) -> Archive:
    SHARED_CACHE.clear()
    return Archive(open_store(settings.archive, settings.archive_reader))


def _read(archive: Archive, commit: str, path: str) -> bytes:
    found = archive.resolve(RepoName.parse(_name), commit)
    with archive.objects(found.snapshot) as objects:
        return objects.read_file(found.commit, path)


def _asked(source: Path, count: int) -> list[tuple[str, str]]:
    """Commits and paths at random: any commit, any file in it (no symlinks' targets, no submodules)."""
    pick = random.Random(5)
    history = git("-C", str(source), "rev-list", "--all").split()
    asked = []
    for commit in pick.choices(history, k=count):
        listed = git("-C", str(source), "ls-tree", "-r", "-z", commit).split("\0")[:-1]
        paths = [row.partition("\t")[2] for row in listed if row.startswith("100")]
        if paths:
            asked.append((commit, pick.choice(paths)))
    return asked


def _cat(settings: Settings, source: Path, shell: FsShell) -> list[Row]:
    cold = Row("cat, cold", "hdfs dfs -cat", target="≤ 0.025 ×")
    warm = Row("cat, warm", "hdfs dfs -cat", target="≤ 0.025 ×")
    asked = _asked(source, _CALLS)
    for number, (commit, path) in enumerate(asked):
        body = b""

        def ours(commit: str = commit, path: str = path) -> None:
            nonlocal body
            body = _read(_archive(settings), commit, path)

        cold.ours.append(timed(ours))
        if number % (len(asked) // _BESIDE) == 0:
            if body != _shown(source, commit, path):
                raise SystemExit(f"{path} at {commit} is not what git has.")
            laid = shell.lay(body)
            cold.theirs.append(timed(lambda laid=laid: shell.cat(laid)))  # type: ignore[misc]
    archive = _archive(settings)
    for commit, path in asked:
        _read(archive, commit, path)
        warm.ours.append(timed(lambda c=commit, p=path: _read(archive, c, p)))  # type: ignore[misc]
    warm.theirs = cold.theirs
    return [cold, warm]


def _shown(source: Path, commit: str, path: str) -> bytes:
    return subprocess.run(["git", "-C", str(source), "show", f"{commit}:{path}"], capture_output=True).stdout


def _diff(settings: Settings, source: Path, shell: FsShell) -> Row:
    """A random commit that changed a file, against its first parent."""
    row = Row("diff of two versions, cold", "two hdfs dfs -cat + difflib", target="≤ 0.025 ×")
    rows = git("-C", str(source), "log", "--no-merges", "--diff-filter=M", "--format=%x01%H %P", "--name-only", "HEAD")
    changes = [(*words[0].split(), words[1]) for c in rows.split("\x01")[1:] if len(words := c.split("\n\n", 1)) == 2]
    for commit, parent, names in random.Random(6).choices([c for c in changes if len(c) == 3], k=40):
        path = names.split("\n")[0]

        def ours(commit: str = commit, parent: str = parent, path: str = path) -> None:
            archive = _archive(settings)
            reader = archive.objects(archive.resolve(RepoName.parse(_name), commit).snapshot)
            for pair in changed(reader, parent, commit, path):
                compare(reader, reader, pair)

        row.ours.append(timed(ours))
        if len(row.theirs) < _BESIDE:
            laid = [shell.lay(_shown(source, c, path)) for c in (parent, commit)]

            def theirs(laid: list[str] = laid) -> None:
                old, new = (shell.cat(at).decode("utf-8", "replace").split("\n") for at in laid)
                list(difflib.unified_diff(old, new))

            row.theirs.append(timed(theirs))
    return row
