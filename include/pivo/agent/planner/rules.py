"""The kinds of questions there are, the more particular first. Data, with small conditions."""

from __future__ import annotations

from pivo.agent.planner.frames import Rule
from pivo.agent.planner.reading import Reading

_FLAGS = "LOST SIGNED UNSIGNED MERGE NOMERGE"
_GROUPED = "BY_DAY|BY_WEEK|BY_MONTH|BY_YEAR|BY_REPO"
_GROUP = "BY_DAY BY_WEEK BY_MONTH BY_YEAR BY_REPO"
_MEASURES = "SNAPSHOT|PERSON|BRANCH|TAG|FILE|RESTORE|FINDING|LOST|MERGE|SIGNED"
_PLURALS = "SNAPSHOTS PEOPLE COMMIT COMMITS CHANGE"
_NTH = "NTH2 NTH3 NTH4 NTH5"


def _single(r: Reading) -> bool:
    """One thing is asked for, not a list of them."""
    return not {"COMMITS", "SNAPSHOTS"} & r.concepts and r.number in {None, 1}


def _folder(r: Reading) -> bool:
    return r.path is None or r.path.folder


def _since(r: Reading) -> bool:
    return r.period is not None and r.period.start is not None and not r.period.asof


def _older(r: Reading) -> bool:
    return r.period is not None and r.period.start is None


def _closed(r: Reading) -> bool:
    return r.period is not None and r.period.start is not None and r.period.end is not None


def _over_all(r: Reading) -> bool:
    return not r.repos or r.defaulted


def _no_repos(r: Reading) -> bool:
    return "REPOS" not in r.concepts


def _tip(r: Reading) -> bool:
    if "WHO" in r.concepts and "LAST" not in r.concepts:
        return False  # who committed to a branch is more than who made its newest commit
    return _single(r) and (not r.concepts & {"CHANGE", "TAG"} or bool(r.concepts & {"LAST", "WHEN", "COMMIT"}))


def _two(r: Reading) -> bool:
    return r.number == 2 and not (r.path and r.path.folder)


def _one_file(r: Reading) -> bool:
    """A file to be shown, at a moment only if it is said to be "as of" it."""
    named = bool(r.ends) or not r.concepts & {"COMMIT", "LAST", "BRANCH"}
    return _single(r) and named and (not r.periods or bool(r.concepts & {"ASOF", "CONTENT"}))


def _one_folder(r: Reading) -> bool:
    return _folder(r) and (bool(r.ends) or not r.concepts & {"COMMIT", "TAG", "BRANCH"})


def _about_commits(r: Reading) -> bool:
    if r.concepts & {"COMMIT", "CHANGE", "MERGE", "SIGNED", "UNSIGNED"}:
        return True
    return bool(r.people or (r.periods and r.concepts & {"ASK", "ALLTHINGS"}))


def _ranked(r: Reading) -> bool:
    """Repositories by one thing that is counted; commits as such have rules of their own, and no day has branches."""
    measured = r.concepts & set(_MEASURES.split("|"))
    if measured & {"BRANCH", "TAG", "FILE"} and r.periods:
        return False
    plain = measured & {"LOST", "MERGE", "SIGNED", "PERSON"} or not r.concepts & {"COMMIT", "COMMITS"}
    if "WHO" in r.concepts or ("CHANGE" in r.concepts and measured != {"PERSON"}):
        return False
    return _over_all(r) and len(measured) == 1 and bool(plain)


def _people(r: Reading) -> bool:
    """People are asked for, and not which repository has the most of them."""
    return not (r.concepts & {"MOST", "LEAST"} and "REPO" in r.concepts and "WHO" not in r.concepts and not r.repos)


def _listed(r: Reading) -> bool:
    """Commits as such; when they were lost, and what a force-push moved, are other questions."""
    if "LOST" in r.concepts:
        return "WHEN" not in r.concepts
    return _about_commits(r) and "FORCED" not in r.concepts


_ONE, _OPT, _ANY = (1, 1), (0, 1), (0, 9)
_WHEN = {"periods": _OPT, "ends": _OPT}
_MANY = {"repos": _ANY, "owner": _OPT}
_BY = {"people": (0, 5), "not_person": _ANY}
_WIDE = {"paths": _OPT, **_BY, **_WHEN, **_MANY}
_ENDS = {"commits": (0, 2), "refs": (0, 2), "periods": (0, 2)}
_COMMIT = {"commits": _ONE, "ends": _ONE}
_LOG = {"refs": _ONE, "ends": (1, 2), "periods": _OPT, "people": _OPT, "number": _OPT, "paths": _OPT, "text": _OPT}

RULES: tuple[Rule, ...] = (
    Rule("help", "HELP"),
    Rule("run_status", "", "STATUS ASOF RUN RESTORE SNAPSHOT VERIFY DRILL LAST", {"run": _ONE}),
    Rule("run_status", "RUN|STATUS|CURRENT RESTORE|SNAPSHOT|VERIFY|DRILL", "STATUS ASOF RUN LAST CURRENT RUNNING", {},
         _over_all),
    Rule("audit", "AUDIT", "WHO WHEN LAST RECENT CONTENT", {"users": _OPT, "number": _OPT, **_WHEN}),
    Rule("path_search", "NAMED", "FILE WHERE", {"part": _ONE}),
    Rule("count_search", "SEARCH COUNT", "COMMIT COMMITS MESSAGE", {**_WIDE, "text": _ONE, "paths": (0, 0)}),
    Rule(
        "search",
        "SEARCH",
        "COMMIT COMMITS MESSAGE RECENT LAST WHO",
        {**_WIDE, "text": _ONE, "number": _OPT, "paths": (0, 0)},
    ),
    # what was proven, found, restored
    Rule("findings", "FINDING", f"VERIFY COUNT LAST ARCHIVE SNAPSHOT SNAPSHOTS REPOS {_GROUP}",
         {**_WHEN, **_MANY}, lambda r: "COUNT" not in r.concepts),
    Rule("bad_repos", "VERIFY FAILED", "REPOS NOT ARCHIVE LAST", {"owner": _OPT}, lambda r: "NOT" not in r.concepts),
    Rule("never_verified", "NEVER VERIFY", "REPOS", {"owner": _OPT}, _over_all),
    Rule("never_verified", "NOT VERIFY REPOS", "", {"owner": _OPT}, _over_all),
    Rule("stale_verified", "NOT VERIFY", "REPOS", {"periods": _ONE, "ends": _OPT, "owner": _OPT}, _since),
    Rule("drills", "DRILL", "LAST WHEN RECENT FIRST VERIFY", {**_WHEN, **_MANY, "number": _OPT}),
    Rule("last_verification", "VERIFY", "LAST WHEN HEALTH AGE", {}, lambda r: bool(r.repos) and _single(r)),
    Rule("verifications", "VERIFY", "LAST RECENT WHEN RUN", {**_WHEN, **_MANY, "number": _OPT}),
    Rule("health", "HEALTH", "ARCHIVE REPOS SNAPSHOT SNAPSHOTS STATUS", {"owner": _OPT, "repos": _ANY}),
    Rule("count_restores", "COUNT RESTORE", "REPOS FAILED RUNNING REQUESTED", {**_WHEN, "users": _OPT, "owner": _OPT}),
    Rule("restores", "RESTORE FAILED WHY", "REQUESTED LAST REPOS WHO", {**_WHEN, "users": _OPT, "owner": _OPT}),
    Rule("restores", "RESTORE RUNNING", "REPOS WHO WHEN REQUESTED", {"users": _OPT, "owner": _OPT}),
    Rule("last_restore", "RESTORE LAST", "WHO WHEN FAILED WHY REQUESTED", {**_WHEN, "users": _OPT}, _single),
    Rule(
        "restores",
        "RESTORE",
        "WHO WHEN REPOS LAST RECENT FAILED WHERE COMMIT REQUESTED",
        {**_WHEN, "number": _OPT, "users": _OPT, "owner": _OPT},
    ),
    # snapshots and repositories
    Rule("stale", "NOT|MISSED SNAPSHOT", "REPOS SNAPSHOTS YES", {"periods": _ONE, "ends": _OPT, "owner": _OPT}, _since),
    Rule("stale", "SNAPSHOT REPO", "REPOS LAST SNAPSHOTS WHO", {"periods": _ONE, "owner": _OPT}, _older),
    Rule("incomplete_repos", "INCOMPLETE REPOS", "SNAPSHOT SNAPSHOTS", {"owner": _OPT}, _over_all),
    Rule("incomplete", "INCOMPLETE", "SNAPSHOT SNAPSHOTS LAST", {**_WHEN, **_MANY}),
    Rule("repos_ranked", f"REPO|REPOS MOST|LEAST {_MEASURES}", f"REPOS {_PLURALS} COUNT",
         {**_WHEN, "number": _OPT, "owner": _OPT}, _ranked),
    Rule("repos_ranked", f"BY_REPO {_MEASURES}", f"REPO REPOS {_PLURALS} COUNT MOST LEAST",
         {**_WHEN, "number": _OPT, "owner": _OPT}, lambda r: _ranked(r) and "SNAPSHOT" not in r.concepts),
    Rule("count_snapshots", "COUNT SNAPSHOT", "SNAPSHOTS", {**_WHEN, "owner": _OPT}, _no_repos),
    Rule("snapshots_grouped", f"SNAPSHOT {_GROUPED}", "SNAPSHOTS COUNT REPO", {**_WHEN, **_MANY}),
    Rule("snapshot", "SNAPSHOT", "WHEN WHERE STORED SIZE LAST", {"seq": _ONE}),
    Rule("snapshots_by_size", "SNAPSHOT BIGGEST|SMALLEST", "SNAPSHOTS SIZE", {**_WHEN, "number": _OPT}),
    Rule("first_snapshot", "FIRST SNAPSHOT", f"WHEN AGE WHERE STORED {_NTH}", {}, _single),
    Rule(
        "last_snapshot",
        "SNAPSHOT LAST|AGE|WHEN|WHERE|STORED",
        f"LAST AGE WHEN WHERE STORED SIZE RECENT {_NTH}",
        _WHEN,
        _single,
    ),
    Rule("last_snapshot", "STORED", "WHERE", {}),
    Rule("repo_source", "SOURCE", "WHERE", {"repos": _ONE}),
    Rule("head_branch", "HEADBRANCH", "BRANCH", {"repos": _OPT}),
    Rule("size", "SIZE", "ARCHIVE SNAPSHOT SNAPSHOTS STORED", {"owner": _OPT}),
    Rule("count_repos", "COUNT REPOS", "SNAPSHOT ARCHIVE STORED", {"owner": _OPT}),
    Rule("repos_by_size", "REPO BIGGEST|SMALLEST", "REPOS SIZE", {"number": _OPT, **_MANY}, _over_all),
    Rule("repos_by_commits", "REPO MOST|LEAST COMMIT", "REPOS COMMITS COUNT", {"number": _OPT, **_WHEN, **_MANY},
         _over_all),
    Rule("repos_by_commits", "BY_REPO COUNT|MOST COMMITS", "REPOS REPO", {"number": _OPT, "owner": _OPT}, _over_all),
    Rule("idle_repos", "NOT COMMIT REPOS", "COMMITS", {"periods": _ONE, "ends": _OPT, "owner": _OPT}, _since),
    Rule("rewritten", "REWRITTEN REPOS", "COMMITS LOST", {"owner": _OPT}, _over_all),
    Rule("repos_of_person", "REPO COMMIT|CHANGE|PERSON", "REPOS PEOPLE", {"people": _ONE, **_WHEN, "repos": _ANY},
         lambda r: "REPOS" in r.concepts and _over_all(r)),
    Rule("repos_of_person", "WHERE COMMIT", "", {"people": _ONE, **_WHEN}, _over_all),
    Rule("repos", "BY_REPO SHOW", "ARCHIVE", {"owner": _OPT}, _over_all),
    Rule("repos", "REPOS", "SNAPSHOT ARCHIVE ORG STORED", {"owner": _OPT}, _over_all),
    Rule("repos", "ARCHIVE|ALLTHINGS SHOW", "", {}, _over_all),
    Rule("repos", "", "ORG ARCHIVE", {"owner": _ONE}, lambda r: bool(r.concepts)),
    Rule("snapshots", "SNAPSHOT", "SNAPSHOTS LAST RECENT WHEN WHERE STORED", {**_WHEN, **_MANY, "number": _OPT}),
    # branches and tags
    Rule("ref_updates", "FORCED", "BRANCH LAST WHEN REPOS", {**_WHEN, **_MANY}),
    Rule("ref_updates", "BRANCH|TAG DELETED|ADDED", "WHEN LAST", {**_WHEN, **_MANY}),
    Rule("count_branches", "COUNT BRANCH"),
    Rule("count_tags", "COUNT TAG"),
    Rule("last_tag", "LAST TAG", "WHEN"),
    Rule("log", "COMMIT|ASK|SHOW", "COMMIT COMMITS BRANCH TAG LAST RECENT CHANGE",
         {**_LOG, "ends": _ONE, "not_ref": _ONE}),
    Rule("log", "COMMITS", "COMMIT BETWEEN TAG BRANCH",
         {"refs": (2, 2), "ends": (2, 2), "people": _OPT, "number": _OPT}),
    Rule("log", "COMMITS", "COMMIT BRANCH TAG LAST RECENT REACH", {**_LOG, "ends": (1, 2)}),
    Rule("log", "COMMIT|CHANGE", "BRANCH ASK", {**_LOG, "people": _ONE}, lambda r: "LAST" not in r.concepts),
    Rule("count_log", "COUNT COMMITS", "COMMIT BRANCH TAG BETWEEN REACH", {**_LOG, "refs": (1, 2), "not_ref": _OPT}),
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
    # one commit, and comparisons
    Rule("head_commit", "HEADCOMMIT", "WHO WHEN COMMIT MESSAGE", {"repos": _ONE}),
    Rule("parent", "PARENT", "COMMIT", _COMMIT),
    Rule("count_commit_files", "COUNT FILE CHANGE|ADDED|DELETED", "COMMIT", _COMMIT),
    Rule("commit_files", "FILE CHANGE|ADDED|DELETED", "COMMIT", _COMMIT),
    Rule("diff_commit", "CHANGE|DIFF", "COMMIT", {**_COMMIT, "paths": _OPT}),
    Rule("commit", "", "WHO WHEN COMMIT WROTE PERSON MESSAGE EMAIL LOST", _COMMIT),
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
    Rule("diff_last", "DIFF LAST", "COMMIT CHANGE", {"paths": _OPT, "people": _OPT}, _single),
    Rule("diff_last", "ASK LAST COMMIT CHANGE", "", {"people": _OPT}, lambda r: _single(r) and not r.paths),
    # files
    Rule(
        "read_file",
        "CONTENT|SHOW|ASOF|ASK",
        "CONTENT FILE ASOF COMMIT TAG BRANCH FOLDER LAST SOURCE",
        {**_ENDS, "paths": _ONE, "ends": _OPT},
        _one_file,
    ),
    Rule(
        "read_file",
        "",
        "FILE ASOF COMMIT TAG BRANCH",
        {**_ENDS, "paths": _ONE, "ends": _OPT},
        lambda r: bool(r.ends) and (not r.periods or "ASOF" in r.concepts),
    ),
    Rule(
        "list_files",
        "FILE|FOLDER SHOW|ASK|CONTENT",
        "FILE FOLDER CONTENT ASOF COMMIT TAG BRANCH",
        {**_ENDS, "paths": _OPT, "ends": _OPT},
        lambda r: _one_folder(r) and (not r.periods or "ASOF" in r.concepts),
    ),
    Rule("count_files", "COUNT FILE"),
    Rule("path_added", "ADDED WHO|WHEN|COMMIT", "FILE FIRST COMMIT", {"paths": _ONE}),
    Rule("path_deleted", "DELETED WHO|WHEN|COMMIT", "FILE COMMIT", {"paths": _ONE}),
    Rule("files_added", "ADDED", "FILE RECENT", {**_BY, **_WHEN, **_MANY, "paths": _OPT}, _folder),
    Rule("files_deleted", "DELETED FILE|ALLTHINGS", "", {**_BY, **_WHEN, **_MANY, "paths": _OPT}, _folder),
    Rule("files_most", "FILE CHANGE MOST|LEAST", "", {**_BY, **_WHEN, "number": _OPT}),
    Rule(
        "files_changed", "FILE CHANGE", "LAST RECENT", {**_BY, **_WHEN, **_MANY, "paths": _OPT, "number": _OPT}, _folder
    ),
    # people
    Rule("email", "EMAIL", "WHO PERSON", {"people": _ONE, "repos": _OPT}),
    Rule("count_people", "COUNT PERSON", "PEOPLE COMMIT CHANGE WROTE", {**_WHEN, **_MANY, "paths": _OPT}),
    Rule("idle_people", "WHO|PERSON NOT COMMIT", "PEOPLE COMMITS", {"periods": _ONE, "ends": _OPT, **_MANY}, _since),
    Rule("contributors", "MORE|LEAST COMMIT", "WHO PERSON COMMITS COUNT", {"people": (2, 5), **_WHEN, **_MANY}),
    Rule("contributors", "DIFF COMMITS", "COMMIT COUNT", {"people": (2, 5), **_WHEN, **_MANY}),
    # commits
    Rule("commits_grouped", f"COMMIT|CHANGE {_GROUPED}", f"COMMITS COUNT MOST REPO {_FLAGS}",
         {**_WIDE, "number": _OPT}),
    Rule("busiest_day", "WHEN MOST COMMIT", "COMMITS", {**_BY, **_WHEN, **_MANY}),
    Rule("count_commits", "COUNT COMMIT|CHANGE|MERGE|LOST|SIGNED|UNSIGNED", f"COMMITS CHANGE {_FLAGS}", _WIDE),
    Rule(
        "contributors",
        "WHO|PERSON PERSON|COMMIT|CHANGE|WROTE",
        "PEOPLE COMMITS COMMIT CHANGE MOST LEAST PER WROTE FILE RECENT COUNT",
        {**_WHEN, **_MANY, "paths": _OPT, "number": _OPT, "not_person": _ANY},
        lambda r: _people(r) and ("COUNT" not in r.concepts or bool({"COMMITS", "MOST", "LEAST"} & r.concepts)),
    ),
    Rule("contributors", "COMMIT PER PERSON", "COMMITS PEOPLE COUNT", {**_WHEN, **_MANY, "paths": _OPT}),
    Rule("last_commit", "LAST COMMIT|CHANGE|WROTE", f"WHO WHEN MESSAGE FILE PERSON AGE {_NTH} {_FLAGS}",
         _WIDE, _single),
    Rule("last_commit", "ASK LAST", "WHEN", {"people": _ONE, **_WHEN}, _single),
    Rule("last_commit", "LAST MERGE", "WHO WHEN MESSAGE COMMIT", {**_BY, **_WHEN, **_MANY}, _single),
    Rule("first_commit", "FIRST|NTH2|NTH3|NTH4|NTH5 COMMIT|CHANGE|WROTE",
         f"WHO WHEN MESSAGE FILE PERSON AGE {_NTH} {_FLAGS}", _WIDE, _single),
    Rule(
        "commits",
        "COMMIT|CHANGE|ASK|SHOW|LOST|MERGE|SIGNED|UNSIGNED|ALLTHINGS",
        f"COMMIT COMMITS CHANGE LAST RECENT MESSAGE WHEN WROTE FORCED {_FLAGS}",
        {**_WIDE, "number": _OPT},
        _listed,
    ),
)  # fmt: skip
"""Tried from the top."""
