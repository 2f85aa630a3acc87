"""The kinds of questions there are, the more particular first. Data, with small conditions."""

from __future__ import annotations

from pivo.agent.planner import conditions
from pivo.agent.planner.archive_rules import ARCHIVE_RULES
from pivo.agent.planner.frames import Rule

_FLAGS = "LOST SIGNED UNSIGNED MERGE NOMERGE"
_GROUPED = "BY_DAY|BY_WEEK|BY_MONTH|BY_YEAR|BY_REPO"
_GROUP = "BY_DAY BY_WEEK BY_MONTH BY_YEAR BY_REPO"
_PLURALS = "SNAPSHOTS PEOPLE COMMIT COMMITS CHANGE"
_NTH = "NTH2 NTH3 NTH4 NTH5"


_ONE, _OPT, _ANY = (1, 1), (0, 1), (0, 9)
_WHEN = {"periods": _OPT, "ends": _OPT}
_MANY = {"repos": _ANY, "owner": _OPT}
_BY = {"people": (0, 5), "not_person": _ANY}
_WIDE = {"paths": _OPT, **_BY, **_WHEN, **_MANY}
_ENDS = {"commits": (0, 2), "refs": (0, 2), "periods": (0, 2)}
_COMMIT = {"commits": _ONE, "ends": _ONE}
_LOG = {"refs": _ONE, "ends": (1, 2), "periods": _OPT, "people": _OPT, "number": _OPT, "paths": _OPT, "text": _OPT}

RULES: tuple[Rule, ...] = (
    *ARCHIVE_RULES,
    # branches and tags
    Rule("ref_updates", "FORCED", "BRANCH LAST WHEN WHERE REPOS RECENT COMMITS ARCHIVE", {**_WHEN, **_MANY}),
    Rule("ref_updates", "BRANCH|TAG DELETED|ADDED", "WHEN LAST RECENT WHERE", {**_WHEN, **_MANY}),
    Rule("count_branches", "COUNT BRANCH"),
    Rule("count_tags", "COUNT TAG"),
    Rule("last_tag", "LAST TAG", "WHEN"),
    Rule(
        "log",
        "COMMIT|ASK|SHOW",
        "COMMIT COMMITS BRANCH TAG LAST RECENT CHANGE",
        {**_LOG, "ends": _ONE, "not_ref": _ONE},
    ),
    Rule(
        "log", "COMMITS", "COMMIT BETWEEN TAG BRANCH", {"refs": (2, 2), "ends": (2, 2), "people": _OPT, "number": _OPT}
    ),
    Rule("log", "COMMITS", "COMMIT BRANCH TAG LAST RECENT REACH", {**_LOG, "ends": (1, 2)}),
    Rule("log", "COMMIT|CHANGE", "BRANCH ASK", {**_LOG, "people": _ONE}, lambda r: "LAST" not in r.concepts),
    Rule("count_log", "COUNT COMMITS", "COMMIT BRANCH TAG BETWEEN REACH", {**_LOG, "refs": (1, 2), "not_ref": _OPT}),
    Rule("branches", "BRANCH", "CURRENT"),
    Rule("tags", "TAG", "CURRENT", {"number": _OPT}, lambda r: r.number is None),
    Rule("log", "ASK BRANCH", "CONTENT COMMIT", {"refs": _ONE, "ends": _ONE}, lambda r: "COMMIT" not in r.concepts),
    Rule("refs", "REF"),
    Rule(
        "tip",
        "COMMIT|POINT|WHERE|CHANGE|TAG",
        "LAST WHO WHEN BRANCH TAG MESSAGE WROTE WHERE AGE",
        {"refs": _ONE, "ends": _ONE},
        conditions.tip,
    ),
    # one commit, and comparisons
    Rule("head_commit", "HEADCOMMIT", "WHO WHEN COMMIT MESSAGE", {"repos": _ONE}),
    Rule("parent", "PARENT", "COMMIT", _COMMIT),
    Rule("count_commit_files", "COUNT FILE CHANGE|ADDED|DELETED", "COMMIT", _COMMIT),
    Rule("commit_files", "FILE CHANGE|ADDED|DELETED", "COMMIT", _COMMIT),
    Rule("diff_commit", "CHANGE|DIFF", "COMMIT", {**_COMMIT, "paths": _OPT}),
    Rule("commit", "", "WHO WHEN COMMIT WROTE PERSON MESSAGE EMAIL LOST AGE WHERE PEOPLE", _COMMIT),
    Rule("commit", "MESSAGE CONTENT", "COMMIT", _COMMIT),
    Rule(
        "diff",
        "DIFF|CHANGE|BETWEEN",
        "BETWEEN DIFF CHANGE COMMIT COMMITS BRANCH TAG FILE ASOF",
        {**_ENDS, "ends": (2, 2), "paths": _OPT},
        lambda r: "COMMITS" not in r.concepts or bool(r.concepts & {"DIFF", "CHANGE"}),
    ),
    Rule(
        "diff_period",
        "DIFF",
        "CHANGE FILE BETWEEN",
        {"periods": _ONE, "paths": _OPT, "ends": (0, 0)},
        conditions.closed,
    ),
    Rule(
        "diff_last_two",
        "DIFF|CHANGE LAST BETWEEN|DIFF",
        "BETWEEN DIFF COMMIT COMMITS TAG CHANGE",
        {"paths": _OPT, "number": _ONE},
        conditions.two,
    ),
    Rule("diff_last", "DIFF LAST", "COMMIT CHANGE", {"paths": _OPT, "people": _OPT}, conditions.single),
    Rule("diff_last", "ASK LAST COMMIT CHANGE", "", {"people": _OPT}, lambda r: conditions.single(r) and not r.paths),
    # files
    Rule(
        "read_file",
        "CONTENT|SHOW|ASOF|ASK",
        "CONTENT FILE ASOF COMMIT TAG BRANCH FOLDER LAST SOURCE CURRENT",
        {**_ENDS, "paths": _ONE, "ends": _OPT},
        conditions.one_file,
    ),
    Rule(
        "read_file",
        "",
        "FILE ASOF COMMIT TAG BRANCH",
        {**_ENDS, "paths": _ONE, "ends": _OPT},
        lambda r: bool(r.ends) and conditions.one_file(r),
    ),
    Rule(
        "list_files",
        "FILE|FOLDER SHOW|ASK|CONTENT",
        "FILE FOLDER CONTENT ASOF COMMIT TAG BRANCH",
        {**_ENDS, "paths": _OPT, "ends": _OPT},
        lambda r: conditions.one_folder(r) and (not r.periods or "ASOF" in r.concepts),
    ),
    Rule("path_search", "FILE EVER", "HAVE SHOW", {"paths": _OPT, **_MANY}, conditions.folder),
    Rule("repos_of_path", "REPOS", "YES HAVE FILE", {"paths": _ONE, "repos": _ANY, "owner": _OPT}, conditions.over_all),
    Rule(
        "list_files",
        "FILE|FOLDER|CONTENT",
        "FILE FOLDER CONTENT ASOF TAG BRANCH",
        {**_ENDS, "paths": _OPT, "ends": _ONE},
        conditions.one_folder,
    ),
    Rule("count_files", "COUNT FILE"),
    Rule("path_added", "ADDED WHO|WHEN|COMMIT", "FILE FIRST COMMIT WROTE PERSON AGE", {"paths": _ONE}),
    Rule("path_deleted", "DELETED WHO|WHEN|COMMIT", "FILE COMMIT WROTE PERSON AGE", {"paths": _ONE}),
    Rule("files_added", "ADDED", "FILE RECENT", {**_BY, **_WHEN, **_MANY, "paths": _OPT}, conditions.folder),
    Rule(
        "files_deleted",
        "DELETED FILE|ALLTHINGS|ASK|SHOW",
        "",
        {**_BY, **_WHEN, **_MANY, "paths": _OPT},
        conditions.folder,
    ),
    Rule(
        "files_most",
        "FILE MOST|LEAST",
        "CHANGE COMMIT COMMITS COUNT",
        {**_BY, **_WHEN, "number": _OPT},
        lambda r: bool(r.concepts & {"CHANGE", "COMMITS"}) or "COMMIT" not in r.concepts,
    ),
    Rule(
        "files_changed",
        "FILE CHANGE",
        "LAST RECENT",
        {**_BY, **_WHEN, **_MANY, "paths": _OPT, "number": _OPT},
        conditions.folder,
    ),
    Rule(
        "files_changed",
        "FILE CHANGE COMMITS",
        "LAST RECENT",
        {**_BY, **_WHEN, **_MANY, "paths": _OPT, "number": _OPT},
        lambda r: conditions.folder(r) and conditions.asked_first(r, "file"),
    ),
    # people
    Rule("email", "EMAIL", "WHO PERSON COMMIT", {"people": _ONE, "repos": _OPT}),
    Rule(
        "count_people",
        "HEADS",
        "WHO COUNT PEOPLE PERSON COMMIT COMMITS CHANGE WROTE",
        {**_WHEN, **_MANY, "paths": _OPT},
        lambda r: not r.concepts & {"MOST", "LEAST"},
    ),
    Rule("count_people", "COUNT PERSON", "PEOPLE COMMIT CHANGE WROTE", {**_WHEN, **_MANY, "paths": _OPT}),
    Rule(
        "idle_people",
        "WHO|PERSON NOT COMMIT",
        "PEOPLE COMMITS",
        {"periods": _ONE, "ends": _OPT, **_MANY},
        conditions.since,
    ),
    Rule("contributors", "MORE|LEAST COMMIT", "WHO PERSON COMMITS COUNT", {"people": (2, 5), **_WHEN, **_MANY}),
    Rule("contributors", "DIFF COMMITS", "COMMIT COUNT", {"people": (2, 5), **_WHEN, **_MANY}),
    # commits
    Rule(
        "commits_grouped", f"COMMIT|CHANGE {_GROUPED}", f"COMMITS COUNT MOST REPO {_FLAGS}", {**_WIDE, "number": _OPT}
    ),
    Rule("busiest_day", "WHEN MOST COMMIT", "COMMITS", {**_BY, **_WHEN, **_MANY}),
    Rule(
        "count_commits",
        "COUNT COMMIT|CHANGE|MERGE|LOST|SIGNED|UNSIGNED",
        f"COMMITS CHANGE RECENT WROTE {_FLAGS}",
        _WIDE,
        lambda r: "RECENT" not in r.concepts or bool(r.periods),
    ),
    Rule(
        "contributors",
        "WHO|PERSON PERSON|COMMIT|CHANGE|WROTE",
        "PEOPLE COMMITS COMMIT CHANGE MOST LEAST PER WROTE FILE RECENT COUNT",
        {**_WHEN, **_MANY, "paths": _OPT, "number": _OPT, "not_person": _ANY},
        lambda r: (
            conditions.people(r) and ("COUNT" not in r.concepts or bool({"COMMITS", "MOST", "LEAST"} & r.concepts))
        ),
    ),
    Rule("contributors", "COMMIT PER PERSON", "COMMITS PEOPLE COUNT", {**_WHEN, **_MANY, "paths": _OPT}),
    Rule(
        "last_commit",
        "LAST COMMIT|CHANGE|WROTE",
        f"WHO WHEN MESSAGE FILE PERSON AGE {_NTH} {_FLAGS}",
        _WIDE,
        conditions.single_commit,
    ),
    Rule("last_commit", "ASK LAST", "WHEN", {"people": _ONE, **_WHEN}, conditions.single),
    Rule("last_commit", "WHO LAST", "", {"repos": _ONE}, conditions.single),
    Rule("last_commit", "ASK LAST", "", {"repos": _ONE}, lambda r: conditions.single(r) and r.number is None),
    Rule("last_commit", "LAST MERGE", "WHO WHEN MESSAGE COMMIT", {**_BY, **_WHEN, **_MANY}, conditions.single),
    Rule(
        "first_commit",
        "FIRST|NTH2|NTH3|NTH4|NTH5 COMMIT|CHANGE|WROTE",
        f"WHO WHEN MESSAGE FILE PERSON AGE {_NTH} {_FLAGS}",
        _WIDE,
        conditions.single_commit,
    ),
    Rule(
        "commits",
        "COMMIT|CHANGE|ASK|SHOW|LOST|MERGE|NOMERGE|SIGNED|UNSIGNED|ALLTHINGS",
        f"COMMIT COMMITS CHANGE LAST RECENT MESSAGE WHEN WROTE WHERE FORCED {_FLAGS}",
        {**_WIDE, "number": _OPT},
        conditions.listed,
    ),
    Rule("audit", "ASK", "", {"users": _ONE, **_WHEN}),
)
"""Tried from the top."""
