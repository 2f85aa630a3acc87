"""Rights are those of the DAG that a proposal runs, and Airflow is asked as the person who asks here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import Request
from fastapi.testclient import TestClient

from agent_world import World
from pivo.chat.api import create_app
from pivo.chat.guards import NO_ROLE
from pivo.chat.host import Caller
from pivo.orchestrator import Orchestrator
from pivo.settings import Settings

TALK = "0f8fad5b-d9cb-469f-a165-70867728950e"


@dataclass
class Beside:
    """Stands for Airflow: `dags` may be triggered by everybody; `seen` are the logins and paths of its own API."""

    home: Settings
    dags: set[str] = field(default_factory=set)
    seen: list[tuple[str, str]] = field(default_factory=list)

    @property
    def authenticate(self) -> Callable[[], str]:
        return lambda: "alice"

    def settings(self) -> Settings:
        return self.home

    def caller(self, request: Request, user: Any) -> Caller:
        return Caller(user, "token of alice")

    def may_trigger(self, user: Any, dag: str) -> bool:
        return dag in self.dags

    def orchestrator(self, request: Request, caller: Caller) -> Orchestrator:
        def answer(asked: httpx.Request) -> httpx.Response:
            self.seen.append((asked.headers["authorization"], asked.url.path))
            dag = asked.url.path.split("/")[4]
            if dag not in self.dags:
                return httpx.Response(403, json={"detail": "Forbidden"})
            run = {"dag_id": dag, "dag_run_id": "run-1", "state": "queued"}
            if asked.url.path.endswith("taskInstances"):
                return httpx.Response(200, json={"task_instances": [], "total_entries": 0})
            if asked.url.path.endswith("hitlDetails"):
                return httpx.Response(404, json={})
            return httpx.Response(200, json={"dag_runs": [run], "total_entries": 1} if asked.method == "GET" else run)

        return Orchestrator("http://airflow", "", "", token=caller.token, transport=httpx.MockTransport(answer))

    def service(self, request: Request, settings: Settings) -> Orchestrator:
        raise AssertionError("nothing here is done with the installation's own login")


@pytest.fixture
def beside(world: World, kafka: str, tmp_path: Path) -> Beside:
    env = {"PIVO_HOME": str(tmp_path), "PIVO_INDEX": str(world.index), "PIVO_ARCHIVE": f"file://{world.archive}"}
    return Beside(Settings.load(env | {"PIVO_KAFKA": kafka}))


@pytest.fixture
def page(beside: Beside) -> Iterator[TestClient]:
    with TestClient(create_app(beside)) as client:
        yield client


def ask(page: TestClient, question: str) -> list[dict[str, Any]]:
    answer = page.post("/api/ask", json={"question": question, "conversation": TALK})
    return [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]


@pytest.mark.parametrize(
    ("question", "dag"), [("Take a snapshot of acme/web", "pivo_snapshot"), ("Verify acme/web", "pivo_verify")]
)
def test_each_proposal_takes_the_rights_for_its_own_dag(
    page: TestClient, beside: Beside, question: str, dag: str
) -> None:
    (made,) = [e for e in ask(page, question) if e["type"] == "proposal"]
    path, shown = f"/api/proposals/{made['id']}/confirm", {"digest": made["digest"]}
    beside.dags = {"pivo_restore", "pivo_snapshot", "pivo_verify"} - {dag}
    refused = page.post(path, json=shown)
    assert (refused.status_code, refused.json()["detail"]) == (403, NO_ROLE)
    assert page.get("/api/me").json()["why_not"] == dict.fromkeys(beside.dags, "") | {dag: NO_ROLE}
    beside.dags = {dag}
    assert page.post(path, json=shown).status_code == 200
    assert beside.seen == [("Bearer token of alice", f"/api/v2/dags/{dag}/dagRuns")]


def test_a_proposal_on_the_archive_page_takes_the_rights_for_restores(page: TestClient, beside: Beside) -> None:
    beside.dags = {"pivo_snapshot", "pivo_verify"}
    assert page.post("/api/proposals", json={"repo": "acme/web", "ref": "HEAD"}).status_code == 403


def test_how_a_run_stands_is_asked_as_the_person(page: TestClient, beside: Beside) -> None:
    beside.dags = {"pivo_verify"}
    (told,) = [e for e in ask(page, "How is the last verification run going?") if e["type"] == "tool_result"]
    assert told["ok"], told
    assert {login for login, _ in beside.seen} == {"Bearer token of alice"}
    beside.dags = set()
    (refused,) = [e for e in ask(page, "How is the last verification run going?") if e["type"] == "tool_result"]
    assert (refused["ok"], refused["error"]) == (False, "Airflow refuses: this login has no permission for that.")
