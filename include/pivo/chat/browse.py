"""What the archive page shows, as plain JSON: facts from the index, files from the archive.

Names, paths and messages are strangers' text: the page sets them as text, and files are never served to be rendered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pivo import gitobjects
from pivo.agent.build import Resources
from pivo.agent.tools.read_file import page
from pivo.chat import render
from pivo.errors import NotFound, UsageError
from pivo.gitobjects import SUBMODULE, TreeEntry
from pivo.index.reader import IndexReader
from pivo.models import Json, RepoName

_PAGE = 50  # repositories, commits or snapshots at a time
_CHART = 30  # snapshots that the small chart shows
_SORTS = {
    "name": "repo_name",
    "oldest": "last_checked_at, repo_name",
    "newest": "last_snapshot_at DESC, repo_name",
    "size": "size DESC, repo_name",
    "commits": "commits DESC, repo_name",
}
_REPO = (
    "SELECT repo_name, head_ref, last_commit_hash, last_commit_time, last_snapshot_at, last_checked_at, snapshots,"
    " commits, size, rewritten, last_verified_at, verified_ok, source FROM v_repos"
)


def repositories(reader: IndexReader, text: str = "", sort: str = "name", offset: int = 0) -> Json:
    """A page of repositories whose names have `text`, each with `growth`: its size after its last snapshots."""
    order = _SORTS.get(sort, _SORTS["name"])
    where = " WHERE instr(lower(repo_name), :text) > 0" if text else ""
    given: dict[str, Any] = {"text": text.lower()} if text else {}
    found = reader.query(f"{_REPO}{where} ORDER BY {order} LIMIT {_PAGE} OFFSET :offset", {**given, "offset": offset})
    total = reader.query(f"SELECT count(*), sum(size), sum(commits), sum(snapshots) FROM v_repos{where}", given).rows[0]
    rows = found.dicts()
    sizes = _growth(reader, [row["repo_name"] for row in rows])
    for row in rows:
        row["growth"] = _summed(sizes.get(row["repo_name"], []), row["size"] or 0)
    more = offset + len(rows) < total[0]
    sums = {"repositories": total[0], "bytes": total[1] or 0, "commits": total[2] or 0, "snapshots": total[3] or 0}
    return {"rows": rows, "next": offset + len(rows) if more else None, "totals": sums}


def repository(reader: IndexReader, repo: str) -> Json:
    """One repository: its facts, branches and tags, verifications, findings, lost commits, rewrites, restores."""
    found = reader.query(f"{_REPO} WHERE repo_name = ?", [repo]).dicts()
    if not found:
        raise NotFound(f"No repository {repo} is in the index.", "The archive page lists those that are.")
    name = {"repo": repo}
    return {
        "facts": found[0] | {"growth": _summed(_growth(reader, [repo]).get(repo, []), found[0]["size"] or 0)},
        "refs": _rows(
            reader,
            "SELECT name, commit_hash FROM v_refs WHERE repo_name = :repo AND current = 1 ORDER BY name LIMIT 500",
            name,
        ),
        "verifications": _rows(
            reader,
            "SELECT mode, verified_at, ok, findings, snapshots, files, size, objects, detail FROM v_verifications"
            " WHERE repo_name = :repo ORDER BY verified_at DESC LIMIT 5",
            name,
        ),
        "findings": _rows(
            reader,
            "SELECT found_at, snapshot, file, kind, detail FROM v_findings WHERE repo_name = :repo AND run_id ="
            " (SELECT run_id FROM v_verifications WHERE repo_name = :repo ORDER BY verified_at DESC LIMIT 1) LIMIT 20",
            name,
        ),
        "rewrites": _rows(
            reader,
            "SELECT seen_at, snapshot_seq, name, change, old, new FROM v_ref_updates WHERE repo_name = :repo"
            " AND change IN ('forced', 'deleted') ORDER BY snapshot_seq DESC LIMIT 20",
            name,
        ),
        "restores": _rows(
            reader,
            "SELECT run_id, commit_hash, target, who, state, requested_at FROM v_restores WHERE repo_name = :repo"
            " ORDER BY requested_at DESC LIMIT 10",
            name,
        ),
    }


def snapshots(reader: IndexReader, repo: str, before: int | None = None) -> Json:
    """A page of a repository's snapshots, the newest first, those with a number below `before`."""
    rows = _rows(
        reader,
        "SELECT seq, commit_hash, taken_at, hdfs_path, files, size, incomplete, commits, refs, packs FROM v_snapshots"
        f" WHERE repo_name = :repo AND seq < :before ORDER BY seq DESC LIMIT {_PAGE + 1}",
        {"repo": repo, "before": before if before is not None else 1 << 62},
    )
    return {"rows": rows[:_PAGE], "next": rows[_PAGE - 1]["seq"] if len(rows) > _PAGE else None}


def commits(reader: IndexReader, repo: str, *, lost: bool = False, offset: int = 0) -> Json:
    """A page of a repository's commits, the newest first; with `lost` those that no ref reaches any more."""
    rows = _rows(
        reader,
        "SELECT hash, subject, author_name, commit_time, files, parents, lost FROM v_commits WHERE repo_name = :repo"
        + (" AND lost = 1" if lost else "")
        + f" ORDER BY commit_time DESC LIMIT {_PAGE + 1} OFFSET :offset",
        {"repo": repo, "offset": offset},
    )
    return {"rows": rows[:_PAGE], "next": offset + _PAGE if len(rows) > _PAGE else None}


def content(resources: Resources, repo: str, ref: str, path: str, line: int = 1) -> Json:
    """A folder's entries, or a file's text from `line` on with its size, as they were at `ref`."""
    archive = resources.archive()
    found = archive.resolve(RepoName.parse(repo), ref)
    at = {"repo": repo, "ref": ref, "commit": found.commit, "snapshot": found.snapshot.dirname, "path": path}
    with archive.objects(found.snapshot) as objects:
        entry = objects.entry(found.commit, path)
        if entry.is_dir:
            children = sorted(objects.list_dir(found.commit, path), key=lambda e: (not e.is_dir, e.path))
            return {**at, "kind": "folder", "entries": [_entry(e) for e in children]}
        body = objects.read_file(found.commit, path)
    told = {**at, "kind": "file", "bytes": len(body), "mode": entry.mode}
    if b"\0" in body[:8000]:
        return {**told, "binary": True}
    text = gitobjects.text(body)
    if not text:
        return {**told, "binary": False, "view": None}
    return {**told, "binary": False, "view": render.with_colours(page(path, text, line).to_json())}


def download(resources: Resources, repo: str, ref: str, path: str) -> tuple[str, bytes]:
    """The commit that `ref` means, and the bytes of a file at it."""
    archive = resources.archive()
    found = archive.resolve(RepoName.parse(repo), ref)
    with archive.objects(found.snapshot) as objects:
        return found.commit, objects.read_file(found.commit, path)


def clean(path: str) -> str:
    """A path from a request; UsageError for one that no tree can have."""
    path = path.strip("/")
    if any(part in {"", ".", ".."} for part in path.split("/") if path) or "\0" in path:
        raise UsageError(f"{path[:120]!a} is not a path in a repository.", "Choose one from the list.")
    return path


def suggestions(reader: IndexReader) -> list[str]:
    """Questions that this very archive can answer, for an empty page."""
    rows = reader.query("SELECT repo_name FROM v_repos ORDER BY last_commit_time DESC LIMIT 2").rows
    if not rows:
        return ["What can you do?"]
    repo = rows[0][0]
    changed = reader.query(
        "SELECT path FROM v_changes WHERE repo_name = ? AND status = 'M' ORDER BY commit_time DESC LIMIT 1", [repo]
    ).rows
    tag = reader.query(
        "SELECT name FROM v_refs WHERE repo_name = ? AND current = 1 AND name LIKE 'refs/tags/%'"
        " ORDER BY name DESC LIMIT 1",
        [repo],
    ).rows
    asked = [
        f"Who committed last to {repo}?",
        f"Show the last 5 commits in {rows[-1][0]}",
        f"What changed in {changed[0][0]} in {repo} between the last two commits that touched it?" if changed else "",
        "Which repositories were not snapshotted since yesterday?",
        f"Restore {repo} to {tag[0][0].removeprefix('refs/tags/')}" if tag else "",
        "What can you do?",
    ]
    return [question for question in asked if question]


def _entry(entry: TreeEntry) -> Json:
    kinds = {"40000": "folder", SUBMODULE: "submodule", "120000": "link", "100755": "program"}
    return {"name": entry.path.rpartition("/")[2], "path": entry.path, "kind": kinds.get(entry.mode, "file")}


def _rows(reader: IndexReader, sql: str, given: dict[str, Any]) -> list[Json]:
    return reader.query(sql, given, limit=1000).dicts()


def _growth(reader: IndexReader, names: Sequence[str]) -> dict[str, list[tuple[str, int]]]:
    """By repository, when its last snapshots were taken and the bytes that each added, the oldest first."""
    if not names:
        return {}
    given = {f"n{i}": name for i, name in enumerate(names)}
    found = reader.query(
        "SELECT s.repo_name, s.taken_at, s.size FROM v_snapshots s LEFT JOIN v_repos r ON r.repo_name = s.repo_name"
        f" WHERE s.repo_name IN ({', '.join(f':{key}' for key in given)}) AND s.seq > r.snapshots - {_CHART}"
        " ORDER BY s.repo_name, s.seq",
        given,
        limit=_PAGE * _CHART,
    )
    grown: dict[str, list[tuple[str, int]]] = {}
    for name, at, size in found.rows:
        grown.setdefault(name, []).append((at, size))
    return grown


def _summed(added: Sequence[tuple[str, int]], total: int) -> list[Json]:
    """The size of the whole after each snapshot, so that the last one is `total`."""
    size = total - sum(n for _, n in added)
    points = []
    for at, bytes_added in added:
        size += bytes_added
        points.append({"at": at, "bytes": size})
    return points
