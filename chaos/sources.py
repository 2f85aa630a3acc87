"""Repositories that grow, branch, tag and are force-pushed from one look to the next; the same for the same seed."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Mapping
from pathlib import Path

from pivo.settings import base_environment

_START = 1_780_000_000  # Unix seconds of a first commit
_NOISE = 1 << 20  # bytes of a file that does not compress: something to download
README = "# Still\n\nNothing ever changes here.\n"


class Source:
    """A bare repository at `path`, archived as `name`."""

    def __init__(self, path: Path, name: str, pick: random.Random) -> None:
        self.path, self.name, self._pick, self._number = path, name, pick, 0
        path.mkdir(parents=True)
        self.git("init", "--quiet", "--bare", "--initial-branch=main", ".")
        self._commit("main", {"README.md": README.encode()})

    @property
    def url(self) -> str:
        return self.path.as_uri()

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        """git's output; CalledProcessError when it fails."""
        command, env = ["git", "-C", str(self.path), *arguments], base_environment()
        return subprocess.run(command, env=env, input=stdin, capture_output=True, check=True).stdout.decode().strip()

    def grow(self) -> None:
        """One to three commits on main, and now and then a branch, a tag, a force-push or a branch that goes."""
        for _ in range(self._pick.randint(1, 3)):
            self._commit("main", {f"file{self._pick.randrange(9)}.txt": self._pick.randbytes(60).hex().encode()})
        match self._pick.randrange(5):
            case 0:
                self._commit(f"topic{self._pick.randrange(3)}", {"topic.txt": b"%d\n" % self._number})
            case 1:
                self.git("tag", f"v{self._number}", "main")
            case 2:
                self._commit("main", {"rewritten.txt": b"%d\n" % self._number}, parent="main~1")
            case 3:
                self.git("update-ref", "-d", f"refs/heads/topic{self._pick.randrange(3)}")

    def swell(self) -> None:
        """A commit with a file that does not compress."""
        self._commit("main", {f"noise{self._number}": self._pick.randbytes(_NOISE)})

    def _commit(self, branch: str, files: Mapping[str, bytes], parent: str = "") -> None:
        self._number += 1
        ref, said = f"refs/heads/{branch}", f"Change {self._number} of {self.name}".encode()
        above = self._tip(parent or branch) or self._tip("main")
        rows = [f"commit {ref}\ncommitter Chaos <chaos@example.invalid> {_START + 60 * self._number} +0000\n".encode()]
        rows += [b"data %d\n" % len(said), said, b"\n", f"from {above}\n".encode() if above else b""]
        for path, body in files.items():
            rows += [f"M 100644 inline {path}\ndata {len(body)}\n".encode(), body, b"\n"]
        self.git("fast-import", "--quiet", "--force", stdin=b"".join(rows))

    def _tip(self, revision: str) -> str:
        try:
            return self.git("rev-parse", "--verify", "--quiet", revision)
        except subprocess.CalledProcessError:
            return ""

    def refs(self) -> dict[str, str]:
        """All refs, full name → target."""
        rows = self.git("for-each-ref", "--format=%(objectname) %(refname)").splitlines()
        return {name: oid for oid, name in (row.split(" ", 1) for row in rows)}

    def history(self) -> list[str]:
        """The commits of main, newest first."""
        return self.git("rev-list", "main").split()

    def objects(self, commit: str) -> set[str]:
        """The ids of all objects behind a commit; commits that were rewritten are still here."""
        return set(self.git("rev-list", "--objects", "--no-object-names", commit).split())
