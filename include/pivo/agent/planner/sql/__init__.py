"""Frames compiled to SQL: one SELECT over the views, every value a named parameter."""

from __future__ import annotations

import re
from dataclasses import replace

from pivo.agent.brain import Query
from pivo.agent.nouns import NOUNS, plural
from pivo.agent.planner.frames import Frame
from pivo.agent.planner.reading import Reading
from pivo.agent.planner.sql import archive, commits, files, records, refs
from pivo.agent.planner.sql.select import Compiler

_COMPILERS: dict[str, Compiler] = {
    **commits.COMPILERS,
    **files.COMPILERS,
    **archive.COMPILERS,
    **refs.COMPILERS,
    **records.COMPILERS,
}

QUERIES = frozenset({*_COMPILERS, "count_rows"})
"""Kinds of frames that one SELECT answers."""
_LIST = 50
"""From here on a limit that nobody named is only the length of a page."""
_PAGE = 100
_LIMIT = re.compile(r" LIMIT (?::n|\d+)$")


def _counted(listed: Query, kind: str) -> Query:
    """The number of the rows, of events of files that of the files."""
    inner = _LIMIT.sub("", listed.sql)
    if kind in {"files_added", "files_deleted"}:
        inner = f"SELECT DISTINCT repo_name, path FROM ({inner})"
    parameters = {key: value for key, value in listed.parameters.items() if key != "n"}
    noun = plural(NOUNS.get(kind, "row"), 2).replace(" ", "_")
    return Query(f"SELECT COUNT(*) AS {noun} FROM ({inner})", parameters, f"the number of {listed.read_as}")


def compile_frame(frame: Frame, reading: Reading) -> Query:
    """The query of a frame; KeyError for one that another tool answers."""
    if frame.kind == "count_rows" and frame.of is not None:
        return _counted(compile_frame(frame.of, reading), frame.of.kind)
    made = _COMPILERS[frame.kind](frame, reading)
    most = int(made.parameters.get("n", 0))
    if frame.limit is None and most >= _LIST and made.sql.endswith(" LIMIT :n"):
        return replace(made, page=min(most, _PAGE))
    return made
