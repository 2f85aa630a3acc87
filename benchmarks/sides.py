"""Two ways of doing one thing, timed in turn; the ratio of the medians, so that a noisy machine hits both."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

Work = Callable[[], object]


@dataclass
class Row:
    """One line of a table; times in seconds."""

    work: str
    against: str
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)
    target: str = ""

    @property
    def ratio(self) -> float:
        return statistics.median(self.ours) / statistics.median(self.theirs)


def measure(work: str, ours: Work, against: str, theirs: Work, times: int = 3, target: str = "") -> Row:
    """Runs `ours` and `theirs` in turn, `times` times each."""
    row = Row(work, against, target=target)
    for _ in range(times):
        row.theirs.append(timed(theirs))
        row.ours.append(timed(ours))
    return row


def timed(work: Work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def git(*args: str) -> str:
    """git's output; CalledProcessError when it fails."""
    return subprocess.run(["git", *args], capture_output=True, check=True).stdout.decode("utf-8", "replace")


def show(title: str, rows: Sequence[Row]) -> None:
    """Prints the table: medians with the spread, and the ratio."""
    table = Table(title=title, title_justify="left", header_style="bold", box=None)
    for name, justify in (("work", "left"), ("PIVO", "right"), ("against", "left"), ("", "right"), ("ratio", "right")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    table.add_column("target")
    for row in rows:
        table.add_row(row.work, _spread(row.ours), row.against, _spread(row.theirs), f"{row.ratio:.2f} ×", row.target)
    Console(width=150).print(table)


def _spread(times: list[float]) -> str:
    return f"{_unit(statistics.median(times))} ({_unit(min(times))}–{_unit(max(times))})"


def _unit(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"
