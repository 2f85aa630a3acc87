"""Connections to git servers that do not wait for ever: over TCP, and to a child process (ssh, `git upload-pack`).

dulwich's own clients read without an end to waiting: a server that goes silent would hold a task until its timeout.
Here every connection is a socket, one end of a socket pair for a child process, and has a timeout for each read and
write.
"""

from __future__ import annotations

import os
import select
import shlex
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import IO, Any

from dulwich.client import SSHVendor, SubprocessGitClient, TCPGitClient
from dulwich.protocol import DEFAULT_GIT_PROTOCOL_VERSION_FETCH, TCP_GIT_PORT, Protocol

_LAST_WORDS = 5.0  # seconds that a child process has to end once its connection is closed

Connected = tuple[Protocol, Callable[[], bool], None]


class Wire:
    """One connection. `process` is the child at its other end, if it is one: it is gone once the wire is closed."""

    stderr = None  # a child's goes to a file

    def __init__(self, end: socket.socket, patience: float, process: subprocess.Popen[bytes] | None = None) -> None:
        end.settimeout(patience)
        self._end, self._patience, self._process = end, patience, process
        self._stream = end.makefile("rb")

    def read(self, size: int) -> bytes:
        """Bytes that came; TimeoutError after so many seconds without one."""
        try:
            return self._stream.read(size)
        except TimeoutError:
            raise self._silence("came") from None

    def write(self, data: bytes) -> int:
        """Sends all of it; TimeoutError when the other side takes nothing for so long."""
        try:
            self._end.sendall(data)
        except TimeoutError:
            raise self._silence("was taken") from None
        return len(data)

    def _silence(self, what: str) -> TimeoutError:
        if self._process:
            self._process.kill()  # it has had its time
        return TimeoutError(f"not a byte {what} in {self._patience:.0f} s")

    def can_read(self) -> bool:
        return bool(select.select([self._end], [], [], 0)[0])

    def close(self) -> None:
        self._stream.close()
        self._end.close()
        if self._process:
            try:
                if self._process.poll() is None:
                    _ended(self._process.pid, _LAST_WORDS)
                self._process.wait(_LAST_WORDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def connected(self) -> Connected:
        """As dulwich's clients take it."""
        return Protocol(self.read, self.write, self.close), self.can_read, None


def _ended(pid: int, patience: float) -> None:
    """Waits for the end of a child process, that nobody has waited for, where the system can tell it.

    `wait` with a timeout looks and sleeps in turn.
    """
    if hasattr(os, "pidfd_open"):
        end = os.pidfd_open(pid)
        try:
            select.select([end], [], [], patience)
        finally:
            os.close(end)


@dataclass
class Wires:
    """Opens connections that wait `patience` seconds for a byte; as a context manager, closes them all at the end.

    Child processes run in the environment `env`, and what they say on standard error goes to `said`.
    """

    env: Mapping[str, str]
    said: IO[bytes]
    patience: float
    _opened: list[Wire] = field(default_factory=list)

    def __enter__(self) -> Wires:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        for wire in self._opened:
            wire.close()

    def child(self, words: Sequence[str], **env: str) -> Wire:
        """A process that talks git on its standard input and output; `env` is added to its environment."""
        ours, theirs = socket.socketpair()
        with theirs:
            end = theirs.fileno()
            process = subprocess.Popen(words, env={**self.env, **env}, stdin=end, stdout=end, stderr=self.said)
        return self._keep(Wire(ours, self.patience, process))

    def tcp(self, host: str, port: int) -> Wire:
        """A server."""
        end = socket.create_connection((host, port), self.patience)
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._keep(Wire(end, self.patience))

    def _keep(self, wire: Wire) -> Wire:
        self._opened.append(wire)
        return wire


class LocalClient(SubprocessGitClient):
    """`git upload-pack` of a local folder."""

    def __init__(self, wires: Wires) -> None:
        super().__init__(thin_packs=False, quiet=True)
        self._wires = wires

    def _connect(self, cmd: bytes, path: bytes | str, protocol_version: int | None = None) -> Any:
        where = path.decode() if isinstance(path, bytes) else path
        # Absolute: never taken for an option. The first version of the protocol tells of no symbolic ref but HEAD.
        return self._wires.child(["git", cmd.decode(), where], GIT_PROTOCOL="version=2").connected()


class DaemonClient(TCPGitClient):
    """A git:// server."""

    def __init__(self, wires: Wires, host: str, port: int | None) -> None:
        super().__init__(host, port or TCP_GIT_PORT, thin_packs=False, quiet=True)
        self._wires = wires

    def _connect(self, cmd: bytes, path: bytes | str, protocol_version: int | None = None) -> Any:
        where = path if isinstance(path, bytes) else path.encode()
        wire = self._wires.tcp(self._host, self._port)
        talk = wire.connected()
        self.protocol_version = DEFAULT_GIT_PROTOCOL_VERSION_FETCH if protocol_version is None else protocol_version
        # The version stands behind two NULs, where servers that do not know of it do not look.
        version = b"\0\0version=%d\0" % self.protocol_version if self.protocol_version == 2 else b""
        talk[0].send_cmd(b"git-" + cmd, where.removeprefix(b"/") if where.startswith(b"/~") else where,
                         b"host=" + self._host.encode("ascii", "replace") + version)  # fmt: skip
        return talk


class Ssh(SSHVendor):
    """Starts ssh, or the program that stands for it."""

    def __init__(self, wires: Wires) -> None:
        self._wires = wires

    def run_command(  # type: ignore[override]  # dulwich asks no more of what comes back than a Wire has
        self,
        host: str,
        command: bytes,
        username: str | None = None,
        port: int | None = None,
        password: str | None = None,
        key_filename: str | None = None,
        ssh_command: str | None = None,
        protocol_version: int | None = None,
    ) -> Wire:
        version = DEFAULT_GIT_PROTOCOL_VERSION_FETCH if protocol_version is None else protocol_version
        words = [*shlex.split(ssh_command or "ssh"), "-x"]
        words += ["-p", str(port)] if port else []
        words += ["-o", f"SetEnv GIT_PROTOCOL=version={version}"] if version else []
        return self._wires.child([*words, f"{username}@{host}" if username else host, os.fsdecode(command)])
