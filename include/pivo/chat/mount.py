"""What Airflow mounts. Every Airflow process imports the plugin, so this imports nothing but the standard library."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

OUTER = "pivo.airflow"
"""The key of the scope under which the app finds the Airflow app that it is mounted in."""

HEADERS = {
    b"content-security-policy": (
        b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        b"base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    ),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
}


class LazyApp:
    """An ASGI app that is made by `make` with the first request, in a thread."""

    def __init__(self, make: Callable[[], AsgiApp]) -> None:
        self._make = make
        self._made: AsgiApp | None = None
        self._lock = threading.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        app = self._made if self._made is not None else await asyncio.to_thread(self._get)

        async def guarded(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                given = [(k, v) for k, v in message.get("headers", []) if k.lower() not in HEADERS]
                message["headers"] = given + list(HEADERS.items())
            await send(message)

        await app({**scope, OUTER: scope.get("app")}, receive, guarded)

    def _get(self) -> AsgiApp:
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made


def webhook() -> LazyApp:
    """The webhook's receiver, as the plugin mounts it."""

    def make() -> AsgiApp:
        from pivo.chat.host import AirflowHost
        from pivo.chat.webhook import create_app

        return create_app(AirflowHost())

    return LazyApp(make)


def chat() -> LazyApp:
    """The chat view, as the plugin mounts it."""

    def make() -> AsgiApp:
        from pivo.chat.api import create_app
        from pivo.chat.host import AirflowHost

        return create_app(AirflowHost())

    return LazyApp(make)
