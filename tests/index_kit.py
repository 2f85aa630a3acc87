"""Histories, manifests and indices to test with."""

from __future__ import annotations

import hashlib
import random
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Message, Producer, TopicPartition

from pivo.events import (
    AUDIT_TOPIC,
    COMMIT_TOPIC,
    STATE_TOPIC,
    AuditEvent,
    Event,
    EventLog,
    client_config,
    commit_events,
    snapshot_events,
)
from pivo.index.apply import Indexer
from pivo.index.views import VIEWS
from pivo.index.writer import connect, writing
from pivo.models import ZERO, Commit, FileChange, Manifest, Person, Previous, Ref, RefUpdate

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


def sha(text: str) -> str:
    """A hash that is the same in every run."""
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def commit(name: str, parents: Iterable[str] = (), files: int = 2, minute: int = 0, **changes: Any) -> Commit:
    """A commit called `name`; its hash is `sha(name)`, its parents are names too."""
    ann = Person("Ann Author", "ann@example.org", int(START.timestamp()) + 60 * minute, 60)
    values: dict[str, Any] = {
        "hash": sha(name),
        "tree": sha(f"tree {name}"),
        "parents": tuple(sha(p) for p in parents),
        "author": ann,
        "committer": ann,
        "message": f"Do {name}\n\nBecause of reasons.\n",
        "files": tuple(
            FileChange("M", f"src/file{(minute + i) % 17}.c", "100644", sha(f"{name} {i}"), sha(f"old {name} {i}"))
            for i in range(files)
        ),
    }
    return Commit(**(values | changes))


def manifest(repo: str, seq: int, refs: Mapping[str, str], commits: int = 0, **changes: Any) -> Manifest:
    """Snapshot `seq` of `repo`, whose branches `refs` stand at named commits; `main` is its head."""
    head = sha(refs["main"]) if "main" in refs else ZERO
    values: dict[str, Any] = {
        "repo": repo,
        "seq": seq,
        "head": head,
        "head_ref": "refs/heads/main",
        "source": f"https://example.org/{repo}.git",
        "taken_at": START + timedelta(days=seq),
        "refs": tuple(Ref(f"refs/heads/{name}", sha(target)) for name, target in sorted(refs.items())),
        "packs": (),
        "previous": Previous(f"{seq - 1:06d}-{head[:12]}", "0" * 64) if seq > 1 else None,
        "files": 10,
        "commits": commits,
        "tool": "pivo test",
    }
    return Manifest(**(values | changes))


@dataclass(frozen=True)
class Snap:
    """All that `EventLog.announce` takes."""

    manifest: Manifest
    commits: tuple[Commit, ...]
    updates: tuple[RefUpdate, ...]

    @property
    def path(self) -> str:
        return f"/backups/{self.manifest.repo}/{self.manifest.dirname}"

    def events(self) -> list[Event]:
        """Its events, in the order that they are sent in."""
        events: list[Event] = [e for c in self.commits for e in commit_events(self.manifest, c)]
        return [*events, *snapshot_events(self.manifest, self.updates, self.path)]

    def announce(self, kafka: Mapping[str, str]) -> None:
        with EventLog(kafka) as log:
            log.announce(self.manifest, self.commits, self.updates, self.path)


def moved(before: Mapping[str, str], after: Mapping[str, str], forced: Iterable[str] = ()) -> tuple[RefUpdate, ...]:
    """The updates that lead from `before` to `after`; `forced` are names of branches that were rewritten."""
    return tuple(
        RefUpdate(
            f"refs/heads/{name}",
            sha(before[name]) if name in before else None,
            sha(after[name]) if name in after else None,
            name in set(forced),
        )
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    )


def history(repo: str, seed: int, snapshots: int = 5) -> list[Snap]:
    """A repository that grows, merges, rewrites and deletes branches, from `seed`."""
    rng = random.Random(seed)
    refs: dict[str, str] = {}
    snaps, minute = [], 0
    for seq in range(1, snapshots + 1):
        before, commits, forced = dict(refs), [], set()
        for _ in range(rng.randint(1, 6)):
            minute += 1
            branch = rng.choice(["main", "main", "topic", "other"])
            name = f"{repo} {seed} {minute}"
            parents = [refs[branch]] if branch in refs else [refs["main"]] if "main" in refs else []
            if len(refs) > 1 and rng.random() < 0.2:
                parents.append(rng.choice(sorted(refs.values())))
            if branch in before and rng.random() < 0.2:
                parents, forced = parents[:0], {*forced, branch}
            commits.append(commit(name, dict.fromkeys(parents), rng.randint(0, 4), minute))
            refs[branch] = name
        if "topic" in refs and rng.random() < 0.3:
            del refs["topic"]
        snaps.append(Snap(manifest(repo, seq, refs, len(commits)), tuple(commits), moved(before, refs, forced)))
    return snaps


def content(db: sqlite3.Connection) -> dict[str, list[tuple[Any, ...]]]:
    """All that the views show, in an order of its own: equal for equal indices, whatever their row numbers."""
    skipped = {"v_search", "v_search_paths"}  # their contents are those of v_commits and v_paths
    found = {v.name: sorted(db.execute(f"SELECT * FROM {v.name}"), key=repr) for v in VIEWS if v.name not in skipped}
    found["search"] = db.execute(
        "SELECT hash, repo_name FROM v_search WHERE text MATCH 'reasons' ORDER BY 1, 2"
    ).fetchall()
    found["paths"] = db.execute("SELECT path FROM v_search_paths WHERE text MATCH 'file1' ORDER BY 1").fetchall()
    return found


def shown(index: Path) -> dict[str, list[tuple[Any, ...]]]:
    """`content` of the index at a path."""
    db = connect(index)
    try:
        return content(db)
    finally:
        db.close()


def beside_a_secret(folder: Path, snapshots: int) -> Path:
    """An index with two repositories of `snapshots` each, and beside it a file that is nobody's business."""
    with writing(folder / "pivo.db") as db:
        for repo in ("PIVO", "acme/x"):
            Indexer(db).apply(e for snap in history(repo, 4, snapshots) for e in snap.events())
        long = Snap(manifest("long", 1, {"main": "l"}, 1), (commit("l", message="a" * 60_000),), ())
        Indexer(db).apply([*long.events(), AuditEvent("ann", "question", {"repo": "PIVO"}, "answered")])
    with closing(sqlite3.connect(folder / "secret.db")) as secret:
        secret.executescript("CREATE TABLE s (x); INSERT INTO s VALUES ('TOP SECRET')")
    return folder / "pivo.db"


def messages(kafka: Mapping[str, str], topic: str) -> list[Message]:
    """All that a topic has, each partition's in order; `kafka` are librdkafka's settings."""
    end = {"group.id": "t", "enable.partition.eof": True, "auto.offset.reset": "earliest"}
    consumer = Consumer(client_config(kafka) | end)
    parts = list(consumer.list_topics(topic, timeout=10).topics[topic].partitions)
    consumer.assign([TopicPartition(topic, p, 0) for p in parts])
    found, ends = [], 0
    while ends < len(parts):
        message = consumer.poll(10)
        assert message is not None
        if message.error():
            ends += 1
        else:
            found.append(message)
    consumer.close()
    return found


class MockKafka:
    """librdkafka's own broker within this process: real protocol, no isolation of transactions, no topic ids."""

    def __init__(self) -> None:
        self.producer = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "mock", "log_level": 2})
        for topic in (COMMIT_TOPIC, AUDIT_TOPIC, STATE_TOPIC):
            self.producer.list_topics(topic, timeout=10)
        broker = next(iter(self.producer.list_topics(timeout=10).brokers.values()))
        self.config = {"bootstrap.servers": f"{broker.host}:{broker.port}"}

    def send(self, values: Sequence[bytes | None], topic: str = COMMIT_TOPIC, key: bytes = b"k") -> None:
        """Sends raw values, in order, to one partition."""
        for value in values:
            self.producer.produce(topic, key=key, value=value)
        assert self.producer.flush(10) == 0

    def messages(self, topic: str) -> list[Message]:
        """All that a topic has, each partition's in order, what an aborted transaction sent included."""
        return messages(self.config, topic)
