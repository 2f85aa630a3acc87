"""Draining a broker into the index: exactly once, and never stopped by a message."""

from __future__ import annotations

import fcntl
import random
import sqlite3
import threading

import pytest
from msgspec.structs import replace

from index_kit import MockKafka, commit, content, history, sha, shown
from pivo.errors import Unavailable
from pivo.events import CommitEvent, dump
from pivo.index import writer
from pivo.index.apply import Indexer
from pivo.index.kafka import Gap, Range, Saved, where_to_start
from pivo.index.writer import drain, writing
from pivo.models import FileChange

P = ("t", 0)


@pytest.mark.parametrize(
    "saved, there, start, gap",
    [
        (None, Range(0, 9, "a"), 0, None),
        (None, Range(4, 9, "a"), 4, (0, 4)),
        (Saved(5, "a"), Range(0, 9, "a"), 5, None),
        (Saved(9, "a"), Range(0, 9, "a"), 9, None),
        (Saved(9, "a"), Range(9, 9, "a"), 9, None),
        (Saved(5, None), Range(0, 9, None), 5, None),
        (Saved(5, "a"), Range(7, 9, "a"), 7, (5, 7)),
        (Saved(5, "a"), Range(0, 3, "a"), 0, (5, 5)),
        (Saved(5, "a"), Range(0, 9, "b"), 0, (5, 5)),
        (Saved(5, None), Range(0, 4, None), 0, (5, 5)),
        (Saved(0, "a"), Range(0, 0, "a"), 0, None),
    ],
)
def test_where_to_start(saved, there, start, gap):
    offset, found = where_to_start(P, saved, there)
    assert offset == start
    assert (found and (found.first, found.last)) == gap
    assert found is None or isinstance(found, Gap)


@pytest.fixture
def straight(tmp_path):
    """What an index holds that simply applied `SNAPS`."""
    with writing(tmp_path / "straight.db") as db:
        Indexer(db).apply(e for snap in SNAPS for e in snap.events())
        return content(db)


SNAPS = [snap for repo in ("PIVO", "acme/a", "acme/b") for snap in history(repo, 5)]


def send(mock, snaps):
    """Sends the events of `snaps` without a transaction for each, which takes a quarter of a second here."""
    for snap in snaps:
        mock.send([dump(event) for event in snap.events()], key=snap.manifest.repo.encode())


def test_a_drain_brings_everything_once(mock, index, straight):
    for snap in SNAPS:
        snap.announce(mock.config)
    report = drain(index, mock.config)
    assert report.events == sum(len(s.events()) for s in SNAPS)
    assert report.commits == sum(len(s.commits) for s in SNAPS)
    assert report.snapshots == len(SNAPS)
    assert (report.dead, report.gaps) == (0, [])
    assert shown(index) == straight
    again = drain(index, mock.config)
    assert (again.events, again.commits, again.snapshots) == (0, 0, 0)
    assert shown(index) == straight


def test_batches_of_any_size_come_to_the_same(mock, index, straight, monkeypatch):
    monkeypatch.setattr(writer, "BATCH", 1)
    monkeypatch.setattr("pivo.index.kafka._CHUNK", 7)
    send(mock, SNAPS)
    drain(index, mock.config)
    assert shown(index) == straight


def test_an_index_whose_offsets_were_set_back_is_the_same_after_the_next_drain(mock, index, straight):
    send(mock, SNAPS)
    drain(index, mock.config)
    with writing(index) as db:
        db.execute("UPDATE kafka_offsets SET next_offset = 0")
    report = drain(index, mock.config)
    assert report.events > 0 and report.commits == 0
    assert shown(index) == straight


def test_a_crash_within_a_batch_leaves_neither_rows_nor_offsets(mock, index, straight, monkeypatch):
    send(mock, SNAPS)
    monkeypatch.setattr(writer, "_save", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        drain(index, mock.config)
    db = sqlite3.connect(index)
    for table in ("commits", "repos", "people", "paths", "commit_files", "repo_snapshots", "kafka_offsets"):
        assert db.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
    monkeypatch.undo()
    monkeypatch.setattr("pivo.index.kafka.Source._topic_ids", lambda self: {})
    assert drain(index, mock.config).events == sum(len(s.events()) for s in SNAPS)
    assert shown(index) == straight


def test_messages_that_cannot_be_used_are_kept_and_hold_nothing_up(mock, index):
    good = dump(CommitEvent("PIVO", 1, commit("a"), 0, 2))
    mock.send([b"junk", good, None, good.replace(b"commit.v1", b"commit.v9"), b"\xff\xfe"])
    report = drain(index, mock.config)
    assert (report.events, report.commits, report.dead) == (5, 1, 4)
    db = sqlite3.connect(index)
    rows = db.execute("SELECT offset, reason, value FROM dead_letters ORDER BY offset").fetchall()
    assert [offset for offset, _, _ in rows] == [0, 2, 3, 4]
    assert "version v9" in rows[2][1]
    assert rows[0][2] == b"junk"
    assert drain(index, mock.config).dead == 0


def test_an_event_that_parses_but_cannot_be_stored_goes_by_itself(mock, index):
    bad = replace(commit("bad"), files=(FileChange("A", "x", "100644", "no hex digits"),))
    commits = [commit("a"), commit("b"), bad, commit("c")]
    mock.send([dump(CommitEvent("PIVO", 1, c, 0, 2)) for c in commits])
    report = drain(index, mock.config)
    assert (report.commits, report.dead) == (3, 1)
    db = sqlite3.connect(index)
    assert sorted(db.execute("SELECT hash FROM commits")) == sorted((sha(x),) for x in "abc")
    assert db.execute("SELECT commits FROM repos").fetchone() == (3,)
    assert "cannot be stored" in db.execute("SELECT reason FROM v_index_problems").fetchone()[0]


def test_a_topic_that_was_made_anew_is_read_from_its_beginning_and_said_so(mock, index):
    snaps = history("PIVO", 1, 3)
    send(mock, snaps[:2])
    drain(index, mock.config)
    anew = MockKafka()
    send(anew, snaps[2:])
    report = drain(index, anew.config)
    assert report.snapshots == 1
    assert "made anew" in report.gaps[0]
    assert sqlite3.connect(index).execute("SELECT count(*) FROM v_index_problems").fetchone()[0] == len(report.gaps)
    assert drain(index, anew.config).gaps == []


def test_a_second_writer_is_told(mock, index, monkeypatch):
    monkeypatch.setattr(writer, "_LOCK_SECONDS", 0.2)
    drain(index, mock.config)
    with (
        index.with_name("pivo.db.lock").open("a+") as other,
        pytest.raises(Unavailable, match="Another process"),
    ):
        fcntl.flock(other, fcntl.LOCK_EX)
        drain(index, mock.config)


def test_following_sees_what_comes_later_and_lets_others_write_in_between(mock, index):
    done, seen = threading.Event(), []
    thread = threading.Thread(
        target=lambda: seen.append(drain(index, mock.config, follow=True, stop=done.is_set)), daemon=True
    )
    thread.start()
    snaps = history("PIVO", 2, 4)
    for n, snap in enumerate(snaps, 1):
        send(mock, [snap])
        for _ in range(200):
            if index.exists() and _count(index) == n:
                break
            done.wait(0.05)
        assert _count(index) == n
    send(mock, snaps[:1])
    drain(index, mock.config)
    done.set()
    thread.join(10)
    assert not thread.is_alive()
    assert seen[0].snapshots == 4


def _count(index):
    try:
        return sqlite3.connect(index).execute("SELECT count(*) FROM repo_snapshots").fetchone()[0]
    except sqlite3.OperationalError:
        return 0


def test_without_kafka_the_index_is_left_alone(index, monkeypatch):
    monkeypatch.setattr("pivo.index.kafka.CONNECT_SECONDS", 0.5)
    with pytest.raises(Unavailable):
        drain(index, {"bootstrap.servers": "127.0.0.1:1"})


def test_random_order_between_partitions_is_harmless(mock, index, straight):
    """Each event to a partition of its own choice: no order is left at all."""
    rng = random.Random(1)
    for snap in SNAPS:
        for event in snap.events():
            mock.send([dump(event)], key=str(rng.random()).encode())
    drain(index, mock.config)
    assert shown(index) == straight
