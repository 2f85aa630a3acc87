"""The process that runs a question's SQL. Started by path, `python -I -S worker.py`, it imports the standard
library only (a start takes some 20 ms) and talks to :mod:`pivo.index.reader` in length-prefixed JSON.

The guard, in layers, each of which holds by itself:

1. the file is opened `mode=ro`, and `query_only` is on;
2. the authorizer lets SELECT, a list of functions, and the listed tables through, nothing else. Each statement is
   first only compiled (EXPLAIN), under rules in which a base table may be read by way of a view alone; it runs
   under rules that add what FTS5 reads of its own tables while it runs;
3. one statement at a time, of limited length, depth and width; values of at most 1 MB; a limit of SQLite's heap,
   and one of the whole process, for what Python makes of an answer;
4. the progress handler ends it at the deadline. Where that does not come round (one call of a function that takes
   seconds), the parent kills this process.
"""

from __future__ import annotations

import json
import os
import resource
import sqlite3
import struct
import sys
import time
from typing import Any, BinaryIO

LENGTH = struct.Struct("<I")
CELL = 64 << 10  # characters of one value that are answered; the rest is cut, and said to be
ROW = 1 << 20  # characters of the values of one row, about
ANSWER = 4 << 20  # characters of all values of an answer, about
HEAP = 256 << 20  # bytes that SQLite may allocate
MEMORY = 640 << 20  # bytes that the process may allocate; what is mapped of the index does not count
REQUEST = 2 << 20  # characters of a request: SQL and parameters
# fmt: off
FUNCTIONS = frozenset(
    {
        "->", "->>", "abs", "avg", "ceil", "ceiling", "coalesce", "count", "cume_dist", "date",
        "datetime", "dense_rank", "first_value", "floor", "glob", "group_concat", "hex", "ifnull",
        "iif", "instr", "json_extract", "julianday", "lag", "last_value", "lead", "length", "like",
        "lower", "ltrim", "match", "max", "min", "nth_value", "ntile", "nullif", "percent_rank",
        "rank", "replace", "round", "row_number", "rtrim", "sign", "strftime", "substr",
        "substring", "sum", "time", "total", "trim", "typeof", "unixepoch", "upper",
    }
)
# fmt: on
_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 1 << 20,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 20_000,
    sqlite3.SQLITE_LIMIT_COLUMN: 200,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 100,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 20,
    sqlite3.SQLITE_LIMIT_VDBE_OP: 50_000,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 20,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 500,
    sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER: 200,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 1,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}


class Refused(Exception):
    """The statement asks for what a question may not; the message says what."""


class Guard:
    """The authorizer. `tables` may be read by way of a view, `open_tables` also directly; `taken` are the names
    of all tables and modules there are: another name is one that the question itself gave to a part of it."""

    def __init__(
        self, tables: frozenset[str], open_tables: frozenset[str], views: frozenset[str], taken: frozenset[str]
    ) -> None:
        self._taken = taken
        self._tables = tables | open_tables
        self._open = open_tables | views
        self._views = views
        self._shadows = tuple(f"{t}_" for t in tables if t.endswith("_fts"))
        self._configurations = tuple(f"{t}_config" for t in tables if t.endswith("_fts"))
        self.compiling = True
        self.reason = ""

    def __call__(
        self, action: int, first: str | None, second: str | None, database: str | None, source: str | None
    ) -> int:
        if self._allowed(action, first or "", second or "", source):
            return sqlite3.SQLITE_OK
        self.reason = self.reason or _refusal(action, first, second)
        return sqlite3.SQLITE_DENY

    def configuration(self, sql: str) -> str:
        """The table of FTS5's settings that `sql` names, if any: FTS5 reads it while a statement is compiled, and the
        authorizer cannot tell whose statement it is asked about."""
        text = sql.lower()
        return next((name for name in self._configurations if name in text), "")

    def _allowed(self, action: int, first: str, second: str, source: str | None) -> bool:
        if action == sqlite3.SQLITE_SELECT:
            return True
        if action == sqlite3.SQLITE_FUNCTION:
            return second.lower() in FUNCTIONS
        if action == sqlite3.SQLITE_READ:
            if first in self._open:
                return True
            if first in self._tables:  # an empty column: a table of a view of which no column is wanted
                return source in self._views or second == "" or not self.compiling
            if first.startswith(self._shadows):  # FTS5's own statements
                return not self.compiling or first.endswith("_config")
            return second == "" and first not in self._taken and not first.startswith(("sqlite_", "pragma_"))
        # FTS5 asks whether somebody wrote since
        return action == sqlite3.SQLITE_PRAGMA and first == "data_version" and not second


def _refusal(action: int, first: str | None, second: str | None) -> str:
    if action == sqlite3.SQLITE_READ:
        return f"{first} may not be read; the views v_… and repo_snapshots may"
    if action == sqlite3.SQLITE_FUNCTION:
        return f"the function {second}() may not be used"
    if action == sqlite3.SQLITE_RECURSIVE:
        return "recursive queries may not be used"
    return "only SELECT may be used"


class Session:
    """The open index, opened anew when the file at its path is another one."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._path: str = config["path"]
        self._tables = frozenset(config["tables"])
        self._open_tables = frozenset(config["open_tables"])
        self._file: tuple[int, ...] | None = None
        self._still = False
        self._db: sqlite3.Connection | None = None
        self._guard: Guard | None = None
        self._deadline = 0.0

    def prepare(self) -> None:
        """Opens the index ahead of the first question, whose time begins after that; what is wrong is told then."""
        try:
            self._current()
        except (OSError, sqlite3.Error):
            self._db = None

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """The reply to one request: columns and rows, or `error` with its kind."""
        began = time.monotonic()
        self._deadline = began + request["timeout"]
        try:
            db, guard = self._current()
            reply = self._run(db, guard, request)
        except FileNotFoundError:
            return {"error": "missing", "text": ""}
        except Refused as err:
            return {"error": "refused", "text": str(err)}
        except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError, MemoryError) as err:
            if time.monotonic() >= self._deadline or "interrupted" in str(err):
                return {"error": "timeout", "text": ""}
            if "no such table: v_" in str(err) and not self._views():
                return {"error": "missing", "text": ""}
            return {"error": "wrong", "text": str(err) or type(err).__name__}
        return reply | {"elapsed": time.monotonic() - began}

    def _run(self, db: sqlite3.Connection, guard: Guard, request: dict[str, Any]) -> dict[str, Any]:
        sql, params, limit = request["sql"], request["params"], request["limit"]
        guard.reason, guard.compiling = "", True
        if named := guard.configuration(sql):
            raise Refused(_refusal(sqlite3.SQLITE_READ, named, None))
        try:
            # "EXPLAIN" makes no sense of a second one, and runs nothing of what it explains
            db.execute(f"EXPLAIN {sql}", params).close()
            guard.compiling = False
            cursor = db.execute(sql, params)
            if cursor.description is None:
                raise Refused("only SELECT may be used")
            columns = [c[0] for c in cursor.description]
            rows: list[list[Any]] = []
            size, truncated = 0, False
            for _ in range(request.get("offset", 0)):
                if cursor.fetchone() is None:
                    break
                if time.monotonic() > self._deadline:
                    return {"error": "timeout", "text": ""}
            for row in cursor:
                if len(rows) >= limit or size > ANSWER:
                    truncated = True
                    break
                if time.monotonic() > self._deadline:
                    return {"error": "timeout", "text": ""}
                rows.append(_row(row))
                size += sum(len(v) if isinstance(v, str) else 8 for v in rows[-1])
            cursor.close()
        except sqlite3.DatabaseError as err:
            if guard.reason and ("not authorized" in str(err) or "prohibited" in str(err)):
                raise Refused(guard.reason) from None
            raise
        finally:
            guard.compiling = True
        return {"columns": columns, "rows": rows, "truncated": truncated}

    def _current(self) -> tuple[sqlite3.Connection, Guard]:
        file = self._told()
        if self._db is None or self._guard is None or self._file != file:
            if self._db is not None:
                self._db.close()
            try:
                self._still = False
                self._db, self._guard = self._opened("mode=ro")
            except sqlite3.OperationalError:
                # Without -wal and -shm only who may write to the folder can open the file as one that others may
                # write. A tool has removed them that closed it last; nobody writes now, so it is opened as it stands.
                if self._told() == file and os.access(os.path.dirname(self._real()), os.W_OK):  # noqa: PTH120
                    raise
                self._still = not os.path.exists(self._real() + "-wal")  # noqa: PTH110
                self._db, self._guard = self._opened("mode=ro&immutable=1" if self._still else "mode=ro")
            self._file = self._told()
        return self._db, self._guard

    def _real(self) -> str:
        return os.path.realpath(self._path)

    def _told(self) -> tuple[int, ...]:
        """What changes when the file is another one, or was written to while it is open as it stands."""
        # pathlib would take as long to import as all the rest
        status = os.stat(self._path)  # noqa: PTH116
        return (status.st_dev, status.st_ino, *self._since(status))

    def _since(self, status: os.stat_result) -> tuple[int, ...]:
        if not self._still:
            return ()
        return (status.st_mtime_ns, status.st_size, os.path.exists(self._real() + "-wal"))  # noqa: PTH110

    def _opened(self, how: str) -> tuple[sqlite3.Connection, Guard]:
        quoted = self._path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
        db = sqlite3.connect(f"file:{quoted}?{how}", uri=True, isolation_level=None, timeout=2.0)
        db.text_factory = _text
        for pragma in (
            "query_only = 1",
            "temp_store = MEMORY",
            "cache_size = -65536",
            "mmap_size = 1073741824",
            f"hard_heap_limit = {HEAP}",
            "trusted_schema = 1",  # FTS5 by way of a view
        ):
            db.execute(f"PRAGMA {pragma}").fetchall()
        views = frozenset(n for (n,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'view'"))
        taken = frozenset(
            n for (n,) in db.execute("SELECT name FROM sqlite_master UNION SELECT name FROM pragma_module_list")
        )
        for table in self._tables:
            if table.endswith("_fts") and views:  # FTS5 prepares its own statements before the guard stands
                db.execute(f"SELECT 1 FROM {table} WHERE {table} MATCH 'x' LIMIT 1").fetchall()
        for limit, value in _LIMITS.items():
            db.setlimit(limit, value)
        guard = Guard(self._tables, self._open_tables, views, taken)
        db.set_authorizer(guard)
        db.set_progress_handler(lambda: time.monotonic() > self._deadline, 1000)
        return db, guard

    def _views(self) -> bool:
        return self._guard is not None and bool(self._guard._views)


def _text(raw: bytes) -> str:
    """A text, cut as soon as it is read: a row may have two hundred."""
    text = raw.decode("utf-8", "replace")
    return text if len(text) <= CELL else f"{text[:CELL]}… ({len(text) - CELL:,} more)"


def _row(row: tuple[Any, ...]) -> list[Any]:
    """The values of a row; of one that is very long, those at its end are left out."""
    cells, size = [], 0
    for value in row:
        cell = _cell(value)
        size += len(cell) if isinstance(cell, str) else 8
        cells.append(cell if size <= ROW else "…")
    return cells


def _cell(value: Any) -> Any:
    if isinstance(value, bytes):
        return _text(value.hex().encode())
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    return value


def receive(stream: BinaryIO) -> Any:
    """The next message, None at the end."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    return json.loads(stream.read(LENGTH.unpack(head)[0]))


def send(stream: BinaryIO, message: Any) -> None:
    """Sends a message at once."""
    raw = json.dumps(message, ensure_ascii=False).encode("utf-8", "replace")
    stream.write(LENGTH.pack(len(raw)) + raw)
    stream.flush()


def main() -> None:
    """Answers requests until the parent closes the pipe. The first message is the configuration; once the index is
    open, or known to be missing, the answer to that is `ready`."""
    session = Session(receive(sys.stdin.buffer))
    session.prepare()
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY if most == resource.RLIM_INFINITY else min(MEMORY, most), most))
    send(sys.stdout.buffer, {"ready": True})
    while (request := receive(sys.stdin.buffer)) is not None:
        send(sys.stdout.buffer, session.answer(request))


if __name__ == "__main__":
    main()
