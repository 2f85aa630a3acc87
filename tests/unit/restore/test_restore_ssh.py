"""Restores that push over ssh to a real sshd on loopback: a key file, known hosts, and a host that is another one."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pivo.errors import PivoError, TargetError
from pivo.gitaccess import GitAccess
from pivo.restore.download import download
from pivo.restore.plan import RestorePlan, validate
from pivo.restore.push import Pushed, push
from pivo.restore.reconstruct import reconstruct
from pivo.settings import Settings
from pivo.store import LocalStore
from restore_kit import Git, publish
from ssh_kit import MISSING, PASSPHRASE, Server, key, sshd

pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with sshd(tmp_path_factory.mktemp("ssh")) as started:
        yield started


@pytest.fixture(autouse=True)
def nothing_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_SSH_COMMAND", "SSH_AUTH_SOCK"):
        monkeypatch.delenv(name, raising=False)


Restore = Callable[..., tuple[RestorePlan, Callable[[GitAccess], Pushed]]]


@pytest.fixture
def restore(settings: Settings, store: LocalStore, source: Git, tmp_path: Path) -> Restore:
    """Validates with one way in; the plan, and the push with the same or another one."""
    publish(store, "PIVO", source)

    def run(target: str, access: GitAccess) -> tuple[RestorePlan, Callable[[GitAccess], Pushed]]:
        own = replace(settings, git=access)
        plan = validate(own, repo="PIVO", ref="main", target=target, run_id="r1")
        staging = tmp_path / "staging"
        download(plan, staging / "packs", settings.archive, "reader")
        made = reconstruct(plan, staging)
        return plan, lambda way: push(plan, made.path, replace(settings, git=way))

    return run


def refs(path: Path) -> dict[str, str]:
    told = subprocess.run(["git", "-C", str(path), "show-ref"], capture_output=True, text=True, timeout=30)
    return {name: oid for oid, name in (line.split() for line in told.stdout.splitlines())}


@pytest.mark.parametrize("way", ["a path", "a passphrase", "a forge's"])
def test_a_repository_comes_back_over_ssh(
    server: Server, restore: Restore, source: Git, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    name = f"acme/{way.replace(' ', '-')}.git"
    there = server.empty(name)
    if way == "a forge's":
        if not server.usual:
            pytest.skip("git@host:owner/name.git names no port, and ssh's own cannot be had here")
        target, access = server.short(name), server.forge
    else:
        target, access = server.url(there), server.locked if "passphrase" in way else server.plain
    with caplog.at_level(logging.DEBUG):
        plan, send = restore(target, access)
        pushed = send(access)
        assert refs(there) == pushed.refs and pushed.refs["refs/heads/main"] == source("rev-parse", "main")
        assert len([r for r in pushed.refs if r.startswith("refs/tags/")]) >= 4
        assert send(access).refs == pushed.refs, "a second attempt finds what the first one did"
    assert "filled" in plan.creates and PASSPHRASE not in caplog.text
    with pytest.raises(TargetError, match="is not empty"):
        restore(target, access)


def test_a_host_key_that_changed_between_the_plan_and_the_push_stops_it(
    server: Server, restore: Restore, tmp_path: Path
) -> None:
    there = server.empty("changed.git")
    url = server.url(there)
    _, send = restore(url, server.plain)
    other = " ".join(key(tmp_path / "other").split()[:2])
    (tmp_path / "known").write_text(f"[127.0.0.1]:{server.port} {other}\n")
    with pytest.raises(TargetError) as refused:
        send(replace(server.plain, known_hosts=tmp_path / "known"))
    assert refused.value.what == (
        f"{url} has another host key than the one that is known: somebody may be in between. Nothing was sent."
    )
    assert f"Ask who runs [127.0.0.1]:{server.port}" in refused.value.do and "pivo_ssh" in refused.value.do
    assert refs(there) == {}


def test_who_is_not_known_or_not_let_in_gets_nothing_and_a_sentence(
    server: Server, restore: Restore, tmp_path: Path
) -> None:
    there = server.empty("closed.git")
    url = server.url(there)
    (tmp_path / "empty").write_text("# nobody\n")
    key(tmp_path / "stranger")
    stranger = replace(server.plain, ssh_key=tmp_path / "stranger")
    nowhere = replace(server.plain, known_hosts=tmp_path / "empty")
    for access, said, do in (
        (nowhere, "does not know the host key", f"ssh-keyscan -p {server.port} 127.0.0.1"),
        (stranger, "does not let us in", "credentials"),
    ):
        with pytest.raises(PivoError) as refused:
            restore(url, access)
        assert said in refused.value.what and do in refused.value.do and "\n" not in str(refused.value)
    assert refs(there) == {}
