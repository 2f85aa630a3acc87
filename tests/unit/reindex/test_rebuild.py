"""The index made of the archive is the one that was made of the events, and takes its place at once."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading

import pytest
from typer.testing import CliRunner

import gitmake
from archive_kit import ENVIRONMENT, Vault
from index_kit import shown
from pivo.cli import app
from pivo.errors import ArchiveError, Unavailable
from pivo.events import snapshot_events
from pivo.events.audit import send_waiting
from pivo.index.apply import Indexer
from pivo.index.ledger import lost as ledger
from pivo.index.reader import IndexReader
from pivo.index.tables import TABLES
from pivo.index.writer import connect, drain, writing
from pivo.reindex import rebuild as module
from pivo.reindex.rebuild import rebuild
from pivo.reindex.sources import Here
from pivo.retention import retain
from pivo.settings import Settings
from pivo.snapshot.archive import Archive


def everything(index):
    """All tables, each row without the numbers of this file but with what they stand for."""
    db = connect(index)
    try:
        repo, person, path, commit = (
            dict(db.execute(sql))
            for sql in (
                "SELECT id, name FROM repos",
                "SELECT id, name || char(10) || email FROM people",
                "SELECT p.id, r.name || char(10) || p.path FROM paths p JOIN repos r ON r.id = p.repo_id",
                "SELECT c.id, r.name || c.hash FROM commits c JOIN repos r ON r.id = c.repo_id",
            )
        )
        address = dict(db.execute("SELECT id, email FROM addresses"))
        by = {"repo_id": repo, "person_id": person, "author_id": person, "committer_id": person, "path_id": path}
        by |= {"commit_id": commit, "address_id": address}
        found = {}
        for name, (_, columns) in TABLES.items():
            if name in ("kafka_offsets", "kafka_gaps", "schema_migrations") or name.endswith("_fts"):
                continue
            rows = db.execute(f"SELECT * FROM {name}").fetchall()
            found[name] = sorted(
                (
                    tuple(by[c][v] if c in by else v for c, v in zip(columns, row, strict=True) if c != "id")
                    for row in rows
                ),
                key=repr,
            )
        return found
    finally:
        db.close()


def generations(index):
    return sorted(p.name for p in index.parent.iterdir() if p.suffix == ".db")


def test_it_is_the_index_that_the_events_made(told, past, index):
    drain(index, told.config)
    tables, views = everything(index), shown(index)
    assert sum(1 for rows in tables.values() if rows) > 18
    assert any(row[-2] for row in tables["commits"]), "nothing is lost in this history"
    assert any(row[-1] for row in tables["commit_files"]), "no size was told"
    result = rebuild(index, past.here())
    assert (result.snapshots, result.kept, result.refused) == (len(tables["repo_snapshots"]), True, 0)
    assert result.commits == len(tables["commits"])
    assert everything(index) == tables
    assert shown(index) == views
    again = drain(index, told.config)
    assert (again.events, again.gaps) == (0, [])


def test_from_nothing_the_next_drain_adds_what_only_kafka_tells(told, past, index, tmp_path):
    drain(tmp_path / "straight.db", told.config)
    assert rebuild(index, past.here()).kept is False
    drain(index, told.config)
    assert everything(index) == everything(tmp_path / "straight.db")


def test_an_index_that_cannot_be_read_is_replaced(told, past, index):
    drain(index, told.config)
    straight = everything(index)
    index.write_bytes(b"no database " * 1000)
    assert rebuild(index, past.here()).kept is False
    drain(index, told.config)
    assert everything(index) == straight


def test_readers_read_on_and_see_the_new_one_with_their_next_question(told, past, index):
    drain(index, told.config)
    open_before = sqlite3.connect(f"file:{index}?mode=ro", uri=True)
    rows = open_before.execute("SELECT hash FROM commits ORDER BY hash").fetchall()
    with IndexReader(index) as reader:
        before = reader.query("SELECT count(*) FROM v_commits").rows
        asked, stop = [], threading.Event()

        def ask():
            while not stop.is_set():
                asked.append(reader.query("SELECT count(*) FROM v_commits").rows)

        thread = threading.Thread(target=ask)
        thread.start()
        try:
            for _ in range(3):
                rebuild(index, past.here())
        finally:
            stop.set()
            thread.join(10)
        assert set(map(tuple, asked)) == {tuple(before)}
        assert reader.query("SELECT count(*) FROM v_commits").rows == before
    assert open_before.execute("SELECT hash FROM commits ORDER BY hash").fetchall() == rows
    assert index.is_symlink()
    assert generations(index) == sorted(["pivo.db", index.resolve().name])


def test_what_the_drain_writes_meanwhile_is_in_the_new_one(mock, past, index, monkeypatch):
    values = past.announced()
    mock.send([v for some in values[:-1] for v in some])
    drain(index, mock.config)
    here = past.here()
    late = here.listed.pop(here.listed.index(("PIVO", past.log.sent[-1].manifest.dirname)))
    load = module._load

    def meanwhile(*args):
        load(*args)
        mock.send(values[-1])
        assert drain(index, mock.config).snapshots == 1

    monkeypatch.setattr(module, "_load", meanwhile)
    rebuild(index, here)
    db = sqlite3.connect(index)
    assert late[1] in [p.rpartition("/")[2] for (p,) in db.execute("SELECT hdfs_path FROM repo_snapshots")]
    assert drain(index, mock.config).events == 0


def test_snapshots_that_the_archive_lost_stop_it_unless_that_is_accepted(told, past, index, monkeypatch):
    drain(index, told.config)
    before = everything(index)
    here = past.here()
    gone = here.listed.pop()
    has = here.has
    monkeypatch.setattr(here, "has", lambda repo, dirname: (repo, dirname) != gone and has(repo, dirname))
    with pytest.raises(ArchiveError, match="lacks 1 snapshots"):
        rebuild(index, here)
    assert everything(index) == before
    assert generations(index) == ["pivo.db"]
    result = rebuild(index, here, accept_losses=True)
    assert result.missing == ["/".join(gone)]


def test_a_second_rebuild_is_refused_and_a_killed_one_swept_away(told, past, index):
    drain(index, told.config)
    with module._only_one(index), pytest.raises(Unavailable, match="being rebuilt"):
        rebuild(index, past.here())
    left = index.with_name("pivo-0123456789ab.db")
    for name in (left, left.with_name(left.name + "-journal")):
        name.write_bytes(b"half")
    other = index.with_name("pivo-mine.db")
    other.write_bytes(b"somebody's own")
    rebuild(index, past.here())
    assert not left.exists() and not left.with_name(left.name + "-journal").exists()
    assert other.exists()


def test_a_failure_leaves_the_old_one_and_nothing_else(told, past, index, monkeypatch):
    drain(index, told.config)
    before, files = everything(index), sorted(index.parent.iterdir())
    monkeypatch.setattr(module, "_keep", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        rebuild(index, past.here())
    assert everything(index) == before
    assert [f for f in sorted(index.parent.iterdir()) if not f.name.endswith("reindex-lock")] == files
    monkeypatch.undo()
    with writing(index):
        pass


def test_nothing_is_left_in_the_scratch_folder(told, past, index):
    shutil.rmtree(past.folder / "reindex", ignore_errors=True)
    rebuild(index, past.here())
    assert list((past.folder / "reindex").iterdir()) == []


def test_after_a_retention_run_it_is_what_it_was_and_all_that_was_lost_is_still_there(past, index, tmp_path):
    vault = Vault(tmp_path / "kept")
    shutil.copytree(past.folder / "archive" / "PIVO", vault.folder / "archive" / "PIVO")
    vault.events.sent += [one for one in past.log.sent if one.manifest.repo == "PIVO"]
    places = {"scratch": tmp_path / "scratch", "environment": ENVIRONMENT}
    rebuild(index, Here(vault.archive, **places))
    with IndexReader(index) as reader:
        lost = ledger(reader, "PIVO")
    assert len(lost) > 1
    done = retain(vault.store, vault.events, "PIVO", days=0, who="kim", told=lambda *_: None, **places)
    assert done and len(done.packs) > 5
    announced = vault.events.sent[-1]
    with writing(index) as db:
        Indexer(db).apply(snapshot_events(announced.manifest, announced.updates, announced.path))

    fresh = tmp_path / "fresh" / "pivo.db"
    archive = Archive(vault.store)
    result = rebuild(fresh, Here(archive, **places))
    assert (result.snapshots, result.refused) == (len(vault.events.sent), 0)
    assert everything(fresh) == everything(index)
    assert shown(fresh) == shown(index)
    with IndexReader(fresh) as reader:
        assert ledger(reader, "PIVO") == lost
    with archive.objects(archive.require("PIVO")) as objects:
        for commit in lost:
            assert archive.resolve("PIVO", commit.hash).commit == commit.hash
            assert objects.entry(commit.hash, "file0").oid


def test_who_made_the_index_anew_is_on_record(mock, index, tmp_path, monkeypatch):
    """By the command, done or not; with Kafka away the record waits on disk, and the index is made all the same."""
    vault = Vault(tmp_path / "vault")
    vault.ingest(gitmake.linear(tmp_path / "source.git", 3), "PIVO")
    monkeypatch.setenv("PIVO_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PIVO_ARCHIVE", (vault.folder / "archive").as_uri())
    monkeypatch.setenv("PIVO_INDEX", str(index))
    monkeypatch.setenv("PIVO_KAFKA", mock.config["bootstrap.servers"])
    monkeypatch.setenv("PIVO_USER", "kim")
    assert CliRunner().invoke(app, ["reindex", "--on", "here"], catch_exceptions=False).exit_code == 0
    with writing(index) as db:
        db.execute("UPDATE repo_snapshots SET hdfs_path = '/backups/PIVO/000009-0123456789ab'")
    assert isinstance(CliRunner().invoke(app, ["reindex", "--on", "here"]).exception, ArchiveError)
    monkeypatch.setenv("PIVO_KAFKA", "127.0.0.1:1")
    away = CliRunner().invoke(app, ["reindex", "--on", "here", "--accept-losses"], catch_exceptions=False)
    assert away.exit_code == 0
    monkeypatch.setenv("PIVO_KAFKA", mock.config["bootstrap.servers"])
    assert send_waiting(Settings.load()) == 1
    drain(index, mock.config)
    with IndexReader(index) as reader:
        rows = reader.query("SELECT who, outcome, parameters FROM v_audit WHERE action = 'reindex' ORDER BY at").rows
    facts = [json.loads(parameters) for *_, parameters in rows]
    assert [row[:2] for row in rows] == [("kim", "done"), ("kim", "failed"), ("kim", "done")]
    assert [f["accept_losses"] for f in facts] == [False, False, True]
    assert facts[0]["commits"] == facts[2]["commits"] == 3 and facts[1]["error"] == "ArchiveError"
