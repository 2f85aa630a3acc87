"""Which restores a second person has to approve, and who that may be: the rules of the policy, and how they fit.

A pattern is a glob; one that begins with `!` is an exception. Where it is doubtful whether a rule fits, it does: a
repository or target fits in any spelling, an exception only in the one that PIVO uses itself.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from urllib.parse import unquote, urlsplit

from pivo.errors import TargetError, UsageError
from pivo.restore.target import Target

EVERYTHING = ("*",)


@dataclass(frozen=True)
class Person:
    """Somebody with a login to Airflow. `id` is what Airflow's auth manager knows them by, which may be a number;
    with the simple auth manager it is the name."""

    id: str
    name: str


@dataclass(frozen=True)
class Rule:
    """Restores of `repositories` to `targets`, asked for by `requesters`, take the approval of one of `approvers`."""

    approvers: tuple[Person, ...]
    repositories: tuple[str, ...] = EVERYTHING
    targets: tuple[str, ...] = EVERYTHING
    requesters: tuple[str, ...] = EVERYTHING
    expires_minutes: int = 24 * 60

    def fits(self, repo: str, target: str, requesters: Collection[str]) -> bool:
        """Whether a restore is under this rule. `requesters` are all names that are behind it: one that is no
        exception is enough."""
        own, others = _spellings(target)
        return (
            _fits(self.repositories, repo, (repo,))
            and _fits(self.targets, own, others)
            and any(_fits(self.requesters, who, (who,)) for who in requesters or ("",))
        )


@dataclass(frozen=True)
class Needed:
    """The approval that a restore takes: of one of `approvers`, within `expires_minutes`."""

    approvers: tuple[Person, ...]
    expires_minutes: int

    @property
    def within(self) -> timedelta:
        return timedelta(minutes=self.expires_minutes)

    @property
    def words(self) -> str:
        """For people: `grace or linus, within 24 hours`."""
        hours, minutes = divmod(self.expires_minutes, 60)
        unit = (hours, "hour") if not minutes else (self.expires_minutes, "minute")
        return f"{names(self.approvers)}, within {unit[0]} {unit[1]}{'' if unit[0] == 1 else 's'}"


def needed(rules: Iterable[Rule], targets: Mapping[str, str], requesters: Collection[str]) -> Needed | None:
    """What the restore of repositories to their `targets` takes; None when no rule fits any of them.

    Whoever approves is named by every rule that fits, and is not one of `requesters`. TargetError when nobody is.
    """
    fitting = [rule for rule in rules if any(rule.fits(repo, to, requesters) for repo, to in targets.items())]
    if not fitting:
        return None
    everybody = dict.fromkeys(person for rule in fitting for person in rule.approvers)
    named = [person for person in everybody if all(person in rule.approvers for rule in fitting)]
    if not named:
        raise TargetError(
            "The policy asks for a second person, and names nobody who may approve all of this. Nothing was started.",
            "Restore the repositories apart.",
        )
    left = tuple(person for person in named if not is_one_of(person, requesters))
    if not left:
        raise TargetError(
            f"The policy asks for a second person, and names only {names(named)}, who asked for this. "
            "Nothing was started.",
            "Have somebody else ask, or name another approver in include/policy.yaml.",
        )
    return Needed(left, min(rule.expires_minutes for rule in fitting))


def is_one_of(person: Person, requesters: Collection[str]) -> bool:
    """Whether `person` goes by one of these names; upper and lower case are the same, to be on the safe side."""
    return bool({person.id.casefold(), person.name.casefold()} & {who.casefold() for who in requesters})


def names(people: Iterable[Person]) -> str:
    """`ada, grace or linus`."""
    told = [person.name for person in people]
    return " or ".join(filter(None, (", ".join(told[:-1]), told[-1])))


def _fits(patterns: tuple[str, ...], own: str, spellings: Iterable[str]) -> bool:
    """Whether a value that is spelt in these ways is meant; exceptions hold for `own` as it stands."""
    exceptions = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    wanted = [pattern.casefold() for pattern in patterns if not pattern.startswith("!")] or EVERYTHING
    meant = any(fnmatchcase(one.casefold(), pattern) for one in spellings for pattern in wanted)
    return meant and not any(fnmatchcase(own, pattern) for pattern in exceptions)


def _spellings(target: str) -> tuple[str, list[str]]:
    """A target as PIVO spells it (`owner/name`, a folder as file:///…, an address as it was given), and all that a
    pattern may have meant by it: every end of an address's path as `owner/name`, too."""
    try:
        parsed = Target.parse(target)
    except UsageError:
        return target, [target]
    if parsed.kind == "forge":
        return target, [target]
    if parsed.path is not None:
        own = parsed.path.resolve().as_uri()
        path = unquote(urlsplit(own).path)
    elif "://" in target:
        own, path = target, unquote(urlsplit(target).path)
    else:
        own, path = target, target.partition(":")[2]  # ada@host:owner/name.git
    parts = [part for part in posixpath.normpath(f"/{path}").split("/") if part]
    ends = ["/".join(parts[n:]) for n in range(max(len(parts) - 1, 1))]
    return own, [target, own, *ends, *(end.removesuffix(".git") for end in ends)]
