"""An answer held against a gold one: result sets by their columns, tool calls by what their arguments resolve to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.questions.world import World
from pivo.agent.events import Refusal, ToolResult
from pivo.agent.views import Diff, Table
from pivo.snapshot.archive import Archive

_ALIASES = {"hash": ("hash", "commit_hash"), "commit_hash": ("commit_hash", "hash")}


@dataclass(frozen=True)
class Answer:
    """What came of a question; `arguments` are those of the tool calls, by the calls' ids."""

    refusal: Refusal | None = None
    results: tuple[ToolResult, ...] = ()
    arguments: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def refused(self) -> bool:
        """Nothing was answered: the brain refused, or a tool said that there is no such thing."""
        return self.refusal is not None or not self.results or not self.results[-1].ok

    @property
    def why(self) -> str:
        if self.refusal is not None:
            return f"{self.refusal.reason} understood {self.refusal.understood}, not {self.refusal.unclear}"
        return str(self.results[-1].summary) if self.results else "only words"

    @property
    def told(self) -> str:
        last = self.results[-1]
        return f"{last.name} {dict(self.arguments[last.id])} {last.evidence.read_as}"


def compare(item: Mapping[str, Any], answer: Answer, world: World, archive: Archive) -> str:
    """What is wrong with `answer`; empty when it is right."""
    last = answer.results[-1]
    arguments = answer.arguments[last.id]
    if "sql" in item:
        return _rows(item, last, world)
    if "log" in item:
        wanted = [world.marks[mark] for mark in item["is"]]
        return _differ(wanted, [row.get("hash") for row in last.view.records()] if isinstance(last.view, Table) else [])
    if "read" in item:
        told = item["read"]
        found = (last.name, arguments.get("repo"), str(arguments.get("path")).strip("/"), last.summary.get("commit"))
        return _differ(("read_file", told["repo"], told["path"], world.marks[told["commit"]]), found)
    if "diff" in item:
        told = item["diff"]
        sides = (last.view.old, last.view.new) if isinstance(last.view, Diff) else (last.name, "")
        found = (arguments.get("repo"), arguments.get("path"), *sides)
        return _differ((told["repo"], told.get("path"), world.marks[told["old"]], world.marks[told["new"]]), found)
    if "restore" in item:
        return _restore(item["restore"], last.name, arguments, world, archive)
    wanted = dict(item["call"])
    return _differ(wanted, {"tool": last.name, **_named(arguments, wanted)})


def expected(item: Mapping[str, Any], world: World) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """The rows of the gold query and those that were written down, to be held against each other."""
    queried = world.gold(str(item["sql"]).format(**world.marks))
    told = [tuple(row) if isinstance(row, list) else (row,) for row in item["is"]]
    told = [tuple(world.marks.get(v, v) if isinstance(v, str) else str(v) if _is_date(v) else v for v in row)
            for row in told]  # fmt: skip
    if item.get("skip_zero"):
        told = [row for row in told if row[-1] != 0]
    return queried, told


def same(item: Mapping[str, Any], queried: list[tuple[Any, ...]], told: list[tuple[Any, ...]]) -> bool:
    """Whether both looks saw the same rows; null in what was written down stands for a value that depends on the
    archive's format, unless the item says that it means nothing (`exact_null`)."""
    if len(queried) != len(told):
        return False
    if not item.get("ordered"):
        queried, told = sorted(queried, key=repr), sorted(told, key=repr)
    free = not item.get("exact_null")
    return all(
        a == b or (free and b is None) for x, y in zip(queried, told, strict=True) for a, b in zip(x, y, strict=True)
    )


def _rows(item: Mapping[str, Any], last: ToolResult, world: World) -> str:
    if not isinstance(last.view, Table):
        return f"{last.name} gave no table"
    wanted = world.gold(str(item["sql"]).format(**world.marks))
    names = columns(item)
    positions = []
    for name in names:
        found = [last.view.columns.index(a) for a in _ALIASES.get(name, (name,)) if a in last.view.columns]
        if not found:
            return f"no column {name} in {last.view.columns} ({last.evidence.read_as})"
        positions.append(found[0])
    given = [tuple(row[p] for p in positions) for row in last.view.rows]
    if not item.get("ordered"):
        wanted, given = sorted(wanted, key=repr), sorted(given, key=repr)
        if item.get("set", True):
            wanted, given = sorted(set(wanted), key=repr), sorted(set(given), key=repr)
    return "" if wanted == given else f"{_marked(given, world)} for {_marked(wanted, world)} ({last.evidence.read_as})"


def columns(item: Mapping[str, Any]) -> list[str]:
    """The names of the gold query's columns."""
    head = str(item["sql"]).split(" FROM ")[0].removeprefix("SELECT ").removeprefix("DISTINCT ")
    parts, depth = [""], 0
    for char in head:
        depth += (char == "(") - (char == ")")
        if char == "," and not depth:
            parts.append("")
        else:
            parts[-1] += char
    return [p.strip().rpartition(" AS ")[2].strip().rpartition(".")[2] for p in parts]


def _restore(told: Mapping[str, Any], tool: str, given: Mapping[str, Any], world: World, archive: Archive) -> str:
    repos = list(given.get("repos") or [given.get("repo")])
    wanted: list[Any] = ["restore_repo", sorted(told["repos"]), told.get("target")]
    found: list[Any] = [tool, sorted(map(str, repos)), given.get("target")]
    if tool != "restore_repo":
        return _differ(wanted, found)
    if "commit" in told:
        wanted.append(world.marks[told["commit"]])
        found.append(archive.resolve(repos[0], str(given["ref"])).commit)
    else:
        wanted.append(told["ref"])
        found.append(given["ref"])
    return _differ(wanted, found)


def _named(arguments: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that the gold names, and those that it does not."""
    return {k: v for k, v in arguments.items() if k in wanted or v} | {
        k: arguments.get(k, False) for k in wanted if k != "tool"
    }


def _differ(wanted: Any, found: Any) -> str:
    return "" if wanted == found else f"{found} for {wanted}"


def _marked(rows: Sequence[tuple[Any, ...]], world: World) -> list[Any]:
    names = {full: mark for mark, full in world.marks.items()}
    shown = [tuple(names.get(v, v) for v in row) for row in rows[:12]]
    return [row[0] if len(row) == 1 else row for row in shown]


def _is_date(value: Any) -> bool:
    return hasattr(value, "isoformat")
