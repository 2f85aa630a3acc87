"""Objects that are too large for memory: read as a stream, deltas included, in a process that stays small."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys

import pytest

from archive_kit import Vault
from gitmake import Repo, empty, put
from pivo.errors import ArchiveError, UsageError
from pivo.settings import CHECKOUT
from pivo.snapshot import large
from pivo.snapshot.objects import ObjectReader

SIZE = 30_000_000
_READ = """
import hashlib, sys; from pathlib import Path
from pivo.snapshot.archive import Archive; from pivo.store import LocalStore
archive = Archive(LocalStore(Path(sys.argv[1])))
reader = archive.objects(archive.require("big"))
def peak():
    return int(next(row for row in open("/proc/self/status") if row.startswith("VmHWM")).split()[1])
seen, before = hashlib.sha256(), peak()
for part in reader.stream(sys.argv[2]):
    seen.update(part)
print(seen.hexdigest(), peak() - before)
"""


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Repo, Vault]:
    """A file of 30 MB that does not deflate, and its next version, which git keeps as a delta."""
    folder = tmp_path_factory.mktemp("large")
    body = random.Random(3).randbytes(SIZE)
    repo = empty(folder / "big.git")
    repo.commit("main", 1, put("a.bin", body))
    repo.commit("main", 2, put("a.bin", body[: SIZE // 2] + b"some bytes more" + body[SIZE // 2 :]))
    repo("repack", "-adfq", "--depth=5", "--window=5")
    vault = Vault(folder / "vault")
    vault.ingest(repo, "big")
    return repo, vault


def reader_of(vault: Vault) -> ObjectReader:
    return vault.archive.objects(vault.latest("big"))


def test_one_of_the_versions_is_a_delta_of_the_other(grown: tuple[Repo, Vault]) -> None:
    repo, vault = grown
    assert sum(p.size for p in vault.latest("big").packs) < SIZE * 1.1
    assert reader_of(vault).size(repo("rev-parse", "main:a.bin").strip()) == SIZE + 15


@pytest.mark.parametrize("version", ["main", "main~1"])
def test_a_large_file_is_streamed_in_little_memory(grown: tuple[Repo, Vault], version: str) -> None:
    repo, vault = grown
    oid = repo("rev-parse", f"{version}:a.bin").strip()
    args = [sys.executable, "-c", _READ, str(vault.folder / "archive"), oid]
    env = {**os.environ, "PYTHONPATH": str(CHECKOUT / "include")}
    seen, more = subprocess.run(args, env=env, capture_output=True, text=True, check=True).stdout.split()
    assert seen == hashlib.sha256(repo.raw("cat-file", "blob", oid)).hexdigest()
    # The cache of blocks holds 30 MB of it; an object that is read as a whole takes three times its size besides.
    assert int(more) < 60_000, f"{more} kB"


def test_other_bytes_than_the_id_says_are_told_at_the_end(
    grown: tuple[Repo, Vault], monkeypatch: pytest.MonkeyPatch
) -> None:
    repo, vault = grown
    oid, body = repo("rev-parse", "main:a.bin").strip(), large.body
    monkeypatch.setattr(large, "body", lambda pieces: (part.replace(b"\0\0", b"\0\1") for part in body(pieces)))
    got = 0
    with pytest.raises(ArchiveError, match=f"Object {oid} is damaged"):
        for part in reader_of(vault).stream(oid):
            got += len(part)
    assert got == SIZE + 15


def test_a_small_file_is_streamed_as_it_is_read(grown: tuple[Repo, Vault]) -> None:
    repo, vault = grown
    tree = repo("rev-parse", "main").strip()
    assert b"".join(reader_of(vault).stream(tree)) == repo.raw("cat-file", "commit", tree)


def test_a_file_too_large_to_show_is_refused_with_a_way(grown: tuple[Repo, Vault]) -> None:
    repo, vault = grown
    with pytest.raises(UsageError, match=r"a\.bin has 30,000,015 bytes.*`pivo cat big [0-9a-f]{12} a\.bin > file`"):
        reader_of(vault).read_file(repo("rev-parse", "main").strip(), "a.bin")
