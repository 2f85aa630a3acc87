"""How a run stands, left in its staging folder for the tasks, or processes, that come after."""

from __future__ import annotations

import json
from pathlib import Path

from pivo.errors import PivoError

_FAILURE = "failure.json"
_PUSHED = "pushed.json"


def leave_failure(folder: Path, err: PivoError) -> None:
    """Leave `err`; a later step's failure replaces it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _FAILURE).write_text(json.dumps({"what": err.what, "do": err.do, "retry": err.retry}))


def failure(folder: Path) -> PivoError | None:
    """The failure that was left, if any."""
    try:
        told = json.loads((folder / _FAILURE).read_text())
    except (FileNotFoundError, ValueError):
        return None
    err = PivoError(told["what"], told["do"])
    err.retry = told["retry"]
    return err


def forget_failure(folder: Path) -> None:
    """A step begins (again)."""
    (folder / _FAILURE).unlink(missing_ok=True)


def leave_pushed(folder: Path, url: str) -> None:
    """The restored repository is at `url`."""
    (folder / _PUSHED).write_text(json.dumps({"url": url}))


def pushed(folder: Path) -> bool:
    """Whether the run came to its end."""
    return (folder / _PUSHED).exists()
