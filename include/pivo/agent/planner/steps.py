"""The tool calls that answer a frame: one query, or what has to be looked up before the last call can be made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pivo.agent.messages import ToolAnswer
from pivo.agent.planner import sql
from pivo.agent.planner.frames import Frame
from pivo.agent.planner.reading import Reading
from pivo.agent.planner.sql.select import stamp
from pivo.agent.views import Table

Arguments = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """One tool call. `arguments` is worked out from the answers so far; None ends the plan there."""

    tool: str
    arguments: Callable[[Sequence[ToolAnswer]], Arguments | None]


def call(tool: str, arguments: Arguments) -> Step:
    """A call whose arguments are known beforehand."""
    return Step(tool, lambda _: arguments)


NEED_REPO = frozenset({"read_file", "list_files", "diff", "diff_period", "diff_commit", "diff_last_two", "diff_last",
                       "tip", "log", "count_log"})  # fmt: skip
"""Kinds that mean nothing without one repository."""

_DID = {"ADDED": "add", "DELETED": "delete"}
_DAGS = {
    "RESTORE": "pivo_restore",
    "SNAPSHOT": "pivo_snapshot",
    "VERIFY": "pivo_verify",
    "DRILL": "pivo_drill",
    "INDEX": "pivo_index",
}


def steps(frame: Frame, reading: Reading) -> tuple[Step, ...]:
    """The calls, in order; none for a question that needs no looking up."""
    if frame.kind == "help":
        return ()
    if frame.kind in sql.QUERIES:
        return (call("query_metadata", {"question": reading.question}),)
    return _TOOLS[frame.kind](reading)


def hashes(answers: Sequence[ToolAnswer]) -> list[str]:
    """The commits in the rows of the first answer."""
    view = answers[0].view
    return [str(row.get("hash") or row["commit_hash"]) for row in view.records()] if isinstance(view, Table) else []


def _read_file(reading: Reading) -> tuple[Step, ...]:
    arguments: Arguments = {"repo": reading.repo, "path": reading.path.path.rstrip("/") if reading.path else ""}
    if reading.ends:
        arguments["ref"] = reading.ends[0]
    return (call("read_file", arguments),)


def _diff(reading: Reading) -> tuple[Step, ...]:
    ends = list(reading.ends)
    if reading.period and reading.period.start and reading.period.end and not ends:
        ends = [f"@{reading.period.start:%Y-%m-%dT%H:%M}", f"@{reading.period.end:%Y-%m-%dT%H:%M}"]
    sides = {"old": ends[0], "new": ends[1]} if len(ends) == 2 else {"new": ends[0]}
    return (call("get_file_diff", {"repo": reading.repo, **sides, **_path(reading)}),)


def _diff_last(count: int) -> Callable[[Reading], tuple[Step, ...]]:
    def build(reading: Reading) -> tuple[Step, ...]:
        touching = f' touching file "{reading.path.path}"' if reading.path else ""
        by = f' by "{reading.people[0]}"' if reading.people else ""
        which = "last commit" if count == 1 else f"last {count} commits"
        first = f'{which}{touching}{by} in repository "{reading.repo}"'

        def compare(answers: Sequence[ToolAnswer]) -> Arguments | None:
            found = hashes(answers)
            if len(found) < count:
                return None
            sides = {"new": found[0]} if count == 1 else {"old": found[1], "new": found[0]}
            return {"repo": reading.repo, **sides, **_path(reading)}

        return call("query_metadata", {"question": first}), Step("get_file_diff", compare)

    return build


def _files_of_last(reading: Reading) -> tuple[Step, ...]:
    """The last commit is looked up, and then its files."""
    by = "".join(f' by "{name}"' for name in reading.people[:1])
    place = f' in repository "{reading.repo}"' if reading.repo else ""
    verb = next((verb for concept, verb in _DID.items() if concept in reading.concepts), "change")

    def files(answers: Sequence[ToolAnswer]) -> Arguments | None:
        found = hashes(answers)
        return {"question": f"which files did commit {found[0]} {verb}{place}"} if found else None

    return call("query_metadata", {"question": f"last commit{by}{place}"}), Step("query_metadata", files)


def _log(reading: Reading) -> tuple[Step, ...]:
    """Commits that a ref reaches, and another does not: what git calls `main..dev`."""
    excluded = reading.without.get("ref", [])
    refs = [end for end in reading.ends if not end.startswith("@")]
    arguments: Arguments = {"repo": reading.repo, "ref": refs[-1]}
    if excluded or len(refs) == 2:
        arguments["exclude"] = excluded[0] if excluded else refs[0]
    if reading.people:
        arguments["author"] = reading.people[0]
    if reading.path:
        arguments["path"] = reading.path.path
    if reading.text:
        arguments["text"] = reading.text
    if reading.period and reading.period.start:
        arguments["since"] = stamp(reading.period.start)
    if reading.period and reading.period.end:
        arguments["until"] = stamp(reading.period.end)
    if reading.number or "LAST" in reading.concepts:
        arguments["limit"] = reading.number or 10
    return (call("search_history", arguments),)


def _run_status(reading: Reading) -> tuple[Step, ...]:
    if reading.run:
        return (call("dag_run_status", {"run_id": reading.run}),)
    dags = [dag for concept, dag in _DAGS.items() if concept in reading.concepts]
    return (call("dag_run_status", {"dag": dags[-1]}),)


def _path(reading: Reading) -> dict[str, str]:
    return {"path": reading.path.path.rstrip("/")} if reading.path else {}


_TOOLS: dict[str, Callable[[Reading], tuple[Step, ...]]] = {
    "read_file": _read_file,
    "list_files": _read_file,
    "diff": _diff,
    "diff_period": _diff,
    "diff_commit": _diff,
    "diff_last": _diff_last(1),
    "diff_last_two": _diff_last(2),
    "files_of_last": _files_of_last,
    "log": _log,
    "count_log": _log,
    "run_status": _run_status,
}
