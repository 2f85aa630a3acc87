"""What the rows of each kind of question are called."""

from __future__ import annotations

NOUNS = {
    "commits_grouped": "group",
    "parent": "commit",
    "last_checked": "repository",
    "head_commit": "commit",
    "idle_people": "person",
    "email": "address",
    "audit": "entry",
    "path_search": "path",
    "verifications": "verification",
    "last_verification": "verification",
    "drills": "drill",
    "findings": "finding",
    "bad_repos": "repository",
    "never_verified": "repository",
    "stale_verified": "repository",
    "incomplete_repos": "repository",
    "idle_repos": "repository",
    "rewritten": "repository",
    "repos_of_person": "repository",
    "health": "repository",
    "incomplete": "incomplete snapshot",
    "snapshot": "snapshot",
    "snapshots_by_size": "snapshot",
    "ref_updates": "ref",
    "commits": "commit",
    "first_commits": "commit",
    "refs_at": "ref",
    "snapshot_of_commit": "snapshot",
    "first_snapshots": "snapshot",
    "child": "commit",
    "commits_by_hour": "group",
    "ref_exists": "ref",
    "repos_without": "repository",
    "repos_by_age": "repository",
    "last_commit": "commit",
    "first_commit": "commit",
    "commit": "commit",
    "commit_files": "changed file",
    "search": "commit",
    "branches": "branch",
    "tags": "tag",
    "last_tag": "tag",
    "refs": "ref",
    "snapshots": "snapshot",
    "last_snapshot": "snapshot",
    "first_snapshot": "snapshot",
    "stale": "repository",
    "repos": "repository",
    "repos_by_commits": "repository",
    "repos_by_size": "repository",
    "files_changed": "file",
    "repos_of_path": "repository",
    "files_now": "file",
    "files_since": "file",
    "file_sizes": "file",
    "file_size": "file at the head",
    "files_most": "file",
    "files_added": "added file",
    "files_deleted": "deleted file",
    "path_added": "commit",
    "path_deleted": "commit",
    "restores": "restore",
    "last_restore": "restore",
    "contributors": "person",
}


def plural(noun: str, count: int) -> str:
    """The noun for that many."""
    if count == 1:
        return noun
    irregular = {"person": "people", "branch": "branches", "repository": "repositories"}
    irregular |= {"address": "addresses", "entry": "entries"}
    return irregular.get(noun, f"{noun}s")
