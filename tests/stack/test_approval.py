"""A second person's approval, asked for by the real Airflow: whoever began the run, nobody gets round it.

The policy is a file of the stack's own, which asks for an approval of what this test archives and of nothing else.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import yaml

from pivo.orchestrator import Approval, Orchestrator, TaskState
from pivo.settings import CHECKOUT, Settings
from restore_kit import Git
from stack_kit import Pivo

pytestmark = pytest.mark.stack
DAG = "pivo_restore"
Api = Callable[[str], httpx.Client]


@pytest.fixture(scope="module")
def policy(stack: Settings) -> Iterator[Callable[..., None]]:
    """Writes the running stack's policy; afterwards it is as it was."""
    if stack.policy.is_relative_to(CHECKOUT):
        pytest.skip("the running stack has the checkout's own policy; PIVO_POLICY names another")
    before = stack.policy.read_bytes() if stack.policy.exists() else None

    def write(*rules: dict[str, object]) -> None:
        stack.policy.write_text(yaml.safe_dump({"approval": list(rules)}))

    yield write
    stack.policy.unlink(missing_ok=True)
    if before is not None:
        stack.policy.write_bytes(before)


@pytest.fixture(scope="module")
def repo(pivo: Pivo, policy: Callable[..., None], tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A repository whose restores take an approval: its name in the archive, and its head."""
    folder = tmp_path_factory.mktemp("approval-source") / "work"
    folder.mkdir()
    git = Git(folder)
    git("init", "-q", "-b", "main")
    head = git.commit("Guard the `crown` ![](jewels)", README="mine\n")
    name = "guarded-" + hashlib.sha256(f"{os.getpid()}{time.time()}".encode()).hexdigest()[:10]
    pivo("ingest", str(folder), "--name", name)
    pivo("index")
    policy({"repositories": ["guarded-*"], "approvers": ["admin", "user", "viewer"]})
    return name, head


@pytest.fixture(scope="module")
def api(stack: Settings) -> Iterator[Api]:
    """Airflow as somebody sees it."""
    clients: dict[str, httpx.Client] = {}

    def make(who: str) -> httpx.Client:
        if who not in clients:
            login = {"username": who, "password": (stack.home / "secrets" / f"airflow-{who}").read_text().strip()}
            token = httpx.post(f"{stack.airflow_url}/auth/token", json=login, timeout=30).json()["access_token"]
            clients[who] = httpx.Client(base_url=stack.airflow_url, cookies={"_token": token}, timeout=60)
        return clients[who]

    yield make
    for client in clients.values():
        client.close()


@pytest.fixture
def airflow(stack: Settings) -> Iterator[Orchestrator]:
    with Orchestrator(stack.airflow_url, stack.airflow_user, stack.airflow_password) as client:
        yield client


def answer(api: Api, who: str, run_id: str, chosen: str = "Approve") -> httpx.Response:
    path = f"/api/v2/dags/{DAG}/dagRuns/{run_id}/taskInstances/approval/-1/hitlDetails"
    return api(who).patch(path, json={"chosen_options": [chosen], "params_input": {}})


def approval(tasks: list[TaskState]) -> str | None:
    return next((t.state for t in tasks if t.task_id == "approval"), None)


def asked(airflow: Orchestrator, run_id: str) -> Approval:
    """The question, once it is asked."""
    deadline = time.monotonic() + 90
    while approval(tasks := airflow.tasks(DAG, run_id)) != "awaiting_input":
        assert time.monotonic() < deadline, tasks
        assert approval(tasks) not in {"failed", "skipped", "success"}, airflow.failure(DAG, run_id)
        time.sleep(0.5)
    found = airflow.approval(DAG, run_id)
    assert found
    return found


def test_proposed_in_the_chat_approved_in_airflow_and_told_everywhere(
    pivo: Pivo, stack: Settings, repo: tuple[str, str], api: Api, airflow: Orchestrator
) -> None:
    name, head = repo
    page = api("user")
    wish = {"repo": name, "ref": "main", "target": f"pivo/{name}"}
    shown = page.post("/pivo/api/proposals", json=wish).json()
    assert shown["details"]["Needs"] == "the approval of admin or viewer, within 24 hours"
    path = f"/pivo/api/proposals/{shown['id']}/confirm"
    run_id = page.post(path, json={"digest": shown["digest"]}).json()["run"]["run_id"]
    assert asked(airflow, run_id) == Approval(("admin", "viewer"))
    card = {stage["name"]: stage for stage in page.get(f"/pivo/api/runs/{run_id}").json()["stages"]}
    assert (card["approval"]["state"], card["approval"]["detail"]) == ("awaiting_input", "waits for admin or viewer")
    detail = api("admin").get(f"/api/v2/dags/{DAG}/dagRuns/{run_id}/taskInstances/approval/-1/hitlDetails").json()
    for told in (f"`{name}`", f"`{head}`", "`Guard the 'crown' ![](jewels)`", f"`pivo/{name}`", "`user`"):
        assert told in detail["body"], detail["body"]
    assert answer(api, "user", run_id).status_code == 403, "nobody approves what they asked for"
    assert answer(api, "viewer", run_id).status_code == 403, "a viewer changes nothing in Airflow, named or not"
    assert answer(api, "admin", run_id).status_code == 200
    run = airflow.wait(DAG, run_id, timeout=240)
    assert run.state == "success", airflow.failure(DAG, run_id)
    card = {stage["name"]: stage for stage in page.get(f"/pivo/api/runs/{run_id}").json()["stages"]}
    assert (card["approval"]["state"], card["approval"]["detail"]) == ("success", "approved by admin")
    assert "asked for by user, approved by admin" in pivo("restore", "--report", run_id).stdout
    pivo("index")
    rows = rows_of(stack, run_id)
    assert rows["steps"]["waiting"] == "for the approval of admin or viewer, within 24 hours"
    assert rows["steps"]["approved"] == "by admin"
    assert ("admin", "approved") in rows["audit"]


def test_the_command_line_waits_and_tells_who_rejected(
    stack_env: dict[str, str], repo: tuple[str, str], api: Api, airflow: Orchestrator, tmp_path: Path
) -> None:
    """The command line triggers as admin, for whoever runs it: neither of them approves."""
    name, _ = repo
    own = {k: v for k, v in os.environ.items() if not k.startswith("PIVO_")}
    env = {**own, **stack_env, "PYTHONPATH": str(CHECKOUT / "include"), "PIVO_USER": "viewer"}
    command = [sys.executable, "-c", "from pivo.cli import main; main()", "restore", name, "main"]
    words = [*command, "--to", f"pivo/{name}-2", "--yes", "--wait"]
    latest = _latest(airflow)
    errors = tmp_path / "stderr"
    with (
        errors.open("w") as sink,
        subprocess.Popen(words, env=env, stdout=subprocess.PIPE, stderr=sink, text=True) as process,
    ):
        try:
            deadline = time.monotonic() + 60
            while (run_id := _latest(airflow)) == latest:
                assert time.monotonic() < deadline and process.poll() is None, "no run was started"
                time.sleep(0.5)
            assert asked(airflow, run_id).asked == ("user",)
            assert answer(api, "admin", run_id).status_code == 403
            while "The run waits for user: http" not in errors.read_text():
                assert time.monotonic() < deadline + 90 and process.poll() is None, errors.read_text()
                time.sleep(0.2)
            assert answer(api, "user", run_id, "Reject").status_code == 200
            out, _ = process.communicate(timeout=120)
        finally:
            if process.poll() is None:
                process.kill()
    err = errors.read_text()
    assert process.returncode == 1, err
    assert "It goes on with the approval of user, within 24 hours." in out
    assert "The approval of a second person: rejected by user" in out
    assert "user rejected the restore. Nothing was restored." in err


def test_an_answer_in_the_very_moment_is_not_asked_for_again(
    repo: tuple[str, str], stack: Settings, pivo: Pivo, api: Api, airflow: Orchestrator
) -> None:
    """Airflow gives a try up whose answer comes before its scheduler has seen the task wait; so these come as soon as
    it waits, and at some moments soon after."""
    name, _ = repo
    runs = {}
    for n, delay in enumerate((0.0, 0.3, 1.0)):
        conf = {"repo": name, "ref": "main", "target": f"pivo/{name}-at-once-{n}"}
        runs[airflow.trigger(DAG, conf, f"at-once-{n}-{name}").run_id] = delay
    with ThreadPoolExecutor(len(runs)) as pool:
        assert all(pool.map(lambda run: answered_soon(api, run[0], run[1]), runs.items()))
    for run_id in runs:
        assert airflow.wait(DAG, run_id, timeout=120).state == "failed"
        assert "user rejected the restore" in str(airflow.failure(DAG, run_id))
    pivo("index")
    for run_id in runs:
        assert sorted(rows_of(stack, run_id)["audit"]) == [("admin", "asked"), ("user", "rejected")], run_id


def answered_soon(api: Api, run_id: str, delay: float) -> bool:
    """Rejects a run so many seconds after its task waits."""
    deadline = time.monotonic() + 90
    path = f"/api/v2/dags/{DAG}/dagRuns/{run_id}/taskInstances/approval"
    while api("user").get(path).json()["state"] != "awaiting_input":
        assert time.monotonic() < deadline, "nobody was asked"
        time.sleep(0.02)
    time.sleep(delay)
    return answer(api, "user", run_id, "Reject").status_code == 200


def test_a_task_that_is_marked_as_done_by_hand_gets_nobody_round_it(
    repo: tuple[str, str], api: Api, airflow: Orchestrator
) -> None:
    """A run that was triggered through Airflow's own API, as its form does it."""
    name, _ = repo
    conf = {"repo": name, "ref": "main", "target": f"pivo/{name}-3"}
    run_id = airflow.trigger(DAG, conf, f"approval-{name}").run_id
    asked(airflow, run_id)
    path = f"/api/v2/dags/{DAG}/dagRuns/{run_id}/taskInstances/approval"
    assert api("admin").patch(path, json={"new_state": "success"}).status_code == 200
    assert airflow.wait(DAG, run_id, timeout=120).state == "failed"
    assert str(airflow.failure(DAG, run_id)).startswith("download: This restore takes the approval of a second person")


def _latest(airflow: Orchestrator) -> str:
    return airflow.latest(DAG).run_id


def rows_of(stack: Settings, run_id: str) -> dict[str, object]:
    """What the index has of a run: the details of its steps by state, and who did what of its approval."""
    from pivo.index.reader import IndexReader

    with IndexReader(stack.index) as reader:
        steps = reader.query("SELECT state, detail FROM v_restore_steps WHERE run_id = :run", {"run": run_id}).rows
        audit = reader.query(
            "SELECT who, outcome FROM v_audit WHERE action = 'approval' AND parameters ->> '$.run_id' = :run",
            {"run": run_id},
        ).rows
    return {"steps": dict(steps), "audit": [tuple(row) for row in audit]}
