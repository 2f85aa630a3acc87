"""The index's writer and its answers, at any size.

`python -m benchmarks index [commits] [folder] [bare repository]`, 200,000 commits by default. 10,000,000 with 60
million changes in 2,000 repositories want some 16 GB in `folder`. What is in the folder already is asked again, and not
built again. With a repository, git answers what it can of the same questions there.

The writer is what a drain runs, without Kafka: it parses the events and writes them in the same batches. A process of
its own makes them. Rates are events for a second of the writer's CPU, user and system, all its threads; beside them
the same rows, ready made, go through bare executemany into tables with the same indices and no full-text search.
"""

from __future__ import annotations

import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import questions_at_size
from pivo.index.commits import CommitLoader
from pivo.index.migrations import migrate
from pivo.index.writer import BATCH, connect, writing
from pivo.reindex.derive import spooled
from pivo.reindex.load import Loader

_BARE = 100_000  # events of the comparison with executemany
_WINDOW = 100  # a rate is measured over a hundredth of the load
_MARKS = (1, 10, 25, 50, 75, 100)  # percent


def main(commits: str = "200000", folder: str = "", repository: str = "") -> None:
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        _run(int(commits), Path(folder), repository)
    else:
        with tempfile.TemporaryDirectory() as temporary:
            _run(int(commits), Path(temporary), repository)


def _run(commits: int, folder: Path, repository: str) -> None:
    index, told = folder / "pivo.db", folder / "rates.json"
    if not told.exists():
        told.write_text(json.dumps(build(index, commits)), encoding="utf-8")
    _show(json.loads(told.read_text(encoding="utf-8")), index)
    with writing(index):  # an older file gets the indices of today
        pass
    questions_at_size.main(index, repository)


def events(commits: int) -> Iterator[bytes]:
    """The events, made by another process."""
    command = [sys.executable, "-m", "benchmarks.index_events", str(commits), str(max(20, min(2000, commits // 100)))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=1 << 20) as process:
        assert process.stdout
        yield from spooled(process.stdout)


def build(index: Path, commits: int) -> dict[str, object]:
    """Writes the index; returns the rates, in events for a second of CPU, by percent of the load."""
    stream = events(commits)
    first = list(islice(stream, min(_BARE, commits)))
    bare = _bare(first, index.with_name("bare.db"))
    rates: dict[int, float] = {}
    steady: dict[int, float] = {}
    paces: list[float] = []
    cpu = wall = 0.0
    done, began = 0, time.monotonic()
    with writing(index) as db:
        loader = Loader(db)
        window, spent = 0, 0.0
        for batch in _batches(first, stream):
            start, from_ = time.process_time(), time.monotonic()
            loader.load(batch)
            took = time.process_time() - start
            cpu, wall, spent = cpu + took, wall + time.monotonic() - from_, spent + took
            window, done = window + len(batch), done + len(batch)
            if window >= commits // _WINDOW or done >= commits:
                mark = round(100 * done / commits)
                paces.append(_pace())
                rates[mark] = window / spent
                steady[mark] = window / spent * paces[-1] / paces[0]
                window, spent = 0, 0.0
                rest = f"{steady[mark]:,.0f}/s at the first pace, {time.monotonic() - began:.0f} s"
                print(f"{done:,} events, {rates[mark]:,.0f}/s, {rest}", flush=True)
        changes = db.execute("SELECT sum(changes) FROM path_changes").fetchone()[0]
        repos = db.execute("SELECT count(*) FROM repos").fetchone()[0]
    return {
        "commits": loader.commits,
        "changes": changes,
        "repositories": repos,
        "rates": {mark: _near(rates, mark) for mark in _MARKS},
        "steady": {mark: _near(steady, mark) for mark in _MARKS},
        "mean": done / cpu,
        "wall": done / wall,
        "bare": bare,
    }


def _near(rates: dict[int, float], mark: int) -> float:
    """The rate nearest to a mark, the mean of three windows."""
    nearest = sorted(rates, key=lambda r: abs(r - mark))[:3]
    return statistics.fmean(rates[r] for r in nearest)


def _pace() -> float:
    """Seconds of CPU that the machine takes for a fixed piece of the same kind of work: what others do shows in it."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    rows = [(n, n * 7919 % 20_011, b"x" * 20, "2026-01-01T00:00:00Z") for n in range(20_000)]
    db.execute("CREATE TABLE t (a, b, c, d, PRIMARY KEY (a, b)) WITHOUT ROWID")
    db.execute("CREATE INDEX i ON t (b, d)")
    start = time.process_time()
    db.execute("BEGIN")
    db.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", rows)
    db.execute("COMMIT")
    return time.process_time() - start


def _batches(first: list[bytes], stream: Iterator[bytes]) -> Iterator[list[bytes]]:
    for start in range(0, len(first), BATCH):
        yield first[start : start + BATCH]
    while batch := list(islice(stream, BATCH)):
        yield batch


class _Kept(sqlite3.Connection):
    """Keeps what executemany is given."""

    def executemany(self, sql: str, rows: object) -> sqlite3.Cursor:  # type: ignore[override]
        told = list(rows)  # type: ignore[call-overload]
        self.kept.append((sql, told))
        return super().executemany(sql, told)

    kept: list[tuple[str, list[tuple[object, ...]]]]


def _bare(values: list[bytes], path: Path) -> float:
    """Commit events for a second of CPU, when their rows are ready: what SQLite itself needs from Python."""
    memory = sqlite3.connect(":memory:", factory=_Kept, isolation_level=None)
    memory.kept = []
    migrate(memory)
    from pivo.events import CommitEvent, parse

    parsed = [event for value in values if isinstance(event := parse(value), CommitEvent)]
    repos: dict[str, int] = {}
    loader = CommitLoader(memory)
    for start in range(0, len(parsed), BATCH):
        for event in parsed[start : start + BATCH]:
            if event.repo not in repos:
                memory.execute("INSERT INTO repos (name) VALUES (?)", (event.repo,))
                repos[event.repo] = len(repos) + 1
        loader.load([(repos[e.repo], e) for e in parsed[start : start + BATCH]])
    plain = [(sql, rows) for sql, rows in memory.kept if "_fts" not in sql and "INTO" in sql]
    db = connect(path)
    try:
        migrate(db)
        start_cpu = time.process_time()
        for n, (sql, rows) in enumerate(plain):
            if n % 8 == 0:
                db.execute("BEGIN" if n == 0 else "COMMIT")
                if n:
                    db.execute("BEGIN")
            db.executemany(sql, rows)
        db.execute("COMMIT")
        return len(parsed) / (time.process_time() - start_cpu)
    finally:
        db.close()
        for name in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
            name.unlink(missing_ok=True)


def _show(told: dict[str, object], index: Path) -> None:
    rates: dict[str, float] = told["rates"]  # type: ignore[assignment]
    title = (
        f"{told['commits']:,} commits, {told['changes']:,} changes, {told['repositories']:,} repositories;"
        f" {index.stat().st_size / 1e9:.1f} GB"
    )
    table = Table(title=title, title_justify="left", header_style="bold", box=None)
    for name in (
        "at % of the load",
        "events a second of CPU",
        "at the machine's pace of the first",
        "of bare executemany",
    ):
        table.add_column(name, justify="right")
    bare, mean = float(told["bare"]), float(told["mean"])  # type: ignore[arg-type]
    steady: dict[str, float] = told["steady"]  # type: ignore[assignment]
    for mark, rate in rates.items():
        table.add_row(str(mark), f"{rate:,.0f}", f"{steady[mark]:,.0f}", "")
    table.add_row("all", f"{mean:,.0f}", "", f"{mean / bare:.2f} ×")
    table.add_row("bare", f"{bare:,.0f}", "", "")
    Console(width=150).print(table)
