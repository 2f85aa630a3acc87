"""The receiver of a forge's webhook: POST github. No Airflow login, but a signature; see :mod:`pivo.webhook`.

What an anonymous request can cost is bounded: only what looks signed is read, within seconds, of large bodies four at a
time (so that those who send them slowly do not keep the small ones waiting), and settings, which may ask Airflow's
database, are kept for some seconds.
"""

# No postponed annotations here: FastAPI reads those of the routes.
import asyncio
import logging
import threading
import time
from contextlib import AsyncExitStack
from typing import Any

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from pivo.chat.guards import resources
from pivo.chat.host import Host
from pivo.errors import PivoError, StackError, Unavailable
from pivo.settings import Settings
from pivo.webhook import LIMIT, Forged, Ledger, Receiver, Unreadable, delivery

log = logging.getLogger(__name__)

WHO = "webhook"
"""Whom the audit log names for what deliveries bring about."""

_FRESH = 5.0  # seconds
_READING = 10.0  # seconds in which a body must have come: GitHub gives up after ten, too
_LARGE = 256 << 10  # bytes; most deliveries have a tenth of that
_AT_ONCE = 4  # large bodies
_TOLD = 60.0  # seconds between two refusals on the audit log: whoever reaches the port must not fill it


class Refused(Exception):
    """A request that is answered with an error before it is anybody's."""

    def __init__(self, status: int, what: str, do: str = "") -> None:
        super().__init__(what)
        self.status, self.what, self.do = status, what, do


class _Surroundings:
    """The settings, looked at again after some seconds, and when a refusal was last on record."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._lock = threading.Lock()
        self._at = self._refused = float("-inf")
        self._settings: Settings | None = None

    def settings(self) -> Settings:
        with self._lock:
            if self._settings is None or time.monotonic() - self._at > _FRESH:
                self._settings, self._at = self._host.settings(), time.monotonic()
            return self._settings

    def may_tell(self) -> bool:
        with self._lock:
            now = time.monotonic()
            if now - self._refused < _TOLD:
                return False
            self._refused = now
            return True


def create_app(host: Host) -> FastAPI:
    """The app, for `host`."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    around, large = _Surroundings(host), asyncio.Semaphore(_AT_ONCE)

    @app.post("/github")
    async def github(request: Request) -> JSONResponse:
        try:
            settings = await run_in_threadpool(around.settings)
            if not settings.webhook_secrets:
                raise Refused(404, "The webhook is off.", "Give it a secret: docs/howto/webhook.md.")
            signature = request.headers.get("x-hub-signature-256")
            if not delivery.well_formed(signature):
                raise Forged("The delivery is not signed.", "Give the forge's webhook the secret that PIVO has.")
            async with AsyncExitStack() as held:
                body = await _body(request, held, large)
                return await run_in_threadpool(_received, host, around, request, body, settings)
        except Refused as err:
            return _told(err.status, err.what, err.do)
        except PivoError as err:
            return _told(_status(err), err.what, err.do)

    return app


def _received(host: Host, around: _Surroundings, request: Request, body: bytes, settings: Settings) -> JSONResponse:
    """What the rest comes to; in a worker thread."""
    trail = resources(settings).trail(WHO, WHO)
    try:
        delivery.signed(body, request.headers.get("x-hub-signature-256"), settings.webhook_secrets)
    except Forged:
        log.warning("a delivery with a wrong signature was refused")
        if around.may_tell():
            trail.record("refusal", "refused: wrong signature")
        raise
    found = delivery.read(request.headers, body)
    ledger = Ledger(settings.home / "webhook" / "deliveries.db")
    done = Receiver(settings, ledger, host.service(request, settings), trail.record).receive(found)
    return JSONResponse(done.to_json(), status_code=202 if done.outcome in {"started", "folded"} else 200)


async def _body(request: Request, held: AsyncExitStack, large: asyncio.Semaphore) -> bytes:
    """The raw body; Refused when it is too long, or takes too long. `held` then holds one of the places for those that
    are `large`, if it is."""
    declared = request.headers.get("content-length", "")
    too_long = Refused(413, f"The body has over {LIMIT >> 20} MB.", "The next night sees the push.")
    if declared.isdigit() and int(declared) > LIMIT:
        raise too_long
    body, waited = bytearray(), False
    try:
        async with asyncio.timeout(_READING):
            async for chunk in request.stream():
                body += chunk
                if len(body) > LIMIT:
                    raise too_long
                if len(body) > _LARGE and not waited:
                    waited = True
                    await held.enter_async_context(large)
    except TimeoutError:
        raise Refused(408, f"The body did not come within {_READING:.0f} s.", "Send the delivery again.") from None
    return bytes(body)


def _status(err: PivoError) -> int:
    match err:
        case Forged():
            return 401
        case Unreadable():
            return 400
        case Unavailable() | StackError():
            return 503
        case _:
            return 500


def _told(status: int, what: str, do: str) -> JSONResponse:
    headers: dict[str, Any] = {"Retry-After": "60"} if status == 503 else {}
    return JSONResponse({"what": what, "do": do}, status_code=status, headers=headers)
