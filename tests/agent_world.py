"""A small archive with its index, for tests of the agent: real git packs, real manifests, real events, a frozen clock.

acme/web: Ada, Grace and Alan; branches main and dev; tags v1.0 and v2.0; a merge; a lost commit.
acme/tool: one commit by Ada, last snapshot weeks ago. PIVO: the only one in `single`.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import subprocess
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec import structs

from pack_kit import join
from pivo.agent import diffs
from pivo.events import CommitEvent, Event, HeartbeatEvent, RestoreEvent, SnapshotEvent
from pivo.index.apply import Indexer
from pivo.index.migrations import migrate
from pivo.models import Commit, FileChange, Manifest, Ref, RefUpdate
from pivo.snapshot import manifest as manifests
from pivo.snapshot.objects import ObjectReader
from pivo.store import open_store

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # a Monday

ADA = "Ada Lovelace <ada@example.org>"
GRACE = "Grace Hopper <grace@example.org>"
ALAN = "Alan Turing <alan@example.org>"


@dataclass(frozen=True)
class Planned:
    """A commit to make: `files` maps paths to contents, None deletes."""

    mark: str
    who: str
    at: str
    subject: str
    files: dict[str, str | None]
    branch: str = "main"
    merge: str = ""


WEB = (
    Planned(
        "w1", ADA, "2026-09-01 10:00", "Initial commit", {"README.md": "# Web\n\nHello.\n", "src/app.py": "print(1)\n"}
    ),
    Planned("w2", GRACE, "2026-10-05 09:00", "Add a parser", {"src/parser.py": "def parse():\n    return 1\n"}),
    Planned(
        "w3",
        ADA,
        "2026-10-20 16:30",
        "Document the parser",
        {"README.md": "# Web\n\nHello.\n\n## Parser\n\nIt parses.\n"},
    ),
    Planned("w4", ALAN, "2026-11-10 08:00", "Fix memory leak in app", {"src/app.py": "print(2)\n"}, "dev"),
    Planned("w5", GRACE, "2026-11-17 11:00", "Add docs", {"docs/guide.md": "# Guide\n", "docs/faq.md": "# FAQ\n"}),
    Planned("w6", GRACE, "2026-11-18 12:00", "Merge dev", {}, merge="w4"),
    Planned(
        "w7",
        ADA,
        "2026-11-20 14:03",
        "Explain the parser better",
        {"README.md": "# Web\n\nHello!\n\n## Parser\n\nIt parses well.\n"},
    ),
    Planned("w8", GRACE, "2026-11-22 20:15", "Drop the FAQ", {"docs/faq.md": None}),
)
TOOL = (Planned("t1", ADA, "2026-08-02 07:00", "A tool", {"tool.sh": "echo tool\n", "README.md": "# Tool\n"}),)
PIVO = (
    Planned("p1", ADA, "2026-11-01 10:00", "Begin", {"README.md": "# PIVO\n"}),
    Planned(
        "p2",
        GRACE,
        "2026-11-12 10:00",
        "Say what it is",
        {"README.md": "# PIVO\n\nAn archive.\n", "setup.py": "x = 1\n"},
    ),
    Planned(
        "p3", ADA, "2026-11-21 18:00", "Say how", {"README.md": "# PIVO\n\nAn archive of git.\n\n## Use\n\nAsk it.\n"}
    ),
)


class World:
    """Builds repositories, archives them under `folder`/archive and indexes them in `folder`/pivo.db."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.archive = folder / "archive"
        self.index = folder / "pivo.db"
        self.hashes: dict[str, str] = {}
        self.archive.mkdir(parents=True)
        self._db = sqlite3.connect(self.index, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        migrate(self._db)

    def add(
        self, name: str, planned: tuple[Planned, ...], *, tags: dict[str, str] | None = None, taken: datetime
    ) -> None:
        """Make the repository `name`, snapshot it once at `taken` and index that."""
        git = self.folder / "git" / name
        git.mkdir(parents=True)
        self._git(git, "init", "-q", "-b", "main")
        for commit in planned:
            self._commit(git, commit)
        for tag, mark in (tags or {}).items():
            self._git(git, "tag", tag, self.hashes[mark])
        manifest = self._publish(git, name, taken)
        self._apply(self._events(name, manifest))

    def apply(self, *events: Event) -> None:
        """Put further events into the index."""
        self._apply(list(events))

    def close(self) -> None:
        self._db.close()

    def _commit(self, git: Path, planned: Planned) -> None:
        exists = self._git(git, "branch", "--list", planned.branch).strip() or planned.branch == "main"
        if planned.branch != self._git(git, "symbolic-ref", "--short", "HEAD").strip():
            self._git(git, "checkout", "-q", *([] if exists else ["-b"]), planned.branch)
        name, _, email = planned.who.rstrip(">").partition(" <")
        dated = {f"GIT_{who}_{what}": v for who in ("AUTHOR", "COMMITTER")
                 for what, v in (("NAME", name), ("EMAIL", email), ("DATE", f"{planned.at}:00 +0000"))}  # fmt: skip
        if planned.merge:
            self._git(git, "merge", "-q", "--no-ff", "-m", planned.subject, self.hashes[planned.merge], env=dated)
        else:
            for path, text in planned.files.items():
                file = git / path
                if text is None:
                    file.unlink()
                else:
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_text(text)
            self._git(git, "add", "-A")
            self._git(git, "commit", "-q", "-m", planned.subject, env=dated)
        self.hashes[planned.mark] = self._git(git, "rev-parse", "HEAD").strip()
        if planned.branch != "main":
            self._git(git, "checkout", "-q", "main")

    def _publish(self, git: Path, name: str, taken: datetime) -> Manifest:
        head = self._git(git, "rev-parse", "main").strip()
        folder = self.archive / name / f"000001-{head[:12]}"
        folder.mkdir(parents=True)
        out = subprocess.run(["git", "pack-objects", "-q", "--all", str(folder / "pack")], cwd=git, input="",
                             capture_output=True, text=True, check=True).stdout  # fmt: skip
        pack_id = out.strip()
        rows = self._git(git, "for-each-ref", "--format=%(refname) %(objectname)").split("\n")
        refs = tuple(Ref(*row.split()) for row in rows if row)
        stored = join(folder / f"pack-{pack_id}.pack")
        files = len(self._git(git, "ls-tree", "-r", "--name-only", "main").split("\n")) - 1
        commits = int(self._git(git, "rev-list", "--count", "--all"))
        manifest = Manifest(name, 1, head, "refs/heads/main", str(git), taken, refs, (stored,), None, files, commits)
        (folder / manifests.NAME).write_bytes(manifests.dump(manifest))
        return manifest

    def _events(self, name: str, manifest: Manifest) -> list[Event]:
        git = self.folder / "git" / name
        events: list[Event] = []
        with ObjectReader(open_store(f"file://{self.archive}"), manifest) as objects:
            for oid in self._git(git, "rev-list", "--reverse", "--all").split():
                commit = _with_files(objects, objects.commit(oid))
                events.append(CommitEvent(name, 1, commit, 0, len(commit.files)))
        updates = tuple(RefUpdate(r.name, None, r.target) for r in manifest.refs)
        events.append(SnapshotEvent.of(manifest, f"/backups/{name}/{manifest.dirname}", manifest.refs, updates))
        return events

    def _apply(self, events: list[Event]) -> None:
        self._db.execute("BEGIN")
        Indexer(self._db).apply(events)
        self._db.execute("COMMIT")

    def _git(self, cwd: Path, *args: str, env: dict[str, str] | None = None) -> str:
        clean = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run(
            ["git", *args], cwd=cwd, env=clean | (env or {}), capture_output=True, text=True, check=True
        )
        return done.stdout


def several(folder: Path) -> World:
    """acme/web, acme/tool and a restore of each kind."""
    world = World(folder)
    world.add("acme/web", WEB, tags={"v1.0": "w3", "v2.0": "w7"}, taken=NOW - timedelta(hours=9))
    world.add("acme/tool", TOOL, taken=NOW - timedelta(days=40))
    world.apply(HeartbeatEvent("acme/tool", "000001-x", "0" * 40, NOW - timedelta(days=5)))
    restore = RestoreEvent("run1", "acme/web", "v1.0", world.hashes["w3"], "acme/web-old", "alice", "requested", "",
                           NOW - timedelta(days=2))  # fmt: skip
    world.apply(restore, replace(restore, state="pushed", at=NOW - timedelta(days=2) + timedelta(minutes=3)))
    failed = replace(restore, run_id="run2", who="bob", at=NOW - timedelta(hours=3))
    world.apply(failed, replace(failed, state="failed", detail="target exists", at=NOW - timedelta(hours=2)))
    return world


def single(folder: Path) -> World:
    """PIVO alone."""
    world = World(folder)
    world.add("PIVO", PIVO, tags={"v0.1": "p2"}, taken=NOW - timedelta(hours=9))
    return world


def _with_files(objects: ObjectReader, commit: Commit) -> Commit:
    pairs = diffs.changed(objects, commit.parents[0] if commit.parents else None, commit.hash)
    files = tuple(
        FileChange(p.status, p.path, p.new.mode if p.new else None, p.new.oid if p.new else None,
                   p.old.oid if p.old else None) for p in pairs)  # fmt: skip
    return structs.replace(commit, files=files)


def _sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
