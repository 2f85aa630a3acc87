"""Ingest on the real HDFS and Kafka: what is archived is the source, whoever dies in the middle."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import gitmake
from gitmake import Repo
from pivo.agent.diffs import changed
from pivo.errors import ArchiveError, PivoError, Unavailable
from pivo.gitobjects import text
from pivo.index.reader import IndexReader
from pivo.index.writer import drain
from pivo.models import Manifest
from pivo.progress import Progress, silent
from pivo.registry import Registered, snapshot
from pivo.settings import CHECKOUT, Settings
from pivo.snapshot.archive import Archive
from pivo.snapshot.history import commits_of_snapshot
from pivo.source import counts
from pivo.stack import process
from pivo.store import Store, open_store
from stack_kit import Pivo
from store_promises import StorePromises

pytestmark = pytest.mark.stack
disturbs = pytest.mark.skipif(
    "PIVO_TEST_HOME" in os.environ, reason="stops parts of a stack that is not this session's"
)

KILLS = 40


@pytest.fixture
def name() -> str:
    return f"test/{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="module")
def odd_source(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return gitmake.odd(tmp_path_factory.mktemp("odd") / "odd.git")


@pytest.fixture
def odd(odd_source: Repo, tmp_path: Path) -> Repo:
    return odd_source.copy(tmp_path / "odd.git")


@pytest.fixture
def archive(stack: Settings) -> Archive:
    return Archive(open_store(stack.archive, stack.archive_reader))


@pytest.fixture
def take(stack: Settings, name: str) -> Callable[..., Any]:
    """Archives a repository, as the DAG's task does."""

    def run(repo: Repo, progress: Progress = silent) -> Any:
        return snapshot(stack, Registered(repo.url, name), progress)

    return run


class TestHdfs(StorePromises):
    """The promises, kept by the real WebHDFS."""

    @pytest.fixture
    def store(self, stack: Settings) -> Store:
        return open_store(f"{stack.archive}/promises-{uuid.uuid4().hex[:12]}", stack.archive_writer)


def commits_in(index: Path, repo: str) -> set[str]:
    with IndexReader(index) as reader:
        rows = reader.query("SELECT hash FROM v_commits WHERE repo_name = ?", [repo], limit=10_000).rows
    return {oid for (oid,) in rows}


def same(archive: Archive, source: Repo, name: str) -> Manifest:
    """The newest snapshot has the source's refs, and every object behind them, by the hash of its content."""
    manifest = archive.require(name)
    refs = {n: t for n, t in source.refs().items() if counts(n)}
    assert {r.name: r.target for r in manifest.refs} == refs
    with archive.objects(manifest) as objects:
        for oid in source.objects(*refs.values()):
            objects.get(oid)  # which compares its hash
    return manifest


def uploads(archive: Archive) -> set[str]:
    return {e.name for e in archive.store.list(".incoming")}


def test_from_git_through_hdfs_and_kafka_to_the_index_and_back(
    stack: Settings, odd: Repo, archive: Archive, name: str, take: Callable[..., Any], tmp_path: Path
) -> None:
    before = uploads(archive)
    report = take(odd)
    assert report.outcome == "published" and report.hdfs_path == f"/backups/{name}/{report.snapshot}"
    odd("update-ref", "-d", "refs/pull/1/head")
    manifest = same(archive, odd, name)
    made = odd.commit("main", 500, parents=["refs/heads/main", odd("rev-parse", "side~1")])
    assert take(odd).commits == 1 and take(odd).outcome == "unchanged"
    assert same(archive, odd, name).previous.snapshot == manifest.dirname  # type: ignore[union-attr]
    assert uploads(archive) <= before
    index = tmp_path / "pivo.db"
    drain(index, stack.kafka)
    assert commits_in(index, name) == set(odd("rev-list", "--all").split())
    commits = odd("rev-list", "--all").split()
    rng = random.Random(11)
    with archive.objects(archive.require(name)) as objects:
        for commit in [made, *rng.sample(commits, 5)]:
            for row in odd.raw("ls-tree", "-r", "-z", commit).split(b"\0")[:-1]:
                (_, kind, oid), path = row.split(b"\t")[0].decode().split(), text(row.split(b"\t", 1)[1])
                if kind == "blob":
                    assert objects.read_file(commit, path) == odd.raw("cat-file", "blob", oid)
        for old, new in ((made, f"{made}^1"), tuple(rng.sample(commits, 2))):
            new = odd("rev-parse", new)
            rows = odd.raw("diff", "--raw", "-z", "--no-renames", "--ignore-submodules=none", old, new).split(b"\0")
            expected = {
                (row.decode().split(" ")[4], text(path)) for row, path in zip(rows[::2], rows[1::2], strict=False)
            }
            assert {(p.status, p.path) for p in changed(objects, old, new)} == expected
    with IndexReader(index) as reader:
        told = reader.query(
            "SELECT commit_hash, files, hdfs_path FROM repo_snapshots WHERE repo_name = ? ORDER BY hdfs_path", [name]
        ).rows
    assert [row[0] for row in told] == [manifest.head, made]
    assert told[0][1:] == (manifest.files, report.hdfs_path)


def test_the_reader_can_change_nothing(stack: Settings, odd: Repo, name: str, take: Callable[..., Any]) -> None:
    report = take(odd)
    reader = open_store(stack.archive, stack.archive_reader)
    where = f"{name}/{report.snapshot}"
    for act in (
        lambda: reader.write(f"{where}/new", [b"x"]),
        lambda: reader.rename(where, f"{name}/000009-abcdefabcdef"),
        lambda: reader.mkdirs(f"{name}/folder"),
        lambda: reader.write(".incoming/x", [b"x"]),
    ):
        with pytest.raises(ArchiveError, match=f"HDFS refused {stack.archive_reader}"):
            act()
    assert reader.read(f"{where}/manifest.json.gz")


def ingest_command(stack: Settings, repo: Repo, name: str) -> tuple[list[str], dict[str, str]]:
    code = "from pivo.cli import main; main()"
    env = {k: v for k, v in os.environ.items() if not k.startswith("PIVO_")}
    env |= {
        "PYTHONPATH": str(CHECKOUT / "include"),
        "PIVO_HOME": str(stack.home),
        "PIVO_ARCHIVE": stack.archive,
        "PIVO_KAFKA": stack.kafka["bootstrap.servers"],
    }
    return [sys.executable, "-c", code, "ingest", repo.url, "--name", name, "--json"], env


def test_two_processes_at_once_are_both_right(
    stack: Settings, odd: Repo, archive: Archive, name: str, take: Callable[..., Any], tmp_path: Path
) -> None:
    take(odd)
    other = odd.copy(tmp_path / "other.git")
    made = [odd.commit("main", 501), other.commit("main", 502)]
    running = []
    for repo in (odd, other):
        command, env = ingest_command(stack, repo, name)
        running.append(subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
    said = [one.communicate(timeout=120) for one in running]
    assert [one.returncode for one in running] == [0, 0], said
    assert [s.seq for s in archive.snapshots(name)] == [1, 2, 3]
    with archive.objects(archive.require(name)) as objects:
        assert all(map(objects.contains, made))
    index = tmp_path / "pivo.db"
    drain(index, stack.kafka)
    assert set(made) < commits_in(index, name)


def _ingest(settings: Settings, url: str, name: str) -> None:
    """What a killed process was doing."""
    snapshot(settings, Registered(url, name))


def test_a_writer_that_is_killed_anywhere_leaves_a_whole_archive(
    stack: Settings, odd: Repo, archive: Archive, name: str, take: Callable[..., Any], tmp_path: Path
) -> None:
    # Processes forked from a server that has everything imported: the kills fall into the work, not into the start.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pivo.registry"])
    rng, killed, longest, n = random.Random(4), 0, 0.0, 510
    while killed < KILLS:
        assert n < 510 + 4 * KILLS, f"only {killed} of {n - 510} were killed in time"
        n += 1
        before = odd("rev-parse", "main")
        odd.commit("main", n)
        if n % 5 == 0:  # now and then history is rewritten
            odd("update-ref", "refs/heads/main", f"{before}~1")
            odd.commit("main", 10_000 + n)
        one = context.Process(target=_ingest, args=(stack, odd.url, name))
        one.start()
        if longest == 0.0:  # the first runs to its end and says how long that takes
            began = time.monotonic()
            one.join(60)
            longest = time.monotonic() - began
            assert one.exitcode == 0
            continue
        time.sleep(rng.uniform(0.0, longest))
        one.kill()
        one.join()
        killed += one.exitcode == -signal.SIGKILL
        for at in archive.snapshots(name):  # whatever is there is complete
            manifest = archive.manifest(name, at.dirname)
            with archive.objects(manifest) as objects:
                assert all(objects.contains(r.target) for r in manifest.refs)
    take(odd)
    odd("update-ref", "-d", "refs/pull/1/head")
    same(archive, odd, name)
    known = archive.snapshots(name)
    assert [s.seq for s in known] == list(range(1, len(known) + 1))
    index = tmp_path / "pivo.db"
    drain(index, stack.kafka)
    ever = {c for s in known for c in commits_of(archive, name, s.dirname, tmp_path)}
    assert commits_in(index, name) == ever
    assert set(odd("rev-list", "--all").split()) <= ever
    with IndexReader(index) as reader:
        rows = reader.query("SELECT seq FROM v_snapshots WHERE repo_name = ? ORDER BY seq", [name]).rows
    assert [seq for (seq,) in rows] == [s.seq for s in known]


def commits_of(archive: Archive, name: str, dirname: str, folder: Path) -> set[str]:
    """The commits that a published snapshot added, read again from the archive."""
    place = folder / f"again-{dirname}"
    manifest = archive.manifest(name, dirname)
    return {c.hash for c in commits_of_snapshot(archive, manifest, place, dict(os.environ))}


def kill(stack: Settings, part: str) -> None:
    record = process.load(stack.home / "run", part)
    running = record.process() if record else None
    assert running is not None, f"{part} does not run"
    running.kill()
    running.wait(20)


@disturbs
def test_kafka_that_dies_is_said_and_the_next_run_announces_what_was_published(
    stack: Settings, odd: Repo, archive: Archive, name: str, take: Callable[..., Any], tmp_path: Path, pivo: Pivo
) -> None:
    take(odd)
    made = odd.commit("main", 520)

    def midway(step: str, *_: Any) -> None:
        if step == "publishing":
            kill(stack, "kafka")

    try:
        began = time.monotonic()
        with pytest.raises(Unavailable, match=r"is archived as 000002-\w+, but could not be announced"):
            take(odd, midway)
        assert time.monotonic() - began < 45
    finally:
        pivo("up")
    report = take(odd)
    assert report.outcome == "unchanged" and [s[:6] for s in report.announced] == ["000002"]
    index = tmp_path / "pivo.db"
    drain(index, stack.kafka)
    assert made in commits_in(index, name)
    assert take(odd).announced == ()


@disturbs
def test_hdfs_that_dies_midway_has_nothing_half_published(
    stack: Settings, odd: Repo, archive: Archive, name: str, take: Callable[..., Any], pivo: Pivo
) -> None:
    take(odd)
    made = odd.commit("main", 530)
    for part, step in (("datanode", "uploading to the archive"), ("namenode", "publishing")):
        dead = False

        def midway(at: str, *_: Any, part: str = part, step: str = step) -> None:
            nonlocal dead
            if at == step and not dead:
                dead = True
                kill(stack, part)

        try:
            with pytest.raises(PivoError) as failed:
                take(odd, midway)
            assert dead and isinstance(failed.value, Unavailable), failed.value
        finally:
            pivo("up")
        assert [s.seq for s in archive.snapshots(name)] == [1]
    assert take(odd).snapshot.startswith("000002")
    odd("update-ref", "-d", "refs/pull/1/head")
    assert same(archive, odd, name).head == made
