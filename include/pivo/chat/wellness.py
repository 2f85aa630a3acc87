"""How PIVO is, for every login: the page, and the same facts as JSON for whatever watches from outside."""

# No postponed annotations here: FastAPI reads those of the routes, and they name what routes() is given.
import threading
import time
from dataclasses import asdict
from importlib.resources import files

from fastapi import APIRouter
from fastapi.responses import Response

from pivo import health
from pivo.chat.guards import Callers
from pivo.chat.host import Host
from pivo.models import Json
from pivo.settings import Settings

_FRESH = 5.0  # seconds for which one look does for all that ask


class _Look:
    """The last look at an installation. One thread looks, the others wait for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at = 0.0
        self._of: Settings | None = None
        self._found: health.Health | None = None

    def at(self, settings: Settings) -> health.Health:
        with self._lock:
            if self._found is None or self._of != settings or time.monotonic() - self._at > _FRESH:
                self._found, self._of, self._at = health.look(settings), settings, time.monotonic()
            return self._found


def routes(host: Host, who: Callers) -> APIRouter:
    """The page, and api/health: `ok`, findings, lag, repositories; 200 however things are."""
    router, last = APIRouter(), _Look()

    @router.get("/health")
    def page() -> Response:
        data = (files("pivo.chat") / "assets" / "health.html").read_bytes()
        return Response(data, media_type="text/html; charset=utf-8", headers={"Cache-Control": "no-cache"})

    @router.get("/api/health")
    def look() -> Json:
        found = last.at(host.settings())
        return asdict(found) | {"ok": found.ok}

    return router
