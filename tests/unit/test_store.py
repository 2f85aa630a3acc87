"""The store's promises on a local folder, and what is the local store's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from hdfs.util import HdfsError

from pivo.errors import ArchiveError, Unavailable, UsageError
from pivo.store import HdfsStore, LocalStore, open_store
from store_promises import StorePromises


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "archive")


class TestLocalFolder(StorePromises):
    """The promises, kept by a folder."""


def test_a_disk_that_refuses_is_told_in_words(store: LocalStore) -> None:
    with pytest.raises(ArchiveError, match="cannot be used: File name too long"):
        store.write("x" * 300, [b""])
    store.write("file", [b""])
    with pytest.raises(ArchiveError):
        store.write("file/below", [b""])


def test_addresses(tmp_path: Path) -> None:
    folder = tmp_path / "with space"
    open_store(folder.as_uri()).write("a", [b"1"])
    assert (folder / "a").read_bytes() == b"1"
    with pytest.raises(UsageError):
        open_store("s3://bucket")


def test_hdfs_that_is_away() -> None:
    store = open_store("webhdfs://127.0.0.1:9/backups")
    for act in (store.list, store.stat, store.read, store.mkdirs, lambda p: store.write(p, [b""])):
        with pytest.raises(Unavailable, match=r"HDFS at 127\.0\.0\.1:9 "):
            act("x")


def test_a_full_disk_of_hdfs_is_told_apart_from_one_that_is_away() -> None:
    """HDFS's own words, as 3.5.0 says them."""
    store = HdfsStore("webhdfs://127.0.0.1:9/backups", "pivo", 1.0)
    full = (
        "File /backups/x could only be written to 0 of the 1 minReplication nodes. "
        "There are 1 datanode(s) running and 1 node(s) are excluded in this operation."
    )
    for words, sentence in {
        full: "HDFS has no room for x",
        full.replace("There are 1", "There are 0"): "HDFS is not ready",
        "The DiskSpace quota of /backups is exceeded: quota = 1": "has used up its quota on HDFS",
        "The NameSpace quota (directories and files) of directory /b is exceeded": "has used up its quota on HDFS",
    }.items():
        told = store._translate("x", HdfsError(words))
        assert isinstance(told, Unavailable) and sentence in told.what, told
