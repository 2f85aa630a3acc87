"""A staging folder, and a target, on a disk that is really full: a file system of a few megabytes in memory."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from archive_kit import Vault
from gitmake import Repo, linear, put
from pivo.errors import PivoError, StackError, TargetError, Unavailable
from pivo.restore import download as downloading
from pivo.restore.plan import RestorePlan, validate
from pivo.restore.push import push
from pivo.restore.reconstruct import reconstruct
from pivo.restore.run import RestoreRun
from pivo.settings import Settings


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(words, capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path) -> None:
    with (disk / "filler").open("wb", buffering=0) as out, suppress(OSError):
        while out.write(b"x" * 4096):
            pass


@pytest.fixture
def large(tmp_path: Path) -> Repo:
    repo = linear(tmp_path / "large.git", 3)
    for n in range(6):
        repo.commit("main", 100 + n, put(f"noise{n}", os.urandom(1 << 20)))
    return repo


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "vault")


@pytest.fixture
def plan(vault: Vault, large: Repo, tmp_path: Path, here: Settings) -> RestorePlan:
    vault.ingest(large)
    target = (tmp_path / "out.git").as_uri()
    return validate(here, repo="acme/odd", ref="main", target=target, run_id="full")


@pytest.fixture
def here(vault: Vault, tmp_path: Path) -> Settings:
    env = {"PIVO_HOME": str(tmp_path / "home"), "PIVO_RESTORE_ROOTS": str(tmp_path)}
    return Settings.load({**env, "PIVO_ARCHIVE": (vault.folder / "archive").as_uri()})


@pytest.mark.parametrize("small", ["scratch", "archive"])
def test_a_snapshot_that_does_not_fit_is_said_and_leaves_nothing(
    disk: Path, large: Repo, vault: Vault, small: str
) -> None:
    taken = vault if small == "scratch" else Vault(disk / "vault")
    scratch = disk / "scratch" if small == "scratch" else vault.folder / "scratch"
    with pytest.raises(Unavailable, match=r"no space left|has no room") as full:
        taken.ingest(large, scratch=scratch)
    assert "nothing was published" in full.value.do
    assert taken.archive.repos() == [] and taken.incoming == [] and list(scratch.iterdir()) == []


def test_a_download_that_does_not_fit_is_said_before_it_begins_and_when_others_fill_the_disk(
    disk: Path, plan: RestorePlan, here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StackError, match="has no room for"):
        downloading.download(plan, disk / "one" / "packs", here.archive, "reader")
    monkeypatch.setattr(downloading, "room", lambda _: 1 << 40)
    with pytest.raises(PivoError, match="cannot be written: No space left on device") as full:
        downloading.download(plan, disk / "two" / "packs", here.archive, "reader")
    assert "Free space" in full.value.do
    left = {path.name for path in (disk / "two" / "packs").iterdir()}
    assert not any(name.endswith(".pack") for name in left), left


def test_a_reconstruction_without_room_is_said_and_the_next_one_is_right(
    disk: Path, plan: RestorePlan, large: Repo, here: Settings, tmp_path: Path
) -> None:
    run = RestoreRun(replace(here, staging=disk), "full", {"repo": "acme/odd", "ref": "main", "target": plan.target})
    at = run.at("acme/odd")
    at.mkdir(parents=True)
    plan.save(at / "plan.json")
    (at / "downloaded.json").write_text("{}")
    downloading.download(plan, tmp_path / "packs", here.archive, "reader")
    (at / "packs").symlink_to(tmp_path / "packs")  # on another disk, so that they cannot be linked
    for prepare in (lambda: None, lambda: fill(disk)):
        prepare()
        with pytest.raises(StackError, match=r"has no room left|cannot be used") as full:
            run.reconstruct("acme/odd")
        assert "pace" in full.value.do
    made = reconstruct(plan, tmp_path)
    assert made.refs["refs/heads/main"] == large("rev-parse", "main")
    small = replace(here, restore_roots=(disk,))
    (disk / "filler").unlink()
    with pytest.raises((TargetError, Unavailable)) as refused:
        push(replace(plan, target=(disk / "out.git").as_uri()), made.path, small)
    assert refused.value.do and not (disk / "out.git").exists()
    assert not [p.name for p in disk.iterdir() if p.name.startswith(".out")]
