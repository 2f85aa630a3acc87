"""The index on a disk that is full: what is written and how far it was read stay in step."""

from __future__ import annotations

import sqlite3

import pytest

from index_kit import content, history, shown
from pivo.errors import Unavailable
from pivo.events import dump
from pivo.index import writer
from pivo.index.writer import drain

SNAPS = [snap for repo in ("PIVO", "acme/a", "acme/b") for snap in history(repo, 5)]


def send(mock, snaps):
    for snap in snaps:
        mock.send([dump(event) for event in snap.events()], key=snap.manifest.repo.encode())


def pages(index):
    with sqlite3.connect(index) as db:
        return db.execute("PRAGMA page_count").fetchone()[0]


def test_a_full_disk_is_said_and_the_next_drain_goes_on(mock, index, tmp_path, monkeypatch):
    """SQLite itself says that the disk is full, at different moments of the drain."""
    send(mock, SNAPS[:1])
    assert drain(index, mock.config).snapshots == 1
    before, size = shown(index), pages(index)
    send(mock, SNAPS[1:])
    monkeypatch.setattr(writer, "BATCH", 7)
    connect = writer.connect
    for room in (0, 1, 4):

        def tight(path, room=room):
            db = connect(path)
            db.execute(f"PRAGMA max_page_count = {size + room}")
            return db

        with monkeypatch.context() as patch:
            patch.setattr(writer, "connect", tight)
            with pytest.raises(Unavailable, match="cannot be written: database or disk is full") as full:
                drain(index, mock.config)
        assert "nothing is lost" in full.value.do
        with sqlite3.connect(index) as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert shown(index) != before or pages(index) == size
    drain(index, mock.config)
    whole = tmp_path / "whole.db"
    drain(whole, mock.config)
    with sqlite3.connect(index) as one, sqlite3.connect(whole) as other:
        assert content(one) == content(other)
    assert drain(index, mock.config).events == 0
