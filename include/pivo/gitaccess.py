"""How git sources and targets besides the forge are reached: secret files, and what git and ssh are told of them.

Passwords reach git through its environment, ssh is told where files are: no argument holds a secret.
"""

from __future__ import annotations

import base64
import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from pivo.errors import UsageError
from pivo.masking import learn

NOWHERE = Path("/nonexistent")

_ALWAYS = ("StrictHostKeyChecking=yes", "ConnectTimeout=30", "ServerAliveInterval=60", "PasswordAuthentication=no",
           "KbdInteractiveAuthentication=no")  # fmt: skip


@dataclass(frozen=True)
class GitAccess:
    """Files, none of which has to be there; without them ssh works as the person who runs it has set it up.

    `credentials` has a line a host in the form of git's own credential store, `https://user:password@host[/path]`;
    `known_hosts` is ssh's; `ssh_passphrase` opens `ssh_key`. `scratch` is a folder for the program that hands it over.
    """

    credentials: Path = NOWHERE
    ssh_key: Path = NOWHERE
    ssh_passphrase: Path = NOWHERE
    known_hosts: Path = NOWHERE
    scratch: Path = NOWHERE

    def ssh_command(self) -> str:
        """ssh with its options, as a shell reads it. It asks nobody, and talks to known hosts only."""
        options = list(_ALWAYS)
        before = ""
        if _filled(self.ssh_key):
            words = ["-i", str(self.ssh_key)]
            options += ["IdentitiesOnly=yes", "IdentityAgent=none"]
        else:
            words = []
        if _filled(self.known_hosts):
            options += [f"UserKnownHostsFile={_in_config(self.known_hosts)}"]
        if words and _filled(self.ssh_passphrase):  # in batch mode ssh asks no program either
            before = f"env SSH_ASKPASS={shlex.quote(str(self._askpass()))} SSH_ASKPASS_REQUIRE=force "
        else:
            options.insert(0, "BatchMode=yes")
        return before + shlex.join(["ssh", *words, *(f"-o{option}" for option in options)])

    def login(self, url: str) -> tuple[str, str] | None:
        """The user and password for an http(s) URL without one; a line with the longest path that fits wins."""
        asked = urlsplit(url)
        if asked.scheme not in {"http", "https"} or asked.username or not _filled(self.credentials):
            return None
        found: list[tuple[int, str, str]] = []
        for row in self._rows():
            known = urlsplit(row)
            base = known.path.rstrip("/")
            if (known.scheme, _host(known.netloc)) != (asked.scheme, _host(asked.netloc)):
                continue
            if known.password is not None and f"{asked.path}/".startswith((f"{base}/", f"{base}.git/")):
                found.append((len(base), unquote(known.username or ""), unquote(known.password)))
        if not found:
            return None
        _, user, password = max(found)
        learn(password)
        return user, password

    def with_login(self, url: str) -> str:
        """The URL with its login in it, for this process's memory only; as it is where none is known."""
        login = self.login(url)
        if login is None:
            return url
        parts = urlsplit(url)
        user, password = (quote(part, safe="") for part in login)
        return urlunsplit(parts._replace(netloc=f"{user}:{password}@{parts.netloc}"))

    def config(self, url: str) -> dict[str, str]:
        """git configuration that reaches `url`; for git's environment, never its arguments."""
        told = {"core.sshCommand": self.ssh_command()}
        if login := self.login(url):
            parts = urlsplit(url)
            value = base64.b64encode(":".join(login).encode()).decode()
            learn(value)
            told[f"http.{parts.scheme}://{parts.netloc}/.extraHeader"] = f"Authorization: Basic {value}"
        return told

    def _rows(self) -> list[str]:
        try:
            rows = [row.strip() for row in self.credentials.read_text().splitlines()]
            told = [row for row in rows if row and not row.startswith("#")]
            for row in told:
                urlsplit(row)
        except (OSError, ValueError):
            raise UsageError(
                f"{self.credentials} is no list of git logins.", "Write https://user:password@host, a line a host."
            ) from None
        return told

    def _askpass(self) -> Path:
        """The program that ssh asks for the passphrase; it holds the file's place only."""
        program = self.scratch / "ssh-askpass"
        text = f"#!/bin/sh\nexec cat -- {shlex.quote(str(self.ssh_passphrase))}\n"
        if not program.is_file() or program.read_text() != text:
            self.scratch.mkdir(parents=True, exist_ok=True)
            fresh = program.with_name(f".{program.name}.{os.getpid()}")
            fresh.write_text(text)
            fresh.chmod(0o700)
            fresh.replace(program)
        return program


_KNOWN = "secrets/ssh-known-hosts, or the Connection pivo_ssh"
_STRANGER = re.compile(r"No \S+ host key is known for (\S+)|Host key for (\S+) has changed")


def unknown_host(where: str, said: str) -> tuple[str, str] | None:
    """What happened and what to do, when ssh did not talk to a host that it does not know; None for other failures."""
    found = _STRANGER.search(said)
    if not found and "IDENTIFICATION HAS CHANGED" not in said and "Host key verification failed" not in said:
        return None
    host = (found and (found[1] or found[2])) or "the host"
    if "CHANGED" in said or "has changed" in said:
        return (
            f"{where} has another host key than the one that is known: somebody may be in between. Nothing was sent.",
            f"Ask who runs {host}; if the key was renewed, put the new one into the known hosts ({_KNOWN}).",
        )
    name, _, port = host.removeprefix("[").partition("]:")
    scan = f"ssh-keyscan -p {port} {name}" if port else f"ssh-keyscan {name}"
    return (
        f"ssh does not know the host key of {where}, so nothing was sent there.",
        f"Get it with `{scan}`, compare its fingerprint with what the host's owner publishes, and put it into the known"
        f" hosts ({_KNOWN}).",
    )


def _filled(path: Path) -> bool:
    """Whether there is something in the file: a deployment makes the files of unused secrets empty."""
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def _in_config(path: Path) -> str:
    """A path as ssh's options take it."""
    return '"' + str(path).replace("%", "%%") + '"'


def _host(netloc: str) -> str:
    return netloc.rpartition("@")[2].lower()
