"""A round: load, a part killed at a random moment, brought back, everything to its end, and all compared."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from chaos import agreement
from chaos.load import PATIENCE, Goal, Load, Outcome, names_the_cause
from chaos.sources import Source
from chaos.stack import Stack
from pivo.errors import PivoError
from pivo.orchestrator import Orchestrator

_BEFORE = (1.0, 20.0)  # seconds of load before the kill
_AWAY = (1.0, 10.0)  # seconds until somebody notices
_ENDED = {"success", "failed"}


@dataclass
class Round:
    """What came of killing one part; times in seconds."""

    part: str
    after: float = 0.0
    away: float = 0.0
    back: float = 0.0
    took: float = 0.0
    outcomes: list[Outcome] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def count(self, what: str, how: str) -> int:
        return sum(one.what == what and one.how == how for one in self.outcomes)

    @property
    def said(self) -> list[str]:
        """The sentences of what failed, each once."""
        return list(dict.fromkeys(one.said for one in self.outcomes if one.how == "failed"))


@dataclass
class Chaos:
    """All rounds on one stack; `pick` decides the moments, `told` hears what is being done."""

    stack: Stack
    still: Source
    moving: list[Source]
    pick: random.Random
    told: Callable[[str], None]
    goals: list[Goal] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)  # runs that were looked at in their round

    @property
    def sources(self) -> list[Source]:
        return [self.still, *self.moving]

    def begin(self) -> None:
        """The stack, and a first archive of everything."""
        self.told("the stack comes up")
        self.stack.up()
        self._compare(whole=False)

    def kill(self, part: str) -> Round:
        """One round."""
        found, begun = Round(part, after=self.pick.uniform(*_BEFORE), away=self.pick.uniform(*_AWAY)), time.monotonic()
        load = Load(self.stack, self.still, self.moving, self.pick, part)
        self.told(f"{part}: under load, killed after {found.after:.1f} s")
        load.start()
        time.sleep(found.after)
        self.stack.kill(part)
        time.sleep(found.away)
        code, states = self.stack.states()
        if not code or states[part] != "down":
            found.wrong.append(f"`pivo status` exits with {code} and says that {part} is {states[part]}.")
        self.told(f"{part}: `pivo up`")
        found.back = self.stack.up()
        self.told(f"{part}: back after {found.back:.0f} s; everything comes to its end")
        found.outcomes = load.ended()
        self.goals += load.goals
        found.wrong += [f"{one.what}: {one.said}" for one in found.outcomes if one.how == "wrong"]
        found.wrong += self._other_runs(part)
        self.told(f"{part}: compared")
        found.wrong += self._compare(whole=False)
        code, states = self.stack.states()
        found.wrong += [f"{name} is {state} at the end." for name, state in states.items() if state != "up"]
        found.took = time.monotonic() - begun
        return found

    def end(self) -> list[str]:
        """Every object of the archive, and all that was asked for in any round."""
        self.told("every object of the archive is verified")
        return self._compare(whole=True)

    def _compare(self, *, whole: bool) -> list[str]:
        settings = self.stack.settings
        try:
            agreement.settle(settings, self.sources)
        except PivoError as err:
            return [f"A snapshot in the calm: {err}"]
        indexed = self.stack.pivo("index")
        if indexed.code:
            return [f"`pivo index`: {indexed.sentence}"]
        return agreement.differences(settings, self.sources, self.goals, whole=whole)

    def _other_runs(self, part: str) -> list[str]:
        """What is wrong with the runs that nobody asked for: the index's, woken by Kafka or by the clock."""
        settings, deadline, wrong = self.stack.settings, time.monotonic() + PATIENCE, list[str]()
        while left := [run for run in self.stack.runs() if run["state"] not in _ENDED]:
            if time.monotonic() > deadline:
                return [f"{run['dag_id']} {run['dag_run_id']} is still {run['state']}." for run in left]
            time.sleep(1)
        runs = self.stack.runs()
        with Orchestrator(settings.airflow_url, settings.airflow_user, settings.airflow_password) as airflow:
            for run in runs:
                dag, run_id = run["dag_id"], run["dag_run_id"]
                if run_id in self.seen or run["state"] == "success":
                    continue
                try:
                    why = airflow.failure(dag, run_id) or ""
                except PivoError as err:
                    why = str(err)
                if not names_the_cause(part, why):
                    wrong.append(f"{dag} {run_id} failed: {why or 'nobody says why'}")
        self.seen |= {run["dag_run_id"] for run in runs}
        return wrong
