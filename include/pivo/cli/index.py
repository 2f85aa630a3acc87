"""`pivo index`, `pivo log`, `pivo snapshots`: filling the index, and looking into it."""

from __future__ import annotations

import difflib
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from pivo.cli.output import bar, console, emit, printable, stderr
from pivo.errors import NotFound
from pivo.index.reader import IndexReader
from pivo.settings import Settings

_COMMITS = (
    "SELECT hash, subject, author_name, author_email, commit_time, parents, snapshot_seq, signed, lost"
    " FROM v_commits WHERE repo_name = ? ORDER BY commit_time DESC"
)
_CHANGES = (
    "SELECT commit_hash AS hash, subject, author_name, author_email, commit_time, status, path"
    " FROM v_changes WHERE repo_name = ? AND path = ? ORDER BY commit_time DESC"
)
_SNAPSHOTS = (
    "SELECT repo_name, seq, taken_at, commit_hash, commits, files, size, refs, hdfs_path, source, incomplete"
    " FROM v_snapshots WHERE ?1 IS NULL OR repo_name = ?1 ORDER BY repo_name, seq"
)
_LIMIT = 100_000  # rows that a list shows at most
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Adds the commands to `pivo`."""
    app.command("index")(index)
    app.command("log")(log)
    app.command("snapshots")(snapshots)


def index(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until interrupted.")] = False,
    json: Json = False,
) -> None:
    """Reads what Kafka has into the index."""
    from pivo.events.audit import send_waiting
    from pivo.index.writer import drain  # the reading commands do without Kafka's client
    from pivo.reindex.gaps import fill_for

    settings = Settings.load()
    send_waiting(settings)
    with bar(quiet=json) as progress:
        report = drain(settings.index, settings.kafka, follow=follow, progress=progress)
        filled = fill_for(settings, progress)
    if json:
        emit(asdict(report) | {"filled": asdict(filled)})
        return
    console.print(
        f"{report.events:,} events in {report.elapsed:.1f} s: {report.commits:,} new commits,"
        f" {report.snapshots:,} new snapshots."
    )
    for gap in report.gaps:
        stderr.print(f"[yellow]messages are missing:[/] {escape(gap)}")
    if filled.gaps:
        stderr.print(
            f"The commits of {filled.gaps} gaps were read from the archive: {filled.snapshots:,} snapshots,"
            f" {filled.commits:,} new commits."
        )
    if report.dead:
        stderr.print(f"[yellow]{report.dead:,} messages could not be used;[/] they are in v_index_problems.")


def log(
    repo: Annotated[str, typer.Argument(help="Repository, `name` or `owner/name`.")],
    number: Annotated[int, typer.Option("-n", "--number", min=1, help="How many commits.")] = 20,
    path: Annotated[str, typer.Option(help="Only commits that changed this path.")] = "",
    json: Json = False,
) -> None:
    """Lists a repository's commits, the latest first; those that no branch reaches any more are marked."""
    with IndexReader(Settings.load().index) as reader:
        sql, params = (_CHANGES, [repo, path]) if path else (_COMMITS, [repo])
        rows = reader.query(sql, params, limit=min(number, _LIMIT), timeout=30.0).dicts()
        if not rows:
            _explain(reader, repo, path)
    if json:
        emit(rows)
        return
    for row in rows:
        mark = f"[red]{row['status']}[/] " if path else "[red]lost[/] " if row["lost"] else ""
        console.print(
            f"[yellow]{row['hash'][:10]}[/] {row['commit_time'][:16].replace('T', ' ')}"
            f" [cyan]{_shown(row['author_name'])}[/] {mark}{_shown(row['subject'])}",
            soft_wrap=True,
        )


def snapshots(
    repo: Annotated[str | None, typer.Argument(help="Repository; all when left out.")] = None, json: Json = False
) -> None:
    """Lists the snapshots in the archive."""
    with IndexReader(Settings.load().index) as reader:
        rows = reader.query(_SNAPSHOTS, [repo], limit=_LIMIT, timeout=30.0).dicts()
        if not rows and repo:
            _explain(reader, repo, "")
    if json:
        emit(rows)
        return
    if not rows:
        console.print("No snapshots yet.")
        return
    table = Table(box=None, header_style="bold")
    for name in ("repository", "no", "taken", "head"):
        table.add_column(name)
    for name in ("commits", "files", "refs", "size"):
        table.add_column(name, justify="right")
    table.add_column("folder", overflow="fold")
    for row in rows:
        table.add_row(*(_shown(value) for value in _line(row)))
    console.print(table, crop=False, width=max(console.width, 150))
    newest = {row["repo_name"]: row for row in rows}  # they come by number
    for row in (r for r in newest.values() if r["incomplete"]):
        stderr.print(
            f"[yellow]incomplete:[/] {escape(row['repo_name'])} lacks {row['incomplete']:,} git LFS objects;"
            " the log of its last snapshot says which, and why."
        )


def _line(row: dict[str, Any]) -> list[str]:
    return [
        row["repo_name"],
        str(row["seq"]),
        row["taken_at"].replace("T", " "),
        row["commit_hash"][:10],
        f"{row['commits']:,}",
        f"{row['files']:,}",
        f"{row['refs']:,}",
        _bytes(row["size"]),
        row["hdfs_path"],
    ]


def _bytes(size: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def _shown(text: str) -> str:
    return escape(printable(text))


def _explain(reader: IndexReader, repo: str, path: str) -> None:
    """NotFound for what is not in the index; nothing for a repository without commits."""
    names = [name for (name,) in reader.query("SELECT repo_name FROM v_repos", limit=_LIMIT).rows]
    if repo not in names:
        close = difflib.get_close_matches(repo, names, 3, 0.5)
        hint = f"Did you mean {' or '.join(close)}?" if close else "`pivo snapshots` lists what there is."
        raise NotFound(f"The index knows no repository {repo!r}.", hint)
    if path:
        paths = reader.query("SELECT path FROM v_paths WHERE repo_name = ?", [repo], limit=_LIMIT).rows
        close = difflib.get_close_matches(path, [p for (p,) in paths], 3)
        hint = f"Did you mean {' or '.join(close)}?" if close else "Paths begin at the repository's root."
        raise NotFound(f"No commit of {repo} changed {path!r}.", hint)
