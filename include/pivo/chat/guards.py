"""What every route stands behind: who asks, whether they may act, and that a page of this very site asks."""

# No postponed annotations here: FastAPI reads those of the dependencies, and they name what callers() makes.
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request

from pivo.agent import build
from pivo.agent.proposals import DAGS
from pivo.chat.host import Caller, Host
from pivo.errors import TargetError, Unavailable
from pivo.restore.policy import Policy
from pivo.settings import Settings

NO_ROLE = "Your Airflow role may ask, but not start this."

_OPENED: dict[tuple[str, str], build.Resources] = {}
_LOCK = threading.Lock()
_READS = threading.BoundedSemaphore(4)  # of the archive at once: a file of it is held in memory
_PATIENCE = 20.0  # seconds


@dataclass(frozen=True)
class Actor:
    """A person of whom something is started; :meth:`require` says whether they may."""

    caller: Caller
    may: Callable[[str], bool]
    refused: Callable[[str], None]

    def require(self, dag: str) -> None:
        """403, and a refusal on record, unless Airflow lets them trigger `dag`."""
        if not self.may(dag):
            self.refused(dag)
            raise HTTPException(403, NO_ROLE)


@dataclass(frozen=True)
class Callers:
    """Two dependencies of routes: the person who asks, and the same for what acts."""

    anyone: Callable[..., Caller]
    actor: Callable[..., Actor]


def callers(host: Host) -> Callers:
    """The dependencies for `host`; both need its authentication."""
    authenticated = Depends(host.authenticate)

    def anyone(request: Request, user: Annotated[Any, authenticated]) -> Caller:
        return host.caller(request, user)

    def actor(request: Request, user: Annotated[Any, authenticated]) -> Actor:
        caller = host.caller(request, user)

        def refused(dag: str) -> None:
            trail = resources(host.settings()).trail(caller.name, "chat")
            trail.record("refusal", "refused: the role does not permit it", dag=dag)

        return Actor(caller, lambda dag: host.may_trigger(user, dag), refused)

    return Callers(anyone, actor)


def why_not(host: Host, user: Any, name: str) -> dict[str, str]:
    """Why that person may not confirm what runs a DAG: a sentence by the DAG, empty where they may."""
    try:
        Policy.load(host.settings()).check_confirm(name)
    except TargetError as err:
        return dict.fromkeys(DAGS.values(), str(err))
    return {dag: "" if host.may_trigger(user, dag) else NO_ROLE for dag in DAGS.values()}


def same_origin(request: Request) -> None:
    """403 unless the request is JSON and, as browsers tell it, comes from this very page: no form of another site."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "Send JSON.")
    if request.headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
        raise HTTPException(403, "Requests from other sites are refused.")


def resources(settings: Settings) -> build.Resources:
    """One reader and one archive a process: both are safe to share between threads."""
    key = (str(settings.index), settings.archive)
    with _LOCK:
        found = _OPENED.get(key)
        if found is None or found.settings != settings:
            # A changed Connection takes effect with the next question; the old reader ends when it is let go.
            found = _OPENED[key] = build.Resources(settings)
        return found


@contextmanager
def reading() -> Iterator[None]:
    """Around a read of the archive by the page; Unavailable when too many are at it."""
    if not _READS.acquire(timeout=_PATIENCE):
        raise Unavailable("Too many files are being read at once.", "Try again in a moment.")
    try:
        yield
    finally:
        _READS.release()
