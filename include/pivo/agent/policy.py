"""Who may confirm what the agent proposes, and where a restore may go: `include/policy.yaml`.

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
from pivo.settings import Settings

_KEYS = {"forge_targets", "file_targets", "confirm", "default_owner", "expires_minutes", "retention"}
_CENTURY = 36_525  # days
_FORGE_TARGET = re.compile(r"^[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9_.][A-Za-z0-9_.\-]{0,99}$")


@dataclass(frozen=True)
class Policy:
    """`forge_targets` and `confirm` are glob patterns (`owner/name`, user names); `file_targets` are folders
    that `file://` targets must lie below; `default_owner` owns a restored repository whose name has no owner.
    `replaced_packs_days` is the age from which on replaced packs may be removed; None for never."""

    forge_targets: tuple[str, ...] = ("*/*",)
    file_targets: tuple[PurePosixPath, ...] = ()
    confirm: tuple[str, ...] = ("*",)
    default_owner: str = ""
    expires_minutes: int = 15
    replaced_packs_days: int | None = None

    @classmethod
    def load(cls, settings: Settings) -> Policy:
        """The policy of this installation; what the file does not name has the defaults above."""
        path = settings.root / "include" / "policy.yaml"
        try:
            data = yaml.safe_load(path.read_text())
        except FileNotFoundError:
            data = {}
        except (OSError, yaml.YAMLError) as err:
            raise UsageError(
                f"The policy {path} cannot be read: {err}.", "Mend the file; until then nothing acts."
            ) from err
        return cls._parse(data or {}, path, settings.home)

    @classmethod
    def _parse(cls, data: Any, path: Path, home: Path) -> Policy:
        unknown = sorted(set(data) - _KEYS) if isinstance(data, dict) else ["not a mapping"]
        if unknown:
            raise UsageError(f"The policy {path} has {', '.join(unknown)}.", f"Known keys: {', '.join(sorted(_KEYS))}.")
        folders = _strings(data, "file_targets", ["{home}"], path)
        minutes = data.get("expires_minutes", 15)
        if not isinstance(minutes, int) or not 1 <= minutes <= 24 * 60:
            raise UsageError(f"expires_minutes in {path} is {minutes!r}.", "Use whole minutes, 1 to 1440.")
        return cls(
            forge_targets=_strings(data, "forge_targets", ["*/*"], path),
            file_targets=tuple(PurePosixPath(f.replace("{home}", str(home))) for f in folders),
            confirm=_strings(data, "confirm", ["*"], path),
            default_owner=str(data.get("default_owner") or ""),
            expires_minutes=minutes,
            replaced_packs_days=_retention(data.get("retention"), path),
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


def _strings(data: dict[str, Any], key: str, default: list[str], path: Path) -> tuple[str, ...]:
    value = data.get(key, default)
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise UsageError(f"{key} in {path} is no list of strings.", "Mend the file; until then nothing acts.")
    return tuple(value)
