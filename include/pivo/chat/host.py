"""What the chat view needs of the Airflow around it. The only module here that imports airflow, inside functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import anyio.from_thread
import httpx
from fastapi import Request

from pivo.chat.mount import OUTER
from pivo.orchestrator import Orchestrator
from pivo.settings import Settings

DAG = "pivo_restore"


@dataclass(frozen=True)
class Caller:
    """Who asks: their name in Airflow and their own token, with which everything is done that they confirm."""

    name: str
    token: str = field(repr=False)


class Host(Protocol):
    """The surroundings of the app. `authenticate` is a FastAPI dependency that refuses anonymous requests."""

    @property
    def authenticate(self) -> Callable[..., Any]: ...

    def settings(self) -> Settings: ...

    def caller(self, request: Request, user: Any) -> Caller: ...

    def may_trigger(self, user: Any, dag: str) -> bool:
        """Whether Airflow lets `user` trigger that DAG."""
        ...

    def orchestrator(self, request: Request, caller: Caller) -> Orchestrator:
        """Airflow's API as `caller`; to be used in a worker thread."""
        ...

    def service(self, request: Request, settings: Settings) -> Orchestrator:
        """Airflow's API with the installation's own login, for what no person asks; in a worker thread, too. One for
        all requests, which stays open and logged in."""
        ...


class AirflowHost:
    """Airflow itself."""

    def __init__(self) -> None:
        self._service: tuple[tuple[str, str, str], Orchestrator] | None = None

    @property
    def authenticate(self) -> Callable[..., Any]:
        from airflow.api_fastapi.core_api.security import get_user

        return get_user

    def settings(self) -> Settings:
        from pivo import hooks

        return hooks.settings()

    def caller(self, request: Request, user: Any) -> Caller:
        from airflow.api_fastapi.auth.managers.base_auth_manager import COOKIE_NAME_JWT_TOKEN

        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            token = request.cookies.get(COOKIE_NAME_JWT_TOKEN, "")
        return Caller(str(user.get_name()), token.strip())

    def may_trigger(self, user: Any, dag: str) -> bool:
        from airflow.api_fastapi.app import get_auth_manager
        from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails

        return bool(
            get_auth_manager().is_authorized_dag(
                method="POST", user=user, access_entity=DagAccessEntity.RUN, details=DagDetails(id=dag)
            )
        )

    def orchestrator(self, request: Request, caller: Caller) -> Orchestrator:
        inside = InProcess(request.scope[OUTER])
        return Orchestrator(str(request.base_url).rstrip("/"), "", "", token=caller.token, transport=inside)

    def service(self, request: Request, settings: Settings) -> Orchestrator:
        key = (str(request.base_url).rstrip("/"), settings.airflow_user, settings.airflow_password)
        if self._service is None or self._service[0] != key:
            self._service = (key, Orchestrator(*key, transport=InProcess(request.scope[OUTER])))
        return self._service[1]


class InProcess(httpx.BaseTransport):
    """Requests to the Airflow app of this very process, from one of its worker threads: no socket, and no login but
    the token that the request carries."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        body = request.read()

        async def send() -> tuple[int, httpx.Headers, bytes]:
            transport = httpx.ASGITransport(app=self._app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport) as client:
                path = httpx.URL("http://airflow.internal" + request.url.raw_path.decode())
                answer = await client.request(request.method, path, headers=_headers(request), content=body)
                return answer.status_code, answer.headers, answer.content

        status, headers, content = anyio.from_thread.run(send)
        kept = {k: v for k, v in headers.items() if k.lower() == "content-type"}  # the body is decoded already
        return httpx.Response(status, headers=kept, content=content, request=request)


def _headers(request: httpx.Request) -> dict[str, str]:
    wanted = {"authorization", "content-type", "accept"}
    return {k: v for k, v in request.headers.items() if k.lower() in wanted}
