"""Organisations and persons whose repositories are archived without being named: which of theirs, and where."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from pivo.errors import NotFound, PivoError, UsageError
from pivo.forges import ForgeRepo, GitHub
from pivo.settings import ForgeAccess

_KEYS = {"name", "archived", "forks", "exclude"}
_LEFT_OUT = "left-out.json"


@dataclass(frozen=True)
class Organisation:
    """An owner on the forge, and which of its repositories to leave out: those that are `archived` there or `forks`,
    where these say no, and those whose name matches a pattern of `exclude`."""

    name: str
    archived: bool = True
    forks: bool = True
    exclude: tuple[str, ...] = ()

    @classmethod
    def read(cls, data: Any) -> Organisation:
        """From a name, or a mapping with `name` and perhaps `archived`, `forks` (yes or no) and `exclude` (patterns
        such as `*-mirror`). UsageError for anything else."""
        if isinstance(data, str | int):
            data = {"name": str(data)}
        if not isinstance(data, Mapping) or set(data) - _KEYS or not isinstance(data.get("name"), str):
            raise _refused(data)
        archived, forks, exclude = data.get("archived", True), data.get("forks", True), data.get("exclude", [])
        if not isinstance(archived, bool) or not isinstance(forks, bool) or not isinstance(exclude, list):
            raise _refused(data)
        if not data["name"] or not all(isinstance(pattern, str) and pattern for pattern in exclude):
            raise _refused(data)
        return cls(data["name"], archived, forks, tuple(exclude))

    def owns(self, repo: str) -> bool:
        """Whether the repository `owner/name` is this owner's, and not excluded by its name."""
        owner, slash, name = repo.partition("/")
        return bool(slash) and owner.lower() == self.name.lower() and not self._excludes(name)

    def keeps(self, repo: ForgeRepo) -> bool:
        """Whether a repository of this owner is to be archived."""
        left_out = (repo.archived and not self.archived) or (repo.fork and not self.forks)
        return not left_out and not self._excludes(repo.name)

    def _excludes(self, name: str) -> bool:
        return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in self.exclude)


def _refused(data: Any) -> UsageError:
    given = repr(data)[:100]
    return UsageError(
        f"{given} does not describe an organisation.",
        "Give its name, and perhaps archived: false, forks: false and exclude (a list of patterns).",
    )


@dataclass(frozen=True)
class Unlisted:
    """An owner whose list could not be had, or not to its end."""

    name: str
    why: PivoError


def discover(
    access: ForgeAccess, organisations: Sequence[Organisation], home: Path, patience: float
) -> Iterator[ForgeRepo | Unlisted]:
    """The repositories of the organisations, as the forge lists them now, and the owners that could not be listed;
    writes down in `home` what the filters left out. `patience` as in :class:`GitHub`."""
    before, now = left_out(home), set[str]()
    with GitHub(access, patience=patience) as forge:
        for organisation in organisations:
            try:
                for repo in forge.list_org_repos(organisation.name):
                    if organisation.keeps(repo):
                        yield repo
                    else:
                        now.add(repo.full_name)
            except PivoError as err:
                now |= {name for name in before if name.partition("/")[0].lower() == organisation.name.lower()}
                yield Unlisted(organisation.name, err)
    if now != before:
        home.mkdir(parents=True, exist_ok=True)
        part = home / f".{_LEFT_OUT}.part"
        part.write_text(json.dumps(sorted(now)))
        part.rename(home / _LEFT_OUT)


def left_out(home: Path) -> frozenset[str]:
    """What the last :func:`discover` left out: nothing is promised of those."""
    try:
        return frozenset(str(name) for name in json.loads((home / _LEFT_OUT).read_text()))
    except (OSError, ValueError, TypeError):
        return frozenset()


def find(access: ForgeAccess, organisations: Sequence[Organisation], repo: str) -> ForgeRepo:
    """The repository `owner/name` of one of the organisations. NotFound when the forge has none, UsageError when it
    is left out."""
    with GitHub(access) as forge:
        found = forge.repo(*repo.split("/", 1))
    if found is None:
        raise NotFound(f"The forge shows no repository {repo} to this token.", "Check the name and the token.")
    if not any(o.owns(found.full_name) and o.keeps(found) for o in organisations):
        raise UsageError(f"{found.full_name} is left out by the filters of its organisation.", "Register it itself.")
    return found
