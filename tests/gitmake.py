"""Git repositories to test with: the same bytes in every run, made with `git fast-import`, and ways to spoil them."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

GITLINK = "1234567890123456789012345678901234567890"
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
SIGNATURE = (
    b"-----BEGIN PGP SIGNATURE-----\n \n iQEzBAABCAAdFiEE not a real one, but its bytes must survive\n"
    b" =abcd\n -----END PGP SIGNATURE-----"
)
_OWN = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
_PERSON = {"NAME": "Ada", "EMAIL": "ada@example.org", "DATE": "1700000000 +0100"}
ENV = (
    _OWN
    | {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "LC_ALL": "C"}
    | {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in _PERSON.items()}
)


class Repo:
    """A bare repository in a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def raw(self, *args: str, stdin: bytes = b"") -> bytes:
        """What git prints; the test fails when git does."""
        done = subprocess.run(["git", "-C", str(self.path), *args], env=ENV, input=stdin, capture_output=True)
        assert done.returncode == 0, (args, done.stderr)
        return done.stdout

    def __call__(self, *args: str, stdin: bytes = b"") -> str:
        return self.raw(*args, stdin=stdin).decode().strip()

    @property
    def url(self) -> str:
        return self.path.as_uri()

    def refs(self) -> dict[str, str]:
        """All refs, full name → target."""
        rows = self.raw("for-each-ref", "--format=%(objectname) %(refname)").decode("utf-8", "backslashreplace")
        return {name: oid for oid, name in (row.split(" ", 1) for row in rows.splitlines())}

    def objects(self, *tips: str) -> set[str]:
        """The ids of all objects behind `tips`, by default behind all refs and HEAD."""
        listed = self.raw("rev-list", "--objects", "--no-object-names", *(tips or ("--all", "HEAD")))
        return set(listed.decode().split())

    def load(self, *parts: bytes) -> Repo:
        """Runs a fast-import stream."""
        self.raw("fast-import", "--quiet", "--force", "--date-format=raw-permissive", stdin=b"".join(parts))
        return self

    def commit(self, branch: str, n: int, *changes: bytes, parents: Sequence[str] | None = None) -> str:
        """One more commit on `branch`, on top of it unless `parents` say otherwise; its id."""
        ref = f"refs/heads/{branch}"
        if parents is None:
            parents = [ref] if ref in self.refs() else []
        if not parents:
            self("update-ref", "-d", ref)
        links = [(b"merge " if i else b"from ") + p.encode() + (b"^0" if p.startswith("refs/") else b"") + b"\n"
                 for i, p in enumerate(parents)]  # fmt: skip
        self.load(commit(ref, f"change {n}".encode(), n, *links, *(changes or (put(f"file{n % 7}", b"%d\n" % n),))))
        return self("rev-parse", ref)

    def copy(self, path: Path) -> Repo:
        shutil.copytree(self.path, path, symlinks=True)
        return Repo(path)

    # -- ways to spoil it

    def loose(self) -> None:
        """Unpacks all objects, so that single ones can be removed or damaged."""
        packs = list((self.path / "objects" / "pack").glob("pack-*.pack"))
        moved = [pack.rename(self.path / pack.name) for pack in packs]
        for other in (self.path / "objects" / "pack").glob("*"):
            other.unlink()
        for pack in moved:
            self("unpack-objects", "-q", stdin=pack.read_bytes())
            pack.unlink()

    def _file(self, oid: str) -> Path:
        return self.path / "objects" / oid[:2] / oid[2:]

    def remove(self, oid: str) -> None:
        """Takes a loose object away."""
        self._file(oid).unlink()

    def damage(self, oid: str) -> None:
        """Makes a loose object's content another one than its name says."""
        path = self._file(oid)
        path.chmod(0o644)
        raw = bytearray(path.read_bytes())
        raw[len(raw) // 2] ^= 0xFF
        path.write_bytes(raw)

    def replace(self, oid: str, kind: bytes, body: bytes) -> None:
        """Puts other bytes, well compressed, where the object `oid` was."""
        path = self._file(oid)
        path.unlink()
        path.write_bytes(zlib.compress(kind + b" %d\0" % len(body) + body))


def empty(path: Path, branch: str = "main") -> Repo:
    """A repository without commits, its HEAD on `branch`."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", branch, str(path)], env=ENV, check=True)
    return Repo(path)


def linear(path: Path, commits: int, start: int = 0) -> Repo:
    """A repository with `commits` commits on main."""
    repo = empty(path)
    repo.load(*(commit("refs/heads/main", b"change %d" % n, n, put(f"file{n % 7}", b"%d\n" % n))
                for n in range(start, start + commits)))  # fmt: skip
    return repo


def quote(path: bytes | str) -> bytes:
    raw = path.encode() if isinstance(path, str) else path
    return b'"' + b"".join(b"\\%03o" % c if c < 33 or c > 126 or c in b'"\\' else bytes([c]) for c in raw) + b'"'


def put(path: bytes | str, content: bytes, mode: bytes = b"100644") -> bytes:
    """A file of a commit."""
    return b"M " + mode + b" inline " + quote(path) + b"\ndata %d\n" % len(content) + content + b"\n"


def gone(path: bytes | str) -> bytes:
    return b"D " + quote(path) + b"\n"


def commit(ref: str, message: bytes, n: int, *changes: bytes, who: bytes = b"Ada <ada@example.org>", mark: int = 0,
           encoding: bytes = b"") -> bytes:  # fmt: skip
    """One commit of a fast-import stream, at minute `n`."""
    rows = [b"commit " + ref.encode() + b"\n"]
    rows += [b"mark :%d\n" % mark] if mark else []
    rows += [b"author " + who + b" %d +0100\n" % (1_700_000_000 + 60 * n)]
    rows += [b"committer " + who + b" %d -0330\n" % (1_700_000_030 + 60 * n)]
    rows += [b"encoding " + encoding + b"\n"] if encoding else []
    return b"".join([*rows, b"data %d\n" % len(message), message, b"\n", *changes, b"\n"])


def tag(name: str, of: bytes, message: bytes) -> bytes:
    """An annotated tag."""
    head = b"tag " + name.encode() + b"\nfrom " + of + b"\ntagger Ada <ada@example.org> 1700000000 +0100\n"
    return head + b"data %d\n" % len(message) + message + b"\n"


def odd(path: Path) -> Repo:
    """All that git can hold and a careless reader trips over, on main, with side branches, tags and notes."""
    repo = empty(path)
    main, big = "refs/heads/main", b"".join(b"line %d of a file that grows\n" % i for i in range(900))
    grow = [
        commit(main, b"grow %d" % n, 20 + n, put("deep/er/grows.txt", big + b"more %d\n" % n * n)) for n in range(60)
    ]
    repo.load(
        commit(main, b"root\n\nwith a body\n", 0, put("README.md", b"# Odd\n"), put("src/a.c", b"int a;\n"),
               put("run.sh", b"#!/bin/sh\n"), put("kind", b"a file\n"), put("folder/inner", b"x\n"), mark=1),
        commit(main, b"latin \xe9\xff and a \x1b[31mcolour\x07", 1, put(b"caf\xe9/\xff\xfe.txt", b"odd\n"),
               put("tab\tand\nnewline", b"1\n"), put('quote"s and \\back', b"2\n"), put("-dash", b"3\n"),
               put("\x01begins", b"4\n"), put(":colon 100644", b"5\n"), put("ü/ναι.txt", b"6\n"),
               put(" space ", b"7\n")),
        commit(main, "Grüße".encode("latin-1"), 2, put("src/b.c", b"int b;\n"), encoding=b"ISO-8859-1",
               who="Jürgen <j@example.org>".encode("latin-1")),
        commit(main, b"an encoding that nobody knows \xe4", 3, put("src/b.c", b"int bb;\n"), encoding=b"x-klingon"),
        commit(main, b"", 4, put("run.sh", b"#!/bin/sh\n", b"100755")),
        commit(main, b"kinds", 5, b"M 160000 " + GITLINK.encode() + b" vendor/sub\n",
               put("link", b"src/a.c", b"120000"), put(".gitmodules", b'[submodule "vendor/sub"]\n\tpath = '
               b"vendor/sub\n\tignore = all\n\turl = ./x\n")),
        commit(main, b"a file becomes a folder, a folder a file", 6, gone("kind"), put("kind/now/deep", b"y\n"),
               gone("folder"), put("folder", b"z\n"), mark=2),
        commit(main, b"and back; a link becomes a file; the submodule moves", 7, gone("kind"), put("kind", b"again\n"),
               gone("folder"), put("folder/inner", b"x\n"), gone("link"), put("link", b"plain\n"),
               b"M 160000 " + GITLINK[::-1].encode() + b" vendor/sub\n", mark=3),
        commit(main, b"a folder is renamed", 8, b"R src lib\n", mark=4),
        *grow,
        commit("refs/heads/side", b"side one", 9, b"from :3\n", put("side", b"1\n"), mark=5),
        commit("refs/heads/side", b"side two", 10, put("side", b"2\n"), put("lib/extra", b"e\n"), mark=6),
        commit("refs/heads/third", b"third", 11, b"from :2\n", put("third", b"3\n"), mark=7),
        commit("refs/heads/orphan", b"another root", 12, put("unrelated", b"o\n"), mark=8),
        commit(main, b"Merge side", 90, b"merge :6\n", put("side", b"2\n"), put("lib/extra", b"e\n"), mark=9),
        commit(main, b"octopus", 91, b"merge :7\n", b"merge :8\n", put("third", b"3\n"),
               put("unrelated", b"o\n"), mark=10),
        commit("refs/heads/nothing", b"all files are gone", 92, b"from :10\n", b"deleteall\n", mark=11),
        commit("refs/heads/nothing", b"still none", 93, mark=12),
        commit("refs/notes/commits", b"a note", 94, b"N inline :1\ndata 5\nnoted\n"),
        tag("v1", b":1", b"release one\n"),
        tag("v2", b":10", b"release two \xff\n"),
        b"reset refs/tags/light\nfrom :4\n\n",
    )  # fmt: skip
    signed = repo.raw("cat-file", "commit", "main")
    head, _, message = signed.partition(b"\n\n")
    body = re.sub(rb"parent .*\n", b"", head).replace(b"\nauthor", b"\nparent " + repo("rev-parse", "main").encode() +
                                                      b"\nauthor", 1)  # fmt: skip
    oid = repo(
        "hash-object", "-t", "commit", "-w", "--stdin", stdin=body + b"\ngpgsig " + SIGNATURE + b"\n\nsigned " + message
    )
    repo("update-ref", main, oid)
    repo("tag", "-a", "-m", "a tag of a tag", "v2-again", "v2")
    repo("tag", "a-blob", repo("rev-parse", "main:README.md"))
    repo("tag", "-a", "-m", "a tag of a tree", "a-tree", repo("rev-parse", "main^{tree}"))
    repo("update-ref", "refs/pull/1/head", repo("rev-parse", "third"))
    repo("update-ref", "refs/heads/weird/ü", repo("rev-parse", "side"))
    repo("repack", "-adfq", "--depth=60", "--window=70")
    return repo


def clone(of: Repo, path: Path, *args: str) -> Repo:
    """A bare clone; `--depth=1` and `--filter=blob:none` make what cannot be archived."""
    of("config", "uploadpack.allowFilter", "true")
    subprocess.run(["git", "clone", "-q", "--bare", *args, of.url, str(path)], env=ENV, check=True, capture_output=True)
    return Repo(path)


def clone_from(url: str, path: Path) -> Repo:
    """A mirror of what is at `url`."""
    subprocess.run(["git", "clone", "-q", "--mirror", url, str(path)], env=ENV, check=True, capture_output=True)
    return Repo(path)


def parents_of(body: bytes) -> list[bytes]:
    """The parents that a commit's bytes name."""
    return re.findall(rb"^parent ([0-9a-f]{40})$", body.split(b"\nauthor")[0], re.MULTILINE)


@contextmanager
def daemon(folder: Path) -> Iterator[str]:
    """A real `git daemon` on loopback that serves the repositories in `folder`; its URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["git", "daemon", "--export-all", "--reuseaddr", "--listen=127.0.0.1", f"--port={port}",
               f"--base-path={folder}", "--verbose", str(folder)]  # fmt: skip
    process = subprocess.Popen(command, env=ENV, stderr=subprocess.PIPE, start_new_session=True)
    try:
        assert process.stderr and b"Ready" in process.stderr.readline()
        yield f"git://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, 15)
        process.communicate()


def log_of(repo: Repo, *revs: str) -> Mapping[str, list[tuple[str, str, str, str, str, bytes]]]:
    """What git tells of each commit against its first parent: letter, old mode, mode, old blob, blob, path."""
    trees = {
        row.split()[0]: row.split()[1]
        for row in repo("log", "--format=%H %T", *(revs or ("--all", "HEAD"))).split("\n")
    }
    family = [row.split() for row in repo("rev-list", "--parents", *(revs or ("--all", "HEAD"))).split("\n")]
    trees |= {p: repo("rev-parse", f"{p}^{{tree}}") for row in family for p in row[1:2] if p not in trees}
    pairs = [(row[0], trees[row[1]] if row[1:] else EMPTY_TREE, trees[row[0]]) for row in family]
    asked = "".join(f"{old} {new}\n" for _, old, new in pairs).encode()
    rows = repo.raw(
        "diff-tree", "--stdin", "-r", "-z", "--raw", "--no-renames", "--ignore-submodules=none", stdin=asked
    )
    told: dict[str, list[tuple[str, str, str, str, str, bytes]]] = {}
    rest = iter(pairs)
    tokens = iter(rows.split(b"\0"))
    for row in tokens:
        while head := re.match(rb"[0-9a-f]{40} ([0-9a-f]{40})\n", row):
            commit_id, _, tree = next(rest)
            assert tree == head[1].decode()
            told[commit_id] = []
            row = row[head.end() :]
        if row:
            old_mode, mode, old, new, letter = row[1:].decode().split(" ")
            told[commit_id].append((letter, old_mode, mode, old, new, next(tokens)))
    assert len(told) == len(pairs)
    return told
