"""Frames compiled to SQL: one SELECT over the views, every value a named parameter."""

from __future__ import annotations

from pivo.agent.brain import Query
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

QUERIES = frozenset(_COMPILERS)
"""Kinds of frames that one SELECT answers."""


def compile_frame(frame: Frame, reading: Reading) -> Query:
    """The query of a frame; KeyError for one that another tool answers."""
    return _COMPILERS[frame.kind](frame, reading)
