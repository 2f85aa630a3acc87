"""A temporary bare repository in which a fetched pack is indexed, proven complete, and read commit by commit.

Only the new pack is in it. What it borders on (the parents of its oldest commits) is read from the archive and laid
beside it as loose objects, just enough of it for git to compare trees; those parents are marked shallow, so that
git walks no further.
"""

from __future__ import annotations

import subprocess
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO

from dulwich.objects import parse_tree

from pivo.errors import ArchiveError, SourceError
from pivo.gitobjects import object_id, parse_commit, text
from pivo.models import Commit, FileChange
from pivo.progress import Progress, silent
from pivo.snapshot.objects import ObjectReader

_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_INCOMPLETE = "Run `git fsck` in the source (a shallow or partial clone cannot be archived); nothing was published."
_ENV = {"LC_ALL": "C", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "PATH": ""}


class Workspace:
    """The repository at `path`. `known` reads what the archive holds already; None for a first snapshot."""

    def __init__(self, path: Path, known: ObjectReader | None, environment: Mapping[str, str]) -> None:
        self.path = path
        self._known = known
        self._env = {**_ENV, "PATH": environment.get("PATH", ""), "TMPDIR": environment.get("TMPDIR", "/tmp")}
        self._laid: set[str] = set()
        self._boundary: list[str] = []
        self.parents: frozenset[str] = frozenset()
        """The parents of the new commits that the archive holds; known once :meth:`border` has run."""
        self._cat: _CatFile | None = None
        self._git("init", "--quiet", "--bare", "--template=", str(path), at=False)

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        if self._cat:
            self._cat.close()

    def _command(self, *args: str, at: bool = True) -> list[str]:
        return ["git", *(["-C", str(self.path)] if at else []), "-c", "core.commitGraph=false", *args]

    def _git(self, *args: str, stdin: bytes | None = None, at: bool = True) -> bytes:
        done = subprocess.run(self._command(*args, at=at), input=stdin, capture_output=True, env=self._env, check=False)
        if done.returncode:
            raise SourceError(
                f"git {args[0]} failed on the fetched history: {_first(done.stderr)}.",
                "Run `git fsck` in the source; nothing was published.",
            )
        return done.stdout

    @contextmanager
    def receive(self) -> Iterator[Callable[[bytes], int]]:
        """Gives a sink for a pack's bytes; on leaving, the pack is indexed and every object's hash computed.

        SourceError, naming the object where git does, for a pack that is damaged or not self-contained.
        """
        process = subprocess.Popen(
            self._command("index-pack", "--stdin"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self._env,
        )
        stdin = process.stdin
        assert stdin
        got = 0

        def sink(data: bytes) -> int:
            nonlocal got
            got += len(data)
            with suppress(BrokenPipeError):  # git says why below
                stdin.write(data)
            return len(data)

        try:
            yield sink
        except BaseException:
            process.kill()
            process.communicate()
            raise
        _, said = process.communicate()
        if process.returncode and got:
            raise SourceError(
                f"The source sent a damaged pack: {_first(said)}.",
                "Run `git fsck` in the source; nothing was published.",
            )

    def pack(self) -> Path | None:
        """The received pack with its `.idx` beside it; None when nothing, or a pack without objects, came."""
        for pack in sorted((self.path / "objects" / "pack").glob("pack-*.pack")):
            with pack.open("rb") as file:
                # Signature, version, and the number of objects: four bytes each.
                if int.from_bytes(file.read(12)[8:], "big"):
                    return pack
        return None

    def get(self, oid: str) -> tuple[str, bytes]:
        """An object from the new pack, else from the archive; NotFound where neither has it."""
        if self._cat is None:
            self._cat = _CatFile(self._command("cat-file", "--batch"), self._env)
        found = self._cat.get(oid)
        if found is None and self._known:
            return self._known.get(oid)
        if found is None:
            raise SourceError(
                f"The source did not send object {oid}.", "Run `git fsck` in the source; nothing was published."
            )
        return found

    def _packed(self, kind: str) -> list[str]:
        listed = self._git(
            "cat-file", "--batch-all-objects", "--unordered", "--batch-check=%(objecttype) %(objectname)"
        )
        return [row.split()[1].decode() for row in listed.splitlines() if row.startswith(kind.encode())]

    def border(self) -> None:
        """Lays the new pack's border beside it. Call once, after :meth:`receive`."""
        if self._known is None or self.pack() is None:
            return
        ids = self._packed("commit")
        packed = set(ids)
        parents: set[str] = set()
        for oid, body in self._bodies("\n".join(ids).encode()):
            commit = parse_commit(oid, body)
            for place, parent in enumerate(commit.parents):
                if parent in packed or not self._known.contains(parent):
                    continue  # one that nobody has is found by `prove`
                parents.add(parent)
                tree = parse_commit(parent, self._lay(parent)).tree
                if place == 0:  # changes are told against the first parent only
                    self._lay_difference(tree, commit.tree)
        self._boundary = sorted(parents)
        self.parents = frozenset(parents)
        if self._boundary:
            (self.path / "shallow").write_text("\n".join(self._boundary) + "\n")
        if self._cat:  # it listed its objects before these were laid
            self._cat.close()
            self._cat = None

    def _lay(self, oid: str) -> bytes:
        """Writes an archived object as a loose one; gives its body."""
        assert self._known
        kind, body = self._known.get(oid)
        if oid not in self._laid:
            loose = self.path / "objects" / oid[:2] / oid[2:]
            if not loose.exists():
                loose.parent.mkdir(exist_ok=True)
                loose.write_bytes(zlib.compress(f"{kind} {len(body)}\0".encode() + body, 1))
            self._laid.add(oid)
        return body

    def _lay_difference(self, old: str, new: str) -> None:
        """Lays the trees below `old` that git opens when it compares it with `new`."""
        if old in (new, _EMPTY_TREE):
            return
        mine = {name: sha.decode() for name, mode, sha in parse_tree(self._lay(old), 20) if mode == 0o40000}
        theirs = {name: (mode, sha.decode()) for name, mode, sha in parse_tree(self.get(new)[1], 20)}
        for name, sha in mine.items():
            mode, other = theirs.get(name, (0, _EMPTY_TREE))
            if sha != other:
                self._lay_difference(sha, other if mode == 0o40000 else _EMPTY_TREE)

    def prove(self, tips: Iterable[str]) -> None:
        """Proves that every object behind `tips` is here or in the archive; SourceError names one that is not.

        What the archive holds is complete by the same proof of the snapshots before.
        """
        tips = list(tips)
        if self.pack() is None:
            return
        local = [t for t in tips if self._is_local(t)]
        process = subprocess.run(
            self._command("rev-list", "--objects", "--missing=print", "--quiet", "--stdin"),
            input="\n".join(local).encode(),
            capture_output=True,
            env=self._env,
            check=False,
        )
        if process.returncode:
            raise SourceError(f"The source's history is not complete: {_first(process.stderr)}.", _INCOMPLETE)
        # --quiet leaves nothing but the missing ones, each as `?<id>`.
        for row in process.stdout.splitlines():
            oid = row.decode().lstrip("?").strip()
            if row.startswith(b"?") and not (self._known and self._known.contains(oid)):
                raise SourceError(
                    f"The source's history is not complete: object {oid} is missing from it.", _INCOMPLETE
                )

    def _is_local(self, oid: str) -> bool:
        if self._cat is None:
            self._cat = _CatFile(self._command("cat-file", "--batch"), self._env)
        return self._cat.get(oid) is not None

    def commits(self, tips: Iterable[str], progress: Progress = silent) -> Iterator[Commit]:
        """The new pack's commits that `tips` reach, parents first, each with its changes against its first parent."""
        local = [t for t in tips if self._is_local(t)]
        if self.pack() is None or not local:
            return
        order = self._git(
            "rev-list", "--reverse", "--topo-order", "--stdin",
            stdin="\n".join([*local, *(f"^{b}" for b in self._boundary)]).encode(),
        )  # fmt: skip
        listing = self.path / "commits"
        listing.write_bytes(order)
        total = order.count(b"\n")
        changes = self._changes(listing)
        for done, (oid, body) in enumerate(self._bodies(order), 1):
            told, files = next(changes)
            if told != oid:
                raise ArchiveError(
                    f"git log and git cat-file disagree at {oid}.", "Report this: it is a defect in PIVO."
                )
            commit = parse_commit(oid, body)
            progress("reading commits", done, total)
            yield Commit(
                commit.hash, commit.tree, commit.parents, commit.author, commit.committer, commit.message, files,
                commit.signed,
            )  # fmt: skip

    def count_commits(self) -> int:
        """How many commits the new pack holds."""
        return len(self._packed("commit")) - len(self._boundary) if self.pack() else 0

    def count_objects(self) -> int:
        """How many objects the new pack holds, by its header."""
        pack = self.pack()
        if pack is None:
            return 0
        with pack.open("rb") as file:
            return int.from_bytes(file.read(12)[8:], "big")

    def _bodies(self, ids: bytes) -> Iterator[tuple[str, bytes]]:
        """Id and body of each commit in `ids` (one a line), in that order."""
        listing = self.path / "ids"
        listing.write_bytes(ids)
        with listing.open("rb") as stdin:
            process = subprocess.Popen(
                self._command("cat-file", "--batch", "--buffer"),
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=self._env,
            )
            assert process.stdout
            with process:
                while header := process.stdout.readline():
                    oid, _, size = header.split()
                    body = process.stdout.read(int(size))
                    process.stdout.read(1)
                    yield oid.decode(), body

    def _changes(self, listing: Path) -> Iterator[tuple[str, tuple[FileChange, ...]]]:
        """Id and changes of each commit that `listing` names, in that order."""
        with listing.open("rb") as stdin:
            process = subprocess.Popen(
                self._command(
                    "log", "--stdin", "--no-walk=unsorted", "--format=%x01%H", "-z", "--raw", "--no-abbrev", "-r",
                    "--no-renames", "--diff-merges=first-parent", "--root", "--no-show-signature",
                ),
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=self._env,
            )  # fmt: skip
            assert process.stdout
            with process:
                yield from _parse_changes(_tokens(process.stdout))

    def count_files(self, tree: str, old: str | None = None, old_files: int = 0) -> int:
        """How many files the tree has: counted, or from the count of an `old` tree and what differs."""
        if old is not None:
            return old_files + self._difference(old, tree)
        return self._difference(_EMPTY_TREE, tree)

    def _difference(self, old: str, new: str) -> int:
        if old == new:
            return 0
        mine, theirs = self._tree(old), self._tree(new)
        total = 0
        for name in mine.keys() | theirs.keys():
            mode, sha = mine.get(name, (0, ""))
            mode_new, sha_new = theirs.get(name, (0, ""))
            if (mode, sha) == (mode_new, sha_new):
                continue
            total -= int(mode not in (0, 0o40000))
            total += int(mode_new not in (0, 0o40000))
            total += self._difference(
                sha if mode == 0o40000 else _EMPTY_TREE, sha_new if mode_new == 0o40000 else _EMPTY_TREE
            )
        return total

    def _tree(self, oid: str) -> dict[bytes, tuple[int, str]]:
        if oid == _EMPTY_TREE:
            return {}
        return {name: (mode, sha.decode()) for name, mode, sha in parse_tree(self.get(oid)[1], 20)}


class _CatFile:
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


def _tokens(stream: IO[bytes]) -> Iterator[bytes]:
    rest = b""
    while data := stream.read(1 << 16):
        *whole, rest = (rest + data).split(b"\0")
        yield from whole
    if rest:
        yield rest


def _parse_changes(tokens: Iterator[bytes]) -> Iterator[tuple[str, tuple[FileChange, ...]]]:
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


def _first(said: bytes) -> str:
    rows = [r.removeprefix("fatal: ").removeprefix("error: ") for r in text(said).splitlines() if r.strip()]
    return (rows or ["git said nothing"])[-1 if len(rows) == 1 else 0].rstrip(".")
