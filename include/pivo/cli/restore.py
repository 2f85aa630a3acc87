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
from pivo.errors import NotFound, PivoError, UsageError
from pivo.events import AuditEvent
from pivo.events.audit import audited, open_audit
from pivo.orchestrator import DagRun, Orchestrator, TaskState
from pivo.restore import report as reports
from pivo.restore.approval import Needed, needed
from pivo.restore.plan import RestorePlan
from pivo.restore.planning import goals, plan_each
from pivo.restore.policy import Policy
from pivo.restore.request import Request
from pivo.settings import Settings

DAG = "pivo_restore"
STAGES = {
    "validate": "validate     resolve, check the archive and the target",
    "approval": "approval     a second person, in Airflow",
    "download": "download     Spark reads HDFS and verifies",
    "reconstruct": "reconstruct  rebuild, prove every object",
    "push": "push         create, push, compare every ref",
}
_LOOKS = {"success": ("✔", "green"), "failed": ("✘", "red"), "running": ("…", "yellow")}
_LOOKS |= {
    "awaiting_input": ("?", "yellow"),
    "up_for_retry": ("↻", "yellow"),
    "upstream_failed": ("-", "dim"),
    "queued": ("·", "yellow"),
}
_NOT_ASKED = (None, "skipped", "removed", "upstream_failed")
_WORST_FIRST = ("failed", "up_for_retry", "running", "awaiting_input", "queued", "upstream_failed", None, "success")

Plans = dict[str, RestorePlan | PivoError]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(restore)


def restore(
    repo: str = typer.Argument("", help="The repository as the archive names it; several: a,b or 'acme/*' or '*'."),
    ref: str = typer.Argument("", help="A full or short commit hash, a branch, a tag, or @2026-11-20."),
    to: str = typer.Option("", "--to", help="owner/name on the forge, or a git URL, new or empty; several: neworg/"),
    all_refs: bool = typer.Option(False, "--all-refs", help="Whole repositories as of a date: every branch and tag."),
    yes: bool = typer.Option(False, "--yes", "-y", help="Do not ask."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Plan and check only; change nothing."),
    wait: bool = typer.Option(False, "--wait", help="Follow the run to its end."),
    timeout: float = typer.Option(3600.0, "--timeout", help="With --wait: seconds after which to stop following."),
    report: str = typer.Option("", "--report", help="Show what came of a run, by its id; starts nothing."),
    json: bool = typer.Option(False, "--json", help="Print JSON for scripts."),
) -> None:
    """Bring REPO back at REF, into a fresh repository. The archive and existing repositories stay untouched."""
    settings = Settings.load()
    if report:
        _show(_report(settings, report), json)
        return
    if not (repo and to):
        raise UsageError("A restore needs a repository and --to.", "See `pivo restore --help`.")
    conf = _conf(repo, ref or "HEAD", to, all_refs)
    asked = Request.parse(conf)
    plans = _planned(settings, asked)
    need = _needed(settings, plans)
    if dry_run:
        if json:
            emit(_shown(plans, asked, need) | {"run": None})
        else:
            _propose(plans, asked, need)
            console.print("[dim]A dry run: nothing was changed.[/]")
        return
    _confirm(plans, asked, need, yes, json)
    for plan in plans.values():
        if isinstance(plan, RestorePlan) and not asked.many:
            conf |= {"repo": plan.repo, "commit": plan.commit}
    conf |= {"requested_by": settings.user, "origin": "cli"}
    with Orchestrator(settings.airflow_url, settings.airflow_user, settings.airflow_password) as airflow:
        run = _trigger(settings, airflow, conf, plans)
        if not json:
            console.print(f"Restore [bold]{escape(run.run_id)}[/] started: {run.url}", soft_wrap=True)
        if not wait:
            if json:
                emit(_shown(plans, asked, need) | {"run": asdict(run), "url": None})
            return
        run = _follow(airflow, run, timeout, quiet=json)
        said = _said(airflow, run) if need else ""
        if said and not json:
            console.print(f"The approval of a second person: {escape(printable(said))}")
        if asked.many:
            _show(_report(settings, run.run_id, airflow), json)
            return
        if run.state != "success":
            raise _failed(airflow, run)
        address = str(airflow.result(DAG, run.run_id, "push", 0))
        if json:
            emit(_shown(plans, asked, need) | {"run": asdict(run), "url": address, "approval": said})
        else:
            short = next(p.short for p in plans.values() if isinstance(p, RestorePlan))
            console.print(f"[green]Restored[/] {repo} at {short} to [bold]{escape(address)}[/]", soft_wrap=True)


def _conf(repo: str, ref: str, target: str, all_refs: bool) -> dict[str, Any]:
    """The DAG's params; several repositories are parted by commas."""
    names = [part.strip() for part in repo.split(",") if part.strip()]
    several = len(names) > 1 or any(c in repo for c in "*?[")
    conf: dict[str, Any] = {"repos": names, "all_refs": all_refs} if several else {"repo": repo}
    return conf | {"ref": ref, "target": target} | ({"all_refs": True} if all_refs else {})


def _planned(settings: Settings, asked: Request) -> Plans:
    """The plans; the first failure is raised when nothing could be restored."""
    plans = plan_each(settings, asked, goals(settings, asked))
    failed = [plan for plan in plans.values() if isinstance(plan, PivoError)]
    if len(failed) == len(plans):
        raise failed[0]
    return plans


def _needed(settings: Settings, plans: Plans) -> Needed | None:
    """Whom the policy asks besides; TargetError when it leaves nobody. Behind a run of the command line are the person
    and the installation's own login."""
    rules = Policy.load(settings).approval
    targets = {repo: plan.target for repo, plan in plans.items() if isinstance(plan, RestorePlan)}
    return needed(rules, targets, (settings.airflow_user, settings.user))


def _propose(plans: Plans, asked: Request, need: Needed | None) -> None:
    console.print(_proposal(plans, asked))
    if need:
        console.print(f"[yellow]It goes on with the approval of {escape(need.words)}.[/]")


def _said(airflow: Orchestrator, run: DagRun) -> str:
    """What the second person said, by Airflow's own record."""
    approval = airflow.approval(DAG, run.run_id)
    return approval.words if approval else ""


def _proposal(plans: Plans, asked: Request) -> Panel | Table:
    if not asked.many:
        return proposal(next(p for p in plans.values() if isinstance(p, RestorePlan)))
    table = Table("repository", "commit", "refs", "size", "to", title=f"Restore as of {escape(asked.ref)}", box=None)
    for repo, plan in plans.items():
        if isinstance(plan, PivoError):
            table.add_row(
                f"[red]{escape(repo)}[/]", "", "", "", f"[red]not possible:[/] {escape(printable(str(plan)))}"
            )
        else:
            refs = f"{len(plan.refs):,}" + (f", {len(plan.withheld)} withheld" if plan.withheld else "")
            table.add_row(escape(repo), plan.short, refs, f"{plan.bytes:,}", escape(plan.target))
    return table


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
        "refs": f"all {len(plan.refs):,} as they were then" if plan.all_refs else "",
        "withheld": ", ".join(f"{w.name} ({w.why})" for w in plan.withheld[:5]),
        "creates": plan.creates,
        "reads": f"{plan.volume}, snapshot {plan.snapshot}",
    }
    for name, value in rows.items():
        if value:
            table.add_row(name, escape(printable(value)))
    return Panel(table, title=f"Restore {escape(plan.repo)}", border_style="cyan", expand=False)


def _confirm(plans: Plans, asked: Request, need: Needed | None, yes: bool, json: bool) -> None:
    if yes:
        if not json:
            _propose(plans, asked, need)
        return
    if json or not sys.stdin.isatty():
        raise UsageError("A restore asks before it starts, and nobody is there to answer.", "Add --yes, or --dry-run.")
    _propose(plans, asked, need)
    if not typer.confirm("Restore it?" if not asked.many else f"Restore these {len(plans)}?"):
        console.print("Nothing was started.")
        raise typer.Exit(1)


def _trigger(settings: Settings, airflow: Orchestrator, conf: dict[str, Any], plans: Plans) -> DagRun:
    """Starts the run, when the audit log has who wants it: Unavailable, with nothing started, when it has not."""
    sound = [plan for plan in plans.values() if isinstance(plan, RestorePlan)]
    facts: dict[str, Any] = {"repositories": len(sound), "repo": [p.repo for p in sound], "origin": "cli"}
    if len(sound) == 1:
        facts |= {"repo": sound[0].repo, "commit": sound[0].commit, "ref": conf["ref"], "target": sound[0].target}
    with open_audit(settings) as log:
        log.require(AuditEvent(settings.user, "confirmation", facts, "asked"))
        with audited(log, settings.user, "trigger", **facts, dag=DAG) as told:
            run = airflow.trigger(DAG, conf)
            told["run_id"] = run.run_id
    return run


def _follow(airflow: Orchestrator, run: DagRun, timeout: float, quiet: bool) -> DagRun:
    """Show the stages until the run ends; and once, where it waits for a second person, whom and where."""
    told = quiet

    def watch(tasks: list[TaskState]) -> None:
        nonlocal told
        if not quiet:
            live.update(stages(tasks))
        if not told and any(t.task_id == "approval" and t.state == "awaiting_input" for t in tasks):
            told = True
            page = f"{run.url}/tasks/approval/required_actions"
            live.console.print(f"The run {escape(_said(airflow, run))}: {page}", soft_wrap=True)

    with Live(console=stderr, refresh_per_second=4, transient=False) as live:
        return airflow.wait(DAG, run.run_id, timeout=timeout, watch=watch)


def _failed(airflow: Orchestrator, run: DagRun) -> PivoError:
    said = airflow.failure(DAG, run.run_id) or f"the run ended as {run.state}."
    return PivoError(
        f"The restore failed: {said}", f"The run is at {run.url}; `pivo restore --report` shows its report."
    )


def _report(settings: Settings, run_id: str, airflow: Orchestrator | None = None) -> reports.Report:
    """A run's report: from the home folder, or from Airflow (in short) when that is another machine's."""
    try:
        return reports.load(settings.home, run_id)
    except NotFound:
        if airflow is None:
            with Orchestrator(settings.airflow_url, settings.airflow_user, settings.airflow_password) as own:
                return _report(settings, run_id, own)
        told = airflow.result(DAG, run_id, "report")
        if told is None:
            raise
        return reports.Report.from_dict(told)


def _show(report: reports.Report, json: bool) -> None:
    """The report; exit code 1 when a repository was not restored."""
    if json:
        emit({"report": report.to_dict()})
    else:
        console.print(escape(report.summary()), soft_wrap=True, highlight=False)
    if report.failed:
        raise typer.Exit(1)


def stages(tasks: list[TaskState]) -> Table:
    """The four stages and how each stands; of several repositories, how many; and the approval, if asked for."""
    table = Table.grid(padding=(0, 1))
    for name, title in STAGES.items():
        mine = sorted((t for t in tasks if t.task_id == name), key=lambda t: _rank(t.state))
        if name == "approval" and not (mine and mine[0].state not in _NOT_ASKED):
            continue
        worst = mine[0] if mine else None
        mark, colour = _LOOKS.get(str(worst.state) if worst else "", ("·", "dim"))
        ended = [(t.start, t.end) for t in mine if t.start and t.end]
        took = f"{(max(e for _, e in ended) - min(s for s, _ in ended)).total_seconds():.1f} s" if ended else ""
        again = f"try {worst.try_number}" if worst and worst.try_number > 1 else ""
        done = f"{sum(t.state == 'success' for t in mine)} of {len(mine)}" if len(mine) > 1 else ""
        table.add_row(f"[{colour}]{mark}[/]", f"[{colour}]{title}[/]", done, took, again)
    return table


def _rank(state: str | None) -> int:
    return _WORST_FIRST.index(state) if state in _WORST_FIRST else len(_WORST_FIRST) - 2


def _shown(plans: Plans, asked: Request, need: Needed | None) -> dict[str, Any]:
    """The plans for scripts: packs and tags as counts, what cannot be restored as a sentence; who has to approve."""

    def show(plan: RestorePlan | PivoError) -> dict[str, Any]:
        if isinstance(plan, PivoError):
            return {"failure": str(plan)}
        return asdict(plan) | {"packs": len(plan.packs), "tags": len(plan.tags), "short": plan.short}

    told = {repo: show(plan) for repo, plan in plans.items()}
    approvers = [person.name for person in need.approvers] if need else []
    return ({"plans": told} if asked.many else {"plan": next(iter(told.values()))}) | {"approvers": approvers}
