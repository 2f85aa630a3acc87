"""Verification and drill as Airflow runs them: Spark reads HDFS, Kafka carries the results, the index has them."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from archive_kit import Vault
from gitmake import linear
from pivo.errors import Unavailable
from pivo.events import EventLog
from pivo.orchestrator import DagRun, Orchestrator
from pivo.settings import Settings
from pivo.store import open_store
from stack_kit import Pivo

pytestmark = pytest.mark.stack
WHOLE, BROKEN = f"verify-{os.getpid()}/whole", f"verify-{os.getpid()}/broken"


@pytest.fixture(scope="module")
def damaged(stack: Settings, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two repositories of two snapshots in HDFS, announced; one byte of one pack of the second is another one. The
    path of that pack."""
    folder = tmp_path_factory.mktemp("verify")
    vault, source = Vault(folder / "vault"), linear(folder / "source.git", 30)
    for name in (WHOLE, BROKEN):
        vault.ingest(source, name)
    source.commit("main", 40)
    for name in (WHOLE, BROKEN):
        vault.ingest(source, name)
    bad = ""
    remote = open_store(stack.archive, stack.archive_writer)
    for path in sorted(p for p in (folder / "vault" / "archive").rglob("*") if p.is_file()):
        name = str(path.relative_to(folder / "vault" / "archive"))
        data = bytearray(path.read_bytes())
        if name.startswith(f"{BROKEN}/000001") and name.endswith(".packidx"):
            data[len(data) // 3] ^= 1
            bad = name
        remote.write(name, [bytes(data)])
    with EventLog(stack.kafka) as log:
        for told in vault.events.sent:
            log.announce(
                told.manifest, told.commits, told.updates, f"/backups/{told.manifest.repo}/{told.manifest.dirname}"
            )
    assert bad
    return bad


def run(stack: Settings, dag: str, conf: dict[str, object]) -> tuple[DagRun, str | None]:
    """A run of a DAG from its start to its end, and why it failed."""
    with Orchestrator(stack.airflow_url, stack.airflow_user, stack.airflow_password) as airflow:
        done = airflow.wait(dag, airflow.trigger(dag, conf).run_id, timeout=300)
        return done, airflow.failure(dag, done.run_id)


def test_a_deep_run_records_the_whole_and_names_the_broken(stack: Settings, damaged: str, pivo: Pivo) -> None:
    earlier = set(stack.staging.iterdir()) if stack.staging.is_dir() else set()
    done, said = run(stack, "pivo_verify", {"repos": [WHOLE, BROKEN], "deep": True})
    assert done.state == "failed"
    assert said and damaged in said and "has other bytes than its manifest says" in said
    pivo("index")
    from pivo.index.reader import IndexReader

    with IndexReader(stack.index) as reader:
        rows = reader.query(
            "SELECT repo_name, mode, ok, snapshots, objects > 90 FROM v_verifications WHERE run_id = ? ORDER BY ok",
            [done.run_id],
        ).rows
        assert [row[:4] for row in rows] == [(BROKEN, "deep", 0, 2), (WHOLE, "deep", 1, 2)]
        found = reader.query("SELECT repo_name || '/' || snapshot || '/' || file FROM v_findings WHERE kind = 'bytes'")
        assert (damaged,) in found.rows
        verdict = reader.query("SELECT repo_name, verified_ok FROM v_repos WHERE repo_name IN (?, ?)", [WHOLE, BROKEN])
        assert dict(verdict.rows) == {WHOLE: 1, BROKEN: 0}
    assert {p for p in stack.staging.iterdir() if p.name != "ingest"} <= earlier


def test_tasks_that_a_person_clears_after_the_end_look_again(stack: Settings, damaged: str) -> None:
    done, said = run(stack, "pivo_verify", {"repos": [WHOLE], "deep": False})
    assert done.state == "success", said
    with Orchestrator(stack.airflow_url, stack.airflow_user, stack.airflow_password) as airflow:

        def cleared(*tasks: str, downstream: bool) -> DagRun:
            """As the button in Airflow does it."""
            asked = {"dag_run_id": done.run_id, "task_ids": tasks, "include_downstream": downstream}
            body = asked | {"dry_run": False, "only_failed": False, "reset_dag_runs": True}
            for wait in (1, 2, 4, None):  # Airflow's SQLite may be locked for a moment: then a person clicks again
                try:
                    airflow._send("POST", "/api/v2/dags/pivo_verify/clearTaskInstances", body)
                    break
                except Unavailable as err:
                    if wait is None or " answered 500" not in err.what:
                        raise
                    time.sleep(wait)
            return airflow.wait("pivo_verify", done.run_id, timeout=300)

        assert cleared("verify", downstream=True).state == "success", airflow.failure("pivo_verify", done.run_id)
        tries = {task.task_id: task.try_number for task in airflow.tasks("pivo_verify", done.run_id)}
        assert (tries["plan"], tries["verify"], tries["report"]) == (1, 2, 2)
        assert cleared("report", downstream=False).state == "failed"
        assert "is on record, and its files are put away" in (airflow.failure("pivo_verify", done.run_id) or "")


def test_the_command_finds_the_same(damaged: str, pivo: Pivo) -> None:
    assert json.loads(pivo("verify", WHOLE, "--deep", "--json").stdout)[0]["ok"]
    (told,) = json.loads(pivo("verify", BROKEN, "--json", code=1).stdout)
    assert [f"{f['repo']}/{f['snapshot']}/{f['file']}" for f in told["findings"]] == [damaged]


def test_a_drill_restores_to_the_forge_and_is_recorded(stack: Settings, damaged: str, pivo: Pivo) -> None:
    done, said = run(stack, "pivo_drill", {"repos": [WHOLE], "owner": "drills"})
    assert done.state == "success", said
    pivo("index")
    from pivo.index.reader import IndexReader

    with IndexReader(stack.index) as reader:
        sql = "SELECT repo_name, mode, ok, detail FROM v_verifications WHERE run_id = ?"
        ((repo, mode, ok, detail),) = reader.query(sql, [done.run_id]).rows
    assert (repo, mode, ok) == (WHOLE, "drill", 1)
    assert "/drills/drill-verify-" in detail and detail.endswith("objects the same")
    assert Path(stack.staging).is_dir()
