"""Events and index against the real Kafka: what transactions hide, and that a drain is exactly once, kill it or not."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import uuid

import pytest
from confluent_kafka import KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

import gitmake
from archive_kit import ENVIRONMENT, Vault
from index_kit import Snap, commit, content, history, manifest, sha, shown
from pivo.errors import ArchiveConflict
from pivo.events import EventLog, dump, ensure_topics
from pivo.events import log as event_log
from pivo.index import writer
from pivo.index.apply import Indexer
from pivo.index.reader import IndexReader
from pivo.index.writer import drain, writing
from pivo.reindex import gaps

pytestmark = pytest.mark.stack

DRAINER = """
import sys
from pathlib import Path
from pivo.index import kafka, writer
writer.TOPICS = (sys.argv[3],)
writer.BATCH = 40
kafka._CHUNK = 20
written = lambda step, done, total: print(done, flush=True)
writer.drain(Path(sys.argv[1]), {"bootstrap.servers": sys.argv[2]}, progress=written)
"""

DIES_IN_ITS_TRANSACTION = """
import os, sys
from index_kit import Snap, commit, manifest
from pivo.events import log
def die(producer):
    producer.flush(20)
    os._exit(9)
log._commit = die
zombie = Snap(manifest(sys.argv[1], 1, {"main": "zombie"}, 1), (commit("zombie"),), ())
zombie.announce({"bootstrap.servers": sys.argv[2]})
"""


@pytest.fixture
def kafka(stack):
    ensure_topics(stack.kafka)
    return stack.kafka


@pytest.fixture
def repo():
    """A name that no other test uses."""
    return f"t{uuid.uuid4().hex[:10]}"


@pytest.fixture
def topic(kafka, monkeypatch):
    """A topic of its own, which the drain reads instead of PIVO's."""
    name = f"test-{uuid.uuid4().hex[:10]}"
    admin = AdminClient(dict(kafka))
    make(admin, name)
    monkeypatch.setattr(writer, "TOPICS", (name,))
    yield name
    admin.delete_topics([name])[name].result(20)


def make(admin, name):
    def made():
        try:
            admin.create_topics([NewTopic(name, 3, 1)])[name].result(20)
        except KafkaException as err:
            assert "marked for deletion" in str(err)
            return False
        return True

    until(made)
    until(lambda: all(p.leader >= 0 for p in admin.list_topics(name, timeout=5).topics[name].partitions.values()))


def until(done, seconds=20.0):
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.1)


def fill(kafka, topic, snaps):
    producer = Producer(dict(kafka) | {"linger.ms": 5})
    for snap in snaps:
        for event in snap.events():
            producer.produce(topic, key=snap.manifest.repo.encode(), value=dump(event))
    assert producer.flush(20) == 0


def straight(tmp_path, snaps):
    with writing(tmp_path / "straight.db") as db:
        Indexer(db).apply(e for snap in snaps for e in snap.events())
        return content(db)


def hashes(index, repo):
    with IndexReader(index) as reader:
        return [h for (h,) in reader.query("SELECT hash FROM v_commits WHERE repo_name = ?", [repo]).rows]


def python(code, *argv, **options):
    return subprocess.Popen([sys.executable, "-c", code, *map(str, argv)], env=environment(), **options)


def environment():
    return os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}


def test_a_snapshot_is_seen_when_it_is_whole(kafka, repo, tmp_path, monkeypatch):
    index = tmp_path / "pivo.db"
    one = Snap(manifest(repo, 1, {"main": "a"}, 1), (commit("a"),), ())
    seen = []

    def look_then_commit(producer):
        assert producer.flush(20) == 0
        drain(index, kafka)
        seen.append(hashes(index, repo))
        commit_now(producer)

    commit_now = event_log._commit
    monkeypatch.setattr(event_log, "_commit", look_then_commit)
    one.announce(kafka)
    until(lambda: drain(index, kafka).events or hashes(index, repo))
    assert seen == [[]]
    assert hashes(index, repo) == [sha("a")]


def test_an_aborted_transaction_is_never_seen(kafka, repo, tmp_path, monkeypatch):
    index = tmp_path / "pivo.db"

    def fail(producer):
        assert producer.flush(20) == 0
        raise RuntimeError("in the middle")

    with monkeypatch.context() as patch, pytest.raises(RuntimeError):
        patch.setattr(event_log, "_commit", fail)
        Snap(manifest(repo, 1, {"main": "never"}, 1), (commit("never"),), ()).announce(kafka)
    assert EventLog(kafka).announced(repo) == 0
    Snap(manifest(repo, 2, {"main": "a"}, 1), (commit("a"),), ()).announce(kafka)
    until(lambda: EventLog(kafka).announced(repo))  # the markers of a commit come a moment after its answer
    assert EventLog(kafka).announced(repo) == 2
    until(lambda: drain(index, kafka).events or hashes(index, repo))
    assert hashes(index, repo) == [sha("a")]


def test_who_dies_in_his_transaction_is_fenced_by_the_next(kafka, repo, tmp_path):
    process = python(DIES_IN_ITS_TRANSACTION, repo, kafka["bootstrap.servers"])
    assert process.wait(60) == 9
    began = time.monotonic()
    Snap(manifest(repo, 1, {"main": "a"}, 1), (commit("a"),), ()).announce(kafka)
    assert time.monotonic() - began < 15  # without waiting for the transaction's timeout
    until(lambda: EventLog(kafka).announced(repo) == 1)
    until(lambda: drain(tmp_path / "pivo.db", kafka).events or hashes(tmp_path / "pivo.db", repo))
    assert hashes(tmp_path / "pivo.db", repo) == [sha("a")]


def test_two_processes_that_announce_one_repository_do_not_mix(kafka, repo, tmp_path, monkeypatch):
    index, commit_now = tmp_path / "pivo.db", event_log._commit
    other = Snap(manifest(repo, 1, {"main": "other"}, 1), (commit("other"),), ())

    def overtaken(producer):
        assert producer.flush(20) == 0
        monkeypatch.setattr(event_log, "_commit", commit_now)
        other.announce(kafka)
        commit_now(producer)

    monkeypatch.setattr(event_log, "_commit", overtaken)
    with pytest.raises(ArchiveConflict, match="Another process"):
        Snap(manifest(repo, 1, {"main": "mine"}, 1), (commit("mine"),), ()).announce(kafka)
    until(lambda: drain(index, kafka).events or hashes(index, repo))
    assert hashes(index, repo) == [sha("other")]


def test_repositories_are_announced_side_by_side(kafka, repo):
    failures = []

    def announce(n):
        try:
            for seq in (1, 2, 3):
                Snap(manifest(f"{repo}-{n}", seq, {"main": "a"}, 1), (commit("a"),), ()).announce(kafka)
        except BaseException as err:  # noqa: BLE001 - told by the assertion below
            failures.append(err)

    threads = [threading.Thread(target=announce, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    with EventLog(kafka) as log:
        assert [log.announced(f"{repo}-{n}") for n in range(4)] == [3] * 4
        assert log.announced(repo) == 0


def test_a_drainer_that_is_killed_at_random_points_leaves_the_same_index(kafka, topic, tmp_path):
    snaps = [snap for n in range(6) for snap in history(f"acme/r{n}", n, 80)]
    fill(kafka, topic, snaps)
    index, rng, kills, offsets = tmp_path / "killed.db", random.Random(4), 0, set()
    for _ in range(40):
        process = python(DRAINER, index, kafka["bootstrap.servers"], topic, stdout=subprocess.PIPE)
        with process.stdout as batches:
            for _ in range(rng.randint(0, 2)):
                batches.readline()
            time.sleep(rng.random() * 0.03)
            process.send_signal(signal.SIGKILL)
            if process.wait() == 0:
                break
        kills += 1
        offsets.add(_read(index))
    drain(index, kafka)
    assert len(offsets - {0}) >= 5, "the kills did not come within the drain"
    assert kills >= 5
    assert shown(index) == straight(tmp_path, snaps)
    assert drain(index, kafka).events == 0


def _read(index):
    try:
        with sqlite3.connect(index) as db:
            return db.execute("SELECT coalesce(sum(next_offset), 0) FROM kafka_offsets").fetchone()[0]
    except sqlite3.OperationalError:
        return 0


def test_messages_that_kafka_deleted_are_a_gap_and_the_rest_is_read(kafka, topic, tmp_path):
    index, snaps = tmp_path / "pivo.db", history("PIVO", 1, 6)
    fill(kafka, topic, snaps[:2])
    drain(index, kafka)
    fill(kafka, topic, snaps[2:4])
    admin = AdminClient(dict(kafka))
    futures = admin.delete_records([TopicPartition(topic, p, -1) for p in range(3)])
    low = max(future.result(20).low_watermark for future in futures.values())
    fill(kafka, topic, snaps[4:])
    report = drain(index, kafka)
    assert report.snapshots == 2
    assert len(report.gaps) == 1 and f"to {low}" in report.gaps[0]
    with IndexReader(index) as reader:
        assert reader.query("SELECT seq FROM v_snapshots ORDER BY 1").rows == [(1,), (2,), (5,), (6,)]
        rows = reader.query("SELECT topic, last_offset, mended_at FROM v_index_problems").rows
    assert rows == [(topic, low - 1, None)]
    assert drain(index, kafka).gaps == []


def test_what_kafka_deleted_is_filled_from_the_archive_once(kafka, topic, tmp_path, monkeypatch):
    monkeypatch.setattr(gaps, "COMMIT_TOPIC", topic)
    vault, repo = Vault(tmp_path), gitmake.linear(tmp_path / "source.git", 5)
    sent = []

    def night(n):
        repo.commit("main", 20 + n, gitmake.put(f"n{n}", b"x"))
        vault.ingest(repo, "acme/odd")
        told = vault.events.sent[-1]
        sent.append(Snap(told.manifest, tuple(told.commits), tuple(told.updates)))
        return sent[-1]

    index, admin = tmp_path / "pivo.db", AdminClient(dict(kafka))
    fill(kafka, topic, [night(1)])
    drain(index, kafka)
    fill(kafka, topic, [night(2), night(3)])
    for future in admin.delete_records([TopicPartition(topic, p, -1) for p in range(3)]).values():
        future.result(20)
    fill(kafka, topic, [night(4)])
    report = drain(index, kafka)
    assert (report.snapshots, len(report.gaps)) == (1, 1)
    filled = gaps.fill(index, lambda: vault.archive, tmp_path / "scratch", ENVIRONMENT)
    assert (filled.gaps, filled.snapshots, filled.commits) == (1, 2, 2)
    with writing(index) as db:
        db.execute("DELETE FROM kafka_gaps")
        db.execute(
            "UPDATE repo_snapshots SET hdfs_path = '/backups/' || substr(hdfs_path, instr(hdfs_path, 'acme/odd'))"
        )
    assert shown(index) == straight(tmp_path, sent)
    assert drain(index, kafka).events == 0


def test_a_topic_that_was_made_anew_is_noticed_by_its_id(kafka, topic, tmp_path):
    index, snaps = tmp_path / "pivo.db", history("PIVO", 1, 4)
    fill(kafka, topic, snaps[:1])
    drain(index, kafka)
    admin = AdminClient(dict(kafka))
    admin.delete_topics([topic])[topic].result(20)
    until(lambda: topic not in admin.list_topics(timeout=5).topics)
    make(admin, topic)
    fill(kafka, topic, snaps)  # more than there was: offsets alone would not show it
    report = drain(index, kafka)
    assert "made anew" in report.gaps[0]
    found, expected = shown(index), straight(tmp_path, snaps)
    assert found.pop("v_index_problems") != expected.pop("v_index_problems")
    assert found == expected


def test_from_event_to_answer_it_takes_moments(kafka, repo, tmp_path):
    index = tmp_path / "pivo.db"
    drain(index, kafka)
    snap = Snap(manifest(repo, 1, {"main": "a"}, 1), (commit("a"),), ())
    began = time.monotonic()
    snap.announce(kafka)
    until(lambda: drain(index, kafka).events)
    assert hashes(index, repo) == [sha("a")]
    assert time.monotonic() - began < 10
