"""A question's frame: what kind it is, how its rows are grouped and ordered, how many are wanted and from which on.

The filters stay in the :class:`Reading`. A rule (planner/rules.py) says which concepts and names a question of its
kind must and may have. The first rule that explains *all* of a question is its kind; a concept or a name too many
and the rule does not apply. That is why "which commits did not fix anything" is refused and not answered as something
near to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice, product

from pivo.agent.planner import lexicon
from pivo.agent.planner.reading import Reading

ANYWHERE = frozenset({"ASK", "SHOW", "REPO", "YES", "ALLTHINGS", "IDLE", "NEW", "HAVE", "MANY", "HEADS", "EVER"})
_GROUPS = {"BY_DAY": "day", "BY_WEEK": "week", "BY_MONTH": "month", "BY_YEAR": "year", "BY_REPO": "repository"}
_NTH = {"NTH2": 1, "NTH3": 2, "NTH4": 3, "NTH5": 4}
_MOST_TRIED = 40  # combinations of meanings
_MOST_LISTED = 500
_RANKED = frozenset({"MOST", "LEAST", "LAST", "FIRST", "BIGGEST", "SMALLEST", "SIZE", "AGE", "WHO", "WHEN", "WHY"})
COUNTED = frozenset(
    {"files_added", "files_deleted", "files_changed", "verifications", "drills", "findings", "incomplete", "bad_repos"}
    | {"incomplete_repos", "never_verified", "stale", "stale_verified", "idle_repos", "repos_of_person", "ref_updates"}
    | {"repos_of_path", "path_search", "refs", "rewritten", "audit", "idle_people", "restores", "search", "snapshots"}
)
"""Lists whose rows are counted where they are asked "how many"."""
_REPOS_ASKED = re.compile(
    r"\b(?:which|what|how many|list|show|name|number of|each|every|per|by|rank)(?: of| the| all| our| me)*(?: \S+)?(?: "
    r"'s)? "
    r"(?:repos?|repository|repositories|projects?)\b|^(?:repos|repositories|projects)\b"
)
_ASCENDING = {"LEAST", "SMALLEST", "FIRST"}


@dataclass(frozen=True)
class Frame:
    """`kind` is a rule's name. `group` is day, week, month, year, repository or empty; `ascending` says that the
    smallest or oldest comes first; `offset` counts the rows before the one that is wanted ("second last": 1);
    `of` is the list that "count_rows" counts."""

    kind: str
    group: str = ""
    ascending: bool = False
    limit: int | None = None
    offset: int = 0
    of: Frame | None = None


@dataclass(frozen=True)
class Rule:
    """`needs`: one of each group (`A|B C`) must be said; `may`: further concepts that fit.

    `slots` are the numbers of names that fit, as (least, most); what is not listed must not occur, except for
    at most one repository. `when` looks closer.
    """

    name: str
    needs: str
    may: str = ""
    slots: dict[str, tuple[int, int]] = field(default_factory=dict)
    when: Callable[[Reading], bool] = lambda reading: True

    @cached_property
    def groups(self) -> tuple[frozenset[str], ...]:
        """The groups of which one must be said."""
        return tuple(frozenset(group.split("|")) for group in self.needs.split())

    @cached_property
    def allowed(self) -> frozenset[str]:
        """All that may be said."""
        told = ANYWHERE.union(*self.groups, self.may.split())
        return told | {single for plural, single in lexicon.SUPERSETS.items() if plural in told}

    def fits(self, reading: Reading, found: dict[str, int]) -> bool:
        concepts = reading.concepts
        return (
            all(group & concepts for group in self.groups)
            and (
                concepts <= self.allowed
                or (_everywhere(reading) and concepts <= self.allowed | {"ARCHIVE"})
                or (
                    bool(reading.owner)
                    and not asked_repos(reading)
                    and concepts <= self.allowed | {"REPOS", "REPO", "ORG", "BY_REPO"}
                )
            )
            and all(self._slot(name, found.get(name, 0)) for name in found.keys() | self.slots.keys())
            and self.when(reading)
            and self._consistent(reading)
        )

    def _slot(self, name: str, count: int) -> bool:
        least, most = self.slots.get(name, (0, 1 if name == "repos" else 0))
        return least <= count <= most

    def _consistent(self, reading: Reading) -> bool:
        """A rule that takes `ends` only because days count as ends must not swallow a ref or a hash."""
        if reading.paths and reading.concepts & {"LOST", "SIGNED", "UNSIGNED", "MERGE"}:
            return False  # changes of a path do not know whether their commit is signed, lost or a merge
        return bool({"commits", "refs"} & self.slots.keys()) or days(reading)


def counts(reading: Reading) -> dict[str, int]:
    """How many names of each kind the question has."""
    found = {
        "repos": len(reading.repos),
        "owner": int(bool(reading.owner)),
        "people": len(reading.people),
        "users": len(reading.users),
        "target": int(bool(reading.target)),
        "paths": len(reading.paths),
        "commits": len(reading.commits),
        "refs": len(reading.refs),
        "periods": len(reading.periods),
        "ends": len(reading.ends),
        "number": int(reading.number is not None),
        "seq": int(reading.seq is not None),
        "text": int(reading.text is not None),
        "alternatives": len(reading.alternatives),
        "part": int(reading.part is not None),
        "suffix": int(bool(reading.suffix)),
        "bytes": int(reading.bytes_ is not None),
        "run": int(bool(reading.run)),
    }
    return found | {f"not_{kind}": len(names) for kind, names in reading.without.items()}


def _everywhere(reading: Reading) -> bool:
    return not reading.repos or reading.defaulted


def asked_repos(reading: Reading) -> bool:
    """Whether repositories are asked for, and not only said to be those of an owner."""
    said = " ".join("" if w.quoted else w.norm for w in reading.words)
    return _REPOS_ASKED.search(said) is not None


def days(reading: Reading) -> bool:
    """All that could be an end of a comparison is a period (`ends` counts days, too)."""
    return len(reading.ends) == sum(1 for p in reading.periods if p.point)


def frame(reading: Reading) -> Frame | None:
    """The frame of the first rule that explains the whole question, or None. Words with several meanings are tried
    with the likeliest first, and then with as few others as need be; the reading keeps those that fitted."""
    found = counts(reading)
    for options in islice(_combinations(reading.choices), _MOST_TRIED):
        reading.settle(options)
        if made := _frame(reading, found):
            return made
    reading.settle([options[0] for options in reading.choices])
    return _counted(reading, found)


def _counted(reading: Reading, found: dict[str, int]) -> Frame | None:
    """The number of what another rule lists: "how many verifications failed"."""
    if "COUNT" not in reading.concepts or reading.concepts & _RANKED or reading.number is not None:
        return None
    for options in islice(_combinations(reading.choices), _MOST_TRIED):
        reading.settle(options)
        if reading.concepts & _RANKED:
            continue
        reading.concepts.discard("COUNT")
        made = _frame(reading, found, COUNTED)
        if made and not made.group:
            return Frame("count_rows", of=made)
    reading.settle([options[0] for options in reading.choices])
    return None


def _combinations(choices: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    ranked = sorted(islice(product(*(range(len(o)) for o in choices)), _MOST_LISTED), key=sum)
    return [tuple(options[i] for options, i in zip(choices, chosen, strict=True)) for chosen in ranked]


def _frame(reading: Reading, found: dict[str, int], among: frozenset[str] = frozenset()) -> Frame | None:
    from pivo.agent.planner.rules import RULES

    kind = next((rule.name for rule in RULES if (not among or rule.name in among) and rule.fits(reading, found)), None)
    groups = [group for concept, group in _GROUPS.items() if concept in reading.concepts]
    offsets = [offset for concept, offset in _NTH.items() if concept in reading.concepts]
    if kind is None or len(groups) > 1 or len(offsets) > 1:
        return None
    return Frame(
        kind,
        group=groups[0] if groups else "",
        ascending=bool(_ASCENDING & reading.concepts),
        limit=reading.number,
        offset=offsets[0] if offsets else 0,
    )
