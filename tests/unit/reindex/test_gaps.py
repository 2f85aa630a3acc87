"""What Kafka deleted before the index read it comes from the archive, once."""

from __future__ import annotations

import sqlite3

import pytest

from archive_kit import ENVIRONMENT
from index_kit import MockKafka, shown
from pivo.index.writer import drain
from pivo.reindex import gaps
from pivo.reindex.gaps import Filled, fill

GAPS = "SELECT count(*), count(filled_at) FROM kafka_gaps WHERE topic = 'pivo-commit-events'"


def filled(index, past):
    return fill(index, lambda: past.vault.archive, past.folder / "gaps", ENVIRONMENT)


def all_but_problems(index):
    found = shown(index)
    return {name: rows for name, rows in found.items() if name != "v_index_problems"}


@pytest.fixture
def straight(past, tmp_path, mock):
    for values in past.announced():
        mock.send(values)
    drain(tmp_path / "straight.db", mock.config)
    return all_but_problems(tmp_path / "straight.db")


def gap(past, index, read, lost):
    """An index that has read `read` messages, and finds that Kafka has lost `lost` of those that followed."""
    values = [v for some in past.announced() for v in some]
    before, after = MockKafka(), MockKafka()
    before.send(values[:read])
    drain(index, before.config)
    after.send(values[read + lost :])
    report = drain(index, after.config)
    assert report.gaps
    return after


@pytest.mark.parametrize("read, lost", [(0, 11), (5, 1), (9, 20), (13, 40), (30, 22), (48, 3)])
def test_the_gap_is_filled_whole_and_once(past, index, straight, read, lost):
    if read == 0:  # an index that never read anything notices nothing but that it is late
        after = MockKafka()
        after.send([v for some in past.announced() for v in some][lost:])
        drain(index, after.config)
        with sqlite3.connect(index) as db:
            db.execute("INSERT INTO kafka_gaps VALUES ('pivo-commit-events', 0, 0, ?, 'deleted', '', NULL)", (lost,))
    else:
        after = gap(past, index, read, lost)
    assert all_but_problems(index) != straight
    assert filled(index, past).gaps >= 1
    assert all_but_problems(index) == straight
    made, closed = sqlite3.connect(index).execute(GAPS).fetchone()
    assert made == closed > 0
    assert filled(index, past) == Filled()
    assert drain(index, after.config).events == 0


def test_stopped_in_between_the_next_time_goes_on(past, index, straight, monkeypatch):
    gap(past, index, 9, 80)
    derive, calls = gaps.values, []

    def fails(*args):
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return derive(*args)

    monkeypatch.setattr(gaps, "values", fails)
    with pytest.raises(KeyboardInterrupt):
        filled(index, past)
    monkeypatch.undo()
    assert sqlite3.connect(index).execute(GAPS).fetchone()[1] == 0
    filled(index, past)
    assert all_but_problems(index) == straight


def test_without_a_gap_the_archive_is_not_even_opened(mock, past, index):
    def never():
        raise AssertionError

    assert fill(index, never, past.folder, {}) == Filled()
    mock.send(past.announced()[0])
    drain(index, mock.config)
    assert fill(index, never, past.folder, {}) == Filled()
