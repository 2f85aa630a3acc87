"""`pivo consolidate`: one pack in the place of many, now."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from pivo.cli.output import bar, console, emit
from pivo.consolidation import consolidated
from pivo.events import EventLog
from pivo.events.audit import audited, open_audit
from pivo.models import RepoName
from pivo.settings import Settings, base_environment
from pivo.snapshot.archive import Archive
from pivo.store import open_store


def register(app: typer.Typer) -> None:
    """Adds the command to `pivo`."""
    app.command("consolidate")(consolidate)


def consolidate(
    repo: Annotated[str | None, typer.Argument(help="A repository; all of them by default.")] = None,
    everything: Annotated[bool, typer.Option("--all-packs", help="Make one pack of all, due or not.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Repack many small packs into one for readers. The old ones stay; snapshots do it by themselves when it is due."""
    settings = Settings.load()
    store = open_store(settings.archive, settings.archive_writer)
    names = [RepoName.parse(repo)] if repo else Archive(store).repos()
    done: list[dict[str, Any]] = []
    with (
        open_audit(settings) as log,
        audited(log, settings.user, "consolidate", origin="cli", everything=everything) as facts,
        EventLog(settings.kafka) as events,
        bar(quiet=json) as progress,
    ):
        for name in names:
            manifest = consolidated(
                store,
                events,
                name,
                scratch=settings.staging / "ingest",
                environment=base_environment(),
                everything=everything,
                progress=progress,
            )
            if manifest:
                told = {"repo": manifest.repo, "snapshot": manifest.dirname, "replaced": len(manifest.replaces)}
                done.append(told | {"packs": len(manifest.packs), "bytes": manifest.size})
        facts |= {"repo": [row["repo"] for row in done], "repositories": len(done)}
    if json:
        emit(done)
        return
    for row in done:
        console.print(
            f"[green]{row['repo']}[/]: {row['snapshot']} replaces {row['replaced']} packs by one of "
            f"{row['bytes'] / 1e6:,.1f} MB; a reader has {row['packs']} now."
        )
    if not done:
        console.print("Nothing is due: no repository has many small packs.")
