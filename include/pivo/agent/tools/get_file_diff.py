"""get_file_diff: what changed in a file, a folder or the whole repository between two commits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from pivo.agent import diffs
from pivo.agent.brain import Declaration
from pivo.agent.tools.base import Tool, ToolContext, ToolOutput
from pivo.agent.tools.read_file import where
from pivo.agent.views import Diff
from pivo.errors import NotFound, Unavailable, UsageError
from pivo.models import Json, RepoName
from pivo.snapshot.objects import ObjectReader

NAME = "get_file_diff"
DESCRIPTION = (
    "Compares two commits of an archived repository: one file, a folder, or everything. With `new` alone it shows what "
    "that commit changed against its first parent. The person sees the diff and an explanation of it; you get "
    "statistics only."
)
_REF = {
    "type": "string",
    "description": "commit (full or short hash), branch, tag, or @2026-11-20",
    "minLength": 1,
    "maxLength": 255,
}
PARAMETERS: Json = {
    "type": "object",
    "properties": {
        "repo": {"type": "string", "description": "name or owner/name, as archived", "maxLength": 255},
        "path": {"type": "string", "description": "file or folder; everything if left out"},
        "old": _REF,
        "new": _REF,
        "after": {"type": "string", "description": "go on with the changed files after this one", "minLength": 1},
        "line": {"type": "integer", "minimum": 1, "description": "go on from this line of each diff; 1 if left out"},
    },
    "required": ["repo", "new"],
    "additionalProperties": False,
}

MAX_FILES = 50
_MATERIAL = 30_000  # characters of a diff that the explaining call reads


def run(context: ToolContext, arguments: Mapping[str, Any]) -> ToolOutput:
    """The diff and its explanation; NotFound when the path is on neither side."""
    archive, repo = context.archive(), RepoName.parse(str(arguments["repo"]))
    path = str(arguments.get("path") or "").strip("/")
    new = archive.resolve(repo, str(arguments["new"]))
    old = archive.resolve(repo, str(arguments["old"])) if "old" in arguments else None
    # The newest snapshot needs every pack of the repository, so its reader knows both sides.
    with archive.objects(archive.require(repo)) as objects:
        parents = objects.commit(new.commit).parents
        before = old.commit if old else (parents[0] if parents else None)
        pairs = diffs.changed(objects, before, new.commit, path)
        if "after" in arguments and not any(pair.path == arguments["after"] for pair in pairs):
            raise UsageError(f"{str(arguments['after'])[:200]!a} is none of the changed files.", "Leave `after` out.")
        first = int(arguments.get("line", 1))
        files = tuple(diffs.compare(objects, objects, pair, first=first) for pair in islice(pairs, MAX_FILES))
        more = sum(1 for _ in pairs)
        if path and not files and "after" not in arguments:
            _require(objects, [c for c in (before, new.commit) if c], path)
    diff = Diff(before or "", new.commit, files, more)
    diff = _explained(context, diff)
    summary: Json = {
        "old": diff.old or None,
        "new": diff.new,
        "files_changed": len(files) + more,
        "lines_added": sum(f.added for f in files),
        "lines_removed": sum(f.removed for f in files),
        "explained_to_person": True,
    }
    on: Json | None = None
    if more:
        summary["more_files_after"] = files[-1].path
        on = {**arguments, "after": files[-1].path}
    if cut := [f.path for f in files if len(f.lines) == diffs.MAX_SHOWN and f.note]:
        summary["cut"] = {"files": cut, "go_on_from_line": first + diffs.MAX_SHOWN}
        if len(files) == 1:
            on = {**arguments, "line": first + diffs.MAX_SHOWN}
    return ToolOutput(summary, diff, where(archive.store.url, new), more=on)


def _explained(context: ToolContext, diff: Diff) -> Diff:
    by_numbers = replace(diff, explanation=diffs.explain(diff))
    if context.explainer is None or not diff.files:
        return by_numbers
    text = "\n".join(f"--- {f.path} ({f.status}) {f.note}\n" + "\n".join(f.lines) for f in diff.files)
    try:
        told = context.explainer.explain(context.question, text[:_MATERIAL])
    except Unavailable:
        return by_numbers
    return replace(diff, explanation=told, by_model=True)


def _require(objects: ObjectReader, commits: list[str], path: str) -> None:
    """NotFound, with what is close, unless one of the commits has `path`."""
    for commit in commits[:-1]:
        try:
            objects.entry(commit, path)
            return
        except NotFound:
            continue
    objects.entry(commits[-1], path)


TOOL = Tool(Declaration(NAME, DESCRIPTION, PARAMETERS), run)
