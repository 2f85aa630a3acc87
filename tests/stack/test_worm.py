"""What the NameNode itself refuses once a snapshot is published, and what it cannot."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hdfs import InsecureClient
from hdfs.util import HdfsError

import gitmake
from archive_kit import Vault
from pivo.errors import ArchiveConflict, ArchiveError
from pivo.ingest import Report
from pivo.settings import Settings
from pivo.snapshot import publish
from pivo.snapshot.archive import Archive
from pivo.snapshot.freeze import freeze
from pivo.stack.hdfs import superuser
from pivo.store import HdfsStore, open_store

pytestmark = pytest.mark.stack

Clients = dict[str, InsecureClient]


@pytest.fixture(scope="module")
def users(stack: Settings) -> Clients:
    """A client of each HDFS user, by role."""
    url = f"http://127.0.0.1:{stack.ports.namenode_http}"
    names = {
        "writer": stack.archive_writer,
        "reader": stack.archive_reader,
        "keeper": stack.archive_keeper,
        "superuser": superuser(),
    }
    return {role: InsecureClient(url, user=name) for role, name in names.items()}


@pytest.fixture
def published(stack: Settings, tmp_path: Path) -> Report:
    """A repository with one commit, just archived."""
    source = gitmake.empty(tmp_path / "source.git")
    source.commit("main", 1)
    return archived(stack, source, tmp_path, f"worm/{uuid.uuid4().hex[:12]}")


def archived(stack: Settings, source: gitmake.Repo, folder: Path, name: str) -> Report:
    vault = Vault(folder / uuid.uuid4().hex)
    return vault.ingest(source, name, store=open_store(stack.archive, stack.archive_writer))


def refused(action: Callable[[], Any], why: str = "Permission denied") -> None:
    with pytest.raises(HdfsError, match=why):
        action()


def rename(client: InsecureClient, src: str, dst: str, options: str = "NONE") -> None:
    client._rename(src, destination=dst, renameoptions=options)


def contents(client: InsecureClient, folder: str) -> dict[str, bytes]:
    found = {}
    for name in client.list(folder):
        with client.read(f"{folder}/{name}") as reader:
            found[name] = reader.read()
    return found


def test_files_and_folder_are_read_only_from_the_moment_they_are_published(users: Clients, published: Report) -> None:
    reader = users["reader"]
    assert reader.status(published.hdfs_path)["permission"] == "555"
    files = reader.list(published.hdfs_path, status=True)
    assert {status["permission"] for _, status in files} == {"444"} and len(files) == 2


@pytest.mark.parametrize("role", ["writer", "reader", "keeper"])
def test_the_namenode_refuses_every_change_of_a_published_snapshot(
    users: Clients, published: Report, role: str
) -> None:
    client, folder = users[role], published.hdfs_path
    manifest, repo = f"{folder}/manifest.json.gz", folder.rpartition("/")[0]
    before = contents(users["reader"], folder)
    stray = f"/backups/.incoming/{uuid.uuid4().hex}"
    users["writer"].write(stray, data=b"forged")
    try:
        refused(lambda: client.write(manifest, data=b"forged", overwrite=True))
        refused(lambda: client.write(manifest, data=b"forged", append=True))
        refused(lambda: client.write(f"{folder}/more", data=b"forged"))
        refused(lambda: client.makedirs(f"{folder}/more"))
        refused(lambda: rename(client, manifest, f"{folder}/other"))
        refused(lambda: rename(client, manifest, f"/backups/.incoming/{uuid.uuid4().hex}"))
        refused(lambda: rename(client, stray, manifest, "OVERWRITE"))
        refused(lambda: client.delete(manifest))
        refused(lambda: client.delete(folder, recursive=True))
        refused(lambda: client.delete(repo, recursive=True))
        refused(lambda: client.delete("/backups", recursive=True))
        refused(lambda: client.set_times(manifest, modification_time=1))
        refused(lambda: client.set_owner(folder, owner="somebody"), "not a super user|Permission denied")
        assert client._request("POST", truncation(client, manifest)).status_code == 403
    finally:
        users["writer"].delete(stray)
    assert contents(users["reader"], folder) == before


def truncation(client: InsecureClient, path: str) -> str:
    """hdfscli has no call for it."""
    return f"{client.url}/webhdfs/v1{path}?op=TRUNCATE&newlength=0&user.name={client._session.params['user.name']}"


@pytest.mark.parametrize("role", ["reader", "keeper"])
def test_only_the_writer_may_rename_a_snapshot_or_open_it_again(users: Clients, published: Report, role: str) -> None:
    folder = published.hdfs_path
    refused(lambda: rename(users[role], folder, f"{folder}x"))
    refused(lambda: users[role].set_permission(folder, "755"))


def test_nobody_removes_or_renames_the_whole_archive(users: Clients, published: Report) -> None:
    for client in users.values():
        refused(lambda c=client: c.delete("/backups", recursive=True), "protected directory|Permission denied")  # type: ignore[misc]
        refused(lambda c=client: rename(c, "/backups", "/gone"), "protected directory|Permission denied")  # type: ignore[misc]
    refused(lambda: users["superuser"].delete("/backups", recursive=True), "protected directory")


def test_a_sealed_repository_takes_further_snapshots_and_a_lost_race_leaves_nothing(
    stack: Settings, users: Clients, tmp_path: Path
) -> None:
    name = f"worm/{uuid.uuid4().hex[:12]}"
    source = gitmake.empty(tmp_path / "source.git")
    source.commit("main", 1)
    archived(stack, source, tmp_path, name)
    source.commit("main", 2)
    report = archived(stack, source, tmp_path, name)
    assert report.snapshot.startswith("000002-") and report.outcome == "published"
    # Another writer's second snapshot, published by a rename that came too late.
    store = open_store(stack.archive, stack.archive_writer)
    manifest = Archive(store).require(name)
    late = publish.Upload(store)
    with pytest.raises(ArchiveConflict):
        late.publish(manifest)
    assert late.id not in users["reader"].list("/backups/.incoming")
    assert sorted(n[:7] for n in users["reader"].list(f"/backups/{name}")) == ["000001-", "000002-"]


def test_a_sealed_upload_that_is_given_up_can_be_removed(stack: Settings, users: Clients) -> None:
    store = open_store(stack.archive, stack.archive_writer)
    upload = publish.Upload(store)
    store.write(f"{upload.path}/pack-1.packidx", [b"content"])
    store.seal(upload.path)
    upload.discard()
    assert upload.id not in users["reader"].list("/backups/.incoming")
    upload.discard()  # nothing there is no error


def test_what_the_writer_destroys_comes_back_from_the_days_hdfs_snapshot(
    stack: Settings, users: Clients, published: Report
) -> None:
    """The writer owns its files, so it can reopen and delete them: evident, and reversible, but not prevented."""
    writer, reader, folder = users["writer"], users["reader"], published.hdfs_path
    before = contents(reader, folder)
    day = datetime(2001, 1, 1, tzinfo=UTC)
    path = freeze(stack, day)
    assert path == "/backups/.snapshot/pivo-2001-01-01" == freeze(stack, day)  # one a day
    try:
        writer.set_permission(folder, "755")
        assert writer.delete(folder, recursive=True)
        frozen = f"{path}{folder.removeprefix('/backups')}"
        refused(lambda: writer.delete(f"{frozen}/manifest.json.gz"), "read-only snapshot")
        refused(lambda: writer.delete_snapshot("/backups", "pivo-2001-01-01"), "not the owner")
        refused(lambda: writer.create_snapshot("/backups", "forged"), "not the owner")
        refused(lambda: writer.set_permission("/backups", "777"), "not the owner")
        assert contents(reader, frozen) == before
    finally:
        users["keeper"].delete_snapshot("/backups", "pivo-2001-01-01")


def test_a_freeze_that_hdfs_refuses_is_an_error_that_says_who_can_mend_it(stack: Settings) -> None:
    store = open_store(stack.archive, stack.archive_writer)
    assert isinstance(store, HdfsStore)
    with pytest.raises(ArchiveError, match="not the owner"):
        store.freeze("pivo-forged")
