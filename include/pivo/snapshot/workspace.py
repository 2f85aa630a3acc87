"""A temporary bare repository in which a fetched pack is indexed, proven complete, and read commit by commit.

Only the new pack is in it. What it borders on (the parents of its oldest commits) is read from the archive and laid
beside it as loose objects, just enough of it for git to compare trees; those parents are marked shallow, so that
git walks no further.
"""

from __future__ import annotations

import heapq
import subprocess
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

from dulwich.objects import parse_tree

from pivo.errors import ArchiveError, SourceError, Unavailable
from pivo.gitmemory import OPTIONS
from pivo.gitobjects import parse_commit, tagged, text
from pivo.models import Commit, FileChange
from pivo.progress import Progress, silent
from pivo.snapshot.gitpipe import CatFile, parse_changes, tokens
from pivo.snapshot.objects import ObjectReader
from pivo.snapshot.sizes import Sizes
from pivo.snapshot.thin import NIGHT, ROOT, Bench

_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_FOLDER = 0o40000  # the mode of a tree in a tree
_WALK = 5000  # commits that are looked at to prove a fast-forward
_CLOCKS_DIFFER = 24 * 3600  # seconds by which a commit's parent may be younger than it
_INCOMPLETE = "Run `git fsck` in the source (a shallow or partial clone cannot be archived); nothing was published."
_ENV = {"LC_ALL": "C", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "PATH": ""}


class Workspace:
    """The repository at `path`. `known` reads what the archive holds already; None for a first snapshot."""

    def __init__(self, path: Path, known: ObjectReader | None, environment: Mapping[str, str]) -> None:
        self.path = path
        self.known = known
        self._env = {**_ENV, "PATH": environment.get("PATH", ""), "TMPDIR": environment.get("TMPDIR", "/tmp")}
        self._here: set[str] = set()
        self._boundary: list[str] = []
        self.parents: frozenset[str] = frozenset()
        """The parents of the new commits that the archive holds; known once :meth:`border` has run."""
        self.names: dict[bytes, bytes] = {}
        """The paths of the objects here, by id (20 bytes): what :meth:`prove` saw of a small pack."""
        self._cat: CatFile | None = None
        self._sizes = Sizes(self._command("cat-file", "--batch-check=%(objectsize)"), self._env, known)
        self._commits: int | None = None
        self._init()

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self._sizes.close()
        if self._cat:
            self._cat.close()

    def _command(self, *args: str) -> list[str]:
        return ["git", "-C", str(self.path), *OPTIONS, "-c", "core.commitGraph=false", *args]

    def _git(self, *args: str, stdin: bytes | None = None) -> bytes:
        done = subprocess.run(self._command(*args), input=stdin, capture_output=True, env=self._env, check=False)
        if done.returncode:
            raise SourceError(
                f"git {args[0]} failed on the fetched history: {_first(done.stderr)}.",
                "Run `git fsck` in the source; nothing was published.",
            )
        return done.stdout

    def _init(self) -> None:
        """What `git init --bare` makes, as far as git needs it (gitrepository-layout): no process for three files."""
        for folder in ("objects/pack", "objects/info", "refs/heads"):
            (self.path / folder).mkdir(parents=True)
        (self.path / "HEAD").write_text("ref: refs/heads/main\n")
        (self.path / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n")

    @property
    def bench(self) -> Bench:
        """Where thin packs are made of the objects here."""
        return Bench(self.path, self._env)

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
        if process.returncode and b"No space left" in said:
            raise Unavailable(
                f"There is no space left in {self.path.parent} for the fetched history.",
                "Free some, or set PIVO_STAGING to a larger folder; nothing was published.",
            )
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
        found = self._local(oid)
        if found is None and self.known:
            return self.known.get(oid)
        if found is None:
            raise SourceError(
                f"The source did not send object {oid}.", "Run `git fsck` in the source; nothing was published."
            )
        return found

    def _listed(self, *kinds: bytes) -> tuple[set[str], ...]:
        """The ids of all objects here, a set a kind: the new pack's, and those that :meth:`border` has laid."""
        form = "--batch-check=%(objecttype) %(objectname)"
        listed = subprocess.Popen(
            self._command("cat-file", "--batch-all-objects", "--unordered", form),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=self._env,
        )
        assert listed.stdout
        with listed:
            found: dict[bytes, set[str]] = {kind: set() for kind in kinds}
            for row in listed.stdout:
                kind, oid = row.split()
                if kind in found:
                    found[kind].add(oid.decode())
        return tuple(found.values())

    def small_blobs(self, smallest: int, largest: int) -> Iterator[tuple[str, bytes]]:
        """Id and body of the blobs here with a size (bytes) from `smallest` to `largest`."""
        words = ("--batch-all-objects", "--unordered", "--batch-check=%(objecttype) %(objectsize) %(objectname)")
        listed = subprocess.Popen(
            self._command("cat-file", *words), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=self._env
        )
        assert listed.stdout
        with listed:
            rows = (row.split() for row in listed.stdout if row.startswith(b"blob "))
            ids = [row[2] for row in rows if smallest <= int(row[1]) <= largest]
        if listed.returncode:
            raise SourceError("git cat-file failed on the fetched history.", _INCOMPLETE)
        return self._bodies(b"\n".join(ids)) if ids else iter(())

    def border(self) -> None:
        """Lays the new pack's border beside it. Call once, after :meth:`receive`."""
        if self.known is None or self.pack() is None:
            return
        own, self._here = self._listed(b"commit", b"tree")
        ids, self._commits = sorted(own), len(own)
        commits = {oid: parse_commit(oid, body) for oid, body in self._bodies("\n".join(ids).encode())}
        trees = {oid: commit.tree for oid, commit in commits.items()}
        for parent in {p for commit in commits.values() for p in commit.parents} - commits.keys():
            if self.known.contains(parent):  # one that nobody has is found by `prove`
                trees[parent] = parse_commit(parent, self._lay(parent)).tree
        self._boundary = sorted(trees.keys() - commits.keys())
        self.parents = frozenset(self._boundary)
        seen: set[tuple[str, str]] = set()
        for commit in commits.values():  # changes are told against the first parent only
            first = commit.parents[0] if commit.parents else None
            if first is None or first in trees:
                self._lay_difference(trees[first] if first else _EMPTY_TREE, commit.tree, seen)
        if self._boundary:
            (self.path / "shallow").write_text("\n".join(self._boundary) + "\n")
        if self._cat:  # it listed its objects before these were laid
            self._cat.close()
            self._cat = None

    def _lay(self, oid: str) -> bytes:
        """Writes an archived object as a loose one; gives its body."""
        assert self.known
        kind, body = self.known.get(oid)
        loose = self.path / "objects" / oid[:2] / oid[2:]
        if not loose.exists():
            loose.parent.mkdir(exist_ok=True)
            loose.write_bytes(zlib.compress(f"{kind} {len(body)}\0".encode() + body, 1))
        return body

    def _lay_difference(self, old: str, new: str, seen: set[tuple[str, str]]) -> None:
        """Lays the archived trees that git opens when it compares tree `old` with tree `new`; `seen` pairs are done.

        They are on both sides: the server sends no tree that the archive has, neither one that a commit leaves nor
        one that it goes back to.
        """
        if old == new:  # an empty commit: git opens its tree all the same
            self._folders(old)
        left = [(old, new)]
        while left:
            pair = left.pop()
            if pair[0] == pair[1] or pair in seen:
                continue
            seen.add(pair)
            mine, theirs = (self._folders(oid) for oid in pair)
            left += [(mine.get(n, _EMPTY_TREE), theirs.get(n, _EMPTY_TREE)) for n in mine.keys() | theirs.keys()]

    def _folders(self, oid: str) -> dict[bytes, str]:
        """The trees in a tree, by name; the tree itself is laid if it is not here. One that nobody has has none."""
        if oid == _EMPTY_TREE:
            return {}
        if oid in self._here:
            body = self.get(oid)[1]
        elif self._archived(oid):
            body = self._lay(oid)
        else:  # `prove` names it
            return {}
        return {name: sha.decode() for name, mode, sha in parse_tree(body, 20) if mode == _FOLDER}

    def prove(self, tips: Iterable[str]) -> None:
        """Proves that every object behind `tips` is here or in the archive; SourceError names one that is not.

        What the archive holds is complete by the same proof of the snapshots before.
        """
        local = [oid for t in tips if (oid := self._behind_tags(t))]
        if not local:
            return
        named = self.known is not None and self.count_objects() <= NIGHT
        process = subprocess.run(
            self._command("rev-list", "--objects", "--missing=print", *([] if named else ["--quiet"]), "--stdin"),
            input="\n".join(local).encode(),
            capture_output=True,
            env=self._env,
            check=False,
        )
        if process.returncode:
            raise SourceError(f"The source's history is not complete: {_first(process.stderr)}.", _INCOMPLETE)
        # Each is `<id> <path>`, a missing one `?<id>`; with --quiet there are only those.
        for row in process.stdout.split(b"\n"):
            if row.startswith(b"?"):
                if not self._archived(oid := row[1:41].decode()):
                    raise _missing(oid)
            elif len(row) > 40:  # a commit has no path, and the path of its tree is empty
                self.names[bytes.fromhex(row[:40].decode())] = row[41:] or ROOT

    def _behind_tags(self, oid: str) -> str | None:
        """What `oid` leads to once the tags that came are followed; None when the archive holds that."""
        found = self._local(oid)
        while found and found[0] == "tag":
            oid, _ = tagged(found[1])
            found = self._local(oid)
        if found is None and not self._archived(oid):
            raise _missing(oid)
        return oid if found else None

    def _archived(self, oid: str) -> bool:
        return self.known is not None and self.known.contains(oid)

    def _local(self, oid: str) -> tuple[str, bytes] | None:
        if self._cat is None:
            self._cat = CatFile(self._command("cat-file", "--batch"), self._env)
        return self._cat.get(oid)

    def reaches(self, tip: str, old: str) -> bool:
        """Whether commit `old` is an ancestor of `tip`; False too when a walk of some thousand commits cannot tell."""
        (kind, body), (goal_kind, goal) = self.get(tip), self.get(old)
        if kind != "commit" or goal_kind != "commit":
            return False
        # The youngest first, so that what is older than `old` is not walked.
        since = parse_commit(old, goal).committer.time - _CLOCKS_DIFFER
        first = parse_commit(tip, body)
        queue = [(-first.committer.time, tip, first.parents)]
        seen = {tip}
        for _ in range(_WALK):
            if not queue or -queue[0][0] < since:
                return False
            _, oid, parents = heapq.heappop(queue)
            if oid == old:
                return True
            for parent in parents:
                if parent not in seen:
                    seen.add(parent)
                    commit = parse_commit(parent, self.get(parent)[1])
                    heapq.heappush(queue, (-commit.committer.time, parent, commit.parents))
        return False

    def commits(self, tips: Iterable[str], progress: Progress = silent) -> Iterator[Commit]:
        """The new pack's commits that `tips` reach, parents first, each with its changes against its first parent."""
        return self._sizes.told(self._read(tips, progress))

    def _read(self, tips: Iterable[str], progress: Progress) -> Iterator[Commit]:
        local = [t for t in tips if self._local(t)]
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
            told, files = next(changes, ("", ()))
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
        if self._commits is None:
            self._commits = len(self._listed(b"commit")[0]) if self.pack() else 0
        return self._commits

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
                    "--ignore-submodules=none",
                ),
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=self._env,
            )  # fmt: skip
            assert process.stdout
            with process:
                yield from parse_changes(tokens(process.stdout))

    def count_files(self, tree: str, old: str | None = None, old_files: int = 0) -> int:
        """How many files the tree has: counted, or from the count of an `old` tree and what differs."""
        if old is not None:
            return old_files + self._difference(old, tree)
        return self._difference(_EMPTY_TREE, tree)

    def _difference(self, old: str, new: str) -> int:
        total, left = 0, [(old, new)]
        while left:
            old, new = left.pop()
            if old == new:
                continue
            mine, theirs = self._tree(old), self._tree(new)
            for name in mine.keys() | theirs.keys():
                mode, sha = mine.get(name, (0, ""))
                mode_new, sha_new = theirs.get(name, (0, ""))
                total += (mode_new not in (0, _FOLDER)) - (mode not in (0, _FOLDER))
                left.append((sha if mode == _FOLDER else _EMPTY_TREE, sha_new if mode_new == _FOLDER else _EMPTY_TREE))
        return total

    def _tree(self, oid: str) -> dict[bytes, tuple[int, str]]:
        if oid == _EMPTY_TREE:
            return {}
        return {name: (mode, sha.decode()) for name, mode, sha in parse_tree(self.get(oid)[1], 20)}


def _missing(oid: str) -> SourceError:
    return SourceError(f"The source's history is not complete: object {oid} is missing from it.", _INCOMPLETE)


def _first(said: bytes) -> str:
    rows = [r.removeprefix("fatal: ").removeprefix("error: ") for r in text(said).splitlines() if r.strip()]
    return (rows or ["git said nothing"])[-1 if len(rows) == 1 else 0].rstrip(".")
