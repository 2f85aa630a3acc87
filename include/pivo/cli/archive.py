"""`pivo ingest`, `pivo cat`, `pivo diff`: into the archive, and straight out of it."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape
from rich.syntax import Syntax

from pivo.agent.diffs import changed, compare
from pivo.agent.views import FileDiff
from pivo.cli.output import bar, console, emit, printable, stderr
from pivo.errors import NotFound
from pivo.events.audit import audited, open_audit
from pivo.models import RepoName
from pivo.registry import Registered, facts, place, snapshot
from pivo.settings import Settings
from pivo.snapshot.archive import Archive
from pivo.snapshot.objects import ObjectReader
from pivo.store import open_store

_MAX_LINES = 100_000  # of one file's diff

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Adds the commands to `pivo`."""
    app.command("ingest")(ingest)
    app.command("cat")(cat)
    app.command("diff")(diff)


def open_archive(settings: Settings) -> Archive:
    """The archive, read as the reader."""
    return Archive(open_store(settings.archive, settings.archive_reader))


def ingest(
    source: Annotated[str, typer.Argument(help="A git URL, or the path of a repository.")],
    name: Annotated[str | None, typer.Option(help="Its name in the archive, `name` or `owner/name`.")] = None,
    refs: Annotated[list[str] | None, typer.Option(help="A ref prefix to keep besides the usual ones.")] = None,
    json: Json = False,
) -> None:
    """Snapshot one repository now."""
    repo = Registered.parse({"url": source, "name": name, "refs": refs})
    settings = Settings.load()
    with open_audit(settings) as log, audited(log, settings.user, "ingest", origin="cli", **place(repo.url)) as told:
        with bar(quiet=json) as progress:
            report = snapshot(settings, repo, progress)
        told |= facts(report)
    if json:
        emit(asdict(report))
        return
    if report.outcome == "unchanged":
        console.print(
            f"{report.repo} is unchanged since {report.snapshot} ({report.refs:,} refs; {report.seconds:.1f} s)."
        )
    else:
        large = f"{report.lfs:,} git LFS objects, " if report.lfs else ""
        console.print(
            f"[green]{report.repo}[/] is archived as [bold]{report.hdfs_path}[/]: {report.commits:,} commits, "
            f"{report.objects:,} objects, {large}{report.bytes / 1e6:,.1f} MB, {report.refs:,} refs, "
            f"in {report.seconds:.1f} s."
        )
    if report.missing:
        paths = ", ".join(map(printable, report.missing_paths)) or "no path"
        stderr.print(
            f"[yellow]incomplete:[/] {report.missing:,} git LFS objects could not be had ({escape(paths)}); "
            f"the manifest says why, and the next snapshot asks again."
        )


def cat(
    repo: Annotated[str, typer.Argument(help="A repository in the archive.")],
    ref: Annotated[str, typer.Argument(help="A commit, a branch, a tag, or @2026-11-20.")],
    path: Annotated[str, typer.Argument(help="The file's path.")],
    json: Json = False,
) -> None:
    """Print a file as it was at a commit."""
    archive = open_archive(Settings.load())
    found = archive.resolve(RepoName.parse(repo), ref)
    with archive.objects(found.snapshot) as objects:
        entry = objects.file(found.commit, path)
        if not json and not sys.stdout.isatty():
            for part in objects.stream(entry.oid):  # a large file is never in memory as a whole
                sys.stdout.buffer.write(part)
            return
        body = objects.read_file(found.commit, path)
    if json:
        told = {"repo": repo, "commit": found.commit, "path": entry.path, "mode": entry.mode, "blob": entry.oid}
        emit(
            {**told, "size": len(body), "snapshot": found.snapshot.dirname, "content": body.decode("utf-8", "replace")}
        )
    elif b"\0" in body[:8000]:
        stderr.print(f"{printable(path)} is binary ({len(body):,} bytes); redirect the output to a file.")
    else:
        sys.stdout.write(printable(body.decode("utf-8", "replace")))


def diff(
    repo: Annotated[str, typer.Argument(help="A repository in the archive.")],
    old: Annotated[str, typer.Argument(help="A commit, a branch, a tag, or @2026-11-20.")],
    new: Annotated[str, typer.Argument(help="The commit to compare it with.")],
    path: Annotated[str, typer.Argument(help="A file or folder; all by default.")] = "",
    json: Json = False,
) -> None:
    """Show what changed between two commits."""
    archive, name = open_archive(Settings.load()), RepoName.parse(repo)
    before, after = archive.resolve(name, old), archive.resolve(name, new)
    # The newer of the two snapshots names all packs of the older one.
    latest = max(before.snapshot, after.snapshot, key=lambda m: m.seq)
    with archive.objects(latest) as objects:
        pairs = list(changed(objects, before.commit, after.commit, path))
        if path and not pairs:
            _entry_of_either(objects, after.commit, before.commit, path)
        files = [compare(objects, objects, pair, max_lines=_MAX_LINES) for pair in pairs]
    if json:
        emit({"repo": repo, "old": before.commit, "new": after.commit, "files": [asdict(f) for f in files]})
        return
    text = "".join(_unified(f) for f in files)
    if not text:
        stderr.print("No difference.")
    elif sys.stdout.isatty():
        console.print(Syntax(printable(text), "diff", background_color="default"))
    else:
        sys.stdout.write(text)


def _entry_of_either(objects: ObjectReader, first: str, second: str, path: str) -> None:
    """NotFound, with names that are close, when neither commit has `path`."""
    try:
        objects.entry(first, path)
    except NotFound:
        objects.entry(second, path)


def _unified(file: FileDiff) -> str:
    """A file's change as `git diff` would print it, near enough for `patch`."""
    old = "/dev/null" if file.status == "A" else f"a/{file.path}"
    new = "/dev/null" if file.status == "D" else f"b/{file.path}"
    note = f"# {file.path}: {file.note}\n" if file.note else ""
    return f"--- {old}\n+++ {new}\n" + "".join(f"{row}\n" for row in file.lines) + note
