"""Colours for code, by Pygments in a process of its own.

A lexer is a heap of regular expressions, and a file out of a repository may be made to keep one busy for ever, with
the interpreter's lock held: inside Airflow's API server that would stop Airflow. Here it costs a file its colours.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from pathlib import Path

from pivo.chat import highlighter

_SECONDS = 1.0  # for one file
_START_SECONDS = 5.0  # for the first one: Pygments is imported
_MAX = 100_000  # characters; what is longer stays plain


class Highlighter:
    """Colours one file at a time. To be shared by threads; the process starts with the first file."""

    def __init__(self, seconds: float = _SECONDS) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def lines(self, path: str, text: str) -> list[str] | None:
        """Each line of `text` as HTML (`<span class="k">…`, all text escaped); None when the language is not known,
        or its colours take too long."""
        if len(text) > _MAX or not self._lock.acquire(timeout=self._seconds):
            return None
        try:
            return self._ask({"name": Path(path).name, "text": text})
        except (OSError, EOFError, ValueError):
            self.close()
            return None
        finally:
            self._lock.release()

    def close(self) -> None:
        """Ends the process; the next file starts another."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            for stream in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):
                    if stream:
                        stream.close()
            process.wait()

    def _ask(self, request: dict[str, str]) -> list[str] | None:
        seconds = self._seconds
        if self._process is None or self._process.poll() is not None:
            self.close()
            seconds += _START_SECONDS
            command = [sys.executable, "-I", highlighter.__file__]
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, process_group=0
            )
        process = self._process
        assert process.stdin and process.stdout
        limit = threading.Timer(seconds, process.kill)  # which ends a write or a read that waits for it, too
        limit.start()
        try:
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        finally:
            limit.cancel()
        if not answer.endswith(b"\n"):
            raise EOFError
        lines: list[str] | None = json.loads(answer)
        return lines
