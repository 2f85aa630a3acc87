"""The routes of the local forge: GitHub's REST API under /api/v3, git and git LFS over HTTP, pages for people."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from pivo.stack.localforge import answers, api, hooksapi, lfs, page
from pivo.stack.localforge.access import Refused
from pivo.stack.localforge.githttp import GitHttp
from pivo.stack.localforge.repos import Forge
from pivo.stack.localforge.webhooks import Webhooks


def create_app(forge: Forge, hooks: Webhooks | None = None) -> ASGIApp:
    """The forge as an ASGI application; `hooks` to be closed by who gives them."""
    hooks = hooks or Webhooks(forge)
    site = Starlette(
        routes=[
            Mount("/api/v3", routes=[*api.routes(), *hooksapi.routes()], name="api"),
            *lfs.routes(),
            *page.routes(),
        ],
        middleware=[Middleware(_LocalOnly)],
        exception_handlers={Refused: answers.refused, 404: _not_found, 405: _not_found},
    )
    site.state.forge = forge
    site.state.hooks = hooks
    git = GitHttp(forge, hooks)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (call := git.match(scope)):
            await git.serve(call, scope, receive, send)
        else:
            await site(scope, receive, send)

    return app


async def _not_found(request: Request, _err: Exception) -> Response:
    if request.url.path.startswith("/api/"):
        body = {"message": "Not Found", "documentation_url": answers.DOCS, "status": "404"}
        return answers.answer(request, body, 404)
    return Response("Not found\n", status_code=404, media_type="text/plain")


class _LocalOnly:
    """Headers for every answer: nothing here is for another site's pages or for a cache."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: dict) -> None:  # type: ignore[type-arg]
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message.get("headers", []),
                    (b"x-content-type-options", b"nosniff"),
                    (b"cache-control", b"no-store"),
                ]
            await send(message)

        await self.app(scope, receive, with_headers)  # type: ignore[arg-type]
