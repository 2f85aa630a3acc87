"""`pivo ask` and `pivo chat`: the agent in a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.live import Live
from rich.markdown import Markdown
from rich.panel import Panel
from rich.table import Table as RichTable
from rich.text import Text

from pivo.cli.found import clean, evidence, refused, result
from pivo.cli.output import console, emit, stderr
from pivo.cli.restore import DAG, stages
from pivo.errors import PivoError
from pivo.settings import Settings

if TYPE_CHECKING:
    from pivo.agent.build import Resources
    from pivo.agent.events import AgentEvent, ToolCall, ToolResult
    from pivo.agent.messages import Message
    from pivo.agent.outcomes import Outcome
    from pivo.agent.proposals import Proposal, Proposals
    from pivo.orchestrator import DagRun

_HELP = "Ask anything about the archive, or for a restore. /help what can be asked, /more goes on, /quit ends."


def register(app: typer.Typer) -> None:
    """Adds the commands to the command line."""
    app.command()(ask)
    app.command()(more)
    app.command()(chat)


def ask(
    question: Annotated[str, typer.Argument(help="In plain English, in quotation marks.")],
    json: Annotated[bool, typer.Option("--json", help="One JSON document: all events of the answer.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Confirm a proposed restore without being asked.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Follow a confirmed restore to its end.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Use no model even if there is a key.")] = False,
) -> None:
    """Ask about the archive, or tell PIVO to restore something: `pivo ask "Who committed last to PIVO?"`."""
    from pivo.agent import build, consent, events

    settings = Settings.load()
    with build.opened(settings) as resources:
        agent = build.agent(resources, settings.user, "cli", offline=offline)
        if json:
            answer = list(agent.ask(question))
            data = [events.to_json(event) for event in answer]
            for proposal in consent.agreed(resources, question, answer) if yes else ():
                run, address = _confirm(resources, proposal, wait=wait, quiet=True)
                data.append({"type": "run", **asdict(run), "address": address})
            emit(data)
            failed = any(isinstance(e, events.Refusal) for e in answer)
        else:
            answer = list(_shown(agent.ask(question)))
            agreed = consent.agreed(resources, question, answer) if yes else []
            for proposal in _proposals(answer):
                hint = f"Confirm it with: pivo confirm {proposal.id}"
                offer(resources, proposal, yes=proposal in agreed, wait=wait, hint=hint)
            failed = any(isinstance(e, events.Refusal) for e in answer)
    last = [e for e in answer if isinstance(e, events.ToolResult)][-1:]
    if failed or (last and not last[0].ok):
        raise typer.Exit(1)


def more(
    page: Annotated[str, typer.Argument(metavar="ID", help="As `ask` told it under what it had to cut.")],
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Go on where a long answer was cut: the next rows, lines or files, by the very same query."""
    from pivo.agent import build, events

    settings = Settings.load()
    with build.opened(settings) as resources:
        found = _next(resources, page)
    if json:
        emit([events.to_json(found)])
    else:
        result(found)


def _next(resources: Resources, page: str) -> ToolResult:
    """What comes next; PivoError when that fails."""
    from pivo.agent import build, goingon

    found = goingon.go_on(build.toolbox(resources, resources.settings.user, "cli"), page)
    if not found.ok:
        raise PivoError(str(found.summary.get("error", "")), str(found.summary.get("do", "")))
    return found


def chat(
    offline: Annotated[bool, typer.Option("--offline", help="Use no model even if there is a key.")] = False,
) -> None:
    """Talk to PIVO; earlier questions and answers are remembered until the end."""
    from pivo.agent import build, events

    settings = Settings.load()
    history: tuple[Message, ...] = ()
    page = ""
    console.print(f"[dim]{_HELP}[/]")
    with build.opened(settings) as resources:
        agent = build.agent(resources, settings.user, "cli", offline=offline)
        while (question := _prompt()) is not None:
            if question in {"/quit", "/exit", "/q"}:
                return
            if not question:
                continue
            if question == "/new":
                history = ()
                continue
            try:
                if question == "/more":
                    page = _more(resources, page)
                    continue
                answer = list(_shown(agent.ask(question.removeprefix("/"), history)))
                page = next((e.more for e in reversed(answer) if isinstance(e, events.ToolResult)), "")
                history += next((e.messages for e in answer if isinstance(e, events.Done)), ())
                for proposal in _proposals(answer):
                    offer(resources, proposal, yes=False, wait=True)
            except PivoError as err:
                stderr.print(Text(clean(str(err)), style="red"))


def _more(resources: Resources, page: str) -> str:
    """Shows what comes next; where it goes on then, if it does."""
    if not page:
        console.print(Text("There is no more of the last answer.", style="dim"))
        return ""
    found = _next(resources, page)
    result(found)
    return found.more


def _prompt() -> str | None:
    try:
        import readline  # noqa: F401 - gives input() history and line editing

        return input("\n› ").strip()
    except (EOFError, KeyboardInterrupt):
        return None


def _proposals(answer: Iterable[AgentEvent]) -> list[Proposal]:
    from pivo.agent.events import ProposalMade

    return [e.proposal for e in answer if isinstance(e, ProposalMade)]


def _shown(answer: Iterable[AgentEvent]) -> Iterable[AgentEvent]:
    """Prints each event as it comes, and passes it on. Text is printed when the tools' output that follows it,
    or the end, shows that it is whole: Markdown cannot be drawn in pieces."""
    from pivo.agent import events

    text, results = "", []
    for event in answer:
        match event:
            case events.TextDelta():
                text += event.text
            case events.ToolCall():
                _tool_line(event)
            case events.ToolResult():
                results.append(event)
            case events.Refusal():
                refused(event)
            case events.ProposalMade():
                pass  # drawn by offer, after the text
            case events.Done():
                if text.strip():
                    console.print(Markdown(clean(text.strip()), hyperlinks=False))
                for found in results:
                    result(found)
                note = f" ({clean(event.badge.note)})" if event.badge.note else ""
                tokens = f" · {event.usage.prompt + event.usage.answer:,} tokens" if event.usage.calls else ""
                console.print(Text(f"{event.badge.brain}{note} · {event.elapsed:.2f} s{tokens}", style="dim"))
        yield event


def _tool_line(call: ToolCall) -> None:
    if not console.is_terminal:
        return
    shown = ", ".join(f"{key}={clean(str(value))}" for key, value in call.arguments.items())
    console.print(Text(f"→ {call.name}({shown})", style="dim"), soft_wrap=True)


def offer(resources: Resources, proposal: Proposal, *, yes: bool, wait: bool, hint: str = "") -> None:
    """Shows a proposal; on a terminal asks for the confirmation that nothing happens without. `hint` tells how else."""
    table = RichTable(box=None, show_header=False, pad_edge=False)
    for label, value in proposal.details.items():
        table.add_row(Text(label, style="dim"), Text(clean(value)))
    console.print(Panel(table, title=f"Proposed: {proposal.dag}", border_style="yellow", expand=False))
    if not yes and not (sys.stdin.isatty() and console.is_terminal):
        console.print(Text(f"Nothing was started. {hint}", style="dim"))
        return
    from pivo.agent import acting

    if not yes and not typer.confirm("Do it?", default=False):
        acting.cancel(resources.trail(proposal.who, "cli"), book(resources), proposal.who, proposal.id)
        console.print(Text("Cancelled; nothing was started.", style="dim"))
        return
    run, address = _confirm(resources, proposal, wait=wait, quiet=False)
    if address:
        console.print(Text(f"Restored to {clean(address)}", style="green"), soft_wrap=True)
    else:
        console.print(Text(f"Run {run.run_id} of {run.dag_id} is {run.state}: {run.url}"), soft_wrap=True)


def _confirm(resources: Resources, proposal: Proposal, *, wait: bool, quiet: bool) -> tuple[DagRun, str | None]:
    """Uses the proposal up and triggers its run; with `wait` follows it, and gives the restored repository's
    address, too. PivoError when the run is refused or fails."""
    from pivo.agent import acting
    from pivo.agent.outcomes import outcomes
    from pivo.orchestrator import Orchestrator
    from pivo.trace import trace

    settings, who = resources.settings, proposal.who
    with Orchestrator(settings.airflow_url, settings.airflow_user, settings.airflow_password) as airflow:
        trail, proposals = resources.trail(who, "cli"), book(resources)
        _, run = acting.confirm(settings, trail, proposals, airflow, who, proposal.id, proposal.digest)
        if not wait:
            return run, None
        with Live(console=stderr, refresh_per_second=4) as live:
            hidden = quiet or run.dag_id != DAG  # only a restore has the four stages
            watch = (lambda _: None) if hidden else (lambda tasks: live.update(stages(tasks)))
            run = airflow.wait(run.dag_id, run.run_id, watch=watch)
        trace(settings.trace_log, "PIVO-ORCHESTRATOR", "INFO", f"DAG run {run.dag_id} {run.run_id} is {run.state}")
        if not quiet:
            _came(outcomes(airflow, settings.archive, run.dag_id, run.run_id, airflow.tasks(run.dag_id, run.run_id)))
        if run.state != "success":
            why = airflow.failure(run.dag_id, run.run_id) or f"The run {run.run_id} ended as {run.state}."
            raise PivoError(why, f"The run is at {run.url}")
        return run, str(airflow.result(run.dag_id, run.run_id, "push", 0) or "")


def _came(rows: Sequence[Outcome]) -> None:
    """What came of a run, a line a repository, and where in the archive that is."""
    for row in rows:
        console.print(Text(f"{clean(row.repo)}: {clean(row.text)}"), soft_wrap=True)
        console.print(Text(evidence(row.evidence), style="dim"), soft_wrap=True)


def book(resources: Resources) -> Proposals:
    """The proposals of this installation, under its policy."""
    from pivo.agent import build
    from pivo.restore.policy import Policy

    return build.proposals(resources.settings, Policy.load(resources.settings))
