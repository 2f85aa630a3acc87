"""Thin packs: a night's deltas against what the archive has of each path, in place of whole copies of what it changed.

A thin pack names its bases: whole packs, or thin ones on whole ones. So an object is read from three packs at most,
whatever number of nights there is. What was consolidated builds on whole packs, and so does a night now and then: the
nights after it can build on that one, and their deltas stay small. git makes the deltas (`git pack-objects`) from the
objects of the new pack, and from the newest version of each changed path that may be built on; git also proves the
result (`git index-pack --fix-thin`), every object's hash computed again.
"""

from __future__ import annotations

import logging
import subprocess
import zlib
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dulwich.objects import parse_tree

from pivo.errors import ArchiveError
from pivo.gitmemory import OPTIONS
from pivo.gitobjects import object_id
from pivo.models import StoredPack
from pivo.snapshot.localpacks import LocalIndex, bases, checksum, groups, joined, slices
from pivo.snapshot.objects import ObjectReader
from pivo.snapshot.summary import ids

if TYPE_CHECKING:
    from pivo.snapshot.workspace import Workspace

ROOT = b"/"
"""What stands for the path of a commit's own tree; every other path is as git writes it."""

NIGHT = 500
"""Objects up to which a night's pack is made thin: each changed path is a read of the archive."""

_STREAMS = 8  # objects of the base pack that are read at once
_RECENT = 2  # packs, the newest that may be built on, of which the heads' trees are searched for bases
_APART = 4  # nights in a row, at most, that nothing can build on
_LARGE = 16 << 20  # bytes; a larger file's versions are not compared
_WORTH = 0.8  # of its size at most, or a pack stays as it is
_FOLDER, _SUBMODULE = 0o40000, 0o160000
_NAME = 12  # digits of a name in the list of bases
_PACKING = ("--stdout", "--quiet", "--delta-base-offset")
_PASSING = ("-c", "core.compression=0")
_CONFIG = (*OPTIONS, "-c", "pack.writeReverseIndex=false")

_log = logging.getLogger(__name__)


def anchor(packs: Iterable[StoredPack]) -> StoredPack | None:
    """The pack that new thin packs build on: the largest one that is not thin."""
    return max((p for p in packs if not p.thin), key=lambda p: p.size, default=None)


def footing(packs: Iterable[StoredPack]) -> list[StoredPack]:
    """What a night's pack may build on, the newest first: whole packs, and those on whole ones.

    Where one pack outweighs all others, nights do not build on nights: it has most of what they change. Else, after
    some nights on such as are on whole ones, only whole packs: then the next nights can build on this one.
    """
    packs = sorted(packs, key=lambda p: p.snapshot, reverse=True)
    whole = {p.key for p in packs if not p.thin}
    firm = [p for p in packs if whole.issuperset(p.bases)]
    base = anchor(packs)
    if base and 2 * base.size > sum(p.size for p in packs):
        return [p for p in firm if p.level or not p.thin]
    return firm if packs.index(firm[0]) < _APART else [p for p in firm if not p.thin]


def floors(packs: Iterable[StoredPack]) -> list[list[StoredPack]]:
    """Thin packs, those first that others build on."""
    thin = [p for p in packs if p.thin]
    keys = {p.key for p in thin}
    lower = [p for p in thin if keys.isdisjoint(p.bases)]
    return [floor for floor in (lower, [p for p in thin if p not in lower]) if floor]


def may_be_thin(work: Workspace, packs: Sequence[StoredPack]) -> bool:
    """Whether :func:`night` may make something else than the pack that was received."""
    pack, base = work.pack(), anchor(packs)
    return bool(pack and base and base.size >= pack.stat().st_size and work.count_objects() <= NIGHT)


def night(work: Workspace, packs: Sequence[StoredPack]) -> tuple[Path | None, tuple[str, ...]]:
    """The pack to store of what was received, its index beside it, and its bases' keys where it is thin.

    `packs` are those of the last snapshot.
    """
    pack = work.pack()
    if pack is None or work.known is None or not may_be_thin(work, packs):
        return pack, ()
    named = {oid: work.names.get(oid, b"") for oid in ids(pack.with_suffix(".idx"))}
    try:
        made = slim(work.bench, named, work.known, footing(packs))
    except (ArchiveError, OSError) as err:  # a whole pack needs nothing of what is damaged, and no room here
        _log.warning("the new pack is stored whole: %s", err)
        return pack, ()
    if made is None or made[0].stat().st_size > _WORTH * pack.stat().st_size:
        return pack, ()
    return made


@dataclass(frozen=True)
class Bench:
    """A local repository at `path` in which git works with environment `env`; bases are laid beside its objects."""

    path: Path
    env: Mapping[str, str]

    @property
    def folder(self) -> Path:
        """Where thin packs are made."""
        return self.path.absolute() / "thin"

    @property
    def laid(self) -> Path:
        """The folder of loose objects that only thin packs build on."""
        return self.folder / "objects"

    def lay(self, oid: str, kind: str, body: bytes) -> None:
        """Puts a base there."""
        loose = self.laid / oid[:2] / oid[2:]
        loose.parent.mkdir(parents=True, exist_ok=True)
        loose.write_bytes(zlib.compress(f"{kind} {len(body)}\0".encode() + body, 0))

    def pack(self, listing: Path, out: Path, options: Sequence[str]) -> None:
        """`git pack-objects` of a list of objects and bases."""
        with listing.open("rb") as stdin, out.open("wb") as stdout:
            self._run(["pack-objects", *_PACKING, *options], stdin=stdin, stdout=stdout, env=self._env(False))

    def complete(self, packs: Sequence[Path]) -> list[Path]:
        """Whole packs, in the repository, of all the objects of thin ones (their indexes beside them), each hashed."""
        return [self._index(group, None, apart=False) for group in groups(packs)]

    def prove(self, pack: Path, out: Path) -> None:
        """A whole pack at `out` of a thin one, from nothing but the bases that were laid."""
        self._index([pack], out, apart=True)

    def _index(self, packs: Sequence[Path], out: Path | None, *, apart: bool) -> Path:
        self.laid.mkdir(parents=True, exist_ok=True)
        command = ["index-pack", "--stdin", "--fix-thin", *([str(out)] if out else [])]
        quick = _PASSING if apart else ()  # what is laid for the proof alone goes away with it
        process = self._start([*quick, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=self._env(apart))
        assert process.stdin
        try:
            for block in joined(packs):
                process.stdin.write(block)
        except BrokenPipeError:
            pass  # git says why
        except BaseException:
            process.kill()
            process.communicate()
            raise
        told, said = process.communicate()
        _judge("index-pack", process.returncode, said)
        return out or self.path / "objects" / "pack" / f"pack-{told.split()[-1].decode()}.pack"

    def _env(self, apart: bool) -> dict[str, str]:
        key = "GIT_OBJECT_DIRECTORY" if apart else "GIT_ALTERNATE_OBJECT_DIRECTORIES"
        return {**self.env, key: str(self.laid)}

    def _start(self, command: list[str], **streams: object) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # type: ignore[call-overload, no-any-return]
            ["git", "-C", str(self.path), *_CONFIG, *command], stderr=subprocess.PIPE, **streams
        )

    def _run(self, command: list[str], **streams: object) -> None:
        process = self._start(command, **streams)
        _, said = process.communicate()
        _judge(command[0], process.returncode, said)


def _judge(command: str, code: int, said: bytes) -> None:
    if b"No space left" in said:
        raise OSError(28, "No space left on device")
    if code:
        rows = said.decode("utf-8", "replace").strip().splitlines()
        raise ArchiveError(f"git {command} failed: {rows[-1] if rows else 'it said nothing'}", "Verify the archive.")


def slim(
    bench: Bench,
    named: Mapping[bytes, bytes],
    reader: ObjectReader,
    packs: Sequence[StoredPack],
    options: Sequence[str] = (),
) -> tuple[Path, tuple[str, ...]] | None:
    """A thin pack, its index beside it, of the objects `named` (id of 20 bytes → path, empty for none), and its bases.

    These are some of `packs`. None where nothing builds on them. The objects are in the bench's repository.
    ArchiveError when one of `packs` is damaged, or git does not do what it should.
    """
    paths = sorted({p for p in named.values() if p}, key=lambda p: (p.rpartition(b"/")[2], p))
    here = {oid.hex() for oid in named}
    found = {p: b for p, b in _lay_bases(bench, reader, packs, frozenset(paths)).items() if b.oid not in here}
    if not found:
        return None
    numbers = {path: _number(n) for n, path in enumerate(paths, 1)}
    listing = bench.folder / "list"
    with listing.open("wb") as out:
        out.write(b"-%s\n" % _flat_tree(bench, {numbers[p]: b for p, b in found.items()}))
        for oid, path in named.items():
            out.write(b"%s %s\n" % (oid.hex().encode(), numbers.get(path, _number(0))))
    made, whole = bench.folder / "made.pack", bench.folder / "whole.pack"
    bench.pack(listing, made, options)
    bench.prove(made, whole)
    with LocalIndex(whole.with_suffix(".idx")) as index:
        (own,) = index.split(slices([made]))
        if len(own) == index.count:
            return None
        inner = set(own)
        appended = {index.name(position).hex() for position in range(index.count) if position not in inner}
        if len(own) != len(named) or any(index.name(position) not in named for position in own):
            raise ArchiveError("git did not pack just what it was asked for.", "Report this: it is a defect in PIVO.")
        end = checksum(made)
        index.write(own, 0, end, made.with_suffix(".idx"))
    whole.unlink()
    for suffix in (".pack", ".idx"):
        made.with_suffix(suffix).rename(bench.folder / f"pack-{end.hex()}{suffix}")
    keys = {base.pack for base in found.values() if base.oid in appended}
    return bench.folder / f"pack-{end.hex()}.pack", tuple(p.key for p in packs if p.key in keys)


def lay_named(bench: Bench, packs: Iterable[tuple[Path, StoredPack]], reader: ObjectReader) -> None:
    """Lays what local thin packs (their indexes beside them) build on; ArchiveError when a base is not in its pack."""
    wanted = {oid: stored for path, stored in packs for oid in bases(path)}

    def lay(oid: str) -> None:
        bench.lay(oid, *reader.base(wanted[oid], oid))

    with ThreadPoolExecutor(_STREAMS) as pool:
        for _ in pool.map(lay, sorted(wanted)):
            pass


class _Base(NamedTuple):
    """An object that deltas may build on, and the key of the pack that holds it."""

    oid: str
    kind: str
    pack: str


def _lay_bases(
    bench: Bench, reader: ObjectReader, packs: Sequence[StoredPack], paths: frozenset[bytes]
) -> dict[bytes, _Base]:
    """Lays a version of each path that one of `packs` (the newest first) holds: a new one, where some do."""
    found: dict[bytes, _Base] = {}
    merged = [p for p in packs if p.level][:1]
    looked: set[str] = set()
    for pack in (*packs[:_RECENT], *merged, anchor(packs)):
        head = reader.head_of(pack) if pack and found.keys() != paths else None
        if head and head not in looked:
            looked.add(head)
            found |= _lay_at(bench, reader, packs, head, paths - found.keys())
    return found


def _lay_at(
    bench: Bench, reader: ObjectReader, packs: Sequence[StoredPack], head: str, paths: frozenset[bytes]
) -> dict[bytes, _Base]:
    """Lays the version of each path at commit `head`, if one of `packs` holds it."""
    above = {ROOT, *(path[:at] for path in paths for at, byte in enumerate(path) if byte == 0x2F)}
    found: dict[bytes, _Base] = {}
    left = [(ROOT, _FOLDER, reader.commit(head).tree)]

    def read(path: bytes, mode: int, oid: str) -> tuple[str, bytes] | None:
        got = reader.within(packs, oid, _LARGE)
        if got and path in paths:
            bench.lay(oid, *got[1:])
            found[path] = _Base(oid, got[1], got[0])
        # A folder that is in another pack is no base, and what is in it may be.
        return got[1:] if got else reader.get(oid) if mode == _FOLDER and path in above else None

    with ThreadPoolExecutor(_STREAMS) as pool:
        while left:
            answers = list(pool.map(lambda one: read(*one), left))
            below = []
            for (path, mode, _), got in zip(left, answers, strict=True):
                if mode != _FOLDER or path not in above or got is None:
                    continue
                prefix = path + b"/" if path != ROOT else b""
                for name, inner, oid in parse_tree(got[1], 20):
                    if inner != _SUBMODULE and (prefix + name in paths or prefix + name in above):
                        below.append((prefix + name, inner, oid.decode()))
            left = below
    return found


def _flat_tree(bench: Bench, found: Mapping[bytes, _Base]) -> bytes:
    """Lays a tree that tells git which base to use for what: git looks up the name of each object in it."""
    rows = [
        b"%s %s\0%s" % (b"40000" if base.kind == "tree" else b"100644", name, bytes.fromhex(base.oid))
        for name, base in sorted(found.items())
    ]
    body = b"".join(rows)
    oid = object_id("tree", body)
    bench.lay(oid, "tree", body)
    return oid.encode()


def _number(number: int) -> bytes:
    """A name whose hash in git (`pack_name_hash`) is unlike that of any other number, and grows with it.

    git hashes names so that each letter counts for two bits less than the next, and takes names of one hash for one.
    """
    return bytes(0x30 + (number >> 2 * digit & 3) for digit in range(_NAME))
