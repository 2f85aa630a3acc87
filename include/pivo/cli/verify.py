"""`pivo verify`, `pivo lost`: proving what is archived, and what force-pushes and deletions took away."""

from __future__ import annotations

import difflib
import uuid
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.markup import escape

from pivo.cli.output import bar, console, emit, printable, stderr
from pivo.errors import NotFound, Unavailable, UsageError
from pivo.events.audit import keep
from pivo.index.ledger import LostCommit
from pivo.index.ledger import lost as ledger
from pivo.index.reader import IndexReader
from pivo.models import RepoName
from pivo.progress import Progress
from pivo.settings import Settings, base_environment
from pivo.snapshot.archive import Archive
from pivo.store import open_store
from pivo.verify import deep as deeply
from pivo.verify import shallow, witness
from pivo.verify.report import Verified
from pivo.verify.run import begin_drill, record

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Adds the commands to `pivo`."""
    app.command("verify")(verify)
    app.command("lost")(lost)


def verify(
    repo: Annotated[str | None, typer.Argument(help="A repository in the archive; all when left out.")] = None,
    deep: Annotated[bool, typer.Option("--deep", help="Every object and its connections too, not only bytes.")] = False,
    drill: Annotated[
        bool, typer.Option("--drill", help="Restore a random commit to the forge instead, and compare.")
    ] = False,
    owner: Annotated[str, typer.Option(help="With --drill: who gets the restored repository.")] = "",
    record: Annotated[bool, typer.Option(help="Tell the event log, and so the index, what came of it.")] = True,
    json: Json = False,
) -> None:
    """Prove what is archived: every byte, or every object, or a whole restore. Exit code 1 when something is wrong."""
    if drill and deep:
        raise UsageError("--deep and --drill are two kinds of proof.", "Ask for one of them.")
    if owner and not drill:
        raise UsageError("--owner is for --drill.", "Leave it away.")
    settings, run_id = Settings.load(), f"cli-{uuid.uuid4().hex[:12]}"
    results = _drilled(settings, run_id, owner, repo, json) if drill else _verified(settings, repo, deep, json)
    if record:
        _record(settings, results, run_id)
    if json:
        emit([asdict(r) | {"ok": r.ok} for r in results])
    if not all(r.ok for r in results):
        raise typer.Exit(1)


def _drilled(settings: Settings, run_id: str, owner: str, repo: str | None, quiet: bool) -> list[Verified]:
    from pivo.verify.drill import drill

    begin_drill(settings, run_id, settings.user)
    with bar(quiet=quiet) as progress:
        result = drill(settings, run_id, owner=owner, repos=[repo] if repo else (), by=settings.user, progress=progress)
    _show(result, quiet)
    return [result]


def _verified(settings: Settings, repo: str | None, deep: bool, quiet: bool) -> list[Verified]:
    archive = Archive(open_store(settings.archive, settings.archive_reader))
    results = []
    with IndexReader(settings.index) as reader, bar(quiet=quiet) as progress:
        known = sorted({str(r) for r in archive.repos()} | witness.repos(reader))
        if repo is not None and str(RepoName.parse(repo)) not in known:
            archive.require(repo)  # says what is close
        for name in [repo] if repo is not None else known:
            results.append(_one(settings, archive, name, deep, witness.ask(reader, name), progress))
            _show(results[-1], quiet)
    if repo is None:
        for finding in shallow.foreign(archive):
            results.append(Verified(finding.repo, "shallow").found([finding]))
            _show(results[-1], quiet)
    if not results and not quiet:
        console.print("Nothing is archived yet.")
    return results


def _one(
    settings: Settings, archive: Archive, repo: str, deep: bool, seen: witness.Witness, progress: Progress
) -> Verified:
    if deep:
        return deeply.verify(archive, repo, settings.staging / "verify", base_environment(), seen, progress)
    return shallow.verify(archive, repo, seen, progress)


def _record(settings: Settings, results: list[Verified], run_id: str) -> None:
    for number, result in enumerate(results):
        try:
            record(settings, result, run_id, settings.user)
        except Unavailable as err:
            stderr.print(f"[yellow]The result is not in the index yet:[/] {escape(err.what)}", soft_wrap=True)
            keep(settings, [late.event(run_id, settings.user) for late in results[number:]])
            return


def _show(result: Verified, quiet: bool) -> None:
    if quiet:
        return
    mark = "[green]whole[/]" if result.ok else f"[red]{result.total:,} wrong[/]"
    if result.mode == "drill":
        said = escape(printable(result.detail))
    else:
        said = f"{result.snapshots:,} snapshots, {result.files:,} files, {result.bytes / 1e6:,.1f} MB"
        said += f", {result.objects:,} objects" if result.mode == "deep" else ""
    console.print(f"{mark} [bold]{escape(result.repo)}[/]: {said}, in {result.seconds:.1f} s", soft_wrap=True)
    for finding in result.findings:
        console.print(f"  [red]{finding.kind}[/] {escape(printable(str(finding)))}", soft_wrap=True)
    if result.total > len(result.findings):
        console.print(f"  and {result.total - len(result.findings):,} more")


def lost(
    repo: Annotated[str | None, typer.Argument(help="Repository; all when left out.")] = None, json: Json = False
) -> None:
    """List commits that no ref reaches any more, and what took them away. Each can be restored by its hash."""
    with IndexReader(Settings.load().index) as reader:
        commits = ledger(reader, repo)
        if repo and not commits:
            known = sorted(witness.repos(reader))
            if repo not in known:
                close = difflib.get_close_matches(repo, known, 3, 0.5)
                hint = f"Did you mean {' or '.join(close)}?" if close else "`pivo snapshots` lists what there is."
                raise NotFound(f"The index knows no repository {repo!r}.", hint)
    if json:
        emit(commits)
        return
    if not commits:
        console.print(f"Nothing is lost: current refs reach every archived commit{f' of {repo}' if repo else ''}.")
        return
    group: tuple[Any, ...] = ()
    for commit in sorted(commits, key=lambda c: (c.repo_name, c.lost_seq, c.ref)):
        mine = (commit.repo_name, commit.lost_seq, commit.ref)
        if mine != group:
            group = mine
            console.print(f"[bold]{_shown(commit.repo_name)}[/] {_cause(commit)}", soft_wrap=True)
        console.print(
            f"  [yellow]{commit.hash[:10]}[/] {commit.commit_time[:16].replace('T', ' ')}"
            f" [cyan]{_shown(commit.author_name)}[/] {_shown(commit.subject)}",
            soft_wrap=True,
        )
    stderr.print(f"{len(commits):,} commits. `pivo restore <repo> <hash> --to …` brings one back with its history.")


def _cause(commit: LostCommit) -> str:
    if not commit.ref:
        return "by a change that no snapshot saw"
    when = commit.seen_at[:16].replace("T", " ")
    how = {"forced": "was forced", "deleted": "was deleted"}.get(commit.change, "was moved")
    return f"{_shown(commit.ref)} {how}, seen {when} by snapshot {commit.lost_seq}"


def _shown(text: str) -> str:
    return escape(printable(text))
