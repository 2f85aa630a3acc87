"""A pack of more than 2 GB through everything, and what each step takes of memory.

`python -m benchmarks big [megabytes]` (2,300 by default). The stack must be up, with `PIVO_FILE_LIMIT=0`: the history
has files of 100 to 300 MB, which the forge would otherwise not be asked to take. Needs about ten times the size on disk
for a while. What is restored is compared object by object.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.memory import Watched, watched
from benchmarks.sides import git
from pivo.settings import CHECKOUT, Settings, base_environment
from pivo.stack import process
from pivo.stack.part import Folders

LIMIT = 400  # MB that no process may go over
_START = 1_500_000_000  # Unix seconds of the first commit
_MB = 1_000_000
_OF_STACK = ("airflow-scheduler", "spark-worker")  # the parts whose children do PIVO's work
_SPARK = {"java", "spark-submit", "bash", "sh", "dash"}  # the cluster's own, told but not bounded


def main(megabytes: str = "2300") -> None:
    settings, bench = Settings.load(), Bench(int(megabytes))
    if settings.file_limit:
        raise SystemExit("Start the stack and this with PIVO_FILE_LIMIT=0.")
    with tempfile.TemporaryDirectory(dir=settings.home, prefix="big-") as folder:
        bench.all_of_it(settings, Path(folder))
    bench.show()


@dataclass
class Step:
    """A piece of work: how long it took (seconds), what it said, and its memory."""

    name: str
    seconds: float
    note: str
    seen: Watched


@dataclass
class Bench:
    """The steps that were done with a repository of `megabytes`."""

    megabytes: int
    steps: list[Step] = field(default_factory=list)

    def all_of_it(self, settings: Settings, folder: Path) -> None:
        name, source = f"bench-big-{int(time.time())}", folder / "source.git"
        make(source, self.megabytes)
        size = sum(p.stat().st_size for p in source.glob("objects/pack/*.pack"))
        self._step("ingest", "ingest", source.as_uri(), "--name", name, note=f"a pack of {size / 1e9:.2f} GB")
        self._read(name, source)
        self._restore(name, source, "forge", f"big/{name}", settings)
        self._restore(name, source, "folder", (folder / "restored.git").as_uri(), settings)
        shutil.rmtree(folder / "restored.git")
        self._step("verify --deep", "verify", name, "--deep")
        grow(source)
        self._step("a second night", "ingest", source.as_uri(), "--name", name)
        self._step("consolidate --all-packs", "consolidate", name, "--all-packs")
        self._cat(name, source, "after it: cat of the largest", "HEAD", _large(300))
        self._cat(name, source, "after it: cat of the night's", "HEAD", "night/0.bin")

    def _step(self, step: str, *words: str, note: str = "", parts: Sequence[int] = ()) -> str:
        """Runs `pivo` with `words`; what it printed."""
        command = [sys.executable, "-c", "from pivo.cli import main; main()", *words]
        env = base_environment() | {"PYTHONPATH": str(CHECKOUT / "include")}
        begin = time.perf_counter()
        with ExitStack() as stack, tempfile.TemporaryFile() as out:
            running = subprocess.Popen(command, env=env, stdout=out)
            seen = [stack.enter_context(watched([running.pid]))]
            seen += [stack.enter_context(watched(parts))] if parts else []
            code = running.wait()
            out.seek(0)
            said = out.read().decode("utf-8", "replace")
        if code:
            raise SystemExit(f"{step}: pivo {' '.join(words)} ended with {code}: {said}")
        for part in seen[1:]:
            seen[0].programs |= {f"{name} (stack)": peak for name, peak in part.programs.items()}
            seen[0].together = max(seen[0].together, part.together)
        self._done(Step(step, time.perf_counter() - begin, note, seen[0]))
        return said

    def _done(self, step: Step) -> None:
        self.steps.append(step)
        own = max((p.own for n, p in step.seen.programs.items() if n.split(" (")[0] not in _SPARK), default=0)
        Console(stderr=True).print(f"{step.name}: {step.seconds:.1f} s, {own / _MB:.0f} MB; {step.note}")

    def _read(self, name: str, source: Path) -> None:
        self._cat(name, source, "cat of the largest file", "HEAD", _large(300))
        self._cat(name, source, "cat of a large delta", "HEAD", "grown.bin")
        old = git("-C", str(source), "rev-list", "--first-parent", "main").split()[-2]
        self._cat(name, source, "cat of a small, old file", old, "notes.txt")
        said = self._step("diff, over large files", "diff", name, old, "HEAD")
        shown = git("-C", str(source), "diff", "--no-color", old, "HEAD", "--", "notes.txt")
        if [r for r in shown.splitlines() if r[:1] == "+" and r[1:] not in said]:
            raise SystemExit("The diff of notes.txt is not git's.")
        self._step("index and log", "index")
        self._step("index and log", "log", name)

    def _cat(self, name: str, source: Path, step: str, ref: str, path: str) -> None:
        command = [sys.executable, "-c", "from pivo.cli import main; main()", "cat", name, ref, path]
        env = base_environment() | {"PYTHONPATH": str(CHECKOUT / "include")}
        begin, seen = time.perf_counter(), hashlib.sha1(usedforsecurity=False)
        size = int(git("-C", str(source), "cat-file", "-s", f"{ref}:{path}"))
        seen.update(f"blob {size}\0".encode())
        with subprocess.Popen(command, env=env, stdout=subprocess.PIPE) as running, watched([running.pid]) as peaks:
            assert running.stdout
            while block := running.stdout.read(1 << 20):
                seen.update(block)
        if running.returncode or seen.hexdigest() != git("-C", str(source), "rev-parse", f"{ref}:{path}").strip():
            raise SystemExit(f"{path} at {ref} is not what git has.")
        self._done(Step(step, time.perf_counter() - begin, f"{size / 1e6:,.1f} MB, the same bytes", peaks))

    def _restore(self, name: str, source: Path, kind: str, target: str, settings: Settings) -> None:
        stack = [record.pid for part in _OF_STACK if (record := process.load(Folders(settings.home).run, part))]
        said = self._step(
            f"restore to a {kind}", "restore", name, "HEAD", "--to", target, "--yes", "--wait", "--json", parts=stack
        )
        answer = json.loads(said[said.index("{") :])
        report = self._step("its report", "restore", "--report", answer["run"]["run_id"], "--json")
        self.steps.pop()
        pushes = re.search(r'"pushes": (\d+)', report)
        at = Path(target.removeprefix("file://")) if kind == "folder" else _forge_path(settings, target)
        ours, theirs = (git("-C", str(p), "rev-list", "--objects", "--all").split() for p in (at, source))
        if sorted(ours) != sorted(theirs):
            raise SystemExit(f"{at} has other objects than the source.")
        self.steps[-1].note = f"{pushes[1] if pushes else '?'} pushes; every object is there"
        if kind == "forge":
            shutil.rmtree(at)  # a trial's repository on the local forge: room for what follows

    def show(self) -> None:
        title = f"A history of {self.megabytes:,} MB; peaks of any one process, in MB (bound: {LIMIT})"
        table = Table(title=title, title_justify="left", header_style="bold", box=None)
        for column in ("step", "time", "program", "own (RssAnon)", "mapped files", "VmHWM"):
            table.add_column(column, justify="left" if column in ("step", "program") else "right")
        for step in self.steps:
            rows = sorted(step.seen.programs.items(), key=lambda row: -row[1].own)
            shown = [r for r in rows if r[1].own > 20 * _MB or r[1].files > 100 * _MB][:6]
            head = (step.name, f"{step.seconds:.1f} s")
            for name, peak in shown or rows[:1]:
                table.add_row(*head, name, *(f"{n / _MB:.0f}" for n in (peak.own, peak.files, peak.whole)))
                head = ("", "")
            table.add_row("", "", f"[dim]{step.note}; all together at most[/]", f"{step.seen.together / _MB:.0f}")
        Console(width=150).print(table)
        over = {
            f"{name} in {step.name}: {peak.whole / _MB:.0f} MB"
            for step in self.steps
            for name, peak in step.seen.programs.items()
            if peak.whole > LIMIT * _MB and name.split(" (")[0] not in _SPARK
        }
        Console().print("Over the bound: " + ("; ".join(sorted(over)) or "none"))


def _forge_path(settings: Settings, target: str) -> Path:
    return next(settings.home.glob(f"**/{target}.git"))


def make(path: Path, megabytes: int, seed: int = 11) -> None:
    """A bare repository of some `megabytes` that do not compress: files of 100 to 300 MB, of some MB, and thousands
    of small ones; a text that grows, and a large file that changed a little, kept as a delta."""
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(path)], check=True)
    _import(path, _history(megabytes, random.Random(seed)))


def grow(path: Path) -> None:
    """Another day's work on the repository that :func:`make` made."""
    pick, tip = random.Random(12), git("-C", str(path), "rev-parse", "main").strip()
    _import(path, _commit(1000, {f"night/{n}.bin": pick.randbytes(5 * _MB) for n in range(10)}, tip))


def _import(path: Path, pieces: Iterator[bytes]) -> None:
    # Compression would only cost time; files over 64 MB are written as they come.
    options = ("-c", "core.compression=1", "-c", "core.bigFileThreshold=64m", "-c", "fastimport.unpackLimit=0")
    command = ["git", "-C", str(path), *options, "fast-import", "--quiet", "--max-pack-size=8g"]
    importer = subprocess.Popen(command, stdin=subprocess.PIPE)
    assert importer.stdin
    with importer:
        for piece in pieces:
            importer.stdin.write(piece)
    if importer.returncode:
        raise SystemExit("git fast-import failed")


def _large(size: int) -> str:
    return f"media/{size}.bin"


def _history(megabytes: int, pick: random.Random) -> Iterator[bytes]:
    share = megabytes / 2300
    grown = _noise(pick, int(40 * _MB * share))
    # Side by side, so that fast-import makes the second a delta of the first.
    yield from _commit(1, {"notes.txt": b"a line\n", "grown.bin": grown})
    yield from _commit(2, {"grown.bin": grown[:1000] + b"a few bytes more" + grown[1000:]})
    number = 2
    for size in (300, 250, 200, 150, 120, 100):
        number += 1
        yield from _commit(number, {_large(size): _noise(pick, int(size * _MB * share))})
    rows = b"a line\n"
    for turn in range(40):
        number += 1
        rows += b"line %d of the notes\n" % turn
        files = {f"small/{turn}/{n}.bin": pick.randbytes(pick.randrange(200, 60_000)) for n in range(100)}
        files |= {f"middle/{turn}.bin": _noise(pick, int((20 if turn % 4 else 40) * _MB * share))}
        yield from _commit(number, files | {"notes.txt": rows})


def _noise(pick: random.Random, size: int) -> bytes:
    """Bytes that do not compress; more than `randbytes` gives at once."""
    return b"".join(pick.randbytes(min(_MB, size - at)) for at in range(0, size, _MB))


def _commit(number: int, files: dict[str, bytes], parent: str = "") -> Iterator[bytes]:
    subject = f"Change {number}"
    yield b"commit refs/heads/main\n"
    yield f"committer Big <big@example.invalid> {_START + number * 3600} +0000\n".encode()
    yield f"data {len(subject)}\n{subject}\n".encode()
    if parent:
        yield f"from {parent}\n".encode()
    for path, body in files.items():
        yield f"M 100644 inline {path}\ndata {len(body)}\n".encode()
        yield body
        yield b"\n"
