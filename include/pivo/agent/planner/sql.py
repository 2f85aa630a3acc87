"""Frames compiled to SQL: one SELECT over the views, every value a named parameter."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from pivo.agent.brain import Query
from pivo.agent.planner.reading import Reading

_COMMIT = "short_hash, commit_time, author_name, subject, repo_name, hash"
_FLAGS = {
    "LOST": ("lost = 1", "lost"),
    "SIGNED": ("signed = 1", "signed"),
    "UNSIGNED": ("signed = 0", "unsigned"),
    "MERGE": ("parents > 1", "merge"),
}


def compile_frame(name: str, reading: Reading) -> Query:
    """The query of a frame; KeyError for a frame that another tool answers."""
    return _COMPILERS[name](reading)


def stamp(when: datetime) -> str:
    """A time as the index writes it."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class _Select:
    """A SELECT in the making: what it reads, and how that reads in English."""

    def __init__(self, columns: str, view: str) -> None:
        self._columns, self._view = columns, view
        self._where: list[str] = []
        self._params: dict[str, Any] = {}
        self._says: list[str] = []
        self._tail = ""

    def where(self, condition: str, says: str = "", **params: Any) -> _Select:
        self._where.append(condition)
        self._params |= params
        if says:
            self._says.append(says)
        return self

    def repo(self, reading: Reading) -> _Select:
        return self.where("repo_name = :repo", f"in {reading.repo}", repo=reading.repo) if reading.repo else self

    def time(self, reading: Reading, column: str = "commit_time") -> _Select:
        for period in reading.periods:
            self._says.append(period.says)
            if period.start:
                self.where(f"{column} >= :since", since=stamp(period.start))
            if period.end:
                self.where(f"{column} < :before", before=stamp(period.end))
        return self

    def people(self, reading: Reading) -> _Select:
        names = {f"person{i or ''}": name for i, name in enumerate(reading.people)}
        if not names:
            return self
        marks = ", ".join(f":{key}" for key in names)
        condition = f"author_name IN ({marks})" if len(names) > 1 else "author_name = :person"
        return self.where(condition, "by " + " or ".join(reading.people), **names)

    def path(self, reading: Reading) -> _Select:
        if reading.path is None:
            return self
        path = reading.path.path
        if reading.path.folder:
            # "0" is the character after "/": a range that an index serves
            return self.where("path >= :folder AND path < :past", f"below {path}", folder=path, past=path[:-1] + "0")
        return self.where("path = :path", f"touching {path}", path=path)

    def tail(self, text: str, **params: Any) -> _Select:
        self._tail = text
        self._params |= params
        return self

    def query(self, says: str) -> Query:
        where = f" WHERE {' AND '.join(self._where)}" if self._where else ""
        tail = f" {self._tail}" if self._tail else ""
        return Query(
            f"SELECT {self._columns} FROM {self._view}{where}{tail}", self._params, " ".join([says, *self._says])
        )


def _commits(reading: Reading, columns: str = "") -> _Select:
    """Commits, or the changes of a path; commits that a force-push lost only where they are asked for."""
    if reading.path is not None:
        taken = "substr(commit_hash, 1, 10) AS short_hash, commit_time, author_name, subject, repo_name"
        taken += ", commit_hash AS hash"
        select = _changed(columns or f"DISTINCT {taken}", reading)
    else:
        select = _Select(columns or _COMMIT, "v_commits").repo(reading)
        if "LOST" not in reading.concepts:
            select.where("lost = 0")
    for concept, (condition, says) in _FLAGS.items():
        if concept in reading.concepts:
            select.where(condition, f"that are {says}")
    return select.people(reading).time(reading)


def _changed(columns: str, reading: Reading) -> _Select:
    """Changes of paths. Merges are left out, as `git log -- path` does: they repeat what was changed on the side."""
    return _Select(columns, "v_changes").repo(reading).path(reading).where("merge = 0")


def _last_commit(reading: Reading) -> Query:
    return _commits(reading).tail("ORDER BY commit_time DESC LIMIT 1").query("the last commit")


def _first_commit(reading: Reading) -> Query:
    return _commits(reading).tail("ORDER BY commit_time LIMIT 1").query("the first commit")


def _list_commits(reading: Reading) -> Query:
    newest = bool({"LAST", "RECENT"} & reading.concepts)
    limit = reading.number or (10 if newest else 100)
    says = f"the last {limit} commits" if newest or reading.number else "commits"
    return _commits(reading).tail("ORDER BY commit_time DESC LIMIT :n", n=limit).query(says)


def _count_commits(reading: Reading) -> Query:
    what = "COUNT(DISTINCT commit_hash)" if reading.path else "COUNT(*)"
    return _commits(reading, f"{what} AS commits").query("the number of commits")


def _contributors(reading: Reading) -> Query:
    what = "COUNT(DISTINCT commit_hash)" if reading.path else "COUNT(*)"
    limit = reading.number or 50
    if not reading.path and not reading.periods:  # counted beforehand
        columns = "author_name, SUM(commits) AS commits, MIN(first_commit) AS first, MAX(last_commit) AS last"
        select = _Select(columns, "v_contributors").repo(reading)
    else:
        columns = f"author_name, {what} AS commits, MIN(commit_time) AS first, MAX(commit_time) AS last"
        select = _commits(reading, columns)
    tail = "GROUP BY author_name ORDER BY commits DESC, author_name LIMIT :n"
    return select.tail(tail, n=limit).query("people by number of commits")


def _count_people(reading: Reading) -> Query:
    return _commits(reading, "COUNT(DISTINCT author_name) AS people").query("the number of authors")


def _search(reading: Reading) -> Query:
    columns = "substr(hash, 1, 10) AS short_hash, commit_time, author_name, subject, repo_name, hash"
    select = _Select(columns, "v_search").where("text MATCH :text", text=_match(reading.text or ""))
    select.repo(reading).people(reading).time(reading)
    says = f"commits whose message has {reading.text!r}"
    return select.tail("ORDER BY commit_time DESC LIMIT :n", n=reading.number or 50).query(says)


def _match(text: str) -> str:
    """Words for FTS5, each quoted: nothing in them is an operator."""
    return " ".join('"' + word.replace('"', '""') + '"' for word in text.split())


def _commit(reading: Reading) -> Query:
    columns = "hash, commit_time, author_name, author_email, committer_name, subject, repo_name, parents, signed, lost"
    select = _Select(columns, "v_commits").repo(reading)
    return _this(select, reading, "hash").query("commit")


def _commit_files(reading: Reading) -> Query:
    select = _this(_Select("status, path, repo_name, commit_hash", "v_changes").repo(reading), reading, "commit_hash")
    for concept, letter in (("ADDED", "A"), ("DELETED", "D")):
        if concept in reading.concepts:
            select.where("status = :status", status=letter)
    return select.tail("ORDER BY path").query("the files of commit")


def _this(select: _Select, reading: Reading, column: str) -> _Select:
    prefix = reading.commits[0]
    if len(prefix) == 40:
        return select.where(f"{column} = :commit", prefix[:12], commit=prefix)
    return select.where(f"{column} >= :low AND {column} < :high", prefix, low=prefix, high=prefix + "g")


def _tip(reading: Reading) -> Query:
    ref = reading.refs[0]
    columns = f"r.name, {', '.join(f'c.{c}' for c in _COMMIT.split(', '))}"
    view = "v_refs r LEFT JOIN v_commits c ON c.repo_name = r.repo_name AND c.hash = r.commit_hash"
    select = _Select(columns, view).where("r.repo_name = :repo", repo=ref.repo).where("r.name = :ref", ref=ref.name)
    return select.tail("ORDER BY r.current DESC, r.snapshot_seq DESC LIMIT 1").query(
        f"the commit that {ref.name} of {ref.repo} points to"
    )


def _refs(kind: str, word: str) -> Callable[[Reading], Query]:
    def build(reading: Reading) -> Query:
        select = _Select("repo_name, name, commit_hash", "v_refs").where("current = 1").repo(reading)
        if kind:
            select.where("name LIKE :kind", kind=f"refs/{kind}/%")
        return select.tail("ORDER BY repo_name, name").query(word)

    return build


def _count_refs(kind: str, word: str) -> Callable[[Reading], Query]:
    def build(reading: Reading) -> Query:
        select = _Select(f"COUNT(*) AS {word}", "v_refs").where("current = 1").repo(reading)
        return select.where("name LIKE :kind", kind=f"refs/{kind}/%").query(f"the number of {word}")

    return build


def _last_tag(reading: Reading) -> Query:
    view = "v_refs r LEFT JOIN v_commits c ON c.repo_name = r.repo_name AND c.hash = r.commit_hash"
    select = _Select("r.name, r.repo_name, c.short_hash, c.commit_time, c.author_name, c.subject, c.hash", view)
    select.where("r.current = 1").where("r.name LIKE 'refs/tags/%'")
    if reading.repo:
        select.where("r.repo_name = :repo", f"in {reading.repo}", repo=reading.repo)
    return select.tail("ORDER BY c.commit_time DESC LIMIT 1").query("the tag with the newest commit")


_SNAPSHOT = "repo_name, seq, taken_at, commit_hash, files, commits, size, hdfs_path"


def _last_snapshot(reading: Reading) -> Query:
    select = _Select(_SNAPSHOT, "v_snapshots").repo(reading).time(reading, "taken_at")
    return select.tail("ORDER BY taken_at DESC, seq DESC LIMIT 1").query("the last snapshot")


def _first_snapshot(reading: Reading) -> Query:
    return (
        _Select(_SNAPSHOT, "v_snapshots")
        .repo(reading)
        .tail("ORDER BY taken_at, seq LIMIT 1")
        .query("the first snapshot")
    )


def _snapshots(reading: Reading) -> Query:
    select = _Select(_SNAPSHOT, "v_snapshots").repo(reading).time(reading, "taken_at")
    return select.tail("ORDER BY taken_at DESC, seq DESC LIMIT :n", n=reading.number or 100).query("snapshots")


def _count_snapshots(reading: Reading) -> Query:
    return (
        _Select("COUNT(*) AS snapshots", "v_snapshots")
        .repo(reading)
        .time(reading, "taken_at")
        .query("the number of snapshots")
    )


def _stale(reading: Reading) -> Query:
    period = reading.periods[0]
    limit = period.start or period.end
    assert limit is not None  # the rule's `when` sees to it
    select = _Select("repo_name, last_snapshot_at, last_checked_at, last_snapshot_path", "v_repos")
    if not reading.defaulted:
        select.repo(reading)
    select.where("MAX(COALESCE(last_snapshot_at, ''), COALESCE(last_checked_at, '')) < :limit", limit=stamp(limit))
    return select.tail("ORDER BY last_snapshot_at").query(
        f"repositories that no snapshot run covered since {stamp(limit)}"
    )


def _repos(order: str, says: str) -> Callable[[Reading], Query]:
    def build(reading: Reading) -> Query:
        columns = "repo_name, commits, snapshots, last_snapshot_at, last_commit_hash, last_snapshot_path"
        return _Select(columns, "v_repos").tail(f"ORDER BY {order} LIMIT :n", n=reading.number or 1000).query(says)

    return build


def _repos_by_size(reading: Reading) -> Query:
    tail = "GROUP BY repo_name ORDER BY bytes DESC LIMIT :n"
    select = _Select("repo_name, SUM(size) AS bytes, COUNT(*) AS snapshots", "v_snapshots")
    return select.tail(tail, n=reading.number or 10).query("repositories by size in the archive")


def _count_repos(_: Reading) -> Query:
    return _Select("COUNT(*) AS repositories", "v_repos").query("the number of repositories")


def _size(reading: Reading) -> Query:
    columns = "SUM(size) AS bytes, COUNT(*) AS snapshots, COUNT(DISTINCT repo_name) AS repositories"
    return _Select(columns, "v_snapshots").repo(reading).query("the size in the archive")


def _count_files(reading: Reading) -> Query:
    view = "v_snapshots s"
    select = _Select("repo_name, files, taken_at, hdfs_path", view).repo(reading)
    select.where("seq = (SELECT MAX(seq) FROM v_snapshots x WHERE x.repo_name = s.repo_name)")
    return select.tail("ORDER BY repo_name").query("the number of files at the head of the last snapshot")


def _changes(status: str, says: str) -> Callable[[Reading], Query]:
    def build(reading: Reading) -> Query:
        columns = "path, status, commit_time, author_name, subject, repo_name, commit_hash"
        select = _changed(columns, reading).people(reading).time(reading)
        if status:
            select.where("status = :status", status=status)
        return select.tail("ORDER BY commit_time DESC LIMIT :n", n=reading.number or 100).query(says)

    return build


def _path_event(status: str, order: str, says: str) -> Callable[[Reading], Query]:
    def build(reading: Reading) -> Query:
        columns = "path, status, commit_time, author_name, subject, repo_name, commit_hash"
        select = _changed(columns, reading).where("status = :status", status=status)
        return select.tail(f"ORDER BY commit_time {order} LIMIT 1").query(says)

    return build


def _files_changed(reading: Reading) -> Query:
    select = _changed("path, MAX(commit_time) AS last, COUNT(*) AS changes, repo_name", reading)
    select.people(reading).time(reading)
    order = "changes DESC, path" if "MOST" in reading.concepts else "last DESC, path"
    says = "files by number of changes" if "MOST" in reading.concepts else "files that changed"
    limit = reading.number or (10 if "MOST" in reading.concepts else 100)
    return select.tail(f"GROUP BY repo_name, path ORDER BY {order} LIMIT :n", n=limit).query(says)


def _restore(columns: str, tail: str, says: str) -> Callable[[Reading], Query]:
    def build(reading: Reading) -> Query:
        select = _Select(columns, "v_restores").time(reading, "requested_at")
        if not reading.defaulted:
            select.repo(reading)
        if "FAILED" in reading.concepts:
            select.where("state = 'failed'", "that failed")
        limit = {"n": reading.number or 50} if ":n" in tail else {}
        return select.tail(tail, **limit).query(says)

    return build


_RESTORE = "repo_name, commit_hash, target, who, state, requested_at, finished_at, run_id, detail"

_COMPILERS: dict[str, Callable[[Reading], Query]] = {
    "last_commit": _last_commit,
    "first_commit": _first_commit,
    "commits": _list_commits,
    "count_commits": _count_commits,
    "contributors": _contributors,
    "count_people": _count_people,
    "search": _search,
    "commit": _commit,
    "commit_files": _commit_files,
    "tip": _tip,
    "branches": _refs("heads", "branches"),
    "tags": _refs("tags", "tags"),
    "refs": _refs("", "refs"),
    "count_branches": _count_refs("heads", "branches"),
    "count_tags": _count_refs("tags", "tags"),
    "last_tag": _last_tag,
    "last_snapshot": _last_snapshot,
    "first_snapshot": _first_snapshot,
    "snapshots": _snapshots,
    "count_snapshots": _count_snapshots,
    "stale": _stale,
    "repos": _repos("repo_name", "archived repositories"),
    "repos_by_commits": _repos("commits DESC, repo_name", "repositories by number of commits"),
    "repos_by_size": _repos_by_size,
    "count_repos": _count_repos,
    "size": _size,
    "count_files": _count_files,
    "path_added": _path_event("A", "", "the commit that added it"),
    "path_deleted": _path_event("D", "DESC", "the commit that deleted it"),
    "files_added": _changes("A", "files that were added"),
    "files_deleted": _changes("D", "files that were deleted"),
    "files_changed": _files_changed,
    "files_most": _files_changed,
    "restores": _restore(_RESTORE, "ORDER BY requested_at DESC LIMIT :n", "restores"),
    "last_restore": _restore(_RESTORE, "ORDER BY requested_at DESC LIMIT 1", "the last restore"),
    "count_restores": _restore("COUNT(*) AS restores", "", "the number of restores"),
}

QUERIES = frozenset(_COMPILERS)
"""Frames that one SELECT answers."""
