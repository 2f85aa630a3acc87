"""Files, and what commits did to them."""

from __future__ import annotations

from pivo.agent.brain import Query
from pivo.agent.planner.dates import moment
from pivo.agent.planner.frames import Frame
from pivo.agent.planner.reading import Reading
from pivo.agent.planner.sql.commits import changed
from pivo.agent.planner.sql.select import Compiler, Select, stamp

_CHANGE = "path, status, commit_time, author_name, subject, repo_name, commit_hash"
_FILE = "path, size, repo_name, author_name, commit_time, commit_hash"
_SIGNS = {">": "over", ">=": "at least", "<": "under", "<=": "at most", "=": "exactly"}
_MODES = {
    "EXECUTABLE": ("100755", "that are executable"),
    "SYMLINK": ("120000", "that are symbolic links"),
    "SUBMODULE": ("160000", "that are submodules"),
}
_MANY = ("files", "paths", "documents", "scripts", "modules")
_KINDS = {"ADDED": ("A", "added"), "DELETED": ("D", "deleted")}


def _commit_files(frame: Frame, reading: Reading) -> Query:
    return (
        _of_commit("status, path, repo_name, commit_hash", reading)
        .tail("ORDER BY path")
        .query(f"the {_kind(reading)}files of commit")
    )


def _count_commit_files(frame: Frame, reading: Reading) -> Query:
    return _of_commit("COUNT(*) AS files", reading).query(f"the number of {_kind(reading)}files of commit")


def _of_commit(columns: str, reading: Reading) -> Select:
    select = Select(columns, "v_changes").repo(reading).commit(reading.commits[0], "commit_hash")
    for concept, (letter, _) in _KINDS.items():
        if concept in reading.concepts:
            select.where("status = :status", status=letter)
    return select


def _kind(reading: Reading) -> str:
    """Which of a commit's files are shown, when not all."""
    return "".join(f"{says} " for concept, (_, says) in _KINDS.items() if concept in reading.concepts)


def _changes(status: str, says: str) -> Compiler:
    def build(frame: Frame, reading: Reading) -> Query:
        select = changed(_CHANGE, reading).people(reading).time(reading).where("status = :status", status=status)
        return select.tail("ORDER BY commit_time DESC LIMIT :n", n=frame.limit or 100).query(says)

    return build


def _event(status: str, way: str, says: str) -> Compiler:
    def build(frame: Frame, reading: Reading) -> Query:
        select = changed(_CHANGE, reading).where("status = :status", status=status)
        return select.tail(f"ORDER BY commit_time{way} LIMIT 1").query(says)

    return build


def _changed(frame: Frame, reading: Reading) -> Query:
    select = changed("path, MAX(commit_time) AS last, COUNT(*) AS changes, repo_name", reading)
    select.people(reading).time(reading)
    ranked = bool({"MOST", "LEAST"} & reading.concepts)
    way = "" if "LEAST" in reading.concepts else " DESC"
    by = f"changes{way}, path" if ranked else "last DESC, path"
    says = "files by number of changes" if ranked else "files that changed"
    limit = frame.limit or (10 if ranked else 100)
    return select.tail(f"GROUP BY repo_name, path ORDER BY {by} LIMIT :n", n=limit).query(says)


def _now(columns: str, reading: Reading) -> Select:
    """The files at the head of the last snapshot, those of the size and kind that is asked for."""
    select = Select(columns, "v_files").repo(reading).path(reading)
    if reading.bytes_:
        sign, count = reading.bytes_
        select.where(f"size {sign} :bytes", f"of {_SIGNS[sign]} {count:,} bytes", bytes=count)
    if reading.suffix:
        select.where(
            "lower(path) LIKE :suffix ESCAPE '\\'", f"that end in {reading.suffix}", suffix=_ending(reading.suffix)
        )
    for concept, (mode, says) in _MODES.items():
        if concept in reading.concepts:
            select.where("mode = :mode", says, mode=mode)
    return select


def _ending(suffix: str) -> str:
    return "%" + suffix.casefold().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _file_sizes(frame: Frame, reading: Reading) -> Query:
    smallest = "SMALLEST" in reading.concepts
    several = reading.bytes_ or any(w.norm.endswith("s") for w in reading.words if w.norm.startswith(_MANY))
    limit = frame.limit or (1 if not several else 100 if reading.bytes_ else 10)
    select = _now(_FILE, reading).where("size IS NOT NULL")
    says = f"files at the head, {'smallest' if smallest else 'largest'} first,"
    return select.tail(f"ORDER BY size{'' if smallest else ' DESC'}, path LIMIT :n", n=limit).query(says)


def _file_size(frame: Frame, reading: Reading) -> Query:
    if reading.path and reading.path.folder:
        return _total(frame, reading)
    return _now(_FILE, reading).tail("ORDER BY repo_name").query("the size at the head of the file")


def _since(frame: Frame, reading: Reading) -> Query:
    limit = reading.periods[0].start or reading.periods[0].end
    assert limit is not None  # the rule's `when` sees to it
    select = _now(_FILE, reading).where(
        "commit_time < :limit", f"not changed since {moment(limit)}", limit=stamp(limit)
    )
    return select.tail("ORDER BY commit_time, path LIMIT :n", n=500).query("files at the head")


def _total(frame: Frame, reading: Reading) -> Query:
    return _now("SUM(size) AS bytes, COUNT(*) AS files", reading).query("the size of all files at the head")


def _all_now(frame: Frame, reading: Reading) -> Query:
    return (
        _now(_FILE, reading).tail("ORDER BY repo_name, path LIMIT :n", n=frame.limit or 500).query("files at the head")
    )


def _count(frame: Frame, reading: Reading) -> Query:
    if (
        reading.path
        or reading.bytes_
        or reading.suffix
        or "MODE" in reading.concepts
        or reading.owner
        or not reading.repos
    ):
        return _now("COUNT(*) AS files", reading).query("the number of files at the head")
    select = Select("repo_name, files, taken_at, hdfs_path", "v_snapshots s").repo(reading)
    select.where("seq = (SELECT MAX(seq) FROM v_snapshots x WHERE x.repo_name = s.repo_name)")
    return select.tail("ORDER BY repo_name").query("the number of files at the head of the last snapshot")


def _search(frame: Frame, reading: Reading) -> Query:
    select = Select("path, repo_name, last_changed_at", "v_paths").repo(reading).path(reading)
    if part := reading.part:
        select.where("instr(lower(path), :part) > 0", f"with {part!r} in them", part=part.casefold())
    return select.tail("ORDER BY path, repo_name LIMIT :n", n=frame.limit or 100).query("paths")


_GONE = (
    "NOT EXISTS (SELECT 1 FROM v_changes c WHERE c.repo_name = p.repo_name AND c.path = p.path AND c.status = 'D'"
    " AND c.commit_time = p.last_changed_at)"
)


def _homes(frame: Frame, reading: Reading) -> Query:
    select = Select("repo_name, path, last_changed_at", "v_paths p").repo(reading, named_only=True).path(reading)
    if "EVER" not in reading.concepts:
        select.where(_GONE)
    return select.tail("ORDER BY repo_name, path LIMIT :n", n=frame.limit or 100).query("repositories that have it,")


COMPILERS: dict[str, Compiler] = {
    "commit_files": _commit_files,
    "count_commit_files": _count_commit_files,
    "count_files": _count,
    "file_sizes": _file_sizes,
    "file_size": _file_size,
    "total_size": _total,
    "files_since": _since,
    "files_now": _all_now,
    "path_added": _event("A", "", "the commit that added it"),
    "path_deleted": _event("D", " DESC", "the commit that deleted it"),
    "files_added": _changes("A", "files that were added"),
    "files_deleted": _changes("D", "files that were deleted"),
    "files_changed": _changed,
    "files_most": _changed,
    "path_search": _search,
    "repos_of_path": _homes,
}
