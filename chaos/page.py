"""The table of a disturbance: in a terminal, and as a page of the documentation."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from rich.table import Table

from chaos.rounds import Round

_WORK = ("snapshot", "restore", "question")
_HEAD = ("killed", "after", "back up in", *(f"{what}s" for what in _WORK), "agree", "round")

_WIDTHS = (21, 6, 10, 9, 8, 9, 5, 5)

_PAGE = """# When a part dies

`make chaos` starts a stack of its own and kills one part after another with SIGKILL, at a random moment of a load:
snapshots by the DAG and by `pivo ingest`, restores by Airflow's API and by `pivo restore`, questions in the chat view
and by `pivo ask`. Nothing starts a part of the embedded stack again by itself: `pivo status` names what is down, and
`pivo up` brings it back, as it is done here some seconds later. Then everything is waited for, and compared:

- every run has succeeded, or failed with a sentence that names the cause;
- the archive has the refs of every source, and `pivo verify` finds nothing wrong (after the last round `--deep`);
- every snapshot was announced once, with all of its commits, each of them once;
- the index shows what an index that is made anew of the archive shows (`pivo reindex`);
- what a restore that succeeded promised is on the forge, object for object; of one that failed nothing, or all.

## Measured

{when}: seed {seed}, {machine}, {total}. Counts are succeeded + failed with their cause; a
page that no server answers is told by the browser, here by the client.

{table}

{verdict}

## What was said

{said}

The same moments again: `make chaos SEED={seed}`. A measured run goes into this page with `PAGE=docs/chaos.md`.
"""


@dataclass(frozen=True)
class Result:
    """All rounds, what was wrong at the end, and how long it took in seconds; `busy` is the load average before."""

    seed: int
    busy: float
    rounds: Sequence[Round]
    last: Sequence[str]
    seconds: float

    @property
    def wrong(self) -> list[str]:
        return [*(f"{one.part}: {row}" for one in self.rounds for row in one.wrong), *self.last]


def cells(one: Round) -> tuple[str, ...]:
    """A round as a row."""
    work = [f"{one.count(what, 'succeeded')} + {one.count(what, 'failed')}" for what in _WORK]
    times = (f"{one.after:.1f} s", f"{one.back:.0f} s")
    return (one.part, *times, *work, "NO" if one.wrong else "yes", f"{one.took:.0f} s")


def table(rounds: Sequence[Round], *, head: bool = True) -> Table:
    """The table for a terminal; its rows are as wide without the head."""
    drawn = Table(box=None, header_style="bold", pad_edge=False, show_header=head)
    for name, width in zip(_HEAD, _WIDTHS, strict=True):
        drawn.add_column(name, min_width=width)
    for one in rounds:
        drawn.add_row(*cells(one), style="red" if one.wrong else "")
    return drawn


def markdown(result: Result) -> str:
    """The page."""
    rows = [_HEAD, tuple("---" for _ in _HEAD), *map(cells, result.rounds)]
    said = [f"- **{one.part}**: {sentence}" for one in result.rounds for sentence in one.said]
    wrong = [f"- {row}" for row in result.wrong]
    return _PAGE.format(
        when=f"{date.today():%Y-%m-%d}",
        seed=result.seed,
        machine=f"{os.cpu_count()} cores with a load of {result.busy:.0f} before, Python {platform.python_version()}",
        total=f"{result.seconds / 60:.1f} minutes in all",
        table="\n".join(f"| {' | '.join(row)} |" for row in rows),
        verdict="\n".join(["What was wrong:", "", *wrong]) if wrong else "In the end all agree, object by object.",
        said="\n".join(said) or "Nothing failed.",
    )
