"""Repositories with git LFS, made without git-lfs: pointers in the history, objects in the repository's lfs folder."""

from __future__ import annotations

import hashlib
from pathlib import Path

from gitmake import Repo, put
from pivo.models import LfsObject

ATTRIBUTES = put(".gitattributes", b"*.bin filter=lfs diff=lfs merge=lfs -text\n")


def of(content: bytes) -> LfsObject:
    return LfsObject(hashlib.sha256(content).hexdigest(), len(content))


def pointer(content: bytes) -> bytes:
    """What git-lfs's clean filter would commit in place of `content`."""
    one = of(content)
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{one.oid}\nsize {one.size}\n".encode()


def tracked(path: str, content: bytes) -> bytes:
    """A change that puts a file under git LFS."""
    return put(path, pointer(content))


def keep(repo: Repo | Path, *contents: bytes) -> None:
    """Puts objects where git-lfs keeps them in a bare repository, and the local forge too."""
    folder = repo.path if isinstance(repo, Repo) else repo
    for content in contents:
        path = place(folder, content)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def place(folder: Path, content: bytes) -> Path:
    oid = of(content).oid
    return folder / "lfs" / "objects" / oid[:2] / oid[2:4] / oid
