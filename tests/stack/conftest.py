"""One real stack for all tests of a session, in a home and on ports of its own."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from pivo.settings import CHECKOUT, Ports, Settings
from pivo.stack.parts import all_parts
from pivo.stack.supervisor import Supervisor


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
    return {**kept, "PIVO_HOME": str(home), "PIVO_ROOT": str(CHECKOUT), **free_ports()}


@pytest.fixture(scope="session")
def stack_env(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a running stack, for commands that a test runs: `{**os.environ, **stack_env}`.

    PIVO_TEST_HOME names the home of a stack that runs already (its PIVO_PORT_… must be set too): it is used and left.
    """
    running = os.environ.get("PIVO_TEST_HOME")
    if running:
        env = {name: value for name, value in os.environ.items() if name.startswith("PIVO_")}
        yield {**env, "PIVO_HOME": running}
        return
    env = stack_environment(tmp_path_factory.mktemp("stack") / "home")
    settings = Settings.load(env)
    supervisor = Supervisor(settings, all_parts(settings))
    try:
        supervisor.up(told)
        yield env
    finally:
        supervisor.down(told)


@pytest.fixture(scope="session")
def stack(stack_env: dict[str, str]) -> Settings:
    """Settings of a running stack."""
    return Settings.load(stack_env)
