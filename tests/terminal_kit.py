"""The command line at a terminal, where a person types."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Mapping

MAIN = "import sys; sys.argv[0] = 'pivo'; from pivo.cli import main; main()"


def at_terminal(env: Mapping[str, str], *arguments: str, typed: str, seconds: float = 120) -> tuple[int, str]:
    """The exit code and the screen of `pivo arguments…`, at a terminal where `typed` is typed."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-c", MAIN, *arguments],
        env={**env, "TERM": "dumb"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    os.write(ours, typed.encode())
    deadline, seen = time.monotonic() + seconds, b""
    try:
        while select.select([ours], [], [], max(0.0, deadline - time.monotonic()))[0]:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            seen += piece
        return child.wait(timeout=max(1.0, deadline - time.monotonic())), seen.decode()
    finally:
        child.kill()
        child.wait()
        os.close(ours)
