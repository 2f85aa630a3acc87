"""`pivo mcp`, the tools for other assistants, and `pivo confirm`, the person's word on what one of them proposed."""

from __future__ import annotations

from typing import Annotated

import typer

from pivo.cli.ask import book, offer
from pivo.settings import Settings


def register(app: typer.Typer) -> None:
    """Adds the commands to the command line."""
    app.command()(mcp)
    app.command()(confirm)


def mcp() -> None:
    """Serve the agent's tools to another assistant (Model Context Protocol, on standard input and output)."""
    import anyio

    from pivo.agent import build, mcp_server

    settings = Settings.load()
    with build.opened(settings) as resources:
        anyio.run(mcp_server.serve, resources, settings.user)


def confirm(
    proposal: Annotated[str, typer.Argument(help="The id of a proposal of yours, as an assistant or `ask` told it.")],
    wait: Annotated[bool, typer.Option("--wait", help="Follow the run to its end.")] = False,
) -> None:
    """Read a proposal and confirm it, on a terminal: it is the person's to say yes, not a program's."""
    from pivo.agent import build
    from pivo.agent.proposals import ProposalRefused

    settings = Settings.load()
    with build.opened(settings) as resources:
        found = book(resources).get(proposal, settings.user)
        if found.state != "open":
            raise ProposalRefused(f"This proposal is {found.state}; nothing was started.", "Ask again for a new one.")
        offer(resources, found, yes=False, wait=wait, hint="Confirm it on a terminal.")
