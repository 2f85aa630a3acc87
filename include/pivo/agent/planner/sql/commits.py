"""Commits and people."""

from __future__ import annotations

import re

from pivo.agent.brain import Query
from pivo.agent.planner.frames import Frame
from pivo.agent.planner.reading import Reading
from pivo.agent.planner.sql.select import GROUPS, Compiler, Select, nth, ordinal

COMMIT = "short_hash, commit_time, author_name, subject, repo_name, hash"
_FLAGS = {
    "LOST": ("lost = 1", "that are lost"),
    "SIGNED": ("signed = 1", "that are signed"),
    "UNSIGNED": ("signed = 0", "that are unsigned"),
    "MERGE": ("parents > 1", "that are merges"),
    "NOMERGE": ("parents < 2", "that are no merges"),
}
_WHICH_REPO = re.compile(r"\b(?:which|what) (?:repo|repos|repository|repositories|project|projects)\b")
_SMALL = frozenset({"a", "an", "the", "in", "of", "to", "with", "for", "on", "both", "and"})
_SEARCH = "substr(hash, 1, 10) AS short_hash, commit_time, author_name, subject, repo_name, hash"


def commits(reading: Reading, columns: str = "") -> Select:
    """Commits, or the changes of a path; commits that a force-push lost only where they are asked for."""
    if reading.path is not None:
        taken = "substr(commit_hash, 1, 10) AS short_hash, commit_time, author_name, subject, repo_name"
        taken += ", commit_hash AS hash"
        select = changed(columns or f"DISTINCT {taken}", reading)
    else:
        select = Select(columns or COMMIT, "v_commits").repo(reading)
        if "LOST" not in reading.concepts:
            select.where("lost = 0")
        for concept, (condition, says) in _FLAGS.items():
            if concept in reading.concepts:
                select.where(condition, says)
    return select.people(reading).time(reading)


def changed(columns: str, reading: Reading) -> Select:
    """Changes of paths. Merges are left out, as `git log -- path` does: they repeat what was changed on the side."""
    return Select(columns, "v_changes").repo(reading).path(reading).where("merge = 0")


def _end(ascending: bool) -> Compiler:
    def build(frame: Frame, reading: Reading) -> Query:
        limit, params = nth(frame)
        which = (
            f"{ordinal(frame)}{'' if ascending else 'last '}" if frame.offset else "first " if ascending else "last "
        )
        select = commits(reading).tail(f"ORDER BY commit_time{'' if ascending else ' DESC'} {limit}", **params)
        return select.query(f"the {which}commit")

    return build


def _list(frame: Frame, reading: Reading) -> Query:
    newest = bool({"LAST", "RECENT"} & reading.concepts) and not reading.periods
    limit = frame.limit or (10 if newest else 100)
    says = f"the last {limit} commits" if newest or frame.limit else "commits"
    return commits(reading).tail("ORDER BY commit_time DESC LIMIT :n", n=limit).query(says)


def _count(frame: Frame, reading: Reading) -> Query:
    what = "COUNT(DISTINCT commit_hash)" if reading.path else "COUNT(*)"
    return commits(reading, f"{what} AS commits").query("the number of commits")


def _grouped(frame: Frame, reading: Reading) -> Query:
    what = "COUNT(DISTINCT commit_hash)" if reading.path else "COUNT(*)"
    name, by = _group(frame)
    most = "MOST" in reading.concepts
    tail = f"GROUP BY 1 ORDER BY {'commits DESC, 1' if most else '1'} LIMIT :n"
    limit = frame.limit or (1 if most else 400)
    says = f"{'the ' + frame.group + ' with the most commits' if most else 'commits per ' + frame.group}"
    return commits(reading, f"{by} AS {name}, {what} AS commits").tail(tail, n=limit).query(says)


def _busiest_day(frame: Frame, reading: Reading) -> Query:
    select = commits(reading, f"{GROUPS['day'].format(time='commit_time')} AS day, COUNT(*) AS commits")
    return select.tail("GROUP BY 1 ORDER BY commits DESC, 1 LIMIT 1").query("the day with the most commits")


def _group(frame: Frame) -> tuple[str, str]:
    name = "repo_name" if frame.group == "repository" else frame.group
    return name, GROUPS[frame.group].format(time="commit_time")


def _contributors(frame: Frame, reading: Reading) -> Query:
    what = "COUNT(DISTINCT commit_hash)" if reading.path else "COUNT(*)"
    # Counted beforehand, lost commits included: only where nothing was ever lost would the roll-up say the same.
    by = "author_name, repo_name" if _which_repo(reading) else "author_name"
    columns = f"{by}, {what} AS commits, MIN(commit_time) AS first, MAX(commit_time) AS last"
    way = "" if "LEAST" in reading.concepts else " DESC"
    tail = f"GROUP BY {by} ORDER BY commits{way}, {by} LIMIT :n"
    each = " in each repository" if _which_repo(reading) else ""
    says = f"people by number of commits{each}{', fewest first' if not way else ''}"
    return commits(reading, columns).tail(tail, n=frame.limit or 50).query(says)


def _which_repo(reading: Reading) -> bool:
    """Whether the repository is asked for, too: "who committed today, and in which repository?" """
    said = " ".join(word.norm for word in reading.words)
    return not reading.repos and _WHICH_REPO.search(said) is not None


def _count_people(frame: Frame, reading: Reading) -> Query:
    return commits(reading, "COUNT(DISTINCT author_name) AS people").query("the number of authors")


def _idle_people(frame: Frame, reading: Reading) -> Query:
    inner = Select("author_name", "v_commits").repo(reading).where("lost = 0").time(reading)
    made = inner.query("people without a commit")
    here = Select("DISTINCT author_name", "v_contributors").repo(reading).query("")
    sql = f"{here.sql}{' AND' if ' WHERE ' in here.sql else ' WHERE'} author_name NOT IN ({made.sql})"
    return Query(f"{sql} ORDER BY author_name", {**made.parameters, **here.parameters}, made.read_as)


def _email(frame: Frame, reading: Reading) -> Query:
    if not reading.people:
        view = "v_commits" if reading.repos or reading.owner else "v_authors"
        everybody = Select("DISTINCT author_name, author_email", view).repo(reading)
        if view == "v_commits":
            everybody.where("lost = 0")
        return everybody.tail("ORDER BY author_name LIMIT :n", n=200).query("people's addresses")
    select = Select("author_name, author_email, last_commit", "v_authors").people(reading)
    return select.tail("ORDER BY last_commit DESC").query("the addresses")


def _search(columns: str, tail: str, says: str) -> Compiler:
    def build(frame: Frame, reading: Reading) -> Query:
        # v_search does not know which commits are lost; v_commits does
        select = Select(columns, "v_search").where("text MATCH :text", text=_any_match(reading))
        select.repo(reading).people(reading).time(reading)
        select.where("hash NOT IN (SELECT hash FROM v_commits WHERE lost = 1)")
        one = bool({"LAST", "FIRST"} & reading.concepts) and "COMMITS" not in reading.concepts
        limit = {"n": frame.limit or (1 if one else 50)} if ":n" in tail else {}
        order = tail.replace(" DESC", "") if "FIRST" in reading.concepts else tail
        return select.tail(order, **limit).query(f"{says} whose message has {' or '.join(map(repr, _texts(reading)))}")

    return build


def _texts(reading: Reading) -> list[str]:
    return [reading.text or "", *reading.alternatives]


def _any_match(reading: Reading) -> str:
    matches = [_phrase(text) if reading.exact else _match(text) for text in _texts(reading)]
    return matches[0] if len(matches) == 1 else " OR ".join(f"({match})" for match in matches)


def _phrase(text: str) -> str:
    return '"' + " ".join(text.split()).replace('"', '""') + '"'


def _match(text: str) -> str:
    """Words for FTS5, each quoted: nothing in them is an operator. Articles and the like need not be there."""
    said = [w for w in text.split() if w.casefold() not in _SMALL] or text.split()
    return " ".join('"' + word.replace('"', '""') + '"' for word in said)


def _commit(frame: Frame, reading: Reading) -> Query:
    columns = "hash, commit_time, author_name, author_email, committer_name, subject, message, repo_name, parents"
    select = Select(f"{columns}, signed, lost", "v_commits").repo(reading).people(reading).time(reading)
    return select.commit(reading.commits[0], "hash").query("commit")


def _parent(frame: Frame, reading: Reading) -> Query:
    if any(word.norm == "parents" for word in reading.words):
        columns = ", ".join(f"c.{c}" for c in COMMIT.split(", "))
        view = "v_parents p LEFT JOIN v_commits c ON c.repo_name = p.repo_name AND c.hash = p.parent_hash"
        every = Select(f"p.n, {columns}, p.parent_hash", view).commit(reading.commits[0], "p.commit_hash")
        if reading.repo:
            every.where("p.repo_name = :repo", f"in {reading.repo}", repo=reading.repo)
        return every.tail("ORDER BY p.n").query("the parents of commit")
    parent = Select("parent_hash", "v_parents").repo(reading).commit(reading.commits[0], "commit_hash").where("n = 0")
    inner = parent.query("the first parent of commit")
    sql = f"SELECT {COMMIT} FROM v_commits WHERE hash = ({inner.sql})"
    if reading.repo:
        sql += " AND repo_name = :repo"
    return Query(sql, inner.parameters, inner.read_as)


def _child(frame: Frame, reading: Reading) -> Query:
    child = Select("commit_hash", "v_parents").repo(reading).commit(reading.commits[0], "parent_hash")
    inner = child.query("the commits that follow commit")
    sql = f"SELECT {COMMIT} FROM v_commits WHERE hash IN ({inner.sql})"
    return Query(f"{sql} ORDER BY commit_time LIMIT 100", inner.parameters, inner.read_as)


def _oldest(frame: Frame, reading: Reading) -> Query:
    says = f"the first {frame.limit} commits" if frame.limit else "commits, oldest first,"
    return commits(reading).tail("ORDER BY commit_time LIMIT :n", n=frame.limit or 100).query(says)


def _hours(frame: Frame, reading: Reading) -> Query:
    by = "hour" if "BY_HOUR" in reading.concepts else "weekday"
    most = "MOST" in reading.concepts
    tail = f"GROUP BY 1 ORDER BY {'commits DESC, 1' if most else '1'} LIMIT :n"
    select = Select(f"{by}, SUM(commits) AS commits", "v_hours").repo(reading)
    says = f"commits per {by} {'(UTC)' if by == 'hour' else '(0 is Monday)'}"
    return select.tail(tail, n=frame.limit or (1 if most else 24)).query(says)


def _head(frame: Frame, reading: Reading) -> Query:
    head = Select("last_commit_hash", "v_repos").repo(reading).query("the commit that HEAD points at")
    select = f"SELECT {COMMIT} FROM v_commits WHERE repo_name = :repo AND hash = ({head.sql})"
    return Query(select, head.parameters, head.read_as)


COMPILERS: dict[str, Compiler] = {
    "last_commit": _end(False),
    "first_commit": _end(True),
    "commits": _list,
    "count_commits": _count,
    "commits_grouped": _grouped,
    "busiest_day": _busiest_day,
    "contributors": _contributors,
    "count_people": _count_people,
    "idle_people": _idle_people,
    "email": _email,
    "search": _search(_SEARCH, "ORDER BY commit_time DESC LIMIT :n", "commits"),
    "count_search": _search("COUNT(*) AS commits", "", "the number of commits"),
    "commit": _commit,
    "parent": _parent,
    "head_commit": _head,
    "child": _child,
    "first_commits": _oldest,
    "commits_by_hour": _hours,
}
