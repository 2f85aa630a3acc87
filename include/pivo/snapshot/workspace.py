"""A temporary bare repository in which a fetched pack is indexed, proven complete, and read commit by commit.

Only the new pack is in it. What it borders on (the parents of its oldest commits) is read from the archive and laid
beside it as loose objects, just enough of it for git to compare trees; those parents are marked shallow, so that
git walks no further.
"""

from __future__ import annotations

import heapq
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from itertools import islice
from pathlib import Path
from types import TracebackType

from dulwich.objects import parse_tree

from pivo.errors import SourceError, Unavailable
from pivo.gitmemory import OPTIONS
from pivo.gitobjects import lineage, parse_commit, tagged, text
from pivo.models import Commit, FileChange
from pivo.progress import Progress, silent
from pivo.snapshot.border import EMPTY_TREE, FOLDER, Border
from pivo.snapshot.gitpipe import CatFile, parse_changes, tokens
from pivo.snapshot.objects import ObjectReader
from pivo.snapshot.sizes import Sizes
from pivo.snapshot.thin import NIGHT, ROOT, Bench

_FEW = 20_000  # objects that came, of which type and size are kept in memory: some 5 MB
_TOGETHER = 200  # commits that are read together
_WALK = 5000  # commits that are looked at to prove a fast-forward
_CLOCKS_DIFFER = 24 * 3600  # seconds by which a commit's parent may be younger than it
_INCOMPLETE = "Run `git fsck` in the source (a shallow or partial clone cannot be archived); nothing was published."
_TEMPORARY = ("-c", "core.commitGraph=false", "-c", "core.fsync=none", "-c", "pack.writeReverseIndex=false")
_ENV = {"LC_ALL": "C", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "PATH": ""}


class Workspace:
    """The repository at `path`. `known` reads what the archive holds already; None for a first snapshot."""

    def __init__(self, path: Path, known: ObjectReader | None, environment: Mapping[str, str]) -> None:
        self.path = path
        self.known = known
        self._env = {**_ENV, "PATH": environment.get("PATH", ""), "TMPDIR": environment.get("TMPDIR", "/tmp")}
        self._few: dict[str, tuple[bytes, int]] | None = None
        self._boundary: list[str] = []
        self.parents: frozenset[str] = frozenset()
        """The parents of the new commits that the archive holds; known once :meth:`border` has run."""
        self.names: dict[bytes, bytes] = {}
        """The paths of the objects here, by id (20 bytes): what :meth:`prove` saw of a small pack."""
        self._cat: CatFile | None = None
        self._sizes = Sizes(self._command("cat-file", "--batch-check=%(objectsize)"), self._env, known, self._table)
        self._commits: int | None = None
        self._init()

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Ends git's processes."""
        self._sizes.close()
        if self._cat:
            self._cat.close()

    def _command(self, *args: str) -> list[str]:
        return ["git", "-C", str(self.path), *OPTIONS, *_TEMPORARY, *args]

    def _init(self) -> None:
        """What `git init --bare` makes, as far as git needs it (gitrepository-layout): no process for three files."""
        for folder in ("objects/pack", "objects/info", "refs/heads", "border"):
            (self.path / folder).mkdir(parents=True)
        (self.path / "HEAD").write_text("ref: refs/heads/main\n")
        (self.path / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n")

    @property
    def _beside(self) -> Path:
        """Where the archived trees lie that git compares with what came."""
        return self.path.absolute() / "border"

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
        self._reader()  # it starts while there is nothing to read yet

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

    def _list(self) -> Iterator[tuple[str, bytes, int]]:
        """Id, type and bytes of all objects here, as git tells them."""
        form = "--batch-check=%(objectname) %(objecttype) %(objectsize)"
        listed = subprocess.Popen(
            self._command("cat-file", "--batch-all-objects", "--unordered", form),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=self._env,
        )
        assert listed.stdout
        with listed:
            for row in listed.stdout:
                oid, kind, size = row.split()
                yield oid.decode(), kind, int(size)
        if listed.returncode:
            raise SourceError("git cat-file failed on the fetched history.", _INCOMPLETE)

    def _table(self) -> dict[str, tuple[bytes, int]] | None:
        """Type and bytes of each object that came, by id; None where they are too many to be kept."""
        if self._few is None and self.count_objects() <= _FEW:
            self._few = {oid: (kind, size) for oid, kind, size in self._list()} if self.pack() else {}
        return self._few

    def _came(self) -> Iterator[tuple[str, bytes, int]]:
        """Id, type and bytes of each object that came."""
        few = self._table()
        return self._list() if few is None else ((oid, kind, size) for oid, (kind, size) in few.items())

    def _reader(self) -> CatFile:
        if self._cat is None:
            self._cat = CatFile(self._command("cat-file", "--batch"), self._env)
        return self._cat

    def small_blobs(self, smallest: int, largest: int) -> Iterator[tuple[str, bytes]]:
        """Id and body of the blobs that came with a size (bytes) from `smallest` to `largest`."""
        ids = [oid for oid, kind, size in self._came() if kind == b"blob" and smallest <= size <= largest]
        return self._reader().bodies(ids)

    def border(self) -> None:
        """Lays the new pack's border beside it. Once, after :meth:`receive`; :meth:`prove` does so too."""
        if self.known is None or self.pack() is None:
            return
        border, compared = self._meet(self.known)
        border.lay_between(compared)

    def _meet(self, known: ObjectReader) -> tuple[Border, set[tuple[str, str]]]:
        """Lays the archived parents of new commits, at which git's walks end; tells which trees commits differ in."""
        own: dict[bytes, set[str]] = {b"commit": set(), b"tree": set()}
        for oid, kind, _ in self._came():
            if kind in own:
                own[kind].add(oid)
        self._commits = len(own[b"commit"])
        read = self._reader().bodies
        # The trees lie where the proof does not look: it goes on while they are written.
        border = Border(self._beside, known, own[b"tree"], read)
        commits = {oid: lineage(body) for oid, body in read(sorted(own[b"commit"]))}
        trees = {oid: tree for oid, (tree, _) in commits.items()}
        for parent in {p for _, parents in commits.values() for p in parents} - commits.keys():
            if known.contains(parent):  # one that nobody has is found by `prove`
                trees[parent] = lineage(border.lay(parent, self.path / "objects"))[0]
        self._boundary = sorted(trees.keys() - commits.keys())
        self.parents = frozenset(self._boundary)
        if self._boundary:
            (self.path / "shallow").write_text("\n".join(self._boundary) + "\n")
        firsts = ((parents[0] if parents else None, tree) for tree, parents in commits.values())
        # Changes are told against the first parent only.
        return border, {(trees[p] if p else EMPTY_TREE, tree) for p, tree in firsts if p is None or p in trees}

    def prove(self, tips: Iterable[str]) -> None:
        """Proves that every object behind `tips` is here or in the archive; SourceError names one that is not.

        What the archive holds is complete by the same proof of the snapshots before. The border is laid meanwhile.
        """
        met = self._meet(self.known) if self.known and self.pack() else None
        local = [oid for t in tips if (oid := self._behind_tags(t))]
        with self._walk(local) if local else nullcontext() as walk:
            if met:
                met[0].lay_between(met[1])
            if walk:
                self._judge(walk)

    @contextmanager
    def _walk(self, tips: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
        """git, on its way through all objects behind `tips`."""
        named = self.known is not None and self.count_objects() <= NIGHT
        (self.path / "tips").write_text("".join(f"{oid}\n" for oid in tips))
        words = ["rev-list", "--objects", "--missing=print", *([] if named else ["--quiet"]), "--stdin"]
        with (self.path / "tips").open("rb") as stdin:
            process = subprocess.Popen(
                self._command(*words), stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self._env
            )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def _judge(self, walk: subprocess.Popen[bytes]) -> None:
        told, said = walk.communicate()
        if walk.returncode:
            raise SourceError(f"The source's history is not complete: {_first(said)}.", _INCOMPLETE)
        # Each is `<id> <path>`, a missing one `?<id>`; with --quiet there are only those.
        for row in told.split(b"\n"):
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
        few = self._table()
        return self._reader().get(oid) if few is None or oid in few else None

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
        changes, done, total = self._changes(local), 0, self.count_commits()
        while some := list(islice(changes, _TOGETHER)):
            bodies = dict(self._reader().bodies(oid for oid, _ in some))
            for oid, files in some:
                commit, done = parse_commit(oid, bodies[oid]), done + 1
                progress("reading commits", done, total)
                yield Commit(
                    commit.hash, commit.tree, commit.parents, commit.author, commit.committer, commit.message, files,
                    commit.signed,
                )  # fmt: skip

    def count_commits(self) -> int:
        """How many commits the new pack holds."""
        if self._commits is None:
            self._commits = sum(kind == b"commit" for _, kind, _ in self._came())
        return self._commits

    def count_objects(self) -> int:
        """How many objects the new pack holds, by its header."""
        pack = self.pack()
        if pack is None:
            return 0
        with pack.open("rb") as file:
            return int.from_bytes(file.read(12)[8:], "big")

    def _changes(self, tips: Iterable[str]) -> Iterator[tuple[str, tuple[FileChange, ...]]]:
        """Id and changes of each new commit that `tips` reach, parents first."""
        revisions = self.path / "revisions"
        revisions.write_text("".join(f"{oid}\n" for oid in [*tips, *(f"^{b}" for b in self._boundary)]))
        with revisions.open("rb") as stdin:
            process = subprocess.Popen(
                self._command(
                    "log", "--stdin", "--reverse", "--topo-order", "--format=%x01%H", "-z", "--raw", "--no-abbrev",
                    "-r", "--no-renames", "--diff-merges=first-parent", "--root", "--no-show-signature",
                    "--ignore-submodules=none",
                ),
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=self._env | ({"GIT_ALTERNATE_OBJECT_DIRECTORIES": str(self._beside)} if self.known else {}),
            )  # fmt: skip
            assert process.stdout
            with process:
                yield from parse_changes(tokens(process.stdout))
        if process.returncode:
            raise SourceError("git log failed on the fetched history.", "Run `git fsck` in the source.")

    def count_files(self, tree: str, old: str | None = None, old_files: int = 0) -> int:
        """How many files the tree has: counted, or from the count of an `old` tree and what differs."""
        if old is not None:
            return old_files + self._difference(old, tree)
        return self._difference(EMPTY_TREE, tree)

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
                total += (mode_new not in (0, FOLDER)) - (mode not in (0, FOLDER))
                left.append((sha if mode == FOLDER else EMPTY_TREE, sha_new if mode_new == FOLDER else EMPTY_TREE))
        return total

    def _tree(self, oid: str) -> dict[bytes, tuple[int, str]]:
        if oid == EMPTY_TREE:
            return {}
        return {name: (mode, sha.decode()) for name, mode, sha in parse_tree(self.get(oid)[1], 20)}


def _missing(oid: str) -> SourceError:
    return SourceError(f"The source's history is not complete: object {oid} is missing from it.", _INCOMPLETE)


def _first(said: bytes) -> str:
    rows = [r.removeprefix("fatal: ").removeprefix("error: ") for r in text(said).splitlines() if r.strip()]
    return (rows or ["git said nothing"])[-1 if len(rows) == 1 else 0].rstrip(".")
