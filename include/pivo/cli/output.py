"""What all commands share in talking to a person or to a script."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from pivo.errors import AmbiguousRef, PivoError
from pivo.progress import Progress

_PIPED = 200  # columns where there is no terminal to ask: a log or a pipe should not wrap at 80


def _console(stream: TextIO, *, stderr: bool) -> Console:
    return Console(stderr=stderr, highlight=False, width=None if stream.isatty() else _PIPED)


console = _console(sys.stdout, stderr=False)
stderr = _console(sys.stderr, stderr=True)


def printable(text: str) -> str:
    """`text` from a repository, safe for a terminal: control and bidirectional marks are shown, not obeyed."""
    return "".join(c if c.isprintable() or c in "\n\t" else repr(c)[1:-1] for c in text)


def complain(err: PivoError) -> None:
    """Tells a failure on standard error: what happened, then what to do."""
    stderr.print(f"[bold red]error:[/] {escape(printable(err.what))}", soft_wrap=True)
    if isinstance(err, AmbiguousRef):
        for candidate in err.candidates:
            stderr.print(f"  {candidate}")
    if err.do:
        stderr.print(f"  [dim]{escape(printable(err.do))}[/]", soft_wrap=True)


def emit(data: Any) -> None:
    """Prints `data` (dataclasses, mappings, lists) as one JSON document; what a terminal would obey is escaped."""
    text = json.dumps(data, default=_plain, indent=2, ensure_ascii=False)
    sys.stdout.write("".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text) + "\n")


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)


@contextmanager
def bar(quiet: bool = False) -> Iterator[Progress]:
    """A progress callback that draws a bar on standard error; silent when `quiet` or not on a terminal."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TextColumn("{task.fields[shown]}"),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=stderr, transient=True, disable=quiet or not stderr.is_terminal) as bars:
        task = bars.add_task("starting", total=None, shown="")
        step = ""

        def report(name: str, done: int, total: int | None) -> None:
            nonlocal step
            if name != step:
                step = name
                bars.reset(task, description=escape(name), total=total)
            shown = f"{done:,} of {total:,}" if total else f"{done:,}"
            bars.update(task, completed=done, total=total, shown=shown if done or total else "")

        yield report
