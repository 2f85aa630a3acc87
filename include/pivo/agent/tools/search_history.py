"""search_history: commits by what reaches them, words of their message, path, author and time, newest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pivo.agent import ancestry, quarantine
from pivo.agent.brain import Declaration
from pivo.agent.events import Evidence
from pivo.agent.tools.base import OFFSET, Tool, ToolContext, ToolOutput
from pivo.agent.views import Table
from pivo.models import Json, RepoName

NAME = "search_history"
DESCRIPTION = (
    "Lists commits of one archived repository, newest first, as git log does: all that `ref` reaches and "
    "`exclude` does "
    "not (`main` and `dev`, or two tags), with words of their message, a path, an author, a time. Without `ref`, all "
    "commits that are not lost. The person sees the rows; subjects are shown to the person only."
)
_REF = {"type": "string", "description": "branch, tag or commit", "minLength": 1, "maxLength": 255}
_TIME = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}Z)?$"}
PARAMETERS: Json = {
    "type": "object",
    "properties": {
        "repo": {"type": "string", "description": "name or owner/name, as archived", "minLength": 1, "maxLength": 255},
        "ref": _REF,
        "exclude": _REF,
        "text": {
            "type": "string",
            "description": "words of the message, all of them",
            "minLength": 1,
            "maxLength": 200,
        },
        "path": {"type": "string", "description": "a file, or a folder ending in /", "minLength": 1},
        "author": {"type": "string", "description": "full name", "minLength": 1, "maxLength": 255},
        "since": {**_TIME, "description": "commits from then on, UTC"},
        "until": {**_TIME, "description": "commits before then, UTC"},
        "limit": {"type": "integer", "minimum": 1, "maximum": 1000, "description": "rows at most; 100 if left out"},
        "offset": OFFSET,
    },
    "required": ["repo"],
    "additionalProperties": False,
}
_COLUMNS = ("short_hash", "commit_time", "author_name", "subject", "repo_name", "hash")
_BATCH = 150  # hashes in one query; SQLite's limit of variables there is 200


def run(context: ToolContext, arguments: Mapping[str, Any]) -> ToolOutput:
    """The commits; NotFound for a ref that the archive does not know."""
    repo = RepoName.parse(str(arguments["repo"]))
    archive, limit, offset = context.archive(), int(arguments.get("limit", 100)), int(arguments.get("offset", 0))
    archive.require(repo)
    reached: list[str] | None = None
    if "ref" in arguments or "exclude" in arguments:
        tips = [archive.resolve(repo, str(arguments.get("ref") or "HEAD")).commit]
        without = [archive.resolve(repo, str(arguments["exclude"])).commit] if "exclude" in arguments else []
        reached = ancestry.reached(context.reader(), str(repo), tips, without)
    sql, params, says = _query(str(repo), arguments, reached is not None)
    if reached is None:
        result = context.reader().query(sql, params, limit=limit, offset=offset)
        rows, more = list(result.rows), result.truncated
        total: int | str = f"more than {offset + len(rows)}" if more else offset + len(rows)
    else:
        found = _all(context, sql, params, reached)
        rows, total, more = found[offset : offset + limit], len(found), len(found) > offset + limit
    table = Table(_COLUMNS, tuple(tuple(row) for row in rows), more)
    summary: Json = {
        "repo": str(repo),
        "commits": total,
        "columns": ["commit_time", "author_name", "hash"],
        "rows": [[row[1], quarantine.cut(row[2]), row[5]] for row in table.rows[:30]],
        "rows_shown_to_person": len(table.rows),
        "more_rows_exist": table.truncated or len(table.rows) > 30,
        "columns_shown_to_person_only": ["subject"],
    } | ({"next_offset": offset + len(rows)} if more else {})
    shown = sql.replace("{marks}", f"… {len(reached or ())} commits …")
    on = {**arguments, "offset": offset + len(rows)} if more else None
    return ToolOutput(summary, table, Evidence(read_as=says, sql=shown, parameters=params), more=on)


def _all(context: ToolContext, sql: str, params: Mapping[str, Any], reached: Sequence[str]) -> list[tuple[Any, ...]]:
    """The rows of all commits that were reached, some hashes at a time, the newest first."""
    rows: list[tuple[Any, ...]] = []
    for start in range(0, len(reached), _BATCH):
        part = reached[start : start + _BATCH]
        marks = ", ".join(f":h{i}" for i in range(len(part)))
        keyed = {f"h{i}": commit for i, commit in enumerate(part)}
        rows += context.reader().query(sql.replace("{marks}", marks), {**params, **keyed}, limit=_BATCH).rows
    return sorted(rows, key=lambda row: (row[1], row[5]), reverse=True)


def _query(repo: str, arguments: Mapping[str, Any], walked: bool) -> tuple[str, dict[str, Any], str]:
    """The SELECT, its parameters and what it says; `{marks}` stands where the hashes that were reached go."""
    where, params, says = ["repo_name = :repo"], {"repo": repo}, ["commits", f"in {repo}"]
    if walked:
        where.append("hash IN ({marks})")
        says.append(f"on {arguments.get('ref', 'HEAD')}")
        says += [f"and not on {arguments['exclude']}"] if "exclude" in arguments else []
    else:
        where.append("lost = 0")
    if "author" in arguments:
        where.append("author_name = :author")
        params["author"] = str(arguments["author"])
        says.append(f"by {arguments['author']}")
    if "text" in arguments:
        words = str(arguments["text"]).split()
        params["text"] = " ".join('"' + word.replace('"', '""') + '"' for word in words)
        where.append("hash IN (SELECT s.hash FROM v_search s WHERE s.text MATCH :text)")
        says.append(f"whose message has {arguments['text']!r}")
    if "path" in arguments:
        low = str(arguments["path"]).strip("/")
        folder = str(arguments["path"]).endswith("/")
        params |= {"low": f"{low}/", "high": f"{low}0"} if folder else {"path": low}
        match = "x.path >= :low AND x.path < :high" if folder else "x.path = :path"
        where.append(
            f"hash IN (SELECT x.commit_hash FROM v_changes x WHERE x.repo_name = :repo AND {match} AND x.merge = 0)"
        )
        says.append(f"touching {arguments['path']}")
    for key, sign in (("since", ">="), ("until", "<")):
        if key in arguments:
            where.append(f"commit_time {sign} :{key}")
            params[key] = str(arguments[key])
            says.append(f"{'since' if key == 'since' else 'before'} {arguments[key]}")
    sql = (
        f"SELECT {', '.join(_COLUMNS)} FROM v_commits WHERE {' AND '.join(where)} ORDER BY commit_time DESC, hash DESC"
    )
    return sql, params, " ".join(says)


TOOL = Tool(Declaration(NAME, DESCRIPTION, PARAMETERS), run)
