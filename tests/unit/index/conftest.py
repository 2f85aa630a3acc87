"""An empty index, and a broker without a JVM."""

from __future__ import annotations

import pytest

from index_kit import MockKafka
from pivo.index.kafka import Source
from pivo.index.writer import writing


@pytest.fixture
def index(tmp_path):
    return tmp_path / "index" / "pivo.db"


@pytest.fixture
def db(index):
    """An empty index, open for writing, in autocommit mode."""
    with writing(index) as connection:
        yield connection


@pytest.fixture
def mock(monkeypatch):
    """librdkafka's own broker. It has no ids of topics to tell, and takes 4 s to say so."""
    monkeypatch.setattr(Source, "_topic_ids", lambda self: {})
    return MockKafka()
