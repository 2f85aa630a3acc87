"""A real sshd on loopback: keys with and without a passphrase, known hosts, and repositories named as on a forge."""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from deploy_kit import free_port
from pivo.gitaccess import GitAccess

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
MISSING = next((f"no {what} here (Debian: apt-get install {package})" for what, package in (
    ("sshd", "openssh-server"), ("ssh", "openssh-client")
) if (SSHD if what == "sshd" else shutil.which(what)) is None), "")  # fmt: skip
PASSPHRASE = "a hidden-word 'with' $signs"
USER = pwd.getpwuid(os.getuid()).pw_name


@dataclass(frozen=True)
class Server:
    """An sshd; `plain` reaches it with a key, `locked` with one that has a passphrase, and `forge` with a key for which
    paths begin at the folder `repositories`, as on a forge's host."""

    folder: Path
    port: int
    usual: str
    host_key: str
    plain: GitAccess
    locked: GitAccess
    forge: GitAccess

    def url(self, path: Path) -> str:
        """Of a folder on this machine, for `plain` and `locked`."""
        return f"ssh://{USER}@127.0.0.1:{self.port}{path}"

    def short(self, name: str) -> str:
        """`git@host:owner/name.git`, for `forge`: only where sshd could have ssh's own port."""
        return f"{USER}@{self.usual}:{name}"

    @property
    def repositories(self) -> Path:
        return self.folder / "repositories"

    def empty(self, name: str) -> Path:
        """A repository without commits, below `repositories`."""
        path = self.repositories / name
        subprocess.run(["git", "init", "--quiet", "--bare", str(path)], check=True, timeout=30)
        return path


def key(path: Path, passphrase: str = "") -> str:
    """Makes a key pair; its public half."""
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "test", "-f", str(path)]
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL, timeout=30)
    return path.with_suffix(".pub").read_text()


@contextmanager
def sshd(folder: Path) -> Iterator[Server]:
    """Starts one; its `usual` is an address of loopback where it has port 22 too, "" where that is not allowed."""
    host = " ".join(key(folder / "host").split()[:2])
    (folder / "repositories").mkdir()
    begin = f'cd {shlex.quote(str(folder / "repositories"))} && exec git shell -c \\"$SSH_ORIGINAL_COMMAND\\"'
    allowed = key(folder / "plain") + key(folder / "locked", PASSPHRASE)
    (folder / "allowed").write_text(f'{allowed}command="{begin}" {key(folder / "forge")}')
    (folder / "passphrase").write_text(f"{PASSPHRASE}\n")
    (folder / "config").write_text(
        f"HostKey {folder / 'host'}\nAuthorizedKeysFile {folder / 'allowed'}\nPidFile {folder / 'pid'}\nUsePAM no\n"
        "PasswordAuthentication no\nStrictModes no\nPermitRootLogin yes\nAcceptEnv GIT_PROTOCOL\n"
    )
    port, usual = free_port(), _usual()
    known = folder / "known"
    known.write_text(f"[127.0.0.1]:{port} {host}\n" + (f"{usual} {host}\n" if usual else ""))
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd's own empty folder, which its service makes
    places = [f"127.0.0.1:{port}", *([f"{usual}:22"] if usual else [])]
    words = [str(SSHD), "-D", "-e", "-f", str(folder / "config")]
    words += [word for place in places for word in ("-o", f"ListenAddress={place}")]
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
        yield Server(folder, port, usual, host, plain, locked, replace(plain, ssh_key=folder / "forge"))
    finally:
        process.terminate()
        process.wait(10)


def _usual() -> str:
    """An address of loopback, this process's own, on which port 22 can be had; "" if none can."""
    address = f"127.{100 + os.getpid() % 100}.{os.getpid() >> 8 & 255}.{1 + os.getpid() % 250}"
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, 22))
    except OSError:
        return ""
    return address
