"""Several repositories at once, as acting tools take them: names and patterns, resolved to names that are archived."""

from __future__ import annotations

from collections.abc import Sequence

from pivo.agent.events import Evidence
from pivo.agent.tools.base import ToolContext
from pivo.errors import UsageError
from pivo.models import Json
from pivo.restore.request import select
from pivo.snapshot.archive import Archive

REPOS: Json = {
    "type": "array",
    "items": {"type": "string", "minLength": 1, "maxLength": 255},
    "minItems": 1,
    "maxItems": 200,
    "description": "names as archived, or patterns: acme/* for all of acme, * for all",
}
"""The schema of such a list."""

MOST = 500
"""Repositories that one proposal may be about."""


def resolved(context: ToolContext, patterns: Sequence[str]) -> list[str]:
    """The archived repositories that `patterns` name, sorted; NotFound for one that is not there."""
    archive: Archive = context.archive()
    names = select(patterns, archive.repos())
    for name in patterns:
        if name in names:
            archive.require(name)
    if len(names) > MOST:
        raise UsageError(f"That is {len(names):,} repositories; a proposal takes {MOST}.", "Name an owner, or fewer.")
    return names


def evidence(context: ToolContext, read_as: str, names: Sequence[str]) -> Evidence:
    """Where in the archive that lies which a proposal is about; of a single repository, its last snapshot, too."""
    archive = context.archive()
    if len(names) != 1:
        return Evidence(read_as=read_as, hdfs_path=archive.store.url)
    last = archive.require(names[0])
    place = f"{archive.store.url}/{last.repo}/{last.dirname}"
    return Evidence(read_as=read_as, snapshot=last.dirname, hdfs_path=place, commit=last.head)


def shown(names: Sequence[str], most: int = 12) -> str:
    """The names for a person, the first ones and how many more."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
