"""`pivo reindex`, `pivo schema`: making the index anew from the archive, and what is in it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import uuid
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from pivo.cli.output import bar, console, emit, stderr
from pivo.errors import NotFound, PivoError
from pivo.events.audit import audited, open_audit
from pivo.settings import Settings, base_environment
from pivo.snapshot.archive import Archive
from pivo.store import open_store


class Where(StrEnum):
    """Where the history is read."""

    auto = "auto"
    here = "here"
    spark = "spark"


def register(app: typer.Typer) -> None:
    """Adds the commands to `pivo`."""
    app.command("reindex")(reindex)
    app.command("schema")(schema)


def reindex(
    on: Annotated[
        Where, typer.Option(help="Where the history is read: here, on spark, or as many snapshots want it.")
    ] = Where.auto,
    accept_losses: Annotated[
        bool, typer.Option("--accept-losses", help="Go on although the archive lacks snapshots that the index knows.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make the index anew from the archive, and put it in the old one's place. Restores and audit are kept."""
    from pivo.reindex.rebuild import rebuild
    from pivo.reindex.sources import MANY, Here, OnSpark, Source

    settings = Settings.load()
    folder = settings.staging / f"reindex-{uuid.uuid4().hex[:12]}"
    archive = Archive(open_store(settings.archive, settings.archive_reader))
    here = Here(archive, folder, base_environment())
    source: Source = here
    if on is Where.spark or (on is Where.auto and here.total() >= MANY and _spark_answers(settings)):
        source = OnSpark(
            here, settings.archive, settings.archive_reader, folder, lambda work: _submitted(settings, work)
        )
    try:
        with (
            open_audit(settings) as log,  # with Kafka away the record waits on disk: this needs the archive alone
            audited(log, settings.user, "reindex", origin="cli", accept_losses=accept_losses) as facts,
            bar(quiet=json) as progress,
        ):
            result = rebuild(settings.index, source, accept_losses=accept_losses, progress=progress)
            facts |= {"repositories": result.repositories, "snapshots": result.snapshots, "commits": result.commits}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if json:
        emit(asdict(result) | {"where": "here" if source is here else "spark"})
        return
    console.print(
        f"{result.commits:,} commits of {result.snapshots:,} snapshots of {result.repositories:,} repositories"
        f" in {result.elapsed:.1f} s{'' if source is here else ', read by Spark'}."
    )
    if not result.kept:
        console.print("There was no old index to take restores and audit from: `pivo index` reads them from Kafka.")
    for name in result.missing:
        stderr.print(f"[yellow]not in the archive any more:[/] {escape(name)}")
    if result.refused:
        stderr.print(f"[yellow]{result.refused:,} events could not be stored;[/] the log names them.")


def _spark_answers(settings: Settings) -> bool:
    from pivo import sparkjob

    try:
        sparkjob.reach(settings.spark_master)
    except PivoError:
        return False
    return True


def _submitted(settings: Settings, work: Path) -> subprocess.Popen[bytes]:
    from pivo import sparkjob
    from pivo.stack import java, spark

    sparkjob.reach(settings.spark_master)
    command = [
        str(Path(sys.executable).with_name("spark-submit")),
        *("--master", settings.spark_master, "--name", "PIVO-Reindex"),
        str(settings.root / "spark_jobs" / "reindex_job.py"),
        *("--work", str(work), "--cluster", settings.spark_master),
    ]
    with (work.parent / "spark.log").open("wb") as log:
        env = base_environment() | spark.environment(settings, java.find)
        return subprocess.Popen(command, env=env, stdout=log, stderr=log)


def schema(
    table: Annotated[str | None, typer.Argument(help="A view or table; all views when left out.")] = None,
    every: Annotated[bool, typer.Option("--all", help="The tables behind the views too.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what the index holds, column by column."""
    from pivo.index import schema as described

    relations = described.relations(tables=every or table is not None)
    if table is not None:
        relations = [r for r in relations if r.name == table]
        if not relations:
            raise NotFound(f"The index has no {table!r}.", "`pivo schema --all` lists what there is.")
    if json:
        emit(relations)
        return
    for relation in relations:
        console.print(f"[bold]{relation.name}[/]  {escape(relation.about)}", soft_wrap=True)
        for name, about in relation.columns.items():
            console.print(f"  [cyan]{name}[/]  {escape(about)}", soft_wrap=True)
        if relation is not relations[-1]:
            console.print()
