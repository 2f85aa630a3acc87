"""Ingest: what a snapshot holds, first and after each way that a repository can move on; and what failures leave."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import gitmake
import pivo.ingest
from archive_kit import Vault, rebuilt
from gitmake import Repo, log_of
from pivo.errors import ArchiveConflict, ArchiveError, NotFound, SourceError, Unavailable, UsageError
from pivo.gitobjects import text
from pivo.models import ZERO, Manifest
from pivo.snapshot import manifest as manifests
from pivo.snapshot import publish
from pivo.source import counts


def check(vault: Vault, source: Repo, folder: Path, commits: set[str] | None = None) -> Manifest:
    """The newest snapshot is the source: refs, every object, every commit with its changes; the manifest in order."""
    manifest = vault.latest()
    refs = {name: oid for name, oid in source.refs().items() if counts(name)}
    assert {r.name: r.target for r in manifest.refs} == refs
    for ref in manifest.refs:
        assert ref.commit == source("rev-parse", f"{ref.target}^{{}}"), ref
    head = [manifest.head] if manifest.head != ZERO else []
    tips = [*refs.values(), *head]
    copy = rebuilt(vault, manifest, folder / f"copy{manifest.seq}.git")
    copy("fsck", "--full")
    if tips:
        assert copy.objects(*tips) == source.objects(*tips)
    told = vault.events.sent[-1]
    assert manifests.dump(told.manifest) == manifests.dump(manifest)
    assert told.path.endswith(f"/{manifest.repo}/{manifest.dirname}")
    assert commits is None or {c.hash for c in told.commits} == commits
    assert manifest.commits == len(told.commits)
    if head:
        listed = source.raw("ls-tree", "-r", "-z", "--name-only", manifest.head)
        assert manifest.files == listed.count(b"\0")
    changes_are_gits(source, told.commits)
    assert vault.incoming == [] and vault.scratch == []
    raw = vault.archive.manifest_bytes(manifest.repo, manifest.dirname)
    assert manifests.dump(manifest) == raw
    if manifest.previous:
        before = vault.archive.manifest_bytes(manifest.repo, manifest.previous.snapshot)
        assert manifest.previous.manifest_sha256 == hashlib.sha256(before).hexdigest()
    return manifest


def changes_are_gits(source: Repo, commits: list[Any]) -> None:
    if not commits:
        return
    expected = log_of(source, "--no-walk", *(c.hash for c in commits))
    order = {c.hash: n for n, c in enumerate(commits)}
    for commit in commits:
        body = source.raw("cat-file", "commit", commit.hash)
        assert body.startswith(b"tree " + commit.tree.encode())
        assert [p.decode() for p in gitmake.parents_of(body)] == list(commit.parents)
        assert all(order[p] < order[commit.hash] for p in commit.parents if p in order), "parents first"
        zero = "0" * 40
        said = [
            (f.status, f.mode or "000000", f.blob or zero, f.old_blob or zero, f.path) for f in commit.files
        ]  # fmt: skip
        assert said == [(s, mode, new, old, text(path)) for s, _, mode, old, new, path in expected[commit.hash]]


def new_since(source: Repo, *old: str) -> set[str]:
    return set(source("rev-list", "--all", "HEAD", "--not", *old).split())


def test_a_first_snapshot_is_the_repository(vault: Vault, odd: Repo, tmp_path: Path) -> None:
    report = vault.ingest(odd)
    odd("update-ref", "-d", "refs/pull/1/head")
    manifest = check(vault, odd, tmp_path, commits=new_since(odd))
    assert (report.outcome, report.snapshot, report.commits) == ("published", manifest.dirname, manifest.commits)
    assert manifest.dirname == f"000001-{odd('rev-parse', 'main')[:12]}"
    assert manifest.head_ref == "refs/heads/main" and manifest.previous is None and manifest.lost == ()
    signed = next(c for c in vault.events.sent[0].commits if c.hash == manifest.head)
    assert signed.signed and signed.message.startswith("signed octopus")
    assert {c.author.name for c in vault.events.sent[0].commits} == {"Ada", "Jürgen"}
    assert "Grüße" in {c.subject for c in vault.events.sent[0].commits}
    assert report.objects == len(odd.objects())


def test_an_unchanged_repository_gets_a_heartbeat_and_nothing_else(vault: Vault, odd: Repo) -> None:
    first = vault.ingest(odd)
    files = sorted((vault.folder / "archive").rglob("*"))
    again = vault.ingest(odd)
    assert (again.outcome, again.snapshot, again.commits, again.bytes) == ("unchanged", first.snapshot, 0, 0)
    assert sorted((vault.folder / "archive").rglob("*")) == files
    assert vault.events.heartbeats == [("acme/odd", first.snapshot, first.head)] and len(vault.events.sent) == 1


def test_incremental_snapshots_of_merges_side_branches_and_new_roots(vault: Vault, odd: Repo, tmp_path: Path) -> None:
    vault.ingest(odd)
    odd("update-ref", "-d", "refs/pull/1/head")
    first = odd("rev-list", "--max-parents=0", "main").split()[-1]
    old = odd("rev-parse", "side~1")

    def step(*made: str) -> Manifest:
        before = [r.target for r in vault.latest().refs]
        vault.ingest(odd)
        manifest = check(vault, odd, tmp_path, new_since(odd, *before))
        assert set(made) <= {c.hash for c in vault.events.sent[-1].commits}
        return manifest

    step(odd.commit("main", 200))
    # a merge whose second parent is old, one whose first parent is old, a branch off the very first commit
    step(odd.commit("main", 201, parents=["refs/heads/main", old]))
    step(odd.commit("main", 202, gitmake.put("lib/extra", b"changed\n"), parents=[old, "refs/heads/main"]))
    step(odd.commit("from-the-root", 203, parents=[first]), odd.commit("root2", 204, parents=[]))
    # several commits at once, each in a folder that the others leave alone, then all of it reverted
    first_state = odd("rev-parse", "main^{tree}")
    step(
        *(
            odd.commit("main", 210 + n, gitmake.put(f"{name}/new", b"%d\n" % n))
            for n, name in enumerate(("deep/er", "lib"))
        )
    )
    step(*(odd.commit("main", 220 + n, *change) for n, change in enumerate((
        [gitmake.put("src/again", b"1\n")], [b"M 040000 " + first_state.encode() + b" \n"], [gitmake.gone("lib/a.c")],
        [b"M 040000 " + odd("rev-parse", f"{first}^{{tree}}").encode() + b" copy\n"],
    ))))  # fmt: skip
    # old content again, which the server need not send a second time
    step(odd.commit("main", 205, b"M 040000 " + odd("rev-parse", f"{first}^{{tree}}:src").encode() + b" src\n"))
    step(odd.commit("main", 206, b"R lib shallow\n"), odd.commit("main", 207, b"deleteall\n"))
    step(odd.commit("side", 208, gitmake.gone("side"), gitmake.put("side/now/folder", b"f\n")))
    step(odd.commit("side", 209, gitmake.gone("side"), gitmake.put("side", b"file\n", b"100755")))
    step(odd.commit("all", 210, parents=["refs/heads/main", "refs/heads/root2", "refs/heads/side", "refs/heads/third"]))


def test_an_increment_is_small_and_has_all_that_its_deltas_need(vault: Vault, odd: Repo, tmp_path: Path) -> None:
    first = vault.ingest(odd)
    grown = odd.raw("show", "main:deep/er/grows.txt") + b"and one more\n"
    odd.commit("main", 200, gitmake.put("deep/er/grows.txt", grown))
    second = vault.ingest(odd)
    assert (second.commits, second.objects) == (1, 5)  # the commit, three trees, the file
    assert second.bytes < first.bytes / 3
    alone = gitmake.empty(tmp_path / "alone.git")
    base, pack = vault.latest().packs
    assert (base.bases, pack.bases) == ((), (base.key,))
    for stored, how in ((base, ()), (pack, ("--fix-thin",))):
        body = vault.store.read(vault.archive.path("acme/odd", stored.snapshot, stored.file_name))[: stored.size]
        alone("index-pack", "--stdin", *how, stdin=body)
    assert alone.objects(vault.latest().head) == odd.objects("main")
    assert hashlib.sha256(body).hexdigest() == pack.sha256


def test_refs_that_move_without_new_objects(vault: Vault, odd: Repo, tmp_path: Path) -> None:
    vault.ingest(odd)
    odd("update-ref", "-d", "refs/pull/1/head")
    odd("branch", "copy", "main")
    odd("tag", "-f", "light", "third")
    odd("symbolic-ref", "HEAD", "refs/heads/side")
    report = vault.ingest(odd)
    manifest = check(vault, odd, tmp_path, commits=set())
    assert report.outcome == "published" and manifest.own_packs == () and report.bytes == 0
    assert (manifest.head_ref, manifest.head) == ("refs/heads/side", odd("rev-parse", "side"))
    assert {u.name for u in vault.events.sent[-1].updates} == {"refs/heads/copy", "refs/tags/light"}
    odd("symbolic-ref", "HEAD", "refs/heads/weird/ü")  # the same commit by another name is another state
    assert vault.ingest(odd).outcome == "published"
    assert vault.latest().head_ref == "refs/heads/weird/ü"


def test_refs_that_follow_others_are_told_of(vault: Vault, odd: Repo, tmp_path: Path) -> None:
    odd("symbolic-ref", "refs/heads/current", "refs/heads/main")
    odd("symbolic-ref", "refs/heads/nowhere", "refs/heads/not-there")
    vault.ingest(odd)
    manifest = check(vault, odd, tmp_path)
    assert manifest.symrefs == (("refs/heads/current", "refs/heads/main"),)
    assert manifests.load(manifests.dump(manifest), "x") == manifest
    assert vault.ingest(odd).outcome == "unchanged"
    odd("branch", "same", "main")
    vault.ingest(odd)
    odd("symbolic-ref", "refs/heads/current", "refs/heads/same")  # the same commit by another name is another state
    assert vault.ingest(odd).outcome == "published"
    assert check(vault, odd, tmp_path / "2", commits=set()).symrefs == (("refs/heads/current", "refs/heads/same"),)


def test_a_new_annotated_tag_on_old_commits(vault: Vault, odd: Repo, tmp_path: Path) -> None:
    vault.ingest(odd)
    odd("update-ref", "-d", "refs/pull/1/head")
    odd("tag", "-a", "-m", "late", "late", "main~5")
    odd("tag", "-a", "-m", "of a tag", "later", "late")
    odd("tag", "-a", "-m", "of a blob", "blobby", odd("rev-parse", "main:kind"))
    assert vault.ingest(odd).objects == 3
    check(vault, odd, tmp_path, commits=set())


def test_what_a_force_push_loses_stays_and_is_said(vault: Vault, odd: Repo, tmp_path: Path) -> None:
    vault.ingest(odd)
    odd("update-ref", "-d", "refs/pull/1/head")
    lost = odd("rev-parse", "side")
    odd("update-ref", "refs/heads/weird/ü", "third")
    odd("update-ref", "refs/heads/main", "main~4")  # a rewind, the merge of side gone with it
    new = odd.commit("side", 200, parents=["main~9"])
    odd("update-ref", "-d", "refs/tags/v2")
    odd("update-ref", "-d", "refs/tags/v2-again")
    odd("update-ref", "-d", "refs/heads/nothing")
    vault.ingest(odd)
    manifest = check(vault, odd, tmp_path, {new})
    forced = {u.name: u.forced for u in vault.events.sent[-1].updates if u.old and u.new}
    assert forced == {"refs/heads/side": True, "refs/heads/main": True, "refs/heads/weird/ü": True}
    assert lost in manifest.lost and vault.events.sent[0].manifest.head in manifest.lost
    with vault.archive.objects(manifest) as objects:
        assert objects.commit(lost).subject == "side two"
    later = odd.commit("main", 201)
    vault.ingest(odd)
    assert set(manifest.lost) <= set(check(vault, odd, tmp_path, {later}).lost)
    odd("update-ref", "refs/heads/side", lost) if odd("cat-file", "-t", lost) else None
    vault.ingest(odd)
    assert lost not in vault.latest().lost


def test_a_fast_forward_to_what_was_archived_already_is_not_called_forced(vault: Vault, odd: Repo) -> None:
    odd("branch", "release", "main~30")
    vault.ingest(odd)
    odd("update-ref", "refs/heads/release", "main~3")
    odd("tag", "-f", "light", "main~2")
    vault.ingest(odd)
    moved = {u.name: u.forced for u in vault.events.sent[-1].updates}
    assert moved == {"refs/heads/release": False, "refs/tags/light": False}
    assert vault.latest().lost == ()
    odd("update-ref", "refs/heads/release", "main~30")
    vault.ingest(odd)
    assert [(u.name, u.forced) for u in vault.events.sent[-1].updates] == [("refs/heads/release", True)]


def test_an_empty_repository_that_is_filled_later(vault: Vault, tmp_path: Path) -> None:
    source = gitmake.empty(tmp_path / "new.git", "trunk")
    report = vault.ingest(source)
    assert (report.head, report.commits, report.refs, report.snapshot) == (ZERO, 0, 0, "000001-000000000000")
    assert vault.ingest(source).outcome == "unchanged"
    made = source.commit("trunk", 1)
    vault.ingest(source)
    manifest = check(vault, source, tmp_path, {made})
    assert (manifest.head, manifest.head_ref, manifest.seq) == (made, "refs/heads/trunk", 2)


def test_a_repository_that_was_emptied_keeps_what_it_had(vault: Vault, odd: Repo) -> None:
    vault.ingest(odd)
    head = vault.latest().head
    for ref in odd.refs():
        odd("update-ref", "-d", ref)
    assert vault.ingest(odd).head == ZERO
    assert head in vault.latest().lost
    assert vault.archive.resolve("acme/odd", head[:10]).commit == head
    assert vault.archive.resolve("acme/odd", "side").snapshot.seq == 1


def test_an_unborn_head_takes_a_commit_of_a_branch(vault: Vault, odd: Repo) -> None:
    odd("symbolic-ref", "HEAD", "refs/heads/not-yet")
    vault.ingest(odd)
    assert vault.latest().head == odd("rev-parse", "main")
    assert vault.latest().head_ref in {None, "refs/heads/not-yet"}
    assert vault.ingest(odd).outcome == "unchanged"


def test_an_unborn_head_is_never_a_file(vault: Vault, odd: Repo) -> None:
    odd("symbolic-ref", "HEAD", "refs/heads/not-yet")
    for ref in odd.refs():
        if ref != "refs/tags/a-blob":
            odd("update-ref", "-d", ref)
    vault.ingest(odd)
    assert vault.latest().head == ZERO and [r.name for r in vault.latest().refs] == ["refs/tags/a-blob"]


def test_a_detached_head_that_no_ref_reaches_is_archived(vault: Vault, odd: Repo, tmp_path: Path) -> None:
    odd("update-ref", "-d", "refs/pull/1/head")
    far = odd.commit("tmp", 300, parents=["side"])
    odd("update-ref", "-d", "refs/heads/tmp")
    odd("update-ref", "--no-deref", "HEAD", far)
    vault.ingest(odd)
    manifest = check(vault, odd, tmp_path)
    assert (manifest.head, manifest.head_ref) == (far, None)
    further = odd.commit("tmp", 301, parents=[far])
    odd("update-ref", "-d", "refs/heads/tmp")
    odd("update-ref", "--no-deref", "HEAD", further)
    vault.ingest(odd)
    assert check(vault, odd, tmp_path, {further}).lost == ()
    odd("symbolic-ref", "HEAD", "refs/heads/main")
    vault.ingest(odd)
    assert further in vault.latest().lost


def test_refs_asked_for_besides_the_usual_ones(vault: Vault, odd: Repo) -> None:
    vault.ingest(odd)
    assert not any(r.name.startswith("refs/pull/") for r in vault.latest().refs)
    vault.ingest(odd, also=["refs/pull/"])
    assert any(r.name == "refs/pull/1/head" for r in vault.latest().refs)


def test_two_ingests_at_once_are_both_right(vault: Vault, odd: Repo, tmp_path: Path, monkeypatch: Any) -> None:
    vault.ingest(odd)
    odd("update-ref", "-d", "refs/pull/1/head")
    mine, both = odd.commit("main", 200), threading.Barrier(2)
    other = odd.copy(tmp_path / "other.git")
    theirs = other.commit("main", 201)
    firsts = iter(range(2))

    def together(upload: Any, *what: Any) -> None:
        if next(firsts, None) is not None:
            both.wait(30)
        publish_now(upload, *what)

    publish_now = publish.Upload.publish
    monkeypatch.setattr(publish.Upload, "publish", together)
    reports: dict[str, Any] = {}
    threads = [
        threading.Thread(target=lambda n=n, s=s: reports.update({n: vault.ingest(s)}))
        for n, s in {"mine": odd, "theirs": other}.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert {r.snapshot[:6] for r in reports.values()} == {"000002", "000003"}
    assert [r.outcome for r in reports.values()] == ["published"] * 2
    assert vault.incoming == [] and vault.scratch == []
    last = vault.latest()
    assert last.previous and last.previous.snapshot == min(r.snapshot for r in reports.values())
    with vault.archive.objects(last) as objects:
        assert objects.contains(mine) and objects.contains(theirs)
    assert not list((vault.folder / "archive" / "acme/odd").glob(".next*"))


def test_a_writer_that_died_between_claim_and_rename_is_finished_by_the_next(
    vault: Vault, odd: Repo, tmp_path: Path, monkeypatch: Any
) -> None:
    odd("update-ref", "-d", "refs/pull/1/head")

    class Killed(BaseException):
        pass

    def die(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(publish, "finish", die)
        vault.ingest(odd)
    assert vault.archive.snapshots("acme/odd") == [] and (vault.folder / "archive/acme/odd/.next-000001").is_dir()
    report = vault.ingest(odd)
    assert report.outcome == "unchanged" and report.announced == (report.snapshot,)
    check(vault, odd, tmp_path, new_since(odd))
    assert vault.archive.snapshots("acme/odd")[0].dirname == report.snapshot


def test_a_number_that_is_taken_all_the_time_is_a_conflict_and_leaves_nothing(
    vault: Vault, odd: Repo, monkeypatch: Any
) -> None:
    def taken(*_: Any) -> None:
        raise ArchiveConflict("Another writer published.", "Try again.")

    monkeypatch.setattr(publish.Upload, "publish", taken)
    with pytest.raises(ArchiveConflict):
        vault.ingest(odd)
    assert vault.incoming == [] and vault.scratch == []


def test_kafka_away_is_said_and_the_next_run_announces_just_that(vault: Vault, odd: Repo, tmp_path: Path) -> None:
    odd("update-ref", "-d", "refs/pull/1/head")
    vault.events.away = True
    with pytest.raises(Unavailable, match=r"archived as 000001-\w+, but could not be announced") as failed:
        vault.ingest(odd)
    assert failed.value.retry and "next snapshot" in failed.value.do
    one = new_since(odd)
    base = [*odd.refs().values()]
    odd.commit("main", 200, parents=["refs/heads/main", odd("rev-parse", "side~1")])
    with pytest.raises(Unavailable):
        vault.ingest(odd)
    two = new_since(odd, *base)
    vault.events.away = False
    report = vault.ingest(odd)
    assert report.outcome == "unchanged"
    assert [s.dirname for s in vault.archive.snapshots("acme/odd")] == list(report.announced)
    assert [{c.hash for c in told.commits} for told in vault.events.sent] == [one, two]
    for told in vault.events.sent:
        changes_are_gits(odd, told.commits)
    assert [u.forced for u in vault.events.sent[1].updates] == [False]
    assert vault.ingest(odd).announced == ()
    odd.commit("main", 201)
    assert len(vault.ingest(odd).announced) == 1


def test_another_process_that_announces_is_waited_for(vault: Vault, odd: Repo, monkeypatch: Any) -> None:
    refused = [ArchiveConflict("Another process announces acme/odd now.", "Try again.")]
    announce = vault.events.announce

    def fenced(*args: Any) -> int:
        if refused:
            raise refused.pop()
        return announce(*args)

    monkeypatch.setattr(vault.events, "announce", fenced)
    report = vault.ingest(odd)
    assert report.outcome == "published" and report.commits == vault.latest().commits and len(vault.events.sent) == 1


def test_an_archive_that_fails_midway_has_nothing_half_published(vault: Vault, odd: Repo, monkeypatch: Any) -> None:
    def away(path: str, *_: Any) -> None:
        raise Unavailable("HDFS does not answer.", "Start it.")

    for method in ("write", "rename", "list"):
        with monkeypatch.context() as patch, pytest.raises(Unavailable):
            patch.setattr(vault.store, method, away)
            vault.ingest(odd)
        assert vault.archive.repos() == [] and vault.scratch == [] and vault.events.sent == []
    assert vault.ingest(odd).outcome == "published"


def test_bytes_that_read_back_wrong_are_not_published(vault: Vault, odd: Repo, monkeypatch: Any) -> None:
    def flipped(path: str, offset: int = 0, length: int | None = None, chunk: int = 1 << 20) -> Any:
        for block in stream(path, offset, length, chunk):
            yield block[:-1] + bytes([block[-1] ^ 1])

    stream = vault.store.stream
    monkeypatch.setattr(vault.store, "stream", flipped)
    with pytest.raises(ArchiveError, match=r"pack-\w+\.packidx reads back"):
        vault.ingest(odd)
    assert vault.archive.snapshots("acme/odd") == [] and vault.incoming == []


def test_a_clock_that_goes_back_does_not_put_a_snapshot_before_an_earlier_one(
    vault: Vault, odd: Repo, monkeypatch: Any
) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime(2026, 5, 1, tzinfo=UTC) - timedelta(days=vault.events.announced("acme/odd"))

    monkeypatch.setattr(pivo.ingest, "datetime", Clock)
    vault.ingest(odd)
    odd.commit("main", 200)
    vault.ingest(odd)
    one, two = (vault.archive.manifest("acme/odd", s.dirname) for s in vault.archive.snapshots("acme/odd"))
    assert one.taken_at == two.taken_at == datetime(2026, 5, 1, tzinfo=UTC)
    assert vault.archive.as_of("acme/odd", datetime(2026, 5, 2, tzinfo=UTC)) == two


def test_a_hostile_or_long_name(vault: Vault, odd: Repo) -> None:
    for name in ("../evil", "-x/y", "a/b/c", "a" * 256):
        with pytest.raises(UsageError):
            vault.ingest(odd, name)
    assert vault.ingest(odd, "a" * 255).outcome == "published"


def test_a_killed_run_leaves_no_scratch_for_good(vault: Vault, odd: Repo) -> None:
    old, young = (vault.folder / "scratch" / f"ingest-{n}" for n in ("old", "young"))
    for folder in (old, young):
        folder.mkdir(parents=True)
    os.utime(old, (0, 0))
    vault.ingest(odd)
    assert vault.scratch == [young.name]


def test_abandoned_uploads_are_swept_and_fresh_ones_are_not(vault: Vault, odd: Repo) -> None:
    for name in ("old", "young"):
        vault.store.write(f".incoming/{name}/pack-x.packidx", [b"x"])
    os.utime(vault.folder / "archive/.incoming/old", (0, 0))
    vault.ingest(odd)
    assert vault.incoming == ["young"]


def test_a_clock_that_jumps_ahead_takes_no_upload_away_from_its_writer(
    vault: Vault, odd: Repo, monkeypatch: Any
) -> None:
    """Neither this machine's clock alone, nor the store's."""
    vault.store.write(".incoming/at-work/pack-x.packidx", [b"x"])
    ahead = time.time() + 3 * 86_400
    with monkeypatch.context() as patch:
        patch.setattr("pivo.snapshot.publish.time.time", lambda: ahead)
        assert vault.ingest(odd).outcome == "published"
        odd.commit("main", 300)
        assert vault.ingest(odd).outcome == "published"
    os.utime(vault.folder / "archive" / ".incoming", (time.time() + 3 * 86_400,) * 2)
    assert vault.ingest(odd).outcome == "unchanged"
    assert vault.incoming == ["at-work"]


def test_a_tree_as_deep_as_git_allows(vault: Vault, tmp_path: Path) -> None:
    source = gitmake.empty(tmp_path / "deep.git")
    path = "/".join("d" * 1200)
    source.commit("main", 1, gitmake.put(f"{path}/file", b"1\n"))
    vault.ingest(source)
    assert vault.latest().files == 1
    source.commit("main", 2, gitmake.put(f"{path}/file", b"2\n"), gitmake.put(f"{path}/other", b"2\n"))
    vault.ingest(source)
    assert vault.latest().files == 2
    with vault.archive.objects(vault.latest()) as objects:
        assert objects.read_file(vault.latest().head, f"{path}/file") == b"2\n"


def test_a_missing_repository_has_no_snapshots(vault: Vault) -> None:
    with pytest.raises(NotFound, match="No repository none is in the archive"):
        vault.archive.require("none")
    with pytest.raises(SourceError, match="There is no"):
        vault.ingest(str(vault.folder / "nowhere"))


def test_plain_git_gets_a_pack_out_by_hand(vault: Vault, odd: Repo, tmp_path: Path) -> None:
    """`hdfs dfs -cat …/pack-<id>.packidx | git index-pack --stdin`: git stops where the pack ends, and the index that
    follows is the one that it makes itself."""
    vault.ingest(odd)
    (pack,) = vault.latest().packs
    raw = vault.store.read(vault.archive.path("acme/odd", pack.snapshot, pack.file_name))
    alone = gitmake.empty(tmp_path / "alone.git")
    assert f"pack\t{pack.id}".encode() in alone.raw("index-pack", "--stdin", stdin=raw)
    alone("fsck", "--full", "--no-dangling")
    (made,) = (tmp_path / "alone.git" / "objects" / "pack").glob("*.pack")
    assert made.read_bytes() + made.with_suffix(".idx").read_bytes() == raw
    for ref in vault.latest().refs:
        alone("update-ref", ref.name, ref.target)
    assert alone("rev-parse", "main") == odd("rev-parse", "main")


def test_an_empty_commit_on_what_is_archived_is_announced(vault: Vault, odd: Repo, tmp_path: Path) -> None:
    """Its tree is in the archive and on both sides of the comparison, and git opens it all the same."""
    vault.ingest(odd)
    for parent, tree in (("main", "main^{tree}"), ("main~7", "main~7^{tree}")):
        before = [r.target for r in vault.latest().refs]
        made = odd("commit-tree", odd("rev-parse", tree), "-p", parent, "-m", "nothing but a word")
        odd("update-ref", "refs/heads/main", made)
        assert len(vault.ingest(odd).announced) == 1
        told = vault.events.sent[-1].commits
        assert [(c.hash, c.files) for c in told] == [(made, ())] and not before.count(made)
