"""A night with nothing new costs little: what is made, what is asked, and what is noticed all the same."""

from __future__ import annotations

from typing import Any

import pytest

from archive_kit import Vault
from gitmake import Repo, put
from pivo import ingest as ingesting
from pivo import source


class Counted:
    """Notes what the store is asked for."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        what = getattr(self._store, name)
        if not callable(what):
            return what

        def call(*args: Any, **options: Any) -> Any:
            self.asked.append(name)
            return what(*args, **options)

        return call


def test_nothing_is_made_and_the_archive_is_listed_once(
    vault: Vault, odd: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault.ingest(odd)
    assert vault.ingest(odd).outcome == "unchanged"  # this process has read the manifest now
    vault.store = Counted(vault.store)

    def no_workspace(*_: Any) -> None:
        raise AssertionError("a workspace was made")

    monkeypatch.setattr(ingesting, "Workspace", no_workspace)
    monkeypatch.setattr(source, "_check_local", no_workspace)  # of no use when nothing is fetched
    assert vault.ingest(odd).outcome == "unchanged"
    assert vault.store.asked == ["list"]


def test_a_ref_that_moves_onto_archived_history_is_news_though_nothing_is_sent(vault: Vault, odd: Repo) -> None:
    vault.ingest(odd)
    odd("update-ref", "refs/heads/second", odd("rev-parse", "main~1").strip())
    report = vault.ingest(odd)
    assert report.outcome == "published" and report.objects == 0
    assert vault.ingest(odd).outcome == "unchanged"
    odd.commit("main", 99, put("new.txt", b"new\n"))
    assert vault.ingest(odd).commits == 1
