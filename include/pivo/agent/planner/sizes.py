"""Sizes of files as they are said: "over 1 MB", "at most 500 kB", "larger than two megabytes"."""

from __future__ import annotations

import re

from pivo.agent.planner.dates import number
from pivo.agent.planner.reading import Cursor

_COMPARED = re.compile(
    r"(?:(?P<over>(?:larger|bigger|heavier|greater|more|longer) than|over|above|exceeding|beyond)"
    r"|(?P<least>at least|no (?:smaller|less) than|not (?:smaller|less) than|from)"
    r"|(?P<under>(?:smaller|less|lighter|shorter|fewer) than|under|below)"
    r"|(?P<most>at most|up to|no (?:larger|bigger|more) than|not (?:larger|bigger|more) than)"
    r"|(?P<exactly>exactly|of exactly|of))"
    r"(?: in size)? (?P<count>\d+(?:[.,]\d+)*|[a-z-]+) ?(?P<unit>bytes?|b|kb|kib|kilobytes?|k|mb|mib|megabytes?|megs?|"
    r"m|gb|gib"
    r"|gigabytes?|g)(?: (?:in size|large|big|or (?P<more>more|larger|bigger|over|above)|or (?P<less>less|"
    r"smaller)))?(?!\S)"
)
_SIGNS = {"over": ">", "least": ">=", "under": "<", "most": "<=", "exactly": "="}
_UNITS = {"b": 1, "k": 1_000, "m": 1_000_000, "g": 1_000_000_000}
_BINARY = {"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30}


def threshold(cursor: Cursor) -> None:
    """Takes the size that files are held against; thousands, as the answers count them, unless KiB is said."""
    flat, starts = "", []
    for at, word in enumerate(cursor.words):
        starts.append(len(flat))
        flat += (word.norm if cursor.free[at] and not word.quoted else "\0") + " "
    found = _COMPARED.search(flat)
    while found and not (found.start() == 0 or flat[found.start() - 1] == " "):
        found = _COMPARED.search(flat, found.start() + 1)
    if found is None:
        return
    count = _count(found["count"])
    if count is None:
        return
    unit = found["unit"]
    sign = next(sign for kind, sign in _SIGNS.items() if found[kind])
    if sign == "=" and (found["more"] or found["less"]):
        sign = ">=" if found["more"] else "<="
    cursor.reading.bytes_ = (sign, round(count * _BINARY.get(unit, _UNITS[unit[0]])))
    first = starts.index(found.start())
    used = sum(found.start() <= start < found.end() for start in starts)
    cursor.take(first, used)
    cursor.mark("bytes", first, used, " ".join(w.text for w in cursor.words[first : first + used]))


def _count(text: str) -> float | None:
    if re.fullmatch(r"\d{1,3}(,\d{3})+", text):
        return float(text.replace(",", ""))
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    return 1.0 if text in {"a", "an"} else number(text)
