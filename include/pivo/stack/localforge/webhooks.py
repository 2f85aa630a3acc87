"""Webhooks as GitHub has them: kept beside what they watch, and deliveries after each push.

https://docs.github.com/webhooks/webhook-events-and-payloads: signed with HMAC, ten seconds for an answer, sent once;
of more than three tags in one push nothing is told.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import subprocess
import threading
import uuid
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from pivo.models import ZERO
from pivo.stack.localforge import answers
from pivo.stack.localforge.repos import Forge, Repository, git_environment

log = logging.getLogger(__name__)

_FILE = "webhooks.json"
_TIMEOUT = 10.0  # seconds
_KEPT = 100  # deliveries
_COMMITS = 2048  # in one push event
_TAGS = 3


@dataclass(frozen=True)
class Hook:
    """One webhook; `secret` signs what is sent to `url`, `form` says whether as a form and not as JSON."""

    id: int
    url: str
    events: tuple[str, ...]
    secret: str = field(default="", repr=False)
    form: bool = False
    active: bool = True

    def wants(self, event: str) -> bool:
        return self.active and (event == "ping" or "*" in self.events or event in self.events)


@dataclass(frozen=True)
class Sent:
    """One delivery: `status` is that of the answer, 0 when none came."""

    id: int
    guid: str
    hook: int
    event: str
    body: bytes = field(repr=False)
    status: int = 0
    redelivery: bool = False
    at: str = ""


class Webhooks:
    """The webhooks of a forge; deliveries go out one after the other, from a thread."""

    def __init__(self, forge: Forge) -> None:
        self._forge = forge
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="webhooks")
        self._lock = threading.Lock()
        self._sent: deque[Sent] = deque(maxlen=_KEPT)
        self._number = 0

    def of(self, folder: Path) -> list[Hook]:
        """The webhooks of a repository's or an owner's folder."""
        try:
            rows = json.loads((folder / _FILE).read_text())
        except FileNotFoundError:
            return []
        return [Hook(**row | {"events": tuple(row["events"])}) for row in rows]

    def keep(self, folder: Path, hooks: list[Hook]) -> None:
        """Replace a folder's webhooks; readable by the forge alone, as secrets are in it."""
        path = folder / _FILE
        path.touch(mode=0o600)
        path.write_text(json.dumps([asdict(h) for h in hooks]))

    def watching(self, repo: Repository) -> list[tuple[Hook, bool]]:
        """The webhooks that hear of a repository; whether each is its organisation's."""
        return [(h, False) for h in self.of(repo.path)] + [(h, True) for h in self.of(repo.path.parent)]

    def refs(self, repo: Repository) -> dict[str, str] | None:
        """All refs of a repository, to be compared after a push; None where nobody wants to hear of it."""
        if not self.watching(repo):
            return None
        form = "--format=%(objectname) %(refname)"
        out = self._forge.git("for-each-ref", form, "refs/heads", "refs/tags", at=repo.path)
        return {name: oid for oid, _, name in (line.partition(" ") for line in out.splitlines())}

    def pushed(self, repo: Repository, before: Mapping[str, str], who: str, base: str) -> None:
        """Tell of what a push by `who` has changed since the refs were `before`."""
        after = self.refs(repo) or {}
        changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
        tags = [name for name in changed if name.startswith("refs/tags/")]
        for name in changed:
            if name not in tags or len(tags) <= _TAGS:
                for event, payload in self._events(repo, name, before.get(name), after.get(name), who, base):
                    self._tell(repo, event, payload)

    def ping(self, hook: Hook, of_org: bool, about: dict[str, Any]) -> None:
        """Tell a webhook that it is there."""
        self._send(hook, of_org, "ping", {"zen": "Keep it logically awesome.", "hook_id": hook.id, **about})

    def deliveries(self, hook: Hook) -> list[Sent]:
        """What was sent to a webhook, the latest first."""
        with self._lock:
            return [s for s in reversed(self._sent) if s.hook == hook.id]

    def again(self, hook: Hook, of_org: bool, sent: Sent) -> None:
        """Send a delivery once more, with its id and its body."""
        self._pool.submit(self._post, hook, of_org, replace(sent, id=self._next(), redelivery=True))

    def close(self) -> None:
        """Drops what was not sent."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _tell(self, repo: Repository, event: str, payload: dict[str, Any]) -> None:
        for hook, of_org in self.watching(repo):
            if hook.wants(event):
                self._send(hook, of_org, event, payload)

    def _send(self, hook: Hook, of_org: bool, event: str, payload: dict[str, Any]) -> None:
        body = json.dumps(payload).encode()
        if hook.form:
            body = str(httpx.QueryParams({"payload": body.decode()})).encode()
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._pool.submit(self._post, hook, of_org, Sent(self._next(), str(uuid.uuid4()), hook.id, event, body, at=now))

    def _next(self) -> int:
        with self._lock:
            self._number += 1
            return self._number

    def _post(self, hook: Hook, of_org: bool, sent: Sent) -> None:
        kind = "application/x-www-form-urlencoded" if hook.form else "application/json"
        headers = {
            "Accept": "*/*",
            "Content-Type": kind,
            "User-Agent": "GitHub-Hookshot/local",
            "X-GitHub-Event": sent.event,
            "X-GitHub-Delivery": sent.guid,
            "X-GitHub-Hook-ID": str(hook.id),
            "X-GitHub-Hook-Installation-Target-Type": "organization" if of_org else "repository",
            "X-GitHub-Enterprise-Version": answers.VERSION,
        }
        for name, kind in (("X-Hub-Signature", "sha1"), ("X-Hub-Signature-256", "sha256")):
            if hook.secret:
                digest = hmac.new(hook.secret.encode(), sent.body, getattr(hashlib, kind)).hexdigest()
                headers[name] = f"{kind}={digest}"
        try:
            status = httpx.post(hook.url, content=sent.body, headers=headers, timeout=_TIMEOUT).status_code
        except (httpx.HTTPError, httpx.InvalidURL) as err:
            log.warning("%s was not delivered to webhook %d: %s", sent.event, hook.id, type(err).__name__)
            status = 0
        log.info("%s %s to webhook %d: %d", sent.event, sent.guid, hook.id, status)
        with self._lock:
            self._sent.append(replace(sent, status=status))

    def _events(
        self, repo: Repository, ref: str, old: str | None, new: str | None, who: str, base: str
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        short, tag = ref.split("/", 2)[2], ref.startswith("refs/tags/")
        owner = answers.owner(self._forge, base, repo.owner)
        common: dict[str, Any] = {
            "repository": answers.repository(self._forge, base, repo, write=True),
            "sender": answers.owner(self._forge, base, who),
        }
        if not self._forge.is_user(repo.owner):
            common["organization"] = owner
        about = {"ref": short, "ref_type": "tag" if tag else "branch", "pusher_type": "user"}
        if old is None:
            more = {"master_branch": repo.default_branch, "description": repo.description}
            yield "create", about | more | common
        if new is None:
            yield "delete", about | common
        commits = self._commits(repo, old, new) if new else []
        yield (
            "push",
            {
                "ref": ref,
                "before": old or ZERO,
                "after": new or ZERO,
                "created": old is None,
                "deleted": new is None,
                "forced": bool(old and new and not self._follows(repo, old, new)),
                "base_ref": None,
                "compare": f"{base}/{repo.full_name}/compare/{(old or ZERO)[:12]}...{(new or ZERO)[:12]}",
                "commits": commits,
                "head_commit": commits[-1] if commits else None,
                "pusher": {"name": who, "email": None},
                **common,
            },
        )

    def _follows(self, repo: Repository, old: str, new: str) -> bool:
        command = ["git", "-C", str(repo.path), "merge-base", "--is-ancestor", old, new]
        return subprocess.run(command, env=git_environment(), capture_output=True, check=False).returncode == 0

    def _commits(self, repo: Repository, old: str | None, new: str) -> list[dict[str, Any]]:
        """The commits of a push, the oldest first; none of a new ref, whose commits may all be known."""
        if old is None:
            return []
        form = "--format=%H%x00%T%x00%B%x00%aI%x00%an%x00%ae%x1e"
        try:
            out = self._forge.git("log", form, f"--max-count={_COMMITS}", new, f"^{old}", "--", at=repo.path)
        except subprocess.CalledProcessError:  # a tag of a blob or a tree
            return []
        rows = [row.lstrip("\n").split("\0") for row in out.split("\x1e") if row.strip()]
        return [
            {"id": r[0], "tree_id": r[1], "distinct": True, "message": r[2].rstrip("\n"), "timestamp": r[3],
             "author": {"name": r[4], "email": r[5]}, "committer": {"name": r[4], "email": r[5]}}
            for r in reversed(rows) if len(r) == 6
        ]  # fmt: skip
