"""A stack of its own for the disturbance: killed, looked at and brought back as a person would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pivo.settings import CHECKOUT, Settings
from pivo.stack import process
from pivo.stack.airflow_probe import Health
from pivo.stack.parts import all_parts

OFFSET = "16000"
"""PIVO_PORT_OFFSET, unless PIVO_CHAOS_OFFSET says otherwise: beside a stack that runs already."""


class Broken(Exception):
    """The disturbance cannot go on; says why."""


@dataclass(frozen=True)
class Said:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """Why it failed, on one line; empty where it did not say so."""
        found = self.err.partition("error:")[2]
        return " ".join(found.split())


class Stack:
    """The embedded stack at `home`, and the command line beside it."""

    def __init__(self, home: Path) -> None:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PIVO_")}
        offset = os.environ.get("PIVO_CHAOS_OFFSET", OFFSET)
        own = {"PIVO_HOME": str(home), "PIVO_PORT_OFFSET": offset, "PIVO_REPOSITORIES": str(home / "none.yaml")}
        self.env = {**inherited, **own, "PYTHONPATH": str(CHECKOUT / "include")}

    @property
    def settings(self) -> Settings:
        return Settings.load(self.env)

    @property
    def parts(self) -> list[str]:
        return [part.name for part in all_parts(self.settings)]

    def pivo(self, *words: str, timeout: float = 300.0) -> Said:
        """Runs a command of the command line to its end."""
        command = [sys.executable, "-c", "from pivo.cli import main; main()", *words]
        done = subprocess.run(
            command,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def up(self) -> float:
        """`pivo up`; the seconds that it took. Broken when it fails."""
        begun = time.monotonic()
        said = self.pivo("up", "--quiet", timeout=600)
        if said.code:
            raise Broken(f"`pivo up` failed: {said.sentence}")
        return time.monotonic() - begun

    def down(self) -> None:
        self.pivo("down", "--quiet", timeout=180)

    def kill(self, part: str) -> None:
        """SIGKILL for the part's process; what it started is left to itself."""
        record = process.load(self.settings.home / "run", part)
        running = record.process() if record else None
        if running is None:
            raise Broken(f"{part} does not run.")
        running.kill()
        running.wait(20)

    def states(self) -> tuple[int, dict[str, str]]:
        """The exit code of `pivo status`, and what it says of each part."""
        said = self.pivo("status", "--json")
        return said.code, {part["name"]: part["state"] for part in json.loads(said.out)["parts"]}

    def runs(self) -> list[dict[str, Any]]:
        """All runs of all DAGs, as Airflow's API tells them."""
        rows: list[dict[str, Any]] = []
        health = Health(self.settings)
        while True:
            page = health.get("/api/v2/dags/~/dagRuns", limit=100, offset=len(rows), order_by="run_after")
            rows += page["dag_runs"]
            if len(rows) >= page["total_entries"] or not page["dag_runs"]:
                return rows
