"""What the turn before was about: what its question named, and what its answer found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pivo.agent.messages import ToolAnswer
from pivo.agent.planner.reading import Reading
from pivo.agent.planner.words import joined

if TYPE_CHECKING:
    from pivo.agent.planner import Plan

_COLUMNS = {"commit": ("hash", "commit_hash"), "person": ("author_name",), "repo": ("repo_name",), "path": ("path",)}
"""The columns of an answer that hold a name of each kind."""


_RANKED = frozenset({"contributors", "files_most", "file_sizes", "repos_ranked", "repos_by_commits", "repos_by_size"})
"""Kinds whose first row is what was asked for, where the most or the least was."""


@dataclass(frozen=True)
class Turn:
    """An earlier question and the answers of the tools to it; none when it was refused."""

    question: str
    answers: tuple[ToolAnswer, ...] = ()


@dataclass
class Said:
    """What the turn before named (by kind) or found, and its question as it was planned."""

    question: str
    plan: Plan
    named: dict[str, list[str]] = field(default_factory=dict)
    found: dict[str, list[str]] = field(default_factory=dict)

    def one(self, kind: str) -> str | None:
        """The only thing of that kind, named or else found; None when there is none or more than one."""
        names = self.named.get(kind) or self.found.get(kind) or []
        return names[0] if len(names) == 1 else None


def named(said: Said, reading: Reading) -> None:
    """Notes what the question named."""
    repos = [*reading.repos] or [*said.plan.reading.repos]
    said.named = {
        "repo": repos,
        "person": [*reading.people],
        "path": [p.path for p in reading.paths],
        "commit": [*reading.commits],
        "ref": [r.name.rpartition("/")[2] if r.name.count("/") == 2 else r.name for r in reading.refs],
    }
    spans = reading.spans.get("period", [])
    said.named["period"] = [joined(reading.words[a:b]) for a, b in spans]


def findings(said: Said, answers: Sequence[ToolAnswer]) -> None:
    """The commit, person and repository of an answer that has one row, or that showed one commit."""
    last = answers[-1].content
    columns, rows = last.get("columns"), last.get("rows")
    if isinstance(columns, list) and isinstance(rows, list):
        first = said.plan.frame in _RANKED and said.plan.reading.concepts & {"MOST", "LEAST", "BIGGEST", "SMALLEST"}
        if (rows and first) or (len(rows) == 1 and not last.get("more_rows_exist")):
            row = dict(zip(columns, rows[0], strict=False))
            snapshot = "hdfs_path" in row or "last_snapshot_path" in row
            for kind, names in _COLUMNS.items():
                # the head of a snapshot is not what was asked for
                wanted = names[:1] if snapshot else names
                value = next((row[n] for n in wanted if isinstance(row.get(n), str)), None)
                if value:
                    said.found[kind] = [value]
        return
    commit: Any = last.get("new") if last.get("old") is None or said.plan.frame.startswith("diff_") else None
    if isinstance(commit, str):
        said.found["commit"] = [commit]


def phrase(kind: str, name: str, said: Said) -> str:
    """A name as a question says it, so that it is read as what it is."""
    repo = said.one("repo")
    inside = f' in repository "{repo}"' if repo and kind in {"path", "ref", "commit"} else ""
    match kind:
        case "path":
            return f'file "{name}"{inside}'
        case "commit":
            return f"commit {name}{inside}"
        case "ref":
            return f'branch "{name}"{inside}'
        case "repo":
            return f'repository "{name}"'
        case "person":
            return f'"{name}"'
    return name
