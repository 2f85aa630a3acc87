"""Kinds of questions about the archive: records, snapshots, repositories. Data, with small conditions."""

from __future__ import annotations

from pivo.agent.planner import conditions
from pivo.agent.planner.conditions import MEASURES
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

ARCHIVE_RULES: tuple[Rule, ...] = (
    Rule("help", "HELP"),
    Rule("run_status", "", "STATUS ASOF RUN RESTORE SNAPSHOT VERIFY DRILL LAST", {"run": _ONE}),
    Rule(
        "run_status",
        "RUN|STATUS|CURRENT|ASOF RESTORE|SNAPSHOT|VERIFY|DRILL",
        "STATUS ASOF RUN LAST CURRENT RUNNING SUCCEEDED",
        {},
        conditions.over_all,
    ),
    Rule("audit", "AUDIT", "WHO WHEN LAST RECENT CONTENT REQUESTED COMMITS", {"users": _OPT, "number": _OPT, **_WHEN}),
    Rule("path_search", "NAMED", "FILE WHERE SEARCH", {"part": _ONE}),
    Rule("count_search", "SEARCH COUNT", "COMMIT COMMITS MESSAGE", {**_WIDE, "text": _ONE, "paths": (0, 0)}),
    Rule(
        "search",
        "SEARCH",
        "COMMIT COMMITS MESSAGE RECENT LAST WHO",
        {**_WIDE, "text": _ONE, "number": _OPT, "paths": (0, 0)},
    ),
    # what was proven, found, restored
    Rule(
        "findings",
        "FAILED VERIFY",
        "WHY LAST FINDING SNAPSHOT",
        {"repos": _ONE},
        lambda r: "WHY" in r.concepts or "FINDING" in r.concepts,
    ),
    Rule("bad_repos", "FINDING REPOS", "ARCHIVE WHO VERIFY", {"owner": _OPT}, conditions.over_all),
    Rule(
        "findings",
        "FINDING",
        f"VERIFY WHEN WHY COUNT LAST ARCHIVE SNAPSHOT SNAPSHOTS REPOS {_GROUP}",
        {**_WHEN, **_MANY},
        lambda r: "COUNT" not in r.concepts,
    ),
    Rule(
        "verifications",
        "VERIFY FAILED MANY|LAST",
        "LAST WHEN RECENT",
        {**_WHEN, **_MANY},
        lambda r: not {"REPOS", "REPO", "NOT", "BY_REPO"} & r.concepts,
    ),
    Rule(
        "bad_repos",
        "VERIFY FAILED",
        "REPOS NOT ARCHIVE LAST SNAPSHOT SNAPSHOTS WHO WHERE",
        {"owner": _OPT},
        lambda r: "NOT" not in r.concepts,
    ),
    Rule("never_verified", "NEVER VERIFY", "REPOS", {"owner": _OPT}, conditions.over_all),
    Rule("never_verified", "NOT VERIFY REPOS", "", {"owner": _OPT}, conditions.over_all),
    Rule("stale_verified", "NEVER VERIFY", "REPOS", {"periods": _ONE, "ends": _OPT, "owner": _OPT}, conditions.since),
    Rule("stale_verified", "NOT VERIFY", "REPOS", {"periods": _ONE, "ends": _OPT, "owner": _OPT}, conditions.since),
    Rule("drills", "DRILL", "LAST WHEN RECENT FIRST VERIFY REQUESTED RUN", {**_WHEN, **_MANY, "number": _OPT}),
    Rule(
        "last_verification",
        "VERIFY",
        "LAST WHEN HEALTH AGE SNAPSHOT SUCCEEDED STATUS",
        {},
        lambda r: bool(r.repos) and conditions.single(r),
    ),
    Rule("verifications", "VERIFY", "LAST RECENT WHEN RUN REQUESTED", {**_WHEN, **_MANY, "number": _OPT}),
    Rule("health", "HEALTH", "ARCHIVE REPOS SNAPSHOT SNAPSHOTS STATUS ASOF BY_REPO", {"owner": _OPT, "repos": _ANY}),
    Rule("health", "STATUS|ASOF SNAPSHOTS|ARCHIVE|REPOS|BY_REPO", "SNAPSHOT", {"owner": _OPT}, conditions.over_all),
    Rule(
        "count_restores",
        "COUNT RESTORE",
        "REPOS FAILED RUNNING SUCCEEDED REQUESTED",
        {**_WHEN, "users": _OPT, "owner": _OPT},
    ),
    Rule("restores", "RESTORE FAILED WHY", "REQUESTED LAST REPOS WHO", {**_WHEN, "users": _OPT, "owner": _OPT}),
    Rule("restores", "RESTORE RUNNING", "REPOS WHO WHEN REQUESTED STATUS CURRENT", {"users": _OPT, "owner": _OPT}),
    Rule(
        "last_restore",
        "RESTORE LAST",
        "WHO WHEN WHERE FAILED WHY REQUESTED SUCCEEDED PERSON",
        {**_WHEN, "users": _OPT},
        conditions.single,
    ),
    Rule(
        "restores",
        "RESTORE",
        "WHO WHEN REPOS LAST RECENT FAILED SUCCEEDED WHERE COMMIT REQUESTED PERSON PEOPLE STATUS WHY RUN",
        {**_WHEN, "number": _OPT, "users": _OPT, "owner": _OPT},
    ),
    # snapshots and repositories
    Rule(
        "stale",
        "NOT|MISSED SNAPSHOT",
        "REPOS SNAPSHOTS YES",
        {"periods": _ONE, "ends": _OPT, "owner": _OPT},
        conditions.since,
    ),
    Rule("stale", "SNAPSHOT REPO", "REPOS LAST SNAPSHOTS WHO", {"periods": _ONE, "owner": _OPT}, conditions.older),
    Rule("incomplete_repos", "INCOMPLETE REPOS", "SNAPSHOT SNAPSHOTS", {"owner": _OPT}, conditions.over_all),
    Rule("incomplete", "INCOMPLETE", "SNAPSHOT SNAPSHOTS LAST", {**_WHEN, **_MANY}),
    Rule(
        "repos_ranked",
        f"REPO|REPOS MOST|LEAST {MEASURES}",
        f"REPOS {_PLURALS} COUNT OFFILES",
        {**_WHEN, "number": _OPT, "owner": _OPT},
        conditions.ranked,
    ),
    Rule(
        "repos_ranked",
        f"BY_REPO {MEASURES}",
        f"REPO REPOS {_PLURALS} COUNT MOST LEAST",
        {**_WHEN, "number": _OPT, "owner": _OPT},
        lambda r: (
            conditions.ranked(r)
            and "SNAPSHOT" not in r.concepts
            and (not r.concepts & {"LOST", "MERGE", "SIGNED"} or bool(r.concepts & {"COUNT", "MOST", "LEAST"}))
        ),
    ),
    Rule(
        "snapshots",
        "REPOS SNAPSHOT",
        "SNAPSHOTS",
        {"periods": _ONE, "ends": _OPT, "owner": _OPT},
        lambda r: conditions.over_all(r) and conditions.since(r),
    ),
    Rule("count_snapshots", "COUNT SNAPSHOT", "SNAPSHOTS", {**_WHEN, "owner": _OPT}, conditions.no_repos),
    Rule("snapshots_grouped", f"SNAPSHOT {_GROUPED}", "SNAPSHOTS COUNT REPO", {**_WHEN, **_MANY}),
    Rule("snapshot", "SNAPSHOT", "WHEN WHERE STORED SIZE LAST", {"seq": _ONE}),
    Rule(
        "repos_by_size",
        "REPO BIGGEST|SMALLEST",
        "REPOS SIZE MOST SNAPSHOTS STORED",
        {"number": _OPT, **_MANY},
        lambda r: conditions.over_all(r) and conditions.asked_first(r, "repo"),
    ),
    Rule("snapshots_by_size", "SNAPSHOT BIGGEST|SMALLEST", "SNAPSHOTS SIZE", {**_WHEN, "number": _OPT}),
    Rule("first_snapshot", "FIRST SNAPSHOT", f"WHEN AGE WHERE STORED SIZE {_NTH}", {}, conditions.single),
    Rule(
        "last_snapshot",
        "SNAPSHOT LAST|AGE|WHEN|WHERE|STORED|RECENT",
        f"LAST AGE WHEN WHERE STORED SIZE RECENT CURRENT RUN {_NTH}",
        _WHEN,
        lambda r: conditions.single(r) and ("RUN" not in r.concepts or "WHEN" in r.concepts),
    ),
    Rule("last_checked", "CHECKED", "WHEN SNAPSHOT SNAPSHOTS RUN", {"owner": _OPT}),
    Rule("last_snapshot", "STORED", "WHERE", {}),
    Rule("repo_source", "SOURCE", "WHERE", {"repos": _ONE}),
    Rule("head_branch", "HEADBRANCH", "BRANCH CURRENT POINT", {"repos": _OPT}),
    Rule("head_branch", "BRANCH", "POINT CURRENT", {"ends": _ONE, "refs": (0, 0)}, lambda r: r.ends == ["HEAD"]),
    Rule(
        "repos_by_size",
        "SIZE REPOS|BY_REPO",
        "SNAPSHOT SNAPSHOTS STORED PER MOST",
        {"owner": _OPT},
        conditions.over_all,
    ),
    Rule("size", "SIZE", "ARCHIVE SNAPSHOT SNAPSHOTS STORED", {"owner": _OPT}),
    Rule("count_repos", "COUNT REPOS", "SNAPSHOT ARCHIVE STORED", {"owner": _OPT}),
    Rule(
        "repos_by_size",
        "REPO BIGGEST|SMALLEST",
        "REPOS SIZE MOST SNAPSHOT SNAPSHOTS STORED",
        {"number": _OPT, **_MANY},
        conditions.over_all,
    ),
    Rule(
        "repos_by_commits",
        "REPO MOST|LEAST COMMIT",
        "REPOS COMMITS COUNT",
        {"number": _OPT, **_WHEN, **_MANY},
        conditions.over_all,
    ),
    Rule(
        "repos_by_commits",
        "BY_REPO COUNT|MOST COMMITS",
        "REPOS REPO",
        {"number": _OPT, "owner": _OPT},
        conditions.over_all,
    ),
    Rule("repos_by_commits", "COUNT COMMITS REPOS SHOW", "", {"owner": _OPT}, conditions.over_all),
    Rule(
        "idle_repos",
        "NOT COMMIT REPOS",
        "COMMITS WHERE",
        {"periods": _ONE, "ends": _OPT, "owner": _OPT},
        conditions.since,
    ),
    Rule("rewritten", "REWRITTEN", "REPOS WHERE COMMITS LOST BRANCH ARCHIVE", {"owner": _OPT}),
    Rule(
        "repos_of_person",
        "REPO COMMIT|CHANGE|PERSON|WROTE|REPOS",
        "REPOS PEOPLE COMMITS WHERE",
        {"people": _ONE, **_WHEN, "repos": _ANY},
        lambda r: "REPOS" in r.concepts and conditions.over_all(r),
    ),
    Rule("repos_of_person", "WHERE COMMIT", "", {"people": _ONE, **_WHEN}, conditions.over_all),
    Rule("repos", "BY_REPO SHOW", "ARCHIVE", {"owner": _OPT}, conditions.over_all),
    Rule("repos", "REPOS", "SNAPSHOT ARCHIVE ORG STORED", {"owner": _OPT}, conditions.over_all),
    Rule("repos", "ARCHIVE|ALLTHINGS SHOW", "", {}, conditions.over_all),
    Rule("repos", "", "ORG ARCHIVE", {"owner": _ONE}, lambda r: bool(r.concepts)),
    Rule("snapshots", "SNAPSHOT", "SNAPSHOTS LAST RECENT WHEN WHERE STORED", {**_WHEN, **_MANY, "number": _OPT}),
)
