"""Whatever is done to thin packs, or to what they build on, is found and named."""

from __future__ import annotations

import hashlib
import random
import subprocess
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from archive_kit import Vault
from life_kit import lived
from pack_kit import join
from pivo.models import Manifest, StoredPack
from pivo.snapshot import localpacks
from pivo.snapshot import manifest as manifests
from pivo.snapshot.thin import floors
from pivo.verify import smallpacks
from verify_kit import REPO, Copy


@pytest.fixture(scope="module")
def archived(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    """Thin nights and thin consolidated packs; not to be changed."""
    _, vault, made = lived(tmp_path_factory.mktemp("thin"), 21, 8)
    assert {p.thin for p in made[-1].packs} == {True, False} and any(p.thin and p.level for p in made[-1].packs)
    assert len(floors(made[-1].packs)) == 2, "no pack builds on a thin one"
    return vault


@pytest.fixture(params=["each pack alone", "small packs together"])
def thin(request: pytest.FixtureRequest, archived: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Copy:
    """A copy to spoil, and both ways in which packs are proven."""
    if "alone" in request.param:
        monkeypatch.setattr(smallpacks, "MANY", 1000)
        monkeypatch.setattr(localpacks, "_TOGETHER", 0)
    return Copy(tmp_path, archived)


def latest(copy: Copy) -> Manifest:
    found = copy.archive.latest(REPO)
    assert found
    return found


def spoil(copy: Copy, pack: StoredPack, at: int) -> bytes:
    path = copy.root / pack.snapshot / pack.file_name
    whole = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
    return whole


def test_a_whole_archive_is_found_whole(thin: Copy) -> None:
    full = thin.deep()
    assert full.ok and thin.shallow().ok, full
    packs = {p.key: p for d in thin.dirs for p in thin.archive.manifest(REPO, d).own_packs}
    assert full.objects == sum(p.objects for p in packs.values())
    assert list(thin.scratch.iterdir()) == []


def test_any_flipped_byte_is_named(thin: Copy) -> None:
    pick = random.Random(3)
    packs = latest(thin).packs
    for pack in (packs[0], *(p for p in packs if p.thin)):
        for at in (pick.randrange(pack.size), pack.size + pick.randrange(pack.idx_size)):
            path, whole = thin.root / pack.snapshot / pack.file_name, spoil(thin, pack, at)
            found = thin.deep().findings
            assert (pack.snapshot, pack.file_name) in {(f.snapshot, f.file) for f in found}
            # What builds on it is not accused.
            assert {(f.snapshot, f.file) for f in found if f.kind in {"pack", "idx", "bytes"}} == {
                (pack.snapshot, pack.file_name)
            }
            path.write_bytes(whole)
    assert thin.deep().ok


@pytest.mark.parametrize("which", ["thin", "base"])
def test_a_pack_that_is_gone_or_cut_off_is_named(thin: Copy, which: str) -> None:
    packs = latest(thin).packs
    pack = next(p for p in reversed(packs) if p.thin) if which == "thin" else packs[0]
    path = thin.root / pack.snapshot / pack.file_name
    whole = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(whole[: len(whole) // 2])
    assert (pack.snapshot, pack.file_name) in thin.named(thin.deep())
    path.unlink()
    found = thin.deep().findings
    assert [(f.snapshot, f.file) for f in found if f.kind == "missing"] == [(pack.snapshot, pack.file_name)]
    assert any(f.kind == "object" for f in found)


def test_an_object_that_the_base_does_not_have_is_named(thin: Copy, tmp_path: Path) -> None:
    """A manifest that names another base than the one that the pack was made on."""
    last = latest(thin)
    made = next(p for p in reversed(last.packs) if p.thin)
    body = b"PACK\0\0\0\2\0\0\0\1" + bytes([0x30 | 4]) + zlib.compress(b"none")
    identity = hashlib.sha1(body, usedforsecurity=False)
    other = tmp_path / f"pack-{identity.hexdigest()}.pack"
    other.write_bytes(body + identity.digest())
    subprocess.run(["git", "index-pack", str(other)], check=True, capture_output=True)
    wrong = join(other, last.dirname)
    (tmp_path / wrong.file_name).rename(thin.root / last.dirname / wrong.file_name)
    for number, dirname in enumerate(thin.dirs, 1):
        manifest = thin.archive.manifest(REPO, dirname)
        if made in manifest.packs:
            assert number == len(thin.dirs), "it is in the last manifest only"
    path = thin.root / last.dirname / manifests.NAME
    path.chmod(0o644)
    packs = (*(replace(p, bases=(wrong.key,)) if p == made else p for p in last.packs), wrong)
    path.write_bytes(manifests.dump(replace(last, packs=packs)))
    found = thin.deep().findings
    assert any(f.file == made.file_name and f"not in its base, {wrong.key}" in f.detail for f in found), found
