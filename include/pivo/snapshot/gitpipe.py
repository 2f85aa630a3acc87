"""Talking to a running git: objects asked for one by one, and changes as `git log --raw` streams them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from itertools import islice
from threading import Lock
from typing import IO

from pivo.errors import SourceError
from pivo.gitobjects import object_id, text
from pivo.models import FileChange

_AT_ONCE = 200  # questions; a pipe holds them, so that git is never waited for while it waits


class CatFile:
    """A `git cat-file --batch` that stays and answers: one question, or many at once. Safe to share by threads.

    It may be started before the objects come.
    """

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env, bufsize=1 << 16
        )
        self._lock = Lock()

    def get(self, oid: str) -> tuple[str, bytes] | None:
        """Type and body of an object, its hash checked; None for one that is not there."""
        ((_, found),) = self._asked([oid])
        if found and object_id(*found) != oid:
            raise SourceError(f"Object {oid} came damaged.", "Run `git fsck` in the source; nothing was published.")
        return found

    def bodies(self, ids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Id and body of each object that is there, in that order."""
        rest = iter(ids)
        while some := list(islice(rest, _AT_ONCE)):
            yield from ((oid, found[1]) for oid, found in self._asked(some) if found)

    def _asked(self, ids: list[str]) -> list[tuple[str, tuple[str, bytes] | None]]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin and stdout
        answers: list[tuple[str, tuple[str, bytes] | None]] = []
        with self._lock:
            stdin.write("".join(f"{oid}\n" for oid in ids).encode())
            stdin.flush()
            for oid in ids:
                header = stdout.readline().split()
                if len(header) == 3:
                    body = stdout.read(int(header[2]) + 1)[:-1]
                    answers.append((oid, (header[1].decode(), body)))
                else:
                    answers.append((oid, None))
        return answers

    def close(self) -> None:
        self._process.communicate()


def tokens(stream: IO[bytes]) -> Iterator[bytes]:
    rest = b""
    while data := stream.read(1 << 16):
        *whole, rest = (rest + data).split(b"\0")
        yield from whole
    if rest:
        yield rest


def parse_changes(tokens: Iterator[bytes]) -> Iterator[tuple[str, tuple[FileChange, ...]]]:
    """`git log -z --raw` as pairs of commit id and changes.

    A commit is `\\x01<id>`; each change is `:<mode> <mode> <blob> <blob> <letter>` and, as the next token, its path.
    """
    current: str | None = None
    files: list[FileChange] = []
    for token in tokens:
        row = token.lstrip(b"\n")
        if row.startswith(b"\x01"):
            if current:
                yield current, tuple(files)
            # git ends the header of a commit that has changes with a line break, not with NUL
            head, _, row = row[1:].partition(b"\n")
            current, files = head.decode(), []
            row = row.lstrip(b"\n")
        if row.startswith(b":"):
            old_mode, mode, old_blob, blob, status = row[1:].decode().split(" ")
            path = text(next(tokens))
            files.append(
                FileChange(status[0], path, _present(mode), _present(blob), _present(old_blob) if old_mode else None)
            )
    if current:
        yield current, tuple(files)


def _present(value: str) -> str | None:
    return value if value.strip("0") else None
