"""Git's objects as bytes, parsed: commits, trees, tags. Formats: git's own documentation, gitformat-commit et al."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from dulwich.objects import parse_tree

from pivo.models import Commit, Person

_PERSON = re.compile(
    rb"^(?P<name>.*?) ?<(?P<email>[^>]*)>(?: (?P<time>-?\d{1,20}) (?P<sign>[+-])(?P<h>\d\d)(?P<m>\d\d))?"
)
_SIGNATURES = (b"gpgsig", b"gpgsig-sha256")
_TIMES = range(-62_135_596_800, 253_402_300_800)  # the years 1 to 9999, which dates can tell

SUBMODULE = "160000"


@dataclass(frozen=True)
class TreeEntry:
    """One name in a tree: `mode` as git prints it (`100644`, `40000`), `path` from the root of the commit."""

    mode: str
    oid: str
    path: str

    @property
    def is_dir(self) -> bool:
        return self.mode.lstrip("0") == "40000"


def text(raw: bytes, encoding: str = "utf-8") -> str:
    """Bytes of a repository as text; what does not decode is kept readable as `\\xNN`."""
    try:
        decoded = raw.decode(encoding, "backslashreplace")
    except (LookupError, ValueError):  # an encoding that Python does not know
        return raw.decode("utf-8", "backslashreplace")
    # UTF-7 and its like decode to lone surrogates, which no event or index could take.
    return decoded if decoded.isascii() else decoded.encode("utf-8", "backslashreplace").decode()


def object_id(kind: str, body: bytes) -> str:
    """The SHA-1 name (hex) of an object."""
    return hashlib.sha1(f"{kind} {len(body)}\0".encode() + body, usedforsecurity=False).hexdigest()


def _headers(body: bytes) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """The header lines of a commit or tag (continuations joined) and what follows the blank line."""
    head, _, message = body.partition(b"\n\n")
    headers: list[tuple[bytes, bytes]] = []
    for row in head.split(b"\n"):
        if row.startswith(b" ") and headers:
            key, value = headers[-1]
            headers[-1] = (key, value + b"\n" + row[1:])
        else:
            key, _, value = row.partition(b" ")
            headers.append((key, value))
    return headers, message


def parse_person(raw: bytes, encoding: str = "utf-8") -> Person:
    """An author or committer line; a time that is malformed or that no calendar holds is 0, as git itself treats it."""
    match = _PERSON.match(raw)
    if not match:
        return Person(text(raw, encoding), "", 0, 0)
    zone = 0
    seconds = int(match["time"] or 0)
    if match["time"]:
        zone = int(match["h"]) * 60 + int(match["m"])
        zone = -zone if match["sign"] == b"-" else zone
    if seconds not in _TIMES:
        seconds = 0
    return Person(text(match["name"], encoding), text(match["email"], encoding), seconds, zone)


def parse_commit(oid: str, body: bytes) -> Commit:
    """A commit object; `files` stays empty."""
    headers, message = _headers(body)
    encoding = next((v.decode("ascii", "replace") for k, v in headers if k == b"encoding"), "utf-8")
    fields: dict[bytes, bytes] = {}
    parents: list[str] = []
    signed = False
    for key, value in headers:
        if key == b"parent":
            parents.append(value.decode("ascii", "replace"))
        elif key in _SIGNATURES:
            signed = True
        else:
            fields.setdefault(key, value)
    return Commit(
        hash=oid,
        tree=fields.get(b"tree", b"").decode("ascii", "replace"),
        parents=tuple(parents),
        author=parse_person(fields.get(b"author", b""), encoding),
        committer=parse_person(fields.get(b"committer", b""), encoding),
        message=text(message, encoding),
        signed=signed,
    )


def lineage(body: bytes) -> tuple[str, list[str]]:
    """A commit's tree and parents, with which its body begins."""
    tree, at, parents = body[5:45].decode("ascii", "replace"), 46, []
    while body.startswith(b"parent ", at):
        parents.append(body[at + 7 : at + 47].decode("ascii", "replace"))
        at += 48
    return tree, parents


def tagged(body: bytes) -> tuple[str, str]:
    """What a tag object points at: its id and its type."""
    fields = dict(_headers(body)[0])
    return fields.get(b"object", b"").decode("ascii", "replace"), fields.get(b"type", b"").decode("ascii", "replace")


def entries(body: bytes, base: str = "") -> list[TreeEntry]:
    """The entries of a tree object; `base` is the tree's own path, with a trailing slash unless it is the root."""
    return [TreeEntry(f"{mode:o}", sha.decode(), base + text(name)) for name, mode, sha in parse_tree(body, 20)]
