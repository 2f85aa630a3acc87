"""`pivo …`: one command a verb. Exit codes: 0 done, 1 failed, 2 wrong usage."""

from __future__ import annotations

import sys

import typer

import pivo.cli.index as index
from pivo import __version__
from pivo.cli import archive, ask, assistants, consolidate, deployment, reindex, restore, retain, stack, verify
from pivo.cli.output import complain
from pivo.errors import PivoError
from pivo.settings import keep_loopback_direct

app = typer.Typer(
    name="pivo",
    help="Keeps every commit of your git repositories, answers questions about them, brings any of them back.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

for _module in (stack, archive, index, reindex, ask, assistants, restore, consolidate, retain, verify, deployment):
    _module.register(app)


@app.callback(invoke_without_command=True)
def _root(version: bool = typer.Option(False, "--version", help="Print the version and exit.")) -> None:
    if version:
        typer.echo(f"pivo {__version__}")
        raise typer.Exit


def main() -> None:
    """The console script: runs a command and turns failures into one sentence and an exit code."""
    keep_loopback_direct()
    try:
        app()
    except PivoError as err:
        complain(err)
        sys.exit(err.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
