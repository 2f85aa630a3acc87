"""Which repositories a night archives: the registered ones, and those that organisations have on the forge."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from pivo import source
from pivo.consolidation import after_snapshot
from pivo.errors import NotFound, SourceError, UsageError
from pivo.events import EventLog
from pivo.forges import TASK_PATIENCE, ForgeRepo
from pivo.ingest import Report, ingest
from pivo.models import RepoName
from pivo.organisations import Organisation, discover, find
from pivo.progress import Progress, silent
from pivo.settings import Settings, base_environment
from pivo.snapshot.consolidate import MOST
from pivo.store import open_store

PROMISE = "26h"
"""Within which a registered repository is looked at, unless its file says otherwise: a night, and some room."""

_log = logging.getLogger(__name__)
_LOGIN = "Leave it out there: it belongs into secrets/git-credentials, or into the Connection pivo_git."
_KEYS = {"url", "name", "refs", "promise", "failure"}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*([mhd])")


@dataclass(frozen=True)
class Registered:
    """A repository to archive: where it is, its name in the archive, ref prefixes to keep besides the usual ones, and
    the hours within which it is promised to be looked at (None: the default). With a `failure` it is none: it stands
    for what could not be planned, and fails alone."""

    url: str
    name: str
    refs: tuple[str, ...] = ()
    promise: float | None = None
    failure: str = ""

    @classmethod
    def parse(cls, data: Any) -> Registered:
        """From a mapping with `url` and perhaps `name`, `refs` and `promise`, or a plain URL.

        UsageError for anything else. The source must be there if it is a local path: SourceError when it is not.
        """
        if isinstance(data, Mapping) and (failure := data.get("failure")):
            raise SourceError(str(failure))
        told, name, refs, promise = cls._fields(data)
        if source.public(told) != told:
            raise UsageError(f"The URL {source.public(told)} carries a login, which would end up in logs.", _LOGIN)
        url = source.normalise(told)
        return cls(url, str(RepoName.parse(name or source.name_of(url))), refs, promise)

    @classmethod
    def read(cls, data: Any) -> Registered:
        """As :meth:`parse`, but the source itself is not looked at, and a name is only derived, not checked. A login in
        the URL is not used, and said so: one repository's fault must not keep the others from their night."""
        told, name, refs, promise = cls._fields(data)
        url = source.public(told)
        if url != told:
            _log.warning("The URL %s carries a login, which is not used. %s", url, _LOGIN)
        return cls(url, name or source.name_of(url), refs, promise)

    @staticmethod
    def _fields(data: Any) -> tuple[str, str, tuple[str, ...], float | None]:
        """URL, name (perhaps empty), ref prefixes and promise."""
        if isinstance(data, str):
            data = {"url": data}
        refused = UsageError(
            f"{shown(data)} does not describe a repository.",
            "Give url, and perhaps name, refs (a list) and promise (26h).",
        )
        if not isinstance(data, Mapping) or not isinstance(data.get("url"), str) or set(data) - _KEYS:
            raise refused
        name, refs = data.get("name") or "", data.get("refs") or ()
        if not isinstance(name, str) or not isinstance(refs, list | tuple):
            raise refused
        if not all(isinstance(r, str) and r.startswith("refs/") for r in refs):
            raise refused
        return data["url"], name, tuple(refs), hours(data["promise"]) if data.get("promise") is not None else None


def hours(value: Any) -> float:
    """A span of time as hours: `26h`, `2d`, `90m`, or a number of hours; UsageError for anything else."""
    if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
        return float(value)
    found = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if found is None or not float(found[1]):
        raise UsageError(f"{str(value)[:40]!r} is no span of time.", "Write a promise like 26h, 2d or 90m.")
    return float(found[1]) * {"m": 1 / 60, "h": 1.0, "d": 24.0}[found[2]]


@dataclass(frozen=True)
class Promises:
    """Within how many hours repositories are promised to be looked at: `by_name` those that are registered, and
    `default` every repository of the `organisations` but those that were `left_out`. `since` is when the registration
    last changed (Unix seconds)."""

    default: float
    by_name: Mapping[str, float]
    organisations: tuple[Organisation, ...]
    since: float
    left_out: Collection[str] = ()

    def of(self, repo: str) -> float | None:
        """The hours for `repo`; None when nothing is promised of it."""
        if repo in self.by_name:
            return self.by_name[repo]
        owned = any(o.owns(repo) for o in self.organisations) and repo not in self.left_out
        return self.default if owned else None


def promises(path: Path, left_out: Collection[str] = ()) -> Promises:
    """What the YAML file promises, of all but `left_out`; UsageError when it cannot be read."""
    registered, organisations = load(path)
    default = hours(_mapping(path).get("promise", PROMISE))
    by_name = {r.name: r.promise or default for r in registered}
    since = path.stat().st_mtime if path.exists() else 0.0
    return Promises(default, by_name, tuple(organisations), since, left_out)


def load(path: Path) -> tuple[list[Registered], list[Organisation]]:
    """The registered repositories and organisations of a YAML file; both empty when there is no file."""
    data = _mapping(path)
    repositories, organisations = data.get("repositories") or [], data.get("organisations") or []
    if not isinstance(repositories, list) or not isinstance(organisations, list):
        raise UsageError(f"{path}: repositories and organisations are lists.", "Begin each entry with '- '.")
    return [Registered.read(r) for r in repositories], [Organisation.read(o) for o in organisations]


def _mapping(path: Path) -> Mapping[str, Any]:
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        return {}
    except OSError as err:
        raise UsageError(f"{path} cannot be read: {err.strerror}.", "Check its permissions.") from None
    except (yaml.YAMLError, ValueError) as err:
        flat = " ".join(str(err).split())
        raise UsageError(f"{path} is not YAML: {flat}.", "Mend it; the comment at its top shows the form.") from None
    if not isinstance(data, Mapping) or set(data) - {"repositories", "organisations", "promise"}:
        raise UsageError(f"{path} has other keys than repositories, organisations and promise.", "Mend it.")
    return data


def plan(settings: Settings, asked: Sequence[Any] = (), *, last: bool = True) -> list[Registered]:
    """What to archive now: those `asked` for (registered names, those of an organisation's repositories, URLs, or
    mappings), else all registered ones.

    A source that is missing is planned all the same: it fails alone, when it is its turn. So does an organisation
    that the forge does not list; only when this is not the `last` try, what may work later is raised. A registered
    repository goes before one of the same name in an organisation. A name that two sources claim is a UsageError: one
    of them would be archived as the other.
    """
    registered, organisations = load(settings.repositories)
    if asked:
        by_name = {r.name: r for r in registered}
        chosen = [
            by_name[a] if isinstance(a, str) and a in by_name else _asked(settings, organisations, a) for a in asked
        ]
    else:
        listed = _listed(settings, organisations, last)
        known = {r.name for r in registered}
        chosen = [*registered, *(r for r in listed if r.name not in known)]
    by_chosen: dict[str, Registered] = {}
    for repo in chosen:
        other = by_chosen.setdefault(repo.name, repo)
        if other.url != repo.url:
            raise UsageError(
                f"{source.public(other.url)} and {source.public(repo.url)} would both be archived as {repo.name}.",
                "Give one of them another name.",
            )
    return list(by_chosen.values())


def _listed(settings: Settings, organisations: Sequence[Organisation], last: bool) -> Iterator[Registered]:
    if not organisations:
        return
    for repo in discover(settings.forge, organisations, settings.home, TASK_PATIENCE):
        if isinstance(repo, ForgeRepo):
            yield Registered(repo.clone_url, repo.full_name)
        elif repo.why.retry and not last:
            raise repo.why
        else:
            yield Registered("", f"{repo.name}/*", failure=str(repo.why))


def _asked(settings: Settings, organisations: Sequence[Organisation], item: Any) -> Registered:
    if isinstance(item, str) and any(o.owns(item) for o in organisations):
        repo = find(settings.forge, organisations, item)
        return Registered(repo.clone_url, repo.full_name)
    try:
        return Registered.parse(item)
    except SourceError as err:
        if isinstance(item, str) and "/" not in item and ":" not in item:
            raise NotFound(
                f"{item} is not registered.", "Add it to include/repositories.yaml or give its URL."
            ) from err
        return Registered.read(item)


def covers(settings: Settings, repo: str, addresses: Collection[str]) -> str | None:
    """The name by which :func:`plan` knows the forge's repository `repo` (`owner/name`) with these addresses: that of
    a registered source, or its own when an organisation has it on the configured forge. None when neither does."""
    registered, organisations = load(settings.repositories)
    places = {_place(a) for a in addresses} - {None}
    for known in registered:
        if _place(known.url) in places:
            return known.name
    host = urlsplit(settings.forge.api_url).netloc.lower()
    there = any(p and p[0] in {host, host.removeprefix("api.")} for p in places)
    return repo if there and any(o.owns(repo) for o in organisations) else None


def _place(url: str) -> tuple[str, str] | None:
    """Host and path of a forge's repository, the same for http, ssh and git addresses; None for what has no host."""
    if "://" not in url and ":" in url:  # user@host:path
        url = "ssh://" + url.replace(":", "/", 1)
    try:
        parts = urlsplit(url)
        host = (parts.netloc if parts.scheme in {"http", "https"} else parts.hostname) or ""
    except ValueError:
        return None
    path = parts.path.strip("/").removesuffix(".git").lower()
    return (host.rpartition("@")[2].lower(), path) if host and path else None


def snapshot(settings: Settings, repo: Registered, progress: Progress = silent) -> Report:
    """Archives one repository with the configured store and Kafka: what the DAG and `pivo ingest` both do.

    Consolidates its packs when that is due.
    """
    store, scratch = open_store(settings.archive, settings.archive_writer), settings.staging / "ingest"
    with EventLog(settings.kafka) as events:
        report = ingest(
            settings.git.with_login(repo.url),
            repo.name,
            store=store,
            events=events,
            scratch=scratch,
            environment=base_environment(),
            also=repo.refs,
            token=token_for(settings, repo.url),
            ssh=settings.git.ssh_command(),
            progress=progress,
        )
        if report.outcome == "published" and report.packs >= MOST:  # with fewer nothing is due
            name = RepoName.parse(report.repo)
            after_snapshot(store, events, name, scratch=scratch, environment=base_environment(), progress=progress)
    return report


def place(url: str) -> dict[str, str]:
    """What the audit log may know of a source before it is known to be one: its host."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return {}
    return {"scheme": parts.scheme or "file"} | ({"host": parts.hostname.lower()} if parts.hostname else {})


def named(settings: Settings, name: str) -> dict[str, str]:
    """The name of a repository, if it is registered: one that a run made up may be anything."""
    registered, organisations = load(settings.repositories)
    known = name in {r.name for r in registered} or any(o.owns(name) for o in organisations)
    return {"repo": name} if known else {}


def facts(report: Report) -> dict[str, Any]:
    """What the audit log keeps of a snapshot."""
    told: dict[str, Any] = {"repo": report.repo, "outcome": report.outcome, "snapshot": report.snapshot}
    return told | {"commits": report.commits, "refs": report.refs, "bytes": report.bytes}


def token_for(settings: Settings, url: str) -> str:
    """The forge's token, for sources on the forge's own host; nothing for any other."""
    parts, api = urlsplit(url), urlsplit(settings.forge.api_url)
    hosts = {api.netloc, api.netloc.removeprefix("api.")}
    return settings.forge.token if parts.scheme == api.scheme and parts.netloc in hosts else ""


def shown(data: Any) -> str:
    """What a person gave, short and without the password that a URL may hold."""
    return source.public(data)[:200] if isinstance(data, str) else type(data).__name__
