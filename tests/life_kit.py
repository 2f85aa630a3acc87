"""A repository to which all sorts of things happen night by night, and its archive with thin packs."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

import gitmake
from archive_kit import ENVIRONMENT, Vault
from gitmake import GITLINK, gone, put
from pivo.consolidation import after_snapshot
from pivo.models import Manifest, RepoName
from pivo.snapshot import consolidate as consolidation

NAME = RepoName.parse("acme/odd")
NIGHTS = 18


def lines(pick: random.Random, count: int) -> bytes:
    return b"".join(b"%030x\n" % pick.getrandbits(120) for _ in range(count))


class Life:
    """A repository, and what may happen to it in a night."""

    def __init__(self, path: Path, seed: int) -> None:
        self.repo, self.pick, self.number = gitmake.empty(path), random.Random(seed), 0
        names = [b"dir%d/sub/file%d.txt" % (n % 4, n) for n in range(24)] + [
            b"top.c",
            b"caf\xe9 \xff/x\ny.txt",
            b"a\r?b",
        ]
        self.files = {name: lines(self.pick, self.pick.randrange(20, 200)) for name in names}
        self.modes = dict.fromkeys(names, b"100644")
        self.buried: list[tuple[bytes, bytes]] = []
        self.commit(*(put(name, body) for name, body in self.files.items()))
        self.edit()
        self.edit()

    def commit(self, *changes: bytes, **options: object) -> str:
        self.number += 1
        return self.repo.commit("main", self.number, *changes, **options)  # type: ignore[arg-type]

    def some(self) -> bytes:
        return self.pick.choice(sorted(self.files))

    def edit(self) -> None:
        name = self.some()
        rows = self.files[name].splitlines(keepends=True) or [b"new\n"]
        rows[self.pick.randrange(len(rows))] = b"%d was edited\n" % self.number
        self.files[name] = b"".join(rows)
        self.commit(put(name, self.files[name], self.modes[name]))

    def rewrite(self) -> None:
        self.files[name] = lines(self.pick, 50) if (name := self.some()) else b""
        self.commit(put(name, self.files[name], self.modes[name]))

    def rename(self) -> None:
        old, new = self.some(), b"moved/%d.txt" % self.number
        self.files[new], self.modes[new] = self.files.pop(old), self.modes.pop(old)
        self.commit(gone(old), put(new, self.files[new], self.modes[new]))

    def mode(self) -> None:
        name = self.some()
        self.modes[name] = b"100755" if self.modes[name] == b"100644" else b"100644"
        self.commit(put(name, self.files[name], self.modes[name]))

    def delete(self) -> None:
        if len(self.files) > 10:
            name = self.some()
            self.buried.append((name, self.files.pop(name)))
            self.commit(gone(name))

    def bring_back(self) -> None:
        if self.buried:
            name, body = self.buried.pop()
            self.files[name], self.modes[name] = body, b"100644"
            self.commit(put(name, body))

    def odds(self) -> None:
        kinds = (put("empty", b""), put("bytes.bin", self.pick.randbytes(3000)), put("link", b"top.c", b"120000"),
                 b"M 160000 " + GITLINK.encode() + b" vendor/sub\n", gone("link"), gone("vendor"),
                 put("swap", b"a file\n"), gone("swap") + put("swap/inner", b"in a folder now\n"))  # fmt: skip
        self.commit(*self.pick.sample(kinds, 2))

    def rewind(self) -> None:
        """A force-push: two commits are gone, and another is there."""
        self.commit(put("rewound", b"%d\n" % self.number), parents=["refs/heads/main~2"])

    def aside(self) -> None:
        self.number += 1
        self.repo.commit(
            f"side{self.number % 3}", self.number, put(b"top.c", lines(self.pick, 80)), parents=["refs/heads/main~1"]
        )
        self.repo("tag", "-a", "-m", "a tag", f"v{self.number}", "main~1")

    def night(self) -> None:
        happenings: list[Callable[[], None]] = [self.edit, self.edit, self.rewrite, self.rename, self.mode, self.delete,
                                                self.bring_back, self.odds, self.rewind, self.aside]  # fmt: skip
        for happens in self.pick.choices(happenings, k=self.pick.randrange(1, 6)):
            happens()
        self.edit()


def lived(folder: Path, seed: int, fan: int = 100) -> tuple[Life, Vault, list[Manifest]]:
    """Some nights of a life, each archived; the manifest of each."""
    life, vault, made = Life(folder / "source.git", seed), Vault(folder / "vault"), []
    places = {"scratch": vault.folder / "scratch", "environment": ENVIRONMENT}
    vault.ingest(life.repo)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(consolidation, "MOST", fan + 1)
        patch.setattr(consolidation, "FAN", fan // 2)
        for _ in range(NIGHTS):
            life.night()
            vault.ingest(life.repo)
            made.append(vault.latest())
            if consolidated_one := after_snapshot(vault.store, vault.events, NAME, **places):
                made.append(consolidated_one)
    return life, vault, made
