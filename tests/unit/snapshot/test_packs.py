"""Objects, files and differences straight from the packs: the same as git's, or an error that names the file."""

from __future__ import annotations

import random
import subprocess
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import gitmake
from archive_kit import Vault
from gitmake import Repo
from pack_kit import join, parts, replaced
from pivo.agent.diffs import changed
from pivo.errors import ArchiveError, NotFound
from pivo.gitobjects import object_id, parse_commit, parse_person, text
from pivo.models import StoredPack
from pivo.snapshot.blocks import BlockCache
from pivo.snapshot.objects import ObjectReader
from pivo.store import LocalStore


def reader(folder: Path, *options: str, repo: Repo) -> ObjectReader:
    """All objects of `repo` in one pack made with `options`, as an archive holds it."""
    (folder / "r" / "000001-x").mkdir(parents=True)
    base = folder / "r" / "000001-x" / "pack"
    identity = repo("pack-objects", "--all", "--reflog", "-q", *options, str(base))
    return again(folder, join(base.with_name(f"pack-{identity}.pack")))


def again(root: Path, stored: StoredPack) -> ObjectReader:
    """A reader that has read nothing yet."""
    manifest: Any = SimpleNamespace(repo="r", packs=(stored,))
    return ObjectReader(LocalStore(root), manifest, BlockCache())


def everything(repo: Repo) -> dict[str, tuple[str, bytes]]:
    """Every object, as `git cat-file` has it."""
    ids = repo("cat-file", "--batch-all-objects", "--batch-check=%(objectname)").split()
    raw = repo.raw("cat-file", "--batch", stdin="\n".join(ids).encode())
    found, at = {}, 0
    while at < len(raw):
        end = raw.index(b"\n", at)
        oid, kind, size = raw[at:end].decode().split()
        found[oid] = (kind, raw[end + 1 : end + 1 + int(size)])
        at = end + 2 + int(size)
    return found


@pytest.fixture(scope="module")
def deep(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """One file in 400 versions, each a delta of the one before."""
    repo = gitmake.empty(tmp_path_factory.mktemp("deep") / "deep.git")
    lines = [b"%040d\n" % n for n in range(300)]
    rng = random.Random(5)
    stream = []
    for n in range(400):
        lines[rng.randrange(300)] = b"%040d\n" % rng.getrandbits(60)
        stream.append(gitmake.commit("refs/heads/main", b"%d" % n, n, gitmake.put("f", b"".join(lines))))
    repo.raw("fast-import", "--quiet", "--depth=1000", "--date-format=raw-permissive", stdin=b"".join(stream))
    return repo


@pytest.mark.parametrize(
    "options",
    [("--delta-base-offset",), (), ("--window=0",), ("--delta-base-offset", "--depth=900", "--window=250")],
    ids=["ofs", "ref", "whole", "long"],
)
def test_every_object_is_gits(odd_source: Repo, tmp_path: Path, options: tuple[str, ...]) -> None:
    objects = reader(tmp_path, *options, repo=odd_source)
    expected = everything(odd_source)
    assert {oid: objects.get(oid) for oid in expected} == expected
    assert {oid: objects.kind(oid) for oid in expected} == {oid: kind for oid, (kind, _) in expected.items()}
    assert all(map(objects.contains, expected)) and not objects.contains("0" * 40)


def test_long_delta_chains(deep: Repo, tmp_path: Path) -> None:
    objects = reader(tmp_path, "--delta-base-offset", "--depth=1000", repo=deep)
    stored = objects.manifest.packs[0]
    body, index = parts(tmp_path / "r/000001-x" / stored.file_name, stored)
    (tmp_path / "x.pack").write_bytes(body)
    (tmp_path / "x.idx").write_bytes(index)
    chains = deep("verify-pack", "-s", str(tmp_path / "x.idx"))
    assert max(int(row.split()[3].rstrip(":")) for row in chains.splitlines() if row.startswith("chain")) > 300
    expected = everything(deep)
    with ThreadPoolExecutor(4) as pool:
        assert dict(zip(expected, pool.map(objects.get, expected), strict=True)) == expected


def test_offsets_over_two_gigabytes_are_looked_up_in_the_second_table(odd_source: Repo, tmp_path: Path) -> None:
    """git writes them so for smaller offsets too, where `pack.indexVersion`'s limit says it."""
    objects = reader(tmp_path / "a", repo=odd_source)
    stored = objects.manifest.packs[0]
    file, pack = tmp_path / "a/r/000001-x" / stored.file_name, tmp_path / "x.pack"
    pack.write_bytes(parts(file, stored)[0])
    odd_source("index-pack", "--index-version=2,0x100", "-o", str(pack.with_suffix(".idx")), str(pack))
    larger = replaced(file, stored, index=pack.with_suffix(".idx").read_bytes())
    assert larger.idx_size > stored.idx_size
    far = again(tmp_path / "a", larger)
    expected = everything(odd_source)
    assert {oid: far.get(oid) for oid in expected} == expected


def test_a_damaged_byte_is_never_taken_for_content_and_the_file_is_named(odd_source: Repo, tmp_path: Path) -> None:
    stored = reader(tmp_path, "--delta-base-offset", repo=odd_source).manifest.packs[0]
    folder = tmp_path / "r" / "000001-x"
    expected = everything(odd_source)
    rng, noticed = random.Random(7), 0
    for path in sorted(folder.glob("pack-*")):
        whole = path.read_bytes()
        path.chmod(0o644)
        for _ in range(60):
            at = rng.randrange(len(whole) - 40)
            path.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << rng.randrange(8))]) + whole[at + 1 :])
            damaged = again(tmp_path, stored)
            for oid in rng.sample(sorted(expected), 25):
                try:
                    assert damaged.get(oid) == expected[oid]
                except ArchiveError as err:
                    noticed += 1
                    assert "pack-" in str(err)
        path.write_bytes(whole)
    assert noticed > 20


@pytest.mark.parametrize("left", [1500, -1500])
def test_a_file_that_was_cut_off_is_named(odd_source: Repo, tmp_path: Path, left: int) -> None:
    objects = reader(tmp_path, repo=odd_source)
    path = next((tmp_path / "r/000001-x").glob("pack-*"))
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(ArchiveError, match=path.name):
        for oid in everything(odd_source):
            objects.get(oid)


def test_an_object_that_claims_to_be_small_does_not_inflate_without_end(tmp_path: Path, odd_source: Repo) -> None:
    objects = reader(tmp_path, repo=odd_source)
    stored = objects.manifest.packs[0]
    path = tmp_path / "r/000001-x" / stored.file_name
    bomb = zlib.compress(b"\0" * 50_000_000)
    raw = bytearray(parts(path, stored)[0])
    raw[12:] = (b"\x35" + bomb)[: len(raw) - 12].ljust(len(raw) - 12, b"\0")  # a blob of 5 bytes
    replaced(path, stored, bytes(raw))
    with pytest.raises(ArchiveError, match="damaged at byte"):
        objects._packs[0].data.read(12)


def test_files_and_folders_are_gits(kept: Vault, odd_source: Repo) -> None:
    manifest = kept.latest()
    with kept.archive.objects(manifest) as objects:
        rows = odd_source.raw("ls-tree", "-r", "-z", "main").split(b"\0")[:-1]
        assert len(rows) > 15
        for row in rows:
            (mode, kind, oid), path = row.split(b"\t", 1)[0].decode().split(), row.split(b"\t", 1)[1]
            entry = objects.entry(manifest.head, text(path))
            assert (entry.mode, entry.oid, entry.path) == (mode, oid, text(path))
            if kind == "blob":
                assert objects.read_file(manifest.head, text(path)) == odd_source.raw("cat-file", "blob", oid)
            else:
                with pytest.raises(NotFound, match="is a submodule at commit"):
                    objects.read_file(manifest.head, text(path))
        top = odd_source.raw("ls-tree", "-z", "main").split(b"\0")[:-1]
        assert [e.path for e in objects.list_dir(manifest.head)] == [text(r.split(b"\t", 1)[1]) for r in top]
        for wrong, hint in (("REDME.md", "Did you mean README.md"), ("lib/a.x", "lib/a.c"), ("README.md/x", "Check")):
            with pytest.raises(NotFound, match=r"is not in acme/odd at") as refused:
                objects.read_file(manifest.head, wrong)
            assert hint in refused.value.do
        for folder in ("lib", ""):
            with pytest.raises(NotFound, match="is a folder"):
                objects.read_file(manifest.head, folder)
        with pytest.raises(NotFound, match="not a commit"):
            objects.commit(odd_source("rev-parse", "main^{tree}"))


def test_differences_are_gits(kept: Vault, odd_source: Repo) -> None:
    commits = odd_source("rev-list", "--all").split()
    rng = random.Random(3)
    with kept.archive.objects(kept.latest()) as objects:
        for _ in range(40):
            old, new = rng.sample(commits, 2)
            rows = odd_source.raw(
                "diff", "--raw", "--no-abbrev", "-z", "--no-renames", "--ignore-submodules=none", old, new
            )
            tokens = iter(rows.split(b"\0")[:-1])
            expected = {(row.decode().split(" ")[4], text(next(tokens))) for row in tokens}
            assert {(p.status, p.path) for p in changed(objects, old, new)} == expected


def test_a_signed_commit_keeps_its_bytes(kept: Vault, odd_source: Repo) -> None:
    head = kept.latest().head
    with kept.archive.objects(kept.latest()) as objects:
        kind, body = objects.get(head)
    assert b"gpgsig " + gitmake.SIGNATURE + b"\n" in body and object_id(kind, body) == head
    assert parse_commit(head, body).signed


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"Ada <ada@x> 1700000000 +0130", ("Ada", "ada@x", 1700000000, 90)),
        (b"Ada <ada@x> 1700000000 -0330", ("Ada", "ada@x", 1700000000, -210)),
        (b"<> 5 +0000", ("", "", 5, 0)),
        (b"Ada Lovelace", ("Ada Lovelace", "", 0, 0)),
        (b"Ada <ada@x>", ("Ada", "ada@x", 0, 0)),
        (b"Ada <ada@x> yesterday", ("Ada", "ada@x", 0, 0)),
        (b"Ada <ada@x> 18446744073709551614 +0000", ("Ada", "ada@x", 0, 0)),
        (b"Ada <ada@x> " + b"9" * 5000 + b" +0000", ("Ada", "ada@x", 0, 0)),
    ],
)
def test_people_and_their_clocks(line: bytes, expected: tuple[Any, ...]) -> None:
    person = parse_person(line)
    assert (person.name, person.email, person.time, person.tz) == expected


@pytest.mark.parametrize(
    "encoding", ["utf-8", "latin-1", "utf-7", "utf-16", "rot13", "x-none", "idna", "unicode_escape", "a\0"]
)
def test_text_of_any_bytes_in_any_encoding_can_be_written(encoding: str) -> None:
    for raw in (b"plain", b"\xff\xfe\x00", b"+2AA-", b"\\ud800", b"\xed\xa0\x80", bytes(range(256))):
        text(raw, encoding).encode("utf-8")


def test_git_agrees_that_the_repositories_of_these_tests_are_sound(odd_source: Repo, deep: Repo) -> None:
    for repo in (odd_source, deep):
        done = subprocess.run(["git", "-C", str(repo.path), "fsck", "--full"], capture_output=True, text=True)
        assert done.returncode == 0 and done.stderr == ""
