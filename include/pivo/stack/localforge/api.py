"""GitHub's REST calls, as https://docs.github.com/rest documents them, over a `Forge`."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pivo.stack.localforge import answers
from pivo.stack.localforge.access import Refused, account, body, find, forge_of, known, writer
from pivo.stack.localforge.answers import answer
from pivo.stack.localforge.repos import BadName, NameTaken, Repository

_CHANGES = {"name", "description", "default_branch", "private", "visibility", "archived"}
_DESCRIPTION = 350  # characters


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
        Route("/repos/{owner}/{name}/forks", fork, methods=["POST"]),
    ]


def meta(request: Request) -> Response:
    account(request)
    return answer(request, {"verifiable_password_authentication": False, "installed_version": answers.VERSION})


def user(request: Request) -> Response:
    return answer(request, answers.owner(forge_of(request), answers.base(request), known(request).login))


def owner_facts(request: Request) -> Response:
    account(request)
    name, forge = request.path_params["owner"], forge_of(request)
    if forge.of_owner(name) is None and not forge.has_org(name):
        raise Refused(404, "Not Found")
    if _of_org(request) and forge.is_user(name):
        raise Refused(404, "Not Found")
    return answer(request, answers.owner(forge, answers.base(request), name))


def list_own(request: Request) -> Response:
    return _page(request, forge_of(request).of_owner(known(request).login) or [])


def list_of(request: Request) -> Response:
    """An organisation's repositories; of a person, as on GitHub, the public ones."""
    asker, owner, forge = account(request), request.path_params["owner"], forge_of(request)
    repos = forge.of_owner(owner)
    if repos is None or (_of_org(request) and forge.is_user(owner)):
        raise Refused(404, "Not Found")
    return _page(request, [r for r in repos if not r.private or (asker and _of_org(request))])


def get(request: Request) -> Response:
    return answer(request, _repository(request, find(request, account(request))))


def branches(request: Request) -> Response:
    repo = find(request, account(request))
    found = forge_of(request).branches(repo)
    return answer(request, [{"name": n, "commit": {"sha": c}, "protected": False} for n, c in found])


async def create(request: Request) -> Response:
    asker, forge = writer(request), forge_of(request)
    owner = request.path_params.get("owner", asker.login)
    if "owner" in request.path_params and not forge.has_org(owner):
        raise Refused(404, "Not Found")
    told = await body(request)
    name, description = told.get("name"), told.get("description")
    if not isinstance(name, str) or not name:
        raise _invalid("name", "missing_field", "name is missing")
    _check_description(description)
    try:
        repo = forge.create(owner, name, description, bool(told.get("private", False)))
    except NameTaken:
        raise _invalid("name", "custom", "name already exists on this account") from None
    except BadName:
        raise _invalid("name", "custom", "name is invalid") from None
    shown = _repository(request, repo)
    return answer(request, shown, 201, {"Location": shown["url"]})


async def fork(request: Request) -> Response:
    asker, forge = writer(request), forge_of(request)
    source, told = find(request, asker), await body(request)
    owner, name = told.get("organization") or asker.login, told.get("name") or source.name
    try:
        return answer(request, _repository(request, forge.fork(source, owner, name)), 202)
    except NameTaken:
        raise _invalid("name", "custom", "name already exists on this account") from None
    except BadName:
        raise _invalid("name", "custom", "name is invalid") from None


async def change(request: Request) -> Response:
    asker, forge = writer(request), forge_of(request)
    repo, told = find(request, asker), await body(request)
    if unknown := set(told) - _CHANGES:
        raise Refused(422, f"Invalid request: {', '.join(sorted(unknown))}")
    if repo.archived and told.get("archived") is not False:
        raise Refused(403, "Repository was archived so is read-only.")
    branch = told.get("default_branch")
    if branch is not None and branch != repo.default_branch:
        if branch not in [name for name, _ in forge.branches(repo)]:
            message = (
                f"The branch {branch} was not found. Please push that ref first or create it via the Git Data API."
            )
            raise _invalid("default_branch", "invalid", message)
        repo = forge.set_default_branch(repo, branch)
    _check_description(told.get("description"))
    facts = {key: told[key] for key in ("description", "archived") if key in told}
    return answer(request, _repository(request, forge.change(repo, **facts)))


def _check_description(text: Any) -> None:
    if isinstance(text, str) and not text.isprintable():
        raise _invalid("description", "custom", "description control characters are not allowed")
    if isinstance(text, str) and len(text) > _DESCRIPTION:
        raise _invalid("description", "custom", f"description is too long (maximum is {_DESCRIPTION} characters)")


def _invalid(field: str, code: str, message: str) -> Refused:
    error = {"resource": "Repository", "code": code, "field": field, "message": message}
    return Refused(422, "Repository creation failed." if field == "name" else "Validation Failed", [error])


def _of_org(request: Request) -> bool:
    return request.url.path.startswith("/api/v3/orgs/")


def _page(request: Request, repos: list[Repository]) -> Response:
    rows, links = answers.page(request, repos)
    return answer(request, [_repository(request, r) for r in rows], headers=links)


def _repository(request: Request, repo: Repository) -> dict[str, Any]:
    asker = getattr(request.state, "account", None)
    return answers.repository(forge_of(request), answers.base(request), repo, bool(asker and asker.write))
