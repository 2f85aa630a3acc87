"""Airflow from the outside: its REST API (v2), as the CLI, the agent and the demo use it.

No Airflow import; a token comes from /auth/token with a name and a password, or is a person's own.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any
from urllib.parse import quote

import httpx

from pivo.errors import NotFound, PivoError, StackError, Unavailable, UsageError
from pivo.masking import masked
from pivo.progress import Progress, silent

ENDED = frozenset({"success", "failed"})
"""The states in which a run stays."""

_ERROR = re.compile(r"PIVO-ERROR: (?P<text>.+)")
_POLL = 0.5  # seconds between two looks at a run
_AGAIN = (0.5, 2.0, None)  # seconds before a run that Airflow failed to make is asked for again; then no more


@dataclass(frozen=True)
class DagRun:
    """A run of a DAG; `state` is Airflow's (queued, running, success, failed), `url` its page for people."""

    dag_id: str
    run_id: str
    state: str
    url: str

    @property
    def ended(self) -> bool:
        return self.state in ENDED


@dataclass(frozen=True)
class TaskState:
    """One task instance of a run; `state` is None before it is scheduled, `map_index` -1 when it is not mapped."""

    task_id: str
    map_index: int
    state: str | None
    try_number: int
    start: datetime | None
    end: datetime | None


@dataclass(frozen=True)
class Approval:
    """What a task that asks a person has heard: `asked` may answer (names), `by` did (`by_id` to Airflow), `at` a time;
    while it waits they and `chosen` (Approve or Reject) are empty, and `by` stays so where the time ran out."""

    asked: tuple[str, ...]
    by: str = ""
    chosen: str = ""
    by_id: str = ""
    at: datetime | None = None

    @property
    def words(self) -> str:
        """For people: `waits for grace or linus`, `approved by grace`."""
        if not self.chosen:
            return f"waits for {' or '.join(self.asked) or 'anybody'}"
        return f"{'approved' if self.approved else 'rejected'} by {self.by or 'nobody'}"

    @property
    def approved(self) -> bool:
        return self.chosen == "Approve"


class Orchestrator:
    """A client of the Airflow at `base_url`; a context manager.

    `token` is a person's own token; without it one is fetched with `user` and `password` at the first call, and
    again when it has expired. Unavailable when Airflow does not answer.
    """

    def __init__(
        self,
        base_url: str,
        user: str,
        password: str,
        *,
        token: str | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._user, self._password = user, password
        self._token, self._given = token, token is not None
        self._client = httpx.Client(timeout=httpx.Timeout(30.0, connect=5.0), transport=transport)

    def __enter__(self) -> Orchestrator:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self._client.close()

    def healthy(self) -> dict[str, Any]:
        """The health of Airflow's parts by name, e.g. {"scheduler": {"status": "healthy", …}, …}."""
        body: dict[str, Any] = self._send("GET", "/api/v2/monitor/health", anonymous=True).json()
        return body

    def trigger(
        self, dag_id: str, conf: dict[str, Any], run_id: str | None = None, *, after: datetime | None = None
    ) -> DagRun:
        """Start a run with `conf`; UsageError with Airflow's reason when it refuses the parameters. `after` (aware)
        keeps it queued until then.

        Where Airflow fails at it (its SQLite is locked for a moment) it is asked again, for the same run.
        """
        if masked(json.dumps(conf)) != json.dumps(conf):
            raise UsageError(
                f"The parameters of {dag_id} hold a credential, which Airflow would keep. Nothing was started.",
                "Leave it out: docs/howto/credentials.md tells where it belongs.",
            )
        run_id = run_id or f"manual__{datetime.now(UTC).isoformat()}"
        body = {"logical_date": None, "conf": conf, "dag_run_id": run_id}
        if after is not None:
            body["run_after"] = after.isoformat()
        for wait in _AGAIN:
            try:
                return self._parse(self._send("POST", f"/api/v2/dags/{quote(dag_id)}/dagRuns", body).json())
            except Unavailable as err:
                if wait is None or " answered 500" not in err.what:
                    raise
                time.sleep(wait)
            with suppress(NotFound):
                return self.run(dag_id, run_id)
        raise AssertionError("unreachable")

    def run(self, dag_id: str, run_id: str) -> DagRun:
        """The run as it is now; NotFound."""
        return self._parse(self._send("GET", self._run_path(dag_id, run_id)).json())

    def latest(self, dag_id: str) -> DagRun:
        """The run of a DAG that was triggered last; NotFound when there is none."""
        rows = self._send("GET", f"/api/v2/dags/{quote(dag_id)}/dagRuns?order_by=-run_after&limit=1").json()["dag_runs"]
        if not rows:
            raise NotFound(f"{dag_id} has not run yet.", "Trigger it in Airflow.")
        return self._parse(rows[0])

    def tasks(self, dag_id: str, run_id: str) -> list[TaskState]:
        """The run's task instances, in the order in which they started; those that have not come last."""
        rows: list[dict[str, Any]] = []
        while True:  # Airflow gives no more than its maximum_page_limit at a time, whatever is asked for
            path = f"{self._run_path(dag_id, run_id)}/taskInstances?limit=1000&offset={len(rows)}"
            page = self._send("GET", path).json()
            rows += page["task_instances"]
            if not page["task_instances"] or len(rows) >= page.get("total_entries", 0):
                break
        states = [
            TaskState(
                task_id=row["task_id"],
                map_index=row.get("map_index", -1),
                state=row.get("state"),
                try_number=row.get("try_number") or 0,
                start=_when(row.get("start_date")),
                end=_when(row.get("end_date")),
            )
            for row in rows
        ]
        return sorted(states, key=lambda t: (t.start is None, t.start.timestamp() if t.start else 0.0))

    def wait(
        self,
        dag_id: str,
        run_id: str,
        *,
        progress: Progress = silent,
        timeout: float = 3600.0,
        watch: Callable[[list[TaskState]], None] | None = None,
    ) -> DagRun:
        """Follow a run to its end; Unavailable when it takes longer than `timeout` seconds.

        `progress` hears of each running task, `watch` sees all task states at every look.
        """
        deadline = time.monotonic() + timeout
        while True:
            run, tasks = self.run(dag_id, run_id), self.tasks(dag_id, run_id)
            if watch:
                watch(tasks)
            done = sum(t.state in {"success", "failed", "skipped", "upstream_failed"} for t in tasks)
            names = [t.task_id for t in tasks if t.state in {"running", "queued", "up_for_retry"}]
            progress(", ".join(names) or run.state, done, len(tasks))
            if run.ended:
                return run
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"{dag_id} run {run_id} is still {run.state} after {timeout:.0f} s.",
                    f"It goes on; follow it at {run.url}.",
                )
            time.sleep(_POLL)

    def failure(self, dag_id: str, run_id: str) -> str | None:
        """Why a run failed: the sentence that the first failed task logged for people; None if none failed."""
        failed = [t for t in self.tasks(dag_id, run_id) if t.state == "failed"]
        for task in failed:
            for number in range(max(task.try_number, 1), 0, -1):
                text = self.log(dag_id, run_id, task.task_id, number, task.map_index)
                if found := _ERROR.findall(text):
                    return f"{task.task_id}: {found[-1].strip()}"
        if failed:
            return f"{failed[0].task_id} failed; its log at {self._page(dag_id, run_id)} says why."
        return None

    def approval(self, dag_id: str, run_id: str, task_id: str = "approval") -> Approval | None:
        """Airflow's own record of whom a task asked and who answered; None when it asked nobody."""
        path = f"{self._run_path(dag_id, run_id)}/taskInstances/{quote(task_id)}/-1/hitlDetails"
        try:
            told = self._send("GET", path).json()
        except NotFound:
            return None
        asked = tuple(person["name"] for person in told.get("assigned_users") or ())
        by, chosen = told.get("responded_by_user") or {}, told.get("chosen_options") or [""]
        at = _when(told.get("responded_at"))
        return Approval(asked, str(by.get("name", "")), str(chosen[0]), str(by.get("id", "")), at)

    def result(self, dag_id: str, run_id: str, task_id: str, map_index: int = -1) -> Any:
        """What a task returned (its XCom); None when it returned nothing. `map_index` is that of a mapped task."""
        path = f"{self._run_path(dag_id, run_id)}/taskInstances/{quote(task_id)}/xcomEntries/return_value"
        try:
            value = self._send("GET", f"{path}?map_index={map_index}&deserialize=false").json().get("value")
        except NotFound:
            return None
        try:
            return json.loads(value) if isinstance(value, str) else value
        except ValueError:
            return value

    def log(self, dag_id: str, run_id: str, task_id: str, try_number: int = 1, map_index: int = -1) -> str:
        """The log of one try of a task as text, a line an event; empty when there is none."""
        path = f"{self._run_path(dag_id, run_id)}/taskInstances/{quote(task_id)}/logs/{try_number}"
        try:
            body = self._send("GET", f"{path}?map_index={map_index}&full_content=true").json()
        except NotFound:
            return ""
        content = body.get("content", "")
        if isinstance(content, str):
            return content
        return "\n".join(row if isinstance(row, str) else str(row.get("event", "")) for row in content)

    def _run_path(self, dag_id: str, run_id: str) -> str:
        return f"/api/v2/dags/{quote(dag_id)}/dagRuns/{quote(run_id, safe='')}"

    def _page(self, dag_id: str, run_id: str) -> str:
        return f"{self.base_url}/dags/{quote(dag_id)}/runs/{quote(run_id, safe='')}"

    def _parse(self, row: dict[str, Any]) -> DagRun:
        dag_id, run_id = row["dag_id"], row["dag_run_id"]
        return DagRun(dag_id, run_id, row["state"], self._page(dag_id, run_id))

    def _login(self) -> str:
        body = {"username": self._user, "password": self._password}
        answer = self._http("POST", "/auth/token", body, None)
        if answer.status_code in {401, 403}:
            raise StackError(
                f"Airflow at {self.base_url} refused the login of {self._user}.",
                "Check PIVO_AIRFLOW_USER and PIVO_AIRFLOW_PASSWORD (or its _FILE).",
            )
        if not answer.is_success:
            raise self._unexpected(answer)
        return str(answer.json()["access_token"])

    def _send(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, anonymous: bool = False
    ) -> httpx.Response:
        if not anonymous and self._token is None:
            self._token = self._login()
        answer = self._http(method, path, body, None if anonymous else self._token)
        if answer.status_code == 401 and not anonymous and not self._given:
            self._token = self._login()  # tokens expire within a day
            answer = self._http(method, path, body, self._token)
        if answer.is_success:
            return answer
        raise self._refusal(answer)

    def _http(self, method: str, path: str, body: dict[str, Any] | None, token: str | None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            return self._client.request(method, self.base_url + path, json=body, headers=headers)
        except httpx.TransportError:
            raise Unavailable(
                f"Airflow does not answer at {self.base_url}.", "Start the stack with `pivo up`, then try again."
            ) from None

    def _refusal(self, answer: httpx.Response) -> PivoError:
        detail = _detail(answer)
        match answer.status_code:
            case 401:
                return StackError("Airflow does not accept this login (any more).", "Log in again.")
            case 403:
                return StackError("Airflow refuses: this login has no permission for that.", "Ask for the role.")
            case 404:
                return NotFound(f"Airflow: {detail}.", "Check that `pivo status` shows the DAGs loaded.")
            case 400 | 422:
                return UsageError(f"Airflow refused the parameters: {detail}.", "Correct them.")
            case 409:
                return UsageError(f"Airflow: {detail}.", "Leave the run id away, or choose another.")
        return self._unexpected(answer)

    def _unexpected(self, answer: httpx.Response) -> Unavailable:
        return Unavailable(
            f"Airflow at {self.base_url} answered {answer.status_code}: {_detail(answer)}.", "Look at `pivo logs`."
        )


def _detail(answer: httpx.Response) -> str:
    try:
        detail = answer.json().get("detail", "")
    except (ValueError, AttributeError):
        detail = answer.text
    if isinstance(detail, dict):
        detail = detail.get("reason") or detail.get("message") or detail
    if isinstance(detail, list):  # FastAPI's validation errors
        detail = "; ".join(str(d.get("msg", d)) if isinstance(d, dict) else str(d) for d in detail)
    return " ".join(str(detail).split())[:400].rstrip(".") or answer.reason_phrase


def _when(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
