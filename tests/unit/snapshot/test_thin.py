"""Thin packs: every object is git's, whatever a night brings, and is read from three packs at most."""

from __future__ import annotations

import json
import random
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from archive_kit import ENVIRONMENT, Vault, rebuilt
from gitmake import Repo
from life_kit import NAME, NIGHTS, Life, lived
from pivo.consolidation import consolidated
from pivo.errors import ArchiveError
from pivo.models import Manifest, StoredPack
from pivo.snapshot import consolidate as consolidation
from pivo.snapshot import localpacks, thin
from pivo.snapshot import manifest as manifests
from pivo.snapshot.blocks import BlockCache
from pivo.snapshot.history import commits_of_snapshot
from pivo.snapshot.localpacks import LocalIndex
from pivo.snapshot.objects import ObjectReader
from pivo.snapshot.packidx import copy_out
from pivo.snapshot.summary import ids


def everything(repo: Repo) -> dict[str, tuple[str, bytes]]:
    """Every object that any snapshot may have, as `git cat-file` has it."""
    ids = repo("cat-file", "--batch-all-objects", "--batch-check=%(objectname)").split()
    raw, found, at = repo.raw("cat-file", "--batch", stdin="\n".join(ids).encode()), {}, 0
    while at < len(raw):
        end = raw.index(b"\n", at)
        oid, kind, size = raw[at:end].decode().split()
        found[oid] = (kind, raw[end + 1 : end + 1 + int(size)])
        at = end + 2 + int(size)
    return found


def stored_ids(vault: Vault, pack: StoredPack, folder: Path) -> list[str]:
    raw = vault.store.read(f"{NAME}/{pack.snapshot}/{pack.file_name}")[pack.size :]
    path = folder / f"{pack.id}.idx"
    path.write_bytes(raw)
    with LocalIndex(path) as index:
        return [index.name(n).hex() for n in range(index.count)]


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> tuple[Life, Vault, list[Manifest]]:
    """Not to be changed."""
    return lived(tmp_path_factory.mktemp("life"), 1)


@pytest.mark.parametrize(("seed", "fan"), [(2, 5), (3, 4), (4, 6)])
def test_every_object_of_every_night_is_gits(tmp_path: Path, seed: int, fan: int) -> None:
    life, vault, made = lived(tmp_path, seed, fan)
    expected = everything(life.repo)
    packs = {p.key: p for m in made for p in m.packs}
    assert sum(p.thin for p in packs.values()) > NIGHTS // 2
    assert any(p.thin and p.level for p in packs.values()), "no consolidated pack is thin"
    assert any(packs[key].thin for p in packs.values() for key in p.bases), "none builds on a thin one"
    assert not any(packs[key].thin for p in packs.values() for on in p.bases for key in packs[on].bases)
    assert not any(packs[key].thin for p in packs.values() if p.level for key in p.bases)
    formats = set()
    for manifest in made:
        text = json.loads(manifests.text_of(vault.archive.manifest_bytes(NAME, manifest.dirname)))
        formats.add(text["format"])
        if text["format"] == 1:  # as it was before there was a second
            assert not any("bases" in p for p in text["packs"])
            thin_ones = {f"{p['snapshot']}/{p['id']}" for p in text["packs"] if "base" in p}
            assert thin_ones.isdisjoint(p.get("base") for p in text["packs"])
        assert {key for p in manifest.packs for key in p.bases} <= {p.key for p in manifest.packs}
        reader, held = ObjectReader(vault.store, manifest, BlockCache()), set()
        for pack in manifest.packs:
            ids = stored_ids(vault, pack, tmp_path)
            assert len(ids) == pack.objects
            held |= set(ids)
        assert {oid: reader.get(oid) for oid in held} == {oid: expected[oid] for oid in held}
        assert {oid: reader.kind(oid) for oid in held} == {oid: expected[oid][0] for oid in held}
        assert {oid: reader.size(oid) for oid in held} == {oid: len(expected[oid][1]) for oid in held}
        again = rebuilt(vault, manifest, tmp_path / f"{seed}-{manifest.seq}")
        again("fsck", "--full", "--connectivity-only")
    assert again.objects() == life.repo.objects() and formats == {1, 2}


def test_nights_cost_less_than_whole_packs(life: tuple[Life, Vault, list[Manifest]], tmp_path: Path) -> None:
    source, _, made = life
    whole = Vault(tmp_path / "whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(thin, "NIGHT", 0)
        for commit in ("main~12", "main"):
            copy = source.repo.copy(tmp_path / commit)
            copy("update-ref", "refs/heads/main", copy("rev-parse", commit))
            whole.ingest(copy)
    assert not any(p.thin for p in whole.latest().packs), "a night of too many objects stays whole"
    nights = [p for p in made[-1].packs[1:] if p.thin]
    assert len(nights) > NIGHTS // 2 and max(p.size for p in nights) < made[-1].packs[0].size


def test_everything_becomes_one_whole_pack_again(tmp_path: Path) -> None:
    life, vault, made = lived(tmp_path, 5)
    places = {"scratch": vault.folder / "scratch", "environment": ENVIRONMENT}
    assert any(p.thin for p in made[-1].packs)
    done = consolidated(vault.store, vault.events, NAME, everything=True, **places)
    assert done and len(done.packs) == 1 and not done.packs[0].thin
    expected = everything(life.repo)
    reader = ObjectReader(vault.store, done, BlockCache())
    before = {oid for p in made[-1].packs for oid in stored_ids(vault, p, tmp_path)}
    assert {oid: reader.get(oid) for oid in before} == {oid: expected[oid] for oid in before}
    life.edit()
    vault.ingest(life.repo)
    assert vault.latest().packs[-1].bases == (done.packs[0].key,)


def test_a_base_is_never_replaced_while_a_pack_builds_on_it() -> None:
    def pack(number: int, size: int, level: int = 0, base: str = "") -> StoredPack:
        return StoredPack(
            f"{number:06d}-{'a' * 12}", f"{number:040x}", size, "", 0, "", 1, level=level, bases=(base,) if base else ()
        )

    first = pack(1, 600)
    above = pack(2, 500, 1, first.key)
    nights = [pack(n, 100, 0, first.key) for n in range(3, 2 + consolidation.MOST)]
    manifest = type("M", (), {"packs": (first, above, *nights)})()
    assert consolidation.due(manifest) == tuple(nights)
    manifest = type("M", (), {"packs": (first, *nights)})()
    assert consolidation.due(manifest) == (first, *nights)


def test_nights_build_on_one_another_and_now_and_then_on_whole_packs_only() -> None:
    def pack(number: int, *bases: StoredPack) -> StoredPack:
        name = f"{number:06d}-{'a' * 12}"
        return StoredPack(name, f"{number:040x}", 9, "", 0, "", 1, bases=tuple(b.key for b in bases))

    first = pack(1)
    packs = [first]
    for number in range(2, 16):
        on = thin.footing(packs)
        assert on == sorted(on, key=lambda p: p.snapshot, reverse=True) and on[-1] == first
        packs.append(pack(number, *on[:1]))
    firm = [p.snapshot for p in packs if p.bases == (first.key,)]
    assert firm == [f"{number:06d}-{'a' * 12}" for number in (2, 7, 12)]


def test_what_could_not_be_announced_is_told_from_a_thin_pack(tmp_path: Path) -> None:
    life, vault = Life(tmp_path / "source.git", 6), Vault(tmp_path / "vault")
    vault.ingest(life.repo)
    life.edit()
    life.rename()
    vault.events.away = True
    with pytest.raises(Exception, match="could not be announced"):
        vault.ingest(life.repo)
    vault.events.away = False
    last = vault.latest()
    assert last.packs[-1].bases == (last.packs[0].key,)
    told = list(commits_of_snapshot(vault.archive, last, tmp_path / "w", ENVIRONMENT))
    assert [c.hash for c in told] == life.repo(
        "rev-list", "--reverse", "main", f"^{last.previous and 'main~2'}"
    ).split()
    assert ("A", f"moved/{life.number - 1}.txt") in {(f.status, f.path) for f in told[1].files}


def test_damage_in_either_pack_is_named(life: tuple[Life, Vault, list[Manifest]]) -> None:
    source, vault, made = life
    expected, manifest = everything(source.repo), made[-1]
    base = manifest.packs[0]
    pack = max((p for p in manifest.packs if p.bases == (base.key,)), key=lambda p: p.size)
    folder = vault.folder / "archive" / str(NAME)
    pick = random.Random(8)
    for spoiled in (pack, base):
        path = folder / spoiled.snapshot / spoiled.file_name
        whole, noticed = path.read_bytes(), 0
        path.chmod(0o644)
        try:
            for _ in range(40):
                at = pick.randrange(12, spoiled.size - 20)
                path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << pick.randrange(8)]) + whole[at + 1 :])
                reader = ObjectReader(vault.store, manifest, BlockCache(), packs=(base, pack))
                with LocalIndexOf(vault, pack) as ids:
                    for oid in ids:
                        try:
                            assert reader.get(oid) == expected[oid]
                        except ArchiveError as err:
                            noticed += 1
                            assert spoiled.file_name in err.what or pack.file_name in err.what
                            if spoiled is base:
                                assert base.file_name in err.what
        finally:
            path.write_bytes(whole)
        assert noticed, "nothing that was read was spoiled"


class LocalIndexOf:
    """The ids of a stored pack."""

    def __init__(self, vault: Vault, pack: StoredPack) -> None:
        self._path = vault.folder / f"{pack.id}.idx"
        self._path.write_bytes(vault.store.read(f"{NAME}/{pack.snapshot}/{pack.file_name}")[pack.size :])

    def __enter__(self) -> list[str]:
        with LocalIndex(self._path) as index:
            return [index.name(n).hex() for n in range(index.count)]

    def __exit__(self, *_: object) -> None:
        self._path.unlink()


def test_a_thin_pack_whose_base_is_not_named_is_refused(life: tuple[Life, Vault, list[Manifest]]) -> None:
    _, vault, made = life
    pack = next(p for p in made[-1].packs if p.thin)
    reader = ObjectReader(vault.store, made[-1], BlockCache(), packs=(pack,))
    with (
        LocalIndexOf(vault, pack) as ids,
        pytest.raises(ArchiveError, match=f"builds on {pack.bases[0]}, which its manifest"),
    ):
        for oid in ids:
            reader.get(oid)


def test_a_damaged_base_makes_the_next_night_whole(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    life, vault = Life(tmp_path / "source.git", 9), Vault(tmp_path / "vault")
    vault.ingest(life.repo)
    pack = vault.latest().packs[0]
    path = vault.folder / "archive" / str(NAME) / pack.snapshot / pack.file_name
    life.edit()
    blob = life.repo(
        "rev-parse",
        next(
            f"main~1:{r.split()[-1]}"
            for r in life.repo("diff-tree", "-r", "--name-only", "main~1", "main").splitlines()
        ),
    )
    path.chmod(0o644)
    whole = path.read_bytes()
    path.with_suffix(".idx").write_bytes(whole[pack.size :])
    with LocalIndex(path.with_suffix(".idx")) as index:
        at = next(index.offset(n) for n in range(index.count) if index.name(n).hex() == blob)
    path.with_suffix(".idx").unlink()
    path.write_bytes(whole[: at + 20] + bytes([whole[at + 20] ^ 4]) + whole[at + 21 :])
    vault.ingest(life.repo)
    assert not vault.latest().packs[-1].thin and "stored whole" in caplog.text


def test_names_in_the_list_of_bases_have_hashes_of_their_own() -> None:
    """The hash as in git's pack-objects.h, pack_name_hash."""

    def name_hash(name: bytes) -> int:
        value = 0
        for byte in name:
            value = ((value >> 2) + (byte << 24)) & 0xFFFFFFFF
        return value

    hashes = [name_hash(thin._number(n)) for n in range(70_000)]
    assert all(a < b for a, b in pairwise(hashes))


@pytest.mark.parametrize("version", ["2", "2,0x100"], ids=["near", "far"])
def test_joined_packs_are_indexed_as_each_alone(odd_source: Repo, tmp_path: Path, version: str) -> None:
    commits = odd_source("rev-list", "--reverse", "main").split()
    steps = [commits[0], commits[len(commits) // 2], commits[-1]]
    packs = []
    for n, tip in enumerate(steps):
        raw = odd_source.raw("pack-objects", "--revs", "--stdout", "-q", "--delta-base-offset",
                             stdin="\n".join([tip, *(f"^{s}" for s in steps[:n])]).encode())  # fmt: skip
        packs.append(tmp_path / f"{n}.pack")
        packs[-1].write_bytes(raw)
        odd_source("index-pack", f"--index-version={version}", "-o", str(packs[-1].with_suffix(".idx")), str(packs[-1]))
    assert localpacks.groups(packs) == [packs]
    (tmp_path / "all.pack").write_bytes(b"".join(localpacks.joined(packs)))
    subprocess.run(["git", "index-pack", str(tmp_path / "all.pack")], check=True, capture_output=True)
    with LocalIndex(tmp_path / "all.idx") as index:
        slices = localpacks.slices(packs)
        for pack, part, own in zip(packs, slices, index.split(slices), strict=True):
            index.write(own, part.start - 12, localpacks.checksum(pack), tmp_path / "own.idx")
            subprocess.run(
                ["git", "index-pack", "-o", str(tmp_path / "git.idx"), str(pack)], check=True, capture_output=True
            )
            assert (tmp_path / "own.idx").read_bytes() == (tmp_path / "git.idx").read_bytes()
            (tmp_path / "git.idx").unlink()
            with LocalIndex(pack.with_suffix(".idx")) as alone:
                rows = [(alone.name(n), alone.offset(n), alone.crc(n)) for n in range(alone.count)]
            assert rows == [(index.name(n), index.offset(n) - part.start + 12, index.crc(n)) for n in own]


def test_packs_that_share_an_object_are_not_joined(odd_source: Repo, tmp_path: Path) -> None:
    packs = []
    for n in range(3):
        raw = odd_source.raw("pack-objects", "--revs", "--stdout", "-q", stdin=b"main" if n else b"refs/heads/orphan")
        packs.append(tmp_path / f"{n}.pack")
        packs[-1].write_bytes(raw)
        odd_source("index-pack", str(packs[-1]))
    assert sorted(map(len, localpacks.groups(packs[1:]))) == [1, 1]
    assert sum(map(len, localpacks.groups(packs))) == 3


def test_a_thin_pack_is_not_joined_with_what_it_builds_on(
    life: tuple[Life, Vault, list[Manifest]], tmp_path: Path
) -> None:
    _, vault, made = life
    stored = {p.key: p for m in made for p in m.packs}
    upper = next(p for p in stored.values() if p.thin)
    lower = stored[upper.bases[0]]
    paths = []
    for pack in (lower, upper):
        copy_out(vault.store, str(NAME), pack, tmp_path)
        paths.append(tmp_path / pack.pack_name)
    held = set(ids(paths[0].with_suffix(".idx")))
    assert held & set(map(bytes.fromhex, localpacks.bases(paths[1])))
    for order in (paths, paths[::-1]):
        assert localpacks.groups(order) == [[order[0]], [order[1]]]
