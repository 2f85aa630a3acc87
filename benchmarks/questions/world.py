"""Two archives with a frozen clock: repositories made by git, archived by the real ingest, indexed from real events."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from benchmarks.questions import history
from benchmarks.questions.history import Commit, Move, Night
from pivo import ingest as ingest_module
from pivo.events import Event, HeartbeatEvent, commit_events, snapshot_events
from pivo.index.apply import Indexer
from pivo.index.migrations import migrate
from pivo.ingest import ingest
from pivo.models import Commit as ArchivedCommit
from pivo.models import Manifest, RefUpdate
from pivo.store import open_store

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # a Monday
_SIGNATURE = b"gpgsig -----BEGIN PGP SIGNATURE-----\n \n iQEzBAABCAAdFiEE\n -----END PGP SIGNATURE-----\n"


@dataclass
class World:
    """An archive and its index. `marks` maps the names that the gold answers use to full hashes."""

    folder: Path
    archive: Path
    index: Path
    marks: dict[str, str] = field(default_factory=dict)

    def gold(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a gold query, read past everything that the planner uses."""
        with sqlite3.connect(f"file:{self.index}?mode=ro", uri=True) as db:
            return db.execute(sql).fetchall()


class _Clock(datetime):
    """The clock of an ingest: it stands at `at`."""

    at = NOW

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        return cls.at


class _Log:
    """Takes a snapshot's events as Kafka would, and gives them to the index in one transaction."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._seen: dict[str, int] = {}

    def announced(self, repo: str) -> int:
        return self._seen.get(repo, 0)

    def announce(
        self,
        manifest: Manifest,
        commits: Iterable[ArchivedCommit],
        updates: Sequence[RefUpdate],
        path: str,
        _: Any,
        published: Callable[[], None],
    ) -> int:
        published()
        events: list[Event] = [e for c in commits for e in commit_events(manifest, c)]
        hdfs = f"/backups/{manifest.repo}/{manifest.dirname}"
        self.apply([*events, *snapshot_events(manifest, tuple(updates), hdfs)])
        self._seen[manifest.repo] = manifest.seq
        return len(events)

    def heartbeat(self, repo: str, snapshot: str, head: str) -> None:
        self.apply([HeartbeatEvent(repo, snapshot, head, _Clock.at)])

    def apply(self, events: Sequence[Event]) -> None:
        self._db.execute("BEGIN")
        Indexer(self._db).apply(events)
        self._db.execute("COMMIT")


def organisation(folder: Path) -> World:
    """Five repositories of two owners: merges, a force-push, a deleted branch, a missing LFS object, a stale one."""
    return _build(folder, history.ORGANISATION, history.NIGHTS, history.events)


def single(folder: Path) -> World:
    """PIVO alone, so that it need not be named."""
    return _build(folder, history.PIVO, history.PIVO_NIGHTS, lambda marks: [])


def _build(folder: Path, steps: Sequence[Commit | Move], nights: Sequence[Night], events: Any) -> World:
    world = World(folder, folder / "archive", folder / "pivo.db")
    world.archive.mkdir(parents=True)
    db = sqlite3.connect(world.index, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    migrate(db)
    log: Any = _Log(db)
    store = open_store(f"file://{world.archive}")
    waiting = sorted(steps, key=lambda s: s.at)
    for night in sorted(nights, key=lambda n: n.at):
        while waiting and waiting[0].at <= night.at:
            _step(world, waiting.pop(0))
        _Clock.at = night.moment
        for repo in night.repos:
            with patch.object(ingest_module, "datetime", _Clock):
                ingest(
                    (folder / "git" / repo).as_uri(),
                    repo,
                    store=store,
                    events=log,
                    scratch=folder / "scratch",
                    environment={"PATH": os.environ["PATH"]},
                )
    assert not waiting, f"no night archives {waiting[0]}"
    log.apply(events(world.marks))
    db.close()
    return world


def _step(world: World, step: Commit | Move) -> None:
    git = world.folder / "git" / step.repo
    if not git.exists():
        git.mkdir(parents=True)
        _git(git, "init", "-q", "--bare", "-b", step.branch)
    if isinstance(step, Move):
        ref = f"refs/tags/{step.tag}" if step.tag else f"refs/heads/{step.branch}"
        _git(git, "update-ref", *(["-d", ref] if not step.to else [ref, world.marks[step.to]]))
        return
    world.marks[step.mark] = _commit(git, step, world.marks)


def _commit(git: Path, step: Commit, marks: dict[str, str]) -> str:
    ref = f"refs/heads/{step.branch}"
    when = f"{int(step.moment.timestamp())} +0000"
    parent = marks[step.parent] if step.parent else _git(git, "for-each-ref", "--format=%(objectname)", ref).strip()
    lines = [f"commit {ref}", f"author {step.who} {when}", f"committer {step.who} {when}"]
    message = step.subject + (f"\n\n{step.body}" if step.body else "")
    lines += [f"data {len(message.encode())}", message]
    lines += [f"from {parent}"] if parent else []
    lines += [f"merge {marks[step.merge]}"] if step.merge else []
    for path, text in step.files.items():
        lines += [f"D {path}"] if text is None else [f"M 100644 inline {path}", f"data {len(text.encode())}", text]
    stream = "\n".join(lines) + "\n"
    _git(git, "fast-import", "--quiet", "--force", stdin=stream.encode())
    made = _git(git, "rev-parse", ref).strip()
    if step.signed:
        body = _git(git, "cat-file", "commit", made).encode()
        head, _, rest = body.partition(b"\n\n")
        made = _git(git, "hash-object", "-t", "commit", "-w", "--stdin",
                    stdin=head + b"\n" + _SIGNATURE.rstrip() + b"\n\n" + rest).strip()  # fmt: skip
        _git(git, "update-ref", ref, made)
    return made


def _git(cwd: Path, *args: str, stdin: bytes = b"") -> str:
    clean = {"PATH": os.environ["PATH"], "HOME": str(cwd), "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(["git", *args], cwd=cwd, env=clean, input=stdin, capture_output=True, check=True)
    return done.stdout.decode()


__all__ = ["NOW", "World", "organisation", "replace", "single", "timedelta"]
