"""Consolidation: fewer packs for a reader, and never an object, a ref or an old snapshot less."""

from __future__ import annotations

import base64
import hashlib
import random
import shutil
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import gitmake
from archive_kit import ENVIRONMENT, Vault, rebuilt
from gitmake import Repo, put
from pivo.consolidation import after_snapshot, consolidated
from pivo.errors import ArchiveConflict, ArchiveError
from pivo.gitobjects import object_id
from pivo.models import Manifest, RepoName, StoredPack
from pivo.snapshot import consolidate as consolidation
from pivo.snapshot import manifest as manifests
from pivo.snapshot.blocks import BlockCache
from pivo.snapshot.consolidate import FAN, MOST, due
from pivo.snapshot.history import commits_of_snapshot
from pivo.snapshot.objects import ObjectReader
from pivo.snapshot.repack import Repack
from pivo.snapshot.summary import LARGE, may_hold, summarise

NAME = RepoName.parse("acme/odd")


def pack(number: int, size: int, level: int = 0) -> StoredPack:
    return StoredPack(f"{number:06d}-{'a' * 12}", f"{number:040x}", size, "", 0, "", 1, level=level)


def of(*packs: StoredPack) -> Any:
    return type("M", (), {"packs": packs})()


def nights(vault: Vault, source: Repo, count: int, start: int = 0) -> list[Manifest]:
    """That many nights with one commit each."""
    made = []
    for n in range(start, start + count):
        source.commit("main", 500 + n, put(f"night{n % 5}.txt", b"%d\n" % n * 50))
        vault.ingest(source)
        made.append(vault.latest())
    return made


def run(vault: Vault, **options: Any) -> Manifest | None:
    return consolidated(
        vault.store, vault.events, NAME, scratch=vault.folder / "scratch", environment=ENVIRONMENT, **options
    )


def test_nights_are_due_when_a_reader_has_too_many_packs() -> None:
    small = [pack(n, 100 + n) for n in range(MOST)]
    assert due(of(*small[:-1])) == ()
    assert due(of(*small)) == tuple(small)


def test_a_pack_that_outweighs_its_level_is_left_alone() -> None:
    first, small = pack(1, 1_000_000), [pack(n, 100) for n in range(2, MOST + 1)]
    assert due(of(first, *small[:-1])) == ()
    assert due(of(first, *small)) == tuple(small)


def test_the_heavy_nights_of_a_year_are_not_written_again() -> None:
    heavy = [pack(n, 10_000 * 2**n) for n in range(1, 6)]
    light = [pack(n, 1000) for n in range(6, MOST + 1)]
    assert due(of(*heavy, *light)) == tuple(light)
    few = light[: FAN - 1]
    many = [pack(n, 10_000 + n) for n in range(100, 100 + MOST - len(few))]
    assert due(of(*few, *many)) == (*few, *many), "unless too few would be left"


def test_what_a_base_builds_on_stays_as_long_as_the_base() -> None:
    heavy = replace(pack(5, 50_000), bases=(pack(2, 900).key,))
    firm = replace(pack(2, 900), bases=(pack(1, 1000).key,))
    light = [pack(n, 1000) for n in range(6, MOST + 4)]
    assert due(of(pack(1, 1000), firm, heavy, *light)) == tuple(light)
    assert due(of(pack(1, 1000), firm, *light)) == (pack(1, 1000), firm, *light)


def test_nights_of_very_different_sizes_stay_few_packs_too() -> None:
    pick = random.Random(3)
    packs, most, sizes, written = (pack(1, 100_000),), 0, [], 0
    for night in range(2, 1500):
        sizes.append(int(2000 * pick.paretovariate(1.1)))
        firm = [p for p in packs if not p.bases]
        bases = (pick.choice(firm).key,) if sizes[-1] < 20_000 else ()
        packs = (*packs, replace(pack(night, sizes[-1]), bases=bases))
        if chosen := due(of(*packs)):
            assert not {p.key for p in chosen} & {k for p in packs if p not in chosen for k in p.bases}
            level = 1 + max(p.level for p in chosen)
            made = pack(10_000 + night, sum(p.size for p in chosen), level)
            packs = (*(p for p in packs if p not in chosen), made)
            written += made.size
        most = max(most, len(packs))
        if night == 365:
            assert written < 0.7 * sum(sizes), "the large ones are not written again"
    assert most <= MOST


def test_few_nights_take_the_next_level_along_so_that_nothing_is_written_twice() -> None:
    upper = [pack(n, 2000, level=1) for n in range(1, MOST - FAN + 2)]
    lower = [pack(n, 100) for n in range(100, 99 + FAN)]
    assert due(of(*upper, *lower)) == (*upper, *lower)
    more = pack(99, 100)
    assert due(of(*upper[1:], more, *lower)) == (more, *lower)


def test_a_reader_has_few_packs_after_any_number_of_nights() -> None:
    packs, most, written = (pack(1, 10_000_000),), 0, 0
    for night in range(2, 4000):
        packs = (*packs, pack(night, 5000))
        chosen = due(of(*packs))
        if chosen:
            level = 1 + max(p.level for p in chosen)
            packs = (*(p for p in packs if p not in chosen), pack(night, sum(p.size for p in chosen), level))
            written += sum(p.size for p in chosen)
        most = max(most, len(packs))
        if night <= 600:
            assert written <= 5000 * night, "each object once"
    assert most < MOST and written <= 3 * 5000 * night


def test_every_object_is_kept_lost_ones_too_and_old_snapshots_read_as_before(
    vault: Vault, odd: Repo, tmp_path: Path
) -> None:
    vault.ingest(odd)
    lost = odd.commit("gone", 400, put("lost.txt", b"only here\n"), parents=["refs/heads/main"])
    vault.ingest(odd)
    odd("update-ref", "-d", "refs/heads/gone")
    before = nights(vault, odd, 5)
    ids = {oid for p in before[-1].packs for oid in _ids(vault, before[-1], p)}
    done = run(vault, everything=True)
    assert done and len(done.packs) == 1 and len(done.replaces) == len(before[-1].packs)
    assert (done.refs, done.lost, done.files) == (before[-1].refs, before[-1].lost, before[-1].files)
    assert lost in ids and set(_ids(vault, done, done.packs[0])) == ids
    assert rebuilt(vault, done, tmp_path / "new").objects() == odd.objects()
    for old in before:
        assert rebuilt(vault, old, tmp_path / old.dirname)("fsck", "--full", "--strict") is not None
    assert vault.archive.resolve(NAME, lost[:9]).commit == lost
    with vault.archive.objects(vault.latest()) as objects:
        assert objects.read_file(lost, "lost.txt") == b"only here\n"


def test_it_continues_the_chain_and_the_next_night_builds_on_it(vault: Vault, odd: Repo) -> None:
    vault.ingest(odd)
    last = nights(vault, odd, 3)[-1]
    done = run(vault, everything=True)
    assert done and done.previous and done.previous.snapshot == last.dirname
    assert done.previous.manifest_sha256 == manifests.digest(vault.archive.manifest_bytes(NAME, last.dirname))
    assert manifests.load(manifests.dump(done), "x") == done
    after = nights(vault, odd, 1, start=50)[-1]
    assert [p.key for p in after.packs[:-1]] == [p.key for p in done.packs] and after.replaces == ()
    assert {f.name for f in vault.store.list(vault.archive.path(NAME, done.dirname))} == {
        "manifest.json.gz",
        done.packs[0].file_name,
    }


def test_no_commit_is_told_twice_even_when_it_is_announced_late(vault: Vault, odd: Repo, tmp_path: Path) -> None:
    vault.ingest(odd)
    nights(vault, odd, 3)
    vault.events.away = True
    done = run(vault, everything=True)
    assert done is not None
    vault.events.away = False
    assert list(commits_of_snapshot(vault.archive, done, tmp_path / "w", ENVIRONMENT)) == []
    vault.ingest(odd)
    told = [c.hash for a in vault.events.sent for c in a.commits]
    assert len(told) == len(set(told))
    assert vault.events.sent[-1].manifest == done and vault.events.sent[-1].updates == []
    again = run(vault, everything=True)
    assert again is None, "one pack is enough"


def test_it_runs_by_itself_when_it_is_due_and_keeps_the_first_snapshot(vault: Vault, odd: Repo) -> None:
    vault.ingest(odd)
    nights(vault, odd, MOST - 1)
    places = {"scratch": vault.folder / "scratch", "environment": ENVIRONMENT}
    made = after_snapshot(vault.store, vault.events, NAME, **places)
    assert made and len(made.replaces) == MOST - 1 and [p.level for p in made.packs] == [0, 1]
    assert after_snapshot(vault.store, vault.events, NAME, **places) is None
    assert vault.scratch == [] and vault.incoming == []
    assert vault.events.announced("acme/odd") == made.seq


def test_a_damaged_pack_is_named_and_nothing_is_published(vault: Vault, odd: Repo) -> None:
    vault.ingest(odd)
    last = nights(vault, odd, 2)[-1]
    file = vault.folder / "archive" / vault.archive.path(NAME, last.packs[-1].snapshot, last.packs[-1].file_name)
    body = bytearray(file.read_bytes())
    body[len(body) // 2] ^= 1
    file.chmod(0o644)
    file.write_bytes(body)
    with pytest.raises(ArchiveError, match=last.packs[-1].file_name):
        run(vault, everything=True)
    assert vault.latest() == last and vault.incoming == [] and vault.scratch == []


def test_an_incomplete_repack_is_refused(vault: Vault, odd: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    vault.ingest(odd)
    last = nights(vault, odd, 3)[-1]
    whole = Repack._git

    def forgetful(self: Any, *args: str, stdin: bytes | None = None) -> bytes:
        if "pack-objects" in args:
            assert stdin
            stdin = b"".join(stdin.splitlines(keepends=True)[1:])
        return whole(self, *args, stdin=stdin)

    monkeypatch.setattr(Repack, "_git", forgetful)
    with pytest.raises(ArchiveError, match="are missing"):
        run(vault, everything=True)
    assert vault.latest() == last and vault.incoming == []


def test_a_writer_who_was_faster_wins(vault: Vault, odd: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    vault.ingest(odd)
    nights(vault, odd, 3)
    repack = Repack.repack

    def slow(self: Any, *args: Any) -> Any:
        nights(vault, odd, 1, start=90)
        return repack(self, *args)

    monkeypatch.setattr(Repack, "repack", slow)
    with pytest.raises(ArchiveConflict):
        run(vault, everything=True)
    assert vault.latest().replaces == () and vault.incoming == []


def test_a_night_that_is_published_does_not_fail_with_its_consolidation(
    vault: Vault, odd: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault.ingest(odd)
    last = nights(vault, odd, 4)[-1]
    shutil.rmtree(vault.folder / "archive" / vault.archive.path(NAME, last.packs[-1].snapshot))
    monkeypatch.setattr(consolidation, "MOST", 5)
    monkeypatch.setattr(consolidation, "FAN", 4)
    places = {"scratch": vault.folder / "scratch", "environment": ENVIRONMENT}
    assert after_snapshot(vault.store, vault.events, NAME, **places) is None


def test_a_summary_spares_the_indexes_of_packs_that_do_not_have_an_object(vault: Vault, odd: Repo) -> None:
    vault.ingest(odd)
    manifest = nights(vault, odd, 12)[-1]
    opened: list[str] = []
    store = vault.store

    class Watched:
        url = store.url

        def read(self, path: str, offset: int = 0, length: int | None = None) -> bytes:
            opened.append(path)
            return bytes(store.read(path, offset, length))

    reader = ObjectReader(Watched(), manifest, BlockCache())  # type: ignore[arg-type]
    assert reader.read_file(odd("rev-parse", "main~11"), "night0.txt").startswith(b"0\n")
    assert len({p.rsplit("/", 1)[0] for p in opened}) <= 3
    without = replace(manifest, packs=tuple(replace(p, summary="") for p in manifest.packs))
    for oid in odd.objects():
        assert reader.get(oid) == ObjectReader(store, without).get(oid)


def test_a_summary_never_denies_an_object(odd_source: Repo, tmp_path: Path) -> None:
    index = next((odd_source.path / "objects" / "pack").glob("*.idx"))
    summary = summarise(index)
    held = [bytes.fromhex(oid) for oid in odd_source.objects()]
    assert all(may_hold(summary, oid) and may_hold(summary, oid[:2]) for oid in held)
    others = (hashlib.sha1(b"%d" % n, usedforsecurity=False).digest() for n in range(20_000))
    assert sum(may_hold(summary, oid) for oid in others) < 20
    assert may_hold("", b"ab") and may_hold(summary, b"") and may_hold("no base64!", b"ab")
    assert may_hold(base64.b64encode(zlib.compress(b"\x02\x01\x01")).decode(), b"abcdefgh")  # cut short


def test_a_summary_is_not_given_to_an_index_that_was_made_to_fill_a_bucket(tmp_path: Path) -> None:
    for same, made in ((255, True), (256, False)):
        names = sorted(b"\xab" * 4 + n.to_bytes(16, "big") for n in range(same))
        names += [hashlib.sha1(b"%d" % n, usedforsecurity=False).digest() for n in range(300)]
        index = tmp_path / f"{same}.idx"
        index.write_bytes(bytes(1028) + len(names).to_bytes(4, "big") + b"".join(sorted(names)))
        assert bool(summarise(index)) == made


def test_a_large_packs_summary_is_in_its_own_snapshots_manifest_only(
    vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = gitmake.empty(tmp_path / "large.git")
    for part in range(3):
        first, last = part * (LARGE + 1), (part + 1) * (LARGE + 1)
        repo.load(*(b"blob\nmark :%d\ndata %d\n%d\n" % (n + 1, len(str(n)), n) for n in range(first, last)))
        ids = (object_id("blob", b"%d" % n) for n in range(first, last))
        tree = repo("mktree", stdin="".join(f"100644 blob {o}\t{n}\n" for n, o in enumerate(ids)).encode())
        repo("update-ref", f"refs/heads/b{part}", repo("commit-tree", "-m", "x", tree))
        repo("symbolic-ref", "HEAD", f"refs/heads/b{part}")
        vault.ingest(repo)
    manifest = vault.latest()
    for made in (vault.archive.manifest(NAME, s.dirname) for s in vault.archive.snapshots(NAME)):
        assert [bool(p.summary) for p in made.packs] == [p.snapshot == made.dirname for p in made.packs]
    opened: list[str] = []
    store = vault.store

    class Watched:
        url = store.url

        def read(self, path: str, offset: int = 0, length: int | None = None) -> bytes:
            opened.append(path)
            return bytes(store.read(path, offset, length))

    for part, pack in enumerate(manifest.packs):
        reader = ObjectReader(Watched(), manifest, BlockCache())  # type: ignore[arg-type]
        opened.clear()
        assert reader.get(object_id("blob", b"%d" % (part * (LARGE + 1) + 7)))[0] == "blob"
        assert {p for p in opened if p.endswith(".packidx")} == {
            vault.archive.path(NAME, pack.snapshot, pack.file_name)
        }
    # Where they are in the manifest of a consolidation, that is read in their place.
    monkeypatch.setattr(manifests, "LARGE", 3 * LARGE)
    monkeypatch.setattr(consolidation, "due", lambda last: last.packs[3:])
    for n in range(2):
        repo.commit("b2", n, put("night.txt", b"%d" % n))
        vault.ingest(repo)
    merged = run(vault)
    assert merged and [bool(p.summary) for p in vault.archive.manifest(NAME, merged.dirname).packs] == [True] * 4
    opened.clear()
    plain = replace(merged, packs=tuple(replace(p, summary="") for p in merged.packs))
    reader = ObjectReader(Watched(), plain, BlockCache())  # type: ignore[arg-type]
    assert reader.get(object_id("blob", b"7"))[1] == b"7"
    assert [p for p in opened if p.endswith(manifests.NAME)] == [f"{NAME}/{merged.dirname}/{manifests.NAME}"]
    # Without the manifest that has it, the index is asked.
    path = vault.folder / "archive" / vault.archive.path(NAME, manifest.packs[1].snapshot, manifests.NAME)
    path.unlink()
    assert ObjectReader(store, manifest, BlockCache()).get(object_id("blob", b"7"))[1] == b"7"


def _ids(vault: Vault, manifest: Manifest, pack: StoredPack) -> list[str]:
    reader = ObjectReader(vault.store, manifest, BlockCache(), packs=[pack])
    return [oid for digit in "0123456789abcdef" for oid in reader.with_prefix(digit)]
