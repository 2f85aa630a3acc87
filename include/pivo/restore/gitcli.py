"""git as a child process: away from the person's hooks and prompts, credentials in its environment only."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from pivo.errors import PivoError, StackError, TargetError, Unavailable
from pivo.gitaccess import GitAccess, unknown_host
from pivo.gitmemory import bounded
from pivo.settings import base_environment

_TRANSPORTS = "file:git:http:https:ssh"  # never ext:: or fd::, which run programs
_AWAY = (
    "Could not resolve host",
    "Failed to connect",
    "Connection refused",
    "Connection timed out",
    "Connection reset",
    "Operation timed out",
    "unable to connect",
    "The requested URL returned error: 429",
    "The requested URL returned error: 5",
    "HTTP 5",
    "RPC failed",
    "the remote end hung up unexpectedly",
    "unexpected disconnect",
    "Operation too slow",  # see _SILENCE
)
_SILENCE = {"http.lowSpeedLimit": "1", "http.lowSpeedTime": "600"}  # ten minutes without a byte: it is gone
_DENIED = (
    "could not read Username",
    "could not read Password",
    "Authentication failed",
    "Permission to",
    "Permission denied",
    "The requested URL returned error: 401",
    "The requested URL returned error: 403",
    "terminal prompts disabled",
)


class GitFailed(Exception):
    """A git command that ended badly; `code` its exit code, `lines` what it said, without progress."""

    def __init__(self, code: int, said: str) -> None:
        super().__init__(code, said)
        self.code = code
        self.lines = [line.strip() for line in said.replace("\r", "\n").splitlines() if line.strip()]

    def __str__(self) -> str:
        return f"git ended with {self.code}: {self.reason}"

    def said(self, *needles: str) -> bool:
        """Whether git's words contain one of `needles`."""
        return any(n in line for n in needles for line in self.lines)

    @property
    def reason(self) -> str:
        """The line that says why, for a person."""
        telling = [x for x in self.lines if x.startswith(("fatal:", "error:", "remote: error:", "ERROR:"))]
        line = (telling or self.lines or [f"exit code {self.code}"])[0]
        return "".join(c for c in line.removeprefix("fatal: ").removeprefix("error: ") if c.isprintable())[:300]


def environment(config: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment for git: no prompts, no tracing (it could show credentials), `config` as -c would set it."""
    env = {k: v for k, v in base_environment().items() if not k.startswith("GIT_") or k == "GIT_SSH_COMMAND"}
    env |= {"GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": _TRANSPORTS, "LC_ALL": "C.UTF-8", "GIT_ASKPASS": "true"}
    settings = {"core.hooksPath": "/dev/null", "gc.auto": "0", "maintenance.auto": "false", **_SILENCE}
    settings |= {"core.sshCommand": GitAccess().ssh_command()}  # one in the environment goes before it
    return bounded(env, settings | dict(config or {}))


def run(
    *args: str,
    at: Path | None = None,
    config: Mapping[str, str] | None = None,
    stdin: str = "",
    timeout: float | None = None,
) -> str:
    """git's output; GitFailed when it ends badly, Unavailable after `timeout` seconds."""
    try:
        done = subprocess.run(
            _command(at, args),
            env=environment(config),
            input=stdin.encode("utf-8", "surrogateescape"),
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError:
        raise _missing() from None
    except subprocess.TimeoutExpired:
        raise Unavailable(f"git {args[0]} gave no answer in {timeout:.0f} s.", "Try again later.") from None
    if done.returncode:
        raise GitFailed(done.returncode, done.stderr.decode("utf-8", "replace"))
    return done.stdout.decode("utf-8", "surrogateescape")


def lines(*args: str, at: Path) -> Iterator[str]:
    """git's output line by line, never all in memory; GitFailed at the end when it ends badly."""
    with subprocess.Popen(
        _command(at, args), env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout and process.stderr
        for line in process.stdout:
            yield line.decode("utf-8", "surrogateescape").rstrip("\n")
        said = process.stderr.read()
        if process.wait():
            raise GitFailed(process.returncode, said.decode("utf-8", "replace"))


def remote_error(where: str, err: GitFailed, do: str) -> PivoError:
    """What to tell a person when a command that talked to the remote `where` failed."""
    if sentence := unknown_host(where, " ".join(err.lines)):
        return TargetError(*sentence)
    if err.said(*_DENIED):
        return TargetError(f"{where} does not let us in: {err.reason}.", "Check the credentials and their rights.")
    if err.said(*_AWAY):
        return Unavailable(f"{where} did not answer: {err.reason}.", "Try again when it is back.")
    return TargetError(f"git cannot use {where}: {err.reason}.", do)


def _command(at: Path | None, args: tuple[str, ...]) -> list[str]:
    return ["git", *(["-C", str(at)] if at else []), *args]


def _missing() -> StackError:
    return StackError("git is not installed here.", "Install git, then try again.")
