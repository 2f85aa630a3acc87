"""Readers and the writer side by side: who may write nothing can read, and nobody waits for the other."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from index_kit import history
from pivo.index import worker
from pivo.index.apply import Indexer
from pivo.index.reader import IndexReader
from pivo.index.schema import READABLE_TABLES
from pivo.index.writer import writing

COUNT = "SELECT count(*) FROM v_snapshots"
SEARCH = "SELECT count(*) > 0 FROM v_search WHERE text MATCH 'reasons'"


@pytest.fixture
def shared():
    """A folder that everybody may look into and its owner alone may write to."""
    folder = Path(tempfile.mkdtemp(prefix="pivo-readers-"))
    folder.chmod(0o755)
    yield folder / "pivo.db"
    shutil.rmtree(folder)


def write(index, snaps):
    with writing(index) as db:
        for snap in snaps:
            Indexer(db).apply(snap.events())


# It imports as who may read the interpreter, and asks as who may read the index alone. Not forked from here: what
# other threads hold at that moment would be held in it for ever.
NOBODYS = """
import json, os, sys
from pivo.index import worker
os.setgroups([]), os.setgid(65534), os.setuid(65534)
session = worker.Session(json.loads(sys.argv[1]))
while (request := worker.receive(sys.stdin.buffer)) is not None:
    worker.send(sys.stdout.buffer, session.answer(request))
"""


class Nobody:
    """A process of a user who may write nowhere; it asks what it is told to."""

    def __init__(self, index: Path) -> None:
        config = {"path": str(index), "tables": sorted(READABLE_TABLES), "open_tables": ["repo_snapshots"]}
        self._process = subprocess.Popen(
            [sys.executable, "-c", NOBODYS, json.dumps(config)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )
        assert self._process.stdin and self._process.stdout
        self._asked, self._answers = self._process.stdin, self._process.stdout

    def ask(self, sql):
        worker.send(self._asked, {"sql": sql, "params": [], "limit": 5, "timeout": 5.0})
        reply = worker.receive(self._answers)
        return reply.get("rows") or reply

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._asked.close()
        self._process.wait(20)
        self._answers.close()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
@pytest.mark.parametrize("last", ["the writer", "another tool"])
def test_a_reader_that_may_not_write_to_the_folder_reads_what_is_written(shared, last):
    snaps = history("PIVO", 1, 4)
    write(shared, snaps[:1])
    with Nobody(shared) as nobody:
        for done in (1, 2, 3):
            if last == "another tool":  # which removes -wal and -shm when it closes the file
                other = sqlite3.connect(shared)
                other.execute("SELECT count(*) FROM repos").fetchone()
                other.close()
                left = [p.name for p in shared.parent.iterdir() if p.name.endswith(("-wal", "-shm"))]
                assert left == [] or done > 1  # as long as nobody has it open it is not the last
            assert nobody.ask(COUNT) == [[done]]
            assert nobody.ask(SEARCH) == [[1]]
            with writing(shared) as db:  # also while it is open for writing
                Indexer(db).apply(snaps[done].events())
                assert nobody.ask(COUNT) == [[done + 1]]


def test_a_long_answer_holds_no_writer_up_and_a_writer_no_answer(index):
    snaps = history("PIVO", 2, 30)
    write(index, snaps[:5])
    db = sqlite3.connect(f"file:{index}?mode=ro", uri=True)
    reading = db.execute("SELECT a.hash FROM v_commits a, v_changes b, v_commits c, v_changes d")
    assert reading.fetchone()
    seen = db.execute(COUNT).fetchone()
    began = time.monotonic()
    write(index, snaps[5:])
    assert time.monotonic() - began < 20
    assert db.execute(COUNT).fetchone() == seen  # one statement is open: it is one moment
    reading.close()
    assert db.execute(COUNT).fetchone() == (30,)
    asked, stop = [], threading.Event()
    with IndexReader(index) as reader:

        def ask():
            while not stop.is_set():
                asked.append(reader.query(COUNT, timeout=20.0).rows[0][0])

        thread = threading.Thread(target=ask)
        thread.start()
        try:
            with writing(index) as writer:
                writer.execute("BEGIN IMMEDIATE")
                Indexer(writer).apply(e for snap in history("other", 3, 30) for e in snap.events())
                before = len(asked)
                while len(asked) < before + 3:
                    assert thread.is_alive(), "a question failed"
                    time.sleep(0.01)
                writer.execute("COMMIT")
        finally:
            stop.set()
            thread.join(30)
    assert set(asked) <= {30, 60}
    assert 30 in asked
