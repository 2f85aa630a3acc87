"""A year of nights of a real history, and what it costs.

`python -m benchmarks nights [path of a bare repository] [nights]`; without a path, a history of 20,000 commits is made.
The archive is the configured one (HDFS and Kafka), or a local folder with `PIVO_ARCHIVE=file:///…`, then without Kafka.

- The year: the source's main line is cut into that many steps, and each step is snapshotted (and consolidated when it
  is due). Once from the very first commit on, and once on a grown repository whose first snapshot holds 90 % of it.
  Then the packs that a restore opens and that `read_file` opens are counted, and the bytes are set beside one pack that
  git made of the same objects (`git repack -adf`).
- A night with 200 new commits beside `git fetch` into a mirror, a night with nothing new beside `git ls-remote`:
  library call beside git's process, in turn; over a local `file://` source, where what PIVO itself needs is all that
  there is, and over `git://` with a round trip of 50 ms (benchmarks/away.py), a near forge.
- 30 nights beside `git fetch` into a kept mirror and restic, or borg, of that mirror: the time of all, and the bytes.
"""

from __future__ import annotations

import random
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.away import served
from benchmarks.sides import Row, git, show, timed
from pivo.consolidation import after_snapshot
from pivo.events import EventLog
from pivo.ingest import ingest
from pivo.models import Commit, Manifest, RefUpdate, RepoName
from pivo.progress import Progress, silent
from pivo.retention import retain
from pivo.settings import Settings, base_environment
from pivo.snapshot import manifest as manifests
from pivo.snapshot.archive import Archive
from pivo.snapshot.blocks import BlockCache
from pivo.snapshot.consolidate import MOST
from pivo.snapshot.objects import ObjectReader
from pivo.store import Store, open_store

_BLOCK = 128 << 20  # bytes of an HDFS block
_READS = 150
_ONE_WAY = 0.025  # seconds
_started = int(time.time())


def main(path: str | None = None, nights: str = "365") -> None:
    settings = Settings.load()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source.git"
        if path:
            git("clone", "--quiet", "--bare", "--no-local", path, str(source))
        else:
            from benchmarks.history import make

            make(source)
        # As a forge keeps it; a night's pack reuses the deltas that it finds.
        git("-C", str(source), "repack", "-adfq")
        name = path or "a made history"
        years = [_year(settings, source, Path(folder), int(nights), share) for share in (0.0, 0.9)]
        _show_years(f"{nights} nights of {name}", years)
        show(f"One night of {name}", _one_night(settings, source, Path(folder)))
        _thirty(settings, source, Path(folder), name)


class NoKafka:
    """Takes events and forgets them: for an archive in a local folder. Commits are read as Kafka's would be."""

    def __init__(self) -> None:
        self._announced = 0

    def announced(self, repo: str) -> int:
        return self._announced

    def announce(
        self,
        manifest: Manifest,
        commits: Iterable[Commit],
        updates: Sequence[RefUpdate],
        archive_path: str,
        progress: Progress = silent,
        published: Callable[[], None] = lambda: None,
    ) -> int:
        self._announced, count = manifest.seq, sum(1 for _ in commits)
        published()
        return count

    def heartbeat(self, repo: str, snapshot: str, head: str) -> None:
        return None


class Nights:
    """A remote that grows step by step, and its archive under a name of its own."""

    def __init__(self, settings: Settings, source: Path, folder: Path, name: str) -> None:
        self.settings = settings
        self.name = f"bench-{name}-{_started}"
        self.remote = folder / f"{self.name}.git"
        git("clone", "--quiet", "--bare", "--shared", str(source), str(self.remote))
        refs = git("-C", str(self.remote), "for-each-ref", "--format=%(refname)").split()
        self.line = git("-C", str(self.remote), "rev-list", "--first-parent", "--reverse", "HEAD").split()
        for ref in refs:
            git("-C", str(self.remote), "update-ref", "-d", ref)
        git("-C", str(self.remote), "symbolic-ref", "HEAD", "refs/heads/main")
        self.store: Store = open_store(settings.archive, settings.archive_writer)
        self.events: Any = NoKafka() if settings.archive.startswith("file:") else EventLog(settings.kafka)

    def move(self, commit: str) -> None:
        git("-C", str(self.remote), "update-ref", "refs/heads/main", commit)

    def snapshot(self, url: str = "") -> None:
        places: dict[str, Any] = {
            "scratch": self.settings.staging / "ingest",
            "environment": base_environment(),
        }
        report = ingest(url or self.remote.as_uri(), self.name, store=self.store, events=self.events, **places)
        if report.outcome == "published" and report.packs >= MOST:
            after_snapshot(self.store, self.events, RepoName.parse(self.name), **places)

    def files(self) -> Iterator[tuple[str, bool, int]]:
        for snapshot in self.store.list(self.name):
            yield snapshot.name, True, 0
            for file in self.store.list(f"{self.name}/{snapshot.name}"):
                yield file.name, False, file.size


@dataclass
class Year:
    """What a year left behind; sizes in bytes."""

    title: str
    seconds: list[float]
    snapshots: int
    most_packs: int
    packs: int
    opened: list[int]
    stored: int
    needed: int
    manifests: int
    first: int
    nightly: int
    repacked: int
    inodes: float
    objects: float
    retained: int


def _year(settings: Settings, source: Path, folder: Path, nights: int, share: float) -> Year:
    run = Nights(settings, source, folder, f"year{int(share * 100)}")
    start = int(len(run.line) * share)
    ends = [run.line[start + (len(run.line) - start) * n // nights - 1] for n in range(1, nights + 1)]
    if share:
        ends = [run.line[start - 1], *ends]
    archive, seconds, most = Archive(run.store), [], 0
    for end in ends:
        run.move(end)
        seconds.append(timed(run.snapshot))
        most = max(most, len(archive.require(run.name).packs))
    latest = archive.require(run.name)
    everything = [archive.manifest(run.name, s.dirname) for s in archive.snapshots(run.name)]
    own = [(m, p) for m in everything for p in m.own_packs]
    files = list(run.files())
    snapshots = sum(folder for _, folder, _ in files)
    blocks = sum(-(-size // _BLOCK) for _, folder, size in files if not folder)
    return Year(
        title="from its first commit on" if not share else f"on a grown repository ({share:.0%} in the first snapshot)",
        seconds=seconds,
        snapshots=snapshots,
        most_packs=most,
        packs=len(latest.packs),
        opened=_opened(run, latest),
        stored=sum(size for _, _, size in files),
        needed=sum(p.file_size for p in latest.packs),
        manifests=sum(size for name, _, size in files if name == manifests.NAME),
        first=everything[0].size,
        nightly=sum(p.file_size for m, p in own if not m.replaces and m.seq > 1),
        repacked=_repacked(run),
        inodes=len(files) / snapshots,
        objects=(len(files) + blocks) / snapshots,
        retained=_retained(run),
    )


def _retained(run: Nights) -> int:
    """Bytes that are left once all packs that were replaced are removed, whatever their age."""
    retain(
        run.store,
        run.events,
        run.name,
        days=0,
        who="benchmark",
        told=lambda snapshot, packs: None,
        scratch=run.settings.staging / "retain",
        environment=base_environment(),
    )
    return sum(size for _, _, size in run.files())


def _repacked(run: Nights) -> int:
    """Bytes of one pack, with its index, of what the remote has now."""
    copy = run.remote.with_suffix(".repacked")
    git("clone", "--quiet", "--bare", "--no-local", str(run.remote), str(copy))
    git("-C", str(copy), "repack", "-adfq")
    size = sum(f.stat().st_size for f in (copy / "objects" / "pack").iterdir() if f.suffix in (".pack", ".idx"))
    shutil.rmtree(copy)
    return size


class _Watched:
    """Notes which packs are opened, their indexes included; a manifest that has a large pack's summary is none."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.url = store.url
        self.paths: set[str] = set()

    def read(self, path: str, offset: int = 0, length: int | None = None) -> bytes:
        if path.endswith(".packidx"):
            self.paths.add(path)
        return self._store.read(path, offset, length)


def _opened(run: Nights, manifest: Manifest) -> list[int]:
    """How many packs `read_file` opens, for commits and paths at random; sorted."""
    pick, counts = random.Random(9), []
    for commit in pick.choices(git("-C", str(run.remote), "rev-list", "main").split(), k=_READS):
        listed = git("-C", str(run.remote), "ls-tree", "-r", "-z", commit).split("\0")[:-1]
        paths = [row.partition("\t")[2] for row in listed if row.startswith("100")]
        if not paths:
            continue
        path, store = pick.choice(paths), _Watched(run.store)
        body = ObjectReader(store, manifest, BlockCache()).read_file(commit, path)  # type: ignore[arg-type]
        shown = subprocess.run(["git", "-C", str(run.remote), "show", f"{commit}:{path}"], capture_output=True).stdout
        if body != shown:
            raise SystemExit(f"{path} at {commit} is not what git has.")
        counts.append(len(store.paths))
    return sorted(counts)


def _show_years(title: str, years: Sequence[Year]) -> None:
    table = Table(title=title, title_justify="left", header_style="bold", box=None)
    table.add_column("")
    for year in years:
        table.add_column(year.title, justify="right")
    table.add_column("target")

    def mb(size: int) -> str:
        return f"{size / 1e6:,.1f} MB"

    rows: list[tuple[str, list[str], str]] = [
        (
            "a night (median; slowest)",
            [f"{statistics.median(y.seconds):.2f} s; {max(y.seconds):.1f} s" for y in years],
            "",
        ),
        ("snapshots, consolidating ones included", [f"{y.snapshots}" for y in years], ""),
        ("packs that a restore opens (most on any day)", [f"{y.packs} ({y.most_packs})" for y in years], "≤ 40"),
        (
            "packs that read_file opens: p50, p95, most",
            [f"{y.opened[len(y.opened) // 2]}, {y.opened[len(y.opened) * 95 // 100]}, {y.opened[-1]}" for y in years],
            "≤ 4",
        ),
        ("bytes stored", [f"{mb(y.stored)} = {y.stored / y.repacked:.2f} ×" for y in years], "≤ 1.6 ×"),
        (
            "… with retention, nothing too young",
            [f"{mb(y.retained)} = {y.retained / y.repacked:.2f} ×" for y in years],
            "",
        ),
        ("… that a reader needs", [f"{mb(y.needed)} = {y.needed / y.repacked:.2f} ×" for y in years], ""),
        ("… the first snapshot", [f"{mb(y.first)} = {y.first / y.repacked:.2f} ×" for y in years], ""),
        ("… the other nights' own packs", [f"{mb(y.nightly)} = {y.nightly / y.repacked:.2f} ×" for y in years], ""),
        ("… manifests", [f"{mb(y.manifests)} = {y.manifests / y.repacked:.2f} ×" for y in years], ""),
        ("one fully repacked pack", [mb(y.repacked) for y in years], ""),
        ("files and folders a snapshot; with blocks", [f"{y.inodes:.1f}; {y.objects:.1f}" for y in years], "≤ 5"),
    ]
    for name, cells, target in rows:
        table.add_row(name, *cells, target)
    Console(width=150).print(table)


def _one_night(settings: Settings, source: Path, folder: Path) -> list[Row]:
    near = _side_by_side(Nights(settings, source, folder, "night"), "", "")
    away = Nights(settings, source, folder, "away")
    with served(folder, _ONE_WAY) as url:
        return [*near, *_side_by_side(away, f"{url}/{away.remote.name}", f", {_ONE_WAY * 2000:.0f} ms away")]


def _side_by_side(run: Nights, url: str, where: str) -> list[Row]:
    url = url or run.remote.as_uri()
    step, rounds = 200, 5
    if len(run.line) < step * rounds + 2:
        step = max(1, len(run.line) // (rounds + 2))
    at = len(run.line) - 1 - step * rounds
    run.move(run.line[at])
    run.snapshot(url)
    mirror = run.remote.with_suffix(".mirror")
    git("clone", "--quiet", "--mirror", url, str(mirror))
    busy = Row(f"a night with {step} new commits{where}", "git fetch into a mirror", target="≤ 2 ×")
    idle = Row(f"a night with nothing new{where}", "git ls-remote", target="≤ 1.5 ×")
    for number in range(1, rounds + 1):
        run.move(run.line[at + step * number])
        busy.theirs.append(timed(lambda: git("-C", str(mirror), "fetch", "--quiet")))
        busy.ours.append(timed(lambda: run.snapshot(url)))
        for _ in range(3):
            idle.theirs.append(timed(lambda: git("ls-remote", url)))
            idle.ours.append(timed(lambda: run.snapshot(url)))
    return [busy, idle]


def _thirty(settings: Settings, source: Path, folder: Path, name: str) -> None:
    """30 nights on a grown repository: PIVO, and a kept mirror with a backup tool beside it."""
    run = Nights(settings, source, folder, "thirty")
    start = int(len(run.line) * 0.9)
    ends = [run.line[start + (len(run.line) - 1 - start) * n // 30] for n in range(31)]
    sides: dict[str, float] = {"PIVO": 0.0}
    sizes: dict[str, int] = {}
    tools = {tool: _Tool(tool, folder) for tool in ("restic", "borg") if shutil.which(tool)}
    sides |= dict.fromkeys(tools, 0.0)
    for end in ends:
        run.move(end)
        sides["PIVO"] += timed(run.snapshot)
        for tool, side in tools.items():
            sides[tool] += timed(lambda side=side: side.night(run.remote))  # type: ignore[misc]
    sizes["PIVO"] = sum(size for _, _, size in run.files())
    sizes |= {tool: side.size() for tool, side in tools.items()}
    table = Table(
        title=f"A first snapshot and 30 nights of {name}", title_justify="left", header_style="bold", box=None
    )
    for column in ("", "time", "PIVO's time", "bytes", "PIVO's bytes", "target"):
        table.add_column(column, justify="left" if column in ("", "target") else "right")
    for side, seconds in sides.items():
        title = "PIVO" if side == "PIVO" else f"git fetch + {side}, mirror counted"
        ratios = [f"{sides['PIVO'] / seconds:.2f} ×", f"{sizes['PIVO'] / sizes[side]:.2f} ×"]
        table.add_row(title, f"{seconds:.1f} s", ratios[0], f"{sizes[side] / 1e6:,.1f} MB", ratios[1], "≤ 1 ×, ≤ 1 ×")
    Console(width=150).print(table)
    for tool in {"restic", "borg"} - set(tools):
        Console().print(f"{tool} is not installed: not compared.")


class _Tool:
    """A kept mirror, and its backup by restic or borg after every fetch."""

    def __init__(self, tool: str, folder: Path) -> None:
        self.tool = tool
        self._mirror, self._vault, home = (folder / f"{tool}-{part}" for part in ("mirror.git", "vault", "home"))
        home.mkdir()
        self._env = base_environment() | {
            "RESTIC_PASSWORD": "benchmark",
            "HOME": str(home),
            "XDG_CACHE_HOME": str(home),
        }
        self._number = 0
        self._run(*(["init", "-q", "-r", self._at] if tool == "restic" else ["init", "-e", "none", self._at]))

    @property
    def _at(self) -> str:
        return str(self._vault)

    def night(self, remote: Path) -> None:
        self._number += 1
        if self._mirror.exists():
            git("-C", str(self._mirror), "fetch", "--quiet")
        else:
            git("clone", "--quiet", "--mirror", remote.as_uri(), str(self._mirror))
        if self.tool == "restic":
            self._run("backup", "-q", "-r", self._at, str(self._mirror))
        else:
            self._run("create", f"{self._at}::night{self._number}", str(self._mirror))

    def _run(self, *args: str) -> None:
        subprocess.run([self.tool, *args], env=self._env, check=True, capture_output=True)

    def size(self) -> int:
        return sum(f.stat().st_size for at in (self._mirror, self._vault) for f in at.rglob("*") if f.is_file())
