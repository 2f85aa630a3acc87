"""A made history, the same every time: `make(path)` writes a bare repository with `git fast-import`."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

COMMITS = 20_000
_PEOPLE = 40
_FOLDERS = 30
_START = 1_500_000_000  # Unix seconds of the first commit


def make(path: Path, commits: int = COMMITS, seed: int = 7) -> None:
    """A bare repository at `path` with `commits` commits on main, a tag every thousand."""
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(path)], check=True)
    importer = subprocess.Popen(["git", "-C", str(path), "fast-import", "--quiet"], stdin=subprocess.PIPE)
    assert importer.stdin
    with importer:
        for piece in _stream(commits, random.Random(seed)):
            importer.stdin.write(piece)
    if importer.returncode:
        raise SystemExit("git fast-import failed")
    subprocess.run(["git", "-C", str(path), "repack", "-adq", "--depth=50", "--window=10"], check=True)


def _stream(commits: int, pick: random.Random) -> Iterator[bytes]:
    files: dict[str, list[str]] = {"README.md": ["# Made history\n"]}
    for number in range(1, commits + 1):
        who = pick.randrange(_PEOPLE)
        person = f"Person {who} <person{who}@example.invalid> {_START + number * 3600} +0000"
        subject = f"Change {number}: {' '.join(pick.choices(_WORDS, k=5))}"
        yield f"commit refs/heads/main\nmark :{number}\ncommitter {person}\ndata {len(subject)}\n{subject}\n".encode()
        for _ in range(pick.choice((1, 1, 1, 2, 3))):
            folder = pick.randrange(_FOLDERS)
            path = pick.choice(("README.md", f"src/part{folder}/file{pick.randrange(40)}.txt"))
            rows = files.setdefault(path, [])
            rows.insert(pick.randrange(len(rows) + 1), f"{number} {' '.join(pick.choices(_WORDS, k=8))}\n")
            if len(rows) > 200:
                rows.pop(pick.randrange(len(rows)))
            body = "".join(rows).encode()
            yield f"M 100644 inline {path}\ndata {len(body)}\n".encode() + body + b"\n"
        if number % 1000 == 0:
            note = f"Release {number}"
            yield f"tag v{number // 1000}\nfrom :{number}\ntagger {person}\ndata {len(note)}\n{note}\n".encode()


_WORDS = [
    *("archive", "branch", "commit", "delta", "engine", "fetch", "graph", "hash", "index", "join", "key", "ledger"),
    *("merge", "node", "object", "pack", "queue", "ref", "segment", "tree", "update", "verify", "write", "yield"),
]  # fmt: skip
