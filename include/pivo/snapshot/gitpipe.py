"""Talking to a running git: objects asked for one by one, and changes as `git log --raw` streams them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import IO

from pivo.errors import SourceError
from pivo.gitobjects import object_id, text
from pivo.models import FileChange


class CatFile:
    """A `git cat-file --batch` that answers one question after another."""

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env
        )

    def get(self, oid: str) -> tuple[str, bytes] | None:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin and stdout
        stdin.write(oid.encode() + b"\n")
        stdin.flush()
        header = stdout.readline().split()
        if len(header) != 3:
            return None
        body = stdout.read(int(header[2]))
        stdout.read(1)
        if object_id(header[1].decode(), body) != oid:
            raise SourceError(f"Object {oid} came damaged.", "Run `git fsck` in the source; nothing was published.")
        return header[1].decode(), body

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
