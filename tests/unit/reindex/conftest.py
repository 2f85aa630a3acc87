"""An archive with an eventful past, and the broker that was told of it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import gitmake
from archive_kit import ENVIRONMENT, RecordedLog, Vault
from gitmake import put
from index_kit import START, MockKafka
from pivo.consolidation import consolidated
from pivo.events import AUDIT_TOPIC, AuditEvent, HeartbeatEvent, RestoreEvent, VerifyEvent, commit_events, dump
from pivo.events import snapshot_events as whole
from pivo.findings import Finding
from pivo.index.kafka import Source
from pivo.models import RepoName
from pivo.reindex.sources import Here

REPOS = ("acme/odd", "acme/plain", "PIVO")


@dataclass
class Past:
    """What happened: the archive, and the values that Kafka was sent, a list a snapshot."""

    vault: Vault
    log: RecordedLog
    folder: Path
    heartbeats: list[bytes] = field(default_factory=list)

    def announced(self) -> list[list[bytes]]:
        """The events of each snapshot, as they were sent."""
        told: list[list[bytes]] = []
        for one in self.log.sent:
            events: list[Any] = [e for c in one.commits for e in commit_events(one.manifest, c)]
            events += whole(one.manifest, one.updates, one.path)
            told.append([dump(e, one.manifest.taken_at) for e in events])
        return told

    def here(self) -> Here:
        return Here(self.vault.archive, self.folder / "reindex", ENVIRONMENT)


def move_on(repo: gitmake.Repo, night: int) -> None:
    """What a night finds: growth, and on some a rewritten branch, a deleted one, a tag."""
    repo.commit("main", night, put(f"src/n{night % 3}.c", b"night %d" % night))
    if night % 3 == 1:
        repo("branch", "-f", "topic", "main~1")
        repo.commit("topic", 100 + night, put("topic.txt", b"topic %d" % night))
    elif night % 3 == 2:
        repo("branch", "-D", "topic")
        repo("tag", "-a", "-m", f"night {night}", f"n{night}", "main")


@pytest.fixture(scope="module")
def past(tmp_path_factory):
    folder = tmp_path_factory.mktemp("past")
    vault = Vault(folder)
    sources = {name: gitmake.linear(folder / f"{n}.git", 6) for n, name in enumerate(REPOS[1:])}
    sources["acme/odd"] = gitmake.odd(folder / "odd.git")
    for name, repo in sources.items():
        vault.ingest(repo, name)
    for night in range(19, 25):
        for name in REPOS[1:]:
            move_on(sources[name], night)
            vault.ingest(sources[name], name)
    done = consolidated(
        vault.store,
        vault.events,
        RepoName.parse("PIVO"),
        scratch=folder / "scratch",
        environment=ENVIRONMENT,
        everything=True,
    )
    assert done is not None
    move_on(sources["PIVO"], 25)
    vault.ingest(sources["PIVO"], "PIVO")
    return Past(vault, vault.events, folder)


def of_kafka_alone() -> list[bytes]:
    """Facts that no archive holds."""
    restore = RestoreEvent("run1", "PIVO", "main", "0" * 40, "acme/x", "ann", "requested", at=START)
    finding = Finding("PIVO", "000001-000000000000", "x", "bytes", "is wrong")
    return [
        dump(AuditEvent("ann", "question", {"text": "who?"}, "answered", START, "a1")),
        dump(restore),
        dump(
            RestoreEvent("run1", "PIVO", "main", "0" * 40, "acme/x", "ann", "pushed", at=START + timedelta(minutes=1))
        ),
        dump(VerifyEvent("v1", "PIVO", "shallow", "ann", (finding,), 1, 1, 1, 1, at=START)),
    ]


@pytest.fixture
def mock(monkeypatch):
    """librdkafka's own broker. It has no ids of topics to tell, so that they are made up of where it listens."""
    monkeypatch.setattr(Source, "_topic_ids", lambda self: dict.fromkeys(self._topics, str(self._kafka)))
    return MockKafka()


@pytest.fixture
def told(mock, past):
    """The broker, with everything that happened."""
    for values in past.announced():
        mock.send(values)
    mock.send([dump(HeartbeatEvent("PIVO", "x", "0" * 40, START + timedelta(days=4000)))])
    mock.send(of_kafka_alone(), AUDIT_TOPIC)
    return mock


@pytest.fixture
def index(tmp_path):
    return tmp_path / "index" / "pivo.db"


@pytest.fixture(scope="module", autouse=True)
def tidy(past):
    yield
    shutil.rmtree(past.folder, ignore_errors=True)
