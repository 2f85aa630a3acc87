"""What changed between two commits, from the objects in the archive: trees compared by id, files by difflib."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from pivo import gitobjects
from pivo.agent.views import Diff, FileDiff
from pivo.gitobjects import SUBMODULE, TreeEntry
from pivo.snapshot.large import LARGE
from pivo.snapshot.objects import ObjectReader

MAX_FILE = 1_000_000  # bytes of one version; difflib is quadratic in the worst case
MAX_LINES = 20_000  # lines of one version, for the same reason
CONTEXT = 3
MAX_SHOWN = 400  # lines of one diff at a time


@dataclass(frozen=True)
class Pair:
    """The two sides of a changed path; None where there is nothing."""

    path: str
    old: TreeEntry | None
    new: TreeEntry | None

    @property
    def status(self) -> str:
        if self.old is None:
            return "A"
        if self.new is None:
            return "D"
        return "M" if self.old.mode[:3] == self.new.mode[:3] else "T"


def changed(objects: ObjectReader, old: str | None, new: str, below: str = "") -> Iterator[Pair]:
    """The changed files between two commits, by path; `old` None stands for the empty tree.

    `below` narrows to one file or folder. Only trees that differ are read.
    """
    for pair in _compare(objects, _root(objects, old), _root(objects, new)):
        if not below or pair.path == below or pair.path.startswith(below.rstrip("/") + "/"):
            yield pair


def compare(
    old_objects: ObjectReader, new_objects: ObjectReader, pair: Pair, *, first: int = 1, max_lines: int = MAX_SHOWN
) -> FileDiff:
    """One file's unified diff from its line `first` on; at most `max_lines` of it, cut on whole lines with a note."""
    sizes = [_size(old_objects, pair.old), _size(new_objects, pair.new)]
    same = pair.old is not None and pair.new is not None and pair.old.oid == pair.new.oid
    if max(sizes) > LARGE and not same:
        return FileDiff(pair.path, pair.status, note=f"too large to compare: {sizes[0]:,} → {sizes[1]:,} bytes")
    before, after = (b"", b"") if same else (_content(old_objects, pair.old), _content(new_objects, pair.new))
    if before == after:
        modes = f"{pair.old.mode if pair.old else '-'} → {pair.new.mode if pair.new else '-'}"
        return FileDiff(pair.path, pair.status, note=f"only the mode changed: {modes}")
    if b"\0" in before[:8000] or b"\0" in after[:8000]:
        return FileDiff(pair.path, pair.status, note=f"binary: {len(before):,} → {len(after):,} bytes")
    if max(len(before), len(after)) > MAX_FILE:
        return FileDiff(pair.path, pair.status, note=f"too large to compare: {len(before):,} → {len(after):,} bytes")
    a, b = gitobjects.text(before).split("\n"), gitobjects.text(after).split("\n")
    if max(len(a), len(b)) > MAX_LINES:
        return FileDiff(pair.path, pair.status, note=f"too long to compare: {len(a):,} → {len(b):,} lines")
    a, b = _lines(a), _lines(b)
    lines = list(difflib.unified_diff(a, b, lineterm="", n=CONTEXT))[2:]
    added = sum(1 for line in lines if line.startswith("+"))
    removed = sum(1 for line in lines if line.startswith("-"))
    end = first - 1 + max_lines
    note = f"{len(lines) - end:,} more lines of this diff, from line {end + 1:,}" if len(lines) > end else ""
    return FileDiff(pair.path, pair.status, added, removed, tuple(lines[first - 1 : end]), note)


def explain(diff: Diff) -> str:
    """A diff in words, from its numbers and hunks alone."""
    if not diff.files:
        return "Nothing changed between the two."
    total = len(diff.files) + diff.more
    added, removed = sum(f.added for f in diff.files), sum(f.removed for f in diff.files)
    if total == 1:
        return _one(diff.files[0])
    kinds = [(sum(f.status == s for f in diff.files), word) for s, word in _WORDS.items()]
    parts = ", ".join(f"{n} {word}" for n, word in kinds if n)
    most = max(diff.files, key=lambda f: f.added + f.removed)
    tail = f" Most of it is in `{most.path}` (+{most.added:,} −{most.removed:,})." if most.added + most.removed else ""
    shown = f" (the first {len(diff.files)} are shown)" if diff.more else ""
    return f"{total} files changed{shown}: {parts}; {_lines_added(added, removed)}.{tail}"


_WORDS = {"A": "added", "M": "modified", "D": "deleted", "T": "changed in type"}


def _one(file: FileDiff) -> str:
    word = {"A": "was added", "M": "changed", "D": "was deleted", "T": "changed its type"}[file.status]
    if not file.lines:
        return f"`{file.path}` {word} ({file.note})."
    hunks = [line for line in file.lines if line.startswith("@@")]
    places = ", ".join(_place(h) for h in hunks[:4]) + (" and more" if len(hunks) > 4 else "")
    headings = [line[1:].lstrip("# ").strip() for line in file.lines if line.startswith("+#")]
    new = f" New headings: {', '.join(repr(h[:60]) for h in headings[:5])}." if headings else ""
    count = f"{len(hunks)} place{'s' if len(hunks) != 1 else ''}"
    return f"`{file.path}` {word} in {count} ({places}): {_lines_added(file.added, file.removed)}.{new}"


def _lines_added(added: int, removed: int) -> str:
    return f"{added:,} line{'s' if added != 1 else ''} added, {removed:,} removed"


def _place(hunk: str) -> str:
    span = hunk.split("+", 1)[1].split(" ", 1)[0]
    start, _, length = span.partition(",")
    last = int(start) + max(int(length or 1), 1) - 1
    return f"line {start}" if last == int(start) else f"lines {start}–{last}"


def _root(objects: ObjectReader, commit: str | None) -> TreeEntry | None:
    return TreeEntry("40000", objects.commit(commit).tree, "") if commit else None


def _compare(objects: ObjectReader, old: TreeEntry | None, new: TreeEntry | None) -> Iterator[Pair]:
    before, after = _children(objects, old), _children(objects, new)
    for path in sorted(before.keys() | after.keys()):
        a, b = before.get(path), after.get(path)
        if a is not None and b is not None and (a.oid, a.mode) == (b.oid, b.mode):
            continue
        folders = a if a is not None and a.is_dir else None, b if b is not None and b.is_dir else None
        if any(folders):
            yield from _compare(objects, *folders)
        left, right = (None if a in folders else a), (None if b in folders else b)
        if left is not None or right is not None:
            yield Pair(path, left, right)


def _children(objects: ObjectReader, folder: TreeEntry | None) -> dict[str, TreeEntry]:
    if folder is None:
        return {}
    body = objects.get(folder.oid)[1]
    return {e.path: e for e in gitobjects.entries(body, f"{folder.path}/" if folder.path else "")}


def _size(objects: ObjectReader, entry: TreeEntry | None) -> int:
    return 0 if entry is None or entry.mode == SUBMODULE else objects.size(entry.oid)


def _content(objects: ObjectReader, entry: TreeEntry | None) -> bytes:
    if entry is None:
        return b""
    if entry.mode == SUBMODULE:
        return f"Subproject commit {entry.oid}\n".encode()
    return objects.get(entry.oid)[1]


def _lines(lines: list[str]) -> list[str]:
    """Lines as a diff counts them: a final newline makes no empty line, a missing one is said."""
    if not lines or lines == [""]:
        return []
    if lines[-1] == "":
        return lines[:-1]
    return [*lines[:-1], lines[-1] + "\n\\ No newline at end of file"]
