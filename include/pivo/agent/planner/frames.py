"""What kinds of questions there are. A rule says which concepts and names a question of its kind must and may have.

The first rule that explains *all* of a question is its frame; a concept or a name too many and the rule does not
apply. That is why "which commits were not signed off by Ada" is refused and not answered as something near to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pivo.agent.planner.reading import Reading

_ANYWHERE = frozenset({"ASK", "SHOW", "REPO", "YES"})
_FLAGS = "LOST SIGNED UNSIGNED MERGE"


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

    def fits(self, reading: Reading) -> bool:
        groups = [set(group.split("|")) for group in self.needs.split()]
        allowed = set().union(*groups, self.may.split(), _ANYWHERE)
        if not reading.repos or reading.defaulted:
            allowed.add("ARCHIVE")
        return (
            all(group & reading.concepts for group in groups)
            and reading.concepts <= allowed
            and all(self._slot(name, count) for name, count in counts(reading).items())
            and self.when(reading)
        )

    def _slot(self, name: str, count: int) -> bool:
        least, most = self.slots.get(name, (0, 1 if name == "repos" else 0))
        return least <= count <= most


def counts(reading: Reading) -> dict[str, int]:
    """How many names of each kind the question has."""
    return {
        "repos": len(reading.repos),
        "people": len(reading.people),
        "paths": len(reading.paths),
        "commits": len(reading.commits),
        "refs": len(reading.refs),
        "periods": len(reading.periods),
        "ends": len(reading.ends),
        "number": int(reading.number is not None),
        "text": int(reading.text is not None),
    }


def _single(reading: Reading) -> bool:
    """One thing is asked for, not a list of them."""
    many = {"COMMITS", "SNAPSHOTS"} & reading.concepts
    return not many and reading.number in {None, 1}


def _folder(reading: Reading) -> bool:
    return reading.path is None or reading.path.folder


def _days(reading: Reading) -> bool:
    """All that could be an end of a comparison is a period (`ends` counts days, too)."""
    return len(reading.ends) == sum(1 for p in reading.periods if p.point)


def _since(r: Reading) -> bool:
    return r.period is not None and r.period.start is not None


def _older(r: Reading) -> bool:
    return r.period is not None and r.period.start is None


def _closed(r: Reading) -> bool:
    return r.period is not None and r.period.start is not None and r.period.end is not None


def _over_all(r: Reading) -> bool:
    return not r.repos or r.defaulted


def _no_repos(r: Reading) -> bool:
    return "REPOS" not in r.concepts


def _tip(r: Reading) -> bool:
    return _single(r) and (not r.concepts & {"CHANGE", "TAG"} or bool(r.concepts & {"LAST", "WHEN"}))


def _two(r: Reading) -> bool:
    return r.number == 2 and not (r.path and r.path.folder)


def _one_file(r: Reading) -> bool:
    """A file to be shown, at a moment only if it is said to be "as of" it."""
    named = bool(r.ends) or not r.concepts & {"COMMIT", "LAST", "BRANCH"}
    return _single(r) and named and (not r.periods or bool(r.concepts & {"ASOF", "CONTENT"}))


def _one_folder(r: Reading) -> bool:
    return _folder(r) and (bool(r.ends) or not r.concepts & {"COMMIT", "TAG", "BRANCH"})


def _about_commits(r: Reading) -> bool:
    return bool(r.concepts & {"COMMIT", "CHANGE"} or r.people or (r.periods and "ASK" in r.concepts))


_ONE, _OPT, _ANY = (1, 1), (0, 1), (0, 9)
_WHEN = {"periods": _OPT, "ends": _OPT}
_WIDE = {"people": _OPT, "paths": _OPT, **_WHEN}
_ENDS = {"commits": (0, 2), "refs": (0, 2), "periods": (0, 2)}

RULES: tuple[Rule, ...] = (
    Rule("help", "HELP"),
    Rule(
        "search",
        "SEARCH",
        "COMMIT COMMITS MESSAGE RECENT LAST",
        {**_WIDE, "text": _ONE, "number": _OPT, "paths": (0, 0)},
    ),
    Rule("count_restores", "COUNT RESTORE", "REPOS FAILED", _WHEN),
    Rule("last_restore", "RESTORE LAST", "WHO WHEN FAILED", _WHEN, _single),
    Rule("restores", "RESTORE", "WHO WHEN REPOS LAST RECENT FAILED WHERE COMMIT", {**_WHEN, "number": _OPT}),
    Rule("stale", "NOT SNAPSHOT", "REPOS SNAPSHOTS", {"periods": _ONE, "ends": _OPT}, _since),
    Rule("stale", "SNAPSHOT REPO", "REPOS LAST SNAPSHOTS WHO", {"periods": _ONE}, _older),
    Rule("count_snapshots", "COUNT SNAPSHOT", "SNAPSHOTS", _WHEN, _no_repos),
    Rule("first_snapshot", "FIRST SNAPSHOT", "WHEN AGE WHERE STORED", {}, _single),
    Rule("last_snapshot", "SNAPSHOT LAST|AGE|WHEN|WHERE|STORED", "LAST AGE WHEN WHERE STORED SIZE", _WHEN, _single),
    Rule("last_snapshot", "STORED", "WHERE", {}),
    Rule("size", "SIZE", "ARCHIVE SNAPSHOT SNAPSHOTS"),
    Rule("count_repos", "COUNT REPOS", "SNAPSHOT ARCHIVE"),
    Rule("repos_by_size", "REPO BIGGEST", "REPOS SIZE", {"number": _OPT, "repos": _ANY}, _over_all),
    Rule("repos_by_commits", "REPO MOST COMMIT", "REPOS COMMITS", {"number": _OPT, "repos": _ANY}, _over_all),
    Rule("repos", "REPOS", "SNAPSHOT ARCHIVE", {}, _over_all),
    Rule("snapshots", "SNAPSHOT", "SNAPSHOTS LAST RECENT WHEN WHERE STORED", {**_WHEN, "number": _OPT}),
    Rule("count_branches", "COUNT BRANCH"),
    Rule("count_tags", "COUNT TAG"),
    Rule("last_tag", "LAST TAG", "WHEN"),
    Rule("branches", "BRANCH"),
    Rule("tags", "TAG", "", {"number": _OPT}),
    Rule("refs", "REF"),
    Rule(
        "tip",
        "COMMIT|POINT|WHERE|CHANGE|TAG",
        "LAST WHO WHEN BRANCH TAG MESSAGE WROTE WHERE AGE",
        {"refs": _ONE, "ends": _ONE},
        _tip,
    ),
    Rule("commit_files", "FILE CHANGE|ADDED|DELETED", "COMMIT", {"commits": _ONE, "ends": _ONE}),
    Rule("diff_commit", "CHANGE|DIFF", "COMMIT", {"commits": _ONE, "ends": _ONE, "paths": _OPT}),
    Rule("commit", "", "WHO WHEN COMMIT WROTE PERSON MESSAGE", {"commits": _ONE, "ends": _ONE}),
    Rule(
        "diff",
        "DIFF|CHANGE|BETWEEN",
        "BETWEEN DIFF CHANGE COMMIT COMMITS BRANCH TAG FILE ASOF",
        {**_ENDS, "ends": (2, 2), "paths": _OPT},
    ),
    Rule("diff_period", "DIFF", "CHANGE FILE BETWEEN", {"periods": _ONE, "paths": _OPT, "ends": (0, 0)}, _closed),
    Rule(
        "diff_last_two",
        "DIFF|CHANGE LAST BETWEEN|DIFF",
        "BETWEEN DIFF COMMIT COMMITS TAG CHANGE",
        {"paths": _OPT, "number": _ONE},
        _two,
    ),
    Rule("diff_last", "DIFF LAST", "COMMIT CHANGE", {"paths": _OPT}, _single),
    Rule("diff_last", "ASK LAST COMMIT CHANGE", "", {}, _single),
    Rule(
        "read_file",
        "CONTENT|SHOW|ASOF|ASK",
        "CONTENT FILE ASOF COMMIT TAG BRANCH FOLDER LAST",
        {**_ENDS, "paths": _ONE, "ends": _OPT},
        _one_file,
    ),
    Rule(
        "list_files",
        "FILE|FOLDER SHOW|ASK",
        "FILE FOLDER CONTENT ASOF COMMIT TAG BRANCH",
        {**_ENDS, "paths": _OPT, "ends": _OPT},
        _one_folder,
    ),
    Rule("count_files", "COUNT FILE"),
    Rule("path_added", "ADDED WHO|WHEN", "FILE FIRST", {"paths": _ONE}),
    Rule("path_deleted", "DELETED WHO|WHEN", "FILE", {"paths": _ONE}),
    Rule("files_added", "ADDED FILE", "", {"people": _OPT, **_WHEN, "paths": _OPT}, _folder),
    Rule("files_deleted", "DELETED FILE", "", {"people": _OPT, **_WHEN, "paths": _OPT}, _folder),
    Rule("files_most", "FILE CHANGE MOST", "", {"people": _OPT, **_WHEN, "number": _OPT}),
    Rule(
        "files_changed", "FILE CHANGE", "LAST RECENT", {"people": _OPT, **_WHEN, "paths": _OPT, "number": _OPT}, _folder
    ),
    Rule("count_people", "COUNT PERSON", "PEOPLE COMMIT CHANGE WROTE", {**_WHEN, "paths": _OPT}),
    Rule("count_commits", "COUNT COMMIT|CHANGE", f"COMMITS CHANGE {_FLAGS}", _WIDE),
    Rule(
        "contributors",
        "WHO|PERSON PERSON|COMMIT|CHANGE|WROTE",
        "PEOPLE COMMITS COMMIT CHANGE MOST PER WROTE FILE RECENT",
        {**_WHEN, "paths": _OPT, "number": _OPT},
    ),
    Rule("contributors", "COMMIT PER PERSON", "COMMITS PEOPLE", {**_WHEN, "paths": _OPT}),
    Rule("last_commit", "LAST COMMIT|CHANGE|WROTE", f"WHO WHEN MESSAGE FILE PERSON AGE {_FLAGS}", _WIDE, _single),
    Rule("first_commit", "FIRST COMMIT|CHANGE|WROTE", f"WHO WHEN MESSAGE FILE PERSON AGE {_FLAGS}", _WIDE, _single),
    Rule(
        "commits",
        "COMMIT|CHANGE|ASK|SHOW",
        f"COMMIT COMMITS CHANGE LAST RECENT MESSAGE WHEN WROTE {_FLAGS}",
        {**_WIDE, "people": (0, 3), "number": _OPT},
        _about_commits,
    ),
)
"""Tried from the top. The more particular come first."""


def frame(reading: Reading) -> str | None:
    """The name of the rule that explains the whole question, or None."""
    return next((rule.name for rule in RULES if rule.fits(reading) and _consistent(rule, reading)), None)


def _consistent(rule: Rule, reading: Reading) -> bool:
    """A rule that takes `ends` only because days count as ends must not swallow a ref or a hash."""
    if reading.paths and reading.concepts & set(_FLAGS.split()):
        return False  # changes of a path do not know whether their commit is signed, lost or a merge
    named = {"commits", "refs"} & rule.slots.keys()
    return bool(named) or _days(reading)
