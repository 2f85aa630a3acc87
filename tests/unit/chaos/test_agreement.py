"""What `make chaos` compares notices what it is there for: each difference is made, and told."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from chaos import agreement
from chaos.load import Goal, names_the_cause
from chaos.sources import Source

from index_kit import MockKafka
from pivo.events import EventLog, RestoreEvent
from pivo.index.kafka import Source as Topics
from pivo.index.writer import drain
from pivo.restore.download import download
from pivo.restore.plan import validate
from pivo.restore.push import push
from pivo.restore.reconstruct import reconstruct
from pivo.settings import ForgeAccess, Settings
from pivo.stack.localforge import Account, Forge, ForgeServer

TOKEN = "test-token-of-the-local-forge"


@dataclass
class World:
    """A source that is archived twice, announced, indexed, and restored to a forge."""

    settings: Settings
    source: Source
    goal: Goal
    kafka: MockKafka

    def differences(self) -> list[str]:
        drain(self.settings.index, self.settings.kafka)
        return agreement.differences(self.settings, [self.source], [self.goal], whole=False)

    def say(self, state: str) -> None:
        event = RestoreEvent("run1", self.source.name, "main", self.goal.commit, self.goal.target, "ann", state)  # type: ignore[arg-type]
        with EventLog(self.settings.kafka) as log:
            log.restore(event)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(Topics, "_topic_ids", lambda self: dict.fromkeys(self._topics, "one"))
    kafka, source = MockKafka(), Source(tmp_path / "one.git", "chaos/one", random.Random(1))
    (tmp_path / "archive").mkdir()
    with ForgeServer(Forge(tmp_path / "forge", {TOKEN: Account("pivo")})) as forge:
        settings = replace(
            Settings.load({"PIVO_HOME": str(tmp_path), "PIVO_ARCHIVE": (tmp_path / "archive").as_uri()}),
            kafka=kafka.config,
            forge=ForgeAccess(forge.api_url, TOKEN),
        )
        for _ in range(2):
            source.grow()
            agreement.settle(settings, [source])
        commit, target = source.history()[1], "pivo/back"
        plan = validate(settings, repo=source.name, ref=commit, target=target, run_id="run1")
        download(plan, tmp_path / "staging" / "packs", settings.archive, "reader")
        push(plan, reconstruct(plan, tmp_path / "staging").path, settings)
        made = World(settings, source, Goal(source, commit, target, "run1", True), kafka)
        made.say("pushed")
        yield made


def moved(world: World) -> None:
    world.source.grow()


def damaged(world: World) -> None:
    pack = next((world.settings.home / "archive").rglob("*.packidx"))
    pack.chmod(0o644)
    pack.write_bytes(pack.read_bytes()[:-1] + b"x")


def said_twice(world: World) -> None:
    world.kafka.send([m.value() for m in world.kafka.messages("pivo-commit-events")])


def half_indexed(world: World) -> None:
    drain(world.settings.index, world.settings.kafka)
    with closing(sqlite3.connect(world.settings.index)) as db, db:
        db.execute("DELETE FROM commit_parents WHERE commit_id = (SELECT min(commit_id) FROM commit_parents)")


def gone_from_the_forge(world: World) -> None:
    Path(world.settings.home / "forge" / "pivo" / "back.git" / "refs" / "heads" / "main").unlink(missing_ok=True)
    Path(world.settings.home / "forge" / "pivo" / "back.git" / "packed-refs").unlink(missing_ok=True)


def another_commit_on_the_forge(world: World) -> None:
    at = world.settings.home / "forge" / "pivo" / "back.git"
    world.source.git("push", "--quiet", str(at), f"+{world.source.history()[2]}:refs/heads/main")


def failed_after_all(world: World) -> None:
    world.goal = replace(world.goal, succeeded=False)


def test_nothing_is_told_where_all_agree(world: World) -> None:
    assert world.differences() == []


@pytest.mark.parametrize(
    ("happens", "sentence"),
    [
        (moved, "The archive has other refs of chaos/one than the source."),
        (damaged, "has other bytes"),
        (said_twice, "was announced 2 times."),
        (half_indexed, "v_parents shows"),
        (gone_from_the_forge, "pivo/back is nothing on the forge, and its run succeeded."),
        (another_commit_on_the_forge, "pivo/back is other on the forge, and its run succeeded."),
        (failed_after_all, "The index says pushed of run1, which failed."),
    ],
)
def test_each_difference_is_told(world: World, happens: Callable[[World], None], sentence: str) -> None:
    happens(world)
    assert any(sentence in row for row in world.differences()), world.differences()


def test_a_failure_must_name_what_was_killed() -> None:
    assert names_the_cause("kafka", "drain: Kafka at 127.0.0.1:9092 does not answer: …")
    assert not names_the_cause("kafka", "drain failed; its log at http://… says why.")
    assert not names_the_cause("kafka", "HDFS at 127.0.0.1:9870 did not answer.")
    assert not names_the_cause("namenode", "")
