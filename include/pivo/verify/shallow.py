"""Every byte: the chain of manifests, and every file's size and SHA-256. No object is opened."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pivo.events.types import VerifyMode
from pivo.models import StoredPack
from pivo.progress import Progress, silent
from pivo.snapshot import manifest as manifests
from pivo.snapshot.archive import Archive
from pivo.verify.chain import Chain, strays, walk
from pivo.verify.reading import Expected, Problem, Reading
from pivo.verify.report import Verified
from pivo.verify.witness import Witness

_STREAMS = 4  # files that are read at once


@dataclass(frozen=True)
class File:
    """A file to read: the pack it belongs to, and whether it is the pack's index."""

    pack: StoredPack
    index: bool

    @property
    def name(self) -> str:
        return self.pack.idx_name if self.index else self.pack.pack_name

    @property
    def size(self) -> int:
        return self.pack.idx_size if self.index else self.pack.size

    def expected(self, repo: str, listed: int) -> Expected:
        """What must be read, where the folder lists `listed` bytes."""
        path = f"{repo}/{self.pack.snapshot}/{self.name}"
        if self.index:
            return Expected(path, self.pack.idx_size, self.pack.idx_sha256, listed)
        return Expected(path, self.pack.size, self.pack.sha256, listed, self.pack.segments)


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
    for snapshot, packs in chain.packs.items():
        listed = chain.listed.get(snapshot)
        if listed is None:
            chain.found(snapshot, "", "missing", "is not in the archive, and later snapshots need its packs")
            continue
        for pack in packs.values():
            for file in (File(pack, False), File(pack, True)):
                if file.name in listed:
                    wanted.append(file)
                else:
                    chain.found(snapshot, file.name, "missing", "is not in the archive")
    for snapshot in sorted(chain.trusted):
        packs = chain.packs.get(snapshot, {})
        known = {manifests.NAME, *(n for p in packs.values() for n in (p.pack_name, p.idx_name))}
        for name in sorted(chain.listed[snapshot].keys() - known):
            chain.found(snapshot, name, "foreign", "is named by no manifest")
    return sorted(wanted, key=lambda f: -f.size)


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
        listed = chain.listed[file.pack.snapshot][file.name]
        return file, check(file, file.expected(chain.repo, listed.size))

    with ThreadPoolExecutor(streams) as pool:
        for file, problems in pool.map(one, wanted):
            for kind, detail in problems:
                chain.found(file.pack.snapshot, file.name, kind, detail)
            done += file.size
            progress("verifying", done, total)
    return done
