"""GitHub's REST calls, as https://docs.github.com/rest documents them, over a `Forge`."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pivo.stack.localforge.repos import Account, BadName, Forge, NameTaken, Repository

DOCS = "https://docs.github.com/rest"
VERSION = "3.17.0"  # the GitHub Enterprise Server release whose answers these are
_BODY_LIMIT = 1 << 20


class Refused(Exception):
    """A call that ends in an error answer."""

    def __init__(self, status: int, message: str, errors: list[dict[str, str]] | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.errors = status, message, errors


def routes() -> list[Route]:
    """The calls, below the API's base path."""
    return [
        Route("/", meta),
        Route("/meta", meta),
        Route("/user", user),
        Route("/user/repos", list_own, methods=["GET"]),
        Route("/user/repos", create, methods=["POST"]),
        Route("/users/{owner}", owner_facts),
        Route("/users/{owner}/repos", list_of),
        Route("/orgs/{owner}", owner_facts),
        Route("/orgs/{owner}/repos", list_of, methods=["GET"]),
        Route("/orgs/{owner}/repos", create, methods=["POST"]),
        Route("/repos/{owner}/{name}", get, methods=["GET"]),
        Route("/repos/{owner}/{name}", change, methods=["PATCH"]),
        Route("/repos/{owner}/{name}/branches", branches),
    ]


async def refused(request: Request, err: Exception) -> Response:
    """The error answer for a Refused."""
    assert isinstance(err, Refused)
    body: dict[str, Any] = {"message": err.message}
    if err.errors:
        body["errors"] = err.errors
    return answer(request, body | {"documentation_url": DOCS, "status": str(err.status)}, err.status)


def answer(request: Request, body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer with the headers that GitHub sends."""
    account = getattr(request.state, "account", None)
    head = {
        "X-GitHub-Media-Type": "github.v3; format=json",
        "X-GitHub-Enterprise-Version": VERSION,
        "X-GitHub-Request-Id": secrets.token_hex(8).upper(),
        "X-RateLimit-Limit": "5000",
        "X-RateLimit-Remaining": "4999",
    }
    if account:
        accepted = "public_repo, repo" if request.method != "GET" else ""
        head |= {"X-OAuth-Scopes": account.scopes, "X-Accepted-OAuth-Scopes": accepted}
    return Response(json.dumps(body), status, head | (headers or {}), media_type="application/json; charset=utf-8")


def credentials(header: str | None, forge: Forge) -> Account | None:
    """The account of an Authorization header (Bearer, token, or Basic with the token as its password).

    None without a header; Refused(401) for a token that is not known.
    """
    if not header:
        return None
    scheme, _, value = header.partition(" ")
    token = value.strip()
    if scheme.lower() == "basic":
        try:
            name, _, token = base64.b64decode(token, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise Refused(401, "Bad credentials") from None
        token = token if token not in {"", "x-oauth-basic"} else name
    elif scheme.lower() not in {"bearer", "token"}:
        raise Refused(401, "Bad credentials")
    for known, account in forge.tokens.items():
        if secrets.compare_digest(known.encode(), token.encode()):
            return account
    raise Refused(401, "Bad credentials")


def _account(request: Request) -> Account | None:
    request.state.account = credentials(request.headers.get("authorization"), _forge(request))
    account: Account | None = request.state.account
    return account


def _writer(request: Request) -> Account:
    account = _account(request)
    if account is None:
        raise Refused(401, "Requires authentication")
    if not account.write:
        raise Refused(403, "Resource not accessible by personal access token")
    return account


def _forge(request: Request) -> Forge:
    forge: Forge = request.app.state.forge
    return forge


def _find(request: Request, account: Account | None) -> Repository:
    repo = _forge(request).find(request.path_params["owner"], request.path_params["name"])
    if repo is None or (repo.private and account is None):
        raise Refused(404, "Not Found")
    return repo


async def _body(request: Request) -> dict[str, Any]:
    raw = b""
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > _BODY_LIMIT:
            raise Refused(413, "Payload too large")
    try:
        body = json.loads(raw or b"{}")
    except ValueError:
        raise Refused(400, "Problems parsing JSON") from None
    if not isinstance(body, dict):
        raise Refused(400, "Body should be a JSON object")
    return body


def meta(request: Request) -> Response:
    _account(request)
    return answer(request, {"verifiable_password_authentication": False, "installed_version": VERSION})


def user(request: Request) -> Response:
    account = _account(request)
    if account is None:
        raise Refused(401, "Requires authentication")
    return answer(request, _owner(request, account.login))


def owner_facts(request: Request) -> Response:
    _account(request)
    name = request.path_params["owner"]
    forge = _forge(request)
    of_org = request.url.path.rsplit("/", 2)[-2] == "orgs"
    if forge.of_owner(name) is None and not forge.has_org(name):
        raise Refused(404, "Not Found")
    if of_org and forge.is_user(name):
        raise Refused(404, "Not Found")
    return answer(request, _owner(request, name))


def list_own(request: Request) -> Response:
    account = _account(request)
    if account is None:
        raise Refused(401, "Requires authentication")
    return _page(request, _forge(request).of_owner(account.login) or [])


def list_of(request: Request) -> Response:
    account = _account(request)
    repos = _forge(request).of_owner(request.path_params["owner"])
    if repos is None:
        raise Refused(404, "Not Found")
    return _page(request, [r for r in repos if account or not r.private])


def get(request: Request) -> Response:
    return answer(request, _repository(request, _find(request, _account(request))))


def branches(request: Request) -> Response:
    repo = _find(request, _account(request))
    found = _forge(request).branches(repo)
    return answer(request, [{"name": n, "commit": {"sha": c}, "protected": False} for n, c in found])


async def create(request: Request) -> Response:
    account, forge = _writer(request), _forge(request)
    owner = request.path_params.get("owner", account.login)
    if "owner" in request.path_params and not forge.has_org(owner):
        raise Refused(404, "Not Found")
    body = await _body(request)
    name = body.get("name")
    if not isinstance(name, str) or not name:
        raise _invalid("name", "missing_field", "name is missing")
    try:
        repo = forge.create(owner, name, body.get("description"), bool(body.get("private", False)))
    except NameTaken:
        raise _invalid("name", "custom", "name already exists on this account") from None
    except BadName:
        raise _invalid("name", "custom", "name is invalid") from None
    shown = _repository(request, repo)
    return answer(request, shown, 201, {"Location": shown["url"]})


async def change(request: Request) -> Response:
    account, forge = _writer(request), _forge(request)
    repo, body = _find(request, account), await _body(request)
    if unknown := set(body) - {"name", "description", "default_branch", "private", "visibility"}:
        raise Refused(422, f"Invalid request: {', '.join(sorted(unknown))}")
    branch = body.get("default_branch")
    if branch is not None and branch != repo.default_branch:
        if branch not in [name for name, _ in forge.branches(repo)]:
            message = (
                f"The branch {branch} was not found. Please push that ref first or create it via the Git Data API."
            )
            raise _invalid("default_branch", "invalid", message)
        repo = forge.set_default_branch(repo, branch)
    if "description" in body:
        repo = forge.describe(repo, body["description"])
    return answer(request, _repository(request, repo))


def _invalid(field: str, code: str, message: str) -> Refused:
    error = {"resource": "Repository", "code": code, "field": field, "message": message}
    return Refused(422, "Repository creation failed." if field == "name" else "Validation Failed", [error])


def _page(request: Request, repos: list[Repository]) -> Response:
    """One page of a list, and the Link header to the others (`per_page` at most 100, 30 by default)."""
    size = max(1, min(100, _number(request, "per_page", 30)))
    page = max(1, _number(request, "page", 1))
    last = max(1, -(-len(repos) // size))
    links = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
    shown = {k: n for k, n in links.items() if (n >= 1 and n < page) or (n > page and n <= last)}
    header = ", ".join(
        f'<{request.url.include_query_params(page=n, per_page=size)}>; rel="{rel}"' for rel, n in shown.items()
    )
    rows = [_repository(request, r) for r in repos[(page - 1) * size : page * size]]
    return answer(request, rows, headers={"Link": header} if header else None)


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdigit() else default


def _base(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


def _owner(request: Request, login: str) -> dict[str, Any]:
    base, person = _base(request), _forge(request).is_user(login)
    return {
        "login": login,
        "id": sum(login.encode()) + 1,
        "type": "User" if person else "Organization",
        "url": f"{base}/api/v3/users/{login}",
        "html_url": f"{base}/{login}",
        "repos_url": f"{base}/api/v3/users/{login}/repos",
        "site_admin": False,
    }


def _repository(request: Request, repo: Repository) -> dict[str, Any]:
    base, account = _base(request), getattr(request.state, "account", None)
    write = bool(account and account.write)
    return {
        "id": repo.id,
        "name": repo.name,
        "full_name": repo.full_name,
        "private": repo.private,
        "visibility": "private" if repo.private else "public",
        "owner": _owner(request, repo.owner),
        "html_url": f"{base}/{repo.full_name}",
        "description": repo.description,
        "fork": False,
        "archived": False,
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
