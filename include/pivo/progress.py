"""Progress as a plain callback: the CLI draws a bar of it, Airflow logs it, the chat view shows a card."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

Progress = Callable[[str, int, int | None], None]
"""`progress(step, done, total)`: what is being done, how far (objects or bytes), of how much if known."""


def silent(step: str, done: int, total: int | None) -> None:
    """The progress callback that shows nothing."""


def logged(log: logging.Logger, every: float = 5.0) -> Progress:
    """A callback that logs a line when the step changes and then at most every `every` seconds."""
    last_step, last_at = "", 0.0

    def report(step: str, done: int, total: int | None) -> None:
        nonlocal last_step, last_at
        now = time.monotonic()
        if step == last_step and now - last_at < every:
            return
        last_step, last_at = step, now
        log.info("%s %s%s", step, f"{done:,}", f" of {total:,}" if total else "")

    return report
