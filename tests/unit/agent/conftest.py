"""The agent's worlds, built once a session, and what makes an agent of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent_kit import Kit
from agent_world import World, several, single


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = several(tmp_path_factory.mktemp("several") / "w")
    yield made
    made.close()


@pytest.fixture(scope="session")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = single(tmp_path_factory.mktemp("single") / "w")
    yield made
    made.close()


@pytest.fixture
def kit(world: World, tmp_path: Path) -> Iterator[Kit]:
    made = Kit(world, tmp_path)
    yield made
    made.resources.close()


@pytest.fixture
def lone(alone: World, tmp_path: Path) -> Iterator[Kit]:
    made = Kit(alone, tmp_path)
    yield made
    made.resources.close()


@pytest.fixture
def kits(world: World, tmp_path: Path) -> Iterator[Callable[[str], Kit]]:
    """Kits of several people on one home folder."""
    made: list[Kit] = []

    def make(who: str) -> Kit:
        made.append(Kit(world, tmp_path, who))
        return made[-1]

    yield make
    for kit in made:
        kit.resources.close()
