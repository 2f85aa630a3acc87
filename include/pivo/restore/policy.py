"""Who may confirm what the agent proposes, where a restore may go, and which takes a second person's approval:
`include/policy.yaml`, or the file that PIVO_POLICY names.

A policy that cannot be read allows nothing (UsageError): a bad configuration fails closed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

from pivo.errors import TargetError, UsageError
from pivo.restore.approval import EVERYTHING, Person, Rule
from pivo.settings import Settings

_KEYS = {"forge_targets", "file_targets", "confirm", "default_owner", "expires_minutes", "retention", "approval"}
_RULE = {"repositories", "targets", "requesters", "approvers", "expires_minutes"}
_WEEK = 7 * 24 * 60  # minutes
_MEND = "Mend the file; until then nothing acts."
_CENTURY = 36_525  # days
_FORGE_TARGET = re.compile(r"^[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9_.][A-Za-z0-9_.\-]{0,99}$")


@dataclass(frozen=True)
class Policy:
    """`forge_targets` and `confirm` are glob patterns (`owner/name`, user names); `file_targets` are folders
    that `file://` targets must lie below; `default_owner` owns a restored repository whose name has no owner.
    `replaced_packs_days` is the age from which on replaced packs may be removed; None for never. `approval` are the
    rules of which restores take a second person."""

    forge_targets: tuple[str, ...] = ("*/*",)
    file_targets: tuple[PurePosixPath, ...] = ()
    confirm: tuple[str, ...] = ("*",)
    default_owner: str = ""
    expires_minutes: int = 15
    replaced_packs_days: int | None = None
    approval: tuple[Rule, ...] = ()

    @classmethod
    def load(cls, settings: Settings) -> Policy:
        """The policy of this installation; what the file does not name has the defaults above."""
        path = settings.policy
        try:
            data = yaml.safe_load(path.read_text())
        except FileNotFoundError:
            data = {}
        except (OSError, yaml.YAMLError) as err:
            raise UsageError(f"The policy {path} cannot be read: {err}.", _MEND) from err
        return cls._parse(data or {}, path, settings.home)

    @classmethod
    def _parse(cls, data: Any, path: Path, home: Path) -> Policy:
        unknown = sorted(set(data) - _KEYS) if isinstance(data, dict) else ["not a mapping"]
        if unknown:
            raise UsageError(f"The policy {path} has {', '.join(unknown)}.", f"Known keys: {', '.join(sorted(_KEYS))}.")
        folders = _strings(data, "file_targets", ["{home}"], path)
        return cls(
            forge_targets=_strings(data, "forge_targets", ["*/*"], path),
            file_targets=tuple(PurePosixPath(f.replace("{home}", str(home))) for f in folders),
            confirm=_strings(data, "confirm", ["*"], path),
            default_owner=str(data.get("default_owner") or ""),
            expires_minutes=_minutes(data, 15, 24 * 60, path),
            replaced_packs_days=_retention(data.get("retention"), path),
            approval=_rules(data.get("approval"), path),
        )

    def check_target(self, target: str) -> None:
        """TargetError unless a restore may go to `target` (`owner/name`, or `file://` below an allowed folder)."""
        if _FORGE_TARGET.match(target):
            if any(fnmatchcase(target, pattern) for pattern in self.forge_targets):
                return
            raise TargetError(
                f"The policy allows no restore to {target}.", f"Allowed: {', '.join(self.forge_targets)}."
            )
        parts = urlsplit(target)
        where = PurePosixPath(unquote(parts.path))
        if (
            parts.scheme == "file"
            and parts.netloc in {"", "localhost"}
            and ".." not in where.parts
            and any(where.is_relative_to(folder) and where != folder for folder in self.file_targets)
        ):
            return
        raise TargetError(
            f"The agent may not restore to {target[:120]!a}.",
            "Use `owner/name` on the forge; `pivo restore` takes git URLs.",
        )

    def check_confirm(self, who: str) -> None:
        """TargetError unless `who` may confirm a restore."""
        if not any(fnmatchcase(who, pattern) for pattern in self.confirm):
            raise TargetError(f"The policy does not let {who} confirm a restore.", "Ask someone that it names.")


def _retention(value: Any, path: Path) -> int | None:
    if value is None:
        return None
    days = value.get("replaced_packs_days") if isinstance(value, dict) and len(value) == 1 else None
    if type(days) is not int or not 1 <= days <= _CENTURY:
        raise UsageError(
            f"retention in {path} is {value!r}; nothing is removed.",
            "Write `retention: {replaced_packs_days: 90}`, in whole days, or leave it out.",
        )
    return days


def _minutes(data: dict[str, Any], default: int, most: int, path: Path) -> int:
    value = data.get("expires_minutes", default)
    if type(value) is not int or not 1 <= value <= most:
        raise UsageError(f"expires_minutes in {path} is {value!r}.", f"Use whole minutes, 1 to {most}.")
    return value


def _rules(value: Any, path: Path) -> tuple[Rule, ...]:
    """The rules of approval; UsageError for one that could be read in two ways."""
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
        raise UsageError(f"approval in {path} is no list of rules.", _MEND)
    return tuple(_rule(rule, path) for rule in value)


def _rule(rule: dict[str, Any], path: Path) -> Rule:
    if unknown := sorted(map(str, set(rule) - _RULE)):
        raise UsageError(
            f"A rule of approval in {path} has {', '.join(unknown)}.",
            f"It may have {', '.join(sorted(_RULE))}. {_MEND}",
        )
    patterns = {}
    for key in ("repositories", "targets", "requesters"):
        patterns[key] = _strings(rule, key, list(EVERYTHING), path)
        if not patterns[key] or any(not pattern.removeprefix("!") for pattern in patterns[key]):
            raise UsageError(f"{key} of a rule of approval in {path} names nothing.", f"Leave it out for all. {_MEND}")
    people = rule.get("approvers")
    if not isinstance(people, list) or not people:
        raise UsageError(f"A rule of approval in {path} names no approvers.", f"List Airflow's users. {_MEND}")
    approvers = tuple(_person(person, path) for person in people)
    return Rule(approvers, **patterns, expires_minutes=_minutes(rule, 24 * 60, _WEEK, path))


def _person(told: Any, path: Path) -> Person:
    """A user of Airflow's by name, or {id: "7", name: ada} where the auth manager's ids are no names."""
    both = {"id": told, "name": told} if isinstance(told, str) else told
    if (
        not isinstance(both, dict)
        or set(both) != {"id", "name"}
        or not all(isinstance(v, str) and v.strip() and not set(v) & set("*?[]!") for v in both.values())
    ):
        raise UsageError(
            f"An approver in {path} is {told!r}, which is no single person.",
            f'Write a name of Airflow\'s users, or {{id: "7", name: ada}}; patterns name nobody. {_MEND}',
        )
    return Person(both["id"], both["name"])


def _strings(data: dict[str, Any], key: str, default: list[str], path: Path) -> tuple[str, ...]:
    value = data.get(key, default)
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise UsageError(f"{key} in {path} is no list of strings.", _MEND)
    return tuple(value)
