"""Thin packs are completed when a repository is restored: nothing but git's objects comes out."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from archive_kit import Vault
from gitmake import Repo
from life_kit import NAME, Life, lived
from pivo.errors import ArchiveError
from pivo.models import Manifest
from pivo.restore.download import download
from pivo.restore.plan import RestorePlan, validate
from pivo.restore.reconstruct import reconstruct
from pivo.settings import Settings
from pivo.snapshot import localpacks
from pivo.snapshot.thin import floors


@pytest.fixture(scope="module")
def archived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Life, Vault, list[Manifest]]:
    """Not to be changed."""
    return lived(tmp_path_factory.mktemp("thin"), 31, 8)


def planned(settings: Settings, vault: Vault, run_id: str) -> tuple[RestorePlan, Settings]:
    own = replace(settings, archive=vault.store.url)
    return validate(own, repo=str(NAME), ref="HEAD", target=f"pivo/{run_id}", run_id=run_id, all_refs=True), own


@pytest.mark.parametrize("together", [500_000, 0], ids=["joined", "each alone"])
def test_a_repository_comes_back_from_thin_packs(
    archived: tuple[Life, Vault, list[Manifest]],
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    together: int,
) -> None:
    monkeypatch.setattr(localpacks, "_TOGETHER", together)
    life, vault, _ = archived
    plan, own = planned(settings, vault, f"r{together}")
    assert len(floors(plan.packs)) == 2, "no pack builds on a thin one"
    download(plan, tmp_path / "packs", own.archive, "reader")
    repo = Repo(reconstruct(plan, tmp_path).path)
    assert repo.refs() == life.repo.refs()
    assert repo.objects("--all") == life.repo.objects("--all")
    packs = list((repo.path / "objects" / "pack").glob("*.pack"))
    assert len(packs) <= (6 if together else 40)
    assert not (repo.path / "thin").exists()
    done = subprocess.run(["git", "-C", str(repo.path), "fsck", "--full"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_thin_pack_without_its_base_is_refused(
    archived: tuple[Life, Vault, list[Manifest]], settings: Settings, tmp_path: Path
) -> None:
    _, vault, _ = archived
    plan, own = planned(settings, vault, "lacking")
    download(plan, tmp_path / "packs", own.archive, "reader")
    lacking = replace(plan, packs=tuple(p for p in plan.packs if p.thin))
    with pytest.raises(ArchiveError, match=r"not whole in the archive: git index-pack failed: .*delta"):
        reconstruct(lacking, tmp_path)
    thin = next(p for p in plan.packs if p.thin)
    (tmp_path / "packs" / thin.pack_name).unlink()
    with pytest.raises(ArchiveError, match=f"{thin.pack_name} was not downloaded"):
        reconstruct(plan, tmp_path)
    shutil.rmtree(tmp_path / "packs")
