"""One `up` or `down` at a time on a home folder."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pivo.errors import StackError


@contextmanager
def held(path: Path, patience: float = 300.0, waiting: Callable[[str], None] = lambda who: None) -> Iterator[None]:
    """Holds the lock at `path`; waits up to `patience` seconds for another holder, then StackError.

    The kernel lets go of it when its holder dies, so a killed `up` blocks nobody.
    """
    with path.open("a+") as file:
        deadline, told = time.monotonic() + patience, False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                file.seek(0)
                who = file.read().strip() or "another process"
            if not told:
                waiting(who)
                told = True
            if time.monotonic() > deadline:
                raise StackError(
                    f"Another `pivo up` or `pivo down` ({who}) is at work here for over {patience:.0f} s.",
                    "Wait for it to end, or stop it.",
                )
            time.sleep(0.2)
        file.seek(0)
        file.truncate()
        file.write(f"process {os.getpid()}")
        file.flush()
        yield
