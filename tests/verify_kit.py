"""A copy of a small archive, to be spoiled and verified."""

from __future__ import annotations

import shutil
from pathlib import Path

from archive_kit import ENVIRONMENT, Vault
from pivo.snapshot.archive import Archive
from pivo.store import LocalStore
from pivo.verify import deep, shallow
from pivo.verify.report import Verified
from pivo.verify.witness import Witness

REPO = "acme/odd"


class Copy:
    """A copy of the archive that a test may spoil."""

    def __init__(self, folder: Path, original: Vault) -> None:
        shutil.copytree(original.folder / "archive", folder / "archive")
        self.root = folder / "archive" / REPO
        self.scratch = folder / "scratch"
        self.archive = Archive(LocalStore(folder / "archive"))
        self.dirs = [s.dirname for s in self.archive.snapshots(REPO)]

    def file(self, n: int, suffix: str) -> Path:
        """The file of snapshot `n` (from 1) that ends so."""
        return next(p for p in (self.root / self.dirs[n - 1]).iterdir() if p.name.endswith(suffix))

    def files(self) -> list[Path]:
        return sorted(p for d in self.dirs for p in (self.root / d).iterdir())

    def shallow(self, witness: Witness | None = None) -> Verified:
        return shallow.verify(self.archive, REPO, witness)

    def deep(self, witness: Witness | None = None) -> Verified:
        return deep.verify(self.archive, REPO, self.scratch, ENVIRONMENT, witness)

    def named(self, result: Verified) -> set[tuple[str, str]]:
        """Folder and file of each finding."""
        return {(f.snapshot, f.file) for f in result.findings}
