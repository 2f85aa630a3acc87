"""The DAG files parse, in a process of their own, and are what the chat, the CLI and the schedule rely on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

_PARSE = """
import json, sys
from airflow.dag_processing.dagbag import DagBag

bag = DagBag(sys.argv[1])
print("DAGS " + json.dumps({
    "errors": bag.import_errors,
    "dags": {
        dag.dag_id: {
            "tasks": {
                t.task_id: {
                    "pool": t.pool, "down": sorted(t.downstream_task_ids), "retries": t.retries,
                    "teardown": t.is_teardown, "rule": t.trigger_rule,
                }
                for t in dag.tasks
            },
            "params": sorted(dag.params),
            "catchup": dag.catchup,
            "doc": bool(dag.doc_md),
            "max_active_runs": dag.max_active_runs,
        }
        for dag in bag.dags.values()
    },
}))
"""


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> dict:
    home = tmp_path_factory.mktemp("airflow")
    env = {
        **os.environ,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PYTHONPATH": str(ROOT / "include"),
    }
    done = subprocess.run(
        [sys.executable, "-c", _PARSE, str(ROOT / "dags")], env=env, capture_output=True, text=True, timeout=180
    )
    rows = [r for r in done.stdout.splitlines() if r.startswith("DAGS ")]
    assert rows, done.stderr[-3000:]
    return json.loads(rows[-1][5:])


def test_no_dag_file_fails_to_parse(parsed: dict) -> None:
    assert parsed["errors"] == {}
    assert {"pivo_snapshot", "pivo_index", "pivo_restore"} <= set(parsed["dags"])


def test_every_dag_documents_itself_and_never_catches_up(parsed: dict) -> None:
    for dag_id, dag in parsed["dags"].items():
        assert dag["doc"], dag_id
        assert not dag["catchup"], dag_id


def test_a_night_asks_forges_only_within_its_pool(parsed: dict) -> None:
    dag = parsed["dags"]["pivo_snapshot"]
    assert dag["tasks"]["snapshot"]["pool"] == "pivo_fetch"
    assert dag["params"] == ["repos"]


def test_a_verification_reports_each_repository_and_cleans_up(parsed: dict) -> None:
    dag = parsed["dags"]["pivo_verify"]
    for before, after in pairwise(["plan", "verify", "report", "clean"]):
        assert after in dag["tasks"][before]["down"], (before, after)
    assert dag["tasks"]["clean"]["teardown"]
    assert dag["params"] == ["deep", "repos", "share"]
    assert dag["max_active_runs"] == 1


def test_a_drill_pushes_within_the_pool_of_restores(parsed: dict) -> None:
    dag = parsed["dags"]["pivo_drill"]
    assert dag["tasks"]["drill"]["pool"] == "pivo_push"
    assert dag["params"] == ["owner", "repos"]


def test_only_one_drain_writes_the_index(parsed: dict) -> None:
    dag = parsed["dags"]["pivo_index"]
    assert dag["max_active_runs"] == 1
    assert {t["pool"] for t in dag["tasks"].values()} == {"pivo_index"}


def test_a_restore_runs_its_stages_in_order_and_cleans_up(parsed: dict) -> None:
    tasks = parsed["dags"]["pivo_restore"]["tasks"]
    order = ["validate", "approval", "download", "reconstruct", "push"]
    for before, after in pairwise(order):
        assert after in tasks[before]["down"], (before, after)
    assert tasks["report"]["teardown"]
    assert tasks["download"]["rule"] == "none_failed", "goes on where nobody had to approve"
    assert tasks["push"]["pool"] == "pivo_push"
    assert {"repo", "ref", "target", "commit", "requested_by"} <= set(parsed["dags"]["pivo_restore"]["params"])


def test_dag_files_stay_thin() -> None:
    for file in (ROOT / "dags").glob("*.py"):
        assert len(file.read_text().splitlines()) <= 140, file
