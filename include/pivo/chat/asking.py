"""Questions and conversations: the answer as server-sent events, and what was shown before."""

# No postponed annotations here: FastAPI reads those of the routes, and they name what routes() is given.
import json
import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field, field_validator

from pivo.agent import build, events, goingon
from pivo.agent.conversations import Conversations
from pivo.chat import render
from pivo.chat.guards import Callers, reading, resources, same_origin
from pivo.chat.host import Caller, Host
from pivo.chat.talks import Talks
from pivo.errors import PivoError
from pivo.masking import masked
from pivo.models import Json
from pivo.settings import Settings

_log = logging.getLogger(__name__)
_WRITER = ThreadPoolExecutor(2, thread_name_prefix="pivo-talks")
_SLOW = 0.5  # seconds between two times that what came so far is kept
_TALK = r"^[A-Za-z0-9-]{8,64}$"


class Question(BaseModel):
    """A question and the conversation that it belongs to (an id that the page made up)."""

    question: str = Field(min_length=1, max_length=4000)
    conversation: str = Field(pattern=_TALK)
    offline: bool = False

    @field_validator("question")
    @classmethod
    def _masked(cls, question: str) -> str:
        return masked(question)  # it is remembered


class More(BaseModel):
    """Where a long answer goes on, as its tool's event told it."""

    more: str = Field(pattern=r"^[A-Za-z0-9_-]{12}$")


class Title(BaseModel):
    """A conversation's new name."""

    title: str = Field(min_length=1, max_length=200)


class Nothing(BaseModel):
    """A request that says nothing more: `{}`."""


def routes(host: Host, who: Callers) -> APIRouter:
    """The routes under api/ask, api/more and api/conversations."""
    router = APIRouter()

    def talks() -> Talks:
        return Talks(host.settings().home / "agent")

    @router.post("/api/ask", dependencies=[Depends(same_origin)])
    def ask(body: Question, request: Request, caller: Annotated[Caller, Depends(who.anyone)]) -> StreamingResponse:
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        answer = _stream(host.settings(), caller.name, body, lambda: host.orchestrator(request, caller))
        return StreamingResponse(answer, media_type="text/event-stream", headers=headers)

    @router.post("/api/more", dependencies=[Depends(same_origin)])
    def more(body: More, caller: Annotated[Caller, Depends(who.anyone)]) -> Json:
        with reading():
            return _shown(goingon.go_on(build.toolbox(resources(host.settings()), caller.name), body.more))

    @router.get("/api/conversations")
    def conversations(caller: Annotated[Caller, Depends(who.anyone)]) -> list[Json]:
        return talks().all(caller.name)

    @router.get("/api/conversations/{talk}")
    def conversation(talk: str, caller: Annotated[Caller, Depends(who.anyone)]) -> list[Json]:
        return talks().turns(talk, caller.name)

    @router.post("/api/conversations/{talk}/rename", dependencies=[Depends(same_origin)])
    def rename(talk: str, body: Title, caller: Annotated[Caller, Depends(who.anyone)]) -> Json:
        talks().rename(talk, caller.name, body.title)
        return {}

    @router.post("/api/conversations/{talk}/delete", dependencies=[Depends(same_origin)])
    def delete(talk: str, body: Nothing, caller: Annotated[Caller, Depends(who.anyone)]) -> Json:
        talks().delete(talk, caller.name)
        Conversations(host.settings().home / "agent").forget(talk, caller.name)
        return {}

    return router


def _stream(settings: Settings, who: str, body: Question, airflow: build.Airflow) -> Iterator[str]:
    """The answer as server-sent events; a failure is one, too. What was told is kept, however it ended, and of a slow
    answer what was told so far: a page that is loaded again in the middle shows it. `airflow` is asked as the person:
    what they may not see there, they are not told here."""
    talks = Talks(settings.home / "agent")
    turn = _WRITER.submit(talks.begin, body.conversation, who, body.question)  # the answer does not wait for a disk
    told: list[Json] = []
    text, ended, kept = "", False, time.monotonic()
    try:
        for event in _events(settings, who, body, airflow):
            if event["type"] == "text":
                text += event["text"]
            else:
                told.append(event)
            if event["type"] == "done" and text.strip():
                told.insert(len(told) - 1, {"type": "answer", "html": render.html(text)})
                yield _sse(told[-2])
            ended = ended or event["type"] in {"done", "error"}
            if not ended and time.monotonic() - kept > _SLOW:
                talks.end(turn.result(), _so_far(told, text))
                kept = time.monotonic()
            yield _sse(event)
    finally:  # the person may have stopped it, or closed the page
        talks.end(turn.result(), told if ended else _so_far(told, text))
        resources(settings).audit().flush()


def _so_far(told: list[Json], text: str) -> list[Json]:
    """What a page shows of an answer that has not come to its end."""
    answer: list[Json] = [{"type": "answer", "html": render.html(text)}] if text.strip() else []
    return [*told, *answer, {"type": "stopped"}]


def _events(settings: Settings, who: str, body: Question, airflow: build.Airflow) -> Iterator[Json]:
    book = Conversations(settings.home / "agent")
    try:
        history = book.load(body.conversation, who)
        agent = build.agent(resources(settings), who, offline=body.offline, airflow=airflow)
        for event in agent.ask(body.question, history):
            if isinstance(event, events.Done):
                book.save(body.conversation, who, (*history, *event.messages))
            yield _shown(event)
    except PivoError as err:
        yield {"type": "error", "what": err.what, "do": err.do}
    except Exception:  # noqa: BLE001 - a stream has begun: the page must hear how it ends
        _log.exception("A question of %s broke off", who)
        yield {"type": "error", "what": "The answer broke off unexpectedly.", "do": "Airflow's own log says why."}


def _shown(event: events.AgentEvent) -> Json:
    told = events.to_json(event)
    return told | {"view": render.with_colours(told["view"])} if told["type"] == "tool_result" else told


def _sse(data: Json) -> str:
    return f"data: {json.dumps(data, default=str)}\n\n"
