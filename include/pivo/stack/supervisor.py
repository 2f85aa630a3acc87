"""Brings the stack up, tells how it is, takes it down.

There is no daemon: `up` starts what does not run, waits until each part answers and returns. What it started is
known by its record in `<home>/run` or, where that is missing, by its environment.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Literal

import psutil

from pivo.errors import PivoError, StackError
from pivo.settings import Settings
from pivo.stack import checks, lock, process
from pivo.stack.part import Folders, Part, environment
from pivo.stack.process import Record

State = Literal["up", "starting", "sick", "down"]
Report = Callable[[str, str, str], None]
"""`report(part, state, detail)`: waiting, preparing, starting, ready, failed, stopping, stopped."""

RESTART = 2.0  # seconds before a part that ended while starting is started again
POLL = 0.25  # seconds between two questions to a part that is not ready


@dataclass(frozen=True)
class PartStatus:
    """How a part is: `up` answers, `sick` runs without answering, `starting` was never ready, `down` does not run."""

    name: str
    title: str
    state: State
    pid: int | None
    ports: dict[str, int]
    url: str
    since: float | None  # Unix time of its start
    memory: int | None  # bytes resident, with its children
    detail: str = ""


class Supervisor:
    """The stack at `settings.home`, made of `parts`."""

    def __init__(self, settings: Settings, parts: Sequence[Part]) -> None:
        self.settings = settings
        self.parts = list(parts)
        self.folders = Folders(settings.home)

    # ---------------------------------------------------------------- up
    def up(self, report: Report) -> None:
        """Starts what does not run and waits for all to answer. StackError for the first part that does not."""
        self.folders.make()
        with lock.held(self.folders.run / "lock", waiting=lambda who: report("pivo", "waiting", f"for {who}")):
            running = {part.name: self._running(part) for part in self.parts}
            missing = [part for part in self.parts if running[part.name] is None]
            if missing:
                self._clear_leftovers(missing)
                checks.check(self.settings, missing, len(self.parts))
            _Launch(self, running, report).run()

    def _clear_leftovers(self, missing: Iterable[Part]) -> None:
        """Ends what a part's killed process left running: it would hold its ports and files."""
        names = {part.name for part in missing}
        left = [found for name, found in process.members(self.settings.home) if name in names]
        process.stop(left, grace=5)

    def _running(self, part: Part) -> Record | None:
        record = process.load(self.folders.run, part.name)
        if record and record.process():
            return record
        adopted = process.adopt(self.settings.home, part)
        if adopted:
            process.save(self.folders.run, adopted)
        return adopted

    # ---------------------------------------------------------------- status
    def status(self) -> list[PartStatus]:
        """Asks every part, at the same time."""
        with ThreadPoolExecutor(len(self.parts) or 1) as pool:
            return list(pool.map(self._status, self.parts))

    def _status(self, part: Part) -> PartStatus:
        record = process.load(self.folders.run, part.name)
        running = record.process() if record else None
        if record is None or running is None:
            fell = "" if record is None else "It ended without `pivo down`; `pivo up` starts it again."
            return PartStatus(part.name, part.title, "down", None, dict(part.ports), part.url, None, None, fell)
        state: State = "up"
        detail = ""
        try:
            part.probe(record.created)
        except PivoError as err:
            state, detail = ("sick" if record.ready else "starting"), err.what
        memory = sum(_resident(one) for one in [running, *_children(running)])
        ports, url = dict(record.ports), record.url
        return PartStatus(part.name, part.title, state, record.pid, ports, url, record.created, memory, detail)

    # ---------------------------------------------------------------- down
    def down(self, report: Report) -> int:
        """Stops all, in reverse order of need, with whatever they started; returns how many processes ended."""
        if not self.folders.run.is_dir():
            return 0
        with lock.held(self.folders.run / "lock", waiting=lambda who: report("pivo", "waiting", f"for {who}")):
            ended = 0
            for layer in layers(self.parts):
                with ThreadPoolExecutor(len(layer)) as pool:
                    ended += sum(pool.map(lambda part: self._stop(part, report), layer))
            left = [found for _, found in process.members(self.settings.home)]
            stubborn = process.stop(left, grace=5)
            if stubborn:
                pids = ", ".join(str(one.pid) for one in stubborn)
                raise StackError(f"These processes of the stack do not end: {pids}.", "Look at them with ps.")
            return ended + len(left)

    def _stop(self, part: Part, report: Report) -> int:
        record = self._running(part)
        leader = record.process() if record else None
        if leader is None:
            process.forget(self.folders.run, part.name)
            return 0
        report(part.name, "stopping", "")
        process.stop([leader], part.grace)
        process.stop([left for _, left in process.members(self.settings.home, part.name)], grace=3)
        process.forget(self.folders.run, part.name)
        report(part.name, "stopped", "")
        return 1


class _Launch:
    """One `up`: a thread a part, each waiting for the parts that it needs."""

    def __init__(self, supervisor: Supervisor, running: dict[str, Record | None], report: Report) -> None:
        self._supervisor = supervisor
        self._running = running
        self._report = report
        self._env = environment(supervisor.settings)
        self._prepared = {part.name: threading.Event() for part in supervisor.parts}
        self._ready = {part.name: threading.Event() for part in supervisor.parts}
        self._failed = threading.Event()
        self._errors: list[tuple[str, PivoError]] = []

    def run(self) -> None:
        parts = self._supervisor.parts
        with ThreadPoolExecutor(len(parts)) as pool:
            try:
                for done in [pool.submit(self._bring_up, part) for part in parts]:
                    done.result()
            except BaseException:
                self._failed.set()  # the other threads stop waiting
                raise
        if self._errors:
            raise self._errors[0][1]

    def _bring_up(self, part: Part) -> None:
        begun = time.monotonic()
        try:
            if self._running[part.name] is None:
                self._report(part.name, "waiting", ", ".join(part.after))
                self._await(self._ready, part.after)
                self._await(self._prepared, part.prepared)
                self._report(part.name, "preparing", "")
                self._prepare(part)
                self._prepared[part.name].set()
                self._start(part)
            else:
                self._prepared[part.name].set()
                self._wait_ready(part, None, self._running[part.name])
            self._ready[part.name].set()
            self._report(part.name, "ready", f"{time.monotonic() - begun:.1f} s")
        except _GivenUp:
            self._report(part.name, "failed", "not started")
        except PivoError as err:
            self._errors.append((part.name, err))
            self._failed.set()
            self._report(part.name, "failed", err.what)

    @staticmethod
    def _prepare(part: Part) -> None:
        try:
            part.prepare()
        except OSError as err:
            raise StackError(
                f"{part.title} cannot be prepared: {err.filename}: {err.strerror}.",
                "Mend that file's permissions, or make room on its disk.",
            ) from err

    def _await(self, events: dict[str, threading.Event], names: Iterable[str]) -> None:
        for name in names:
            while name in events and not events[name].wait(0.1):
                if self._failed.is_set():
                    raise _GivenUp

    def _start(self, part: Part) -> None:
        folders = self._supervisor.folders
        for attempt in range(1, part.attempts + 1):
            if self._failed.is_set():
                raise _GivenUp
            self._report(part.name, "starting", "" if attempt == 1 else f"attempt {attempt}")
            child = process.start(part, self._env, folders.log(part.name), folders.home)
            created = psutil.Process(child.pid).create_time()
            record = Record(part.name, child.pid, created, dict(part.ports), part.url)
            process.save(folders.run, record)
            if self._wait_ready(part, child, record):
                return
            if attempt < part.attempts:
                time.sleep(RESTART)
        last = next((line for line in reversed(process.tail(folders.log(part.name), 40)) if _telling(line)), "")
        raise StackError(
            f"{part.title} stopped while starting (exit code {child.returncode}). {last[:300]}".strip(),
            f"Read more with `pivo logs {part.name}`.",
        )

    def _wait_ready(self, part: Part, child: subprocess.Popen[bytes] | None, record: Record | None) -> bool:
        """True when the part answers, False when its process ended; StackError when patience does."""
        assert record is not None
        deadline, last = time.monotonic() + part.patience, ""
        while time.monotonic() < deadline:
            if (child.poll() is not None) if child else (record.process() is None):
                return False
            if self._failed.is_set():
                raise _GivenUp
            try:
                part.probe(record.created)
            except StackError:
                raise
            except PivoError as err:
                last = err.what
                time.sleep(POLL)
                continue
            process.save(self._supervisor.folders.run, replace(record, ready=True))
            return True
        raise StackError(
            f"{part.title} does not answer after {part.patience:.0f} s. {last}".strip(),
            f"Read `pivo logs {part.name}`, then run `pivo up` again.",
        )


class _GivenUp(Exception):
    """Not an error of its own: another part's failure ended the launch."""


def layers(parts: Sequence[Part]) -> list[list[Part]]:
    """The parts in the order to stop them: those that nothing else needs first."""
    left, order = {part.name: part for part in parts}, []
    while left:
        needed = {name for part in left.values() for name in (*part.after, *part.prepared, *part.uses)}
        layer = [part for part in left.values() if part.name not in needed] or list(left.values())
        order.append(layer)
        for part in layer:
            del left[part.name]
    return order


def _telling(line: str) -> bool:
    return any(word in line for word in ("ERROR", "FATAL", "Error", "Exception", "error:"))


def _children(running: psutil.Process) -> list[psutil.Process]:
    try:
        return running.children(recursive=True)
    except psutil.Error:
        return []


def _resident(running: psutil.Process) -> int:
    try:
        return int(running.memory_info().rss)
    except psutil.Error:
        return 0
