"""How long `pivo up` takes until every part answers: the first time in a new home, and warm.

    python -m benchmarks up            PIVO_BENCH_ROUNDS=5 for more warm rounds

A stack of its own in a temporary home; ports moved by PIVO_BENCH_OFFSET (15000).
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from pivo.settings import Settings
from pivo.stack.parts import all_parts
from pivo.stack.supervisor import Supervisor


def measured_up(stack: Supervisor) -> dict[str, float]:
    """Seconds from the start of `up` to each part's answer; `all` is the whole."""
    begun = time.monotonic()
    ready: dict[str, float] = {}

    def report(part: str, state: str, detail: str) -> None:
        if state == "ready":
            ready[part] = time.monotonic() - begun

    stack.up(report)
    return {**ready, "all": time.monotonic() - begun}


def measured_down(stack: Supervisor) -> float:
    begun = time.monotonic()
    stack.down(lambda part, state, detail: None)
    return time.monotonic() - begun


def main() -> None:
    rounds = int(os.environ.get("PIVO_BENCH_ROUNDS", "3"))
    console = Console()
    with tempfile.TemporaryDirectory(prefix="pivo-bench-") as folder:
        env = {
            "PIVO_HOME": str(Path(folder) / "home"),
            "PIVO_PORT_OFFSET": os.environ.get("PIVO_BENCH_OFFSET", "15000"),
        }
        settings = Settings.load(env)
        stack = Supervisor(settings, all_parts(settings))
        busy = psutil.getloadavg()[0]
        try:
            cold = measured_up(stack)
            warm, downs = [], []
            for _ in range(rounds):
                downs.append(measured_down(stack))
                warm.append(measured_up(stack))
        finally:
            stack.down(lambda part, state, detail: None)
    title = f"pivo up, seconds until ready ({os.cpu_count()} cores, load before: {busy:.1f})"
    table = Table("part", "new home", f"warm: median of {rounds}", "min", "max", title=title)
    for name in sorted(cold, key=lambda part: statistics.median(times[part] for times in warm)):
        times = [one[name] for one in warm]
        row = (cold[name], statistics.median(times), min(times), max(times))
        table.add_row(name, *(f"{value:.1f}" for value in row), style="bold" if name == "all" else "")
    console.print(table)
    console.print(f"pivo down: {statistics.median(downs):.1f} s")


if __name__ == "__main__":
    main()
