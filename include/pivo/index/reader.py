"""Asking the index: SQL from people and from a model, run where it can do no harm.

The SQL runs in a worker process of its own (:mod:`pivo.index.worker` tells the guard), which is killed when it does
not come back in time. Never imports the writer, and needs no right to write to the index's folder while a writer
has it open or has left its `-wal` and `-shm` files.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from pivo.errors import NotFound, PivoError, Unavailable, UsageError
from pivo.index import worker
from pivo.index.schema import READABLE_TABLES

GRACE = 0.05
"""Seconds beyond its deadline after which a worker is killed."""

_START_SECONDS = 10.0
_WORKERS = 2


class QueryRefused(UsageError):
    """The SQL is wrong, or asks for what a question may not; nothing was read."""


class QueryTimeout(PivoError):
    """The question took longer than it may; it was stopped."""


@dataclass(frozen=True)
class Result:
    """Rows of an answer; `truncated` when there were more than were asked for, `elapsed` in seconds."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    truncated: bool
    elapsed: float

    def dicts(self) -> list[dict[str, Any]]:
        """The rows by column name."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


class IndexReader:
    """Answers SQL from the index at `index`. A context manager; may be shared by threads, which are answered two
    at a time. Its worker processes start with the first question and end with :meth:`close`, or with this process."""

    def __init__(self, index: Path) -> None:
        self._index = index
        self._idle: list[_Worker] = []
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(_WORKERS)

    def __enter__(self) -> IndexReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the worker processes."""
        with self._lock:
            idle, self._idle = self._idle, []
        for one in idle:
            one.stop()

    def query(
        self,
        sql: str,
        params: Mapping[str, Any] | Sequence[Any] = (),
        *,
        limit: int = 200,
        offset: int = 0,
        timeout: float = 5.0,
    ) -> Result:
        """The first `limit` rows after `offset` of one SELECT over the views `v_*` and `repo_snapshots`.

        QueryRefused for SQL that is wrong or may not be run, QueryTimeout after `timeout` seconds, NotFound when
        there is no index yet.
        """
        request = {
            "sql": sql,
            "params": dict(params) if isinstance(params, Mapping) else list(params),
            "limit": limit,
            "offset": offset,
            "timeout": timeout,
        }
        values = params.values() if isinstance(params, Mapping) else params
        if len(sql) + sum(len(v) if isinstance(v, str | bytes) else 20 for v in values) > worker.REQUEST:
            raise QueryRefused("The query is too long.", "Ask for less at once; nothing was run.")
        began = time.monotonic()
        with self._slots:
            reply = self._ask(request, timeout)
        match reply.get("error"):
            case None:
                rows = [tuple(row) for row in reply["rows"]]
                return Result(tuple(reply["columns"]), rows, reply["truncated"], time.monotonic() - began)
            case "missing":
                raise NotFound(f"There is no index at {self._index} yet.", "Run `pivo index` to make it.")
            case "timeout":
                raise QueryTimeout(
                    f"The question took over {timeout:g} s and was stopped.",
                    "Ask for less: one repository, a period, or fewer rows.",
                )
            case "refused":
                raise QueryRefused(f"The query was refused: {reply['text']}.", "Ask with one SELECT over the views.")
            case _:
                raise QueryRefused(f"The query is wrong: {reply['text']}.", "Mend the SQL; nothing was run.")

    def _ask(self, request: dict[str, Any], timeout: float) -> dict[str, Any]:
        if not self._index.exists():
            return {"error": "missing"}
        for attempt in (1, 2):
            with self._lock:
                one = self._idle.pop() if self._idle else None
            one = one or _Worker(self._index)
            try:
                reply = one.ask(request, timeout + GRACE)
            except TimeoutError:
                one.kill()
                return {"error": "timeout"}
            except (EOFError, OSError) as err:  # it died: of its memory limit, or of somebody's kill
                one.kill()
                if attempt == 2:
                    raise Unavailable(
                        "The process that reads the index died twice.", "Ask for less; then see the log."
                    ) from err
                continue
            except BaseException:
                one.kill()
                raise
            with self._lock:
                self._idle.append(one)
            return reply
        raise AssertionError("unreachable")


class _Worker:
    """One worker process, used by one thread at a time."""

    def __init__(self, index: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", worker.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            process_group=0,  # a Ctrl-C at the terminal is the parent's to handle
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._in, self._out = self._process.stdin, self._process.stdout
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._out, selectors.EVENT_READ)
        self._fresh = True
        self._send(
            {"path": str(index), "tables": sorted(READABLE_TABLES), "open_tables": ["repo_snapshots"]},
        )

    def ask(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        """The reply; TimeoutError when there is none in `seconds`, EOFError when the process died."""
        if self._fresh:  # its start does not count: the time of a question begins when it is ready
            self._receive(time.monotonic() + _START_SECONDS)
            self._fresh = False
        self._send(request)
        return self._receive(time.monotonic() + seconds)

    def _receive(self, deadline: float) -> dict[str, Any]:
        head = self._read(worker.LENGTH.size, deadline)
        message: dict[str, Any] = json.loads(self._read(worker.LENGTH.unpack(head)[0], deadline + 0.02))
        return message

    def _send(self, message: dict[str, Any]) -> None:
        raw = json.dumps(message, default=str).encode()
        self._in.write(worker.LENGTH.pack(len(raw)) + raw)

    def _read(self, size: int, deadline: float) -> bytes:
        parts: list[bytes] = []
        while size:
            if not self._selector.select(max(0.0, deadline - time.monotonic())):
                raise TimeoutError
            part = os.read(self._out.fileno(), size)
            if not part:
                raise EOFError
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def stop(self) -> None:
        """Ends the process in good order."""
        self._in.close()
        try:
            self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._close()

    def kill(self) -> None:
        """Ends the process now; that its memory is given back, which takes a while, is not waited for."""
        self._process.kill()
        self._in.close()
        threading.Thread(target=self._close, daemon=True).start()

    def _close(self) -> None:
        self._process.wait()
        self._selector.close()
        self._out.close()
