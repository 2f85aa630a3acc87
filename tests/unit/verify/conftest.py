"""A small archive with all that can happen to a repository, made once; each test spoils a copy of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from archive_kit import Vault
from gitmake import linear
from verify_kit import REPO, Copy


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    """Five snapshots: growth, a tag and a branch, refs alone, a force-push and deleted branches, growth again."""
    folder = tmp_path_factory.mktemp("verify")
    vault, source = Vault(folder / "vault"), linear(folder / "source.git", 12)
    steps: list[Callable[[], object]] = [
        lambda: None,
        lambda: (source.commit("main", 20), source("tag", "-a", "v1", "-m", "one", "main"), source.commit("gone", 30)),
        lambda: source("branch", "side", "main~3"),
        lambda: (source.commit("main", 21, parents=["refs/heads/main~2"]), source("branch", "-D", "side", "gone")),
        lambda: source.commit("main", 22),
    ]
    for step in steps:
        step()
        vault.ingest(source, REPO)
    assert len(vault.archive.snapshots(REPO)) == 5
    return vault


@pytest.fixture
def copy(made: Vault, tmp_path: Path) -> Copy:
    return Copy(tmp_path, made)
