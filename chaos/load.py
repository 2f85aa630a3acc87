"""What goes on while a part is killed: snapshots, restores and questions, each by two ways; and how each ended."""

from __future__ import annotations

import json
import random
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

import httpx

from chaos.sources import README, Source
from chaos.stack import Broken, Said, Stack
from pivo.errors import NotFound, PivoError, Unavailable
from pivo.orchestrator import DagRun, Orchestrator

PATIENCE = 300.0
"""Seconds within which whatever was begun must have ended."""

_CAUSES = {
    "datanode": ("HDFS", "DataNode"),
    "namenode": ("HDFS", "NameNode"),
    "kafka": ("Kafka",),
    "zookeeper": ("Kafka", "ZooKeeper"),
    "spark-master": ("Spark",),
    "spark-worker": ("Spark",),
    "forge": ("forge", "api/v3 does not answer"),
}
_UNNAMED = "its log at"  # Orchestrator.failure has no sentence: it can only say where to look


@dataclass(frozen=True)
class Outcome:
    """How one piece of the load ended; `said` is the sentence of a failure, or what is wrong."""

    what: Literal["snapshot", "restore", "question"]
    how: Literal["succeeded", "failed", "wrong"]
    said: str = ""


@dataclass(frozen=True)
class Goal:
    """A restore that was asked for: `commit` of `source` to `target` on the forge; `run_id` is empty when it was
    refused, `succeeded` what its run came to."""

    source: Source
    commit: str
    target: str
    run_id: str
    succeeded: bool


def names_the_cause(part: str, said: str) -> bool:
    """Whether the sentence of a failure is one, and names what was killed."""
    return bool(said) and _UNNAMED not in said and any(word in said for word in _CAUSES.get(part, ("Airflow",)))


class Load:
    """The load of one round: begun by `start`, over when `ended` returns."""

    def __init__(self, stack: Stack, still: Source, moving: list[Source], pick: random.Random, part: str) -> None:
        self._stack, self._still, self._moving, self._part = stack, still, moving, part
        settings = stack.settings
        self._settings = settings
        self._pool = ThreadPoolExecutor(8)
        self._over = threading.Event()
        self._known = {source.name: source.history() for source in (still, *moving)}  # archived, each of them
        self._pick = pick
        self._token = self._login()
        self.goals: list[Goal] = []
        self._work: list[Future[list[Outcome]]] = []

    def start(self) -> None:
        """Sets all of it off."""
        for source in self._moving:
            source.grow()
        by_dag, by_hand = self._moving[:-1], self._moving[-1]
        goals = [(self._still, self._commit(self._still)), (by_hand, self._commit(by_hand))]
        jobs: list[Callable[[], list[Outcome]]] = [
            lambda: self._snapshots(by_dag),
            lambda: self._ingest(by_hand),
            lambda: self._restore(*goals[0], self._trigger),
            lambda: self._restore(*goals[1], self._command),
            self._ask_in_chat,
            self._ask_in_a_terminal,
        ]
        self._work = [self._pool.submit(job) for job in jobs]

    def ended(self) -> list[Outcome]:
        """Waits for the end of everything; what went on until then is asked for no more."""
        try:
            found = [outcome for job in self._work[:-2] for outcome in job.result(timeout=2 * PATIENCE)]
            self._over.set()
            return found + [outcome for job in self._work[-2:] for outcome in job.result(timeout=PATIENCE)]
        except TimeoutError:
            raise Broken(f"{self._part} was killed, and what went on does not come to its end.") from None
        finally:
            self._over.set()
            self._pool.shutdown(wait=False)

    def _commit(self, source: Source) -> str:
        return self._pick.choice(self._known[source.name])

    def _failed(self, what: Any, said: str) -> Outcome:
        return Outcome(what, "failed" if names_the_cause(self._part, said) else "wrong", said)

    # ---------------------------------------------------------------- snapshots
    def _snapshots(self, sources: list[Source]) -> list[Outcome]:
        conf = {"repos": [{"url": source.url, "name": source.name} for source in sources]}
        ended, said = self._follow("pivo_snapshot", *self._trigger("pivo_snapshot", conf))
        return [Outcome("snapshot", "succeeded") if ended else self._failed("snapshot", said)]

    def _ingest(self, source: Source) -> list[Outcome]:
        said = self._stack.pivo("ingest", source.url, "--name", source.name)
        return [self._failed("snapshot", said.sentence) if said.code else Outcome("snapshot", "succeeded")]

    # ---------------------------------------------------------------- restores
    def _restore(
        self, source: Source, commit: str, ask: Callable[[str, dict[str, Any]], tuple[str, str]]
    ) -> list[Outcome]:
        target = f"chaos/{source.path.stem}-{uuid.uuid4().hex[:8]}"
        conf = {"repo": source.name, "ref": commit, "target": target}
        run_id, said = ask("pivo_restore", conf)
        ended, said = self._follow("pivo_restore", run_id, said)
        self.goals.append(Goal(source, commit, target, run_id, ended))
        return [Outcome("restore", "succeeded") if ended else self._failed("restore", said)]

    def _trigger(self, dag: str, conf: dict[str, Any]) -> tuple[str, str]:
        """The run's id, or none and why; a run whose answer was lost is a run."""
        run_id = f"chaos__{uuid.uuid4().hex[:12]}"
        try:
            with self._airflow() as airflow:
                return airflow.trigger(dag, conf, run_id).run_id, ""
        except Unavailable as err:
            return (run_id, "") if self._there(dag, run_id) else ("", str(err))

    def _command(self, dag: str, conf: dict[str, Any]) -> tuple[str, str]:
        """The same by `pivo restore`."""
        words = ("restore", conf["repo"], conf["ref"], "--to", conf["target"], "--yes", "--json")
        said = self._stack.pivo(*words)
        if not said.code:
            return str(json.loads(said.out)["run"]["run_id"]), ""
        for run in self._patiently(self._stack.runs):
            if (run["conf"] or {}).get("target") == conf["target"]:
                return str(run["dag_run_id"]), ""
        return "", said.sentence

    def _there(self, dag: str, run_id: str) -> bool:
        def look() -> bool:
            with self._airflow() as airflow:
                try:
                    return bool(airflow.run(dag, run_id))
                except NotFound:
                    return False

        return bool(self._patiently(look))

    def _follow(self, dag: str, run_id: str, said: str) -> tuple[bool, str]:
        """Whether the run ended well, and why not; Airflow may be away for a while."""
        if not run_id:
            return False, said

        def look() -> tuple[DagRun, str]:
            with self._airflow() as airflow:
                run = airflow.wait(dag, run_id, timeout=PATIENCE)
                return run, "" if run.state == "success" else airflow.failure(dag, run_id) or ""

        run, why = self._patiently(look)
        return run.state == "success", why

    def _patiently(self, look: Callable[[], Any]) -> Any:
        """`look`'s answer, once Airflow answers; Broken when it does not for too long, or a run does not end."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return look()
            except PivoError as err:
                if time.monotonic() > deadline:
                    raise Broken(f"{self._part} was killed, and {err}") from err
                time.sleep(1)

    def _airflow(self) -> Orchestrator:
        settings = self._settings
        return Orchestrator(settings.airflow_url, settings.airflow_user, settings.airflow_password)

    # ---------------------------------------------------------------- questions
    def _questions(self) -> list[tuple[str, Callable[[dict[str, Any]], bool]]]:
        """Questions about the repository that does not change, and what tells a right answer."""
        name, head = self._still.name, self._still.git("rev-parse", "main")
        return [
            (f"Who committed last to {name}?", lambda view: any(head in row for row in view["rows"])),
            (f"Show README.md in {name}", lambda view: view["text"].strip() == README.strip()),
        ]

    def _ask_in_a_terminal(self) -> list[Outcome]:
        return self._ask(lambda question: self._told(self._stack.pivo("ask", question, "--json")), 3.0)

    @staticmethod
    def _told(said: Said) -> list[dict[str, Any]]:
        if said.out.strip():
            return list(json.loads(said.out))
        return [{"type": "error", "what": said.sentence, "do": ""}]

    def _login(self) -> str:
        login = {"username": self._settings.airflow_user, "password": self._settings.airflow_password}
        answer = httpx.post(f"{self._settings.airflow_url}/auth/token", json=login, timeout=60).raise_for_status()
        return str(answer.json()["access_token"])

    def _ask_in_chat(self) -> list[Outcome]:
        talk, base = str(uuid.uuid4()), f"{self._settings.airflow_url}/pivo/"
        with httpx.Client(base_url=base, cookies={"_token": self._token}, timeout=60) as page:

            def ask(question: str) -> list[dict[str, Any]]:
                try:
                    body = {"question": question, "conversation": talk}
                    with page.stream("POST", "api/ask", json=body) as answer:
                        answer.raise_for_status()
                        return [json.loads(row[6:]) for row in answer.iter_lines() if row.startswith("data: ")]
                except httpx.TransportError as err:  # what a browser would tell
                    return [{"type": "error", "what": f"Airflow's page does not answer ({type(err).__name__})."}]
                except httpx.HTTPStatusError as err:
                    return [{"type": "error", "what": f"The page answered {err.response.status_code}."}]

            return self._ask(ask, 2.0)

    def _ask(self, ask: Callable[[str], list[dict[str, Any]]], pause: float) -> list[Outcome]:
        found: list[Outcome] = []
        while not self._over.wait(pause):
            for question, right in self._questions():
                found.append(self._answered(ask(question), right))
        return found

    def _answered(self, events: list[dict[str, Any]], right: Callable[[dict[str, Any]], bool]) -> Outcome:
        for event in events:
            if event["type"] == "error":
                return self._failed("question", f"{event['what']} {event.get('do', '')}".strip())
            if event["type"] == "tool_result":
                if not event["ok"]:
                    return self._failed("question", str(event["error"]))
                return Outcome("question", "succeeded" if right(event["view"]) else "wrong", str(event["view"])[:300])
        return Outcome("question", "wrong", f"no answer: {events}"[:300])
