"""Peak memory of everything that a piece of work starts: a look at /proc some times a second, by program.

`VmHWM` is the kernel's own high-water mark of a process's resident memory, so that no peak falls between two looks
while the process lives; what of it is the process's own (`RssAnon`) and what are pages of files that it has mapped
(`RssFile`: git's packs, shared libraries; the kernel takes them back when it needs room) is sampled.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

_EVERY = 0.1  # seconds
_FIELDS = re.compile(r"^(VmHWM|RssAnon|RssFile):\s+(\d+) kB", re.MULTILINE)


@dataclass
class Peak:
    """The largest values of any one process of a program, in bytes; `processes` is how many of it there were."""

    whole: int = 0
    own: int = 0
    files: int = 0
    processes: int = 0


@dataclass
class Watched:
    """What was seen of each program, by its name; `together` is the most that all had of their own at one time."""

    programs: dict[str, Peak] = field(default_factory=dict)
    together: int = 0


@contextmanager
def watched(roots: Iterable[int], every: float = _EVERY) -> Iterator[Watched]:
    """Watches the processes `roots` and all that descend from them, with a look `every` so many seconds; processes that
    were there before do not count."""
    seen, stop, top = Watched(), threading.Event(), list(roots)
    before = {pid for pid in _tree(top) if pid not in top or len(top) > 1}
    thread = threading.Thread(target=_look, args=(seen, top, before, stop, every), daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


def _look(seen: Watched, roots: list[int], before: set[int], stop: threading.Event, every: float) -> None:
    known: dict[int, str] = {}
    while not stop.wait(every):
        together = 0
        for pid in _tree(roots) - before:
            with suppress(OSError, ValueError):
                told = {name: int(size) << 10 for name, size in _FIELDS.findall(_text(pid, "status"))}
                if not told:  # a zombie has no memory any more
                    continue
                name = _program(pid)
                peak = seen.programs.setdefault(name, Peak())
                peak.processes += known.get(pid) != name
                known[pid] = name
                peak.whole = max(peak.whole, told["VmHWM"])
                peak.own = max(peak.own, told["RssAnon"])
                peak.files = max(peak.files, told["RssFile"])
                together += told["RssAnon"] if name != "java" else 0
        seen.together = max(seen.together, together)


def _tree(roots: Iterable[int]) -> set[int]:
    """The processes and their descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, IndexError):
                stat = (entry / "stat").read_text(errors="replace")
                children.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(entry.name))
    found: set[int] = set()
    todo = list(roots)
    while todo:
        pid = todo.pop()
        if pid not in found:
            found.add(pid)
            todo += children.get(pid, [])
    return found


def _program(pid: int) -> str:
    """`python`, `git pack-objects`, `java`…; the arguments tell what a process does, and are cut away."""
    words = [w for w in _text(pid, "cmdline").split("\0") if w]
    if not words:
        return "starting"
    program = Path(words[0].split(" ")[0].rstrip(":")).name
    if program.startswith("python"):
        if "-m" in words[:-1]:
            return f"python -m {words[words.index('-m') + 1]}"
        script = next((Path(w).name for w in words[1:] if not w.startswith("-") and w.endswith(".py")), "")
        return f"python {script}".strip()
    if program != "git":
        return program
    rest = iter(words[1:])
    for word in rest:
        if word in ("-c", "-C", "--git-dir"):
            next(rest, "")
        elif not word.startswith("-"):
            return f"git {word}"
    return "git"


def _text(pid: int, name: str) -> str:
    return (Path("/proc") / str(pid) / name).read_text(errors="replace")
