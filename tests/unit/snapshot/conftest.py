"""One difficult repository for the session, and an archive of its own for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

import gitmake
from archive_kit import Vault
from gitmake import Repo


@pytest.fixture(scope="session")
def odd_source(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """Not to be changed; `odd` is a copy."""
    return gitmake.odd(tmp_path_factory.mktemp("odd") / "odd.git")


@pytest.fixture
def odd(odd_source: Repo, tmp_path: Path) -> Repo:
    return odd_source.copy(tmp_path / "odd.git")


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "vault")


@pytest.fixture(scope="session")
def kept(odd_source: Repo, tmp_path_factory: pytest.TempPathFactory) -> Vault:
    """An archive that holds one snapshot of `odd_source`; not to be changed."""
    vault = Vault(tmp_path_factory.mktemp("kept"))
    vault.ingest(odd_source)
    return vault
