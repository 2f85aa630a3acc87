"""What came of a run is told with its evidence, as the run's own tasks told it."""

from __future__ import annotations

from typing import Any

import pytest

from agent_world import NOW
from pivo.agent.outcomes import MOST, outcomes
from pivo.orchestrator import TaskState

ARCHIVE = "webhdfs://archive:9870/backups"
SNAPSHOT = {"repo": "acme/web", "outcome": "published", "snapshot": "000002-bbbbbbbbbbbb", "head": "b" * 40,
            "commits": 3, "bytes": 1500}  # fmt: skip
VERIFIED = {"repo": "acme/web", "mode": "deep", "snapshots": 2, "files": 4, "bytes": 9000, "objects": 12, "findings": 0}
RESTORED = {"repo": "acme/web", "snapshot": "000001-aaaaaaaaaaaa", "commit": "a" * 40, "commits": 8, "refs": 2,
            "url": "https://forge/dr/web", "failure": ""}  # fmt: skip


class Airflow:
    """An Orchestrator's XComs, by task and map index."""

    def __init__(self, **told: Any) -> None:
        self.told = told

    def result(self, dag: str, run_id: str, task: str, index: int = -1) -> Any:
        found = self.told.get(task)
        return found[index] if isinstance(found, list) else found


def tasks(name: str, *states: str | None) -> list[TaskState]:
    return [TaskState(name, n, state, 1, NOW, NOW) for n, state in enumerate(states)]


@pytest.mark.parametrize(
    ("dag", "airflow", "states", "text", "snapshot", "path"),
    [
        (
            "pivo_snapshot", Airflow(snapshot=[SNAPSHOT]), tasks("snapshot", "success"),
            "3 new commits, 1.5 kB", "000002-bbbbbbbbbbbb", f"{ARCHIVE}/acme/web/000002-bbbbbbbbbbbb",
        ),
        (
            "pivo_snapshot", Airflow(snapshot=[SNAPSHOT | {"outcome": "unchanged"}]), tasks("snapshot", "success"),
            "nothing new", "000002-bbbbbbbbbbbb", f"{ARCHIVE}/acme/web/000002-bbbbbbbbbbbb",
        ),
        (
            "pivo_verify", Airflow(report=[VERIFIED]), tasks("report", "success"),
            "2 snapshots, 4 files, 9.0 kB, 12 objects: all as it was", "", f"{ARCHIVE}/acme/web",
        ),
        (
            "pivo_restore", Airflow(report={"repositories": [RESTORED]}), [],
            "8 commits, 2 refs", "000001-aaaaaaaaaaaa",
            f"{ARCHIVE}/acme/web/000001-aaaaaaaaaaaa",
        ),
    ],
)  # fmt: skip
def test_an_outcome_and_its_evidence(dag, airflow, states, text: str, snapshot: str, path: str) -> None:
    (found,) = outcomes(airflow, ARCHIVE, dag, "run-1", states)
    assert (found.repo, found.text) == ("acme/web", text)
    assert (found.evidence.snapshot, found.evidence.hdfs_path) == (snapshot, path)
    assert found.evidence.run == f"{dag} run-1"
    address = "restored to https://forge/dr/web: " if dag == "pivo_restore" else ""
    assert found.words == address + text


def test_what_failed_is_not_told_as_done() -> None:
    failed = Airflow(report={"repositories": [RESTORED | {"failure": "the target has commits"}]})
    assert outcomes(failed, ARCHIVE, "pivo_restore", "run-1", []) == ()
    assert outcomes(Airflow(), ARCHIVE, "pivo_restore", "run-1", []) == ()
    many = [SNAPSHOT | {"repo": f"r{n}"} for n in range(30)]
    found = outcomes(
        Airflow(snapshot=many), ARCHIVE, "pivo_snapshot", "run-1", tasks("snapshot", "failed", *["success"] * 29)
    )
    assert [o.repo for o in found] == [f"r{n}" for n in range(1, MOST + 1)]
