"""The supervisor with small processes in the place of the real parts."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from pivo.errors import StackError
from pivo.settings import CHECKOUT, Settings
from pivo.stack import checks, lock, process
from pivo.stack.part import NotReady, Part
from pivo.stack.supervisor import Supervisor, layers

SERVE = "import pathlib, sys, time; time.sleep(float(sys.argv[2])); pathlib.Path(sys.argv[1]).touch(); time.sleep(60)"


def quiet(part: str, state: str, detail: str) -> None:
    pass


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(checks, "jars", lambda folder: None)
    monkeypatch.setattr(checks, "DISK", 0.1)
    return Settings.load({"PIVO_HOME": str(tmp_path), "PIVO_ROOT": str(CHECKOUT), "PIVO_MEMORY_CHECK": "0"})


@pytest.fixture
def make(settings: Settings) -> Iterator[Callable[..., Part]]:
    """Makes parts that are ready once they have written a file; nothing of them is left after the test."""

    def part(name: str, *after: str, delay: float = 0.0, code: str = SERVE) -> Part:
        flag = settings.home / f"{name}.flag"

        def probe(since: float) -> None:
            if not flag.exists() or flag.stat().st_mtime < since - 1:
                raise NotReady(f"{name} is not there yet.")

        return Part(
            name=name,
            title=name.title(),
            command=lambda: (sys.executable, "-c", code, str(flag), str(delay)),
            after=after,
            probe=probe,
            patience=10,
            grace=2,
            attempts=1,
        )

    yield part
    for _, left in process.members(settings.home):
        left.kill()


def pids(supervisor: Supervisor) -> dict[str, int | None]:
    return {status.name: status.pid for status in supervisor.status()}


def test_up_starts_all_and_a_second_up_changes_nothing(settings: Settings, make: Callable[..., Part]) -> None:
    stack = Supervisor(settings, [make("one"), make("two", "one")])
    stack.up(quiet)
    before = pids(stack)
    assert None not in before.values()
    stack.up(quiet)
    assert pids(stack) == before
    assert {status.state for status in stack.status()} == {"up"}


def test_a_part_waits_for_what_it_needs(settings: Settings, make: Callable[..., Part]) -> None:
    seen: list[tuple[str, str]] = []
    stack = Supervisor(settings, [make("late", "early"), make("early", delay=0.5)])
    stack.up(lambda part, state, detail: seen.append((part, state)))
    assert seen.index(("early", "ready")) < seen.index(("late", "starting"))


def test_a_killed_part_is_mended_and_the_others_left_alone(settings: Settings, make: Callable[..., Part]) -> None:
    stack = Supervisor(settings, [make("one"), make("two")])
    stack.up(quiet)
    before = pids(stack)
    os.kill(before["one"] or 0, signal.SIGKILL)
    os.waitpid(before["one"] or 0, 0)
    assert {status.name: status.state for status in stack.status()} == {"one": "down", "two": "up"}
    assert "`pivo up` starts it again" in stack.status()[0].detail
    stack.up(quiet)
    after = pids(stack)
    assert after["two"] == before["two"] and after["one"] not in (None, before["one"])
    stack.down(quiet)
    assert {status.detail for status in stack.status()} == {""}, "what was stopped is told as what fell"


def test_a_lost_record_does_not_start_a_part_twice(settings: Settings, make: Callable[..., Part]) -> None:
    stack = Supervisor(settings, [make("one")])
    stack.up(quiet)
    before = pids(stack)
    process.forget(stack.folders.run, "one")
    stack.up(quiet)
    assert pids(stack) == before


def test_a_part_that_ends_at_once_is_told_with_the_line_that_says_why(
    settings: Settings, make: Callable[..., Part]
) -> None:
    stack = Supervisor(settings, [make("one", code="print('starting'); raise RuntimeError('no such disk')")])
    with pytest.raises(StackError) as caught:
        stack.up(quiet)
    assert "One stopped while starting (exit code 1)" in caught.value.what
    assert "RuntimeError: no such disk" in caught.value.what
    assert "pivo logs one" in caught.value.do


def test_what_needs_a_failed_part_is_not_started(settings: Settings, make: Callable[..., Part]) -> None:
    stack = Supervisor(settings, [make("bad", code="raise SystemExit(3)"), make("good", "bad")])
    with pytest.raises(StackError, match="exit code 3"):
        stack.up(quiet)
    assert pids(stack)["good"] is None


def test_a_part_that_never_answers_is_given_up(settings: Settings, make: Callable[..., Part]) -> None:
    one = replace(make("one", delay=60), patience=0.5)
    with pytest.raises(StackError, match="does not answer after"):
        Supervisor(settings, [one]).up(quiet)
    assert Supervisor(settings, [one]).status()[0].state == "starting"


def test_a_part_that_stops_answering_is_sick(settings: Settings, make: Callable[..., Part]) -> None:
    stack = Supervisor(settings, [make("one")])
    stack.up(quiet)
    (settings.home / "one.flag").unlink()
    status = stack.status()[0]
    assert (status.state, status.detail) == ("sick", "one is not there yet.")


def test_down_ends_everything_also_what_left_the_session(settings: Settings, make: Callable[..., Part]) -> None:
    spawn = (
        "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], "
        "start_new_session=True);" + SERVE
    )
    stack = Supervisor(settings, [make("one", code=spawn), make("two", "one")])
    stack.up(quiet)
    assert len(list(process.members(settings.home))) == 3
    stack.down(quiet)
    assert list(process.members(settings.home)) == []
    assert {status.state for status in stack.status()} == {"down"}


def test_down_stops_what_needs_others_first(settings: Settings, make: Callable[..., Part]) -> None:
    parts = [make("namenode"), make("datanode", "namenode"), make("zookeeper"), make("kafka", "zookeeper")]
    order = [{part.name for part in layer} for layer in layers(parts)]
    assert order == [{"datanode", "kafka"}, {"namenode", "zookeeper"}]
    order = [{part.name for part in layer} for layer in layers([*parts, replace(make("tasks"), uses=("kafka",))])]
    assert order == [{"datanode", "tasks"}, {"namenode", "kafka"}, {"zookeeper"}]


def test_down_without_anything_running_says_so(settings: Settings, make: Callable[..., Part]) -> None:
    assert Supervisor(settings, [make("one")]).down(quiet) == 0


def test_two_ups_take_turns(settings: Settings, make: Callable[..., Part]) -> None:
    parts = [make("one", delay=0.5)]
    told: list[str] = []
    ups = [
        threading.Thread(target=Supervisor(settings, parts).up, args=(lambda p, s, d: told.append(f"{p} {s}"),))
        for _ in range(2)
    ]
    for thread in ups:
        thread.start()
    for thread in ups:
        thread.join()
    assert told.count("one starting") == 1 and told.count("one ready") == 2
    assert "pivo waiting" in told


def test_a_lock_that_is_never_let_go_is_told(tmp_path: Path) -> None:
    file, mine = tmp_path / "lock", str(os.getpid())
    with lock.held(file), pytest.raises(StackError, match=mine), lock.held(file, patience=0.3):
        pass


def test_leftovers_of_a_killed_part_are_ended_before_it_starts_again(
    settings: Settings, make: Callable[..., Part]
) -> None:
    spawn = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);" + SERVE
    stack = Supervisor(settings, [make("one", code=spawn)])
    stack.up(quiet)
    leader = psutil.Process(pids(stack)["one"] or 0)
    child = leader.children()[0]
    leader.kill()
    os.waitpid(leader.pid, 0)
    stack.up(quiet)
    deadline = time.monotonic() + 5
    while child.is_running() and child.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.05)
