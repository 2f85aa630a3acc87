"""A drainer that is killed at a hundred moments leaves the index of one that never was."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time

from index_kit import history, shown
from pivo.events import dump
from pivo.index.writer import drain

KILLS = 100
# One process imports everything and forks a drainer whenever it is told to: a start takes moments.
FORKS = r"""
import os, sys
from pathlib import Path
from pivo.index import kafka, writer
kafka.Source._topic_ids = lambda self: {}
kafka._CHUNK, writer.BATCH = 10, 10
# one write a line: print makes several where Python does not buffer, and a blow or another process comes between
say = lambda text: os.write(1, f"{text}\n".encode())
for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        writer.drain(Path(line.strip()), {"bootstrap.servers": sys.argv[1]}, progress=lambda *_: say("."))
        os._exit(0)
    say(f"pid {pid}")
    say(f"ended {os.waitpid(pid, 0)[1]}")
"""


def offsets(index):
    try:
        with sqlite3.connect(f"file:{index}?mode=ro", uri=True) as db:
            return db.execute("SELECT sum(next_offset) FROM kafka_offsets").fetchone()[0]
    except sqlite3.OperationalError:
        return None


def test_a_hundred_kills_leave_the_index_of_an_undisturbed_drain(mock, tmp_path):
    for n in range(8):
        for snap in history(f"acme/r{n}", n, 25):
            mock.send([dump(event) for event in snap.events()], key=snap.manifest.repo.encode())
    drain(tmp_path / "straight.db", mock.config)
    straight = shown(tmp_path / "straight.db")
    path = os.pathsep.join(p for p in sys.path if p)
    process = subprocess.Popen(
        [sys.executable, "-c", FORKS, mock.config["bootstrap.servers"]],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
    )
    assert process.stdin and process.stdout
    rng, kills, indices, seen = random.Random(7), 0, 0, set()
    index = tmp_path / "killed0.db"

    def told(word):
        """The number behind `word`, which comes after dots, one a batch."""
        return next(int(line.split()[1]) for line in process.stdout if line.startswith(word))

    try:
        while kills < KILLS:
            process.stdin.write(f"{index}\n")
            process.stdin.flush()
            pid = told("pid")
            status = None
            for _ in range(rng.randint(0, 4)):
                line = process.stdout.readline()
                if line.startswith("ended"):  # before the blow
                    status = int(line.split()[1])
                    break
            if status is None:
                time.sleep(rng.uniform(0, 0.01))
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                status = told("ended")
            if os.WIFSIGNALED(status):
                kills += 1
                seen.add((index, offsets(index)))
            else:  # the index is whole, and the next one begins
                assert status == 0
                assert shown(index) == straight
                indices += 1
                index = tmp_path / f"killed{indices}.db"
    finally:
        process.stdin.close()
        process.wait(30)
    drain(index, mock.config)
    assert shown(index) == straight
    assert len(seen) > 60, "the blows fell on too few different moments"
