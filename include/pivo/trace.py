"""The log of what a question set in motion: one line an event, made for `grep`.

    [2026-11-23 03:12:07] [METADATA-SVC] [SQL] SELECT …

Services: PIVO-ORCHESTRATOR (the agent and the DAG), METADATA-SVC (the index), SPARK-SUBMIT, SPARK-DRIVER,
SPARK-EXECUTOR. Kinds: INFO, SQL, RES (a result), CMD (a command as run), LOG.
"""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path
from typing import Literal

from pivo.masking import masked

Service = Literal["PIVO-ORCHESTRATOR", "METADATA-SVC", "SPARK-SUBMIT", "SPARK-DRIVER", "SPARK-EXECUTOR"]
Kind = Literal["INFO", "SQL", "RES", "CMD", "LOG"]

_log = logging.getLogger("pivo.trace")


def line(service: Service, kind: Kind, text: str) -> str:
    """One line of the log; line breaks and control characters in `text` become spaces, credentials are masked."""
    flat = " ".join("".join(c if c.isprintable() else " " for c in masked(text)).split())
    return f"[{datetime.now():%Y-%m-%d %H:%M:%S}] [{service}] [{kind}] {flat}"


def trace(path: Path | None, service: Service, kind: Kind, text: str) -> None:
    """Append a line to the trace log at `path` (several processes may; a short append is atomic) and log it."""
    entry = line(service, kind, text)
    _log.info(entry)
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as out:
            out.write(entry + "\n")
    except OSError as err:  # a log that cannot be written must not stop a restore
        _log.warning("trace log %s: %s", path, err)
