"""One repository to verify as an executor gets it. Executors import this in every application: it stays light."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pivo.errors import NotFound, PivoError
from pivo.models import StoredPack
from pivo.settings import base_environment
from pivo.snapshot.archive import Archive
from pivo.store import open_store
from pivo.verify import deep, shallow
from pivo.verify.hashing import Hashed, apart, hash_apart
from pivo.verify.report import Verified
from pivo.verify.witness import Witness


@dataclass(frozen=True)
class Work:
    """One repository to verify, for an executor: it needs no more than this and the run's folder."""

    repo: str
    deep: bool
    archive: str
    user: str
    folder: str

    @property
    def _key(self) -> str:
        return hashlib.sha256(self.repo.encode("utf-8", "surrogateescape")).hexdigest()[:24]

    @property
    def result(self) -> Path:
        """Where its result is left."""
        return Path(self.folder) / "results" / f"{self._key}.json"

    @property
    def witness(self) -> Path:
        """What the index heard of it."""
        return Path(self.folder) / "witness" / f"{self._key}.json"

    def done(self) -> Verified | None:
        """The result that was left; None when there is none yet."""
        try:
            return Verified.from_json(self.result.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None

    @property
    def scratch(self) -> Path:
        """Where packs are hashed; executors share it, as they do the run's folder."""
        return Path(self.folder) / "scratch"

    def packs(self) -> list[PackWork]:
        """The packs to hash in tasks of their own, before the rest: none unless the repository is huge."""
        if not self.deep or self.done() is not None:
            return []
        archive = Archive(open_store(self.archive, self.user))
        return [PackWork(self, pack) for pack in apart(archive, self.repo)]

    def do(self, hashed: Sequence[Hashed] = ()) -> Verified:
        """Verifies it, and leaves the result. Unavailable when the archive does not answer."""
        archive, seen = Archive(open_store(self.archive, self.user)), Witness.load(self.witness)
        if self.deep:
            result = deep.verify(archive, self.repo, self.scratch, base_environment(), seen, hashed=hashed)
        else:
            result = shallow.verify(archive, self.repo, seen)
        leave(self.result, result)
        return result


@dataclass(frozen=True)
class PackWork:
    """One pack of a huge repository, for an executor."""

    work: Work
    pack: StoredPack

    def do(self) -> Hashed | None:
        """Hashes it; None where it could not, and the repository's own task must."""
        store = open_store(self.work.archive, self.work.user)
        return hash_apart(store, self.work.repo, self.pack, self.work.scratch, base_environment())


def leave(path: Path, result: Verified) -> None:
    """Writes a result, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(result.to_json(), encoding="utf-8")
    part.rename(path)


def load_work(path: Path) -> list[Work]:
    """The work list that a run's plan has written."""
    try:
        return [Work(**row) for row in json.loads(path.read_text(encoding="utf-8"))]
    except FileNotFoundError:
        raise NotFound(f"There is no work list at {path}.", "Start the verification again.") from None


def attempt(work: Work, hashed: Sequence[Hashed] = ()) -> tuple[Verified | None, tuple[str, str, bool]]:
    """A verification whose failure comes back as what, do and retry: a lost repository must not cost the others."""
    try:
        return work.do(hashed), ("", "", False)
    except PivoError as err:
        return None, (err.what, err.do, err.retry)
