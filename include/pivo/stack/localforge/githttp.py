"""git's smart HTTP protocol through `git http-backend` (a CGI program), streamed both ways.

Only the three calls of the smart protocol are passed on; the paths that http-backend has for dumb clients are
not. Memory does not grow with the size of a push: bodies flow in chunks, chunked and gzipped ones included
(http-backend reads to the end of input when it is told no length, and inflates by itself).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from dataclasses import dataclass
from urllib.parse import unquote

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from pivo.gitmemory import BOUNDED
from pivo.stack.localforge.access import Refused, credentials
from pivo.stack.localforge.repos import Account, Forge, Repository, git_environment
from pivo.stack.localforge.webhooks import Webhooks

log = logging.getLogger(__name__)

_CALL = re.compile(r"^/([^/]+)/([^/]+?)(?:\.git)?/(info/refs|git-upload-pack|git-receive-pack)$")
_CONFIG = {
    "http.receivepack": "true",
    "receive.hideRefs": "refs/pull",  # as GitHub: they can be fetched, and a push to them is refused
    "receive.advertisePushOptions": "false",
    "uploadpack.allowAnySHA1InWant": "true",
    "core.fsync": "none",  # this forge is for trials; a power cut may cost the last push
    "gc.auto": "0",
    **BOUNDED,
}
_CHUNK = 1 << 16


@dataclass(frozen=True)
class Call:
    """One request of the protocol: `path` below the repository, `service` the program that it runs."""

    owner: str
    name: str
    path: str
    service: str


class GitHttp:
    """Answers git's requests for the repositories of a forge."""

    def __init__(self, forge: Forge, hooks: Webhooks) -> None:
        self.forge, self.hooks = forge, hooks

    def match(self, scope: Scope) -> Call | None:
        """The call that a request makes, or None when it is no git request."""
        found = _CALL.match(unquote(scope["path"]))
        if not found:
            return None
        owner, name, path = found.groups()
        query = scope["query_string"].decode("latin-1")
        service = path.removeprefix("git-") if path != "info/refs" else query.removeprefix("service=git-")
        if service not in {"upload-pack", "receive-pack"}:
            return None
        return Call(owner, name, path, service)

    async def serve(self, call: Call, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the call."""
        request = Request(scope, receive)
        try:
            account = credentials(request.headers.get("authorization"), self.forge)
        except Refused:
            await _text(401, "Invalid username or token.", challenge=True)(scope, receive, send)
            return
        repo = await asyncio.to_thread(self.forge.find, call.owner, call.name)
        refusal = self._refusal(call, account, repo)
        if refusal is not None or repo is None:
            await (refusal or _text(404, "Repository not found."))(scope, receive, send)
            return
        if call.path != "git-receive-pack":
            await self._run(call, repo, account, request, send)
            return
        before = await asyncio.to_thread(self.hooks.refs, repo)
        try:
            await self._run(call, repo, account, request, send)
        finally:
            await asyncio.to_thread(self.forge.adopt_first_branch, repo.path)
            if before is not None:
                base, who = str(request.base_url).rstrip("/"), account.login if account else "ghost"
                await asyncio.to_thread(self.hooks.pushed, repo, before, who, base)

    def _refusal(self, call: Call, account: Account | None, repo: Repository | None) -> Response | None:
        push = call.service == "receive-pack"
        hidden = repo is None or (repo.private and not self.forge.anonymous_read)
        if account is None and (push or hidden):
            return _text(401, "Authentication required.", challenge=True)
        if repo is None:
            return _text(404, "Repository not found.")
        if not self.forge.lets_in(account, repo.owner):
            return _text(403, f"The '{repo.owner}' organization has enabled or enforced SAML SSO.")
        if push and account and not account.write:
            return _text(403, f"Permission to {repo.full_name}.git denied to {account.login}.")
        if push and repo.archived:
            return _text(403, "This repository was archived so it is read-only.")
        return None

    async def _run(self, call: Call, repo: Repository, account: Account | None, request: Request, send: Send) -> None:
        process = await asyncio.create_subprocess_exec(
            "git",
            "http-backend",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=git_environment() | _cgi(call, repo, account, request.scope, request.headers),
        )
        feeding = asyncio.create_task(_feed(request, process))
        try:
            await _answer(process, send)
            await feeding
        except BaseException as err:
            feeding.cancel()
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            if not isinstance(err, ConnectionError | ClientDisconnect):
                raise
            log.info("%s of %s: the client went away", call.service, repo.full_name)
        finally:
            await process.wait()


def _cgi(call: Call, repo: Repository, account: Account | None, scope: Scope, headers: Headers) -> dict[str, str]:
    """The CGI environment (RFC 3875) and git's configuration for this one request."""
    env = {
        "GIT_PROJECT_ROOT": str(repo.path),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{call.path}",
        "REQUEST_METHOD": scope["method"],
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": headers.get("content-type", ""),
        "GIT_CONFIG_COUNT": str(len(_CONFIG)),
    }
    for number, (key, setting) in enumerate(_CONFIG.items()):
        env |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": setting}
    if account:
        env["REMOTE_USER"] = account.login
    for header, variable in {
        "content-length": "CONTENT_LENGTH",
        "content-encoding": "HTTP_CONTENT_ENCODING",
        "git-protocol": "GIT_PROTOCOL",
    }.items():
        if value := headers.get(header):
            env[variable] = value
    return env


async def _feed(request: Request, process: asyncio.subprocess.Process) -> None:
    """Pass the request's body to the program; a program that stops reading early is its own affair."""
    assert process.stdin
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        async for chunk in request.stream():
            process.stdin.write(chunk)
            await process.stdin.drain()
    process.stdin.close()


async def _answer(process: asyncio.subprocess.Process, send: Send) -> None:
    """Pass the program's answer on: CGI headers (`Status:` among them), an empty line, the body."""
    assert process.stdout
    status, headers = 200, []
    while line := (await process.stdout.readline()).rstrip(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"status":
            status = int(value.split()[0])
        else:
            headers.append((name.lower(), value.strip()))
    if not headers:
        status, headers = 500, [(b"content-type", b"text/plain")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    while chunk := await process.stdout.read(_CHUNK):
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _text(status: int, message: str, challenge: bool = False) -> Response:
    headers = {"WWW-Authenticate": 'Basic realm="PIVO local forge"'} if challenge else None
    return Response(message + "\n", status, headers, media_type="text/plain")
