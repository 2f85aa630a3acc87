"""git LFS through the real HDFS and back: sealed with its snapshot, verified, restored to a forge."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hdfs import InsecureClient
from hdfs.util import HdfsError

import gitmake
from archive_kit import Vault
from lfs_kit import ATTRIBUTES, keep, of, place, tracked
from pivo.restore.download import download
from pivo.restore.plan import validate
from pivo.restore.push import push
from pivo.restore.reconstruct import reconstruct
from pivo.settings import CHECKOUT, ForgeAccess, Settings
from pivo.snapshot import lfs
from pivo.snapshot.archive import Archive
from pivo.stack.localforge import Account, Forge, ForgeServer
from pivo.store import open_store
from pivo.verify import shallow

pytestmark = pytest.mark.stack

TOKEN = "a-token"
ONE, TWO = os.urandom(5_000_000), b"two"


@pytest.fixture
def forge(tmp_path: Path) -> Iterator[ForgeServer]:
    """A forge beside the stack's own, with private repositories."""
    with ForgeServer(Forge(tmp_path / "forge", {TOKEN: Account("pivo")}, anonymous_read=False)) as server:
        yield server


def test_objects_go_from_forge_to_hdfs_and_back_to_a_forge(stack: Settings, forge: ForgeServer, tmp_path: Path) -> None:
    source = gitmake.empty(tmp_path / "source.git")
    source.commit("main", 1, ATTRIBUTES, tracked("art/one.bin", ONE), tracked("two.bin", TWO))
    there = forge.forge.create("acme", "art", None, True)
    source("push", "--quiet", str(there.path), "refs/*:refs/*")
    keep(there.path, ONE)
    name, vault = f"lfs/{uuid.uuid4().hex[:12]}", Vault(tmp_path / "vault")
    store = open_store(stack.archive, stack.archive_writer)

    def night() -> tuple[str, int, int]:
        report = vault.ingest(f"{forge.url}/acme/art.git", name, store=store, token=TOKEN)
        return report.outcome, report.lfs, report.missing

    assert [night(), night()] == [("published", 1, 1), ("unchanged", 0, 1)]
    keep(there.path, TWO)
    assert [night(), night()] == [("published", 1, 0), ("unchanged", 0, 0)]

    archive = Archive(open_store(stack.archive, stack.archive_reader))
    first, last = (archive.manifest(name, s.dirname) for s in archive.snapshots(name))
    assert (first.lfs, last.lfs) == ((of(ONE),), (of(TWO),)) and first.refs == last.refs
    assert [p for m in first.lfs_missing for p in m.paths] == ["two.bin"] and not last.incomplete
    writer = InsecureClient(f"http://127.0.0.1:{stack.ports.namenode_http}", user=stack.archive_writer)
    path = f"/backups/{name}/{first.dirname}/{of(ONE).name}"
    assert writer.status(path)["permission"] == "444" and writer.status(path)["length"] == len(ONE)
    for forged in (lambda: writer.write(path, data=b"x", overwrite=True), lambda: writer.delete(path)):
        with pytest.raises(HdfsError, match="Permission denied"):
            forged()
    assert shallow.verify(archive, name).findings == ()

    settings = replace(stack, forge=ForgeAccess(forge.api_url, TOKEN))
    plan = validate(settings, repo=name, ref="main", target="pivo/back", run_id="r1")
    download(plan, tmp_path / "staging" / "packs", stack.archive, stack.archive_reader)
    done = push(plan, reconstruct(plan, tmp_path / "staging").path, settings)
    assert (done.lfs, done.withheld) == (2, ())
    back = forge.forge.find("pivo", "back")
    assert back and [place(back.path, c).read_bytes() for c in (ONE, TWO)] == [ONE, TWO]


def test_a_writer_killed_at_any_moment_leaves_every_object_stored_once_or_asked_for_again(
    stack: Settings, stack_env: dict[str, str], tmp_path: Path
) -> None:
    source = gitmake.empty(tmp_path / "source.git")
    contents = [os.urandom(300_000 + n) for n in range(12)]
    name = f"lfs/{uuid.uuid4().hex[:12]}"
    env = {**os.environ, **stack_env, "PYTHONPATH": str(CHECKOUT / "include")}

    def ingest(to: str, patience: float | None) -> bool:
        words = [sys.executable, "-c", "from pivo.cli import main; main()", "ingest", str(source.path), "--name", to]
        with subprocess.Popen(words, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as one:
            try:
                return one.wait(patience) == 0
            except subprocess.TimeoutExpired:
                one.kill()
                return False

    source.commit("main", 0, ATTRIBUTES)
    keep(source, *contents[::2])
    begun = time.monotonic()
    assert ingest(f"{name}-first", None)
    whole, killed = time.monotonic() - begun, 0
    for n in range(12):
        source.commit("main", n + 1, tracked(f"file{n}.bin", contents[n]))
        killed += not ingest(name, whole * random.uniform(0.4, 1.3))
    keep(source, *contents)
    assert ingest(name, None) and killed >= 3

    archive = Archive(open_store(stack.archive, stack.archive_reader))
    snapshots = [archive.manifest(name, s.dirname) for s in archive.snapshots(name)]
    held = lfs.stored(archive, snapshots[-1])
    assert not snapshots[-1].incomplete and set(held) == {of(c).oid for c in contents}
    assert sum(len(m.lfs) for m in snapshots) == len(contents)
    for dirname, one in held.values():
        assert b"".join(lfs.stream(archive, name, dirname, one)) in contents
    assert shallow.verify(archive, name).findings == ()
