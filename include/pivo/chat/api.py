"""The app of the chat view and the archive page. All of it needs an Airflow login.

Nothing heavy runs in the event loop: the routes are plain functions, which FastAPI runs in threads, and the answer
is streamed from a thread, too.
"""

# No postponed annotations here: FastAPI reads those of the routes, and they name what create_app makes.
from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse, Response

from pivo.agent.proposals import ProposalRefused
from pivo.chat import acting, asking, browse, browsing, wellness
from pivo.chat.guards import callers, resources, why_not
from pivo.chat.host import Host
from pivo.errors import NotFound, PivoError, StackError, Unavailable, UsageError
from pivo.models import Json

_KINDS = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml", "html": "text/html"}


def create_app(host: Host) -> FastAPI:
    """The app, for `host`."""
    authenticated = Depends(host.authenticate)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, dependencies=[authenticated])
    app.add_exception_handler(PivoError, _told)

    @app.get("/")
    def chat() -> Response:
        return _asset("chat.html")

    @app.get("/archive")
    def archive() -> Response:
        return _asset("archive.html")

    @app.get("/assets/{name}")
    def asset(name: str) -> Response:
        if name not in _assets() or name.endswith(".html"):
            raise HTTPException(404, "There is no such file.")
        return _asset(name)

    @app.get("/api/me")
    def me(request: Request, user: Annotated[Any, authenticated]) -> Json:
        settings, name = host.settings(), host.caller(request, user).name
        brain = f"Gemini ({settings.gemini.model})" if settings.gemini.enabled else "offline planner"
        return {"name": name, "why_not": why_not(host, user, name), "brain": brain}

    @app.get("/api/suggestions")
    def suggestions() -> list[str]:
        try:
            return browse.suggestions(resources(host.settings()).reader())
        except PivoError:  # no index yet
            return ["What can you do?"]

    who = callers(host)
    for made in (asking, acting, browsing, wellness):
        app.include_router(made.routes(host, who))
    return app


@lru_cache
def _assets() -> frozenset[str]:
    return frozenset(f.name for f in (files("pivo.chat") / "assets").iterdir() if f.name.rpartition(".")[2] in _KINDS)


def _asset(name: str) -> Response:
    data = (files("pivo.chat") / "assets" / name).read_bytes()
    kind = f"{_KINDS[name.rpartition('.')[2]]}; charset=utf-8"
    return Response(data, media_type=kind, headers={"Cache-Control": "no-cache"})


async def _told(_: Request, err: Exception) -> JSONResponse:
    """A PivoError as JSON: what happened, and what to do."""
    assert isinstance(err, PivoError)
    match err:
        case NotFound():
            status = 404
        case ProposalRefused():
            status = 409
        case StackError():
            status = 403 if "permission" in err.what else 502
        case Unavailable():
            status = 503
        case UsageError():
            status = 400
        case _:
            status = 422
    return JSONResponse({"what": err.what, "do": err.do}, status_code=status)
