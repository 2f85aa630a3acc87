"""GitHub's answers: headers, errors, pages, and how a person, an organisation and a repository look in JSON."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from pivo.stack.localforge.access import Refused, forge_of
from pivo.stack.localforge.limits import ABOUT
from pivo.stack.localforge.repos import Forge, Repository

DOCS = "https://docs.github.com/rest"
VERSION = "3.17.0"  # the GitHub Enterprise Server release whose answers these are


async def refused(request: Request, err: Exception) -> Response:
    """The error answer for a Refused."""
    assert isinstance(err, Refused)
    about = ABOUT["secondary" if "secondary" in err.message else "primary"] if "rate limit" in err.message else DOCS
    body: dict[str, Any] = {"message": err.message}
    if err.errors:
        body["errors"] = err.errors
    return answer(request, body | {"documentation_url": about, "status": str(err.status)}, err.status, err.headers)


def answer(request: Request, body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer with the headers that GitHub sends."""
    account = getattr(request.state, "account", None)
    head = {
        "X-GitHub-Media-Type": "github.v3; format=json",
        "X-GitHub-Enterprise-Version": VERSION,
        "X-GitHub-Request-Id": secrets.token_hex(8).upper(),
    }
    if limits := forge_of(request).limits:
        head |= limits.headers(account.login if account else "")
    if account and not account.fine_grained:
        accepted = "public_repo, repo" if request.method != "GET" else ""
        head |= {"X-OAuth-Scopes": account.scopes, "X-Accepted-OAuth-Scopes": accepted}
    content = b"" if status == 204 else json.dumps(body).encode()
    return Response(content, status, head | (headers or {}), media_type="application/json; charset=utf-8")


def page(request: Request, rows: Sequence[Any]) -> tuple[list[Any], dict[str, str]]:
    """One page of a list, and the Link header to the others (`per_page` at most 100, 30 by default)."""
    size = max(1, min(100, _number(request, "per_page", 30)))
    number = max(1, _number(request, "page", 1))
    last = max(1, -(-len(rows) // size))
    links = {"prev": number - 1, "next": number + 1, "last": last, "first": 1}
    shown = {k: n for k, n in links.items() if (n >= 1 and n < number) or (n > number and n <= last)}
    header = ", ".join(
        f'<{request.url.include_query_params(page=n, per_page=size)}>; rel="{rel}"' for rel, n in shown.items()
    )
    return list(rows[(number - 1) * size : number * size]), {"Link": header} if header else {}


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdigit() else default


def base(request: Request) -> str:
    """The address that the forge was reached at."""
    return f"{request.url.scheme}://{request.url.netloc}"


def owner(forge: Forge, base: str, login: str) -> dict[str, Any]:
    """A person or an organisation."""
    return {
        "login": login,
        "id": sum(login.encode()) + 1,
        "type": "User" if forge.is_user(login) else "Organization",
        "url": f"{base}/api/v3/users/{login}",
        "html_url": f"{base}/{login}",
        "repos_url": f"{base}/api/v3/users/{login}/repos",
        "site_admin": False,
    }


def repository(forge: Forge, base: str, repo: Repository, write: bool) -> dict[str, Any]:
    """A repository, as somebody sees it who may `write` to it or not."""
    return {
        "id": repo.id,
        "name": repo.name,
        "full_name": repo.full_name,
        "private": repo.private,
        "visibility": "private" if repo.private else "public",
        "owner": owner(forge, base, repo.owner),
        "html_url": f"{base}/{repo.full_name}",
        "description": repo.description,
        "fork": repo.fork,
        "archived": repo.archived,
        "disabled": False,
        "url": f"{base}/api/v3/repos/{repo.full_name}",
        "clone_url": f"{base}/{repo.full_name}.git",
        "created_at": repo.created_at,
        "updated_at": repo.pushed_at,
        "pushed_at": repo.pushed_at,
        "size": repo.size,
        "default_branch": repo.default_branch,
        "permissions": {"admin": write, "push": write, "pull": True},
    }
