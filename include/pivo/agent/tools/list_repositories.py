"""list_repositories: what is archived, and how each repository stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pivo.agent.brain import Declaration
from pivo.agent.events import Evidence
from pivo.agent.tools.base import Tool, ToolContext, ToolOutput
from pivo.agent.views import Table
from pivo.models import Json

NAME = "list_repositories"
DESCRIPTION = (
    "Lists archived repositories by name: when each was last snapshotted and looked at, how many snapshots, "
    "commits and "
    "bytes it has, and whether its last verification found anything wrong (verified_ok 1, 0, or null for never)."
)
PARAMETERS: Json = {
    "type": "object",
    "properties": {
        "owner": {"type": "string", "description": "only those of this owner", "minLength": 1, "maxLength": 255},
        "after": {"type": "string", "description": "go on after this name", "maxLength": 255},
        "limit": {"type": "integer", "minimum": 1, "maximum": 1000, "description": "rows at most; 200 if left out"},
    },
    "additionalProperties": False,
}
_SQL = (
    "SELECT repo_name, last_snapshot_at, last_checked_at, snapshots, commits, size, last_verified_at, verified_ok"
    " FROM v_repos WHERE repo_name > :after AND repo_name >= :low AND repo_name < :high ORDER BY repo_name LIMIT :n"
)


def run(context: ToolContext, arguments: Mapping[str, Any]) -> ToolOutput:
    """The repositories; an empty table when there are none."""
    owner, limit = str(arguments.get("owner", "")), int(arguments.get("limit", 200))
    # "0" is the character after "/"
    low, high = (f"{owner}/", f"{owner}0") if owner else ("", "\U0010ffff")
    params = {"after": str(arguments.get("after", "")), "low": low, "high": high, "n": limit + 1}
    result = context.reader().query(_SQL, params, limit=limit + 1)
    rows = tuple(tuple(row) for row in result.rows[:limit])
    more = len(result.rows) > limit
    summary: Json = {"columns": list(result.columns), "rows": [list(row) for row in rows], "more_rows_exist": more}
    if more:
        summary["next_after"] = rows[-1][0]
    read_as = f"repositories of {owner}" if owner else "archived repositories"
    evidence = Evidence(read_as=read_as, sql=_SQL, parameters=params)
    on = {**arguments, "after": rows[-1][0]} if more else None
    return ToolOutput(summary, Table(result.columns, rows, more), evidence, more=on)


TOOL = Tool(Declaration(NAME, DESCRIPTION, PARAMETERS), run)
