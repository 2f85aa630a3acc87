"""Sources that go silent in the middle, and sources that move while they are read."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

import gitmake
from archive_kit import Vault, rebuilt
from gitmake import Repo
from pivo import ingest as ingesting
from pivo import source
from pivo.errors import SourceError, SourceMoved, Unavailable
from pivo.stack.localforge import Forge, ForgeServer

SILENT = 2.0  # seconds of silence that are waited for here


@contextmanager
def muted(port: int, after: int) -> Iterator[int]:
    """The port of a relay to `port` on this machine that falls silent once `after` bytes have come from there."""
    ends: list[socket.socket] = []

    def relay(near: socket.socket) -> None:
        far = socket.create_connection(("127.0.0.1", port))
        ends.extend((near, far))
        threading.Thread(target=pump, args=(near, far, None), daemon=True).start()
        pump(far, near, after)

    def pump(src: socket.socket, dst: socket.socket, left: int | None) -> None:
        try:
            while left is None or left > 0:
                block = src.recv(1 << 16 if left is None else min(1 << 16, left))
                if not block:
                    return
                dst.sendall(block)
                left = None if left is None else left - len(block)
        except OSError:
            return

    def serve() -> None:
        while True:
            try:
                near, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=relay, args=(near,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve, daemon=True).start()
        try:
            yield listening.getsockname()[1]
        finally:
            for end in (listening, *ends):  # closing alone does not wake who reads
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "TIMEOUT", SILENT)


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children()}


def silent(vault: Vault, url: str) -> None:
    """The ingest ends by itself, in words, and leaves neither files nor processes."""
    before, began = children(), time.monotonic()
    with pytest.raises(Unavailable) as failed:
        vault.ingest(url)
    assert time.monotonic() - began < 30, "it was not silence that ended it"
    assert "did not answer" in failed.value.what
    assert "in 2 s" in failed.value.what or url.startswith("http"), failed.value.what
    assert vault.archive.repos() == [] and vault.incoming == [] and vault.scratch == []
    assert children() <= before


@pytest.mark.parametrize("after", [0, 150, 6000])
@pytest.mark.parametrize("way", ["git", "http"])
@pytest.mark.usefixtures("impatient")
def test_a_server_that_goes_silent_is_not_waited_for(
    vault: Vault, odd_source: Repo, tmp_path: Path, way: str, after: int
) -> None:
    """Before its first word, in its list of refs, in the middle of the pack."""
    if way == "git":
        odd_source.copy(tmp_path / "served" / "odd.git")
        with (
            gitmake.daemon(tmp_path / "served") as url,
            muted(int(url.rpartition(":")[2]), after) as port,
        ):
            silent(vault, f"git://127.0.0.1:{port}/odd.git")
    else:
        path = Forge(tmp_path / "forge", {}).create("acme", "odd", None, False).path
        shutil.copytree(odd_source.path, path, dirs_exist_ok=True)
        with (
            ForgeServer(Forge(tmp_path / "forge", {})) as forge,
            muted(int(forge.url.rpartition(":")[2]), after) as port,
        ):
            silent(vault, f"http://127.0.0.1:{port}/acme/odd.git")


@pytest.mark.parametrize("after", [0, 150, 6000])
@pytest.mark.usefixtures("impatient")
def test_ssh_that_goes_silent_is_not_waited_for_and_is_ended(
    vault: Vault, odd_source: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    script = tmp_path / "ssh.py"
    script.write_text(
        "import subprocess, sys, time\n"
        "with subprocess.Popen(sys.argv[-1], shell=True, stdout=subprocess.PIPE) as git:\n"
        f"    sys.stdout.buffer.write(git.stdout.read({after}))\n"
        "    sys.stdout.flush()\n"
        "    time.sleep(600)\n"
    )
    monkeypatch.setenv("GIT_SSH_COMMAND", f"{sys.executable} {script}")
    silent(vault, f"ssh://git@host{odd_source.path}")


@pytest.mark.usefixtures("impatient")
def test_a_server_that_takes_nothing_is_not_waited_for(vault: Vault, tmp_path: Path, monkeypatch: Any) -> None:
    """It names refs without end of its own, and never reads what is asked of it."""
    many = gitmake.linear(tmp_path / "many.git", 2)
    tip = many("rev-parse", "main")
    many("update-ref", "--stdin", stdin="".join(f"create refs/tags/{n} {tip}\n" for n in range(10)).encode())
    script = tmp_path / "ssh"
    script.write_text('#!/bin/sh\nfor last; do :; done\nsh -c "$last" < /dev/null\nexec sleep 600\n')
    script.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(script))
    monkeypatch.setattr(ingesting, "_haves", lambda previous: [tip] * 200_000)  # more than the kernel keeps for it
    silent(vault, f"ssh://git@host{many.path}")


def moved_between(monkeypatch: pytest.MonkeyPatch, move: Any) -> None:
    """`move()` is called each time between the list of refs and the request for objects."""
    make = source._client

    def client(*args: Any) -> Any:
        made, path = make(*args)
        fetch = made.fetch_pack

        def fetch_pack(where: Any, wants: Any, *rest: Any, **options: Any) -> Any:
            def after_refs(refs: Any, depth: int | None = None) -> Any:
                chosen = wants(refs, depth)
                if chosen:
                    move()
                return chosen

            return fetch(where, after_refs, *rest, **options)

        made.fetch_pack = fetch_pack
        return made, path

    monkeypatch.setattr(source, "_client", client)


@contextmanager
def reached(way: str, repo: Repo, folder: Path) -> Iterator[tuple[Repo, str]]:
    """A copy of `repo` that is served, and its URL."""
    if way == "file":
        copy = repo.copy(folder / "moving.git")
        yield copy, copy.url
    elif way == "git":
        copy = repo.copy(folder / "served" / "moving.git")
        with gitmake.daemon(folder / "served") as url:
            yield copy, f"{url}/moving.git"
    else:
        path = Forge(folder / "forge", {}).create("acme", "moving", None, False).path
        shutil.copytree(repo.path, path, dirs_exist_ok=True)
        with ForgeServer(Forge(folder / "forge", {})) as forge:
            yield Repo(path), f"{forge.url}/acme/moving.git"


WAYS = ("file", "git", "http")


@pytest.mark.parametrize("way", WAYS)
def test_a_branch_that_is_rewritten_or_deleted_after_it_was_named_is_archived_as_it_was_named(
    vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    with reached(way, gitmake.linear(tmp_path / "small.git", 5), tmp_path) as (repo, url):
        repo.commit("gone", 50, parents=["main~2"])
        named = repo.refs()

        def move() -> None:
            repo.commit("main", 60, parents=["main~3"])
            if "refs/heads/gone" in repo.refs():
                repo("update-ref", "-d", "refs/heads/gone")

        with monkeypatch.context() as patch:
            moved_between(patch, move)
            vault.ingest(url)
        assert {r.name: r.target for r in vault.latest().refs} == named
        rebuilt(vault, vault.latest(), tmp_path / "one.git")("fsck", "--full", "--strict")
        assert vault.ingest(url).outcome == "published"
        assert {r.name: r.target for r in vault.latest().refs} == repo.refs()
        assert {named["refs/heads/gone"], named["refs/heads/main"]} <= set(vault.latest().lost)


@pytest.mark.parametrize("way", WAYS)
def test_objects_that_are_collected_after_they_were_named_are_asked_for_anew(
    vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    with reached(way, gitmake.linear(tmp_path / "small.git", 5), tmp_path) as (repo, url):
        count = 0

        def move() -> None:
            nonlocal count
            count += 1
            if count <= moves:
                repo.commit("main", 60 + count, parents=["main~1"])
                repo("reflog", "expire", "--expire=now", "--all")
                repo("gc", "--quiet", "--prune=now")

        moved_between(monkeypatch, move)
        moves = 9
        with pytest.raises(SourceMoved, match=r"changed while it was read: no ref of it is at [0-9a-f]{40} any more"):
            vault.ingest(url)
        assert count == 3 and vault.archive.repos() == [] and vault.incoming == [] and vault.scratch == []
        count, moves = 0, 2
        assert vault.ingest(url).outcome == "published"
        assert {r.name: r.target for r in vault.latest().refs} == repo.refs()
        rebuilt(vault, vault.latest(), tmp_path / "one.git")("fsck", "--full", "--strict")


@pytest.mark.parametrize("way", WAYS)
def test_every_snapshot_of_a_source_that_never_rests_is_whole(vault: Vault, tmp_path: Path, way: str) -> None:
    """Somebody pushes, rewrites, deletes and collects all the while."""
    with reached(way, gitmake.linear(tmp_path / "small.git", 5), tmp_path) as (repo, url):
        stop, ever, wrong = threading.Event(), {("refs/heads/main", repo("rev-parse", "main"))}, list[BaseException]()

        def restless() -> None:
            try:
                for n in range(10_000):
                    branch = f"b{n % 4}"
                    made = repo.commit(branch, n, parents=["refs/heads/main"])
                    ever.add((f"refs/heads/{branch}", made))
                    ever.add(("refs/heads/main", repo.commit("main", n, parents=[made] if n % 3 else ["main~1"])))
                    if n % 4 == 3:
                        repo("update-ref", "-d", f"refs/heads/b{(n + 2) % 4}")
                    if n % 10 == 9:
                        repo("gc", "--quiet", "--prune=now")
                    if stop.is_set():
                        return
            except BaseException as err:  # noqa: BLE001  # told by the test below
                wrong.append(err)

        pushing = threading.Thread(target=restless)
        pushing.start()
        said = []
        try:
            for _ in range(8):
                try:
                    vault.ingest(url)
                except SourceError as err:
                    assert err.retry, err
                    said.append(err)
        finally:
            stop.set()
            pushing.join()
        assert not wrong, wrong
        assert vault.incoming == [] and vault.scratch == []
        assert vault.ingest(url).outcome in {"published", "unchanged"}
        taken = [vault.archive.manifest("acme/odd", s.dirname) for s in vault.archive.snapshots("acme/odd")]
        assert len(taken) > 2, said
        for number, manifest in enumerate(taken):
            assert {(r.name, r.target) for r in manifest.refs} <= ever
            rebuilt(vault, manifest, tmp_path / f"{number}.git")("rev-list", "--objects", "--all")
        assert {r.name: r.target for r in taken[-1].refs} == repo.refs()
        assert os.path.commonpath([vault.folder, tmp_path])  # all of it below the test's own folder
