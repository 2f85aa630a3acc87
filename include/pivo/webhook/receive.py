"""What is done about a delivery: a run of `pivo_snapshot` for its repository, one for many pushes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Protocol

from pivo import registry
from pivo.errors import NotFound, Unavailable, UsageError
from pivo.orchestrator import DagRun
from pivo.settings import Settings
from pivo.webhook.delivery import EVENTS, Delivery
from pivo.webhook.ledger import Ledger, Run

DAG = "pivo_snapshot"

_LONGEST = 900.0  # seconds that a repository whose run takes long waits for the next one
_CLAIMED = 60.0  # seconds after which a run that was to be started, and is not there, was deleted
_EARLY = 1.0  # seconds that Airflow's clock may be ahead of this machine's
_TRIES = 5

log = logging.getLogger(__name__)

Outcome = Literal["started", "folded", "seen", "pong", "ignored", "not registered"]


class Airflow(Protocol):
    """The two calls of :class:`pivo.orchestrator.Orchestrator` that are needed."""

    def run(self, dag_id: str, run_id: str) -> DagRun: ...

    def trigger(
        self, dag_id: str, conf: dict[str, Any], run_id: str | None = None, *, after: datetime | None = None
    ) -> DagRun: ...


@dataclass(frozen=True)
class Done:
    """What came of a delivery; `repo` by its name in the archive, `run_id` of the run that will see the push."""

    outcome: Outcome
    repo: str = ""
    run_id: str = ""

    def to_json(self) -> dict[str, str]:
        return {name: value for name, value in asdict(self).items() if value}


class Receiver:
    """Acts upon deliveries that are known to be the forge's. `tell` puts what was done on the audit log."""

    def __init__(self, settings: Settings, ledger: Ledger, airflow: Airflow, tell: Callable[..., None]) -> None:
        self._settings, self._ledger, self._airflow, self._tell = settings, ledger, airflow, tell

    def receive(self, delivery: Delivery) -> Done:
        """Starts a run, or leaves it to one that has not begun. Unavailable and StackError when Airflow does not do
        it: then nothing is remembered, and the delivery may come again."""
        if delivery.event == "ping":
            return Done("pong")
        if delivery.event not in EVENTS:
            return Done("ignored")
        if run_id := self._ledger.seen(delivery.id, delivery.digest):
            return Done("seen", run_id=run_id)
        repo = registry.covers(self._settings, delivery.repo, delivery.addresses)
        if repo is None:
            return Done("not registered")
        done = self._run(repo, delivery.id)
        self._ledger.remember(delivery.id, delivery.digest, delivery.event, repo, done.run_id)
        facts = {"repo": repo, "event": delivery.event, "delivery": delivery.id, "dag": DAG, "run_id": done.run_id}
        self._tell("webhook", done.outcome, **facts)
        log.info("%s of %s: %s, run %s", delivery.event, repo, done.outcome, done.run_id)
        return done

    def _run(self, repo: str, delivery: str) -> Done:
        """A run that has not begun by now. Its id is agreed on in the ledger before Airflow is asked for it, so two
        workers, or one that dies between the two, come to one run."""
        for _ in range(_TRIES):
            now = datetime.now(UTC)
            known = self._ledger.run(repo)
            if known and now.timestamp() < known.after - _EARLY:  # of a burst most need not ask Airflow
                return Done("folded", repo, known.run_id)
            age = now.timestamp() - known.at if known else 0.0
            state = self._state(known, age)
            if known and state == "queued":
                return Done("folded", repo, known.run_id)
            if known and state == "claimed":
                return self._start(repo, known.run_id, now, 0.0)
            # a repository that is pushed to all the time, and takes long, is not run many times at once
            wait = min(age, _LONGEST) if state == "running" else 0.0
            run_id = f"webhook__{now.isoformat()}_{delivery[:8]}"
            if self._ledger.replace(repo, known, run_id):
                return self._start(repo, run_id, now, wait)
        raise Unavailable(f"Too many pushes of {repo} arrive at once.", "Send the delivery again.")

    def _state(self, known: Run | None, age: float) -> str:
        if known is None:
            return "none"
        try:
            return self._airflow.run(DAG, known.run_id).state
        except NotFound:
            return "claimed" if age < _CLAIMED else "gone"

    def _start(self, repo: str, run_id: str, now: datetime, wait: float) -> Done:
        after = now + timedelta(seconds=max(wait, self._settings.webhook_wait))
        try:
            self._airflow.trigger(DAG, {"repos": [repo]}, run_id, after=after)
        except UsageError:  # another worker was faster
            with suppress(NotFound):
                self._airflow.run(DAG, run_id)
                return Done("folded", repo, run_id)
            raise
        self._ledger.waits(repo, run_id, after.timestamp())
        return Done("started", repo, run_id)
