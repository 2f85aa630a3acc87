"""`pivo up`, `down`, `status`, `logs`: the embedded stack."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn
from rich.table import Table

from pivo.cli.output import console, emit, stderr
from pivo.errors import NotFound
from pivo.settings import Settings
from pivo.stack.part import Folders
from pivo.stack.process import tail
from pivo.stack.supervisor import PartStatus, Report, Supervisor

_COLOURS = {"up": "green", "starting": "yellow", "sick": "red", "down": "dim"}


def register(app: typer.Typer) -> None:
    """Adds the commands of the embedded stack."""
    app.command()(up)
    app.command()(down)
    app.command()(status)
    app.command()(logs)


def _supervisor(settings: Settings) -> Supervisor:
    from pivo.stack.parts import all_parts

    return Supervisor(settings, all_parts(settings))


def up(quiet: bool = typer.Option(False, "--quiet", "-q", help="Say nothing while it works.")) -> None:
    """Start the embedded stack, or what of it does not run, and wait until every part answers."""
    settings, begun = Settings.load(), time.monotonic()
    with _shown(quiet) as report:
        _supervisor(settings).up(report)
    if not quiet:
        console.print(f"[green]All parts are up[/] after {time.monotonic() - begun:.0f} s.")
        console.print(
            f"Airflow: {settings.airflow_url}  (login [bold]admin[/], password in {_password(settings)})",
            soft_wrap=True,
        )


def _password(settings: Settings) -> Path:
    return settings.home / "secrets" / "airflow-admin"


def down(quiet: bool = typer.Option(False, "--quiet", "-q", help="Say nothing while it works.")) -> None:
    """Stop the embedded stack, with everything that its parts started. What is stored stays."""
    with _shown(quiet) as report:
        ended = _supervisor(Settings.load()).down(report)
    if not quiet:
        console.print("The stack is down." if ended else "Nothing was running.")


def status(json: bool = typer.Option(False, "--json", help="Print JSON for scripts.")) -> None:
    """Show how every part is, how far the index is, which repositories are late, and what verification found.

    Exits with 1 when something needs a person: a part that is not up, a missed promise, findings of a verification,
    messages or audit records that wait for too long.
    """
    from pivo import health as healths
    from pivo.cli import health as view

    settings = Settings.load()
    parts, health = _supervisor(settings).status(), healths.look(settings)
    up = all(part.state == "up" for part in parts)
    if json:
        emit({"up": up, "ok": up and health.ok, "parts": parts, "health": health})
    else:
        console.print(_table(parts))
        console.print(view.drawn(health), soft_wrap=True)
    if not up or not health.ok:
        raise typer.Exit(1)


def _table(parts: list[PartStatus]) -> Table:
    table = Table("part", "state", "pid", "address", "up for", "memory", box=None, pad_edge=False)
    for part in parts:
        table.add_row(
            part.name,
            f"[{_COLOURS[part.state]}]{part.state}[/]",
            str(part.pid or ""),
            part.url,
            _duration(time.time() - part.since) if part.since else "",
            f"{part.memory / 1e6:,.0f} MB" if part.memory else "",
        )
        if part.detail:
            table.add_row("", f"[dim]{escape(part.detail)}[/]")
    total = sum(part.memory or 0 for part in parts)
    table.add_row("", "", "", "", "", f"[bold]{total / 1e6:,.0f} MB[/]" if total else "")
    return table


def _duration(seconds: float) -> str:
    minutes, hours = int(seconds // 60), int(seconds // 3600)
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min" if minutes else f"{int(seconds)} s"


def logs(
    part: str = typer.Argument("", help="A part's name, or its beginning; all logs are listed without it."),
    follow: bool = typer.Option(False, "--follow", "-f", help="Go on as the log grows."),
    lines: int = typer.Option(50, "--lines", "-n", min=1, help="How many lines from the end."),
) -> None:
    """Show a part's log."""
    folder = Folders(Settings.load().home).logs
    known = {path.stem: path for path in sorted(folder.glob("*.log"))} if folder.is_dir() else {}
    if not part:
        for name, path in known.items():
            console.print(f"{name:24} {path.stat().st_size / 1e6:8.1f} MB  {path}", soft_wrap=True)
        if not known:
            console.print(f"No logs in {folder} yet; `pivo up` makes them.")
        return
    matching = [part] if part in known else [name for name in known if part in name]
    if not matching:
        raise NotFound(f"There is no log of {part!r} in {folder}.", f"There are: {', '.join(known) or 'none yet'}.")
    for name in matching:
        if len(matching) > 1:
            console.rule(name)
        for line in tail(known[name], lines):
            print_line(line)
    if follow:
        _follow(known[matching[-1]])


def print_line(line: str) -> None:
    """A log's line as it is, without markup or wrapping."""
    sys.stdout.write(line + "\n")


def _follow(path: Path) -> None:
    with path.open(encoding="utf-8", errors="replace") as log:
        log.seek(0, os.SEEK_END)
        while True:
            line = log.readline()
            if line:
                sys.stdout.write(line)
                sys.stdout.flush()
            else:
                time.sleep(0.3)


@contextmanager
def _shown(quiet: bool) -> Iterator[Report]:
    """Progress of the parts: a line each, moving on a terminal, plain elsewhere."""
    if quiet:
        yield lambda part, state, detail: None
        return
    if not stderr.is_terminal:
        yield _plain
        return
    columns = (SpinnerColumn(finished_text="[green]✓[/]"), TextColumn("{task.description}"))
    with Progress(*columns, console=stderr) as progress:
        tasks: dict[str, int] = {}

        def report(part: str, state: str, detail: str) -> None:
            text = f"{part:22} {state} [dim]{escape(detail)}[/]"
            if part not in tasks:
                tasks[part] = progress.add_task(text, total=1)
            done = state in ("ready", "stopped")
            progress.update(tasks[part], description=text, completed=1 if done else 0)  # type: ignore[arg-type]

        yield report


def _plain(part: str, state: str, detail: str) -> None:
    if state in ("ready", "stopped", "failed") or part == "pivo":
        stderr.print(f"  {part:22} {state} {escape(detail)}", soft_wrap=True)
