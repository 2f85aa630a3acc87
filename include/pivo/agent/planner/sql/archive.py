"""Snapshots and repositories."""

from __future__ import annotations

from pivo.agent.brain import Query
from pivo.agent.planner.frames import Frame
from pivo.agent.planner.reading import Reading
from pivo.agent.planner.sql.select import GROUPS, Compiler, Select, nth, ordinal, stamp

_SNAPSHOT = "repo_name, seq, taken_at, commit_hash, files, commits, size, incomplete, hdfs_path"
_REPO = "repo_name, commits, snapshots, size, last_snapshot_at, last_checked_at, last_commit_hash, last_snapshot_path"
_HEALTH = (
    "repo_name, last_snapshot_at, last_checked_at, last_verified_at, verified_ok,"
    " (SELECT s.incomplete FROM v_snapshots s WHERE s.repo_name = v_repos.repo_name ORDER BY s.seq DESC LIMIT 1)"
    " AS incomplete"
)


def _snapshots(columns: str, reading: Reading) -> Select:
    return Select(columns, "v_snapshots").repo(reading).time(reading, "taken_at")


def _end(ascending: bool) -> Compiler:
    def build(frame: Frame, reading: Reading) -> Query:
        limit, params = nth(frame)
        way = "" if ascending else " DESC"
        which = f"{ordinal(frame)}{'first' if ascending else 'last'}"
        select = _snapshots(_SNAPSHOT, reading).tail(f"ORDER BY taken_at{way}, seq{way} {limit}", **params)
        return select.query(f"the {which} snapshot")

    return build


def _list(frame: Frame, reading: Reading) -> Query:
    newest = "ORDER BY taken_at DESC, seq DESC LIMIT :n"
    return _snapshots(_SNAPSHOT, reading).tail(newest, n=frame.limit or 100).query("snapshots")


def _oldest(frame: Frame, reading: Reading) -> Query:
    tail = "ORDER BY taken_at, seq LIMIT :n"
    return _snapshots(_SNAPSHOT, reading).tail(tail, n=frame.limit or 100).query("snapshots, oldest first")


def _numbered(frame: Frame, reading: Reading) -> Query:
    select = _snapshots(_SNAPSHOT, reading).where("seq = :seq", f"number {reading.seq}", seq=reading.seq)
    return select.tail("ORDER BY repo_name").query("the snapshot")


def _of_commit(frame: Frame, reading: Reading) -> Query:
    first = Select("MIN(snapshot_seq)", "v_commits").repo(reading).commit(reading.commits[0], "hash")
    inner = first.query("the snapshot that first had commit")
    select = Select(_SNAPSHOT, "v_snapshots").repo(reading).where(f"seq = ({inner.sql})").query("")
    return Query(select.sql, {**inner.parameters, **select.parameters}, inner.read_as)


def _by_size(frame: Frame, reading: Reading) -> Query:
    way = "" if "SMALLEST" in reading.concepts else " DESC"
    limit = frame.limit or (10 if "SNAPSHOTS" in reading.concepts else 1)
    tail = f"ORDER BY size{way}, repo_name, seq LIMIT :n"
    return (
        _snapshots(_SNAPSHOT, reading)
        .tail(tail, n=limit)
        .query(f"snapshots, {'smallest' if not way else 'largest'} first")
    )


def _incomplete(frame: Frame, reading: Reading) -> Query:
    select = _snapshots(_SNAPSHOT, reading).where("incomplete > 0")
    return select.tail("ORDER BY taken_at DESC").query("snapshots that lack git LFS objects")


def _count(frame: Frame, reading: Reading) -> Query:
    return _snapshots("COUNT(*) AS snapshots", reading).query("the number of snapshots")


def _grouped(frame: Frame, reading: Reading) -> Query:
    by = GROUPS[frame.group].format(time="taken_at")
    name = "repo_name" if frame.group == "repository" else frame.group
    select = _snapshots(f"{by} AS {name}, COUNT(*) AS snapshots", reading)
    return select.tail("GROUP BY 1 ORDER BY 1").query(f"snapshots per {frame.group}")


def _repos(tail: str, says: str, condition: str = "", columns: str = _REPO) -> Compiler:
    def build(frame: Frame, reading: Reading) -> Query:
        select = Select(columns, "v_repos").repo(reading, named_only=True)
        if condition:
            select.where(condition)
        return select.tail(f"{tail} LIMIT :n", n=frame.limit or 1000).query(says)

    return build


_COUNTED = {
    "SNAPSHOT": ("COUNT(*) AS snapshots", "v_snapshots", "1", "taken_at"),
    "PERSON": ("COUNT(DISTINCT author_name) AS people", "v_commits", "lost = 0", "commit_time"),
    "BRANCH": ("COUNT(*) AS branches", "v_refs", "current = 1 AND name LIKE 'refs/heads/%'", ""),
    "TAG": ("COUNT(*) AS tags", "v_refs", "current = 1 AND name LIKE 'refs/tags/%'", ""),
    "FILE": ("MAX(files) AS files", "v_snapshots s",
             "seq = (SELECT MAX(seq) FROM v_snapshots x WHERE x.repo_name = s.repo_name)", ""),
    "RESTORE": ("COUNT(*) AS restores", "v_restores", "1", "requested_at"),
    "FINDING": ("COUNT(*) AS findings", "v_findings", "1", "found_at"),
    "LOST": ("COUNT(*) AS commits", "v_commits", "lost = 1", "commit_time"),
    "MERGE": ("COUNT(*) AS commits", "v_commits", "lost = 0 AND parents > 1", "commit_time"),
    "SIGNED": ("COUNT(*) AS commits", "v_commits", "lost = 0 AND signed = 1", "commit_time"),
}  # fmt: skip
"""What repositories are ranked by: the count, its view, its condition, the column of its time."""


def _ranked(frame: Frame, reading: Reading) -> Query:
    measure = next(m for m in _COUNTED if m in reading.concepts)
    count, view, condition, time = _COUNTED[measure]
    what = count.rpartition(" ")[2]
    select = Select(f"repo_name, {count}", view).repo(reading, named_only=True)
    if condition != "1":
        select.where(
            condition,
            {"LOST": "that are lost", "MERGE": "that are merges", "SIGNED": "that are signed"}.get(measure, ""),
        )
    if time:
        select.time(reading, time)
    way = "" if "LEAST" in reading.concepts else " DESC"
    tail = f"GROUP BY repo_name ORDER BY {what}{way}, repo_name LIMIT :n"
    says = f"repositories by number of {what}{'' if way else ', fewest first'}"
    return select.tail(tail, n=frame.limit or 1000).query(says)


def _without(frame: Frame, reading: Reading) -> Query:
    measure = next(m for m in _COUNTED if m in reading.concepts)
    count, view, condition, _ = _COUNTED[measure]
    select = Select("repo_name, snapshots, last_snapshot_at", "v_repos").repo(reading, named_only=True)
    select.where(f"repo_name NOT IN (SELECT repo_name FROM {view} WHERE {condition})")
    return select.tail("ORDER BY repo_name").query(f"repositories without {count.rpartition(' ')[2]}")


def _by_commits(frame: Frame, reading: Reading) -> Query:
    way = "" if "LEAST" in reading.concepts else " DESC"
    select = Select("repo_name, COUNT(*) AS commits", "v_commits").repo(reading, named_only=True).where("lost = 0")
    select.time(reading)
    tail = f"GROUP BY repo_name ORDER BY commits{way}, repo_name LIMIT :n"
    return select.tail(tail, n=frame.limit or 1000).query("repositories by number of commits")


def _by_bytes(frame: Frame, reading: Reading) -> Query:
    way = "" if "SMALLEST" in reading.concepts else " DESC"
    select = Select("repo_name, size AS bytes, size, snapshots", "v_repos").repo(reading, named_only=True)
    tail = f"ORDER BY size{way}, repo_name LIMIT :n"
    says = f"repositories by size in the archive, {'smallest' if not way else 'largest'} first"
    return select.tail(tail, n=frame.limit or 1000).query(says)


def _by_age(frame: Frame, reading: Reading) -> Query:
    time = "last_verified_at" if "VERIFY" in reading.concepts else "last_snapshot_at"
    select = Select(f"repo_name, {time}, last_checked_at", "v_repos").repo(reading, named_only=True)
    limit = frame.limit or (10 if "REPOS" in reading.concepts and "repository" not in _norms(reading) else 1)
    tail = f"ORDER BY COALESCE({time}, ''), repo_name LIMIT :n"
    what = "verification" if "VERIFY" in reading.concepts else "snapshot"
    return select.tail(tail, n=limit).query(f"repositories, that with the oldest last {what} first,")


def _norms(reading: Reading) -> set[str]:
    return {w.norm for w in reading.words}


def _stale(frame: Frame, reading: Reading) -> Query:
    select = Select("repo_name, last_snapshot_at, last_checked_at, last_snapshot_path", "v_repos")
    select.repo(reading, named_only=True)
    limit = _limit(reading)
    literal = reading.periods[0].start is None and "LAST" in reading.concepts  # "whose last snapshot is older than"
    if "NEW" in reading.concepts or literal:  # a look that found nothing changed makes no new snapshot
        select.where("COALESCE(last_snapshot_at, '') < :limit", limit=limit)
        return select.tail("ORDER BY last_snapshot_at").query(f"repositories without a new snapshot since {limit}")
    select.where("MAX(COALESCE(last_snapshot_at, ''), COALESCE(last_checked_at, '')) < :limit", limit=limit)
    return select.tail("ORDER BY last_snapshot_at").query(f"repositories that no snapshot run covered since {limit}")


def _stale_verified(frame: Frame, reading: Reading) -> Query:
    limit = _limit(reading)
    select = Select("repo_name, last_verified_at, verified_ok", "v_repos").repo(reading, named_only=True)
    select.where("COALESCE(last_verified_at, '') < :limit", limit=limit)
    return select.tail("ORDER BY last_verified_at").query(f"repositories not verified since {limit}")


def _limit(reading: Reading) -> str:
    limit = reading.periods[0].start or reading.periods[0].end
    assert limit is not None  # the rule's `when` sees to it
    return stamp(limit)


def _idle(frame: Frame, reading: Reading) -> Query:
    active = Select("repo_name", "v_commits").where("lost = 0").time(reading).query("repositories without commits")
    select = Select("repo_name, last_commit_time, commits", "v_repos").repo(reading, named_only=True)
    query = select.where(f"repo_name NOT IN ({active.sql})").tail("ORDER BY repo_name").query(active.read_as)
    return Query(query.sql, {**query.parameters, **active.parameters}, query.read_as)


def _of_person(frame: Frame, reading: Reading) -> Query:
    columns = "repo_name, COUNT(*) AS commits, MAX(commit_time) AS last"
    select = Select(columns, "v_commits").where("lost = 0").people(reading).time(reading)
    return select.tail("GROUP BY repo_name ORDER BY commits DESC, repo_name").query("repositories with commits")


def _one(columns: str, says: str) -> Compiler:
    def build(frame: Frame, reading: Reading) -> Query:
        return Select(columns, "v_repos").repo(reading).tail("ORDER BY repo_name").query(says)

    return build


def _size(frame: Frame, reading: Reading) -> Query:
    columns = "SUM(size) AS bytes, SUM(snapshots) AS snapshots, COUNT(*) AS repositories"
    return Select(columns, "v_repos").repo(reading).query("the size in the archive")


def _count_repos(frame: Frame, reading: Reading) -> Query:
    return (
        Select("COUNT(*) AS repositories", "v_repos").repo(reading, named_only=True).query("the number of repositories")
    )


_INCOMPLETE = (
    "repo_name IN (SELECT s.repo_name FROM v_snapshots s WHERE s.incomplete > 0"
    " AND s.seq = (SELECT MAX(x.seq) FROM v_snapshots x WHERE x.repo_name = s.repo_name))"
)

COMPILERS: dict[str, Compiler] = {
    "last_snapshot": _end(False),
    "first_snapshot": _end(True),
    "snapshot": _numbered,
    "snapshot_of_commit": _of_commit,
    "snapshots": _list,
    "snapshots_by_size": _by_size,
    "snapshots_grouped": _grouped,
    "incomplete": _incomplete,
    "count_snapshots": _count,
    "stale": _stale,
    "stale_verified": _stale_verified,
    "idle_repos": _idle,
    "repos_by_age": _by_age,
    "repos": _repos("ORDER BY repo_name", "archived repositories"),
    "rewritten": _repos("ORDER BY repo_name", "repositories whose history was rewritten", "rewritten = 1"),
    "incomplete_repos": _repos("ORDER BY repo_name", "repositories that lack git LFS objects", _INCOMPLETE),
    "health": _repos("ORDER BY repo_name", "how every repository stands", columns=_HEALTH),
    "bad_repos": _repos(
        "ORDER BY repo_name", "repositories that failed their last verification", "verified_ok = 0", _HEALTH
    ),
    "never_verified": _repos("ORDER BY repo_name", "repositories never verified", "last_verified_at IS NULL"),
    "repos_ranked": _ranked,
    "repos_without": _without,
    "first_snapshots": _oldest,
    "repos_by_commits": _by_commits,
    "repos_by_size": _by_bytes,
    "repos_of_person": _of_person,
    "repo_source": _one("repo_name, source", "where the repository was fetched from"),
    "head_branch": _one("repo_name, head_ref", "the default branch"),
    "count_repos": _count_repos,
    "size": _size,
    "last_checked": _one("repo_name, last_checked_at, last_snapshot_at", "when the nightly run last looked"),
}
