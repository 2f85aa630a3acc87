"""What an audit record may hold: an allow-list. What is not known to be harmless is withheld, whatever it is.

A parameter is kept when its name is in the table below and its value has the form that is written there. Free text
is kept word by word (:func:`words`): those of a list, and names that the caller vouches for. Nothing is searched for
that looks like a secret: a secret can look like anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

WITHHELD = "[withheld]"
GAP = "[…]"

_NAME = r"[A-Za-z0-9._-]{1,100}"
_PATTERN = r"[A-Za-z0-9._*?-]{1,100}"
_REPO = rf"{_NAME}(/{_NAME})?"
_SHAPES: dict[str, str] = {
    "action": r"[a-z_]{1,40}",
    "brain": r"[a-z]{1,20}",
    "commit": r"[0-9a-f]{40}",
    "dag": r"pivo_[a-z]{1,40}",
    "delivery": r"[0-9a-fA-F-]{8,64}",
    "digest": r"[0-9a-f]{12}",
    "error": r"[A-Za-z]{1,60}",
    "event": r"[a-z_]{1,40}",
    "host": r"[a-z0-9.-]{1,253}(:[0-9]{1,5})?",
    "mode": r"shallow|deep|drill",
    "model": r"[a-z0-9.-]{1,60}",
    "origin": r"chat|cli|dag|form|agent|mcp|demo|webhook",
    "outcome": r"[a-z ]{1,60}",
    "path": r"[^\x00-\x1f\x7f]{0,1024}",
    "proposal": r"[0-9a-f]{12}",
    "ref": r"[^\x00-\x20\x7f]{1,255}",
    "old": r"[^\x00-\x20\x7f]{1,255}",
    "new": r"[^\x00-\x20\x7f]{1,255}",
    "repo": _REPO,
    "repos": rf"{_PATTERN}(/{_PATTERN})?",
    "exclude": rf"{_PATTERN}(/{_PATTERN})?",
    "request": r"[0-9a-f]{16}",
    "run_id": r"[A-Za-z0-9_.:+-]{1,250}",
    "scheme": r"[a-z+]{1,10}",
    "snapshot": r"[0-9]{6,}-[0-9a-f]{12}",
    "task": r"[a-z_]{1,40}",
    "tool": r"[a-z_]{1,40}",
    "views": r"v_[a-z_]{1,40}|repo_snapshots",
}
_PATTERNS = {name: re.compile(shape) for name, shape in _SHAPES.items()}
_LISTS = frozenset({"views", "repo", "repos", "exclude"})
_NUMBERS = frozenset(
    {"bytes", "calls", "commits", "findings", "limit", "lines", "objects", "refs", "repositories", "rows", "seconds"}
    | {"snapshots", "steps", "tokens", "words", "replaced"}
)
_FLAGS = frozenset({"accept_losses", "all_refs", "deep", "dry_run", "offline", "everything"})
# `[…]` and the characters below are all that joins the words of a text that passed `words`.
_TEXTS = frozenset({"question", "read_as"})
_TOKEN = re.compile(r"[A-Za-z0-9_./@'\-]+")
_PLAIN = re.compile(r"[A-Za-z]{1,20}('s)?")
_HARMLESS_NUMBER = re.compile(r"\d{1,2}|(19|20)\d\d|(19|20)\d\d-\d\d(-\d\d)?|@(19|20)\d\d-\d\d-\d\d")
_LIST_LIMIT = 100
_TEXT_LIMIT = 500  # characters


class Vouched(str):
    """Free text that :func:`words` let through."""

    __slots__ = ()


def allowed(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that may be recorded; others are WITHHELD, those without a name in the table only counted."""
    kept: dict[str, Any] = {}
    dropped = 0
    for name, value in parameters.items():
        if name in _NUMBERS:
            kept[name] = value if isinstance(value, int | float) and not isinstance(value, bool) else WITHHELD
        elif name in _FLAGS:
            kept[name] = value if isinstance(value, bool) else WITHHELD
        elif name in _TEXTS:
            kept[name] = str(value) if isinstance(value, Vouched) else WITHHELD
        elif name in _PATTERNS:
            kept[name] = _shaped(name, value)
        elif name == "target":
            kept[name] = _target(value)
        else:
            dropped += 1
    return kept | ({"others": dropped} if dropped else {})


def words(text: str, common: frozenset[str], known: Callable[[str], bool]) -> Vouched:
    """`text` with every word withheld that is not `common` (lower case), a date or a small number, or `known`."""
    told: list[str] = []
    for token in _TOKEN.findall(text):
        word = token.rstrip(".")
        bare = word.strip("'").lower().removesuffix("'s")
        if _PLAIN.fullmatch(word.strip("'")) and bare in common:
            told.append(bare if len(bare) > 1 else word)
        elif _HARMLESS_NUMBER.fullmatch(word) or known(word.strip("'")):
            told.append(word.strip("'"))
        elif not told or told[-1] != GAP:
            told.append(GAP)
    return Vouched(" ".join(told)[:_TEXT_LIMIT])


def _shaped(name: str, value: Any) -> Any:
    if isinstance(value, list | tuple) and name in _LISTS:
        return [_shaped(name, v) for v in value[:_LIST_LIMIT]]
    return str(value) if isinstance(value, str) and _PATTERNS[name].fullmatch(value) else WITHHELD


_FORGE = re.compile(rf"{_NAME}/({_NAME})?")
_FOLDER = re.compile(r"/[^\x00-\x1f\x7f]+")
_ADDRESS = re.compile(r"(?P<start>(https?|ssh|git|file)://)(?P<user>[^/@]*@)?(?P<rest>[A-Za-z0-9._/:~%+{}-]*)")


def _target(value: Any) -> str:
    """A target that was checked and resolved: `owner/name`, or an address without a user, a query or a fragment."""
    if not isinstance(value, str) or len(value) > 2048:
        return WITHHELD
    if _FORGE.fullmatch(value) or _FOLDER.fullmatch(value):
        return value
    found = _ADDRESS.fullmatch(value)
    return found["start"] + found["rest"] if found else WITHHELD


def identifiers(sql: str) -> list[str]:
    """The names in a statement, outside of its texts."""
    return _IDENTIFIER.findall(_LITERAL.sub(" ", sql))


_LITERAL = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
