"""git LFS beside a repository: the batch API and the basic transfer, as git-lfs's docs/api has them.

As on GitHub, objects come and go at addresses of their own with an Authorization of their own, good for one object,
one way and an hour; the token is for the batch API only. They lie where git-lfs keeps them, `<repo>.git/lfs/objects`.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import re
import secrets
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from pivo.stack.localforge.access import Refused, credentials
from pivo.stack.localforge.repos import Forge, Repository

_MEDIA = "application/vnd.git-lfs+json"
_OID = re.compile(r"^[0-9a-f]{64}$")
_BODY_LIMIT = 1 << 20
_MOST = 1000  # objects in one question
_GOOD_FOR = 3600  # seconds
_KEY = secrets.token_bytes(32)


def routes() -> list[Route]:
    """The calls, below the forge's root."""
    base = "/{owner}/{name}/info/lfs/objects"
    return [
        Route(f"{base}/batch", batch, methods=["POST"]),
        Route(f"{base}/{{oid}}", download, methods=["GET"]),
        Route(f"{base}/{{oid}}", upload, methods=["PUT"]),
        Route(f"{base}/{{oid}}/verify", verify, methods=["POST"]),
    ]


def stored(repo: Path, oid: str) -> Path:
    """Where a repository keeps an object."""
    return repo / "lfs" / "objects" / oid[:2] / oid[2:4] / oid


async def batch(request: Request) -> Response:
    """Which objects are there, and where to take or bring them."""
    forge: Forge = request.app.state.forge
    try:
        account = credentials(request.headers.get("authorization"), forge)
    except Refused as err:
        return _said(err.status, err.message)
    repo = _repository(request)
    if account is None and (repo is None or (repo.private and not forge.anonymous_read)):
        return _said(401, "Credentials needed")
    if repo is None:
        return _said(404, "Not Found")
    asked = await _json(request)
    operation = asked.get("operation")
    if operation not in {"download", "upload"} or "basic" not in asked.get("transfers", ["basic"]):
        return _said(422, "Unknown operation or transfer")
    if operation == "upload" and (account is None or not account.write):
        return _said(401 if account is None else 403, "You must have push access to upload")
    objects = asked.get("objects")
    if not isinstance(objects, list) or len(objects) > _MOST:
        return _said(413, f"At most {_MOST} objects")
    base = str(request.url).partition("/objects/batch")[0]
    answers = [_object(base, repo, operation, row) for row in objects]
    return _answer(200, {"transfer": "basic", "objects": answers, "hash_algo": "sha256"})


def _object(base: str, repo: Repository, operation: str, row: Any) -> dict[str, Any]:
    oid, size = str(row.get("oid")), row.get("size")
    told: dict[str, Any] = {"oid": oid, "size": size}
    if not _OID.match(oid) or not isinstance(size, int) or size < 0:
        return told | {"error": {"code": 422, "message": "Not a SHA-256 and a size"}}
    there = stored(repo.path, oid).is_file()
    if operation == "download" and not there:
        return told | {"error": {"code": 404, "message": "Object does not exist on the server"}}
    if operation == "upload" and there:
        return told
    actions = {operation: _action(f"{base}/objects/{oid}", repo, operation, oid)}
    if operation == "upload":
        actions["verify"] = _action(f"{base}/objects/{oid}/verify", repo, "verify", oid)
    return told | {"authenticated": True, "actions": actions}


def _action(href: str, repo: Repository, way: str, oid: str) -> dict[str, Any]:
    until = int(time.time()) + _GOOD_FOR
    header = {"Authorization": f"RemoteAuth {until}-{_signature(repo, way, oid, until)}"}
    return {"href": href, "header": header, "expires_in": _GOOD_FOR}


def _signature(repo: Repository, way: str, oid: str, until: int) -> str:
    return hmac.new(_KEY, f"{repo.full_name}\n{way}\n{oid}\n{until}".encode(), hashlib.sha256).hexdigest()


def _allowed(request: Request, way: str) -> tuple[Repository, str] | Response:
    """The repository and the object that a request's own Authorization is for."""
    repo, oid = _repository(request), request.path_params["oid"]
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    until, _, signature = value.partition("-")
    if repo is None or not _OID.match(oid) or scheme != "RemoteAuth" or not until.isdigit():
        return _said(403, "Forbidden")
    if int(until) < time.time() or not hmac.compare_digest(signature, _signature(repo, way, oid, int(until))):
        return _said(403, "Forbidden")
    return repo, oid


def download(request: Request) -> Response:
    """An object's bytes."""
    allowed = _allowed(request, "download")
    if isinstance(allowed, Response):
        return allowed
    path = stored(allowed[0].path, allowed[1])
    return FileResponse(path, media_type="application/octet-stream") if path.is_file() else _said(404, "Not Found")


async def upload(request: Request) -> Response:
    """Takes an object in, if its bytes have the SHA-256 that it is named by."""
    allowed = _allowed(request, "upload")
    if isinstance(allowed, Response):
        return allowed
    path = stored(allowed[0].path, allowed[1])
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.parent / f".{uuid.uuid4().hex}"
    try:
        if await _kept(request.stream(), part) != allowed[1]:
            return _said(422, "The content does not have that SHA-256")
        part.rename(path)
    except ClientDisconnect:
        return _said(400, "The client went away")
    finally:
        part.unlink(missing_ok=True)
    return Response(status_code=200)


async def _kept(stream: AsyncIterator[bytes], path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("xb") as out:
        async for chunk in stream:
            digest.update(chunk)
            out.write(chunk)
    return digest.hexdigest()


async def verify(request: Request) -> Response:
    """Whether an object came whole."""
    allowed = _allowed(request, "verify")
    if isinstance(allowed, Response):
        return allowed
    asked, path = await _json(request), stored(allowed[0].path, allowed[1])
    whole = path.is_file() and asked.get("oid") == allowed[1] and asked.get("size") == path.stat().st_size
    return Response(status_code=200) if whole else _said(404, "The object is not there in that size")


def _repository(request: Request) -> Repository | None:
    forge: Forge = request.app.state.forge
    return forge.find(request.path_params["owner"], request.path_params["name"].removesuffix(".git"))


async def _json(request: Request) -> dict[str, Any]:
    raw = b""
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > _BODY_LIMIT:
            return {}
    with contextlib.suppress(ValueError):
        body = json.loads(raw)
        if isinstance(body, dict):
            return body
    return {}


def _answer(status: int, body: dict[str, Any]) -> Response:
    headers = {"LFS-Authenticate": 'Basic realm="PIVO local forge"'} if status == 401 else None
    return Response(json.dumps(body), status, headers, media_type=_MEDIA)


def _said(status: int, message: str) -> Response:
    return _answer(status, {"message": message})
