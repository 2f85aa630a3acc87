"""Text out of repositories made fit to show: no terminal escapes, no invisible or direction-changing characters.

A commit message may hold `ESC ] 0 ;` (sets the window's title), a carriage return that overwrites the line, or
bidirectional marks that reorder it. All of them become visible escapes.
"""

from __future__ import annotations

import unicodedata

_KEEP = {"\n", "\t"}
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def text(value: str) -> str:
    """`value` with every control, format and separator character but newline and tab written as an escape."""
    if value.isascii() and value.isprintable():
        return value
    return "".join(c if c in _KEEP or unicodedata.category(c) not in _HIDDEN else _escape(c) for c in value)


def line(value: str, limit: int = 200) -> str:
    """The same on one line of at most `limit` characters."""
    flat = text(value).replace("\n", " ").replace("\t", " ")
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def _escape(char: str) -> str:
    return char.encode("unicode_escape", "backslashreplace").decode("ascii")
