"""Retention on the real HDFS: what it opens it closes again, and what HDFS still keeps is the keeper's to let go."""

from __future__ import annotations

import time
import uuid
from pathlib import Path

import pytest
from hdfs import InsecureClient
from hdfs.util import HdfsError

import gitmake
from gitmake import Repo, put
from pivo.consolidation import consolidated
from pivo.errors import ArchiveError
from pivo.events import EventLog
from pivo.index.reader import IndexReader
from pivo.index.writer import drain
from pivo.models import RepoName
from pivo.registry import Registered, snapshot
from pivo.restore.download import download
from pivo.restore.plan import validate
from pivo.restore.reconstruct import reconstruct
from pivo.retention import Retained, retain
from pivo.settings import Settings, base_environment
from pivo.snapshot.archive import Archive
from pivo.store import HdfsStore, open_store
from pivo.verify import deep, witness

pytestmark = pytest.mark.stack


def test_replaced_packs_go_from_hdfs_and_old_snapshots_come_back(stack: Settings, tmp_path: Path) -> None:
    source = gitmake.odd(tmp_path / "odd.git")
    name = f"retain-{time.time_ns()}"
    for night in range(4):
        source.commit("main", 500 + night, put("night.txt", b"%d\n" % night * 40))
        snapshot(stack, Registered.parse({"url": source.url, "name": name}))
    store = open_store(stack.archive, stack.archive_writer)
    then = Archive(store).manifest(name, Archive(store).snapshots(name)[1].dirname)
    places = {"scratch": tmp_path / "scratch", "environment": base_environment()}
    keeper = open_store(stack.archive, stack.archive_keeper)
    assert isinstance(keeper, HdfsStore)
    frozen = f"test-{uuid.uuid4().hex[:12]}"
    assert keeper.freeze(frozen)
    users = {
        who: InsecureClient(f"http://127.0.0.1:{stack.ports.namenode_http}", user=who)
        for who in (stack.archive_writer, stack.archive_reader, stack.archive_keeper)
    }
    reader = users[stack.archive_reader]
    told: list[str] = []
    try:
        with EventLog(stack.kafka) as events:
            assert consolidated(store, events, RepoName.parse(name), everything=True, **places)  # type: ignore[arg-type]

            def run(user: str) -> Retained | None:
                return retain(
                    open_store(stack.archive, user), events, name, days=0, who="kim",
                    told=lambda at, packs: told.append(at), **places,  # type: ignore[arg-type]
                )  # fmt: skip

            files = [f"/backups/{name}/{p.snapshot}/{p.file_name}" for p in then.packs]
            for other in (stack.archive_reader, stack.archive_keeper):
                with pytest.raises(ArchiveError, match="Permission denied"):
                    run(other)
            assert all(reader.status(f) for f in files) and told == []
            done = run(stack.archive_writer)
            assert done and told == [done.snapshot] and len(done.packs) == 4
            assert run(stack.archive_writer) is None
        for file in files:
            assert reader.status(file, strict=False) is None
            assert reader.status(file.rpartition("/")[0])["permission"] == "555"
            with pytest.raises(HdfsError, match="Permission denied"):
                users[stack.archive_writer].delete(f"{file.rpartition('/')[0]}/manifest.json.gz")
            # The keeper's HDFS snapshot from before has the bytes still.
            assert reader.status(file.replace("/backups/", f"/backups/.snapshot/{frozen}/"))["length"] > 0
    finally:
        users[stack.archive_keeper].delete_snapshot("/backups", frozen)
    for file in files:
        assert reader.status(file.replace("/backups/", f"/backups/.snapshot/{frozen}/"), strict=False) is None

    ref = f"@{then.taken_at:%Y-%m-%dT%H:%M:%S.%f+00:00}"
    plan = validate(stack, repo=name, ref=ref, target=f"pivo/{name}", run_id=name, all_refs=True)
    assert plan.snapshot == then.dirname and not {p.key for p in plan.packs} & set(done.packs)
    download(plan, tmp_path / "back" / "packs", stack.archive, stack.archive_reader)
    back = Repo(reconstruct(plan, tmp_path / "back").path)
    assert back("rev-parse", "main") == source("rev-parse", "main~2")
    assert back("show", "main:night.txt") == source("show", "main~2:night.txt")

    drain(stack.index, stack.kafka)
    with IndexReader(stack.index) as index:
        heard = witness.ask(index, name)
    assert done.snapshot in heard.dirnames
    result = deep.verify(Archive(store), name, tmp_path / "verify", base_environment(), heard)
    assert result.ok, result.findings
