"""A real forge on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pivo.stack.localforge import Account, Forge, ForgeServer
from restore_kit import READ_ONLY, TOKEN


@pytest.fixture
def forge(tmp_path: Path) -> Iterator[ForgeServer]:
    """`pivo` may write, `guest` may only read; the organisations acme and void exist; private means hidden."""
    accounts = {TOKEN: Account("pivo"), READ_ONLY: Account("guest", write=False)}
    state = Forge(tmp_path / "forge", accounts, orgs=frozenset({"acme", "void"}), anonymous_read=False)
    with ForgeServer(state) as server:
        yield server
