"""A huge repository's packs, hashed in tasks of their own: the walk takes them in, and tells the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from archive_kit import ENVIRONMENT, Vault
from gitmake import linear
from pivo.models import StoredPack
from pivo.snapshot import thin
from pivo.snapshot.archive import Archive
from pivo.store import LocalStore
from pivo.verify import deep, hashing
from pivo.verify.hashing import Hashed, apart, hash_apart
from pivo.verify.reading import Reading
from pivo.verify.report import Verified
from pivo.verify.work import PackWork, Work
from verify_kit import REPO, Copy


def packs_of(archive: Archive) -> list[StoredPack]:
    return [p for p in archive.require(REPO).packs if not p.thin]


def each_apart(archive: Archive, scratch: Path) -> list[Hashed]:
    made = [hash_apart(archive.store, REPO, p, scratch, ENVIRONMENT) for p in packs_of(archive)]
    assert all(made)
    return [one for one in made if one]


def told(result: Verified) -> Verified:
    return replace(result, seconds=0.0)


def both_ways(archive: Archive, folder: Path) -> tuple[Verified, Verified]:
    """Hashed in the walk's own repository, and apart."""
    alone = deep.verify(archive, REPO, folder / "alone", ENVIRONMENT)
    scratch = folder / "apart"
    hashed = each_apart(archive, scratch)
    return told(alone), told(deep.verify(archive, REPO, scratch, ENVIRONMENT, hashed=hashed))


def test_a_whole_repository_is_found_whole_and_its_packs_are_not_read_again(
    copy: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive, hashed = copy.archive, each_apart(copy.archive, tmp_path / "s")
    alone = told(deep.verify(archive, REPO, tmp_path / "t", ENVIRONMENT))
    read: list[str] = []
    check = Reading.check

    def noted(self: Reading, want: object, *sinks: object) -> object:
        read.append(want.path)  # type: ignore[attr-defined]
        return check(self, want, *sinks)  # type: ignore[arg-type]

    monkeypatch.setattr(Reading, "check", noted)
    result = told(deep.verify(archive, REPO, tmp_path / "s", ENVIRONMENT, hashed=hashed))
    assert result == alone and result.ok and result.objects
    assert not any(p.file_name in path for p in packs_of(archive) for path in read)
    assert list((tmp_path / "s").rglob("*.pack")) == []


def test_damage_is_named_as_without(copy: Copy, tmp_path: Path) -> None:
    for number, stored in enumerate(packs_of(copy.archive)):
        path = copy.root / stored.snapshot / stored.file_name
        whole = path.read_bytes()
        for at in (30, stored.size - 5, stored.size + 1040, stored.file_size - 3):
            path.chmod(0o644)
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            alone, parted = both_ways(copy.archive, tmp_path / f"{number}-{at}")
            assert not alone.ok and alone == parted, at
        path.write_bytes(whole)


def test_what_is_gone_or_of_another_file_is_read_by_the_walk(copy: Copy, tmp_path: Path) -> None:
    alone = told(deep.verify(copy.archive, REPO, tmp_path / "t", ENVIRONMENT))
    hashed = each_apart(copy.archive, tmp_path / "s")
    Path(hashed[0].file).unlink()
    hashed[1:] = [replace(h, listed=h.listed + 1) for h in hashed[1:]]
    assert told(deep.verify(copy.archive, REPO, tmp_path / "s", ENVIRONMENT, hashed=hashed)) == alone


def test_a_pack_that_is_missing_is_left_to_the_walk(copy: Copy, tmp_path: Path) -> None:
    stored = packs_of(copy.archive)[0]
    (copy.root / stored.snapshot / stored.file_name).unlink()
    assert hash_apart(copy.archive.store, REPO, stored, tmp_path / "s", ENVIRONMENT) is None


def test_only_a_huge_repository_of_several_packs_is_divided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thin, "NIGHT", 0)
    vault, source = Vault(tmp_path / "vault"), linear(tmp_path / "source.git", 12)
    vault.ingest(source, REPO)
    source.commit("main", 20)
    vault.ingest(source, REPO)
    archive = Archive(LocalStore(vault.folder / "archive"))
    work = Work(REPO, True, archive.store.url, "", str(tmp_path / "run"))
    assert work.packs() == [] and apart(archive, "acme/none") == []
    monkeypatch.setattr(hashing, "SMALL", 0)
    monkeypatch.setattr(hashing, "HUGE", sum(p.size for p in packs_of(archive)))
    assert [p.pack for p in work.packs()] == sorted(packs_of(archive), key=lambda p: -p.size)
    assert len(packs_of(archive)) == 2
    assert replace(work, deep=False).packs() == []
    done = [PackWork(work, p).do() for p in packs_of(archive)]
    result = work.do([one for one in done if one])
    assert result.ok and work.done() == result and work.packs() == []
