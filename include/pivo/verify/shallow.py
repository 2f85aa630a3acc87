"""Every byte: the chain of manifests, and every file's size and SHA-256. No object is opened."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pivo.events.types import VerifyMode
from pivo.findings import Finding
from pivo.models import StoredPack
from pivo.progress import Progress, silent
from pivo.snapshot import manifest as manifests
from pivo.snapshot.archive import Archive
from pivo.verify.chain import Chain, strays, walk
from pivo.verify.reading import Expected, Part, Problem, Reading, parts_of
from pivo.verify.removals import excused
from pivo.verify.report import Verified
from pivo.verify.witness import Witness

_STREAMS = 4  # files that are read at once


@dataclass(frozen=True)
class File:
    """A file to read, as a manifest has it: `parts` of it, which are a pack and its index where `pack` is told."""

    snapshot: str
    name: str
    parts: tuple[Part, ...]
    pack: StoredPack | None = None

    @property
    def size(self) -> int:
        return sum(p.size for p in self.parts)

    def expected(self, repo: str, listed: int) -> Expected:
        """What must be read, where the folder lists `listed` bytes."""
        return Expected(f"{repo}/{self.snapshot}/{self.name}", listed, self.parts)


def verify(archive: Archive, repo: str, witness: Witness | None = None, progress: Progress = silent) -> Verified:
    """Reads every file of a repository once. Unavailable when the archive does not answer."""
    began = time.monotonic()
    reading = Reading(archive.store)
    chain = begin(archive, reading, repo, witness or Witness())
    wanted = files(chain)
    done = read_all(chain, wanted, lambda file, want: reading.check(want), _STREAMS, progress)
    return close(chain, "shallow", began, len(wanted), done)


def begin(archive: Archive, reading: Reading, repo: str, witness: Witness) -> Chain:
    """The chain of a repository, with what lies beside it."""
    chain = walk(archive, reading, repo, witness)
    chain.excused = excused(chain, archive.store, witness)
    chain.findings += strays(archive, repo)
    return chain


def close(chain: Chain, mode: VerifyMode, began: float, count: int, size: int, objects: int = 0) -> Verified:
    """The result; `count` files of `size` bytes were read besides the manifests."""
    result = Verified(
        chain.repo,
        mode,
        snapshots=chain.snapshots,
        files=count + chain.snapshots,
        bytes=size + chain.bytes,
        objects=objects,
        last_seq=chain.last_seq,
        manifest_sha256=chain.last_sha256,
        seconds=round(time.monotonic() - began, 3),
    )
    return result.found(chain.findings)


def files(chain: Chain) -> list[File]:
    """The files to read, the largest first; what is not there, or is there and belongs to nothing, is found."""
    wanted: list[File] = []
    named: dict[str, set[str]] = {snapshot: {manifests.NAME} for snapshot in chain.trusted}
    for file in _named(chain):
        listed = chain.listed.get(file.snapshot)
        if listed is None:
            if file.snapshot not in named:
                chain.found(file.snapshot, "", "missing", "is not in the archive, and later snapshots need its files")
        elif file.name in listed:
            wanted.append(file)
        elif file.pack is None or file.pack.key not in chain.excused:
            chain.found(file.snapshot, file.name, "missing", "is not in the archive")
        named.setdefault(file.snapshot, set()).add(file.name)
    for snapshot in sorted(chain.trusted):
        for name in sorted(chain.listed[snapshot].keys() - named[snapshot]):
            chain.found(snapshot, name, "foreign", "is named by no manifest")
    return sorted(wanted, key=lambda f: -f.size)


def _named(chain: Chain) -> Iterator[File]:
    """All files that manifests name, besides the manifests."""
    for snapshot, packs in chain.packs.items():
        for pack in packs.values():
            yield File(snapshot, pack.file_name, parts_of(pack), pack)
    for snapshot, large in chain.lfs.items():
        for item in large:
            yield File(snapshot, item.name, (Part("", item.size, item.oid),))


def read_all(
    chain: Chain,
    wanted: list[File],
    check: Callable[[File, Expected], list[Problem]],
    streams: int,
    progress: Progress,
) -> int:
    """Runs `check` on each file, `streams` at once; the bytes that were read."""
    total, done = sum(f.size for f in wanted), 0

    def one(file: File) -> tuple[File, list[Problem]]:
        listed = chain.listed[file.snapshot][file.name]
        return file, check(file, file.expected(chain.repo, listed.size))

    with ThreadPoolExecutor(streams) as pool:
        for file, problems in pool.map(one, wanted):
            for kind, detail in problems:
                chain.found(file.snapshot, file.name, kind, detail)
            done += file.size
            progress("verifying", done, total)
    return done


def foreign(archive: Archive) -> list[Finding]:
    """What lies at the top of the archive and holds no repository; hidden names are PIVO's and HDFS's own."""
    known = {part for repo in archive.repos() for part in (str(repo), repo.owner)}
    found = []
    for entry in archive.store.list(""):
        if entry.name.startswith(".") or entry.name in known:
            continue
        if not entry.is_dir or archive.store.list(entry.name):
            found.append(Finding(entry.name, "", "", "foreign", "is no repository"))
    return found
