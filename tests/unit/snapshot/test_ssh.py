"""git over ssh against a real sshd on loopback: a key, its passphrase, known hosts. Skipped where there is no sshd."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from archive_kit import Vault
from gitmake import linear
from pivo.errors import SourceError, TargetError
from pivo.restore.target import remote_refs
from ssh_kit import MISSING, PASSPHRASE, Server, key, sshd

pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with sshd(tmp_path_factory.mktemp("ssh")) as started:
        yield started


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vault:
    monkeypatch.delenv("GIT_SSH_COMMAND", raising=False)
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return Vault(tmp_path / "vault")


@pytest.mark.parametrize("which", ["plain", "locked"])
def test_a_snapshot_and_a_target_over_ssh(server: Server, vault: Vault, tmp_path: Path, which: str) -> None:
    source, access = linear(tmp_path / "source.git", 3), getattr(server, which)
    url = server.url(source.path)
    report = vault.ingest(url, ssh=access.ssh_command())
    assert (report.commits, vault.latest().source) == (3, url)
    assert remote_refs(url, access.config(url)) == source.refs()
    assert PASSPHRASE not in access.ssh_command()


def test_a_host_that_is_not_known_is_not_talked_to(server: Server, vault: Vault, tmp_path: Path) -> None:
    source = linear(tmp_path / "source.git", 1)
    (tmp_path / "others").write_text(f"example.org {server.host_key}\n")
    access, url = replace(server.plain, known_hosts=tmp_path / "others"), server.url(source.path)
    with pytest.raises(SourceError, match="does not know the host key") as refused:
        vault.ingest(url, ssh=access.ssh_command())
    assert f"ssh-keyscan -p {server.port} 127.0.0.1" in refused.value.do
    with pytest.raises(TargetError, match="does not know the host key"):
        remote_refs(url, access.config(url))


def test_a_host_key_that_changed_is_told_as_that(server: Server, vault: Vault, tmp_path: Path) -> None:
    source = linear(tmp_path / "source.git", 1)
    other = " ".join(key(tmp_path / "other").split()[:2])
    (tmp_path / "known").write_text(f"[127.0.0.1]:{server.port} {other}\n")
    with pytest.raises(SourceError, match="another host key"):
        vault.ingest(server.url(source.path), ssh=replace(server.plain, known_hosts=tmp_path / "known").ssh_command())


def test_a_key_that_is_not_let_in_is_said(server: Server, vault: Vault, tmp_path: Path) -> None:
    source = linear(tmp_path / "source.git", 1)
    key(tmp_path / "stranger")
    (tmp_path / "wrong").write_text("not this one\n")
    for access in (
        replace(server.plain, ssh_key=tmp_path / "stranger"),
        replace(server.locked, ssh_passphrase=tmp_path / "wrong"),
    ):
        with pytest.raises(SourceError, match="Permission denied") as refused:
            vault.ingest(server.url(source.path), ssh=access.ssh_command())
        assert "secrets/ssh-key" in refused.value.do
