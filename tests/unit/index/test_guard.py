"""The reader lets questions through; what it does not is in test_hostile.py."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from index_kit import Snap, beside_a_secret, manifest, sha
from pivo.errors import NotFound
from pivo.index import worker
from pivo.index.apply import Indexer
from pivo.index.reader import IndexReader, QueryRefused, QueryTimeout
from pivo.index.schema import TABLES, VIEWS, describe
from pivo.index.writer import writing


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    return beside_a_secret(tmp_path_factory.mktemp("index"), 12)


@pytest.fixture(scope="module")
def reader(filled):
    with IndexReader(filled) as opened:
        yield opened


CROSS_JOIN = "SELECT count(*) FROM v_changes a, v_changes b, v_changes c, v_changes d WHERE a.blob || b.blob > c.blob"
QUESTIONS = {
    "who committed last": "SELECT author_name FROM v_commits WHERE repo_name = 'PIVO'"
    " ORDER BY commit_time DESC LIMIT 1",
    "a short hash": "SELECT hash FROM v_commits WHERE hash >= '{hash}' AND hash < '{hash}g'",
    "a table as it stands": "SELECT commit_hash, repo_name, files, size, hdfs_path FROM repo_snapshots",
    "words": "SELECT hash FROM v_search WHERE text MATCH 'reasons' LIMIT 3",
    "part of a path": "SELECT path FROM v_search_paths WHERE text MATCH 'file1'",
    "a common table expression": "WITH x AS (SELECT repo_name r, count(*) n FROM v_commits GROUP BY 1)"
    " SELECT a.n FROM x a, x b",
    "a window": "SELECT hash, row_number() OVER (PARTITION BY repo_name ORDER BY commit_time DESC) FROM v_commits",
    "dates": "SELECT count(*) FROM v_commits WHERE commit_time > datetime('2026-01-01', '-1 month')",
    "hours": "SELECT strftime('%H', commit_time) h, count(*) FROM v_commits GROUP BY h ORDER BY 2 DESC",
    "a subquery": "SELECT repo_name FROM v_repos r"
    " WHERE EXISTS (SELECT 1 FROM v_snapshots s WHERE s.repo_name = r.repo_name)",
    "a union": "SELECT repo_name FROM v_repos UNION SELECT repo_name FROM v_snapshots",
    "json": "SELECT parameters ->> '$.repo' FROM v_audit",
    "a join of search": "SELECT c.subject FROM v_search s JOIN v_commits c ON c.hash = s.hash WHERE s.text MATCH 'do'",
    "count": "SELECT count(*) FROM v_changes",
    "values": "VALUES (1, 'x')",
    "in lower case with a comment": "select /* hello */ count(*) from v_refs where current = 1 -- bye",
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_is_answered(reader, name):
    last = reader.query("SELECT hash FROM v_commits LIMIT 1").rows[0][0]
    assert reader.query(QUESTIONS[name].replace("{hash}", last[:9])).rows


@pytest.mark.parametrize("view", VIEWS, ids=lambda v: v.name)
def test_every_view_can_be_read_and_is_described(reader, view):
    result = reader.query(f"SELECT * FROM {view.name} LIMIT 1")
    assert result.columns == tuple(c.name for c in view.columns)
    assert view.about in describe() and all(c.about for c in view.columns)


def test_every_table_is_described_as_it_is(filled):
    db = sqlite3.connect(filled)
    names = [
        name
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        if "_fts_" not in name
    ]
    found = {name: [row[1] for row in db.execute(f"PRAGMA table_info({name})")] for name in names}
    assert found == {name: list(columns) for name, (_, columns) in TABLES.items()}


POINTS = [
    (
        "SELECT author_name FROM v_commits WHERE repo_name = 'PIVO' ORDER BY commit_time DESC LIMIT 1",
        "commits_repo_time",
    ),
    ("SELECT author_name FROM v_commits ORDER BY commit_time DESC LIMIT 1", "commits_time"),
    ("SELECT hash FROM v_commits WHERE hash >= 'abc' AND hash < 'abd'", "commits_hash"),
    ("SELECT subject FROM v_commits WHERE author_email = 'x' AND commit_time > '2026'", "commits_address_time"),
    ("SELECT hash FROM v_commits WHERE lost = 1 AND repo_name = 'PIVO'", "commits_lost"),
    (
        "SELECT commit_hash FROM v_changes WHERE repo_name = 'PIVO' AND path = 'x' ORDER BY commit_time DESC LIMIT 2",
        "commit_files_path_time",
    ),
    ("SELECT path FROM v_changes WHERE commit_hash = 'abc'", "commits_hash"),
    ("SELECT hdfs_path FROM v_snapshots WHERE repo_name = 'PIVO' ORDER BY seq DESC LIMIT 1", "repo_snapshots"),
    ("SELECT hash FROM v_search WHERE text MATCH 'x' LIMIT 5", "VIRTUAL TABLE"),
]


@pytest.mark.parametrize("sql, index", POINTS, ids=lambda x: x[:60])
def test_a_point_question_walks_an_index_in_order(filled, sql, index):
    plan = [row[3] for row in sqlite3.connect(filled).execute(f"EXPLAIN QUERY PLAN {sql}")]
    assert any(index in step for step in plan), plan
    assert not any(step.startswith("SCAN") and index not in step for step in plan), plan
    if "ORDER BY" in sql:
        assert not any("TEMP B-TREE" in step for step in plan), plan


def test_rows_and_cells_have_limits(reader):
    result = reader.query("SELECT hash FROM v_commits", limit=3)
    assert (len(result.rows), result.truncated) == (3, True)
    assert not reader.query("SELECT 1", limit=1).truncated
    (row,) = reader.query("SELECT replace(message, 'a', 'bb') FROM v_commits WHERE repo_name = 'long'").rows
    assert len(row[0]) < worker.CELL + 50 and row[0].endswith("more)")
    many = reader.query("SELECT a.message FROM v_commits a, v_commits b WHERE a.repo_name = 'long'", limit=100_000)
    assert many.truncated or len(many.rows) < 100


def test_parameters_by_position_and_by_name(reader):
    assert reader.query("SELECT ?1 + ?2", [1, 2]).rows == [(3,)]
    assert reader.query("SELECT :a || :b", {"a": "x", "b": "y"}).rows == [("xy",)]
    assert reader.query("SELECT ?", ["'; DROP TABLE commits; --"]).rows == [("'; DROP TABLE commits; --",)]
    with pytest.raises(QueryRefused):
        reader.query("SELECT ?, ?", [1])


def test_values_of_every_kind_come_back(reader):
    row = reader.query("SELECT 1, 2.5, 'ä€', NULL, x'00ff', 9e999, -1").rows[0]
    assert row == (1, 2.5, "ä€", None, "00ff", "inf", -1)


def test_no_index_yet_says_what_to_do(tmp_path):
    with IndexReader(tmp_path / "pivo.db") as reader, pytest.raises(NotFound, match="pivo index"):
        reader.query("SELECT 1")


def test_an_index_that_is_made_or_replaced_is_seen(tmp_path):
    path = tmp_path / "pivo.db"
    with IndexReader(path) as reader:
        for name in ("one", "two"):
            with writing(tmp_path / f"{name}.db") as db:
                Indexer(db).apply(Snap(manifest(name, 1, {}), (), ()).events())
            source = sqlite3.connect(tmp_path / f"{name}.db")
            source.execute(f"VACUUM INTO '{tmp_path}/new.db'")
            (tmp_path / "new.db").rename(path)
            assert reader.query("SELECT repo_name FROM v_repos").rows == [(name,)]


def test_it_is_shared_by_threads(reader):
    def ask(n):
        return reader.query("SELECT ?1, count(*) FROM v_commits", [n]).rows[0][0]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(200))) == list(range(200))


def test_a_worker_that_was_killed_is_replaced(filled):
    with IndexReader(filled) as reader:
        reader.query("SELECT 1")
        os.kill(reader._idle[0]._process.pid, signal.SIGKILL)
        assert reader.query("SELECT 1").rows == [(1,)]


def test_no_worker_stays_behind(filled):
    reader = IndexReader(filled)
    reader.query("SELECT 1")
    process = reader._idle[0]._process
    reader.close()
    assert process.poll() is not None


def test_a_question_is_quick(reader):
    reader.query("SELECT 1")
    times = []
    for _ in range(50):
        began = time.perf_counter()
        reader.query(QUESTIONS["who committed last"])
        times.append(time.perf_counter() - began)
    assert sorted(times)[25] < 0.005


def test_reading_and_writing_do_not_wait_for_each_other(filled, reader):
    def run_into_the_deadline():
        with pytest.raises(QueryTimeout):
            reader.query(CROSS_JOIN, timeout=0.5)

    with writing(filled) as db:
        db.execute("BEGIN IMMEDIATE")
        db.execute("INSERT INTO repos (name) VALUES ('unseen')")
        began = time.monotonic()
        assert reader.query("SELECT 1 FROM v_repos WHERE repo_name = 'unseen'").rows == []
        assert time.monotonic() - began < 1
        db.execute("ROLLBACK")
        slow = threading.Thread(target=run_into_the_deadline)
        slow.start()
        db.execute("INSERT INTO repos (name) VALUES ('written')")
        db.execute("DELETE FROM repos WHERE name = 'written'")
        assert slow.is_alive()
        slow.join()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to become another user")
def test_a_reader_that_may_not_write_to_the_folder_reads(filled, reader):
    reader.query("SELECT 1")  # it has the file open: other tools, which were the last, have taken -wal and -shm away
    for folder in (filled.parent, *filled.parent.parents):
        if folder.stat().st_uid == os.geteuid() and folder.name.startswith(("pytest", "index", "popen-")):
            folder.chmod(0o755)
    code = (
        "import os, sqlite3, sys; os.setgroups([]); os.setgid(65534); os.setuid(65534);"
        "db = sqlite3.connect(f'file:{sys.argv[1]}?mode=ro', uri=True);"
        "print(db.execute('SELECT count(*) FROM v_repos').fetchone()[0])"
    )
    told = subprocess.run([sys.executable, "-c", code, filled], capture_output=True, text=True, timeout=30, check=True)
    assert told.stdout == "3\n"


def test_the_reader_never_imports_the_writer():
    code = "import pivo.index.reader, sys; print({'pivo.index.writer', 'confluent_kafka'} & sys.modules.keys())"
    paths = ":".join(sys.path)
    run = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": paths}, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "set()"


def test_a_hash_that_is_asked_for_is_found(reader):
    assert reader.query("SELECT repo_name FROM v_commits WHERE hash = ?", [sha("l")]).rows == [("long",)]
