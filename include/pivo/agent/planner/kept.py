"""Whether what is to be run holds every name and date that was said; a question is refused rather than cut short."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pivo.agent.planner import sql
from pivo.agent.planner.frames import Frame
from pivo.agent.planner.reading import Reading
from pivo.agent.planner.sql.select import stamp
from pivo.agent.planner.steps import steps


def dropped(frame: Frame, reading: Reading) -> list[str]:
    """What the question names and its query, or its first call, does not hold."""
    if frame.kind in sql.QUERIES:
        held = {str(value) for value in sql.compile_frame(frame, reading).parameters.values()}
        return [says for says, forms in _named(reading) if not held & forms]
    made = steps(frame, reading)
    arguments = made[0].arguments(()) if made else None
    if arguments is None:
        return []
    text = " ".join(_texts(arguments))
    return [says for says, forms in _named(reading) if not any(form in text for form in forms)]


def _named(reading: Reading) -> Iterator[tuple[str, set[str]]]:
    """Each name of the question, and the forms that it may have in a query or a call."""
    if not reading.defaulted:
        yield from ((repo, {repo}) for repo in reading.repos)
    if reading.owner:
        yield reading.owner, {f"{reading.owner}/"}
    for names in (reading.people, reading.users, *reading.without.values()):
        yield from ((name, {name}) for name in names)
    yield from ((path.path, {path.path, path.path.rstrip("/")}) for path in reading.paths)
    yield from ((commit, {commit}) for commit in reading.commits)
    for ref in reading.refs:
        short = ref.name.removeprefix("refs/heads/").removeprefix("refs/tags/")
        yield short, {ref.name, short}
    for period in reading.periods:
        ends = [end for end in (period.start, period.end) if end]
        moments = {form for end in ends for form in (stamp(end), f"@{end:%Y-%m-%d}", f"@{end:%Y-%m-%dT%H:%M}")}
        yield period.says, moments
    if reading.target:
        yield reading.target, {reading.target}
    if reading.part:
        yield reading.part, {reading.part, reading.part.casefold(), f"%{reading.part.casefold()}"}
    if reading.seq is not None:
        yield f"snapshot {reading.seq}", {str(reading.seq)}
    if reading.run:
        yield reading.run, {reading.run}
    if reading.suffix:
        yield reading.suffix, {f"%{reading.suffix.casefold()}".replace("_", "\\_")}
    if reading.bytes_:
        yield f"{reading.bytes_[1]:,} bytes", {str(reading.bytes_[1])}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _texts(inner)
    else:
        yield str(value)
