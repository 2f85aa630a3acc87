"""A push to the forge is archived without waiting for the night: the forge's webhook, Airflow, HDFS, all real.

What is force-pushed between two nights is in the archive, before and after.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from pivo.errors import NotFound
from pivo.index.reader import IndexReader
from pivo.index.writer import drain
from pivo.settings import CHECKOUT, Settings
from pivo.snapshot.archive import Archive
from pivo.store import open_store
from restore_kit import Git
from webhook_kit import encoded, headers, push

pytestmark = pytest.mark.stack

ORGANISATION = f"hooked-{secrets.token_hex(4)}"
REPO = f"{ORGANISATION}/web"


@pytest.fixture(scope="module")
def secret(stack: Settings) -> Iterator[str]:
    """The webhook of the running stack is on, and the organisation registered."""
    if stack.repositories.is_relative_to(CHECKOUT):
        pytest.skip("PIVO_REPOSITORIES is the checkout's own file")
    path, made = stack.home / "secrets" / "webhook-secret", secrets.token_urlsafe(32)
    stack.repositories.write_text(f"organisations: [{ORGANISATION}]\n")
    path.touch(mode=0o600)
    path.write_text(made)
    time.sleep(5.5)  # the API server keeps its settings for five seconds
    yield made
    path.unlink()
    stack.repositories.write_text("repositories: []\n")


class Forge:
    """The stack's own forge, spoken to as GitHub."""

    def __init__(self, settings: Settings) -> None:
        self._token, self._api = settings.forge.token, settings.forge.api_url
        self.remote = f"{self._api.removesuffix('/api/v3')}/{REPO}.git".replace("://", f"://x:{self._token}@")

    def __call__(self, method: str, path: str, **body: object) -> Any:
        login = {"Authorization": f"Bearer {self._token}"}
        answer = httpx.request(method, self._api + path, headers=login, json=body or None, timeout=20)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None


def wait_for(what: Any, seconds: float = 150.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.5)
    return found


def head(archive: Archive) -> str | None:
    try:
        return archive.require(REPO).head
    except NotFound:
        return None


def runs(stack: Settings) -> list[dict[str, Any]]:
    """The runs that deliveries of this test came to."""
    login = {"username": stack.airflow_user, "password": stack.airflow_password}
    token = httpx.post(f"{stack.airflow_url}/auth/token", json=login, timeout=30).json()["access_token"]
    path = f"{stack.airflow_url}/api/v2/dags/pivo_snapshot/dagRuns?order_by=-run_after&limit=50"
    rows = httpx.get(path, headers={"Authorization": f"Bearer {token}"}, timeout=30).json()["dag_runs"]
    return [r for r in rows if r["conf"] == {"repos": [REPO]} and r["dag_run_id"].startswith("webhook__")]


def test_what_is_force_pushed_between_two_nights_is_in_the_archive(
    stack: Settings, secret: str, tmp_path: Path
) -> None:
    forge, archive = Forge(stack), Archive(open_store(stack.archive, stack.archive_reader))
    forge("POST", f"/orgs/{ORGANISATION}/repos", name="web", private=True)
    url = f"{stack.airflow_url}/pivo-webhook/github"
    config = {"url": url, "content_type": "json", "secret": secret}
    hook = forge("POST", f"/orgs/{ORGANISATION}/hooks", name="web", events=["push", "create", "delete"], config=config)
    at = f"/orgs/{ORGANISATION}/hooks/{hook['id']}/deliveries"
    assert [(d["event"], d["status_code"]) for d in wait_for(lambda: forge("GET", at))] == [("ping", 200)]

    git = Git(tmp_path / "work")
    git.path.mkdir()
    git("init", "-q", "-b", "main")
    first = git.commit("what will be regretted", file="1\n")
    git("push", "-q", forge.remote, "main")
    wait_for(lambda: head(archive) == first)

    git("commit", "-q", "--amend", "-m", "as if it had never been")
    second = git("rev-parse", "HEAD")
    git("push", "-q", "--force", forge.remote, "main")
    wait_for(lambda: head(archive) == second)

    manifest = archive.require(REPO)
    assert manifest.seq == 2 and first in manifest.lost
    with archive.objects(manifest) as objects:
        for commit in (first, second):
            assert objects.get(commit) == ("commit", git("cat-file", "commit", commit).encode() + b"\n")

    # the branch that came to be and the push of it were one run, the forced push another
    sent = forge("GET", at)
    assert sorted(d["event"] for d in sent) == ["create", "ping", "push", "push"]
    assert {d["status_code"] for d in sent} == {200, 202}
    assert len(runs(stack)) == 2
    forge("POST", f"{at}/{sent[0]['id']}/attempts")
    again = wait_for(lambda: [d for d in forge("GET", at) if d["redelivery"]])
    assert [d["status_code"] for d in again] == [200] and len(runs(stack)) == 2

    wait_for(lambda: all(r["state"] in {"success", "failed"} for r in runs(stack)))
    assert [r["state"] for r in runs(stack)] == ["success", "success"]
    drain(stack.index, stack.kafka)
    with IndexReader(stack.index) as index:
        query = "SELECT outcome FROM v_audit WHERE who = 'webhook' AND parameters ->> '$.repo' = ? ORDER BY at"
        told = [row[0] for row in index.query(query, (REPO,)).rows]
    assert told == ["started", "folded", "started"]


def test_a_forged_delivery_is_refused_and_no_log_has_the_secret(stack: Settings, secret: str) -> None:
    url, body = f"{stack.airflow_url}/pivo-webhook/github", encoded(push(REPO, host="127.0.0.1"))
    before = len(runs(stack))
    assert httpx.post(url, content=body, headers=headers(body, secret="guessed"), timeout=20).status_code == 401
    assert len(runs(stack)) == before
    logs = [p for folder in (stack.home / "logs", stack.home / "airflow" / "logs") for p in folder.rglob("*.log")]
    assert logs and not any(secret.encode() in p.read_bytes() for p in logs)
