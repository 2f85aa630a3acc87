"""An archive in a folder, and an event log that keeps its promises without Kafka."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gitmake
from gitmake import Repo
from pivo.errors import Unavailable
from pivo.ingest import Report, ingest
from pivo.models import Commit, Manifest, RefUpdate
from pivo.snapshot.archive import Archive
from pivo.store import LocalStore

ENVIRONMENT = {"PATH": os.environ["PATH"]}


@dataclass
class Announced:
    """One snapshot's events."""

    manifest: Manifest
    commits: list[Commit]
    updates: list[RefUpdate]
    path: str


@dataclass
class RecordedLog:
    """What EventLog promises: a snapshot's events together or not at all; `away` is Kafka that does not answer."""

    sent: list[Announced] = field(default_factory=list)
    heartbeats: list[tuple[str, str, str]] = field(default_factory=list)
    away: bool = False

    def _answer(self) -> None:
        if self.away:
            raise Unavailable("Kafka at nowhere does not answer.", "Start it.")

    def announced(self, repo: str) -> int:
        self._answer()
        return max((a.manifest.seq for a in self.sent if a.manifest.repo == repo), default=0)

    def announce(
        self,
        manifest: Manifest,
        commits: Iterable[Commit],
        updates: Sequence[RefUpdate],
        archive_path: str,
        progress: Any,
        published: Callable[[], None] = lambda: None,
    ) -> int:
        self._answer()
        told = Announced(manifest, list(commits), list(updates), archive_path)
        published()
        self.sent.append(told)
        return len(told.commits)

    def heartbeat(self, repo: str, snapshot: str, head: str) -> None:
        self._answer()
        self.heartbeats.append((repo, snapshot, head))


class Vault:
    """A local archive, its event log, and the way into it."""

    def __init__(self, folder: Path) -> None:
        (folder / "archive").mkdir(parents=True)
        self.folder = folder
        self.store: Any = LocalStore(folder / "archive")
        self.archive = Archive(self.store)
        self.events: Any = RecordedLog()

    def ingest(self, source: Repo | str, name: str = "acme/odd", **options: Any) -> Report:
        values: dict[str, Any] = {
            "store": self.store,
            "events": self.events,
            "scratch": self.folder / "scratch",
            "environment": ENVIRONMENT,
        }
        return ingest(source.url if isinstance(source, Repo) else source, name, **(values | options))

    def latest(self, name: str = "acme/odd") -> Manifest:
        return self.archive.require(name)

    @property
    def incoming(self) -> list[str]:
        folder = self.folder / "archive" / ".incoming"
        return [p.name for p in folder.iterdir()] if folder.exists() else []

    @property
    def scratch(self) -> list[str]:
        return [p.name for p in (self.folder / "scratch").iterdir()]


def rebuilt(vault: Vault, manifest: Manifest, path: Path) -> Repo:
    """A repository made by plain git of a snapshot's packs and refs alone."""
    repo = gitmake.empty(path)
    for pack in sorted(manifest.packs, key=lambda p: p.thin):
        raw = vault.store.read(vault.archive.path(manifest.repo, pack.snapshot, pack.file_name))
        if pack.thin:  # as docs/design.md tells a person to do it
            repo("index-pack", "--fix-thin", "--stdin", stdin=raw[: pack.size])
            continue
        (path / "objects" / "pack" / pack.pack_name).write_bytes(raw[: pack.size])
        (path / "objects" / "pack" / pack.idx_name).write_bytes(raw[pack.size :])
    repo("update-ref", "--stdin", stdin="".join(f"create {r.name} {r.target}\n" for r in manifest.refs).encode())
    return repo
