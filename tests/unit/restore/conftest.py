"""An archive in a folder, a real forge on loopback, and settings for both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pivo.settings import ForgeAccess, Settings
from pivo.stack.localforge import Account, Forge, ForgeServer
from pivo.store import LocalStore
from restore_kit import READ_ONLY, TOKEN, Git, difficult


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Git:
    """A repository with a merge, tags of all kinds, a signed commit, and a branch of its own; not to be changed."""
    return difficult(tmp_path_factory.mktemp("source") / "work")


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    root = tmp_path / "archive"
    root.mkdir()
    return LocalStore(root)


@pytest.fixture
def forge(tmp_path: Path) -> Iterator[ForgeServer]:
    """A real forge on loopback: `pivo` may write, `guest` may only read."""
    accounts = {TOKEN: Account("pivo"), READ_ONLY: Account("guest", write=False)}
    with ForgeServer(Forge(tmp_path / "forge", accounts)) as server:
        yield server


@pytest.fixture
def settings(tmp_path: Path, store: LocalStore, forge: ForgeServer) -> Settings:
    """Settings for the archive in a folder and the forge on loopback."""
    env = {"PIVO_HOME": str(tmp_path / "home"), "PIVO_ARCHIVE": store.url, "USER": "tester"} | {
        "PIVO_AIRFLOW_URL": "http://127.0.0.1:9"
    }
    return replace(Settings.load(env), forge=ForgeAccess(forge.api_url, TOKEN))


@pytest.fixture
def restored(settings: Settings, tmp_path: Path) -> Callable[..., Path]:
    """Does a whole restore without Spark; the path of the reconstructed repository."""
    from pivo.restore.download import download
    from pivo.restore.plan import validate
    from pivo.restore.push import push
    from pivo.restore.reconstruct import reconstruct

    def run(repo: str, ref: str, target: str) -> Path:
        plan = validate(settings, repo=repo, ref=ref, target=target, run_id="r1")
        staging = tmp_path / "staging" / repo
        download(plan, staging / "packs", settings.archive, "reader")
        made = reconstruct(plan, staging)
        push(plan, made.path, settings)
        return made.path

    return run
