"""What a rule looks at more closely before it takes a question."""

from __future__ import annotations

from itertools import pairwise

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


def single_named(r: Reading) -> bool:
    """The last commit, and the files of it: "which files did the last commit touch"."""
    plural = said(r, wordset("commits changes revisions"))
    return r.number is None and not plural and asked_first(r, "file") and bool(r.repos or r.people)


def folder(r: Reading) -> bool:
    return r.path is None or r.path.folder


def here(r: Reading) -> bool:
    """What there is now, in a folder or all of it."""
    return folder(r) and "EVER" not in r.concepts


def added(r: Reading) -> bool:
    """Files that came, and not just anything new."""
    asked = bool(r.concepts & {"FILE", "ASK", "SHOW", "ALLTHINGS"})
    whole = "FILE" not in r.concepts and bool(r.concepts & {"WHO", "WHEN"})  # "when was acme/web created"
    return folder(r) and not whole and (asked or said(r, wordset("files file additions")))


def said(r: Reading, any_of: frozenset[str]) -> bool:
    """Whether one of these words is in the question, outside of quotes."""
    return any(w.norm in any_of for w in r.words if not w.quoted)


WHICH = wordset("which what")
_THERE = wordset("have has got exist exists there called named still around left")
_TOTAL = wordset("total combined altogether overall sum together summed")
_EVERY = wordset("all every each complete entire full")
_NOW = wordset("now currently current moment present head today")


def summed(r: Reading) -> bool:
    """ "The total size of the files" is one number."""
    return said(r, _TOTAL)


def commits_first(r: Reading) -> bool:
    """ "Which commits were lost, and who wrote them": the commits, each with its author."""
    norms = [w.norm for w in r.words if not w.quoted]
    which = next(
        (i for i, w in enumerate(norms) if w == "commits" and i and norms[i - 1] in {"which", "what", "the"}), 999
    )
    return which < (norms.index("who") if "who" in norms else 0) and "and" in norms


def branches_asked(r: Reading) -> bool:
    """ "Which branches were rewritten", and not "which repositories"."""
    norms = [w.norm for w in r.words if not w.quoted]
    return any(a in WHICH and b in {"branch", "branches"} for a, b in pairwise(norms))


def takes_space(r: Reading) -> bool:
    """ "What takes the most space in acme/web?" """
    return not r.defaulted and said(r, wordset("space storage room disk")) and said(r, WHICH)


def overview(r: Reading) -> bool:
    """What there is to tell about a repository as a whole."""
    return not r.defaulted and said(r, wordset("overview summary statistics stats rundown facts summarise summarize"))


def whether(r: Reading) -> bool:
    """ "Is docs/faq.md still there", "does acme/web contain a Makefile": no contents are asked for."""
    first = r.words[0].norm if r.words else ""
    then = r.words[1].norm if len(r.words) > 1 else ""
    asked = first in {"is", "does", "do", "are"} or (first, then) == ("have", "we")
    return asked and (bool(r.concepts & {"YES", "HAVE"}) or said(r, _THERE))


def files_until(r: Reading) -> bool:
    """Files whose last change was before a day; the last that were changed in a week is another question."""
    return folder(r) and r.period is not None and r.period.start is None and said(r, wordset("files paths"))


def all_now(r: Reading) -> bool:
    """All files that there are, below every folder; "the files of acme/web" are those at its root, as in a listing."""
    plural = said(r, wordset("files paths filenames"))
    return plural and folder(r) and said(r, _EVERY | _NOW) and not r.concepts & {"CHANGE", "COMMIT", "EVER"}


def since(r: Reading) -> bool:
    return r.period is not None and r.period.start is not None and not r.period.asof


def older(r: Reading) -> bool:
    return r.period is not None and r.period.start is None


def closed(r: Reading) -> bool:
    return r.period is not None and r.period.start is not None and r.period.end is not None


def over_all(r: Reading) -> bool:
    return not r.repos or r.defaulted


def not_said(r: Reading) -> bool:
    """No repository is named; a path may tell which it is."""
    return not r.spans.get("repo")


def no_repos(r: Reading) -> bool:
    return "REPOS" not in r.concepts


def files_of_path(r: Reading) -> bool:
    """ "Commits that changed files below src/" are commits; "which files" are not."""
    return "FILE" not in r.concepts or (bool(r.paths) and "COMMITS" in r.concepts and not asked_first(r, "file"))


def tags(r: Reading) -> bool:
    """Tags as such, with where they point or their dates."""
    pointing = "POINT" in r.concepts or not r.concepts & {"COMMIT", "WHERE"}
    return r.number is None and pointing and ("WHEN" not in r.concepts or "MANY" in r.concepts)


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


def one_day(r: Reading) -> bool:
    """What there was on a day, and not what came or went on it."""
    return "ASOF" in r.concepts or bool(
        r.period and r.period.point and said(r, wordset("were was existed had contained"))
    )


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


def without(r: Reading) -> bool:
    """Repositories that have none of one thing; those that were not verified, or saw no commits, are others."""
    return over_all(r) and len(r.concepts & set(MEASURES.split("|"))) == 1 and not r.concepts & {"COMMIT", "CHANGE"}


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
