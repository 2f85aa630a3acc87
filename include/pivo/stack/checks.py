"""What must hold before anything is started: free ports, memory, disk, git."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterable
from pathlib import Path

import psutil

from pivo.errors import StackError
from pivo.settings import Settings
from pivo.stack.part import HOST, Folders, Part

MEMORY = 4.0  # GB for all parts and a restore at work
DISK = 5.0  # GB for the home folder, the first time
DISK_LATER = 1.5  # a DataNode takes a block only where a gigabyte besides it is free


def check(settings: Settings, missing: list[Part], total: int) -> None:
    """StackError naming the first thing that is in the way of starting the `missing` of `total` parts."""
    git()
    jars(settings.jars)
    ports(missing)
    disk(settings.home)
    if settings.memory_check:
        memory(MEMORY * len(missing) / total)


def git() -> None:
    """git is on the PATH."""
    if shutil.which("git") is None:
        raise StackError("git is not installed.", "Install it with your system's package manager.")


def jars(folder: Path) -> None:
    """The jars of HDFS and Kafka are there."""
    for conf in ("hdfs", "kafka"):
        if not any((folder / conf).glob("*.jar")):
            raise StackError(
                f"The jars of {conf} are not in {folder}.",
                "Run `make setup` in a checkout, or `python -m pivo.stack.jars` where PIVO was installed.",
            )


def ports(parts: Iterable[Part]) -> None:
    """No port of these parts is taken; StackError names all that are, by whom, and what changes them."""
    taken = [(name, port) for part in parts for name, port in part.ports.items() if not _free(port)]
    if not taken:
        return
    who = _listeners()
    described = ", ".join(f"{port} ({name}{who.get(port, '')})" for name, port in taken)
    variables = ", ".join(f"PIVO_PORT_{name.upper()}" for name, _ in taken)
    raise StackError(
        f"{'Port' if len(taken) == 1 else 'Ports'} already in use: {described}.",
        f"Stop what uses {'it' if len(taken) == 1 else 'them'}, or set {variables} to other ports "
        "(PIVO_PORT_OFFSET=1000 moves them all).",
    )


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _listeners() -> dict[int, str]:
    """`, used by <program> <pid>` for the ports whose owners may be seen."""
    try:
        found = {}
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.pid and connection.laddr:
                name = psutil.Process(connection.pid).name()
                found[connection.laddr.port] = f", used by {name} {connection.pid}"
        return found
    except psutil.Error:
        return {}


def memory(needed: float) -> None:
    """At least `needed` GB are free."""
    free = psutil.virtual_memory().available / 1e9
    if free < needed:
        raise StackError(
            f"The stack needs about {needed:.1f} GB of free memory; {free:.1f} GB are free.",
            "Close something, or set PIVO_MEMORY_CHECK=0 to try anyway.",
        )


def disk(home: Path) -> None:
    """The home folder's disk has room."""
    needed = DISK_LATER if (Folders(home).data / "hdfs").is_dir() else DISK
    free = shutil.disk_usage(home).free / 1e9
    if free < needed:
        raise StackError(
            f"The stack needs {needed:.0f} GB of free disk at {home}; {free:.1f} GB are free.",
            "Make room, or set PIVO_HOME to a folder on another disk.",
        )
