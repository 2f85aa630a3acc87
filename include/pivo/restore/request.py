"""What a restore was asked for: the params of the DAG, the same from the form, the CLI and the chat view."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from pivo.errors import NotFound, UsageError
from pivo.models import RepoName

PARAMS = frozenset({"repo", "repos", "ref", "target", "all_refs", "commit", "requested_by", "origin"})
"""The keys that a run's configuration may have."""

_GLOB = re.compile(r"[*?\[]")
_FIELDS = ("{name}", "{owner}")


@dataclass(frozen=True)
class Request:
    """A restore of `repos` (names, or patterns such as `acme/*`) as of `ref` into `target`.

    `many` says that there may be several: `target` is then an organisation (`neworg/`) or a pattern with {name} and
    {owner}. With `all_refs` whole repositories come back, else one branch each. `commit` is what the one repository's
    ref must still resolve to, empty for anything.
    """

    repos: tuple[str, ...]
    ref: str
    target: str
    many: bool = False
    all_refs: bool = False
    commit: str = ""

    @classmethod
    def parse(cls, conf: Mapping[str, Any]) -> Request:
        """UsageError for unknown params, for missing ones, and for those that do not go together."""
        if unknown := set(conf) - PARAMS:
            raise UsageError(
                f"A restore has no parameter {', '.join(sorted(map(repr, unknown)))}.",
                f"It has {', '.join(sorted(PARAMS))}.",
            )
        one, several = _text(conf, "repo"), _names(conf.get("repos"))
        if one and several:
            raise UsageError("A restore is of one `repo` or of several `repos`, not of both.", "Leave one empty.")
        repos = several or ((one,) if one else ())
        many = bool(several) or bool(_GLOB.search(one))
        found = {"repo or repos": repos, "ref": _text(conf, "ref"), "target": _text(conf, "target")}
        if missing := [name for name, value in found.items() if not value]:
            raise UsageError(f"A restore needs {', '.join(missing)}.", "Give them when you trigger the run.")
        commit, whole = _text(conf, "commit"), conf.get("all_refs")
        if many and commit:
            raise UsageError("An expected commit goes with one repository only.", "Leave `commit` empty.")
        return cls(
            repos, _text(conf, "ref"), _text(conf, "target"), many, many if whole is None else bool(whole), commit
        )


def select(patterns: Iterable[str], known: Sequence[RepoName]) -> list[str]:
    """The repositories that `patterns` name, sorted, each once; names without `*` stay even if none is `known`.

    NotFound for a pattern that no repository matches.
    """
    names, chosen = [str(name) for name in known], set()
    for pattern in patterns:
        if not _GLOB.search(pattern):
            chosen.add(str(RepoName.parse(pattern)))
            continue
        matches = [name for name in names if fnmatchcase(name, pattern)]
        if not matches:
            close = difflib.get_close_matches(pattern, names, n=3, cutoff=0.4)
            hint = f"Did you mean {', '.join(close)}?" if close else "`pivo snapshots` lists what is archived."
            raise NotFound(f"No repository in the archive matches {pattern[:80]!a}.", hint)
        chosen.update(matches)
    return sorted(chosen)


def targets(repos: Sequence[str], pattern: str) -> dict[str, str]:
    """Where each repository goes: `neworg/` and file:///folder/ take its name, {name} and {owner} stand for its parts.

    UsageError when two would go to one place (forges do not tell upper from lower case), or when `pattern` has room
    for one only.
    """
    if pattern.endswith("/"):
        pattern += "{name}" if "://" not in pattern and not pattern.startswith("/") else "{name}.git"
    if len(repos) > 1 and not any(field in pattern for field in _FIELDS):
        raise UsageError(
            f"{len(repos)} repositories cannot all go to {pattern[:120]!a}.", "Give an organisation, e.g. neworg/."
        )
    found: dict[str, str] = {}
    places: dict[str, str] = {}
    for repo in repos:
        name = RepoName.parse(repo)
        where = pattern.replace("{name}", name.name).replace("{owner}", name.owner or "")
        if "{owner}" in pattern and not name.owner:
            raise UsageError(f"{repo} has no owner for {pattern[:120]!a}.", "Use {name}, or restore it on its own.")
        if (other := places.setdefault(where.lower(), repo)) != repo:
            if other.lower() == repo.lower():
                raise UsageError(
                    f"{other} and {repo} differ in upper and lower case only, which a forge does not tell apart: both "
                    f"would become {where}. Nothing was started.",
                    "Restore one of them apart, to a target of another name.",
                )
            raise UsageError(
                f"{other} and {repo} would both become {where}. Nothing was started.",
                "Use {owner}, e.g. neworg/{owner}-{name}, or restore them apart.",
            )
        found[repo] = where
    return found


def _text(conf: Mapping[str, Any], key: str) -> str:
    return str(conf.get(key) or "").strip()


def _names(value: Any) -> tuple[str, ...]:
    """A list of names, or a text with one or several, parted by commas or blanks."""
    if value is None:
        return ()
    if isinstance(value, str):
        return tuple(value.replace(",", " ").split())
    if isinstance(value, list) and all(isinstance(v, str) for v in value):
        return tuple(v.strip() for v in value if v.strip())
    raise UsageError("`repos` is a list of names, or a pattern such as 'acme/*'.", "Correct it.")
