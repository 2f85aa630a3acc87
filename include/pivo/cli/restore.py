"""`pivo restore`: shows what a restore would do, asks, starts the DAG run that does it, and follows it."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Any

import typer
from rich.live import Live
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from pivo.cli.output import console, emit, printable, stderr
from pivo.errors import PivoError, UsageError
from pivo.orchestrator import DagRun, Orchestrator, TaskState
from pivo.restore.plan import RestorePlan, validate
from pivo.settings import Settings

DAG = "pivo_restore"
STAGES = {
    "validate": "validate     resolve, check the archive and the target",
    "download": "download     Spark reads HDFS and verifies",
    "reconstruct": "reconstruct  rebuild, prove every object",
    "push": "push         create, push, compare every ref",
}
_LOOKS = {"success": ("✔", "green"), "failed": ("✘", "red"), "running": ("…", "yellow")}
_LOOKS |= {"up_for_retry": ("↻", "yellow"), "upstream_failed": ("-", "dim"), "queued": ("·", "yellow")}


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(restore)


def restore(
    repo: str = typer.Argument(help="The repository, as it is named in the archive."),
    ref: str = typer.Argument(help="A full or short commit hash, a branch, a tag, or @2026-11-20."),
    to: str = typer.Option(..., "--to", help="owner/name on the forge, or a git URL that is new or empty."),
    yes: bool = typer.Option(False, "--yes", "-y", help="Do not ask."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Plan and check only; change nothing."),
    wait: bool = typer.Option(False, "--wait", help="Follow the run to its end."),
    timeout: float = typer.Option(3600.0, "--timeout", help="With --wait: seconds after which to stop following."),
    json: bool = typer.Option(False, "--json", help="Print JSON for scripts."),
) -> None:
    """Bring REPO back at REF, into a fresh repository. The archive and existing repositories stay untouched."""
    settings = Settings.load()
    plan = validate(settings, repo=repo, ref=ref, target=to)
    if dry_run:
        if json:
            emit({"plan": _shown(plan), "run": None})
        else:
            console.print(proposal(plan))
            console.print("[dim]A dry run: nothing was changed.[/]")
        return
    _confirm(plan, yes, json)
    conf = {
        "repo": plan.repo,
        "ref": plan.ref,
        "target": plan.target,
        "commit": plan.commit,
        "requested_by": settings.user,
        "origin": "cli",
    }
    with Orchestrator(settings.airflow_url, settings.airflow_user, settings.airflow_password) as airflow:
        run = airflow.trigger(DAG, conf)
        if not json:
            console.print(f"Restore [bold]{escape(run.run_id)}[/] started: {run.url}", soft_wrap=True)
        address = _follow(airflow, run, timeout, quiet=json) if wait else None
        if json:
            emit(
                {"plan": _shown(plan), "run": asdict(run) | {"state": "success" if wait else run.state}, "url": address}
            )
        elif wait:
            console.print(
                f"[green]Restored[/] {plan.repo} at {plan.short} to [bold]{escape(str(address))}[/]", soft_wrap=True
            )


def proposal(plan: RestorePlan) -> Panel:
    """What the restore will do, for a person to look at before it is done."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    when = plan.commit_date.replace("T", " ").replace("+00:00", " UTC")
    rows = {
        "repository": plan.repo,
        "commit": "none: it was empty" if plan.empty else plan.commit,
        "subject": plan.subject,
        "date": when,
        "branch": plan.branch,
        "creates": plan.creates,
        "reads": f"{plan.volume}, snapshot {plan.snapshot}",
    }
    for name, value in rows.items():
        if value:
            table.add_row(name, escape(printable(value)))
    return Panel(table, title=f"Restore {escape(plan.repo)}", border_style="cyan", expand=False)


def _confirm(plan: RestorePlan, yes: bool, json: bool) -> None:
    if yes:
        if not json:
            console.print(proposal(plan))
        return
    if json or not sys.stdin.isatty():
        raise UsageError("A restore asks before it starts, and nobody is there to answer.", "Add --yes, or --dry-run.")
    console.print(proposal(plan))
    if not typer.confirm("Restore it?"):
        console.print("Nothing was started.")
        raise typer.Exit(1)


def _follow(airflow: Orchestrator, run: DagRun, timeout: float, quiet: bool) -> str:
    """Show the stages until the run ends; the restored repository's address, or the failed task's sentence raised."""
    with Live(console=stderr, refresh_per_second=4, transient=False) as live:
        done = airflow.wait(
            DAG, run.run_id, timeout=timeout, watch=lambda tasks: None if quiet else live.update(stages(tasks))
        )
    if done.state != "success":
        said = airflow.failure(DAG, run.run_id) or f"the run ended as {done.state}."
        raise PivoError(f"The restore failed: {said}", f"The run is at {done.url}; its staging folder was removed.")
    return str(airflow.result(DAG, run.run_id, "push"))


def stages(tasks: list[TaskState]) -> Table:
    """The four stages and how each stands."""
    by_id = {t.task_id: t for t in tasks}
    table = Table.grid(padding=(0, 1))
    for name, title in STAGES.items():
        task = by_id.get(name)
        mark, colour = _LOOKS.get(str(task.state) if task else "", ("·", "dim"))
        took = f"{(task.end - task.start).total_seconds():.1f} s" if task and task.start and task.end else ""
        again = f"try {task.try_number}" if task and task.try_number > 1 else ""
        table.add_row(f"[{colour}]{mark}[/]", f"[{colour}]{title}[/]", took, again)
    return table


def _shown(plan: RestorePlan) -> dict[str, Any]:
    """The plan for scripts: packs and tags as counts."""
    return asdict(plan) | {"packs": len(plan.packs), "tags": len(plan.tags), "short": plan.short}
