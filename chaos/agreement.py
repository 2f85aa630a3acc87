"""That sources, archive, events, index and forge tell the same: every difference as a sentence, none when all agree.

Whoever looks has taken a snapshot of every source first: what was published and not announced is announced by that.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from chaos.load import Goal
from chaos.sources import Source
from chaos.stack import Broken
from pivo.errors import PivoError
from pivo.events import COMMIT_TOPIC
from pivo.events.codec import parse
from pivo.events.types import CommitEvent, ParseFailure, SnapshotEvent
from pivo.forges import GitHub
from pivo.index.reader import IndexReader
from pivo.index.views import VIEWS
from pivo.registry import Registered, snapshot
from pivo.reindex.rebuild import rebuild
from pivo.reindex.sources import Here
from pivo.settings import Settings, base_environment
from pivo.snapshot.archive import Archive
from pivo.store import open_store
from pivo.verify import deep, shallow, witness

_SAID_ELSEWHERE = {"v_search", "v_search_paths"}  # they show what v_commits and v_paths show


def differences(settings: Settings, sources: Sequence[Source], goals: Iterable[Goal], *, whole: bool) -> list[str]:
    """Looks everywhere; `whole` opens every object of the archive, too. The index must have read all events."""
    archive = Archive(open_store(settings.archive, settings.archive_reader))
    with tempfile.TemporaryDirectory(dir=settings.home) as scratch:
        looks = (
            _sources(archive, sources),
            _archive(settings, archive, sources, Path(scratch), whole),
            _events(settings, archive, sources),
            _index(settings, archive, Path(scratch)),
            _forge(settings, goals, Path(scratch)),
        )
        return [row for look in looks for row in _told(look)]


def _told(look: Iterator[str]) -> Iterator[str]:
    """What a look tells, and what kept it from looking on."""
    try:
        yield from look
    except PivoError as err:
        yield str(err)


def settle(settings: Settings, sources: Iterable[Source]) -> None:
    """One more look at each source, in the calm."""
    for source in sources:
        snapshot(settings, Registered(source.url, source.name))


def _sources(archive: Archive, sources: Iterable[Source]) -> Iterator[str]:
    for source in sources:
        newest = archive.require(source.name)
        if {ref.name: ref.target for ref in newest.refs} != source.refs():
            yield f"The archive has other refs of {source.name} than the source."


def _archive(
    settings: Settings, archive: Archive, sources: Iterable[Source], scratch: Path, whole: bool
) -> Iterator[str]:
    with IndexReader(settings.index) as reader:
        for source in sources:
            seen = witness.ask(reader, source.name)
            if whole:
                found = deep.verify(archive, source.name, scratch / "verify", base_environment(), seen)
            else:
                found = shallow.verify(archive, source.name, seen)
            yield from (f"In the archive: {finding}" for finding in found.findings)
    yield from (f"In the archive: {finding}" for finding in shallow.foreign(archive))


def _events(settings: Settings, archive: Archive, sources: Iterable[Source]) -> Iterator[str]:
    """Every snapshot of the archive was announced once, with as many commits as it brought, each of them once."""
    told: Counter[tuple[str, str]] = Counter()
    commits: Counter[tuple[str, int]] = Counter()
    once: Counter[tuple[str, str]] = Counter()
    for value in messages(settings.kafka):
        event = parse(value)
        match event:
            case ParseFailure():
                yield f"An event cannot be read: {event.reason}"
            case CommitEvent() if event.part == 0:
                commits[event.repo, event.seq] += 1
                once[event.repo, event.commit.hash] += 1
            case SnapshotEvent():
                told[event.repo, event.snapshot] += 1
    names = {source.name for source in sources}
    for source in sources:
        stored = [archive.manifest(source.name, one.dirname) for one in archive.snapshots(source.name)]
        for manifest in stored:
            times = told.pop((source.name, manifest.dirname), 0)
            if times != 1:
                yield f"{source.name}/{manifest.dirname} was announced {times} times."
            if commits[source.name, manifest.seq] != manifest.commits:
                brought = commits[source.name, manifest.seq]
                yield f"{source.name}/{manifest.dirname} brought {manifest.commits} commits, its events {brought}."
    yield from (f"{repo}/{name} was announced, and is not in the archive." for repo, name in told if repo in names)
    yield from (f"{one} of {repo} was announced {n} times." for (repo, one), n in once.items() if n > 1)


def messages(kafka: Mapping[str, str]) -> Iterator[bytes | None]:
    """All that the topic of commits has, of transactions that were committed."""
    own = {"group.id": "pivo-chaos", "enable.auto.commit": False, "enable.partition.eof": True}
    consumer = Consumer(dict(kafka) | own | {"auto.offset.reset": "earliest", "isolation.level": "read_committed"})
    try:
        partitions = list(consumer.list_topics(COMMIT_TOPIC, timeout=20).topics[COMMIT_TOPIC].partitions)
        consumer.assign([TopicPartition(COMMIT_TOPIC, number, 0) for number in partitions])
        while partitions:
            message = consumer.poll(60)
            if message is None:
                raise Broken("Kafka holds back what it has: a transaction is open.")
            if message.error():
                partitions.pop()  # the end of one of them
            else:
                yield message.value()
    finally:
        consumer.close()


def _index(settings: Settings, archive: Archive, scratch: Path) -> Iterator[str]:
    """What the index shows is what a new one, made of the archive alone, shows."""
    before = shown(settings.index)
    copy = scratch / "index" / settings.index.name
    copy.parent.mkdir()
    with closing(sqlite3.connect(settings.index)) as here, closing(sqlite3.connect(copy)) as there:
        here.backup(there)  # what only Kafka tells is taken from it
    rebuild(copy, Here(archive, scratch, base_environment()))
    after = shown(copy)
    for view, rows in before.items():
        if rows != after[view]:
            yield f"{view} shows {len(rows)} rows, and {len(after[view])} when it is made of the archive, or others."
    yield from (f"The index could not use a message: {row}" for row in before["v_index_problems"])


def shown(index: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all views, in an order of their own."""
    with closing(sqlite3.connect(f"{index.resolve().as_uri()}?mode=ro", uri=True)) as db:
        names = [view.name for view in VIEWS if view.name not in _SAID_ELSEWHERE]
        return {name: sorted(db.execute(f"SELECT * FROM {name}").fetchall(), key=repr) for name in names}


def _forge(settings: Settings, goals: Iterable[Goal], scratch: Path) -> Iterator[str]:
    """What succeeded is on the forge, whole; what failed is whole or nothing there; the index knows which."""
    with closing(sqlite3.connect(f"{settings.index.resolve().as_uri()}?mode=ro", uri=True)) as db:
        rows = db.execute("SELECT run_id, state FROM v_restores").fetchall()
        states = {str(run_id): str(state) for run_id, state in rows}
    for goal in goals:
        there = _restored(settings, goal, scratch / "restored.git")
        state = states.get(goal.run_id, "none")
        if there == "other" or (goal.succeeded and there != "whole"):
            yield f"{goal.target} is {there} on the forge, and its run {'succeeded' if goal.succeeded else 'failed'}."
        if goal.run_id and state != ("pushed" if goal.succeeded else "failed"):
            yield f"The index says {state} of {goal.run_id}, which {'succeeded' if goal.succeeded else 'failed'}."


def _restored(settings: Settings, goal: Goal, at: Path) -> str:
    """What is at a restore's target: `nothing` (or an empty repository), `whole`, or something `other`."""
    address, env = f"{settings.forge.api_url.removesuffix('/api/v3')}/{goal.target}.git", base_environment()
    shutil.rmtree(at, ignore_errors=True)

    def git(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["git", *words], env=env, capture_output=True, text=True, timeout=120, check=False)

    if git("clone", "--quiet", "--mirror", address, str(at)).returncode:
        with GitHub(settings.forge) as forge:
            return "other" if forge.repo(*goal.target.split("/")) else "nothing"
    tips = set(git("-C", str(at), "for-each-ref", "--format=%(objectname)", "refs/heads").stdout.split())
    if not tips:
        return "nothing"
    objects = set(git("-C", str(at), "rev-list", "--objects", "--no-object-names", "--all").stdout.split())
    return "whole" if tips == {goal.commit} and goal.source.objects(goal.commit) == objects else "other"
