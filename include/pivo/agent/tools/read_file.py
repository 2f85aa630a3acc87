"""read_file: a file of an archived repository at any commit, read by ranges from the packs in HDFS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pivo import gitobjects
from pivo.agent.brain import Declaration
from pivo.agent.events import Evidence
from pivo.agent.tools.base import Tool, ToolContext, ToolOutput
from pivo.agent.views import Code, Table
from pivo.errors import Unavailable, UsageError
from pivo.models import Json, RepoName, Resolved

NAME = "read_file"
DESCRIPTION = (
    "Shows a file (or the entries of a folder) of an archived repository at a commit. The content goes to the person, "
    "not to you; you get its size and lines. To have the file explained, say in `explain` what the person "
    "wants to know: the explanation is written for the person by a reader without tools."
)
PARAMETERS: Json = {
    "type": "object",
    "properties": {
        "repo": {"type": "string", "description": "name or owner/name, as archived", "maxLength": 255},
        "path": {"type": "string", "description": "path from the repository's root; empty for the root folder"},
        "ref": {
            "type": "string",
            "description": "commit (full or short hash), branch, tag, or @2026-11-20; HEAD if left out",
            "maxLength": 255,
        },
        "line": {"type": "integer", "minimum": 1, "description": "first line (or entry) to show"},
        "explain": {"type": "string", "maxLength": 500},
    },
    "required": ["repo", "path"],
    "additionalProperties": False,
}

MAX_LINES = 400
MAX_CHARS = 60_000
MAX_ENTRIES = 1000  # of a folder
_MATERIAL = 30_000  # characters of a file that the explaining call reads


def run(context: ToolContext, arguments: Mapping[str, Any]) -> ToolOutput:
    """The file from `line` on, cut on whole lines; a folder as a table; a note for what is no text."""
    archive = context.archive()
    found = archive.resolve(RepoName.parse(str(arguments["repo"])), str(arguments.get("ref") or "HEAD"))
    path = str(arguments["path"]).strip("/")
    evidence = where(archive.store.url, found)
    with archive.objects(found.snapshot) as objects:
        entry = objects.entry(found.commit, path)
        if entry.is_dir:
            children = objects.list_dir(found.commit, path)
            rows = tuple((e.path + "/" * e.is_dir, e.mode, e.oid) for e in children)
            first = int(arguments.get("line", 1))
            end = first - 1 + MAX_ENTRIES
            listed: Json = {"folder": path, "entries": len(rows), "commit": found.commit}
            listed["next_line"] = end + 1 if end < len(rows) else None
            table = Table(("path", "mode", "object"), rows[first - 1 : end], end < len(rows))
            return ToolOutput(listed, table, evidence, more=_on(arguments, listed["next_line"]))
        body = objects.read_file(found.commit, path)
    summary: Json = {"path": path, "commit": found.commit, "bytes": len(body)}
    if b"\0" in body[:8000]:
        note = f"binary file, {len(body):,} bytes"
        return ToolOutput({**summary, "binary": True}, Code(path, "", 1, 0, None, note), evidence)
    view = page(path, gitobjects.text(body), int(arguments.get("line", 1)))
    summary |= {"lines": view.total_lines, "shown_from": view.first_line, "next_line": view.next_line}
    wanted = str(arguments.get("explain") or "")
    if wanted and context.explainer is not None:
        try:
            note = context.explainer.explain(f"{context.question}\n({wanted})", gitobjects.text(body)[:_MATERIAL])
        except Unavailable as err:
            note = f"No explanation: {err.what}"
        view = replace(view, note=note)
        summary["explained_to_person"] = True
    return ToolOutput(summary, view, evidence, more=_on(arguments, view.next_line))


def _on(arguments: Mapping[str, Any], line: int | None) -> Json | None:
    """The arguments that show the rest from `line` on, without explaining it again; None when there is no more."""
    kept = {key: value for key, value in arguments.items() if key != "explain"}
    return {**kept, "line": line} if line else None


def page(path: str, text: str, first: int) -> Code:
    """The lines of `text` from number `first` on, as many as fit."""
    lines = text.splitlines()
    if first > max(len(lines), 1):
        raise UsageError(f"{path} has {len(lines)} lines.", f"Ask for a line from 1 to {len(lines)}.")
    shown: list[str] = []
    room = MAX_CHARS
    for line in lines[first - 1 : first - 1 + MAX_LINES]:
        if shown and len(line) > room:
            break
        shown.append(line[:MAX_CHARS])
        room -= len(line) + 1
    end = first - 1 + len(shown)
    note = f"line {first:,} is cut after {MAX_CHARS:,} characters" if room < -1 else ""
    return Code(path, "\n".join(shown), first, len(lines), end + 1 if end < len(lines) else None, note)


def where(url: str, found: Resolved) -> Evidence:
    """The evidence of what was read from one snapshot."""
    snapshot = found.snapshot
    return Evidence(
        snapshot=snapshot.dirname, hdfs_path=f"{url}/{snapshot.repo}/{snapshot.dirname}", commit=found.commit
    )


TOOL = Tool(Declaration(NAME, DESCRIPTION, PARAMETERS), run)
