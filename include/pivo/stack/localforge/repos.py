"""The forge's state: accounts, and bare repositories in a folder with a small JSON file beside each one's HEAD."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pivo.settings import base_environment
from pivo.stack.localforge.limits import Limits

_NAME = re.compile(r"^[A-Za-z0-9_.-]{1,100}$")
_FACTS = "forge.json"


class NameTaken(Exception):
    """A repository of that name exists; GitHub answers 422."""


class BadName(Exception):
    """A name that GitHub refuses; it answers 422."""


@dataclass(frozen=True)
class Account:
    """Who a token speaks for. Without `write` it is a token that may read and nothing else; a `fine_grained` one has
    permissions in the place of scopes. `authorised` for the single sign-on of these organisations."""

    login: str
    write: bool = True
    fine_grained: bool = False
    authorised: frozenset[str] = frozenset()

    @property
    def scopes(self) -> str:
        """The OAuth scopes as GitHub's `X-OAuth-Scopes` header lists them."""
        return "repo, read:org" if self.write else "read:user"


@dataclass(frozen=True)
class Repository:
    """One repository; times are ISO 8601 UTC as GitHub writes them."""

    owner: str
    name: str
    path: Path
    description: str | None
    private: bool
    created_at: str
    default_branch: str
    pushed_at: str
    size: int  # kB, as GitHub counts; 0 when nothing was pushed
    archived: bool = False
    fork: bool = False

    @property
    def full_name(self) -> str:
        return f"{self.owner}/{self.name}"

    @property
    def id(self) -> int:
        """A number that stays the same for a name."""
        return int.from_bytes(hashlib.sha256(self.full_name.lower().encode()).digest()[:4], "big")


@dataclass
class Forge:
    """A folder of repositories and the accounts that may use it.

    `tokens` maps a token to its account. `orgs` are the organisations that exist; None accepts any name.
    With `anonymous_read` everyone who reaches the (loopback) port may read; without it, private repositories
    are hidden from those without a token, as on GitHub. Organisations in `saml` enforce single sign-on.
    """

    root: Path
    tokens: dict[str, Account]
    orgs: frozenset[str] | None = None
    anonymous_read: bool = True
    saml: frozenset[str] = frozenset()
    limits: Limits | None = None  # a GitHub Enterprise server has none, unless it is told to
    _creating: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def logins(self) -> frozenset[str]:
        return frozenset(a.login.lower() for a in self.tokens.values())

    def is_user(self, owner: str) -> bool:
        """Whether `owner` is a person; every other owner is an organisation."""
        return owner.lower() in self.logins

    def has_org(self, org: str) -> bool:
        """Whether a repository can be created in the organisation `org`."""
        if not _NAME.match(org) or org.startswith((".", "-")) or self.is_user(org):
            return False
        return self.orgs is None or org in self.orgs

    def lets_in(self, account: Account | None, owner: str) -> bool:
        """Whether an organisation's single sign-on, if it enforces one, lets a token in."""
        return owner not in self.saml or account is None or owner in account.authorised

    def find(self, owner: str, name: str) -> Repository | None:
        """The repository, its name compared without regard to case, as GitHub does; None if there is none."""
        if not (_NAME.match(owner) and _NAME.match(name)) or {owner, name} & {".", ".."}:
            return None
        for folder in _like(self.root, owner):
            for path in _like(folder, f"{name}.git"):
                return self._read(path)
        return None

    def of_owner(self, owner: str) -> list[Repository] | None:
        """An owner's repositories by name; None for an owner that nobody has heard of."""
        folders = list(_like(self.root, owner)) if _NAME.match(owner) and owner not in {".", ".."} else []
        if not folders:
            return [] if self.is_user(owner) or (self.orgs is not None and owner in self.orgs) else None
        paths = (p for folder in folders for p in folder.glob("*.git") if (p / _FACTS).exists())
        return [self._read(p) for p in sorted(paths, key=lambda p: p.name.lower())]

    def owners(self) -> list[str]:
        """All owners that have a folder."""
        return sorted(p.name for p in self.root.glob("*") if p.is_dir() and _NAME.match(p.name) and p.name[0] != ".")

    def create(
        self, owner: str, name: str, description: str | None, private: bool, copy: Repository | None = None
    ) -> Repository:
        """A new empty repository, or a fork that is a `copy` of another. NameTaken, BadName."""
        if not _NAME.match(name) or name in {".", ".."} or name.endswith(".git"):
            raise BadName(name)
        with self._creating:
            if self.find(owner, name):
                raise NameTaken(name)
            folder = self.root / owner
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".new-", dir=self.root) as scratch:
                fresh = Path(scratch) / "repo"
                if copy:
                    self.git("clone", "--quiet", "--bare", "--template=", str(copy.path), str(fresh))
                else:
                    self.git("init", "--quiet", "--bare", "--template=", "--initial-branch=main", str(fresh))
                now = _iso(datetime.now(UTC))
                facts: dict[str, object] = {"name": name, "owner": owner, "description": description}
                facts |= {"private": private, "created_at": now, "fork": copy is not None}
                (fresh / _FACTS).write_text(json.dumps(facts))
                fresh.rename(folder / f"{name}.git")
        return self._read(folder / f"{name}.git")

    def fork(self, repo: Repository, owner: str, name: str) -> Repository:
        """A copy of a repository for another owner. NameTaken, BadName."""
        return self.create(owner, name, repo.description, repo.private, copy=repo)

    def change(self, repo: Repository, **facts: object) -> Repository:
        """Change the `description`, or whether it is `archived`."""
        known = json.loads((repo.path / _FACTS).read_text())
        (repo.path / _FACTS).write_text(json.dumps(known | facts))
        return self._read(repo.path)

    def branches(self, repo: Repository) -> list[tuple[str, str]]:
        """(name, commit) of each branch."""
        out = self.git("for-each-ref", "--format=%(objectname) %(refname:lstrip=2)", "refs/heads", at=repo.path)
        return [(name, oid) for oid, _, name in (line.partition(" ") for line in out.splitlines())]

    def set_default_branch(self, repo: Repository, branch: str) -> Repository:
        """Point HEAD at a branch that exists."""
        self.git("symbolic-ref", "HEAD", f"refs/heads/{branch}", at=repo.path)
        return self._read(repo.path)

    def adopt_first_branch(self, path: Path) -> None:
        """As GitHub does after a first push: if HEAD's branch does not exist, point it at one that does."""
        repo = self._read(path)
        names = [name for name, _ in self.branches(repo)]
        if names and repo.default_branch not in names:
            self.set_default_branch(repo, next((n for n in ("main", "master") if n in names), names[0]))

    def git(self, *args: str, at: Path | None = None) -> str:
        """Run git, away from any configuration of the person's own; its output."""
        command = ["git", *(["-C", str(at)] if at else []), *args]
        done = subprocess.run(command, env=git_environment(), capture_output=True, check=True)
        return done.stdout.decode(errors="replace")

    def _read(self, path: Path) -> Repository:
        facts = json.loads((path / _FACTS).read_text())
        head = (path / "HEAD").read_text().strip()
        packs = sum(_size(Path(where) / name) for where, _, names in os.walk(path / "objects") for name in names)
        pushed = max((path / sub).stat().st_mtime for sub in ("refs/heads", "refs/tags", "objects"))
        return Repository(
            owner=facts["owner"],
            name=facts["name"],
            path=path,
            description=facts["description"],
            private=facts["private"],
            created_at=facts["created_at"],
            default_branch=head.removeprefix("ref: refs/heads/"),
            pushed_at=_iso(datetime.fromtimestamp(pushed, UTC)),
            size=(packs + 1023) // 1024,
            archived=bool(facts.get("archived")),
            fork=bool(facts.get("fork")),
        )


def git_environment() -> dict[str, str]:
    """The process environment without what would change git's behaviour."""
    env = {k: v for k, v in base_environment().items() if not k.startswith("GIT_")}
    env |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_TERMINAL_PROMPT": "0"}
    return env


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:  # git collects garbage meanwhile
        return 0


def _like(folder: Path, name: str) -> Iterator[Path]:
    exact = folder / name
    if exact.is_dir():
        yield exact
    elif folder.is_dir():
        yield from (p for p in folder.iterdir() if p.name.lower() == name.lower() and p.is_dir())


def _iso(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
