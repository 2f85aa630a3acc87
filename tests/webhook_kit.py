"""What tests of the webhook share: deliveries as GitHub sends them, and an Airflow that keeps runs in memory."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import uuid
from typing import Any

import httpx

from pivo.orchestrator import Orchestrator

SECRET = "a-secret-of-the-webhook-tests"


def push(repo: str = "acme/web", host: str = "forge.example", after: str = "b" * 40, **more: Any) -> dict[str, Any]:
    """The payload of a push event, as far as it matters; with a field that a delivery of its own has."""
    owner, _, name = repo.partition("/")
    return {
        "ref": "refs/heads/main",
        "before": "a" * 40,
        "after": after,
        "created": False,
        "deleted": False,
        "forced": False,
        "repository": {
            "name": name,
            "full_name": repo,
            "owner": {"login": owner},
            "clone_url": f"https://{host}/{repo}.git",
            "ssh_url": f"git@{host}:{repo}.git",
            "html_url": f"https://{host}/{repo}",
        },
        "sender": {"login": "ada"},
        "nonce": uuid.uuid4().hex,
        **more,
    }


def signature(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def headers(body: bytes, event: str = "push", delivery: str = "", secret: str = SECRET) -> dict[str, str]:
    """The headers of a delivery, by their lower-case names."""
    return {
        "content-type": "application/json",
        "x-github-event": event,
        "x-github-delivery": delivery or str(uuid.uuid4()),
        "x-hub-signature-256": signature(body, secret),
        "user-agent": "GitHub-Hookshot/044aadd",
    }


def encoded(payload: dict[str, Any]) -> bytes:
    return json.dumps(payload).encode()


class Runs:
    """Airflow's answers about DAG runs: `asked` are the bodies of those that were triggered, `states` by run id."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.states: dict[str, str] = {}
        self.down = False
        self._lock = threading.Lock()

    def client(self) -> Orchestrator:
        return Orchestrator("http://airflow", "", "", token="t", transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if self.down:
            raise httpx.ConnectError("away")
        with self._lock:
            if request.method == "POST":
                body = json.loads(request.content)
                run_id = body["dag_run_id"]
                if run_id in self.states:
                    return httpx.Response(409, json={"detail": "Unique constraint violation"})
                self.asked.append(body)
                self.states[run_id] = "queued"
            else:
                run_id = httpx.URL(request.url).path.rpartition("/")[2]
                if run_id not in self.states:
                    return httpx.Response(404, json={"detail": "no such run"})
            return httpx.Response(
                200, json={"dag_id": "pivo_snapshot", "dag_run_id": run_id, "state": self.states[run_id]}
            )
