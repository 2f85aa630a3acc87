"""One pack out of several, in a temporary repository: thin on whole packs that stay, or whole."""

from __future__ import annotations

import heapq
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from pivo.errors import ArchiveError, Unavailable
from pivo.gitmemory import OPTIONS
from pivo.models import StoredPack
from pivo.snapshot.archive import Archive
from pivo.snapshot.localpacks import count_objects
from pivo.snapshot.objects import ObjectReader
from pivo.snapshot.packidx import copy_out
from pivo.snapshot.summary import ids
from pivo.snapshot.thin import ROOT, Bench, anchor, lay_named, slim

_MANY = 1_000_000  # objects whose names are held in memory; more become a whole pack
_OUTGROWN = 4  # times the largest base's size: packs that are more become a whole one
_WORTH = 0.8  # of a whole pack's size at most: a whole one is read from fewer packs, and the next ones build on it


class Repack:
    """A temporary bare repository at `path` that holds some packs and makes one of them."""

    def __init__(self, path: Path, environment: Mapping[str, str]) -> None:
        self._path = path
        self._packs = path / "objects" / "pack"
        self._env = {
            "PATH": environment.get("PATH", ""),
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
        }
        self._bench = Bench(path, self._env)
        self._fetched: dict[str, tuple[Path, StoredPack]] = {}
        self._completed: list[str] = []  # names of packs made of thin ones
        subprocess.run(["git", "init", "--quiet", "--bare", "--template=", str(path)], env=self._env, check=True)
        self._bench.folder.mkdir()

    def fetch(self, archive: Archive, repo: str, pack: StoredPack) -> None:
        """Copies a pack and its index out of the archive; ArchiveError when they are not what was archived."""
        into = self._bench.folder if pack.thin else self._packs
        try:
            copy_out(archive.store, repo, pack, into)
        except OSError as err:
            raise _no_space(self._path) from err
        self._fetched[pack.key] = into / pack.pack_name, pack

    def repack(self, reader: ObjectReader, whole: Sequence[StoredPack]) -> tuple[Path, int, tuple[str, ...]]:
        """One pack of all objects of those that were fetched, how many, and what it builds on: some of `whole`, packs
        that stay (the newest first), or nothing, where that takes little more.

        Every object's hash is computed again.
        """
        try:
            self._complete(reader)
            made = self._slim(reader, whole)
        except OSError as err:
            raise _no_space(self._path) from err
        pack = self._whole()
        if made and made[0].stat().st_size <= _WORTH * pack.stat().st_size:
            return made[0], self._compare(made[0]), made[1]
        self._compare(pack)
        return pack, count_objects(pack), ()

    def pick(self, reader: ObjectReader, wanted: Iterable[bytes], into: Path) -> None:
        """Makes one pack, its index beside it, of some of the objects that were fetched, in the folder `into`."""
        try:
            self._complete(reader)
        except OSError as err:
            raise _no_space(self._path) from err
        listed = b"".join(b"%s\n" % oid.hex().encode() for oid in wanted)
        self._git("pack-objects", "--delta-base-offset", "--quiet", str(into / "pack"), stdin=listed)

    def _complete(self, reader: ObjectReader) -> None:
        thin = [(path, pack) for path, pack in self._fetched.values() if pack.thin]
        if thin:
            lay_named(self._bench, thin, reader)
            self._completed = [made.name for made in self._bench.complete([path for path, _ in thin])]

    def discard(self) -> None:
        """Removes the repository."""
        shutil.rmtree(self._path, ignore_errors=True)

    def _slim(self, reader: ObjectReader, whole: Sequence[StoredPack]) -> tuple[Path, tuple[str, ...]] | None:
        packs, base = [pack for _, pack in self._fetched.values()], anchor(whole)
        if base is None or sum(p.objects for p in packs) > _MANY or sum(p.size for p in packs) > _OUTGROWN * base.size:
            return None
        named = dict.fromkeys(self._ids(), b"")
        for oid, path in self._paths():
            if oid in named:
                named[oid] = path
        # What was made for one night each is not the best for all of them.
        return slim(self._bench, named, reader, whole, ["--no-reuse-delta"])

    def _paths(self) -> Iterator[tuple[bytes, bytes]]:
        """The objects behind all commits that are here, and their paths."""
        form = "--batch-check=%(objecttype) %(objectname)"
        listed = self._git("cat-file", "--batch-all-objects", "--unordered", form)
        commits = b"".join(row[-40:] + b"\n" for row in listed.split(b"\n") if row.startswith(b"commit"))
        walk = ("rev-list", "--objects", "--no-walk=unsorted", "--missing=allow-any", "--stdin")
        for row in self._git(*walk, stdin=commits).split(b"\n"):
            if len(row) > 40:  # a commit has no path, and the path of its tree is empty
                yield bytes.fromhex(row[:40].decode()), row[41:] or ROOT

    def _whole(self) -> Path:
        names = [path.name for path, pack in self._fetched.values() if not pack.thin] + self._completed
        made = self._git(
            "pack-objects", "--stdin-packs", "--delta-base-offset", "--quiet", str(self._path / "pack"),
            stdin="".join(f"{name}\n" for name in names).encode(),
        )  # fmt: skip
        pack = self._path / f"pack-{made.decode().strip()}.pack"
        self._git("verify-pack", str(pack.with_suffix(".idx")))
        return pack

    def _ids(self) -> Iterator[bytes]:
        """The ids of all objects that were fetched, sorted, each once."""
        last = b""
        for oid in heapq.merge(*(ids(path.with_suffix(".idx")) for path, _ in self._fetched.values())):
            if oid != last:
                yield oid
            last = oid

    def _compare(self, made: Path) -> int:
        """How many objects were fetched, by their sorted lists; ArchiveError when the new pack lacks any."""
        new, at, count = ids(made.with_suffix(".idx")), b"", 0
        for oid in self._ids():
            count += 1
            while at < oid:
                at = next(new, b"\xff" * 21)
            if at != oid:
                raise ArchiveError(
                    f"git did not repack every object: {oid.hex()} and perhaps others are missing.",
                    "Nothing was consolidated; report this: it is a defect in PIVO or in git.",
                )
        return count

    def _git(self, *args: str, stdin: bytes | None = None) -> bytes:
        done = subprocess.run(
            ["git", "-C", str(self._path), *OPTIONS, *args],
            input=stdin,
            capture_output=True,
            env=self._env,
            check=False,
        )
        if b"No space left" in done.stderr:
            raise _no_space(self._path)
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise ArchiveError(
                f"git could not repack: {said[-1] if said else 'it said nothing'}",
                "Nothing was consolidated; verify the archive.",
            )
        return done.stdout


def _no_space(path: Path) -> Unavailable:
    return Unavailable(
        f"There is no space left in {path.parent.parent} for consolidating.",
        "Free some, or set PIVO_STAGING to a larger folder; nothing was published.",
    )
