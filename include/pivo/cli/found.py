"""What the agent found, drawn in a terminal: tables, files, diffs, and the evidence behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.syntax import Syntax
from rich.table import Table as RichTable
from rich.text import Text

from pivo.cli.output import console

if TYPE_CHECKING:
    from pivo.agent.events import Evidence, Refusal, ToolResult
    from pivo.agent.views import Code, Diff, Table

_NO_DISPLAY = {"hash", "repo_name"}  # columns that only repeat, left out where the table is wide


def result(found: ToolResult) -> None:
    """Prints what a tool found, where that comes from, and how to go on where it was cut."""
    from pivo.agent import views

    match found.view:
        case views.Table():
            _table(found.view, found.more)
        case views.Code():
            _code(found.view, found.more)
        case views.Diff():
            _diff(found.view, found.more)
    line = evidence(found.evidence)
    if line and found.ok:
        console.print(Text(line, style="dim"), soft_wrap=True)


def _table(view: Table, more: str) -> None:
    if len(view.rows) < 2 and len(view.columns) < 2:
        return  # the sentence has said it
    kept = [i for i, c in enumerate(view.columns) if c not in _NO_DISPLAY or len(view.columns) < 5]
    table = RichTable(box=None, header_style="bold", pad_edge=False)
    for i in kept:
        table.add_column(clean(view.columns[i]), overflow="fold")
    for row in view.rows:
        table.add_row(*(Text(clean("" if row[i] is None else str(row[i])).replace("\n", " ")) for i in kept))
    console.print(table)
    if view.truncated:
        _on("There are more rows", more)


def _code(view: Code, more: str) -> None:
    if view.note and view.text:
        console.print(Text(clean(view.note)))
    if not view.text:
        return
    lexer = Syntax.guess_lexer(view.path, view.text)
    console.print(Syntax(clean(view.text), lexer, line_numbers=True, start_line=view.first_line, word_wrap=True))
    if view.next_line:
        _on(f"There is more, from line {view.next_line:,} of {view.total_lines:,}", more)


def _diff(view: Diff, more: str) -> None:
    styles = {"+": "green", "-": "red", "@": "cyan"}
    if view.by_model:
        console.print(Text(clean(view.explanation)))
    for file in view.files:
        console.print(Text(f"{file.status} {clean(file.path)}  +{file.added} −{file.removed}", style="bold"))
        for line in file.lines:
            console.print(Text(clean(line), style=styles.get(line[:1], "")), soft_wrap=True)
        if file.note:
            console.print(Text(clean(file.note), style="dim"))
    if view.more:
        _on(f"{view.more:,} more files changed", more)
    elif more:
        _on("There are more lines", more)


def _on(what: str, more: str) -> None:
    """That there is more, and the command for it."""
    console.print(Text(f"{what}. Go on with: pivo more {more}", style="dim"), soft_wrap=True)


def evidence(told: Evidence) -> str:
    """Where the answer comes from, on one dim line or two."""
    lines = []
    if told.sql:
        values = ", ".join(f":{k} = {v!r}" for k, v in told.parameters.items())
        lines.append(f"SQL: {clean(told.sql)}" + (f"  [{clean(values)}]" if values else ""))
    place = told.hdfs_path or told.snapshot
    parts = [f"read as: {clean(told.read_as)}"] if told.read_as else []
    parts += [f"from {place}"] if place else []
    parts += [f"run {clean(told.run)}"] if told.run else []
    parts += [f"{told.elapsed * 1000:.0f} ms"] if told.elapsed else []
    return "\n".join([*lines, " · ".join(parts)])


def refused(refusal: Refusal) -> None:
    """Prints what was understood, what was not, and what can be asked."""
    console.print(Text("I do not understand that well enough, and ran nothing.", style="bold"))
    if refusal.understood:
        console.print(Text(f"Understood: {', '.join(map(clean, refusal.understood))}"))
    if refusal.unclear:
        console.print(Text(f"Not understood: {', '.join(map(clean, refusal.unclear))}", style="yellow"))
    if refusal.reason:
        console.print(Text(clean(refusal.reason)))
    if refusal.suggestions:
        console.print(Text("You can ask:"))
        for suggestion in refusal.suggestions:
            console.print(Text(f"  {clean(suggestion)}", style="cyan"))


def clean(text: str) -> str:
    """Text that cannot steer a terminal."""
    from pivo.agent import safe

    return safe.text(text)
