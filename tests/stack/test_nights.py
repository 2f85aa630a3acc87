"""Nights on the real HDFS and Kafka consolidate by themselves, nothing is told twice, and every range reads right."""

from __future__ import annotations

import random
import time
from pathlib import Path

import gitmake
from gitmake import put
from pivo.index.reader import IndexReader
from pivo.index.writer import drain
from pivo.registry import Registered, snapshot
from pivo.settings import Settings
from pivo.snapshot.archive import Archive
from pivo.snapshot.blocks import BlockCache
from pivo.snapshot.consolidate import MOST
from pivo.snapshot.objects import ObjectReader
from pivo.store import open_store


def test_nights_consolidate_and_everything_reads_as_before(stack: Settings, tmp_path: Path) -> None:
    source = gitmake.odd(tmp_path / "odd.git")
    name = f"nights-{time.time_ns()}"
    registered = Registered.parse({"url": source.url, "name": name})
    snapshot(stack, registered)
    for night in range(MOST - 1):
        source.commit("main", 500 + night, put(f"night{night % 5}.txt", b"%d\n" % night * 40))
        snapshot(stack, registered)
    archive = Archive(open_store(stack.archive, stack.archive_reader))
    latest = archive.require(name)
    assert len(latest.replaces) == MOST - 1 and [p.level for p in latest.packs] == [0, 1]
    with ObjectReader(archive.store, latest, BlockCache()) as objects:
        for oid in sorted(source.objects()):
            kind, body = objects.get(oid)
            assert source.raw("cat-file", kind, oid) == body
    drain(stack.index, stack.kafka)
    with IndexReader(stack.index) as index:
        rows = index.query("SELECT COUNT(*), COUNT(DISTINCT hash) FROM v_commits WHERE repo_name = ?", (name,)).rows
        newest = index.query("SELECT MAX(seq) FROM v_snapshots WHERE repo_name = ?", (name,)).rows
    commits = len(source("rev-list", "--all", "HEAD").split())
    assert rows == [(commits, commits)] and newest == [(latest.seq,)]


def test_ranges_are_those_of_the_whole_file(stack: Settings) -> None:
    store = open_store(stack.archive, stack.archive_writer)
    path = f".incoming/ranges-{time.time_ns()}/file"
    body = random.Random(3).randbytes(700_001)
    store.write(path, [body])
    try:
        assert store.read(path) == body == b"".join(store.stream(path))
        pick = random.Random(4)
        for _ in range(30):
            offset = pick.randrange(len(body))
            length = pick.choice((1, 1000, 65_536, 300_000))
            assert store.read(path, offset, length) == body[offset : offset + length]
    finally:
        store.delete(path.rpartition("/")[0])
