"""Processes of the stack: started in a session of their own, recognised again, stopped with all they started."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from pivo.errors import StackError
from pivo.stack.part import PART_VARIABLE, Part

LOG_LIMIT = 20 << 20
"""Bytes from which a part's log is set aside (as `.1`) at its next start."""


@dataclass(frozen=True)
class Record:
    """The process that was started for a part. A process id alone may be another's by now: `created` tells."""

    part: str
    pid: int
    created: float  # Unix time, as the kernel gives it
    ports: Mapping[str, int]
    url: str
    ready: bool = False

    def process(self) -> psutil.Process | None:
        """The process, if it still runs and is the same one."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.created) < 1.0
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.Error:
            return None


def save(folder: Path, record: Record) -> None:
    """Writes the record of a part, whole or not at all."""
    path = folder / f"{record.part}.json"
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(record)))
    fresh.replace(path)


def load(folder: Path, part: str) -> Record | None:
    """The record of a part; None when there is none that can be read."""
    try:
        return Record(**json.loads((folder / f"{part}.json").read_text()))
    except (OSError, ValueError, TypeError):
        return None


def forget(folder: Path, part: str) -> None:
    """Removes the record of a part."""
    (folder / f"{part}.json").unlink(missing_ok=True)


def start(part: Part, env: Mapping[str, str], log: Path, cwd: Path) -> subprocess.Popen[bytes]:
    """Starts a part's process: own session, output appended to `log`, nothing on its input."""
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_name(log.name + ".1"))
    with log.open("ab") as out:
        out.write(f"--- {time.strftime('%Y-%m-%d %H:%M:%S')} pivo starts {part.name}\n".encode())
        out.flush()
        command = part.command()
        try:
            return subprocess.Popen(
                command,
                env={**env, **part.env(), PART_VARIABLE: part.name},
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as err:
            raise StackError(
                f"{part.title} cannot be started: {command[0]}: {err.strerror}.",
                "Run `make setup`; it installs what is missing.",
            ) from err


def members(home: Path, part: str | None = None) -> Iterator[tuple[str, psutil.Process]]:
    """The running processes of the stack at `home` (or of one of its parts), by what their environment says.

    This process and those above it are left out, also when a part started them.
    """
    spared = {os.getpid()} | {parent.pid for parent in psutil.Process().parents()}
    for process in psutil.process_iter():
        if process.pid in spared:
            continue
        try:
            env = process.environ()
            name = env.get(PART_VARIABLE)
            ours = name is not None and env.get("PIVO_HOME") == str(home)
            if ours and process.status() != psutil.STATUS_ZOMBIE and part in (None, name):
                yield str(name), process
        except (psutil.Error, OSError):
            continue


def adopt(home: Path, part: Part) -> Record | None:
    """A record of a part that runs without one: its starter was killed before it could write it."""
    for name, process in members(home, part.name):
        with contextlib.suppress(psutil.Error, OSError):
            if os.getsid(process.pid) == process.pid:
                return Record(name, process.pid, process.create_time(), dict(part.ports), part.url)
    return None


def stop(processes: Iterable[psutil.Process], grace: float) -> list[psutil.Process]:
    """Asks the processes to end, and after `grace` seconds makes them; returns those that still run."""
    processes = list(processes)
    for process in processes:
        _signal(process, signal.SIGTERM)
    _, alive = psutil.wait_procs(processes, timeout=grace)
    for process in alive:
        _signal(process, signal.SIGKILL)
    _, alive = psutil.wait_procs(alive, timeout=10)
    return alive


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    with contextlib.suppress(psutil.Error):  # gone, or not ours after all
        process.send_signal(number)


def tail(path: Path, lines: int) -> list[str]:
    """The last lines of a log, oldest first; none when it does not exist."""
    try:
        with path.open("rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(0, log.tell() - max(65536, lines * 400)))
            return log.read().decode("utf-8", "replace").splitlines()[-lines:]
    except FileNotFoundError:
        return []
