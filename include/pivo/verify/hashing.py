"""One pack through `git index-pack`: in the repository where the walk will be, or apart from it, in a task of its own.

A huge repository's packs are hashed apart, several at once, and the walk takes in what those tasks left.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pivo.errors import PivoError
from pivo.models import StoredPack
from pivo.snapshot.archive import Archive
from pivo.store import Store
from pivo.verify.gitproof import Pack, Repository
from pivo.verify.reading import Expected, Problem, Reading, parts_of
from pivo.verify.smallpacks import SMALL
from pivo.verify.summaries import Told

HUGE = 64 << 20
"""Bytes of packs from which on they are hashed apart."""


@dataclass(frozen=True)
class Hashed:
    """What came of a pack that was hashed apart: what is wrong with its bytes, what git had against it, where it lies.

    `listed` is the size that the archive showed; `file` is empty where git made no index.
    """

    pack: StoredPack
    listed: int
    problems: tuple[Problem, ...]
    failure: str
    file: str
    seconds: float


def hash_pack(
    reading: Reading, repository: Repository, stored: StoredPack, want: Expected
) -> tuple[list[Problem], Pack]:
    """Reads a pack into the repository; what is wrong with its bytes, and what git made of it."""
    summary = Told(stored)
    with repository.receive() as pack:
        problems = reading.check(want, pack.write, summary.update)
    if any(kind != "idx" for kind, _ in problems):  # other bytes than were published; git can often tell where
        pack.drop()
        return [(kind, f"{told}; git: {pack.failure}" if pack.failure else told) for kind, told in problems], pack
    return problems or summary.problems(), pack


def apart(archive: Archive, repo: str) -> list[StoredPack]:
    """The packs of a repository that should be hashed apart, the largest first: none unless it is huge."""
    try:
        latest = archive.latest(repo)
    except PivoError:  # the verification tells what is wrong with it
        return []
    packs = [p for p in latest.packs if not p.thin and p.size > SMALL] if latest else []
    if len(packs) < 2 or sum(p.size for p in packs) < HUGE:
        return []
    return sorted(packs, key=lambda p: -p.size)


def hash_apart(
    store: Store, repo: str, stored: StoredPack, scratch: Path, environment: Mapping[str, str]
) -> Hashed | None:
    """Hashes one pack in a repository of its own under `scratch`, and leaves it there.

    None where that could not be done: the walk does it then, and says why it cannot.
    """
    began, path = time.monotonic(), f"{repo}/{stored.snapshot}/{stored.file_name}"
    try:
        entry = store.stat(path)
        if entry is None:
            return None
        scratch.mkdir(parents=True, exist_ok=True)
        repository = Repository(Path(tempfile.mkdtemp(prefix="pack-", dir=scratch)) / "pack.git", environment)
        want = Expected(path, entry.size, parts_of(stored))
        problems, pack = hash_pack(Reading(store), repository, stored, want)
    except PivoError:
        return None
    file = str(pack.file) if pack.file and pack.file.exists() else ""
    return Hashed(stored, entry.size, tuple(problems), pack.failure, file, time.monotonic() - began)


def taken_in(done: Hashed | None, repository: Repository, want: Expected) -> tuple[list[Problem], Pack] | None:
    """As :func:`hash_pack`, of a pack that was hashed apart; None when that is not there, or not of this file."""
    if done is None or done.listed != want.listed or parts_of(done.pack) != want.parts:
        return None
    pack = repository.adopt(Path(done.file)) if done.file else repository.refused(done.failure)
    return (list(done.problems), pack) if pack else None
