"""The routes of the chat view. All of them need an Airflow login; what acts needs a request of the page itself.

Nothing heavy runs in the event loop: the routes are plain functions, which FastAPI runs in threads, and the answer
is streamed from a thread, too.
"""

# No postponed annotations here: FastAPI reads those of the routes, and they name what create_app makes.
import json
import re
import threading
from collections.abc import Iterator
from importlib.resources import files
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, Field

from pivo.agent import build, events
from pivo.agent.conversations import Conversations
from pivo.agent.policy import Policy
from pivo.agent.proposals import ProposalRefused, Proposals
from pivo.chat import render
from pivo.chat.host import DAG, Caller, Host
from pivo.errors import NotFound, PivoError, StackError, Unavailable, UsageError
from pivo.models import Json
from pivo.settings import Settings
from pivo.trace import trace

_ASSETS = {
    "chat.css": "text/css",
    "chat.js": "text/javascript",
    "draw.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
_RUN_ID = re.compile(r"^[A-Za-z0-9_.:+-]{1,250}$")
_OPENED: dict[tuple[str, str], build.Resources] = {}
_LOCK = threading.Lock()
_STAGES = ("validate", "download", "reconstruct", "push")


class Question(BaseModel):
    """A question and the conversation that it belongs to (an id that the page made up)."""

    question: str = Field(min_length=1, max_length=4000)
    conversation: str = Field(pattern=r"^[A-Za-z0-9-]{8,64}$")
    offline: bool = False


class Confirmation(BaseModel):
    """The digest of the proposal as it was shown."""

    digest: str = Field(pattern=r"^[0-9a-f]{64}$")


def create_app(host: Host) -> FastAPI:
    """The app, for `host`."""
    authenticated = Depends(host.authenticate)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, dependencies=[authenticated])
    app.add_exception_handler(PivoError, _told)

    def caller(request: Request, user: Annotated[Any, authenticated]) -> Caller:
        return host.caller(request, user)

    def actor(request: Request, user: Annotated[Any, authenticated]) -> Caller:
        """Who may start a restore; 403 for everybody else."""
        if not host.may_restore(user):
            raise HTTPException(403, "Your Airflow role may ask, but not start a restore.")
        return host.caller(request, user)

    @app.get("/")
    def page() -> Response:
        return _asset("index.html", "text/html")

    @app.get("/assets/{name}")
    def asset(name: str) -> Response:
        if name not in _ASSETS:
            raise HTTPException(404, "There is no such file.")
        return _asset(name, _ASSETS[name])

    @app.get("/api/me")
    def me(request: Request, user: Annotated[Any, authenticated]) -> Json:
        settings = host.settings()
        brain = f"Gemini ({settings.gemini.model})" if settings.gemini.api_key else "offline planner"
        return {"name": host.caller(request, user).name, "may_restore": host.may_restore(user), "brain": brain}

    @app.post("/api/ask", dependencies=[Depends(same_origin)])
    def ask(body: Question, who: Annotated[Caller, Depends(caller)]) -> StreamingResponse:
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        return StreamingResponse(_stream(host.settings(), who, body), media_type="text/event-stream", headers=headers)

    @app.get("/api/proposals/{proposal_id}")
    def proposal(proposal_id: str, who: Annotated[Caller, Depends(caller)]) -> Json:
        return _book(host.settings()).get(proposal_id, who.name).to_json()

    @app.post("/api/proposals/{proposal_id}/cancel", dependencies=[Depends(same_origin)])
    def cancel(proposal_id: str, body: Confirmation, who: Annotated[Caller, Depends(caller)]) -> Json:
        return _book(host.settings()).cancel(proposal_id, who.name).to_json()

    @app.post("/api/proposals/{proposal_id}/confirm", dependencies=[Depends(same_origin)])
    def confirm(proposal_id: str, body: Confirmation, request: Request, who: Annotated[Caller, Depends(actor)]) -> Json:
        settings = host.settings()
        Policy.load(settings).check_confirm(who.name)
        book = _book(settings)
        confirmed = book.confirm(proposal_id, who.name, body.digest)
        log = settings.trace_log
        trace(log, "PIVO-ORCHESTRATOR", "INFO", f"proposal {confirmed.digest[:12]} confirmed by {who.name}")
        with host.orchestrator(request, who) as airflow:
            try:
                run = airflow.trigger(DAG, confirmed.arguments, confirmed.planned_run_id)
            except BaseException:
                book.reopen(proposal_id, who.name)
                raise
        trace(log, "PIVO-ORCHESTRATOR", "INFO", f"DAG run {DAG} {run.run_id} triggered as {who.name}")
        return confirmed.to_json() | {"run": {"run_id": run.run_id, "state": run.state}}

    @app.get("/api/runs/{run_id}")
    def run(run_id: str, request: Request, who: Annotated[Caller, Depends(caller)]) -> Json:
        if not _RUN_ID.match(run_id):
            raise HTTPException(404, "There is no such run.")
        with host.orchestrator(request, who) as airflow:
            found = airflow.run(DAG, run_id)
            tasks = {t.task_id: t for t in airflow.tasks(DAG, run_id)}
            why = airflow.failure(DAG, run_id) if found.state == "failed" else None
            address = airflow.result(DAG, run_id, "push", 0) if found.state == "success" else None
        stages = [
            {
                "name": name,
                "state": tasks[name].state if name in tasks else None,
                "seconds": _seconds(tasks[name].start, tasks[name].end) if name in tasks else None,
            }
            for name in _STAGES
        ]
        return {"run_id": run_id, "state": found.state, "stages": stages, "failure": why, "address": address}

    return app


def same_origin(request: Request) -> None:
    """403 unless the request is JSON and, as browsers tell it, comes from this very page: no form of another site."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "Send JSON.")
    if request.headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
        raise HTTPException(403, "Requests from other sites are refused.")


def _stream(settings: Settings, who: Caller, body: Question) -> Iterator[str]:
    """The answer as server-sent events; a failure is one, too."""
    book = Conversations(settings.home / "agent")
    text = ""
    try:
        history = book.load(body.conversation, who.name)
        agent = build.agent(_resources(settings), who.name, offline=body.offline)
        for event in agent.ask(body.question, history):
            if isinstance(event, events.TextDelta):
                text += event.text
            if isinstance(event, events.Done):
                book.save(body.conversation, who.name, (*history, *event.messages))
                if text.strip():
                    yield _sse({"type": "answer", "html": render.html(text)})
            yield _sse(events.to_json(event))
    except PivoError as err:
        yield _sse({"type": "error", "what": err.what, "do": err.do})


def _sse(data: Json) -> str:
    return f"data: {json.dumps(data, default=str)}\n\n"


def _resources(settings: Settings) -> build.Resources:
    """One reader and one archive a process: both are safe to share between threads."""
    key = (str(settings.index), settings.archive)
    with _LOCK:
        found = _OPENED.get(key)
        if found is None or found.settings != settings:
            # A changed Connection takes effect with the next question; the old reader ends when it is let go.
            found = _OPENED[key] = build.Resources(settings)
        return found


def _book(settings: Settings) -> Proposals:
    return build.proposals(settings, Policy.load(settings))


def _asset(name: str, kind: str) -> Response:
    data = (files("pivo.chat") / "assets" / name).read_bytes()
    return Response(data, media_type=f"{kind}; charset=utf-8", headers={"Cache-Control": "no-cache"})


def _seconds(start: Any, end: Any) -> float | None:
    return round((end - start).total_seconds(), 1) if start and end else None


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
