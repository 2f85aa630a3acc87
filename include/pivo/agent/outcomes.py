"""What came of the run of a proposal, repository by repository, with the evidence for it: as its tasks told Airflow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pivo.agent import answers
from pivo.agent.events import Evidence
from pivo.agent.nouns import plural
from pivo.models import Json
from pivo.orchestrator import Orchestrator, TaskState

MOST = 20
"""Repositories of a run that are told."""

_TELLS = {"pivo_snapshot": "snapshot", "pivo_verify": "report"}
"""The mapped task whose instances tell what came of one repository each; of a restore its report does."""


@dataclass(frozen=True)
class Outcome:
    """`text` says what came of `repo`; `address` is where a restored one is."""

    repo: str
    text: str
    evidence: Evidence
    address: str = ""

    @property
    def words(self) -> str:
        """For people: `restored to https://…: 8 commits, 2 refs`."""
        return f"restored to {self.address}: {self.text}" if self.address else self.text

    def to_json(self) -> Json:
        return {"repo": self.repo, "text": self.text, "evidence": asdict(self.evidence)}


def outcomes(
    airflow: Orchestrator, archive: str, dag: str, run_id: str, tasks: Sequence[TaskState]
) -> tuple[Outcome, ...]:
    """The outcomes of a run that has ended, of at most MOST repositories; `archive` is the archive's address.

    What failed left nothing here: Airflow's log, or the report of a restore, says why.
    """
    run = f"{dag} {run_id}"
    if dag == "pivo_restore":
        told = airflow.result(dag, run_id, "report") or {}
        rows = [row for row in told.get("repositories", ())[:MOST] if row.get("url") and not row.get("failure")]
        return tuple(_restored(row, archive, run) for row in rows)
    name = _TELLS.get(dag, "")
    done = [t.map_index for t in tasks if t.task_id == name and t.state == "success"][:MOST]
    found = [row for index in sorted(done) if isinstance(row := airflow.result(dag, run_id, name, index), dict)]
    return tuple((_archived if dag == "pivo_snapshot" else _verified)(row, archive, run) for row in found)


def _restored(row: dict[str, Any], archive: str, run: str) -> Outcome:
    text = f"{_count(row['commits'], 'commit')}, {_count(row['refs'], 'ref')}"
    place = f"{archive}/{row['repo']}/{row['snapshot']}"
    found = Evidence(snapshot=row["snapshot"], hdfs_path=place, commit=row["commit"], run=run)
    return Outcome(row["repo"], text, found, row["url"])


def _archived(row: dict[str, Any], archive: str, run: str) -> Outcome:
    text = "nothing new"
    if row["outcome"] == "published":
        text = f"{_count(row['commits'], 'new commit')}, {answers.size(row['bytes'])}"
    place = f"{archive}/{row['repo']}/{row['snapshot']}"
    return Outcome(row["repo"], text, Evidence(snapshot=row["snapshot"], hdfs_path=place, commit=row["head"], run=run))


def _verified(row: dict[str, Any], archive: str, run: str) -> Outcome:
    objects = f", {_count(row['objects'], 'object')}" if row.get("objects") else ""
    snapshots, files = _count(row["snapshots"], "snapshot"), _count(row["files"], "file")
    read = f"{snapshots}, {files}, {answers.size(row['bytes'])}{objects}"
    place = f"{archive}/{row['repo']}"
    return Outcome(row["repo"], f"{read}: all as it was", Evidence(hdfs_path=place, run=run))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {plural(noun, number)}"
