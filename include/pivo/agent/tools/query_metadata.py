"""query_metadata: a question about the history, answered by one guarded SELECT over the index's views."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pivo.agent import quarantine
from pivo.agent.brain import Declaration, Query
from pivo.agent.events import Evidence
from pivo.agent.pages import Pages
from pivo.agent.tools.base import OFFSET, Tool, ToolContext, ToolOutput
from pivo.agent.views import Table
from pivo.errors import PivoError
from pivo.models import Json
from pivo.trace import trace

NAME = "query_metadata"
DESCRIPTION = (
    "Answers a question about repositories, commits, people, paths, branches, tags, snapshots and restores from the "
    "index, with one SQL query that is written for it. Ask one self-contained question in plain English, with "
    "repository names, full paths and absolute dates. The person sees the rows; free text such as commit subjects "
    "is shown to the person only."
)
PARAMETERS: Json = {
    "type": "object",
    "properties": {
        "question": {"type": "string", "minLength": 1, "maxLength": 1000},
        "limit": {"type": "integer", "minimum": 1, "maximum": 1000, "description": "rows at most; 100 if left out"},
        "offset": OFFSET,
        "query": {
            "type": "string",
            "pattern": "^[A-Za-z0-9_-]{12}$",
            "description": "to go on: the `query` of the answer before, whose SQL runs again as it was",
        },
    },
    "required": ["question"],
    "additionalProperties": False,
}

REPAIRS = 2
"""How often an error goes back to the writer of the SQL."""

_MODEL_ROWS = 30


def run(context: ToolContext, arguments: Mapping[str, Any]) -> ToolOutput:
    """The rows of the question; the last error of the database if no try worked."""
    question = str(arguments["question"])
    offset, key = int(arguments.get("offset", 0)), str(arguments.get("query", ""))
    pages = Pages(context.settings.home / "agent")
    kept = pages.find(context.who, key) if key else None
    log = context.settings.trace_log
    failed: list[tuple[str, str]] = []
    while True:
        query = kept or _written(context, question, failed)
        trace(log, "METADATA-SVC", "SQL", shown(query))
        try:
            limit = int(arguments.get("limit", query.page or 100))
            if query.page:
                query = replace(query, parameters={**query.parameters, "n": offset + limit + 1})
            result = context.reader().query(query.sql, query.parameters, limit=limit, offset=offset)
            break
        except PivoError as err:
            trace(log, "METADATA-SVC", "RES", f"refused: {err}")
            failed.append((query.sql, str(err)))
            # The offline planner would write the same again; a model may learn from the error.
            if kept or len(failed) > REPAIRS or failed[-1] in failed[:-1]:
                raise
    trace(log, "METADATA-SVC", "RES", f"{len(result.rows)} rows in {result.elapsed * 1000:.0f} ms{_first(result.rows)}")
    table = Table(tuple(result.columns), tuple(tuple(row) for row in result.rows), result.truncated)
    evidence = Evidence(read_as=query.read_as, sql=query.sql, parameters=query.parameters)
    evidence = replace(evidence, **_origin(table))
    summary, more = summarise(table, query), None
    if table.truncated:
        on = {"offset": offset + len(table.rows), "query": key or pages.keep(context.who, query)}
        summary |= {"next_offset": on["offset"], "query": on["query"]}
        more = {**arguments, **on}
    return ToolOutput(summary, table, evidence, more=more)


def _written(context: ToolContext, question: str, failed: list[tuple[str, str]]) -> Query:
    assert context.writer is not None  # the toolbox was given a mind
    return context.writer.write(question, failed)


def summarise(table: Table, query: Query) -> Json:
    """What a model gets: at most 30 rows, what is made of free text left out, long values cut."""
    hidden = quarantine.private(query.sql, table.columns, table.rows)
    kept = [i for i in range(len(table.columns)) if i not in hidden]
    rows = [[quarantine.cut(row[i]) for i in kept] for row in table.rows[:_MODEL_ROWS]]
    return {
        "sql": query.sql,
        "columns": [table.columns[i] for i in kept],
        "rows": rows,
        "rows_shown_to_person": len(table.rows),
        "more_rows_exist": table.truncated or len(table.rows) > _MODEL_ROWS,
        "columns_shown_to_person_only": [table.columns[i] for i in sorted(hidden)],
    }


def shown(query: Query) -> str:
    """The SQL with its parameters beside it, for people and logs."""
    values = ", ".join(f":{key} = {value!r}" for key, value in query.parameters.items())
    return f"{query.sql} -- {values}" if values else query.sql


def _first(rows: Any) -> str:
    return f"; first: {' | '.join(str(v)[:80] for v in rows[0])}" if rows else ""


def _origin(table: Table) -> dict[str, Any]:
    """The snapshot's place and the commit, when the answer is about one."""
    if len(table.rows) != 1:
        return {}
    record = table.records()[0]
    found = {"hdfs_path": record.get("hdfs_path"), "commit": record.get("hash") or record.get("commit_hash")}
    return {key: str(value) for key, value in found.items() if value}


TOOL = Tool(Declaration(NAME, DESCRIPTION, PARAMETERS), run)
