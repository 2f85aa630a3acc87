"""Where a rebuild has its events from: derived here, one snapshot after another, or by Spark's executors."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from pivo.errors import Unavailable
from pivo.reindex.derive import spool, spooled, values
from pivo.settings import base_environment
from pivo.snapshot.archive import Archive
from pivo.store import open_store

MANY = 200
"""Snapshots from which Spark is worth its start."""

_POLL = 0.2  # seconds between looks for what the executors have left


class Source(Protocol):
    """All snapshots of the archive, as events."""

    def total(self) -> int:
        """How many snapshots there are."""

    def snapshots(self) -> Iterator[tuple[str, str, Iterable[bytes]]]:
        """Repository, folder and events of each, those of one repository in order."""

    def has(self, repo: str, dirname: str) -> bool:
        """Whether the archive holds that snapshot."""

    def values(self, repo: str, dirname: str) -> Iterable[bytes]:
        """The events of one snapshot."""


class Here:
    """Derives them in this process."""

    def __init__(self, archive: Archive, scratch: Path, environment: Mapping[str, str]) -> None:
        self._archive = archive
        self._scratch = scratch
        self._environment = environment
        self.listed = [
            (str(repo), snapshot.dirname) for repo in archive.repos() for snapshot in archive.snapshots(repo)
        ]

    def total(self) -> int:
        return len(self.listed)

    def snapshots(self) -> Iterator[tuple[str, str, Iterable[bytes]]]:
        for repo, dirname in self.listed:
            yield repo, dirname, self.values(repo, dirname)

    def has(self, repo: str, dirname: str) -> bool:
        return any(snapshot.dirname == dirname for snapshot in self._archive.snapshots(repo))

    def values(self, repo: str, dirname: str) -> Iterable[bytes]:
        return values(self._archive, repo, dirname, self._scratch, self._environment)


@dataclass(frozen=True)
class Work:
    """One repository for an executor: it leaves a file of events for each snapshot in the folder."""

    repo: str
    snapshots: Sequence[str]
    archive: str
    user: str
    folder: str

    def place(self, dirname: str) -> Path:
        """Where the events of a snapshot are left."""
        key = hashlib.sha256(self.repo.encode()).hexdigest()[:24]
        return Path(self.folder) / "events" / f"{key}-{dirname}"

    def do(self) -> int:
        """Derives what is not there yet; returns how many bytes of events that were."""
        archive, size = Archive(open_store(self.archive, self.user)), 0
        for dirname in self.snapshots:
            place = self.place(dirname)
            if place.exists():
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=place.parent, prefix=".part-", delete=False) as out:
                part = Path(out.name)
                try:
                    derived = values(archive, self.repo, dirname, Path(self.folder) / "scratch", base_environment())
                    spool(derived, out)
                except BaseException:
                    part.unlink(missing_ok=True)
                    raise
                size += out.tell()
            part.rename(place)
        return size


class OnSpark:
    """Lets executors derive them, a repository a task, and takes what they leave as it comes.

    `submit` starts the application with the path of a work list; `folder` is one that executors share.
    """

    def __init__(
        self, here: Here, archive: str, user: str, folder: Path, submit: Callable[[Path], subprocess.Popen[bytes]]
    ) -> None:
        self._here = here
        self._submit = submit
        self._folder = folder
        by_repo: dict[str, list[str]] = {}
        for repo, dirname in here.listed:
            by_repo.setdefault(repo, []).append(dirname)
        self._work = [Work(repo, names, archive, user, str(folder)) for repo, names in by_repo.items()]

    def total(self) -> int:
        return self._here.total()

    def has(self, repo: str, dirname: str) -> bool:
        return self._here.has(repo, dirname)

    def values(self, repo: str, dirname: str) -> Iterable[bytes]:
        return self._here.values(repo, dirname)

    def snapshots(self) -> Iterator[tuple[str, str, Iterable[bytes]]]:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / "work.json"
        path.write_text(json.dumps([asdict(w) for w in self._work]), encoding="utf-8")
        process = self._submit(path)
        try:
            left = {(w.repo, name): w.place(name) for w in self._work for name in w.snapshots}
            while left:
                ended = process.poll() is not None  # asked first: what it left before it ended is seen below
                there = [key for key, place in left.items() if place.exists()]
                for key in there:
                    place = left.pop(key)
                    with place.open("rb") as source:
                        yield *key, spooled(source)
                    place.unlink()
                if not there:
                    if ended:
                        raise Unavailable(
                            f"The Spark application ended with {process.returncode}, {len(left)} snapshots too soon.",
                            f"Its words are in {self._folder / 'spark.log'}; or run `pivo reindex --on here`.",
                        )
                    time.sleep(_POLL)
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait()


def load_work(path: Path) -> list[Work]:
    """The work list that a rebuild has written."""
    return [Work(**row) for row in json.loads(path.read_text(encoding="utf-8"))]
