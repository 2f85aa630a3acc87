"""Branches, tags, and how they moved."""

from __future__ import annotations

from pivo.agent.brain import Query
from pivo.agent.planner.frames import Frame
from pivo.agent.planner.reading import Reading
from pivo.agent.planner.sql.commits import COMMIT
from pivo.agent.planner.sql.select import Compiler, Select

_TO_COMMIT = "v_refs r LEFT JOIN v_commits c ON c.repo_name = r.repo_name AND c.hash = r.commit_hash"


def _tip(frame: Frame, reading: Reading) -> Query:
    ref = reading.refs[0]
    columns = f"r.name, {', '.join(f'c.{c}' for c in COMMIT.split(', '))}"
    select = (
        Select(columns, _TO_COMMIT).where("r.repo_name = :repo", repo=ref.repo).where("r.name = :ref", ref=ref.name)
    )
    newest = "ORDER BY r.current DESC, r.snapshot_seq DESC LIMIT 1"
    return select.tail(newest).query(f"the commit that {ref.name} of {ref.repo} points to")


def _refs(kind: str, word: str) -> Compiler:
    def build(frame: Frame, reading: Reading) -> Query:
        if "WHEN" in reading.concepts:
            columns = "r.repo_name, r.name, r.commit_hash, c.commit_time"
            dated = Select(columns, _TO_COMMIT).where("r.current = 1").where("r.name LIKE :kind", kind=f"refs/{kind}/%")
            if reading.repo:
                dated.where("r.repo_name = :repo", f"in {reading.repo}", repo=reading.repo)
            return dated.tail("ORDER BY r.repo_name, c.commit_time").query(f"{word} with the times of their commits")
        select = Select("repo_name, name, commit_hash", "v_refs").where("current = 1").repo(reading)
        if kind:
            select.where("name LIKE :kind", kind=f"refs/{kind}/%")
        return select.tail("ORDER BY repo_name, name").query(word)

    return build


def _exists(frame: Frame, reading: Reading) -> Query:
    select = Select("repo_name, name, commit_hash", "v_refs").where("current = 1")
    select.where("name = :ref", reading.refs[0].name, ref=reading.refs[0].name).repo(reading)
    return select.tail("ORDER BY repo_name").query("the ref")


def _at(frame: Frame, reading: Reading) -> Query:
    select = Select("repo_name, name, commit_hash", "v_refs").where("current = 1").repo(reading)
    select.commit(reading.commits[0], "commit_hash")
    for concept, kind in (("TAG", "tags"), ("BRANCH", "heads")):
        if concept in reading.concepts:
            select.where("name LIKE :kind", kind=f"refs/{kind}/%")
    return select.tail("ORDER BY name").query("refs that point to")


def _count(kind: str, word: str) -> Compiler:
    def build(frame: Frame, reading: Reading) -> Query:
        select = Select(f"COUNT(*) AS {word}", "v_refs").where("current = 1").repo(reading)
        return select.where("name LIKE :kind", kind=f"refs/{kind}/%").query(f"the number of {word}")

    return build


def _end_tag(frame: Frame, reading: Reading) -> Query:
    select = Select("r.name, r.repo_name, c.short_hash, c.commit_time, c.author_name, c.subject, c.hash", _TO_COMMIT)
    select.where("r.current = 1").where("r.name LIKE 'refs/tags/%'")
    if reading.repo:
        select.where("r.repo_name = :repo", f"in {reading.repo}", repo=reading.repo)
    if frame.kind == "first_tag":
        return select.tail("ORDER BY c.commit_time LIMIT 1").query("the tag with the oldest commit")
    return select.tail("ORDER BY c.commit_time DESC LIMIT 1").query("the tag with the newest commit")


def _updates(frame: Frame, reading: Reading) -> Query:
    select = Select("name, change, seen_at, old, new, repo_name", "v_ref_updates").repo(reading)
    changes = {"FORCED": "forced", "REWRITTEN": "forced", "DELETED": "deleted", "ADDED": "created"}
    change = next((said for concept, said in changes.items() if concept in reading.concepts), "")
    if change:
        select.where("change = :change", change=change)
    select.time(reading, "seen_at")
    if reading.refs:
        select.where("name = :ref", reading.refs[0].name, ref=reading.refs[0].name)
    elif {"BRANCH", "TAG"} & reading.concepts:
        kind = "heads" if "BRANCH" in reading.concepts else "tags"
        select.where("name LIKE :kind", kind=f"refs/{kind}/%")
    return select.tail("ORDER BY seen_at DESC, name LIMIT 200").query(
        f"refs that were {change or 'moved, created or deleted'}"
    )


COMPILERS: dict[str, Compiler] = {
    "tip": _tip,
    "ref_exists": _exists,
    "refs_at": _at,
    "branches": _refs("heads", "branches"),
    "tags": _refs("tags", "tags"),
    "refs": _refs("", "refs"),
    "count_branches": _count("heads", "branches"),
    "count_tags": _count("tags", "tags"),
    "last_tag": _end_tag,
    "first_tag": _end_tag,
    "ref_updates": _updates,
}
