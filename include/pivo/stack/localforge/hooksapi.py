"""The REST calls about webhooks, of a repository and of an organisation: https://docs.github.com/rest/repos/webhooks."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pivo.stack.localforge import answers
from pivo.stack.localforge.access import Refused, body, find, forge_of, writer
from pivo.stack.localforge.answers import answer
from pivo.stack.localforge.webhooks import Hook, Webhooks

_PERMISSION = {"repos": "repository_hooks=write", "orgs": "organization_hooks=write"}


def routes() -> list[Route]:
    """The calls, below the API's base path."""
    made = []
    for base in ("/repos/{owner}/{name}/hooks", "/orgs/{owner}/hooks"):
        made += [
            Route(base, list_hooks, methods=["GET"]),
            Route(base, create, methods=["POST"]),
            Route(base + "/{hook:int}", get, methods=["GET"]),
            Route(base + "/{hook:int}", delete, methods=["DELETE"]),
            Route(base + "/{hook:int}/pings", ping, methods=["POST"]),
            Route(base + "/{hook:int}/deliveries", deliveries, methods=["GET"]),
            Route(base + "/{hook:int}/deliveries/{delivery:int}/attempts", again, methods=["POST"]),
        ]
    return made


def list_hooks(request: Request) -> Response:
    folder = _folder(request)
    rows, links = answers.page(request, _hooks(request).of(folder))
    return answer(request, [_shown(request, h) for h in rows], headers=links)


async def create(request: Request) -> Response:
    folder, told = _folder(request), await body(request)
    config = told.get("config")
    url = config.get("url") if isinstance(config, dict) else None
    if not isinstance(config, dict) or not isinstance(url, str) or urlsplit(url).scheme not in {"http", "https"}:
        raise _invalid("url is missing or invalid")
    events, form = told.get("events", ["push"]), config.get("content_type", "form") != "json"
    if not isinstance(events, list) or not all(isinstance(e, str) for e in events):
        raise _invalid("events is invalid")
    hooks = _hooks(request)
    there = hooks.of(folder)
    if any(h.url == url and h.events == tuple(events) for h in there):
        raise _invalid("Hook already exists on this repository")
    secret, active = str(config.get("secret") or ""), bool(told.get("active", True))
    hook = Hook(secrets.randbelow(1 << 31), url, tuple(events), secret, form, active)
    hooks.keep(folder, [*there, hook])
    hooks.ping(hook, _of_org(request), _about(request))
    return answer(request, _shown(request, hook), 201)


def get(request: Request) -> Response:
    return answer(request, _shown(request, _find(request)))


def delete(request: Request) -> Response:
    hook, folder = _find(request), _folder(request)
    _hooks(request).keep(folder, [h for h in _hooks(request).of(folder) if h.id != hook.id])
    return answer(request, None, 204)


def ping(request: Request) -> Response:
    _hooks(request).ping(_find(request), _of_org(request), _about(request))
    return answer(request, None, 204)


def deliveries(request: Request) -> Response:
    sent = _hooks(request).deliveries(_find(request))
    rows = [
        {"id": s.id, "guid": s.guid, "event": s.event, "status_code": s.status, "redelivery": s.redelivery,
         "delivered_at": s.at, "status": "OK" if 200 <= s.status < 300 else "failed"}
        for s in sent
    ]  # fmt: skip
    shown, links = answers.page(request, rows)
    return answer(request, shown, headers=links)


def again(request: Request) -> Response:
    hook, number = _find(request), request.path_params["delivery"]
    for sent in _hooks(request).deliveries(hook):
        if sent.id == number:
            _hooks(request).again(hook, _of_org(request), sent)
            return answer(request, {}, 202)
    raise Refused(404, "Not Found")


def _hooks(request: Request) -> Webhooks:
    hooks: Webhooks = request.app.state.hooks
    return hooks


def _of_org(request: Request) -> bool:
    return "name" not in request.path_params


def _folder(request: Request) -> Path:
    """Where the webhooks are kept; Refused for who may not change them."""
    asker = writer(request, _PERMISSION["orgs" if _of_org(request) else "repos"])
    if not _of_org(request):
        return find(request, asker).path
    owner, forge = request.path_params["owner"], forge_of(request)
    if not forge.has_org(owner):
        raise Refused(404, "Not Found")
    folder: Path = forge.root / next((o for o in forge.owners() if o.lower() == owner.lower()), owner)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _find(request: Request) -> Hook:
    for hook in _hooks(request).of(_folder(request)):
        if hook.id == request.path_params["hook"]:
            return hook
    raise Refused(404, "Not Found")


def _about(request: Request) -> dict[str, Any]:
    forge, base = forge_of(request), answers.base(request)
    if _of_org(request):
        return {"organization": answers.owner(forge, base, request.path_params["owner"])}
    return {"repository": answers.repository(forge, base, find(request, request.state.account), write=True)}


def _shown(request: Request, hook: Hook) -> dict[str, Any]:
    where = request.url.path.partition("/hooks")[0]
    config = {"url": hook.url, "content_type": "form" if hook.form else "json", "insecure_ssl": "0"}
    return {
        "type": "Organization" if _of_org(request) else "Repository",
        "id": hook.id,
        "name": "web",
        "active": hook.active,
        "events": list(hook.events),
        "config": config | ({"secret": "********"} if hook.secret else {}),
        "url": f"{answers.base(request)}{where}/hooks/{hook.id}",
        "ping_url": f"{answers.base(request)}{where}/hooks/{hook.id}/pings",
        "deliveries_url": f"{answers.base(request)}{where}/hooks/{hook.id}/deliveries",
    }


def _invalid(message: str) -> Refused:
    return Refused(422, "Validation Failed", [{"resource": "Hook", "code": "custom", "message": message}])
