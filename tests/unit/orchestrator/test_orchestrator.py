"""The client of Airflow's REST API against answers as Airflow 3 gives them."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest

from pivo.errors import NotFound, PivoError, StackError, Unavailable, UsageError
from pivo.orchestrator import Orchestrator

Handler = Callable[[httpx.Request], httpx.Response]


def airflow(handler: Handler, token: str | None = None) -> Orchestrator:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/auth/token":
            good = json.loads(request.content) == {"username": "admin", "password": "word"}
            return httpx.Response(201, json={"access_token": "jwt"}) if good else httpx.Response(401, json={})
        return handler(request)

    return Orchestrator("http://airflow/", "admin", "word", token=token, transport=httpx.MockTransport(answer))


RUN = {"dag_id": "pivo_restore", "dag_run_id": "manual__2026-11-23T03:12:07+00:00", "state": "queued"}


def test_a_run_is_triggered_without_a_logical_date() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=RUN)

    with airflow(handler) as client:
        run = client.trigger("pivo_restore", {"repo": "PIVO"})
        client.run(run.dag_id, run.run_id)
    asked = json.loads(seen[0].content)
    assert asked.pop("dag_run_id").startswith("manual__20")
    assert asked == {"logical_date": None, "conf": {"repo": "PIVO"}}
    assert seen[0].headers["authorization"] == "Bearer jwt"
    assert run.url == "http://airflow/dags/pivo_restore/runs/manual__2026-11-23T03%3A12%3A07%2B00%3A00"
    assert "%2B00%3A00" in str(seen[1].url) and not run.ended


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"assigned_users": [{"id": "7", "name": "grace"}, {"id": "8", "name": "linus"}]}, "waits for grace or linus"),
        ({"responded_by_user": {"id": "7", "name": "grace"}, "chosen_options": ["Approve"]}, "approved by grace"),
        ({"responded_by_user": {"id": "7", "name": "grace"}, "chosen_options": ["Reject"]}, "rejected by grace"),
    ],
)
def test_whom_a_task_asks_and_what_they_say(told: dict[str, object], words: str) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        assert request.url.path.endswith("/dagRuns/run/taskInstances/approval/-1/hitlDetails")
        empty = {"assigned_users": [], "responded_by_user": None, "chosen_options": None}
        return httpx.Response(200, json=empty | told)

    with airflow(handler, token="mine") as client:
        approval = client.approval("pivo_restore", "run")
    assert approval is not None and approval.words == words


def test_a_task_that_asked_nobody() -> None:
    with airflow(lambda _: httpx.Response(404, json={"detail": "no"}), token="mine") as client:
        assert client.approval("pivo_restore", "run") is None


def test_a_run_that_airflow_fails_to_make_is_asked_for_again_and_made_once() -> None:
    made: list[str] = []
    states = iter([500, 404, 500, 200])

    def handler(request: httpx.Request) -> httpx.Response:
        status = next(states)
        if request.method == "POST":
            made.append(json.loads(request.content)["dag_run_id"])
        return httpx.Response(status, json=RUN if status == 200 else {"detail": "Database error"})

    with airflow(handler, token="mine") as client:
        assert client.trigger("pivo_restore", {}).state == "queued"
    assert len(made) == 2 and len(set(made)) == 1


def test_an_expired_token_is_renewed_once_but_a_persons_own_is_not() -> None:
    tokens = []

    def handler(request: httpx.Request) -> httpx.Response:
        tokens.append(request.headers["authorization"])
        return httpx.Response(401 if len(tokens) == 1 else 200, json=RUN)

    with airflow(handler) as client:
        assert client.run("d", "r").state == "queued"
    assert len(tokens) == 2
    with (
        airflow(lambda _r: httpx.Response(401, json={}), token="mine") as client,
        pytest.raises(StackError, match="does not accept"),
    ):
        client.run("d", "r")


@pytest.mark.parametrize(
    ("status", "body", "error", "said"),
    [
        (400, {"detail": "Invalid input for param repo: 5 is not of type 'string'"}, UsageError, "not of type"),
        (422, {"detail": [{"msg": "Field required", "loc": ["body"]}]}, UsageError, "Field required"),
        (403, {"detail": "Forbidden"}, StackError, "no permission"),
        (404, {"detail": "The Dag with ID: `x` was not found"}, NotFound, "was not found"),
        (409, {"detail": {"reason": "Unique constraint violation"}}, UsageError, "Unique"),
        (500, {"detail": "boom"}, Unavailable, "answered 500"),
    ],
)
def test_refusals_are_told_in_words(status: int, body: object, error: type[PivoError], said: str) -> None:
    with airflow(lambda _r: httpx.Response(status, json=body)) as client, pytest.raises(error, match=said):
        client.trigger("pivo_restore", {})


def test_a_wrong_password_and_an_airflow_that_is_down_are_told_apart() -> None:
    client = Orchestrator(
        "http://airflow", "admin", "bad", transport=httpx.MockTransport(lambda _r: httpx.Response(401, json={}))
    )
    with client, pytest.raises(StackError, match="refused the login of admin"):
        client.run("d", "r")
    with (
        Orchestrator("http://127.0.0.1:9", "admin", "x") as client,
        pytest.raises(Unavailable, match=r"Airflow does not answer.*pivo up"),
    ):
        client.trigger("d", {})


def task(name: str, state: str | None, start: str | None, tries: int = 1) -> dict[str, object]:
    return {
        "task_id": name,
        "map_index": -1,
        "state": state,
        "try_number": tries,
        "start_date": start,
        "end_date": None,
    }


def test_a_run_is_followed_and_its_failure_found_in_the_log() -> None:
    looks = iter(["running", "failed"])

    def handler(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path.endswith("/taskInstances"):
            rows = [
                task("clean", "success", "2026-11-23T03:14:00Z"),
                task("push", "failed", "2026-11-23T03:13:00Z", tries=2),
                task("validate", "success", "2026-11-23T03:12:00Z"),
                task("later", None, None),
            ]
            return httpx.Response(200, json={"task_instances": rows})
        if "/logs/" in path:
            rows = [{"event": "::group::Log"}, {"event": "begin"}]
            if path.endswith("/push/logs/1"):
                rows.append({"event": "PIVO-ERROR: x is not empty. Choose another."})
            return httpx.Response(200, json={"content": rows})
        return httpx.Response(200, json=RUN | {"state": next(looks)})

    steps: list[tuple[str, int, int | None]] = []
    with airflow(handler) as client:
        run = client.wait("d", "r", progress=lambda *step: steps.append(step), timeout=30)
        assert run.state == "failed"
        assert [t.task_id for t in client.tasks("d", "r")] == ["validate", "push", "clean", "later"]
        assert client.failure("d", "r") == "push: x is not empty. Choose another."
    assert steps[-1] == ("failed", 3, 4)


def test_waiting_ends_and_the_run_goes_on() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        tasks = request.url.path.endswith("/taskInstances")
        return httpx.Response(200, json={"task_instances": []} if tasks else RUN | {"state": "running"})

    with airflow(handler) as client, pytest.raises(Unavailable, match="still running"):
        client.wait("d", "r", timeout=0)


def test_what_a_task_returned_is_read() -> None:
    with airflow(lambda _r: httpx.Response(200, json={"value": '"http://forge/x"'})) as client:
        assert client.result("d", "r", "push") == "http://forge/x"
    with airflow(lambda _r: httpx.Response(200, json={"value": "http://forge/x"})) as client:
        assert client.result("d", "r", "push") == "http://forge/x"
    with airflow(lambda _r: httpx.Response(404, json={"detail": "no XCom"})) as client:
        assert client.result("d", "r", "push") is None


def test_all_tasks_are_told_however_many_a_page_has() -> None:
    rows = [task(f"t{number:03}", "success", "2026-11-23T03:12:00Z") for number in range(250)]

    def handler(request: httpx.Request) -> httpx.Response:
        begin = int(request.url.params["offset"])
        return httpx.Response(200, json={"task_instances": rows[begin : begin + 100], "total_entries": len(rows)})

    with airflow(handler) as client:
        assert len({t.task_id for t in client.tasks("d", "r")}) == 250


def test_what_one_of_several_mapped_tasks_returned_is_asked_for_by_its_number() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"value": json.dumps(f"of {request.url.params['map_index']}")})

    with airflow(handler) as client:
        assert [client.result("d", "r", "push", n) for n in (-1, 0, 7)] == ["of -1", "of 0", "of 7"]
