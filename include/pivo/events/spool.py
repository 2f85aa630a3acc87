"""Events on disk until Kafka has them: append-only files below one folder, one a process.

A file is locked while its process lives, so that a file without a lock is what a dead one left behind; whoever locks
it may send its lines and remove it. A line is one event. What a kill cut short is a last line without its end.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pivo.errors import Unavailable

LIMIT = 64 << 20
"""Bytes that all files of a folder may have together, about: some hundred thousand events."""

_PREFIX = "audit-"


@dataclass(frozen=True)
class Waiting:
    """What waits in a folder: files of all processes, their bytes, when the oldest was begun (Unix seconds)."""

    files: int
    bytes: int
    since: float | None


class Spool:
    """This process's file in `folder`; made with the first line. Not for several threads at a time."""

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        self._folder = folder
        self._limit = limit
        self._file: int | None = None
        self._path = folder
        self._others = 0  # bytes of the other files, as they were when this one was made
        self._size = 0

    def append(self, line: bytes) -> None:
        """Writes a line; after that a kill of this process cannot take it away (a power cut can, until `sync`).

        Unavailable when the folder is full, OSError when it cannot be written to.
        """
        if self._file is None:
            self._begin()
        assert self._file is not None
        if self._size + self._others + len(line) > self._limit:
            self._others = waiting(self._folder).bytes - self._size  # another process may have sent its share
            if self._size + self._others + len(line) > self._limit:
                raise Unavailable(
                    f"{self._folder} is full of audit records that Kafka has not taken.",
                    "Start Kafka and run `pivo index`, which sends them; nothing is lost.",
                )
        written = os.write(self._file, line + b"\n")
        self._size += written
        if written != len(line) + 1:  # the disk is full: what was written is a line cut short
            os.ftruncate(self._file, self._size - written)
            self._size -= written
            raise OSError("the disk is full")

    def sync(self) -> None:
        """Makes what was written outlive a power cut."""
        if self._file is not None:
            os.fsync(self._file)

    def clear(self) -> None:
        """Forgets all lines: Kafka has them."""
        if self._file is not None and self._size:
            os.ftruncate(self._file, 0)
            self._size = 0

    def close(self) -> None:
        """Leaves the file to whoever reaches Kafka; an empty one goes."""
        if self._file is None:
            return
        if self._size == 0:
            self._path.unlink(missing_ok=True)
        os.close(self._file)
        self._file, self._size = None, 0

    def _begin(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._others = waiting(self._folder).bytes
        name = f"{_PREFIX}{os.getpid()}-{secrets.token_hex(8)}.jsonl"
        hidden = self._folder / f".{name}"
        file = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX)  # before others can see it
        self._path = self._folder / name
        hidden.rename(self._path)
        self._file, self._size = file, 0


def waiting(folder: Path) -> Waiting:
    """What waits in `folder`, of living and of dead processes; zeros where there is no such folder."""
    files, size, since = 0, 0, None
    for path in _files(folder):
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        if status.st_size:
            files, size = files + 1, size + status.st_size
            since = min(since or status.st_mtime, status.st_mtime)
    return Waiting(files, size, since)


@contextmanager
def left_behind(path: Path) -> Iterator[list[bytes] | None]:
    """The lines of a dead process's file, the last perhaps without its end; None for one that is in use or gone.

    Leaving the block without an error removes the file.
    """
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        yield None
        return
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            ours = os.fstat(file).st_ino == path.stat().st_ino  # not one that another process just sent
        except OSError:
            ours = False
        if not ours:
            yield None
            return
        with os.fdopen(os.dup(file), "rb") as content:
            yield content.read().splitlines(keepends=True)
        path.unlink(missing_ok=True)
    finally:
        os.close(file)


def abandoned(folder: Path) -> list[Path]:
    """The files of `folder`, oldest first; which of them are in use shows when one is taken."""
    return sorted(_files(folder), key=_age)


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _files(folder: Path) -> list[Path]:
    try:
        return [p for p in folder.iterdir() if p.name.startswith(_PREFIX)]
    except OSError:
        return []
