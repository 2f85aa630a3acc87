"""A temporary repository in which git's own C code hashes every object of a pack, and walks from tips."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from pivo.errors import StackError, Unavailable
from pivo.gitmemory import OPTIONS

_ENV = {"LC_ALL": "C", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_NO_REPLACE_OBJECTS": "1"}
# Nothing of this repository outlives the run: no need to wait for the disk, or for files that nobody opens.
_CONFIG = ("core.fsync=none", "pack.writeReverseIndex=false", "core.commitGraph=false", "gc.auto=0")
_FULL = b"No space left"


class Pack:
    """One pack on its way through git.

    After :meth:`Repository.receive`, `failure` is what git had against it, or `file` is where it lies.
    """

    def __init__(self, folder: Path, process: subprocess.Popen[bytes] | None = None, failure: str = "") -> None:
        self._folder = folder
        self._process = process
        self.failure = failure
        self.objects = 0
        self.file: Path | None = None

    def write(self, block: bytes) -> None:
        """The next bytes; those that come after git has given up are let go."""
        assert self._process and self._process.stdin
        with suppress(BrokenPipeError):
            self._process.stdin.write(block)

    def finish(self) -> None:
        """Waits for git's word."""
        assert self._process
        with suppress(BrokenPipeError):
            out, said = self._process.communicate()
        if _FULL in said:
            raise Unavailable(
                f"There is no space left in {self._folder} for a pack.",
                "Free some, or move PIVO_STAGING; then verify again.",
            )
        if self._process.returncode:
            self.failure = _first(said)
            return
        self.at(self._folder / f"pack-{out.split()[-1].decode()}.pack")

    def at(self, path: Path) -> None:
        """It lies there, its index beside it."""
        self.file = path
        with path.open("rb") as file:
            self.objects = int.from_bytes(file.read(12)[8:], "big")

    def idx_sha256(self) -> str:
        """SHA-256 of the index that git has made."""
        assert self.file
        return sha256(self.file.with_suffix(".idx"))

    def drop(self) -> None:
        """Removes it from the repository."""
        if self.file:
            for suffix in (".idx", ".pack"):
                self.file.with_suffix(suffix).unlink(missing_ok=True)


class Repository:
    """A bare repository at `path`, which is made. StackError where there is no git."""

    def __init__(self, path: Path, environment: Mapping[str, str]) -> None:
        self._path = path
        self._env = {**_ENV, "PATH": environment.get("PATH", ""), "TMPDIR": environment.get("TMPDIR", "/tmp")}
        try:
            self._run("init", "--quiet", "--bare", "--template=", str(path), at=False)
        except FileNotFoundError:
            raise StackError("git is not installed here.", "Install git, then try again.") from None

    def _command(self, *args: str, at: bool = True) -> list[str]:
        config = [word for each in _CONFIG for word in ("-c", each)]
        return ["git", *OPTIONS, *config, *(["-C", str(self._path)] if at else []), *args]

    def _run(self, *args: str, at: bool = True, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(self._command(*args, at=at), input=stdin, capture_output=True, env=self._env, check=False)

    @contextmanager
    def receive(self, *, thin: bool = False) -> Iterator[Pack]:
        """Takes a pack: every object is inflated and hashed, deltas resolved, an index made.

        What a `thin` one builds on is appended to it, after its own objects.
        """
        process = subprocess.Popen(
            self._command("index-pack", "--stdin", *(["--fix-thin"] if thin else [])),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self._env,
        )
        pack = Pack(self.packs, process)
        try:
            yield pack
        except BaseException:
            process.kill()
            with suppress(BrokenPipeError):
                process.communicate()
            raise
        pack.finish()

    def adopt(self, file: Path) -> Pack | None:
        """Takes in a pack that another repository has indexed, by a rename; None when it is not there."""
        pack, here = Pack(self.packs), self.packs / file.name
        try:
            for suffix in (".pack", ".idx"):
                file.with_suffix(suffix).rename(here.with_suffix(suffix))
        except OSError:
            return None
        pack.at(here)
        return pack

    def refused(self, failure: str) -> Pack:
        """A pack of which git has made nothing elsewhere."""
        return Pack(self.packs, failure=failure)

    @property
    def packs(self) -> Path:
        """The folder of its packs."""
        return self._path / "objects" / "pack"

    def join(self, least: int) -> None:
        """One index over all packs, when there are `least` or more."""
        if len(list(self.packs.glob("*.pack"))) >= least:
            self._run("multi-pack-index", "write")  # without it the walk is only slower

    def disjoin(self) -> None:
        """Removes the common index: packs were taken away."""
        (self.packs / "multi-pack-index").unlink(missing_ok=True)

    def kinds(self, oids: Iterable[str]) -> dict[str, tuple[str, str] | None]:
        """Each object's type and what it leads to once tags are followed; None where it is not there."""
        asked = list(oids)
        questions = "".join(f"{oid}\n{oid}^{{}}\n" for oid in asked).encode()
        answers = self._run("cat-file", "--batch-check", "--buffer", stdin=questions).stdout.splitlines()
        found: dict[str, tuple[str, str] | None] = {}
        for oid, row, behind in zip(asked, answers[::2], answers[1::2], strict=True):
            kind = row.split()[1].decode()
            found[oid] = None if kind == "missing" else (kind, behind.split()[0].decode())
        return found

    def missing(self, tips: Iterable[str], limit: int = 100) -> tuple[list[str], int]:
        """Objects that `tips` lead to and that are not there: the first `limit`, and how many there are.

        What git cannot walk at all comes back as one entry with its words.
        """
        listing = self._path / "tips"
        listing.write_text("".join(f"{oid}\n" for oid in tips))
        if not listing.stat().st_size:
            return [], 0
        command = self._command("rev-list", "--objects", "--missing=print", "--quiet", "--stdin")
        named: list[str] = []
        count = 0
        with listing.open("rb") as stdin, (self._path / "said").open("w+b") as said:
            with subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, stderr=said, env=self._env) as process:
                assert process.stdout
                for row in process.stdout:  # --quiet leaves the missing ones, each as `?<id>`; there may be millions
                    count += row.startswith(b"?")
                    if row.startswith(b"?") and len(named) < limit:
                        named.append(row[1:41].decode())
            said.seek(0)
            if process.returncode and not count:
                return [_first(said.read(4096))], 1
        return named, count


def sha256(path: Path) -> str:
    """SHA-256 (hex) of a local file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _first(said: bytes) -> str:
    rows = [r.strip() for r in said.decode("utf-8", "replace").splitlines() if r.strip()]
    telling = next((r for r in rows if r.startswith(("fatal:", "error:"))), rows[0] if rows else "git died")
    return telling.removeprefix("fatal: ").removeprefix("error: ")[:200]
