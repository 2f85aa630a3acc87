"""list_snapshots: a repository's snapshots with their places in HDFS, newest first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pivo.agent.brain import Declaration
from pivo.agent.events import Evidence
from pivo.agent.tools.base import Tool, ToolContext, ToolOutput
from pivo.agent.views import Table
from pivo.models import Json, RepoName

NAME = "list_snapshots"
DESCRIPTION = (
    "Lists the snapshots of one archived repository, newest first: number, time, head commit, files, commits and bytes "
    "that it added, git LFS objects that it lacks (incomplete), and its folder in HDFS."
)
PARAMETERS: Json = {
    "type": "object",
    "properties": {
        "repo": {"type": "string", "description": "name or owner/name, as archived", "minLength": 1, "maxLength": 255},
        "before": {"type": "integer", "minimum": 1, "description": "only those with a lower number, to go on"},
        "limit": {"type": "integer", "minimum": 1, "maximum": 1000, "description": "rows at most; 100 if left out"},
    },
    "required": ["repo"],
    "additionalProperties": False,
}
_SQL = (
    "SELECT seq, taken_at, commit_hash, files, commits, size, incomplete, hdfs_path FROM v_snapshots"
    " WHERE repo_name = :repo AND seq < :before ORDER BY seq DESC LIMIT :n"
)


def run(context: ToolContext, arguments: Mapping[str, Any]) -> ToolOutput:
    """The snapshots; NotFound, with similar names, when the archive has no such repository."""
    repo, limit = RepoName.parse(str(arguments["repo"])), int(arguments.get("limit", 100))
    params = {"repo": str(repo), "before": int(arguments.get("before", 1 << 60)), "n": limit + 1}
    result = context.reader().query(_SQL, params, limit=limit + 1)
    if not result.rows:
        context.archive().require(repo)
    rows = tuple(tuple(row) for row in result.rows[:limit])
    more = len(result.rows) > limit
    summary: Json = {"repo": str(repo), "columns": list(result.columns), "rows": [list(r) for r in rows[:30]]}
    summary["more_rows_exist"] = more or len(rows) > 30
    if summary["more_rows_exist"]:
        summary["go_on_before"] = rows[:30][-1][0]
    evidence = Evidence(read_as=f"snapshots of {repo}", sql=_SQL, parameters=params)
    on = {**arguments, "before": rows[-1][0]} if more else None
    return ToolOutput(summary, Table(result.columns, rows, more), evidence, more=on)


TOOL = Tool(Declaration(NAME, DESCRIPTION, PARAMETERS), run)
