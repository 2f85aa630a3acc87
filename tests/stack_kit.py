"""What the tests of the stack share: ports, environment, the command line."""

from __future__ import annotations

import os
import socket
import subprocess
from dataclasses import fields
from pathlib import Path
from typing import Protocol

from pivo.settings import CHECKOUT, Ports


def free_ports() -> dict[str, str]:
    """A free port for every part, as `PIVO_PORT_…`; from below the range that outgoing connections use."""
    found: dict[str, str] = {}
    port = 18000 + os.getpid() % 4000
    for name in (field.name for field in fields(Ports)):
        while True:
            port += 1
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) != 0:
                    break
        found[f"PIVO_PORT_{name.upper()}"] = str(port)
    return found


def told(part: str, state: str, detail: str) -> None:
    """Progress of the stack, in pytest's captured output."""
    print(f"{part} {state} {detail}")  # noqa: T201


def stack_environment(home: Path) -> dict[str, str]:
    """The PIVO_… variables of a stack at `home` on free ports, with nothing inherited that points elsewhere."""
    kept = {name: value for name, value in os.environ.items() if name == "PIVO_MEMORY_CHECK"}
    # none, until a test writes it
    own = {f"PIVO_{name.upper()}": str(home / f"{name}.yaml") for name in ("repositories", "policy")}
    return {**kept, "PIVO_HOME": str(home), "PIVO_ROOT": str(CHECKOUT), **own, **free_ports()}


class Pivo(Protocol):
    """Runs the command line on the stack: its output; the test fails unless it exits with `code` (None: any)."""

    def __call__(
        self, *arguments: str, code: int | None = 0, timeout: float = 300
    ) -> subprocess.CompletedProcess[str]: ...
