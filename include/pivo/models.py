"""What flows through PIVO: frozen values, parsed at the border and trusted inside.

A commit and its parts are msgspec structs, not dataclasses: there are millions of them, they are decoded from JSON
four times as fast, and the collector of cycles, which they cannot make, need not look at them (`gc=False`).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from pivo.errors import UsageError
from pivo.removed import Removed

SNAPSHOT_DIR = re.compile(r"^(\d{6,})-([0-9a-f]{12})$")
"""The name of a snapshot's folder, `<seq>-<first 12 digits of the head commit>`."""

CLAIM_DIR = re.compile(r"^\.next-(\d{6,})$")
"""The name of a snapshot's folder while its number is claimed, `.next-<seq>`."""

ZERO = "0" * 40
"""The head of a repository without commits."""

_NAME_LIMIT = 255  # bytes; HDFS's own limit for one path component (dfs.namenode.fs-limits.max-component-length)
_FORGE_SAFE = re.compile(r"^[A-Za-z0-9_.][A-Za-z0-9_.\-]*$")


@dataclass(frozen=True, order=True)
class RepoName:
    """A repository's name in the archive: `name` or `owner/name`.

    Parsed by :meth:`parse`, which refuses with UsageError what could escape its folder, hide, or be taken
    for an option or for a snapshot: `..`, a leading `-`, control characters, over 255 bytes, more than
    two parts, or a part that looks like a snapshot's folder or like one that is being published.
    """

    owner: str | None
    name: str

    @classmethod
    def parse(cls, text: str) -> RepoName:
        parts = text.split("/")
        shown = ascii(text[:80])
        if len(parts) > 2 or not all(parts):
            raise UsageError(f"{shown} is not a repository name.", "Use `name` or `owner/name`.")
        if len(text.encode("utf-8", "surrogatepass")) > _NAME_LIMIT:
            raise UsageError(f"The repository name {shown}… is over {_NAME_LIMIT} bytes.", "Use a shorter name.")
        for part in parts:
            if any(unicodedata.category(c).startswith("C") for c in part):
                raise UsageError(f"The repository name {shown} has control characters.", "Use a plain name.")
            if part in {".", "..", ".incoming"} or part.startswith("-"):
                raise UsageError(
                    f"The repository name {shown} has a part that is '.', '..', '.incoming' or begins with '-'.",
                    "Use a plain name; --name gives a source another name.",
                )
            if not _FORGE_SAFE.match(part):
                raise UsageError(
                    f"The repository name {shown} has characters that forges refuse.",
                    "Use letters, digits, '-', '_' and '.'; --name gives a source another name.",
                )
            if SNAPSHOT_DIR.match(part) or CLAIM_DIR.match(part):
                raise UsageError(
                    f"{shown} looks like the folder of a snapshot.",
                    "Give the repository another name with --name.",
                )
        return cls(parts[0], parts[1]) if len(parts) == 2 else cls(None, parts[0])

    def __str__(self) -> str:
        return f"{self.owner}/{self.name}" if self.owner else self.name


@dataclass(frozen=True)
class Ref:
    """One ref of a snapshot. `name` is the full ref name (`refs/heads/main`) and `target` what it points at
    (40 hex digits); `peeled` is the object behind an annotated tag, else None."""

    name: str
    target: str
    peeled: str | None = None

    @property
    def commit(self) -> str:
        """The commit (or other object) that the ref leads to in the end."""
        return self.peeled or self.target


@dataclass(frozen=True)
class Segment:
    """A run of a pack file that one executor reads: `offset` and `length` in bytes, and its SHA-256 (hex)."""

    offset: int
    length: int
    sha256: str


@dataclass(frozen=True)
class StoredPack:
    """One pack in the archive and its index, in one file: the pack's bytes, then the index's.

    `snapshot` is the folder name (`000001-a1b2…`) that holds it, as `pack-<id>.packidx`. `size`, `sha256` and
    `segments` are of the pack's bytes, `idx_size` and `idx_sha256` of the index's, which begin at offset `size`.
    Sizes are bytes, hashes SHA-256 in hex. `level` counts how often its objects were consolidated, and `summary`
    tells which objects a small pack may hold (snapshot/summary.py). A thin pack's deltas may build on objects of other
    packs, its `bases` (their keys): whole ones, or thin ones on whole ones.
    """

    snapshot: str
    id: str
    size: int
    sha256: str
    idx_size: int
    idx_sha256: str
    objects: int
    segments: tuple[Segment, ...] = ()
    level: int = 0
    summary: str = ""
    bases: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What names it within its repository: `<snapshot>/<id>`."""
        return f"{self.snapshot}/{self.id}"

    @property
    def thin(self) -> bool:
        """Whether git can read it only with other packs."""
        return bool(self.bases)

    @property
    def file_name(self) -> str:
        """The file in the archive that holds both."""
        return f"pack-{self.id}.packidx"

    @property
    def file_size(self) -> int:
        return self.size + self.idx_size

    @property
    def pack_name(self) -> str:
        """The pack's name where git reads it."""
        return f"pack-{self.id}.pack"

    @property
    def idx_name(self) -> str:
        """The index's name where git reads it."""
        return f"pack-{self.id}.idx"


@dataclass(frozen=True)
class Previous:
    """The link of the hash chain: the previous snapshot's folder name and the SHA-256 of its manifest."""

    snapshot: str
    manifest_sha256: str


@dataclass(frozen=True)
class LfsObject:
    """A git LFS object: its SHA-256 (hex), by which a pointer names it, and its size in bytes."""

    oid: str
    size: int

    @property
    def name(self) -> str:
        """Its file's name in a snapshot's folder."""
        return f"lfs-{self.oid}"


@dataclass(frozen=True)
class LfsMissing:
    """A git LFS object that a pointer names and that could not be had: `why`, and the paths (some) of the pointer."""

    oid: str
    size: int
    why: str
    paths: tuple[str, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """All that one snapshot says: which refs stood where, and which packs hold the objects behind them.

    `packs` are all packs that a reader needs, oldest first: this snapshot's own and earlier ones'. `replaces` names
    the packs (`<snapshot>/<id>`) whose objects its own pack holds instead, when it only consolidates.
    `lost` are former tips (commit or tag ids) that were observed, are in the archive, and that this
    snapshot's refs may no longer reach. `lfs` are the git LFS objects that lie in its own folder, `lfs_in` the folders
    of all snapshots (oldest first, itself included) that hold some, and `lfs_missing` those that any pointer so far
    names and that nobody could deliver. `symrefs` are refs besides HEAD that follow another one, by name, and that one.
    `removed` are replaced packs that this snapshot records the removal of, `removed_in` the folders of all that did.
    """

    repo: str
    seq: int
    head: str  # commit id, ZERO when the repository has no commits
    head_ref: str | None  # what HEAD points at, e.g. refs/heads/main; None when detached
    source: str
    taken_at: datetime  # aware, UTC
    refs: tuple[Ref, ...]
    packs: tuple[StoredPack, ...]
    previous: Previous | None
    files: int  # files in the tree of the head commit
    commits: int  # commits in this snapshot's own packs
    lost: tuple[str, ...] = ()
    object_format: str = "sha1"
    tool: str = ""
    replaces: tuple[str, ...] = ()
    lfs: tuple[LfsObject, ...] = ()
    lfs_in: tuple[str, ...] = ()
    lfs_missing: tuple[LfsMissing, ...] = ()
    symrefs: tuple[tuple[str, str], ...] = ()
    removed: tuple[Removed, ...] = ()
    removed_in: tuple[str, ...] = ()

    @property
    def incomplete(self) -> bool:
        """Whether something is missing that a restore would want: git LFS objects, so far."""
        return bool(self.lfs_missing)

    @property
    def dirname(self) -> str:
        return f"{self.seq:06d}-{self.head[:12]}"

    @property
    def own_packs(self) -> tuple[StoredPack, ...]:
        return tuple(p for p in self.packs if p.snapshot == self.dirname)

    @property
    def size(self) -> int:
        """Bytes that this snapshot itself added to the archive, its manifest not counted."""
        return sum(p.file_size for p in self.own_packs) + sum(o.size for o in self.lfs)


class FileChange(msgspec.Struct, frozen=True, gc=False):
    """One changed path of a commit against its first parent.

    `status` is git's letter (A added, M modified, D deleted, T type changed); modes are octal strings and
    blobs ids, both None where there is nothing on that side. `size` is the new blob's, in bytes; None for a submodule,
    and where it was not told (before it was added to the events).
    """

    status: str
    path: str
    mode: str | None
    blob: str | None
    old_blob: str | None = None
    size: int | None = None


class Person(msgspec.Struct, frozen=True, gc=False):
    """Who, and when: `time` is Unix seconds UTC, `tz` minutes east of it."""

    name: str
    email: str
    time: int
    tz: int


class Commit(msgspec.Struct, frozen=True, gc=False):
    """A commit as the index keeps it. `files` are its changes against its first parent."""

    hash: str
    tree: str
    parents: tuple[str, ...]
    author: Person
    committer: Person
    message: str
    files: tuple[FileChange, ...] = ()
    signed: bool = False

    @property
    def subject(self) -> str:
        return self.message.split("\n", 1)[0]


@dataclass(frozen=True)
class RefUpdate:
    """How a ref moved between two snapshots; `old` or `new` is None for a new or deleted ref.

    `forced` says that the old target is not an ancestor that this snapshot could prove: what it reached may
    be lost from the refs (never from the archive).
    """

    name: str
    old: str | None
    new: str | None
    forced: bool = False


@dataclass(frozen=True)
class Resolved:
    """A ref that a person gave, resolved: the commit, the ref name it came by (None for a hash), and the
    manifest of the snapshot that it was found in."""

    asked: str
    commit: str
    ref: str | None
    snapshot: Manifest = field(repr=False)


Json = dict[str, Any]
