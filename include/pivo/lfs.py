"""git LFS as it goes over the wire: pointers, and the batch API with its basic transfer, both ways.

Formats: git-lfs's own docs/spec.md (pointers), docs/api/batch.md and docs/api/basic-transfers.md. No git-lfs program is
needed. The token goes to the LFS server that belongs to the repository's own address, and nowhere else:
a server that sends its clients to a store of its own gives them the headers for it.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import random
import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

import httpx

from pivo.models import LfsObject
from pivo.store import CHUNK

POINTER_LIMIT = 1024
"""Bytes; a pointer is smaller than this (spec.md)."""

BATCH = 100  # objects in one question to the batch API, as git-lfs asks
ATTEMPTS = 4
_LONGEST_WAIT = 30.0  # seconds; a server that asks for more is treated as not answering
_MEDIA = "application/vnd.git-lfs+json"
_LATER = frozenset({408, 429, 500, 502, 503, 504})
_VERSIONS = (b"https://git-lfs.github.com/spec/v1", b"https://hawser.github.com/spec/v1")
_OID = re.compile(rb"sha256:([0-9a-f]{64})")
_SCP_LIKE = re.compile(r"^(?:[^@/]+@)?([\w.\-]+):(.+)$")

Operation = Literal["download", "upload"]
log = logging.getLogger(__name__)


def parse_pointer(body: bytes) -> LfsObject | None:
    """What a blob points to, None when it is no pointer: `version`, `oid sha256:…` and `size`, each in its line."""
    if len(body) >= POINTER_LIMIT or not body.startswith(b"version "):
        return None
    rows = [row.partition(b" ") for row in body.splitlines()]
    found = {key: value for key, _, value in rows}
    oid, size = _OID.fullmatch(found.get(b"oid", b"")), found.get(b"size", b"")
    extra = [k for k in found if k not in {b"version", b"oid", b"size"} and not k.startswith(b"ext-")]
    if rows[0][2] not in _VERSIONS or oid is None or not size.isdigit() or extra or len(found) != len(rows):
        return None
    return LfsObject(oid[1].decode(), int(size))


class Refused(Exception):
    """Why an object, or a whole question, got no answer that can be used; in words for a person, without secrets.

    `later` says that the same may work another time.
    """

    def __init__(self, why: str, *, later: bool = False) -> None:
        super().__init__(why)
        self.later = later


@dataclass(frozen=True)
class Action:
    """What to do with one object: an address, and the headers that it asks for."""

    href: str = field(repr=False)
    header: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class Answer:
    """The server's word on one object: its actions by name (none: nothing to do), or why not."""

    actions: Mapping[str, Action]
    refused: str = ""


def endpoint(url: str) -> str | None:
    """The address of the LFS API beside a git URL, as git-lfs derives it; None for a local folder."""
    if "://" not in url:
        scp = _SCP_LIKE.match(url)
        return f"https://{scp[1]}/{_dot_git(scp[2].lstrip('/'))}/info/lfs" if scp else None
    parts = urlsplit(url)
    if parts.scheme == "file":
        return None
    if parts.scheme in {"http", "https"}:
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit((parts.scheme, host, f"{_dot_git(parts.path)}/info/lfs", "", ""))
    return f"https://{parts.hostname}{_dot_git(parts.path)}/info/lfs"


def _dot_git(path: str) -> str:
    path = path.rstrip("/")
    return path if path.endswith(".git") else f"{path}.git"


def local_file(repository: Path, oid: str) -> Path | None:
    """Where git-lfs keeps an object of a local repository, bare or not; None when it is not there."""
    for folder in (repository / "lfs", repository / ".git" / "lfs"):
        path = folder / "objects" / oid[:2] / oid[2:4] / oid
        if path.is_file():
            return path
    return None


class Verifying:
    """The blocks of an object as they pass; at the end Refused unless they are its bytes."""

    def __init__(self, wanted: LfsObject, blocks: Iterable[bytes]) -> None:
        self._wanted, self._blocks = wanted, blocks

    def __iter__(self) -> Iterator[bytes]:
        digest, done = hashlib.sha256(), 0
        for block in self._blocks:
            digest.update(block)
            done += len(block)
            if done > self._wanted.size:
                raise Refused(f"it has more than the {self._wanted.size:,} bytes that its pointer says")
            yield block
        if done != self._wanted.size:
            raise Refused(f"it has {done:,} bytes and its pointer says {self._wanted.size:,}")
        if digest.hexdigest() != self._wanted.oid:
            raise Refused("its bytes are not those of its SHA-256")


class Client:
    """The LFS API at `api` (`…/info/lfs`); a context manager, safe to share between threads.

    What may work later (no connection, 429, 5xx) is tried `attempts` times with growing waits.
    """

    def __init__(
        self,
        api: str,
        token: str = "",
        *,
        login: tuple[str, str] | None = None,
        attempts: int = ATTEMPTS,
        sleep: Callable[[float], None] = time.sleep,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.api = api
        self._attempts, self._sleep = attempts, sleep
        name, secret = login or ("x-access-token", token)
        basic = base64.b64encode(f"{name}:{secret}".encode()).decode()
        self._own = {"Authorization": f"Basic {basic}"} if secret else {}
        timeout = httpx.Timeout(60.0, connect=10.0)
        self._http = httpx.Client(timeout=timeout, transport=transport, follow_redirects=True)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._http.close()

    def batch(self, operation: Operation, objects: Sequence[LfsObject], ref: str = "") -> dict[str, Answer]:
        """What to do with each of at most BATCH objects, by oid; Refused when the server answers no such question."""
        body: dict[str, Any] = {
            "operation": operation,
            "transfers": ["basic"],
            "objects": [{"oid": o.oid, "size": o.size} for o in objects],
            "hash_algo": "sha256",
        }
        if ref:
            body["ref"] = {"name": ref}
        headers = {"Accept": _MEDIA, "Content-Type": _MEDIA, **self._own}
        answer = self._tried(lambda: self._http.post(f"{self.api}/objects/batch", json=body, headers=headers))
        try:
            told = answer.json()
            if told.get("transfer", "basic") != "basic":
                raise Refused(f"{self._host} has no basic transfer")
            found = {str(row["oid"]): self._answer(row) for row in told["objects"]}
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Refused(f"{self._host} does not speak the LFS API") from None
        return {o.oid: found.get(o.oid, Answer({}, "the server does not mention it")) for o in objects}

    def _answer(self, row: Mapping[str, Any]) -> Answer:
        if error := row.get("error"):
            return Answer({}, f"{self._host}: {_words(error.get('message'))} ({int(error.get('code', 0))})")
        actions = {}
        for name, action in (row.get("actions") or {}).items():
            href = urljoin(f"{self.api}/", str(action["href"]))
            header = {str(k): str(v) for k, v in (action.get("header") or {}).items()}
            if "authorization" not in map(str.lower, header) and _origin(href) == _origin(self.api):
                header |= self._own
            if urlsplit(href).scheme not in {"http", "https"}:
                return Answer({}, f"{self._host} names an address that is not http")
            actions[str(name)] = Action(href, header)
        return Answer(actions)

    def download(self, wanted: LfsObject, action: Action, into: Path) -> None:
        """An object into a new file, verified as it streams; Refused when it cannot be had."""
        if shutil.disk_usage(into.parent).free < wanted.size:
            raise Refused(f"there is no room for its {wanted.size:,} bytes in {into.parent}")

        def attempt() -> httpx.Response:
            with self._http.stream("GET", action.href, headers=dict(action.header)) as answer:
                if answer.is_success:
                    with into.open("wb") as out:
                        out.writelines(Verifying(wanted, answer.iter_bytes(CHUNK)))
                return answer

        self._tried(attempt)

    def upload(self, stored: LfsObject, actions: Mapping[str, Action], blocks: Callable[[], Iterable[bytes]]) -> None:
        """An object to where the server wants it; `blocks()` gives its bytes, from the start each time."""
        if "upload" not in actions:
            return  # it is there
        put, verify = actions["upload"], actions.get("verify")
        headers = httpx.Headers({"Content-Type": "application/octet-stream", "Content-Length": str(stored.size)})
        headers.update(put.header)
        if headers.pop("Transfer-Encoding", ""):  # GitLab asks for chunks, stores of the S3 kind refuse them
            headers.pop("Content-Length")
        self._tried(lambda: self._http.put(put.href, content=iter(blocks()), headers=headers))
        if verify:
            told = {"oid": stored.oid, "size": stored.size}
            as_json = {"Accept": _MEDIA, "Content-Type": _MEDIA, **verify.header}
            self._tried(lambda: self._http.post(verify.href, json=told, headers=as_json))

    def _tried(self, attempt: Callable[[], httpx.Response]) -> httpx.Response:
        for number in range(1, self._attempts + 1):
            wait: float | None = None
            try:
                answer = attempt()
            except httpx.InvalidURL:
                raise Refused(f"{self._host} names an address that is none") from None
            except httpx.HTTPError as err:
                said = f"{self._host} did not answer ({type(err).__name__})"
            else:
                if answer.is_success:
                    return answer
                said = f"{self._host} answered {answer.status_code}"
                if answer.status_code not in _LATER:
                    raise Refused(said)
                after = answer.headers.get("retry-after", "")
                wait = float(after) if after.isascii() and after.isdigit() else None
            if number == self._attempts or (wait or 0) > _LONGEST_WAIT:
                break
            self._sleep(wait if wait is not None else 0.5 * 2 ** (number - 1) * random.uniform(0.8, 1.2))
        raise Refused(said, later=True)

    @property
    def _host(self) -> str:
        return urlsplit(self.api).netloc


def login_of(url: str) -> tuple[str, str] | None:
    """The name and password that an http(s) URL holds."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.password:
        return None
    return unquote(parts.username or ""), unquote(parts.password)


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _words(said: object) -> str:
    return "".join(c for c in " ".join(str(said or "no reason given").split()) if c.isprintable())[:200]
