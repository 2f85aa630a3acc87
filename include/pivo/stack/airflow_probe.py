"""Asks a running Airflow how it is, through its REST API."""

from __future__ import annotations

import threading
import time
from datetime import datetime
from typing import Any

import httpx

from pivo.errors import StackError
from pivo.settings import Settings
from pivo.stack.loopback import request
from pivo.stack.part import NotReady

POOLS = {
    "pivo_fetch": (4, "Repositories that are fetched at the same time"),
    "pivo_push": (2, "Repositories that are pushed to a forge at the same time"),
    "pivo_index": (1, "The one writer of the index"),
}
"""Slots and description of PIVO's pools."""


class Health:
    """The probes of the four processes; they share one login and, for a second, one answer."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._base = settings.airflow_url
        self._lock = threading.Lock()
        self._token = ""
        self._health: tuple[float, dict[str, Any]] = (0.0, {})

    def api(self, since: float) -> None:
        """The API answers a logged-in request and the database behind it is healthy; makes the pools.

        The API that tasks talk to is built at its first request, which takes seconds: it is asked here, so that no
        person's first question pays for it.
        """
        if self.health()["metadatabase"]["status"] != "healthy":
            raise NotReady("Airflow's database is not healthy.")
        known = {pool["name"] for pool in self.get("/api/v2/pools", limit=100)["pools"]}
        for name, (slots, description) in POOLS.items():
            if name not in known:
                body = {"name": name, "slots": slots, "description": description, "include_deferred": False}
                self._send("POST", "/api/v2/pools", json=body)
        self._request("GET", "/execution/health")

    def scheduler(self, since: float) -> None:
        """A scheduler that started after `since` beats."""
        self._beats("scheduler", "latest_scheduler_heartbeat", since)

    def triggerer(self, since: float) -> None:
        """A triggerer that started after `since` beats."""
        self._beats("triggerer", "latest_triggerer_heartbeat", since)

    def dag_processor(self, since: float) -> None:
        """Beats, and every DAG file was read since the start without an error."""
        self._beats("dag_processor", "latest_dag_processor_heartbeat", since)
        files = [path for path in (self._settings.root / "dags").glob("*.py") if _mentions(path.read_text())]
        dags = self.get("/api/v2/dags", limit=100)["dags"]
        errors = self.get("/api/v2/importErrors", limit=100)["import_errors"]
        fresh = {dag["fileloc"] for dag in dags if dag["last_parsed_time"] and _unix(dag["last_parsed_time"]) >= since}
        broken = [error for error in errors if _unix(error["timestamp"]) >= since]
        if broken:
            last = broken[0]["stack_trace"].strip().splitlines()[-1]
            raise StackError(
                f"The DAG file {broken[0]['filename']} does not load: {last}", "Mend it; Airflow reads it again."
            )
        missing = [path.name for path in files if str(path) not in fresh]
        if missing:
            raise NotReady(f"Airflow has not read {', '.join(sorted(missing))} yet.")

    def health(self) -> dict[str, Any]:
        """`/api/v2/monitor/health`, at most a second old."""
        with self._lock:
            asked, answer = self._health
            if time.monotonic() - asked > 1 or not answer:
                answer = self._request("GET", "/api/v2/monitor/health").json()
                self._health = (time.monotonic(), answer)
            return answer

    def get(self, path: str, **query: object) -> dict[str, Any]:
        """A GET as the administrator."""
        return dict(self._send("GET", path, params=query).json())

    def _beats(self, component: str, heartbeat: str, since: float) -> None:
        state = self.health()[component]
        if state["status"] != "healthy" or not state[heartbeat] or _unix(state[heartbeat]) < since:
            raise NotReady(f"Airflow's {component.replace('_', ' ')} has not reported yet.")

    def _send(self, method: str, path: str, **more: Any) -> httpx.Response:
        with self._lock:
            if not self._token:
                self._token = self._login()
        headers = {"Authorization": f"Bearer {self._token}"}
        try:
            return self._request(method, path, headers=headers, **more)
        except NotReady:
            self._token = ""  # perhaps the token has run out
            raise

    def _login(self) -> str:
        password = (self._settings.home / "secrets" / "airflow-admin").read_text().strip()
        body = {"username": "admin", "password": password}
        return str(self._request("POST", "/auth/token", json=body).json()["access_token"])

    def _request(self, method: str, path: str, **more: Any) -> httpx.Response:
        return request("Airflow", method, self._base + path, **more)


def _mentions(text: str) -> bool:
    """Airflow's own rule for which files may hold a DAG."""
    lowered = text.lower()
    return "dag" in lowered and "airflow" in lowered


def _unix(stamp: str) -> float:
    return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()
