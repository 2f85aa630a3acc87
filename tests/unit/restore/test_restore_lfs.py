"""git LFS from the archive back to a forge, a folder, and to targets that take none."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import gitmake
from archive_kit import Vault
from gitmake import Repo
from lfs_kit import ATTRIBUTES, keep, of, place, tracked
from pivo.errors import TargetError, Unavailable
from pivo.lfs import Client, Refused
from pivo.restore.download import download
from pivo.restore.plan import RestorePlan, validate
from pivo.restore.push import Pushed, push
from pivo.restore.reconstruct import reconstruct
from pivo.settings import Settings
from pivo.snapshot.archive import Archive
from pivo.stack.localforge import ForgeServer
from pivo.store import LocalStore
from restore_kit import READ_ONLY, TOKEN

ONE, TWO, OLD = os.urandom(300_000), b"two" * 50_000, b"only in the past"


@pytest.fixture
def art(tmp_path: Path) -> Repo:
    """`past` has OLD at a path that `main` has ONE at; TWO is on `side` only."""
    repo = gitmake.empty(tmp_path / "art.git")
    repo.commit("main", 1, ATTRIBUTES, tracked("art/big file.bin", OLD))
    repo.commit("main", 2, tracked("art/big file.bin", ONE))
    repo.commit("side", 3, tracked("zweite-ä.bin", TWO), parents=["refs/heads/main"])
    keep(repo, ONE, TWO, OLD)
    return repo


@pytest.fixture
def vault(tmp_path: Path, store: LocalStore) -> Vault:
    vault = Vault(tmp_path / "vault")
    vault.store, vault.archive = store, Archive(store)
    return vault


def restore(settings: Settings, folder: Path, target: str, **asked: Any) -> Pushed:
    """A whole restore of acme/art without Spark."""
    plan = validate(settings, repo="acme/art", target=target, run_id="r1", **({"ref": "main"} | asked))
    plan = RestorePlan.from_json(plan.to_json())
    download(plan, folder / "packs", settings.archive, "reader")
    made = reconstruct(plan, folder)
    return push(plan, made.path, settings)


def objects(repo: Path) -> dict[str, bytes]:
    folder = repo / "lfs" / "objects"
    return {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_forge_gets_the_objects_of_the_restored_history_and_no_others(
    settings: Settings, vault: Vault, art: Repo, forge: ForgeServer, tmp_path: Path
) -> None:
    vault.ingest(art, "acme/art")
    done = restore(settings, tmp_path / "staging", "pivo/back")
    there = forge.forge.find("pivo", "back")
    assert there and objects(there.path) == {of(c).oid: c for c in (ONE, OLD)}
    assert (done.lfs, done.withheld) == (2, ())
    # as a client with a token gets them
    with Client(f"{forge.url}/pivo/back.git/info/lfs", settings.forge.token) as client:
        answer = client.batch("download", [of(ONE)])[of(ONE).oid]
        client.download(of(ONE), answer.actions["download"], tmp_path / "one")
    assert (tmp_path / "one").read_bytes() == ONE


def test_all_refs_bring_all_objects_into_a_folder_where_git_lfs_finds_them(
    settings: Settings, vault: Vault, art: Repo, tmp_path: Path
) -> None:
    vault.ingest(art, "acme/art")
    target = tmp_path / "back.git"
    done = restore(settings, tmp_path / "staging", target.as_uri(), ref="HEAD", all_refs=True)
    assert objects(target) == {of(c).oid: c for c in (ONE, TWO, OLD)} and done.lfs == 3
    again = Vault(tmp_path / "again")  # what came back archives as the original did
    assert again.ingest(target.as_uri(), "acme/art").missing == 0
    assert set(again.latest("acme/art").lfs) == {of(c) for c in (ONE, TWO, OLD)}


def test_an_empty_repository_that_is_there_is_filled_too(
    settings: Settings, vault: Vault, art: Repo, tmp_path: Path
) -> None:
    vault.ingest(art, "acme/art")
    target = gitmake.empty(tmp_path / "back.git")
    assert restore(settings, tmp_path / "staging", target.url).lfs == 2
    assert set(objects(target.path)) == {of(ONE).oid, of(OLD).oid}


def test_what_the_archive_lacks_or_has_damaged_is_withheld_by_path(
    settings: Settings, vault: Vault, art: Repo, forge: ForgeServer, tmp_path: Path
) -> None:
    place(art.path, OLD).unlink()
    vault.ingest(art, "acme/art")
    manifest = vault.latest("acme/art")
    stored = vault.store.root / "acme/art" / manifest.dirname / f"lfs-{of(ONE).oid}"
    body = bytearray(stored.read_bytes())
    body[1000] ^= 1
    stored.write_bytes(body)
    done = restore(settings, tmp_path / "staging", "pivo/back", ref="side")
    why = {(w.what, w.name): w.why for w in done.withheld}
    assert set(why) == {("lfs", "art/big file.bin")} and len(done.withheld) == 2
    told = " / ".join(w.why for w in done.withheld)
    assert "the archive does not have it: the source has no such object" in told and "is damaged" in told
    there = forge.forge.find("pivo", "back")
    assert there and objects(there.path) == {of(TWO).oid: TWO}
    assert set(done.refs) == {"refs/heads/side"}


def test_an_object_that_came_after_the_snapshot_is_brought_with_it(
    settings: Settings, vault: Vault, art: Repo, tmp_path: Path
) -> None:
    place(art.path, OLD).unlink()
    vault.ingest(art, "acme/art")
    first = vault.latest("acme/art").dirname
    keep(art, OLD)
    vault.ingest(art, "acme/art")
    target = tmp_path / "back.git"
    done = restore(settings, tmp_path / "staging", target.as_uri(), ref=first, all_refs=True)
    assert (done.lfs, done.withheld) == (3, ())


def test_a_target_without_lfs_gets_the_history_and_the_report_says_what_is_withheld(
    settings: Settings, vault: Vault, art: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pivo.restore.lfs.endpoint", lambda url: f"{url}/nowhere")
    vault.ingest(art, "acme/art")
    done = restore(settings, tmp_path / "staging", "pivo/back")
    assert done.refs["refs/heads/main"] == art("rev-parse", "main") and done.lfs == 0
    assert {(w.name, "takes no LFS objects" in w.why) for w in done.withheld} == {("art/big file.bin", True)}


def test_a_target_whose_lfs_server_is_away_is_tried_again_and_gets_no_refs(
    settings: Settings, vault: Vault, art: Repo, forge: ForgeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pivo.restore.lfs.endpoint", lambda _: "http://127.0.0.1:9/x.git/info/lfs")
    monkeypatch.setattr("pivo.restore.lfs.Client", lambda *a, **k: Client(*a, **k, sleep=lambda _: None))
    vault.ingest(art, "acme/art")
    with pytest.raises(Unavailable, match="did not answer"):
        restore(settings, tmp_path / "staging", "pivo/back")
    there = forge.forge.find("pivo", "back")
    assert there and forge.forge.branches(there) == []
    monkeypatch.undo()
    assert restore(settings, tmp_path / "staging2", "pivo/back").lfs == 2


def test_a_target_with_commits_gets_no_objects(
    settings: Settings, vault: Vault, art: Repo, forge: ForgeServer, tmp_path: Path
) -> None:
    vault.ingest(art, "acme/art")
    plan = validate(settings, repo="acme/art", ref="main", target="pivo/taken", run_id="r1")
    download(plan, tmp_path / "staging/packs", settings.archive, "reader")
    made = reconstruct(plan, tmp_path / "staging")
    taken = forge.forge.create("pivo", "taken", None, True)  # meanwhile
    art("push", "--quiet", str(taken.path), "main~1:refs/heads/theirs")
    with pytest.raises(TargetError):
        push(plan, made.path, settings)
    assert objects(taken.path) == {}


@pytest.mark.parametrize(("token", "status"), [("", 401), ("wrong", 401), (READ_ONLY, 403)])
def test_the_local_forge_takes_objects_from_those_who_may_push_only(
    forge: ForgeServer, token: str, status: int
) -> None:
    forge.forge.create("pivo", "x", None, True)
    with Client(f"{forge.url}/pivo/x.git/info/lfs", token) as client, pytest.raises(Refused, match=str(status)):
        client.batch("upload", [of(ONE)])


def test_the_local_forge_takes_no_other_bytes_than_the_ones_that_were_announced(forge: ForgeServer) -> None:
    repo = forge.forge.create("pivo", "x", None, True)
    with Client(f"{forge.url}/pivo/x.git/info/lfs", TOKEN) as client:
        actions = client.batch("upload", [of(ONE)])[of(ONE).oid].actions
        with pytest.raises(Refused, match="422"):
            client.upload(of(ONE), actions, lambda: [TWO[: len(ONE)], b"\0" * (len(ONE) - len(TWO))])
        client.upload(of(ONE), actions, lambda: [ONE])
        elsewhere = replace(actions["upload"], href=actions["upload"].href.replace(of(ONE).oid, of(TWO).oid))
        with pytest.raises(Refused, match="403"):  # the leave to bring one object is for no other
            client.upload(of(TWO), {"upload": elsewhere}, lambda: [TWO])
    assert objects(repo.path) == {of(ONE).oid: ONE}


def test_a_plan_without_lfs_asks_nobody(settings: Settings, vault: Vault, tmp_path: Path) -> None:
    plain = gitmake.linear(tmp_path / "plain.git", 3)
    vault.ingest(plain, "acme/art")
    plan = validate(settings, repo="acme/art", ref="main", target="pivo/back", run_id="r1")
    assert not plan.lfs
    assert replace(plan, lfs=True) == RestorePlan.from_json(replace(plan, lfs=True).to_json())
