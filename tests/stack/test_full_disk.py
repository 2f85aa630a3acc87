"""A DataNode whose own disk is full, before a snapshot and in the middle of one: on a small HDFS with a small disk."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import gitmake
from archive_kit import ENVIRONMENT, RecordedLog
from gitmake import Repo, put
from pivo.errors import Unavailable
from pivo.ingest import Report, ingest
from pivo.settings import Settings
from pivo.snapshot.archive import Archive
from pivo.stack import hdfs, java
from pivo.stack.supervisor import Supervisor
from pivo.store import HdfsStore, open_store
from stack_kit import stack_environment, told

pytestmark = pytest.mark.stack
NAME = "full/disk"
BLOCK = 4 << 20
_SMALL = {
    "dfs.blocksize": str(BLOCK),
    # a gigabyte besides the block, by default
    "dfs.datanode.round-robin-volume-choosing-policy.additional-available-space": "0",
}


class Disk:
    """The DataNode's disk, and somebody else who writes to it."""

    def __init__(self, at: Path) -> None:
        self.at, self._other = at, at / "other"

    def fill(self, leave: int) -> None:
        """Leaves `leave` bytes, and time for the DataNode to tell."""
        found = os.statvfs(self.at)
        with self._other.open("ab") as out:
            for _ in range((found.f_bavail * found.f_frsize - leave) >> 20):
                out.write(bytes(1 << 20))
        time.sleep(2)

    @property
    def full(self) -> bool:
        return self._other.exists()

    def free(self) -> None:
        self._other.unlink(missing_ok=True)
        time.sleep(2)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[HdfsStore, Disk]]:
    """An HDFS whose DataNode has 64 MB."""
    home = tmp_path_factory.mktemp("full") / "home"
    settings = Settings.load(stack_environment(home) | {"PIVO_MEMORY_CHECK": "0"})
    disk = home / "data" / "hdfs" / "data"
    disk.mkdir(parents=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "none", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no disk of its own can be mounted here: {mounted.stderr.decode().strip()}")
    configured = hdfs.configuration

    def configuration(settings: Settings) -> dict[str, dict[str, str]]:
        made = configured(settings)
        made["hdfs-site.xml"] |= _SMALL
        return made

    supervisor = Supervisor(settings, hdfs.parts(settings, cache(java.find)))
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(hdfs, "configuration", configuration)
            supervisor.up(told)
        store = open_store(settings.archive, settings.archive_writer)
        assert isinstance(store, HdfsStore)
        yield store, Disk(disk)
    finally:
        supervisor.down(told)
        subprocess.run(["umount", str(disk)], check=True)


@pytest.fixture
def source(tmp_path: Path) -> Repo:
    return gitmake.linear(tmp_path / "source.git", 3)


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_it_is_said_nothing_stays_and_the_next_run_is_right(
    small: tuple[HdfsStore, Disk], source: Repo, tmp_path: Path, when: str
) -> None:
    (store, disk), name, log = small, f"{NAME}-{when}", RecordedLog()

    def take(progress: Callable[[str, int, int | None], None] = lambda *_: None) -> Report:
        options: dict[str, Any] = {"scratch": tmp_path / "scratch", "environment": ENVIRONMENT}
        return ingest(source.url, name, store=store, events=log, progress=progress, **options)

    take()
    made = source.commit("main", 50, put("noise", os.urandom(4 * BLOCK)))

    def midway(step: str, done: int, total: int | None) -> None:
        if step.startswith("uploading") and done > BLOCK and when == "meanwhile" and not disk.full:
            disk.fill(1 << 20)

    try:
        if when == "before":
            disk.fill(1 << 20)
        with pytest.raises(Unavailable, match="HDFS has no room for ") as full:
            take(midway)
    finally:
        disk.free()
    assert "nothing was published" in full.value.do and "\tat " not in str(full.value)
    archive = Archive(store)
    assert [s.seq for s in archive.snapshots(name)] == [1]
    assert store.list(".incoming") == []
    assert take().outcome == "published" and archive.require(name).head == made
    assert take().outcome == "unchanged"
