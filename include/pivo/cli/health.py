"""How the health of an installation looks in a terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from pivo.cli.output import printable
from pivo.health import Health, Repository, span

_SHOWN = 30  # repositories; late ones come first
_MARKS = {"problem": ("✘", "red"), "notice": ("!", "yellow")}
_PROVEN = {"whole": "[green]whole[/]", "wrong": "[red]wrong[/]", "never": "[dim]not yet[/]"}


def drawn(health: Health) -> Group:
    """The lag, the repositories, and what needs a person."""
    parts: list[Any] = [Text(""), _line(health)]
    if health.repositories:
        parts += [Text(""), _table(health)]
    for finding in health.findings:
        mark, colour = _MARKS[finding.level]
        told = f"[{colour}]{mark}[/] {escape(printable(finding.what))}"
        parts.append(Text.from_markup(told + (f" [dim]{escape(printable(finding.do))}[/]" if finding.do else "")))
    if health.ok:
        parts.append(Text.from_markup("[green]✔[/] Nothing needs a person."))
    return Group(*parts)


def _line(health: Health) -> Text:
    if health.lag is None:
        lag = "[red]unknown[/]"
    else:
        behind = sum(row.behind for row in health.lag)
        lag = f"[yellow]{behind:,} behind[/]" if behind else "[green]up to date[/]"
    facts = [f"index {lag}" if health.indexed else "index [dim]not made yet[/]"]
    facts.append(f"{len(health.repositories):,} repositories")
    facts.append(f"late [red]{len(health.late)}[/]" if health.late else "none late")
    facts.append(f"unusable messages {health.dead_letters:,}")
    facts.append(f"waiting on disk {health.spool:,} B")
    return Text.from_markup("[dim] · [/]".join(facts))


def _table(health: Health) -> Table:
    table = Table("repository", "looked at", "promised", "last snapshot", "verified", box=None, pad_edge=False)
    rows = sorted(health.repositories, key=lambda r: (not r.late, r.verified != "wrong", r.name))
    for row in rows[:_SHOWN]:
        table.add_row(*_row(row))
    if len(rows) > _SHOWN:
        table.add_row(f"[dim]… {len(rows) - _SHOWN:,} more; --json has all[/]")
    return table


def _row(row: Repository) -> tuple[str, ...]:
    looked = f"{span(row.age)} ago" if row.age is not None else "never"
    when = (row.snapshot_at or "").replace("T", " ").removesuffix("Z")
    proven = _PROVEN[row.verified] + (f" [dim]{row.verified_at[:10]}[/]" if row.verified_at else "")
    return (
        escape(printable(row.name)),
        f"[red]{looked}[/]" if row.late else looked,
        f"within {span(row.promise)}" if row.promise else "[dim]no[/]",
        when,
        proven,
    )
