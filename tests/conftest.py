"""One real stack for all tests of a session that ask for it, in a home and on ports of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from pivo.settings import CHECKOUT, Settings
from stack_kit import Pivo, stack_environment, told


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
    from pivo.stack.parts import all_parts
    from pivo.stack.supervisor import Supervisor

    env = stack_environment(tmp_path_factory.mktemp("stack") / "home")
    settings = Settings.load(env)
    supervisor = Supervisor(settings, all_parts(settings))
    try:
        supervisor.up(told)
        yield env
    finally:
        supervisor.down(told)


@pytest.fixture(scope="session")
def pivo(stack_env: dict[str, str]) -> Pivo:
    """The command line, as a person would run it beside the running stack."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PIVO_")}
    env = {**own, **stack_env, "PYTHONPATH": str(CHECKOUT / "include")}
    command = (sys.executable, "-c", "from pivo.cli import main; main()")

    def run(*arguments: str, code: int | None = 0, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        words = (*command, *arguments)
        done = subprocess.run(
            words, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False
        )
        assert code in (None, done.returncode), (
            f"pivo {' '.join(arguments)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
        return done

    return run


@pytest.fixture(scope="session")
def stack(stack_env: dict[str, str]) -> Settings:
    """Settings of a running stack."""
    return Settings.load(stack_env)
