from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from pivo.errors import StackError
from pivo.settings import CHECKOUT
from pivo.stack import process
from pivo.stack.part import PART_VARIABLE, Part

SLEEP = (sys.executable, "-c", "import time; time.sleep(60)")


def part(*command: str, name: str = "kafka") -> Part:
    return Part(name=name, title="Kafka", command=lambda: command or SLEEP, ports={"kafka": 1})


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Callable[[Part], process.Record]]:
    """Starts parts of a stack at `tmp_path`; what is left of them is killed after the test."""
    children: list[subprocess.Popen[bytes]] = []

    def start(one: Part) -> process.Record:
        env = {**os.environ, "PIVO_HOME": str(tmp_path)}
        child = process.start(one, env, tmp_path / f"{one.name}.log", tmp_path)
        children.append(child)
        return process.Record(one.name, child.pid, psutil.Process(child.pid).create_time(), one.ports, one.url)

    yield start
    for _, left in process.members(tmp_path):
        left.kill()
    for child in children:
        child.kill()
        child.wait()


def eventually(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_record_is_read_back_and_finds_its_process(tmp_path: Path, launch: Callable[[Part], process.Record]) -> None:
    record = launch(part())
    process.save(tmp_path, record)
    loaded = process.load(tmp_path, "kafka")
    assert loaded == record
    running = loaded.process()
    assert running is not None and running.pid == record.pid


def test_a_process_id_that_is_another_process_by_now_is_not_taken_for_the_part(
    launch: Callable[[Part], process.Record],
) -> None:
    record = launch(part())
    assert replace(record, created=record.created - 3600).process() is None


def test_a_dead_process_and_a_zombie_do_not_run(launch: Callable[[Part], process.Record]) -> None:
    record = launch(part())
    psutil.Process(record.pid).kill()  # its parent, this test, has not waited for it: a zombie
    eventually(lambda: record.process() is None)
    assert psutil.Process(record.pid).status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("content", ["", "{", "[]", '{"part": "kafka"}', '{"unknown": 1}'])
def test_a_broken_record_counts_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "kafka.json").write_text(content)
    assert process.load(tmp_path, "kafka") is None


def test_processes_are_found_by_their_environment_also_when_they_left_session_and_parent(
    tmp_path: Path, launch: Callable[[Part], process.Record]
) -> None:
    orphan = (
        "import os, subprocess, sys;"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], start_new_session=True)"
    )
    record = launch(part(sys.executable, "-c", orphan))
    found = lambda: [one for name, one in process.members(tmp_path) if name == "kafka"]  # noqa: E731
    eventually(lambda: [one.pid for one in found() if one.pid != record.pid])
    assert not list(process.members(tmp_path / "another"))
    assert not list(process.members(tmp_path, "zookeeper"))


def test_this_process_is_never_a_member(tmp_path: Path) -> None:
    script = (
        "import os, pathlib;from pivo.stack import process;"
        "print([one.pid for _, one in process.members(pathlib.Path(os.environ['PIVO_HOME']))])"
    )
    path = str(CHECKOUT / "include")
    env = {**os.environ, "PYTHONPATH": path, "PIVO_HOME": str(tmp_path), PART_VARIABLE: "kafka"}
    shown = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_a_part_without_a_record_is_adopted(tmp_path: Path, launch: Callable[[Part], process.Record]) -> None:
    one = part()
    record = launch(one)
    eventually(lambda: process.adopt(tmp_path, one))
    assert process.adopt(tmp_path, one) == record
    assert process.adopt(tmp_path, part(name="zookeeper")) is None


def test_a_process_that_ignores_term_is_killed_after_its_grace(
    tmp_path: Path, launch: Callable[[Part], process.Record]
) -> None:
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    record = launch(part(sys.executable, "-c", deaf))
    eventually(lambda: "deaf" in (tmp_path / "kafka.log").read_text())
    running = record.process()
    assert running is not None
    assert process.stop([running], grace=0.3) == []
    assert record.process() is None


def test_a_program_that_is_not_there_is_told(launch: Callable[[Part], process.Record]) -> None:
    with pytest.raises(StackError, match="/no/such/program"):
        launch(part("/no/such/program"))


def test_a_large_log_is_set_aside(
    tmp_path: Path, launch: Callable[[Part], process.Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "LOG_LIMIT", 10)
    (tmp_path / "kafka.log").write_text("old " * 100)
    launch(part())
    assert (tmp_path / "kafka.log.1").read_text().startswith("old")
    assert "old" not in (tmp_path / "kafka.log").read_text()


def test_the_tail_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("".join(f"line {number} {'x' * 300}\n" for number in range(2000)))
    assert [line.split()[1] for line in process.tail(log, 3)] == ["1997", "1998", "1999"]
    assert len(process.tail(log, 1500)) == 1500
    assert process.tail(tmp_path / "none.log", 3) == []
