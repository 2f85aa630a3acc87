"""The kinds of questions there are, the more particular first. Data, with small conditions."""

from __future__ import annotations

from pivo.agent.planner import conditions
from pivo.agent.planner.archive_rules import ARCHIVE_RULES
from pivo.agent.planner.file_rules import FILE_RULES
from pivo.agent.planner.fits import ANY, BY, COMMIT, ENDS, FLAGS, GROUPED, LOG, MANY, NTH, ONE, OPT, WHEN, WIDE
from pivo.agent.planner.frames import Rule
from pivo.agent.planner.words import wordset

RULES: tuple[Rule, ...] = (
    *ARCHIVE_RULES,
    # branches and tags
    Rule("ref_updates", "REWRITTEN BRANCH", "WHEN LAST RECENT WHERE REPOS ARCHIVE", {**WHEN, **MANY}),
    Rule("ref_updates", "FORCED", "BRANCH LAST WHEN WHERE REPOS RECENT COMMITS ARCHIVE", {**WHEN, **MANY}),
    Rule("ref_updates", "BRANCH|TAG DELETED|ADDED", "WHEN LAST RECENT WHERE REPOS ARCHIVE", {**WHEN, **MANY}),
    Rule(
        "ref_updates",
        "DELETED|FORCED|ADDED",
        "BRANCH TAG WHEN LAST WHERE",
        {"refs": ONE, "ends": (0, 2), "periods": OPT},
        lambda r: "ADDED" not in r.concepts or bool(r.concepts & {"BRANCH", "TAG"}),
    ),
    Rule("count_branches", "COUNT BRANCH"),
    Rule("count_tags", "COUNT TAG"),
    Rule("last_tag", "LAST TAG", "WHEN"),
    Rule("first_tag", "FIRST TAG", "WHEN COMMIT", {}, lambda r: r.number is None),
    Rule(
        "log",
        "COMMIT|ASK|SHOW",
        "COMMIT COMMITS BRANCH TAG LAST RECENT CHANGE",
        {**LOG, "ends": ONE, "not_ref": ONE},
    ),
    Rule("log", "COMMITS", "COMMIT BETWEEN TAG BRANCH", {"refs": (2, 2), "ends": (2, 2), "people": OPT, "number": OPT}),
    Rule("log", "COMMITS", "COMMIT BRANCH TAG LAST RECENT REACH", {**LOG, "ends": (1, 2)}),
    Rule(
        "log",
        "CHANGE",
        "BRANCH NEW ASK",
        {"refs": ONE, "ends": ONE},
        lambda r: "LAST" not in r.concepts and conditions.said(r, wordset("new")),
    ),
    Rule("log", "COMMIT|CHANGE|ASK", "BRANCH ASK", {**LOG, "people": ONE}, lambda r: "LAST" not in r.concepts),
    Rule("log", "ASK|ALLTHINGS|SHOW", "BRANCH TAG NEW", {"refs": ONE, "ends": (2, 2)}),
    Rule("log", "COMMIT|ASK|ALLTHINGS", "COMMIT COMMITS", {"commits": ONE, "ends": (2, 2)}),
    Rule("count_log", "COUNT COMMITS", "COMMIT BRANCH TAG BETWEEN REACH", {**LOG, "refs": (1, 2), "not_ref": OPT}),
    Rule(
        "branches",
        "BRANCH",
        "CURRENT POINT WHERE COMMIT COMMITS",
        {},
        lambda r: "POINT" in r.concepts or not r.concepts & {"COMMIT", "WHERE"},
    ),
    Rule("tags", "TAG", "CURRENT POINT WHERE WHEN MANY COMMIT COMMITS", {"number": OPT}, conditions.tags),
    Rule("ref_exists", "BRANCH|TAG|REF", "YES HAVE ASK", {"refs": ONE, "ends": ONE}, conditions.whether),
    Rule("log", "ASK BRANCH", "CONTENT COMMIT", {"refs": ONE, "ends": ONE}, lambda r: "COMMIT" not in r.concepts),
    Rule("refs", "REF"),
    Rule(
        "ref_exists",
        "YES|REPOS|REPO|WHERE|HAVE BRANCH|TAG|REF|YES",
        "REPOS WHERE CURRENT",
        {"refs": ONE, "ends": ONE},
        lambda r: "WHEN" not in r.concepts and (conditions.said(r, conditions.WHICH) or "REPO" not in r.concepts),
    ),
    Rule("ref_updates", "REFLOG", "WHEN RECENT LAST", {**WHEN, **MANY, "refs": OPT, "ends": (0, 2)}),
    Rule(
        "tip",
        "COMMIT|POINT|WHERE|CHANGE|TAG",
        "LAST WHO WHEN BRANCH TAG MESSAGE WROTE WHERE AGE",
        {"refs": ONE, "ends": ONE},
        conditions.tip,
    ),
    # one commit, and comparisons
    Rule("head_commit", "HEADCOMMIT", "WHO WHEN COMMIT MESSAGE", {"repos": ONE}),
    Rule("parent", "PARENT", "COMMIT", COMMIT),
    Rule("count_commit_files", "COUNT FILE CHANGE|ADDED|DELETED", "COMMIT", COMMIT),
    Rule("commit_files", "FILE CHANGE|ADDED|DELETED", "COMMIT", COMMIT),
    Rule("commit_files", "ADDED|DELETED ASK|SHOW|ALLTHINGS", "COMMIT", COMMIT),
    Rule("refs_at", "TAG|BRANCH|REF POINT", "COMMIT", COMMIT),
    Rule(
        "refs_at",
        "TAG|BRANCH|REF HAVE",
        "COMMIT ASK",
        COMMIT,
        lambda r: conditions.said(r, wordset("has have is carries on at")),
    ),
    Rule("snapshot_of_commit", "SNAPSHOT", "FIRST COMMIT CONTENT HAVE WHEN STORED WHERE", COMMIT),
    Rule("child", "CHILD", "COMMIT WHO", COMMIT),
    Rule("diff_commit", "CHANGE|DIFF", "COMMIT", {**COMMIT, "paths": OPT}),
    Rule(
        "commit",
        "",
        "WHO WHEN COMMIT WROTE PERSON MESSAGE EMAIL LOST AGE WHERE PEOPLE SIGNED UNSIGNED MERGE",
        {**COMMIT, "people": OPT, "periods": OPT, "ends": (1, 2)},
    ),
    Rule("commit", "MESSAGE CONTENT", "COMMIT", COMMIT),
    Rule(
        "diff",
        "DIFF|CHANGE|BETWEEN",
        "BETWEEN DIFF CHANGE COMMIT COMMITS BRANCH TAG FILE ASOF",
        {**ENDS, "ends": (2, 2), "paths": OPT},
        lambda r: "COMMITS" not in r.concepts or bool(r.concepts & {"DIFF", "CHANGE"}),
    ),
    Rule(
        "diff_period",
        "DIFF",
        "CHANGE FILE BETWEEN",
        {"periods": ONE, "paths": OPT, "ends": (0, 0)},
        conditions.closed,
    ),
    Rule(
        "diff_last_two",
        "DIFF|CHANGE LAST BETWEEN|DIFF",
        "BETWEEN DIFF COMMIT COMMITS TAG CHANGE",
        {"paths": OPT, "number": ONE},
        conditions.two,
    ),
    Rule("diff_last", "DIFF LAST", "COMMIT CHANGE", {"paths": OPT, "people": OPT}, conditions.single),
    Rule("diff_last", "ASK LAST COMMIT CHANGE", "", {"people": OPT}, lambda r: conditions.single(r) and not r.paths),
    # files
    *FILE_RULES,
    Rule(
        "read_file",
        "CONTENT|SHOW|ASOF|ASK",
        "CONTENT FILE ASOF COMMIT TAG BRANCH FOLDER LAST SOURCE CURRENT",
        {**ENDS, "paths": ONE, "ends": OPT},
        conditions.one_file,
    ),
    Rule(
        "read_file",
        "",
        "FILE ASOF COMMIT TAG BRANCH",
        {**ENDS, "paths": ONE, "ends": OPT},
        lambda r: conditions.one_file(r) and bool(r.ends or (not r.concepts and r.spans.get("repo"))),
    ),
    Rule(
        "list_files",
        "FILE|FOLDER SHOW|ASK|CONTENT",
        "FILE FOLDER CONTENT ASOF COMMIT TAG BRANCH",
        {**ENDS, "paths": OPT, "ends": OPT},
        lambda r: conditions.one_folder(r) and (not r.periods or conditions.one_day(r)),
    ),
    Rule("path_search", "FILE EVER", "HAVE SHOW", {"paths": OPT, **MANY}, conditions.folder),
    Rule("repos_of_path", "REPOS", "YES HAVE FILE", {"paths": ONE, "repos": ANY, "owner": OPT}, conditions.not_said),
    Rule(
        "repos_of_path",
        "REPO HAVE|YES|CONTENT",
        "FILE",
        {"paths": ONE, "repos": ANY, "owner": OPT},
        lambda r: conditions.not_said(r) and conditions.said(r, conditions.WHICH),
    ),
    Rule(
        "repos_of_path",
        "FILE",
        "YES NAMED ARCHIVE",
        {"paths": ONE, "repos": ANY, "owner": OPT},
        lambda r: conditions.not_said(r) and not conditions.folder(r) and conditions.said(r, wordset("files")),
    ),
    Rule("repos_of_path", "WHERE", "FILE STORED", {"paths": ONE, "owner": OPT}),
    Rule(
        "list_files",
        "FILE|FOLDER|CONTENT",
        "FILE FOLDER CONTENT ASOF TAG BRANCH",
        {**ENDS, "paths": OPT, "ends": ONE},
        conditions.one_folder,
    ),
    Rule("path_added", "ADDED WHO|WHEN|COMMIT", "FILE FIRST COMMIT WROTE PERSON AGE", {"paths": ONE}),
    Rule("path_deleted", "DELETED WHO|WHEN|COMMIT", "FILE COMMIT WROTE PERSON AGE", {"paths": ONE}),
    Rule("path_deleted", "DELETED", "FILE", {"paths": ONE}, lambda r: not conditions.folder(r)),
    Rule("files_of_last", "FILE CHANGE|ADDED|DELETED|CONTENT LAST COMMIT", "", BY, conditions.single_named),
    Rule(
        "files_added",
        "ADDED",
        "FILE RECENT WHO WHEN WROTE PERSON",
        {**BY, **WHEN, **MANY, "paths": OPT},
        conditions.added,
    ),
    Rule(
        "files_deleted",
        "DELETED FILE|ALLTHINGS|ASK|SHOW",
        "WHO WHEN WROTE PERSON RECENT",
        {**BY, **WHEN, **MANY, "paths": OPT},
        conditions.folder,
    ),
    Rule(
        "files_most",
        "FILE MOST|LEAST",
        "CHANGE COMMIT COMMITS COUNT",
        {**BY, **WHEN, "number": OPT},
        lambda r: bool(r.concepts & {"CHANGE", "COMMITS"}) or "COMMIT" not in r.concepts,
    ),
    Rule(
        "files_changed",
        "FILE CHANGE",
        "LAST RECENT",
        {**BY, **WHEN, **MANY, "paths": OPT, "number": OPT},
        conditions.folder,
    ),
    Rule(
        "files_changed",
        "FILE CHANGE COMMITS",
        "LAST RECENT",
        {**BY, **WHEN, **MANY, "paths": OPT, "number": OPT},
        lambda r: conditions.folder(r) and conditions.asked_first(r, "file"),
    ),
    # people
    Rule("email", "EMAIL PEOPLE|PERSON|COMMIT", "PEOPLE PERSON COMMIT WHO PER CHANGE", MANY),
    Rule("email", "EMAIL", "WHO PERSON COMMIT", {"people": ONE, "repos": OPT}),
    Rule(
        "count_people",
        "HEADS",
        "WHO COUNT PEOPLE PERSON COMMIT COMMITS CHANGE WROTE",
        {**WHEN, **MANY, "paths": OPT},
        lambda r: not r.concepts & {"MOST", "LEAST"},
    ),
    Rule("count_people", "COUNT PERSON", "PEOPLE COMMIT CHANGE WROTE", {**WHEN, **MANY, "paths": OPT}),
    Rule(
        "idle_people",
        "WHO|PERSON NOT COMMIT",
        "PEOPLE COMMITS",
        {"periods": ONE, "ends": OPT, **MANY},
        conditions.since,
    ),
    Rule("contributors", "MORE|LEAST COMMIT", "WHO PERSON COMMITS COUNT", {"people": (2, 5), **WHEN, **MANY}),
    Rule("contributors", "DIFF COMMITS", "COMMIT COUNT", {"people": (2, 5), **WHEN, **MANY}),
    # commits
    Rule("commits_grouped", f"COMMIT|CHANGE {GROUPED}", f"COMMITS COUNT MOST REPO {FLAGS}", {**WIDE, "number": OPT}),
    Rule("commits_by_hour", "BY_WEEKDAY|BY_HOUR COMMIT", "COMMITS COUNT MOST", MANY),
    Rule("first_commits", "FIRST COMMITS", f"COMMIT MANY {FLAGS}", {**WIDE, "paths": (0, 0), "number": OPT}),
    Rule("busiest_day", "WHEN MOST COMMIT", "COMMITS", {**BY, **WHEN, **MANY}),
    Rule(
        "count_commits",
        "COUNT COMMIT|CHANGE|MERGE|LOST|SIGNED|UNSIGNED",
        f"COMMITS CHANGE RECENT WROTE {FLAGS}",
        WIDE,
        lambda r: "RECENT" not in r.concepts or bool(r.periods),
    ),
    Rule(
        "contributors",
        "WHO|PERSON PERSON|COMMIT|CHANGE|WROTE|MERGE",
        f"PEOPLE COMMITS COMMIT CHANGE MOST LEAST PER WROTE FILE RECENT COUNT {FLAGS}",
        {**WHEN, **MANY, "paths": OPT, "number": OPT, "not_person": ANY},
        lambda r: (
            conditions.people(r)
            and not conditions.commits_first(r)
            and ("COUNT" not in r.concepts or bool({"COMMITS", "MOST", "LEAST"} & r.concepts))
        ),
    ),
    Rule("contributors", "COMMIT PER PERSON", "COMMITS PEOPLE COUNT", {**WHEN, **MANY, "paths": OPT}),
    Rule(
        "last_commit",
        "LAST COMMIT|CHANGE|WROTE",
        f"WHO WHEN MESSAGE FILE PERSON AGE {NTH} {FLAGS}",
        WIDE,
        conditions.single_commit,
    ),
    Rule("last_commit", "ASK LAST", "WHEN", {"people": ONE, **WHEN}, conditions.single),
    Rule("last_commit", "WHO LAST", "", {"repos": ONE}, conditions.single),
    Rule("last_commit", "ASK LAST", "", {"repos": ONE}, lambda r: conditions.single(r) and r.number is None),
    Rule("last_commit", "LAST MERGE", "WHO WHEN MESSAGE COMMIT", {**BY, **WHEN, **MANY}, conditions.single),
    Rule(
        "first_commit",
        "FIRST|NTH2|NTH3|NTH4|NTH5 COMMIT|CHANGE|WROTE",
        f"WHO WHEN MESSAGE FILE PERSON AGE {NTH} {FLAGS}",
        WIDE,
        conditions.single_commit,
    ),
    Rule(
        "commits",
        "COMMIT|CHANGE|ASK|SHOW|LOST|MERGE|NOMERGE|SIGNED|UNSIGNED|ALLTHINGS|WROTE",
        f"COMMIT COMMITS CHANGE LAST RECENT MESSAGE WHEN WROTE WHERE FORCED WHO FILE {FLAGS}",
        {**WIDE, "number": OPT},
        lambda r: (
            conditions.listed(r)
            and conditions.files_of_path(r)
            and ("WHO" not in r.concepts or conditions.commits_first(r))
        ),
    ),
    Rule("repos", "ASK|COUNT", "SHOW ALLTHINGS HEALTH", {"repos": ONE}, conditions.overview),
    Rule("audit", "ASK", "", {"users": ONE, **WHEN}),
)
"""Tried from the top."""
