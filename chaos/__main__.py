"""`python -m chaos`: see the package's own words."""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from chaos import page
from chaos.rounds import Chaos, Round
from chaos.sources import Source
from chaos.stack import Broken, Stack
from pivo.settings import keep_loopback_direct

_SWELLS = 6  # nights of a megabyte each, for the downloads
_console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)


def main() -> None:
    """All rounds; exit code 1 when anything is wrong."""
    options = _options()
    keep_loopback_direct()
    home = Path(tempfile.mkdtemp(prefix="pivo-chaos-"))
    stack, begun, busy = Stack(home / "home"), time.monotonic(), os.getloadavg()[0]
    chosen = [part for part in stack.parts if not options.parts or part in options.parts.split(",")]
    _console.print(f"seed {options.seed}, {len(chosen)} parts, everything below {home}")

    def told(text: str) -> None:
        _console.print(f"[dim]{time.monotonic() - begun:6.0f} s  {text}[/]", soft_wrap=True)

    rounds: list[Round] = []
    try:
        chaos = _chaos(stack, home, options.seed, told)
        for part in chosen:
            if time.monotonic() - begun < options.minutes * 60:
                rounds.append(chaos.kill(part))
                _tell(rounds[-1])
        last = chaos.end()
        if len(rounds) < len(chosen):
            last.append(f"Not tried within {options.minutes} minutes: {', '.join(chosen[len(rounds) :])}.")
    except Broken as err:
        last = [str(err)]
    finally:
        stack.down()
    result = page.Result(options.seed, busy, rounds, last, time.monotonic() - begun)
    _console.print(page.table(result.rounds))
    for row in result.wrong:
        _console.print(row, style="red", markup=False, soft_wrap=True)
    if options.page:
        Path(options.page).write_text(page.markdown(result), encoding="utf-8")
    if result.wrong or options.keep:
        _console.print(f"All that was said is in {home}")
    else:
        shutil.rmtree(home, ignore_errors=True)
    sys.exit(1 if result.wrong else 0)


def _tell(one: Round) -> None:
    _console.print(page.table([one], head=False))
    for said in one.said:
        _console.print(f"          {said}", style="dim", markup=False, soft_wrap=True)
    for row in one.wrong:
        _console.print(f"          {row}", style="red", markup=False, soft_wrap=True)


def _chaos(stack: Stack, home: Path, seed: int, told: Callable[[str], None]) -> Chaos:
    pick = random.Random(seed)
    sources = [Source(home / f"{name}.git", f"chaos/{name}", random.Random(f"{seed} {name}")) for name in _NAMES]
    for _ in range(_SWELLS):
        sources[0].swell()
    for source in sources[1:]:
        source.grow()
    chaos = Chaos(stack, sources[0], sources[1:], pick, told)
    chaos.begin()
    return chaos


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m chaos", description="Kills each part of a stack in turn.")
    parser.add_argument("--seed", type=int, default=1, help="Decides the moments and the repositories.")
    parser.add_argument("--parts", default="", help="Some parts only, with commas between them.")
    parser.add_argument("--minutes", type=int, default=40, help="No part is killed after these.")
    parser.add_argument("--page", default="", help="Write the table and what was said to this Markdown file.")
    parser.add_argument("--keep", action="store_true", help="Leave the stack's files where they are.")
    return parser.parse_args()


_NAMES = ("still", "one", "two", "three")

if __name__ == "__main__":
    main()
