"""What a rule looks at more closely before it takes a question."""

from __future__ import annotations

from pivo.agent.planner.reading import Reading
from pivo.agent.planner.words import wordset

MEASURES = "SNAPSHOT|PERSON|BRANCH|TAG|FILE|RESTORE|FINDING|LOST|MERGE|SIGNED"
"""What repositories are ranked by."""


def single(r: Reading) -> bool:
    """One thing is asked for, not a list of them."""
    return not {"COMMITS", "SNAPSHOTS", "MANY"} & r.concepts and r.number in {None, 1}


def single_commit(r: Reading) -> bool:
    """One commit; "which file was changed last" asks for a file."""
    return single(r) and ("FILE" not in r.concepts or bool(r.paths))


def folder(r: Reading) -> bool:
    return r.path is None or r.path.folder


def since(r: Reading) -> bool:
    return r.period is not None and r.period.start is not None and not r.period.asof


def older(r: Reading) -> bool:
    return r.period is not None and r.period.start is None


def closed(r: Reading) -> bool:
    return r.period is not None and r.period.start is not None and r.period.end is not None


def over_all(r: Reading) -> bool:
    return not r.repos or r.defaulted


def no_repos(r: Reading) -> bool:
    return "REPOS" not in r.concepts


def tip(r: Reading) -> bool:
    if "WHO" in r.concepts and "LAST" not in r.concepts:
        return False  # who committed to a branch is more than who made its newest commit
    return single(r) and (not r.concepts & {"CHANGE", "TAG"} or bool(r.concepts & {"LAST", "WHEN", "COMMIT"}))


def two(r: Reading) -> bool:
    return r.number == 2 and not (r.path and r.path.folder)


def one_file(r: Reading) -> bool:
    """A file to be shown, at a moment only if it is said to be "as of" it."""
    if r.periods and not (r.period and r.period.point):
        return False
    named = bool(r.ends) or not r.concepts & {"COMMIT", "LAST", "BRANCH"}
    return single(r) and named and not r.concepts & {"HAVE", "EVER"}


def one_folder(r: Reading) -> bool:
    return "EVER" not in r.concepts and folder(r) and (bool(r.ends) or not r.concepts & {"COMMIT", "TAG", "BRANCH"})


def about_commits(r: Reading) -> bool:
    if r.concepts & {"COMMIT", "CHANGE", "MERGE", "NOMERGE", "SIGNED", "UNSIGNED"}:
        return True
    return bool(r.people or (r.periods and r.concepts & {"ASK", "ALLTHINGS"}))


def ranked(r: Reading) -> bool:
    """Repositories by one thing that is counted; commits as such have rules of their own, and no day has branches."""
    measured = r.concepts & set(MEASURES.split("|"))
    if measured & {"BRANCH", "TAG", "FILE"} and r.periods:
        return False
    plain = measured & {"LOST", "MERGE", "SIGNED", "PERSON"} or not r.concepts & {"COMMIT", "COMMITS"}
    if "WHO" in r.concepts or ("CHANGE" in r.concepts and measured != {"PERSON"}):
        return False
    return over_all(r) and len(measured) == 1 and bool(plain)


def people(r: Reading) -> bool:
    """People are asked for, and not which repository has the most of them."""
    return not (r.concepts & {"MOST", "LEAST"} and "REPO" in r.concepts and "WHO" not in r.concepts and not r.repos)


def listed(r: Reading) -> bool:
    """Commits as such; when they were lost, and what a force-push moved, are other questions."""
    if "LOST" in r.concepts:
        return "WHEN" not in r.concepts and bool(r.concepts & {"COMMIT", "ASK", "SHOW", "FORCED"})
    if "WHERE" in r.concepts and not (r.paths and "COMMITS" in r.concepts):
        return False
    return about_commits(r) and "FORCED" not in r.concepts


_NOUNS = {
    "repo": wordset("repo repos repository repositories project projects"),
    "file": wordset("file files path paths filenames scripts"),
    "other": wordset("commit commits revision revisions snapshot snapshots backup backups"),
}


def asked_first(r: Reading, kind: str) -> bool:
    """Whether it is named before the commits or snapshots: "which files did commits touch", "which repository"."""
    at = {k: next((i for i, w in enumerate(r.words) if w.norm in _NOUNS[k]), 999) for k in (kind, "other")}
    return at[kind] < at["other"]
