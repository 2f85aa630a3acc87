"""What is done about a delivery: one run for many pushes, none for a repetition, and nothing is lost in between."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pivo.errors import Unavailable
from pivo.settings import Settings
from pivo.webhook import Done, Ledger, Receiver, read
from pivo.webhook.ledger import KEPT
from webhook_kit import Runs, encoded, headers, push

REGISTRY = """
organisations:
  - name: acme
    exclude: ["*-mirror"]
repositories:
  - {url: 'ssh://git@forge.example:22/tools/Build.git', name: build-tools}
  - {url: 'https://elsewhere.example/x/y.git', name: x/y}
"""


class World:
    """A receiver with its surroundings; `send` is a delivery, `told` what the audit log got."""

    def __init__(self, home: Path) -> None:
        (home / "repositories.yaml").write_text(REGISTRY)
        env = {"PIVO_HOME": str(home), "PIVO_REPOSITORIES": str(home / "repositories.yaml")}
        self.settings = Settings.load(env | {"PIVO_FORGE_URL": "https://api.forge.example"})
        self.path, self.runs, self.told = home / "webhook" / "deliveries.db", Runs(), list[dict[str, Any]]()
        self.now = datetime.now(UTC).timestamp()

    def send(self, payload: dict[str, Any] | None = None, event: str = "push", delivery: str = "") -> Done:
        body = encoded(payload or push())
        ledger = Ledger(self.path, clock=lambda: self.now)  # a worker of its own each time
        return Receiver(self.settings, ledger, self.runs.client(), self._tell).receive(
            read(headers(body, event, delivery), body)
        )

    def begun(self, done: Done, state: str) -> None:
        """As if Airflow had begun that run: its time has come."""
        self.runs.states[done.run_id] = state
        Ledger(self.path).waits(done.repo, done.run_id, 0.0)

    def _tell(self, what: str, outcome: str, **facts: Any) -> None:
        self.told.append({"what": what, "outcome": outcome, **facts})


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_push_starts_a_run_of_that_repository_which_waits_for_more(world: World) -> None:
    done = world.send()
    (asked,) = world.runs.asked
    assert done == Done("started", "acme/web", asked["dag_run_id"])
    assert asked["conf"] == {"repos": ["acme/web"]} and asked["logical_date"] is None
    wait = datetime.fromisoformat(asked["run_after"]).timestamp() - datetime.now(UTC).timestamp()
    assert 3 < wait <= 5
    (told,) = world.told
    assert (told["what"], told["outcome"], told["repo"], told["event"]) == ("webhook", "started", "acme/web", "push")


def test_pushes_while_a_run_is_queued_become_that_run(world: World) -> None:
    first = world.send()
    for event in ("push", "create", "delete"):
        assert world.send(event=event) == Done("folded", "acme/web", first.run_id)
    assert world.send(push("acme/other")).outcome == "started"
    assert [a["conf"]["repos"] for a in world.runs.asked] == [["acme/web"], ["acme/other"]]
    assert [t["outcome"] for t in world.told] == ["started", "folded", "folded", "folded", "started"]


@pytest.mark.parametrize("state", ["running", "success", "failed"])
def test_a_push_after_a_run_has_begun_is_not_left_to_it(world: World, state: str) -> None:
    first = world.send()
    world.begun(first, state)
    second = world.send()
    assert second.outcome == "started" and second.run_id != first.run_id
    assert world.send().run_id == second.run_id


def test_a_repository_whose_run_takes_long_is_not_run_many_times_at_once(world: World) -> None:
    first = world.send()
    world.begun(first, "running")
    world.now -= 300  # it was asked for five minutes ago
    Ledger(world.path, clock=lambda: world.now).replace("acme/web", Ledger(world.path).run("acme/web"), first.run_id)
    world.send()
    wait = datetime.fromisoformat(world.runs.asked[-1]["run_after"]).timestamp() - datetime.now(UTC).timestamp()
    assert 290 < wait < 310


def test_a_redelivery_does_nothing_also_under_another_id_and_after_a_restart(world: World) -> None:
    payload = push()
    first = world.send(payload, delivery="11111111-2222")
    world.begun(first, "success")
    for delivery in ("11111111-2222", "99999999-8888"):  # the id is not signed
        assert world.send(payload, delivery=delivery) == Done("seen", run_id=first.run_id)
    assert world.send(push(), delivery="11111111-2222").outcome == "seen"
    assert len(world.runs.asked) == 1 and len(world.told) == 1
    world.now += KEPT + 1
    world.send()  # which forgets what is old
    assert world.send(payload, delivery="11111111-2222").outcome == "folded"


@pytest.mark.parametrize(
    "payload",
    [
        push("stranger/web"),
        push("acme/big-mirror"),
        push("acme/web", host="evil.example"),
        push("x/y"),
        push("tools/build", host="elsewhere.example"),
    ],
)
def test_what_is_not_registered_starts_nothing_and_may_come_again(world: World, payload: dict[str, Any]) -> None:
    assert world.send(payload, delivery="11111111-2222").outcome == "not registered"
    assert world.runs.asked == world.told == []
    text = REGISTRY.replace("organisations:", "organisations:\n  - stranger")
    world.settings.repositories.write_text(text)
    again = world.send(payload, delivery="11111111-2222")
    assert (again.outcome == "started") is (payload["repository"]["full_name"] == "stranger/web")


def test_a_registered_source_is_known_by_its_address_however_it_is_written(world: World) -> None:
    done = world.send(push("Tools/build"))
    assert (done.outcome, done.repo) == ("started", "build-tools")
    assert world.runs.asked[0]["conf"] == {"repos": ["build-tools"]}


def test_of_a_burst_airflow_is_asked_once(world: World) -> None:
    first = world.send()
    world.runs.down = True  # which nobody notices
    assert {world.send() for _ in range(9)} == {Done("folded", "acme/web", first.run_id)}
    Ledger(world.path).waits("acme/web", first.run_id, 0.0)  # it may have begun: now Airflow has to say
    with pytest.raises(Unavailable):
        world.send()


def test_ping_and_other_events(world: World) -> None:
    assert world.send(event="ping").outcome == "pong"
    assert world.send(event="issues").outcome == "ignored"
    assert world.runs.asked == []


def test_when_airflow_is_away_nothing_is_remembered_and_the_delivery_may_come_again(world: World) -> None:
    payload = push()
    world.runs.down = True
    with pytest.raises(Unavailable):
        world.send(payload, delivery="11111111-2222")
    world.runs.down = False
    assert world.send(payload, delivery="11111111-2222").outcome == "started"
    assert world.send(payload, delivery="11111111-2222").outcome == "seen"
    assert len(world.runs.asked) == 1


def test_a_worker_that_died_before_it_asked_airflow_leaves_a_run_that_the_next_one_asks_for(world: World) -> None:
    Ledger(world.path, clock=lambda: world.now).replace("acme/web", None, "webhook__claimed")
    assert world.send() == Done("started", "acme/web", "webhook__claimed")
    del world.runs.states["webhook__claimed"]  # somebody deleted it in Airflow, much later
    world.now -= 3600
    ledger = Ledger(world.path, clock=lambda: world.now)
    ledger.replace("acme/web", ledger.run("acme/web"), "webhook__claimed")
    assert world.send().run_id not in {"", "webhook__claimed"}


def test_many_at_once_in_many_workers_become_one_run(world: World) -> None:
    with ThreadPoolExecutor(12) as pool:
        done = list(pool.map(lambda _: world.send(), range(36)))
    assert len(world.runs.asked) == 1
    assert {d.run_id for d in done} == set(world.runs.states)
    assert sum(d.outcome == "started" for d in done) == 1


def test_a_burst_over_begun_runs_loses_no_push(world: World) -> None:
    """Whatever is begun in between: every push is followed by a run that was still queued when it came."""

    def one(number: int) -> str:
        done = world.send()
        if number % 5 == 0:
            world.begun(done, "running")
        return done.run_id

    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(one, range(40)))
    assert set(ids) == {a["dag_run_id"] for a in world.runs.asked}
    assert 2 <= len(world.runs.asked) <= 9
