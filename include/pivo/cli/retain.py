"""`pivo retain`: removes replaced packs, where the policy says from which age on."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from pivo.cli.output import bar, console, emit
from pivo.errors import ArchiveError, PivoError, UsageError
from pivo.events import AuditEvent, EventLog
from pivo.events.audit import audited, open_audit
from pivo.index.reader import IndexReader
from pivo.models import RepoName, StoredPack
from pivo.restore.policy import Policy
from pivo.retention import Retained
from pivo.retention import retain as remove
from pivo.settings import Settings, base_environment
from pivo.snapshot.archive import Archive
from pivo.store import open_store
from pivo.verify import witness


def register(app: typer.Typer) -> None:
    """Adds the command to `pivo`."""
    app.command("retain")(retain)


def retain(
    repo: Annotated[str | None, typer.Argument(help="A repository; all of them by default.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would go; prove and change nothing.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Remove packs that consolidation replaced long ago, once all in them is proven to be elsewhere. Off by default."""
    settings = Settings.load()
    days = Policy.load(settings).replaced_packs_days
    if days is None:
        raise UsageError(
            "The policy removes nothing: it has no `retention`.",
            "Add `retention: {replaced_packs_days: 90}` to include/policy.yaml.",
        )
    store = open_store(settings.archive, settings.archive_writer)
    names = [RepoName.parse(repo)] if repo else Archive(store).repos()
    done: list[Retained] = []
    failed: list[PivoError] = []
    with (
        open_audit(settings) as log,
        audited(log, settings.user, "retain", origin="cli", dry_run=dry_run) as facts,
        EventLog(settings.kafka) as events,
        IndexReader(settings.index) as index,
        bar(quiet=json) as progress,
    ):
        for name in names:

            def told(snapshot: str, packs: tuple[StoredPack, ...], name: str = str(name)) -> None:
                size = sum(p.file_size for p in packs)
                what = {"repo": name, "snapshot": snapshot, "replaced": len(packs), "bytes": size}
                log.require(AuditEvent(settings.user, "retain", what, "asked"))

            try:
                result = remove(
                    store,
                    events,
                    str(name),
                    days=days,
                    who=settings.user,
                    told=told,
                    scratch=settings.staging / "retain",
                    environment=base_environment(),
                    witness=witness.ask(index, str(name)),
                    dry_run=dry_run,
                    progress=progress,
                )
            except PivoError as err:  # one repository in doubt must not keep the others
                if len(names) == 1:
                    raise
                failed.append(err)
                continue
            if result:
                done.append(result)
        facts |= {"repo": [r.repo for r in done], "replaced": sum(len(r.packs) for r in done)}
    if json:
        emit([asdict(r) for r in done])
    else:
        for row in done:
            what = "would go" if dry_run else f"are gone, as {row.snapshot} records"
            console.print(f"[green]{row.repo}[/]: {len(row.packs)} packs, {row.bytes / 1e6:,.1f} MB, {what}.")
        if not done and not failed:
            console.print(f"Nothing to remove: no pack was replaced {days} or more days ago.")
    if failed:
        more = f" And {len(failed) - 1} more repositories failed." if len(failed) > 1 else ""
        raise ArchiveError(f"{failed[0].what}{more}", failed[0].do)
