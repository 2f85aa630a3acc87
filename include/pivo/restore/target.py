"""Where a restored repository goes: `owner/name` on the configured forge, or a git URL."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from pivo.errors import PivoError, TargetError, UsageError
from pivo.forges import GitHub
from pivo.gitaccess import GitAccess
from pivo.models import RepoName
from pivo.restore import gitcli
from pivo.settings import ForgeAccess

Kind = Literal["forge", "git"]

PARTS = "refs/pivo/part/"
"""Where a push in several parts keeps them on the target until the last one."""

_SCP = re.compile(r"^[A-Za-z0-9_.-]+@[A-Za-z0-9_.-]+:(?!//)\S+$")
_SCHEMES = frozenset({"file", "http", "https", "ssh", "git"})
_EXAMPLE = "Use owner/name, https://…/name.git, ssh://…/name.git or file:///folder/name.git."


@dataclass(frozen=True)
class Target:
    """A parsed target. `name` is set for a forge; `path` for a folder on this machine (a git target)."""

    given: str
    kind: Kind
    name: RepoName | None = None
    path: Path | None = None

    @property
    def owner(self) -> str:
        """The owner on the forge."""
        assert self.name and self.name.owner
        return self.name.owner

    def allow(self, roots: Iterable[Path]) -> None:
        """TargetError when this is a folder that is not below one of `roots`, links followed.

        Whoever may start a restore is not thereby somebody who may write anywhere on the machine.
        """
        if self.path is None:
            return
        where, allowed = self.path.resolve(), list(roots)
        if not any(where != root and where.is_relative_to(root) for root in allowed):
            names = ", ".join(map(str, allowed)) or "none"
            raise TargetError(
                f"Restores to a folder go below {names}; {self.path} is elsewhere.",
                "Choose a folder there, or have PIVO_RESTORE_ROOTS name another one.",
            )

    @classmethod
    def parse(cls, text: str) -> Target:
        """UsageError for what is no target, names a transport that runs programs, or carries a password."""
        shown = ascii(text[:120])
        if not text or text.startswith("-") or any(not c.isprintable() or c.isspace() for c in text):
            raise UsageError(f"{shown} is not a target for a restore.", _EXAMPLE)
        if "://" not in text and "::" not in text:
            if text.startswith("/"):
                return cls(text, "git", path=_folder(text))
            if _SCP.match(text):
                return cls(text, "git")
            name = RepoName.parse(text)
            if name.owner is None:
                raise UsageError(f"The target {shown} names no owner.", _EXAMPLE)
            return cls(text, "forge", name=name)
        parts = urlsplit(text)
        if parts.scheme not in _SCHEMES or "::" in text.split("://")[0]:
            raise UsageError(f"{shown} is not a kind of git URL that a restore can go to.", _EXAMPLE)
        if parts.password or (parts.username and parts.scheme in {"http", "https"}):
            raise UsageError(
                "The target's URL carries credentials, which would end up in logs.",
                "Leave them out: they belong into secrets/git-credentials, or the forge's Connection.",
            )
        if parts.scheme == "file":
            if parts.netloc not in {"", "localhost"}:
                raise UsageError(f"{shown} names another machine.", "Write file:///folder/name.git.")
            return cls(text, "git", path=_folder(unquote(parts.path)))
        if not parts.hostname or parts.hostname.startswith("-") or not parts.path.strip("/"):
            raise UsageError(f"{shown} is not a git URL.", _EXAMPLE)
        return cls(text, "git")


def check(target: Target, access: ForgeAccess, git: GitAccess | None = None) -> str:
    """What a restore will create there, as a sentence; TargetError when the target is not absent or empty.

    Asks the forge, the remote (reached as `git` says) or the file system; changes nothing.
    """
    if target.path is not None:
        return _check_folder(target.path)
    if target.kind == "git":
        refs = occupying(target.given, git.config(target.given) if git else None)
        if refs:
            raise occupied(target.given, refs)
        return f"Nothing new: the empty repository {target.given} is filled."
    assert target.name
    with GitHub(access) as forge:
        login = forge.whoami()
        found = forge.repo(target.owner, target.name.name)
        if found is None:
            return f"A private repository {target.name} on {forge.host}, as {login.name}."
        refs = occupying(found.clone_url, forge.git_config(found.clone_url))
        if refs:
            raise occupied(found.html_url, refs)
        return f"Nothing new: the empty repository {found.full_name} on {forge.host} is filled."


def occupied(where: str, refs: dict[str, str]) -> TargetError:
    """The refusal of a target that has something in it."""
    some = ", ".join(sorted(refs)[:3]) + ("…" if len(refs) > 3 else "")
    return TargetError(
        f"{where} is not empty: it has {len(refs)} refs ({some}). It was not touched.",
        "Choose a fresh target; a restore never goes into a repository that has commits.",
    )


def remote_refs(url: str, config: dict[str, str] | None = None) -> dict[str, str]:
    """All refs of a remote repository, peeled tags left out; `HEAD` as `ref: <branch>` where it is told.

    TargetError when there is no such repository or no access, Unavailable when its host does not answer.
    """
    try:
        out = gitcli.run("ls-remote", "--symref", "--", url, config=config, timeout=120)
    except gitcli.GitFailed as err:
        raise gitcli.remote_error(url, err, "Check the address and who may read it.") from None
    refs: dict[str, str] = {}
    for line in out.splitlines():
        value, _, name = line.partition("\t")
        if name == "HEAD":
            continue
        if name and not name.endswith("^{}"):
            refs[name] = value
    return refs


def occupying(url: str, config: dict[str, str] | None = None) -> dict[str, str]:
    """The refs of a remote that make it no fresh target: all but those in which an unfinished push left its parts."""
    return {name: oid for name, oid in remote_refs(url, config).items() if not name.startswith(PARTS)}


def remote_head(url: str, config: dict[str, str] | None = None) -> str | None:
    """The branch that a remote's HEAD points at, None when it is unborn or not told."""
    out = gitcli.run("ls-remote", "--symref", "--", url, "HEAD", config=config, timeout=120)
    for line in out.splitlines():
        if line.startswith("ref: ") and line.endswith("\tHEAD"):
            return line[5:-5]
    return None


def _folder(text: str) -> Path:
    path = Path(text)
    if ".." in path.parts or not path.is_absolute() or len(path.parts) < 2:
        raise UsageError(f"{text!a} is not an absolute path of a repository.", "Write file:///folder/name.git.")
    return path


def _check_folder(path: Path) -> str:
    try:
        if not path.exists():
            parent = next(p for p in path.parents if p.exists())
            if not parent.is_dir():
                raise TargetError(f"{parent} is not a folder.", "Choose another target.")
            return f"A bare repository in the new folder {path}."
        if not path.is_dir():
            raise TargetError(f"{path} is a file. It was not touched.", "Choose a path that is free.")
        if not any(path.iterdir()):
            return f"A bare repository in the empty folder {path}."
    except PermissionError as err:
        raise TargetError(f"{err.filename} cannot be read: permission denied.", "Choose another folder.") from None
    try:
        refs = occupying(path.as_uri())
    except PivoError:
        raise TargetError(
            f"{path} exists and is not an empty repository. It was not touched.", "Choose a path that is free."
        ) from None
    if refs:
        raise occupied(str(path), refs)
    return f"Nothing new: the empty repository {path} is filled."
