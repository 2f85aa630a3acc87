"""git over ssh against a real sshd on loopback: a key, its passphrase, known hosts. Skipped where there is no sshd."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from archive_kit import Vault
from deploy_kit import free_port
from gitmake import Repo, linear
from pivo.errors import SourceError, TargetError
from pivo.gitaccess import GitAccess
from pivo.restore.target import remote_refs

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
PASSPHRASE = "a hidden-word 'with' $signs"

pytestmark = [
    pytest.mark.skipif(SSHD is None, reason="no sshd here (Debian: apt-get install openssh-server)"),
    pytest.mark.skipif(shutil.which("ssh") is None, reason="no ssh here (Debian: apt-get install openssh-client)"),
]


@dataclass(frozen=True)
class Server:
    """An sshd; `plain` reaches it with a key, `locked` with one that has a passphrase."""

    port: int
    host_key: str
    plain: GitAccess
    locked: GitAccess
    log: Path

    def url(self, repo: Repo) -> str:
        return f"ssh://{pwd.getpwuid(os.getuid()).pw_name}@127.0.0.1:{self.port}{repo.path}"


def key(path: Path, passphrase: str = "") -> str:
    """Makes a key pair; its public half."""
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "test", "-f", str(path)]
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL, timeout=30)
    return path.with_suffix(".pub").read_text()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("ssh")
    host = " ".join(key(folder / "host").split()[:2])
    (folder / "allowed").write_text(key(folder / "plain") + key(folder / "locked", PASSPHRASE))
    (folder / "passphrase").write_text(f"{PASSPHRASE}\n")
    (folder / "config").write_text(
        f"HostKey {folder / 'host'}\nAuthorizedKeysFile {folder / 'allowed'}\nPidFile {folder / 'pid'}\nUsePAM no\n"
        "PasswordAuthentication no\nStrictModes no\nPermitRootLogin yes\nAcceptEnv GIT_PROTOCOL\n"
    )
    port = free_port()
    known = folder / "known"
    known.write_text(f"[127.0.0.1]:{port} {host}\n")
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd's own empty folder, which its service makes
    words = [str(SSHD), "-D", "-e", "-f", str(folder / "config"), "-o", f"ListenAddress=127.0.0.1:{port}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    plain = GitAccess(ssh_key=folder / "plain", known_hosts=known, scratch=folder / "run")
    locked = replace(plain, ssh_key=folder / "locked", ssh_passphrase=folder / "passphrase")
    try:
        end = time.monotonic() + 20
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None and time.monotonic() < end, (folder / "log").read_text()
            time.sleep(0.05)
        yield Server(port, host, plain, locked, folder / "log")
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vault:
    monkeypatch.delenv("GIT_SSH_COMMAND", raising=False)
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return Vault(tmp_path / "vault")


@pytest.mark.parametrize("which", ["plain", "locked"])
def test_a_snapshot_and_a_target_over_ssh(server: Server, vault: Vault, tmp_path: Path, which: str) -> None:
    source, access = linear(tmp_path / "source.git", 3), getattr(server, which)
    url = server.url(source)
    report = vault.ingest(url, ssh=access.ssh_command())
    assert (report.commits, vault.latest().source) == (3, url)
    assert remote_refs(url, access.config(url)) == source.refs()
    assert PASSPHRASE not in access.ssh_command()


def test_a_host_that_is_not_known_is_not_talked_to(server: Server, vault: Vault, tmp_path: Path) -> None:
    source = linear(tmp_path / "source.git", 1)
    (tmp_path / "others").write_text(f"example.org {server.host_key}\n")
    access, url = replace(server.plain, known_hosts=tmp_path / "others"), server.url(source)
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
        vault.ingest(server.url(source), ssh=replace(server.plain, known_hosts=tmp_path / "known").ssh_command())


def test_a_key_that_is_not_let_in_is_said(server: Server, vault: Vault, tmp_path: Path) -> None:
    source = linear(tmp_path / "source.git", 1)
    key(tmp_path / "stranger")
    (tmp_path / "wrong").write_text("not this one\n")
    for access in (
        replace(server.plain, ssh_key=tmp_path / "stranger"),
        replace(server.locked, ssh_passphrase=tmp_path / "wrong"),
    ):
        with pytest.raises(SourceError, match="Permission denied") as refused:
            vault.ingest(server.url(source), ssh=access.ssh_command())
        assert "secrets/ssh-key" in refused.value.do
