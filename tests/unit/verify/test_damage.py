"""Whatever is done to an archive is found, and named."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archive_kit import ENVIRONMENT, Vault
from gitmake import Repo, empty, linear, put
from pack_kit import join, parts, replaced
from pivo.errors import ArchiveError, StackError, Unavailable
from pivo.events.types import FINDINGS_LIMIT
from pivo.findings import KINDS, Finding
from pivo.models import LfsObject
from pivo.settings import CHECKOUT
from pivo.snapshot import manifest as manifests
from pivo.snapshot.archive import Archive
from pivo.snapshot.summary import summarise
from pivo.store import LocalStore
from pivo.verify import deep, reading, shallow, smallpacks
from pivo.verify.report import Verified, failure
from verify_kit import REPO, Copy


@pytest.fixture(params=["each pack alone", "small packs together"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways in which packs are proven."""
    monkeypatch.setattr(smallpacks, "MANY", 1 if "together" in request.param else 1000)


def flip(path: Path, offset: int, bit: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[offset] ^= 1 << bit
    path.chmod(0o644)
    path.write_bytes(raw)


@pytest.mark.usefixtures("way")
def test_a_whole_archive_is_found_whole(copy: Copy) -> None:
    quick, full = copy.shallow(), copy.deep()
    assert quick.ok and full.ok, (quick, full)
    files = copy.files()
    assert quick.files == full.files == len(files)
    assert quick.bytes == full.bytes == sum(p.stat().st_size for p in files)
    assert (quick.snapshots, quick.last_seq, quick.objects) == (5, 5, 0)
    packs = copy.archive.latest(REPO).packs  # type: ignore[union-attr]
    assert full.objects == sum(p.objects for p in packs) > 40
    assert full.manifest_sha256 == manifests.digest(copy.file(5, "manifest.json.gz").read_bytes())
    assert list(copy.scratch.iterdir()) == []


def test_any_flipped_byte_of_any_file_is_named(copy: Copy) -> None:
    pick = random.Random(20261123)
    for path in copy.files():
        size = path.stat().st_size
        whole = path.read_bytes()
        for offset in {0, size - 1, *(pick.randrange(size) for _ in range(24))}:
            bit = pick.randrange(8)
            flip(path, offset, bit)
            result = copy.shallow()
            assert (path.parent.name, path.name) in copy.named(result), (path.name, offset, bit, result.findings)
            path.write_bytes(whole)
    assert copy.shallow().ok


@pytest.mark.usefixtures("way")
def test_a_deep_verification_names_the_same_files(copy: Copy) -> None:
    pick = random.Random(7)
    for path in copy.files():
        whole = path.read_bytes()
        flip(path, pick.randrange(len(whole)), pick.randrange(8))
        assert (path.parent.name, path.name) in copy.named(copy.deep()), path
        path.write_bytes(whole)


def test_a_truncated_longer_missing_or_foreign_file_is_named(copy: Copy) -> None:
    for path in copy.files():
        whole, key = path.read_bytes(), (path.parent.name, path.name)
        path.chmod(0o644)
        for other in (whole[:-1], whole[: len(whole) // 2], b"", whole + b"\0"):
            path.write_bytes(other)
            assert key in copy.named(copy.shallow()), (path, len(other))
        path.unlink()
        assert [(f.snapshot, f.file) for f in copy.shallow().findings if f.kind == "missing"] == [key]
        path.write_bytes(whole)
    stray = copy.root / copy.dirs[1] / "pack-extra.pack"
    stray.write_bytes(b"x")
    (copy.root / "notes.txt").write_text("mine")
    (copy.root / "folder").mkdir()
    (copy.root / "folder" / "x").touch()
    found = {(f.snapshot, f.file, f.kind) for f in copy.shallow().findings}
    assert found == {
        (copy.dirs[1], "pack-extra.pack", "foreign"),
        ("", "notes.txt", "foreign"),
        ("", "folder", "foreign"),
    }


def test_a_snapshot_that_is_being_published_is_not_foreign(copy: Copy) -> None:
    (copy.root / ".next-000006").mkdir()
    assert copy.shallow().ok


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_a_cut_chain_is_named(copy: Copy, n: int) -> None:
    shutil.rmtree(copy.root / copy.dirs[n - 1])
    found = copy.shallow().findings
    assert [f for f in found if f.kind == "chain" and f"number {n}," in f.detail and copy.dirs[n] in f.detail], found


def forged(copy: Copy, n: int, **changes: object) -> None:
    """Replaces manifest `n` by another one with a seal of its own."""
    path = copy.file(n, "manifest.json.gz")
    path.chmod(0o644)
    manifest = manifests.load(path.read_bytes(), "x")
    path.write_bytes(manifests.dump(replace(manifest, **changes)))  # type: ignore[arg-type]


def test_a_replaced_manifest_is_named_by_the_one_that_quotes_it(copy: Copy) -> None:
    for n in (1, 2, 3, 4):
        path = copy.file(n, "manifest.json.gz")
        whole = path.read_bytes()
        forged(copy, n, source="https://example.org/else.git")
        found = copy.shallow().findings
        assert [(f.snapshot, f.file, f.kind) for f in found] == [(copy.dirs[n - 1], "manifest.json.gz", "chain")]
        path.write_bytes(whole)


def test_a_manifest_of_another_repository_number_or_time_is_named(copy: Copy) -> None:
    last = copy.archive.latest(REPO)
    assert last and last.previous
    for changes, said in [
        ({"repo": "acme/other"}, "says that it is of acme/other"),
        ({"seq": 9}, "says that it is 000009-"),
        ({"previous": None}, "does not quote 000004-"),
        ({"previous": replace(last.previous, snapshot="000003-000000000000")}, "quotes 000003-000000000000, but"),
        ({"taken_at": last.taken_at.replace(year=2001)}, "taken before"),
        ({"packs": (replace(last.packs[0], sha256="0" * 64), *last.packs[1:])}, "says other things of pack-"),
        ({"lost": ("not a hash",)}, "which is no object's hash"),
    ]:
        whole = copy.file(5, "manifest.json.gz").read_bytes()
        forged(copy, 5, **changes)
        found = copy.shallow().findings
        assert any(f.snapshot == copy.dirs[4] and said in f.detail for f in found), (changes, found)
        copy.file(5, "manifest.json.gz").write_bytes(whole)


def test_what_is_no_manifest_of_this_format_is_named_and_not_guessed_at(copy: Copy) -> None:
    path = copy.file(5, "manifest.json.gz")
    raw = path.read_bytes()
    data = json.loads(gzip.decompress(raw))
    path.chmod(0o644)
    for other, said in [
        (gzip.compress(json.dumps(data | {"format": 3}).encode()), "format 3"),
        (gzip.compress(json.dumps(data).encode()), "its seal is that of other bytes"),
        (json.dumps(data).encode(), "incorrect header check"),
        (raw + raw, "does not end where"),
        (raw + b"\0", "does not end where"),
        (gzip.compress(b"[" * 100_000), "is damaged"),
    ]:
        path.write_bytes(other)
        (found,) = copy.shallow().findings
        assert (found.snapshot, found.kind) == (copy.dirs[4], "manifest") and said in found.detail, found
        with pytest.raises(ArchiveError, match="manifest"):
            Archive(copy.archive.store).latest(REPO)


def test_a_manifest_that_inflates_without_end_is_named_and_needs_no_memory(copy: Copy) -> None:
    path = copy.file(5, "manifest.json.gz")
    path.chmod(0o644)
    with gzip.open(path, "wb", 9) as out:
        for _ in range(512):
            out.write(b" " * (1 << 20))
    tracemalloc.start()
    (found,) = copy.shallow().findings
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.kind == "manifest" and "inflates to more than" in found.detail
    assert most < 3 * manifests.LIMIT


# -- what only a deep verification can see: files that are as their manifests say, and wrong all the same


def repacked(copy: Copy, n: int, pack: Path | None = None, idx: bytes | None = None, **changes: Any) -> None:
    """Puts other bytes into snapshot `n`, and seals them, with `changes`, into every manifest that names them."""
    old = copy.archive.manifest(REPO, copy.dirs[n - 1]).own_packs[0]
    new = replaced(copy.root / old.snapshot / old.file_name, old, pack.read_bytes() if pack else None, idx)
    new = replace(new, **changes)
    before = None
    for number in range(n, len(copy.dirs) + 1):
        path = copy.file(number, "manifest.json.gz")
        path.chmod(0o644)
        manifest = manifests.load(path.read_bytes(), "x")
        packs = tuple(new if p.key == old.key else p for p in manifest.packs)
        previous = replace(manifest.previous, manifest_sha256=before) if before and manifest.previous else None
        raw = manifests.dump(replace(manifest, packs=packs, previous=previous or manifest.previous))
        path.write_bytes(raw)
        before = manifests.digest(raw)


@pytest.mark.usefixtures("way")
def test_an_index_that_is_not_its_packs_is_named(copy: Copy) -> None:
    stored = copy.archive.manifest(REPO, copy.dirs[0]).packs[0]
    idx = bytearray(parts(copy.file(1, ".packidx"), stored)[1])
    idx[-60] ^= 1  # an offset
    repacked(copy, 1, None, bytes(idx))
    assert copy.shallow().ok
    found = copy.deep().findings
    assert [(f.snapshot, f.kind) for f in found] == [(copy.dirs[0], "idx")]


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("n", [1, 2])
def test_a_summary_that_hides_an_object_is_named(copy: Copy, tmp_path: Path, n: int) -> None:
    stored = copy.archive.manifest(REPO, copy.dirs[n - 1]).own_packs[0]
    assert stored.summary and stored.objects > 2
    index = parts(copy.file(n, ".packidx"), stored)[1]
    names = [index[1032 + 20 * k : 1052 + 20 * k] for k in range(stored.objects)]
    for hidden in (names[1:2], names[1:3]):
        kept = [name for name in names if name not in hidden]
        (tmp_path / "less").write_bytes(bytes(1028) + len(kept).to_bytes(4, "big") + b"".join(kept))
        repacked(copy, n, summary=summarise(tmp_path / "less"))
        assert copy.shallow().ok
        (found,) = copy.deep().findings
        assert (found.snapshot, found.file, found.kind) == (copy.dirs[n - 1], stored.file_name, "summary")
        assert hidden[0].hex() in found.detail and (len(hidden) == 1) == (" more" not in found.detail)
    repacked(copy, n, summary="")
    assert copy.deep().ok
    forged(copy, 5, packs=tuple(replace(p, summary="eA==") for p in copy.archive.manifest(REPO, copy.dirs[4]).packs))
    assert any("says other things of pack-" in f.detail for f in copy.shallow().findings)


@pytest.mark.usefixtures("way")
def test_a_damaged_pack_with_the_right_sha256_is_named(copy: Copy, tmp_path: Path) -> None:
    stored = copy.archive.manifest(REPO, copy.dirs[0]).packs[0]
    whole = bytearray(parts(copy.file(1, ".packidx"), stored)[0])
    whole[len(whole) // 2] ^= 4
    (tmp_path / "bad.pack").write_bytes(whole)
    repacked(copy, 1, tmp_path / "bad.pack", None)
    assert copy.shallow().ok
    found = copy.deep().findings
    assert ("pack", copy.dirs[0]) in {(f.kind, f.snapshot) for f in found}
    assert any(f.kind == "object" for f in found)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("left_out", ["blob", "tree", "commit", "tip"])
def test_an_object_that_is_in_no_pack_is_named(copy: Copy, made: Vault, tmp_path: Path, left_out: str) -> None:
    source = Repo(made.folder.parent / "source.git")
    first = copy.archive.manifest(REPO, copy.dirs[0])
    rev = {"blob": "HEAD~5:file5", "tree": "HEAD~5^{tree}", "commit": "HEAD~5", "tip": "HEAD"}[left_out]
    gone = source("rev-parse", rev.replace("HEAD", first.head))
    ids = [o for o in sorted(source.objects(first.head)) if o != gone]
    identity = source("pack-objects", "-q", str(tmp_path / "less"), stdin="\n".join(ids).encode())
    pack = tmp_path / f"less-{identity}.pack"
    repacked(copy, 1, pack, pack.with_suffix(".idx").read_bytes())
    assert copy.shallow().ok
    found = copy.deep().findings
    assert {f.kind for f in found} == {"object"}
    assert any(gone in f.detail and f.snapshot == copy.dirs[0] for f in found), found


def test_a_tag_that_leads_elsewhere_is_named(copy: Copy) -> None:
    last = copy.archive.latest(REPO)
    assert last
    lie = tuple(replace(r, peeled=last.head) if r.peeled else r for r in last.refs)
    assert lie != last.refs
    for n in (2, 3, 4):
        manifest = copy.archive.manifest(REPO, copy.dirs[n - 1])
        forged(copy, n, refs=tuple(r for r in manifest.refs if not r.peeled))
    forged(copy, 5, refs=lie)
    found = [f for f in copy.deep().findings if f.kind == "ref"]
    assert [(f.snapshot, "refs/tags/v1 leads to" in f.detail) for f in found] == [(copy.dirs[4], True)]


@pytest.mark.usefixtures("way")
def test_a_lost_tip_is_walked_too(copy: Copy, made: Vault, tmp_path: Path) -> None:
    """The commit that a force-push took away is only behind `lost` by now, and in older snapshots' refs."""
    source = Repo(made.folder.parent / "source.git")
    second = copy.archive.manifest(REPO, copy.dirs[1]).own_packs[0]
    rows = source("show-index", stdin=parts(copy.root / second.snapshot / second.file_name, second)[1])
    ids = [row.split()[1] for row in rows.splitlines()]
    (lost,) = set(ids) & set(copy.archive.latest(REPO).lost)  # type: ignore[union-attr]
    rest = "\n".join(i for i in ids if i != lost).encode()
    pack = tmp_path / f"less-{source('pack-objects', '-q', str(tmp_path / 'less'), stdin=rest)}.pack"
    repacked(copy, 2, pack, pack.with_suffix(".idx").read_bytes())
    assert any(lost in f.detail for f in copy.deep().findings)


# -- an archive that does not answer is no finding


class Flaky(LocalStore):
    """Some reads break off, as a DataNode that goes away would do it."""

    def __init__(self, root: Path, bad: str, times: int, after: int = 100) -> None:
        super().__init__(root)
        self.bad, self.left, self.after = bad, times, after

    def stream(self, path, offset=0, length=None, chunk=1 << 20):  # type: ignore[no-untyped-def]
        if self.bad in path and self.left:
            self.left -= 1
            yield from super().stream(path, offset, min(self.after, length or self.after), chunk)
            raise Unavailable("HDFS broke off.", "Try again.")
        yield from super().stream(path, offset, length, chunk)


@pytest.mark.usefixtures("way")
def test_a_read_that_breaks_off_is_taken_up_again(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_PAUSE", 0.0)
    copy.archive.store = Flaky(copy.root.parents[1], ".packidx", 6)
    assert copy.deep().ok


def test_a_file_that_cannot_be_read_is_named_and_an_archive_that_is_away_is_not(
    copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_PAUSE", 0.0)
    pack = copy.file(2, ".packidx")
    copy.archive.store = Flaky(copy.root.parents[1], pack.name, 1000, after=0)
    found = copy.deep().findings
    assert [(f.snapshot, f.file) for f in found if f.kind == "unreadable"] == [(copy.dirs[1], pack.name)]
    copy.archive.store = Flaky(copy.root.parents[1], "", 100_000, after=0)
    with pytest.raises(Unavailable):
        copy.shallow()


def test_without_room_or_git_it_says_so(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StackError, match="git is not installed"):
        deep.verify(copy.archive, REPO, copy.scratch, {"PATH": "/nowhere"})
    monkeypatch.setattr("os.statvfs", lambda path: type("Full", (), {"f_bavail": 1, "f_frsize": 512})())
    with pytest.raises(StackError, match="no room"):
        copy.deep()


# -- how it is told


def test_the_sentence_names_the_first_findings() -> None:
    many = [Finding("a/b", "000001-x", f"pack-{n}.pack", "bytes", "has other bytes") for n in range(FINDINGS_LIMIT + 9)]
    result = Verified("a/b", "deep").found(many)
    assert len(result.findings) == FINDINGS_LIMIT and result.total == FINDINGS_LIMIT + 9
    assert Verified.from_json(result.to_json()) == result
    err = failure([Verified("ok", "shallow"), result])
    assert isinstance(err, ArchiveError)
    assert err.what.startswith("The archive of a/b has 509 things wrong: a/b/000001-x/pack-0.pack: has other bytes; ")
    assert err.what.endswith("And 506 more.")
    assert failure([Verified("ok", "shallow")]) is None
    assert all(f.kind in KINDS for f in many)


def test_an_empty_repository_and_one_of_the_same_owner_are_fine(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "vault")
    vault.ingest(empty(tmp_path / "e.git"), "acme")
    vault.ingest(linear(tmp_path / "l.git", 2), "acme/inner")
    for repo in ("acme", "acme/inner"):
        assert shallow.verify(vault.archive, repo).ok
        assert deep.verify(vault.archive, repo, tmp_path / "s", ENVIRONMENT).ok


# -- what other parts of PIVO put into a snapshot


def test_git_lfs_objects_are_files_like_others(copy: Copy) -> None:
    body = b"a large file\n" * 100
    stored = LfsObject(hashlib.sha256(body).hexdigest(), len(body))
    path = copy.root / copy.dirs[4] / stored.name
    path.write_bytes(body)
    assert [(f.file, f.kind) for f in copy.shallow().findings] == [(stored.name, "foreign")]
    forged(copy, 5, lfs=(stored,), lfs_in=(copy.dirs[4],))
    assert copy.shallow().ok and copy.deep().ok
    flip(path, 500, 3)
    assert [(f.file, f.kind) for f in copy.shallow().findings] == [(stored.name, "bytes")]
    path.unlink()
    assert [(f.file, f.kind) for f in copy.deep().findings] == [(stored.name, "missing")]


@pytest.mark.usefixtures("way")
def test_packs_that_stand_for_others_must_hold_all_of_theirs(copy: Copy, made: Vault, tmp_path: Path) -> None:
    """A consolidation that left an object out: every object is still somewhere, but its readers would not find it."""
    source = Repo(made.folder.parent / "source.git")
    last = copy.archive.latest(REPO)
    assert last
    tips = [last.head, *last.lost, *(r.target for r in last.refs)]
    ids = sorted(source.objects(*tips))
    left_out = source("rev-parse", f"{last.head}~4^{{tree}}")
    for name, chosen, kinds in (("all", ids, []), ("less", [i for i in ids if i != left_out], ["object"])):
        identity = source("pack-objects", "-q", str(tmp_path / name), stdin="\n".join(chosen).encode())
        pack = tmp_path / f"{name}-{identity}.pack"
        one = join(pack, copy.dirs[4])
        for old in (copy.root / copy.dirs[4]).glob("pack-*"):
            old.unlink()
        (tmp_path / one.file_name).rename(copy.root / copy.dirs[4] / one.file_name)
        forged(copy, 5, packs=(one,))
        found = copy.deep().findings
        assert [f.kind for f in found] == kinds, found
    assert left_out in found[0].detail and found[0].snapshot == copy.dirs[4]


def test_memory_does_not_grow_with_the_packs(tmp_path: Path) -> None:
    """A pack of 24 MB that does not deflate is verified in a process that has little more than its modules."""
    repo = empty(tmp_path / "big.git")
    pick = random.Random(1)
    changes = [put(f"blob{n}", pick.randbytes(6_000_000)) for n in range(4)]
    repo.commit("main", 1, *changes)
    vault = Vault(tmp_path / "vault")
    vault.ingest(repo, "big")
    code = (
        "import os, resource, sys; from pathlib import Path; from pivo.verify import deep;"
        "from pivo.snapshot.archive import Archive; from pivo.store import LocalStore;"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        "r = deep.verify(Archive(LocalStore(Path(sys.argv[1]))), 'big', Path(sys.argv[2]), os.environ);"
        "print(r.ok, r.bytes, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    args = [sys.executable, "-c", code, str(vault.folder / "archive"), str(tmp_path / "scratch")]
    env = {**os.environ, "PYTHONPATH": str(CHECKOUT / "include")}
    done = subprocess.run(args, env=env, capture_output=True, text=True, check=True)
    ok, size, grown = done.stdout.split()
    assert ok == "True" and int(size) > 24_000_000
    assert int(grown) < 12_000, f"{grown} kB"
