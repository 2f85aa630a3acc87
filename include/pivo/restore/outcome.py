"""How a run, and each of its repositories, stands: left in the staging folder for the tasks, or processes, after.

`run.json` in the run's folder says which repositories go where; the folder of a repository has its plan and one
small file for each step that is done, or `failure.json`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pivo.errors import NotFound, PivoError

Step = Literal["downloaded", "rebuilt", "pushed"]

_FAILURE = "failure.json"
RUN = "run.json"
KEPT = "kept"
"""Marks the folder of a run that has ended and that a rerun could go on with."""


def leave_failure(folder: Path, err: PivoError) -> None:
    """Leave `err`; a later step's failure replaces it."""
    _write(folder / _FAILURE, {"what": err.what, "do": err.do, "retry": err.retry})


def failure(folder: Path) -> PivoError | None:
    """The failure that was left, if any."""
    told = _read(folder / _FAILURE)
    if told is None:
        return None
    err = PivoError(told["what"], told["do"])
    err.retry = told["retry"]
    return err


def forget_failure(folder: Path) -> None:
    """A step begins (again)."""
    (folder / _FAILURE).unlink(missing_ok=True)


def leave(folder: Path, step: Step, facts: dict[str, Any]) -> None:
    """A step of one repository is done, with what the report says of it."""
    _write(folder / f"{step}.json", facts)


def left(folder: Path, step: Step) -> dict[str, Any] | None:
    """What a step left, None when it is not done."""
    return _read(folder / f"{step}.json")


def leave_run(folder: Path, targets: dict[str, str]) -> None:
    """The repositories of a run, and where each goes."""
    _write(folder / RUN, {"targets": targets})


def run(folder: Path) -> dict[str, str]:
    """What `leave_run` left; NotFound when the run was not planned, or its folder is gone."""
    told = _read(folder / RUN)
    if told is None:
        raise NotFound(f"There is no restore in {folder}: it was never planned, or has ended.", "Start it again.")
    return dict(told["targets"])


def _write(path: Path, data: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(data), encoding="utf-8")
    part.rename(path)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
