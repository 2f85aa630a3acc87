"""Which repositories a night archives: the registered ones, and those that organisations have on the forge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from pivo import source
from pivo.errors import NotFound, PivoError, UsageError
from pivo.events import EventLog
from pivo.forges import GitHub
from pivo.ingest import Report, ingest
from pivo.models import RepoName
from pivo.progress import Progress, silent
from pivo.settings import Settings, base_environment
from pivo.store import open_store


@dataclass(frozen=True)
class Registered:
    """A repository to archive: where it is, its name in the archive, ref prefixes to keep besides the usual ones."""

    url: str
    name: str
    refs: tuple[str, ...] = ()

    @classmethod
    def parse(cls, data: Any) -> Registered:
        """From a mapping with `url` and perhaps `name` and `refs`, or a plain URL; UsageError for anything else."""
        if isinstance(data, str):
            data = {"url": data}
        if not isinstance(data, Mapping) or not isinstance(data.get("url"), str) or set(data) - {"url", "name", "refs"}:
            raise UsageError(f"{data!r} does not describe a repository.", "Give url, and perhaps name and refs.")
        url = source.normalise(data["url"])
        return cls(url, str(RepoName.parse(data.get("name") or source.name_of(url))), tuple(data.get("refs") or ()))


def load(path: Path) -> tuple[list[Registered], list[str]]:
    """The registered repositories and organisations of a YAML file; both empty when there is no file."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        return [], []
    except yaml.YAMLError as err:
        raise UsageError(f"{path} is not YAML: {err}.", "Mend it; the comment at its top shows the form.") from None
    if not isinstance(data, Mapping) or set(data) - {"repositories", "organisations"}:
        raise UsageError(f"{path} has other keys than repositories and organisations.", "Mend it.")
    return [Registered.parse(r) for r in data.get("repositories") or []], [
        str(o) for o in data.get("organisations") or []
    ]


def plan(settings: Settings, asked: Sequence[Any] = ()) -> list[Registered]:
    """What to archive now: those `asked` for (registered names, URLs, or mappings), else all registered ones.

    A name that two sources claim is a UsageError: one of them would be archived as the other.
    """
    registered, organisations = load(settings.repositories)
    if asked:
        by_name = {r.name: r for r in registered}
        chosen = [by_name[a] if isinstance(a, str) and a in by_name else _asked(a) for a in asked]
    else:
        chosen = [*registered, *_of_organisations(settings, organisations)]
    by_chosen: dict[str, Registered] = {}
    for repo in chosen:
        other = by_chosen.setdefault(repo.name, repo)
        if other.url != repo.url:
            raise UsageError(
                f"{source.public(other.url)} and {source.public(repo.url)} would both be archived as {repo.name}.",
                "Give one of them another name.",
            )
    return list(by_chosen.values())


def _asked(item: Any) -> Registered:
    try:
        return Registered.parse(item)
    except PivoError as err:
        if isinstance(item, str) and "/" not in item and ":" not in item:
            raise NotFound(
                f"{item} is not registered.", "Add it to include/repositories.yaml or give its URL."
            ) from err
        raise


def _of_organisations(settings: Settings, organisations: Sequence[str]) -> list[Registered]:
    if not organisations:
        return []
    found: list[Registered] = []
    with GitHub(settings.forge) as forge:
        for organisation in organisations:
            for repo in forge.list_org_repos(organisation):
                found.append(Registered(repo.clone_url, str(RepoName.parse(repo.full_name))))
    return found


def snapshot(settings: Settings, repo: Registered, progress: Progress = silent) -> Report:
    """Archives one repository with the configured store and Kafka: what the DAG and `pivo ingest` both do."""
    with EventLog(settings.kafka) as events:
        return ingest(
            repo.url,
            repo.name,
            store=open_store(settings.archive, settings.archive_writer),
            events=events,
            scratch=settings.staging / "ingest",
            environment=base_environment(),
            also=repo.refs,
            token=token_for(settings, repo.url),
            progress=progress,
        )


def token_for(settings: Settings, url: str) -> str:
    """The forge's token, for sources on the forge's own host; nothing for any other."""
    parts, api = urlsplit(url), urlsplit(settings.forge.api_url)
    hosts = {api.netloc, api.netloc.removeprefix("api.")}
    return settings.forge.token if parts.scheme in {"http", "https"} and parts.netloc in hosts else ""
