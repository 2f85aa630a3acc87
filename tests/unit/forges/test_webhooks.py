"""The local forge's webhooks, heard by a server: what GitHub sends after a push, and how it is signed."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from pivo.models import ZERO
from pivo.stack.localforge import ForgeServer
from pivo.webhook import read, signed
from restore_kit import READ_ONLY, TOKEN, Git

SECRET = "the-secret-of-this-webhook"


class Heard:
    """One delivery as it came."""

    def __init__(self, headers: dict[str, str], body: bytes) -> None:
        self.headers, self.body = headers, body
        self.event = headers["x-github-event"]

    @property
    def payload(self) -> dict[str, Any]:
        return dict(json.loads(self.body))


class Listener:
    """A server that takes deliveries; `next` is the oldest that nobody has asked for."""

    def __init__(self) -> None:
        self._heard: queue.Queue[Heard] = queue.Queue()
        heard = self._heard

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                heard.put(Heard({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(202)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/github"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def next(self) -> Heard:
        return self._heard.get(timeout=10)

    def silent(self) -> bool:
        try:
            self._heard.get(timeout=0.3)
        except queue.Empty:
            return True
        return False


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.server.shutdown()
    made.server.server_close()


def call(forge: ForgeServer, method: str, path: str, token: str = TOKEN, **body: object) -> httpx.Response:
    return httpx.request(method, forge.api_url + path, headers={"Authorization": f"token {token}"}, json=body)


def hook(forge: ForgeServer, listener: Listener, where: str, **config: str) -> dict[str, Any]:
    told = {"url": listener.url, "content_type": "json", "secret": SECRET, **config}
    made = call(forge, "POST", f"{where}/hooks", name="web", events=["push", "create", "delete"], config=told)
    assert made.status_code == 201, made.text
    assert SECRET not in made.text
    assert listener.next().event == "ping"
    return dict(made.json())


@pytest.fixture
def work(tmp_path: Path, forge: ForgeServer) -> Git:
    subprocess.run(["git", "init", "-q", "-b", "main", str(tmp_path / "work")], check=True)
    repo = Git(tmp_path / "work")
    repo.commit("first", file="1\n")
    call(forge, "POST", "/orgs/acme/repos", name="web", private=True)
    repo("remote", "add", "origin", f"{forge.url.replace('://', f'://x:{TOKEN}@')}/acme/web.git")
    return repo


def test_a_push_is_told_signed_and_readable_by_the_receiver(forge: ForgeServer, listener: Listener, work: Git) -> None:
    hook(forge, listener, "/repos/acme/web")
    first = work("rev-parse", "HEAD")
    work("push", "-q", "origin", "main")
    create, new = listener.next(), listener.next()
    assert (create.event, create.payload["ref"], create.payload["ref_type"]) == ("create", "main", "branch")
    assert (new.payload["before"], new.payload["after"], new.payload["created"]) == (ZERO, first, True)
    second = work.commit("second", file="2\n")
    work("push", "-q", "origin", "main")
    push = listener.next()
    signed(push.body, push.headers["x-hub-signature-256"], [SECRET])
    delivery = read(push.headers, push.body)
    assert (delivery.event, delivery.repo, delivery.addresses[0]) == ("push", "acme/web", f"{forge.url}/acme/web.git")
    told = push.payload
    assert (told["ref"], told["before"], told["after"], told["forced"]) == ("refs/heads/main", first, second, False)
    assert [c["message"] for c in told["commits"]] == ["second"]
    assert told["sender"]["login"] == "pivo" and told["organization"]["login"] == "acme"


def test_a_force_push_a_deletion_and_tags(forge: ForgeServer, listener: Listener, work: Git) -> None:
    hook(forge, listener, "/orgs/acme", content_type="form")
    work("push", "-q", "origin", "main", "main:topic")
    heard = [listener.next() for _ in range(4)]
    assert sorted(h.event for h in heard) == ["create", "create", "push", "push"]
    assert read(heard[0].headers, heard[0].body).repo == "acme/web"  # as a form
    work("commit", "-q", "--amend", "-m", "rewritten")
    work("push", "-q", "--force", "origin", "main")
    forced = listener.next()
    assert "%22forced%22%3A+true" in forced.body.decode() or "forced%22%3A%20true" in forced.body.decode()
    work("push", "-q", "origin", ":topic")
    assert [listener.next().event for _ in range(2)] == ["delete", "push"]
    for number in range(4):
        work("tag", f"v{number}")
    work("push", "-q", "origin", "--tags")
    assert listener.silent(), "GitHub tells nothing of more than three tags at once"
    work("push", "-q", "origin", "main")  # nothing changes
    assert listener.silent()


def test_webhooks_are_listed_pinged_sent_again_and_removed(forge: ForgeServer, listener: Listener, work: Git) -> None:
    made = hook(forge, listener, "/repos/acme/web")
    at = f"/repos/acme/web/hooks/{made['id']}"
    assert [h["id"] for h in call(forge, "GET", "/repos/acme/web/hooks").json()] == [made["id"]]
    assert made["config"]["secret"] == "********"
    assert call(forge, "POST", f"{at}/pings").status_code == 204
    ping = listener.next()
    rows = call(forge, "GET", f"{at}/deliveries").json()
    assert [(r["event"], r["status_code"]) for r in rows][-1] == ("ping", 202)
    (row,) = [r for r in rows if r["guid"] == ping.headers["x-github-delivery"]] or [rows[0]]
    assert call(forge, "POST", f"{at}/deliveries/{row['id']}/attempts").status_code == 202
    again = listener.next()
    assert again.headers["x-github-delivery"] == row["guid"]
    assert call(forge, "DELETE", at).status_code == 204
    assert call(forge, "GET", at).status_code == 404
    work("push", "-q", "origin", "main")
    assert listener.silent()


def test_who_may_not_make_one_and_what_is_none(forge: ForgeServer, work: Git) -> None:
    config = {"url": "http://127.0.0.1:9/", "content_type": "json"}
    assert call(forge, "POST", "/repos/acme/web/hooks", READ_ONLY, config=config).status_code == 403
    assert call(forge, "POST", "/orgs/nobody/hooks", config=config).status_code == 404
    for wrong in ({}, {"url": "file:///etc/passwd"}, {"url": 5}):
        assert call(forge, "POST", "/repos/acme/web/hooks", config=wrong).status_code == 422
    assert call(forge, "POST", "/repos/acme/web/hooks", config=config).status_code == 201
    assert call(forge, "POST", "/repos/acme/web/hooks", config=config).status_code == 422
    kept = forge.forge.root / "acme" / "web.git" / "webhooks.json"
    assert kept.stat().st_mode & 0o077 == 0
    work("push", "-q", "origin", "main")  # nobody listens, and the push is as good as ever
