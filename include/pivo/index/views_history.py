"""Views of what was archived: repositories, snapshots, commits, changes, refs, people, and words to search for."""

from __future__ import annotations

from pivo.index.view import View, columns, octets

HISTORY: tuple[View, ...] = (
    View(
        "v_repos",
        "One row a repository: where it stands, and how old its last snapshot is.",
        "repos r LEFT JOIN repo_snapshots s ON s.repo_name = r.name AND s.seq = r.last_seq",
        columns(
            ("repo_name", "r.name", "`name` or `owner/name`"),
            ("last_commit_hash", "r.head", "commit that HEAD pointed at in the last snapshot"),
            ("last_snapshot_path", "s.hdfs_path", "folder of the last snapshot in HDFS"),
            ("last_snapshot_at", "r.last_snapshot_at", "when the last snapshot was taken"),
            ("last_checked_at", "r.last_checked_at", "when it was last looked at, changed or not"),
            ("snapshots", "r.snapshots", "how many snapshots there are"),
            ("commits", "r.commits", "how many commits the archive has"),
            ("size", "r.size", "bytes of all its snapshots"),
            ("head_ref", "r.head_ref", "branch that HEAD names, e.g. refs/heads/main"),
            ("source", "r.source", "where it was fetched from"),
            (
                "last_commit_time",
                "(SELECT max(c.commit_time) FROM commits c WHERE c.repo_id = r.id)",
                "time of its newest commit",
            ),
            ("rewritten", "r.rewritten", "1 when a branch was ever forced or a ref deleted"),
            (
                "last_verified_at",
                "(SELECT max(v.at) FROM verifications v WHERE v.repo_name = r.name)",
                "when its archive was last verified or a drill restored from it; NULL if never",
            ),
            (
                "verified_ok",
                "(SELECT v.ok FROM verifications v WHERE v.repo_name = r.name ORDER BY v.at DESC LIMIT 1)",
                "1 when that verification found nothing wrong, 0 when it did (see v_findings)",
            ),
        ),
    ),
    View(
        "v_snapshots",
        "One row a snapshot in the archive.",
        "repo_snapshots s",
        columns(
            ("repo_name", "s.repo_name", "repository"),
            ("seq", "s.seq", "number of the snapshot within its repository, from 1"),
            ("commit_hash", "s.commit_hash", "head commit; forty zeros for an empty repository"),
            ("taken_at", "s.taken_at", "when it was taken"),
            ("hdfs_path", "s.hdfs_path", "folder in HDFS"),
            ("files", "s.files", "files in the head commit's tree"),
            ("size", "s.size", "bytes that this snapshot added to the archive"),
            ("incomplete", "s.incomplete", "git LFS objects that could not be had so far; 0 when nothing is missing"),
            ("commits", "s.commits", "commits that this snapshot added"),
            ("refs", "s.refs", "refs (branches, tags, …) that it has"),
            ("packs", "s.packs", "pack files that a restore of it reads"),
            ("source", "s.source", "where it was fetched from"),
            ("head_ref", "s.head_ref", "branch that HEAD named; NULL when detached"),
            ("previous", "s.previous", "folder name of the snapshot before it"),
            ("previous_sha256", "s.previous_sha256", "SHA-256 of that snapshot's manifest: the hash chain"),
        ),
    ),
    View(
        "v_commits",
        "One row a commit and repository, lost ones included.",
        "commits c LEFT JOIN repos r ON r.id = c.repo_id LEFT JOIN people a ON a.id = c.author_id"
        " AND a.address_id = c.address_id LEFT JOIN addresses e ON e.id = c.address_id"
        " LEFT JOIN people k ON k.id = c.committer_id LEFT JOIN messages m ON m.commit_id = c.id",
        columns(
            ("repo_name", "r.name", "repository"),
            (
                "hash",
                "c.hash",
                "full commit hash, 40 hex digits; match a short one with hash >= 'abc' AND hash < 'abd'",
            ),
            ("short_hash", "substr(c.hash, 1, 10)", "its first ten digits, to show"),
            ("subject", "c.subject", "first line of the message"),
            ("message", "m.message", "whole message"),
            ("author_name", "a.name", "who wrote it"),
            ("author_email", "e.email", "the author's address"),
            ("author_time", "c.author_time", "when it was written"),
            ("committer_name", "k.name", "who committed it"),
            ("committer_email", "k.email", "the committer's address"),
            ("commit_time", "c.commit_time", 'when it was committed; "last" means the latest of these'),
            ("commit_tz", "c.commit_tz", "the committer's minutes east of UTC"),
            ("parents", "c.parents", "number of parents: 0 a root, 2 or more a merge"),
            ("files", "c.files", "number of paths it changed against its first parent"),
            ("tree", octets("c.tree"), "hash of its tree"),
            ("snapshot_seq", "c.snapshot_seq", "snapshot that first had it"),
            ("signed", "c.signed", "1 when it carries a signature"),
            ("lost", "c.lost", "1 when no ref of the last snapshot reaches it any more (force-push, deleted branch)"),
        ),
    ),
    View(
        "v_parents",
        "One row a parent of a commit.",
        "commit_parents p LEFT JOIN commits c ON c.id = p.commit_id LEFT JOIN repos r ON r.id = c.repo_id",
        columns(
            ("repo_name", "r.name", "repository"),
            ("commit_hash", "c.hash", "the child"),
            ("n", "p.n", "0 the first parent"),
            ("parent_hash", "p.parent", "the parent"),
        ),
    ),
    View(
        "v_changes",
        "One row a changed path of a commit, against its first parent.",
        "commit_files f LEFT JOIN paths p ON p.id = f.path_id LEFT JOIN commits c ON c.id = f.commit_id"
        " LEFT JOIN repos r ON r.id = p.repo_id"
        " LEFT JOIN people a ON a.id = c.author_id AND a.address_id = c.address_id",
        columns(
            ("repo_name", "r.name", "repository"),
            ("commit_hash", "c.hash", "full commit hash"),
            ("path", "p.path", "path from the root, e.g. src/main.c"),
            ("status", "f.status", "A added, M modified, D deleted, T type changed"),
            ("commit_time", "f.commit_time", "when it was committed"),
            ("author_name", "a.name", "who wrote it"),
            ("author_email", "a.email", "the author's address"),
            ("subject", "c.subject", "first line of the commit's message"),
            ("merge", "c.parents > 1", "1 when the commit is a merge: mostly changes that other commits made"),
            ("mode", "f.mode", "git's mode, e.g. 100644; NULL when deleted"),
            ("blob", octets("f.blob"), "hash of the new content; empty when deleted"),
            ("old_blob", octets("f.old_blob"), "hash of the old content; empty when added"),
            ("size", "f.size", "bytes of the new content; NULL when deleted, a submodule, or not told"),
        ),
    ),
    View(
        "v_files",
        "One row a file at the head of a repository's last snapshot: the largest files, what there is now.",
        "head_files h LEFT JOIN repos r ON r.id = h.repo_id LEFT JOIN paths p ON p.id = h.path_id"
        " AND p.repo_id = h.repo_id LEFT JOIN commits c ON c.id = h.commit_id"
        " LEFT JOIN people a ON a.id = c.author_id AND a.address_id = c.address_id",
        columns(
            ("repo_name", "r.name", "repository"),
            ("path", "p.path", "path from the root, e.g. src/main.c"),
            (
                "size",
                "h.size",
                "bytes; ORDER BY size DESC LIMIT 10 is fast; NULL for a submodule, or where an older PIVO took it",
            ),
            ("mode", "h.mode", "git's mode, e.g. 100644, 100755 executable, 120000 symlink, 160000 submodule"),
            ("blob", octets("h.blob"), "hash of the content"),
            ("commit_hash", "c.hash", "commit that last changed it on the head's line; a merge where one brought it"),
            ("commit_time", "c.commit_time", "when that was committed"),
            ("author_name", "a.name", "who wrote that commit"),
        ),
    ),
    View(
        "v_paths",
        "One row a path that a repository ever had: how often and when it changed.",
        "path_changes n LEFT JOIN repos r ON r.id = n.repo_id"
        " LEFT JOIN paths p ON p.id = n.path_id AND p.repo_id = n.repo_id",
        columns(
            ("repo_name", "r.name", "repository"),
            ("path", "p.path", "path from the root"),
            ("changes", "n.changes", "commits that changed it, counted beforehand"),
            ("last_changed_at", "n.last_time", "when it last changed"),
        ),
    ),
    View(
        "v_refs",
        "One row a ref and snapshot; add `current` for where the refs stand now.",
        "repo_snapshots s JOIN repos r ON r.name = s.repo_name JOIN refs x ON x.repo_id = r.id"
        " AND x.from_seq <= s.seq AND (x.to_seq IS NULL OR x.to_seq >= s.seq)",
        columns(
            ("repo_name", "s.repo_name", "repository"),
            ("snapshot_seq", "s.seq", "number of the snapshot"),
            ("name", "x.name", "full name, e.g. refs/heads/main, refs/tags/v1.0"),
            ("target", "x.target", "what it points at; an annotated tag's own hash"),
            ("commit_hash", "x.commit_hash", "commit that it leads to"),
            ("current", "s.seq = r.last_seq", "1 in the repository's last snapshot"),
        ),
    ),
    View(
        "v_ref_updates",
        "One row a ref that a snapshot found created, moved, forced or deleted.",
        "ref_updates u LEFT JOIN repos r ON r.id = u.repo_id"
        " LEFT JOIN repo_snapshots s ON s.repo_name = r.name AND s.seq = u.seq",
        columns(
            ("repo_name", "r.name", "repository"),
            ("snapshot_seq", "u.seq", "snapshot that found it"),
            ("seen_at", "s.taken_at", "when that snapshot was taken"),
            ("name", "u.name", "full ref name"),
            (
                "change",
                "CASE WHEN u.old IS NULL THEN 'created' WHEN u.new IS NULL THEN 'deleted'"
                " WHEN u.forced THEN 'forced' ELSE 'moved' END",
                "created, moved, forced (history was rewritten) or deleted",
            ),
            ("old", "u.old", "what it pointed at before"),
            ("new", "u.new", "what it points at since"),
        ),
    ),
    View(
        "v_contributors",
        "One row an author and repository, counted beforehand: top contributors, first and last commit.",
        "repo_authors ra LEFT JOIN repos r ON r.id = ra.repo_id LEFT JOIN people p ON p.id = ra.person_id",
        columns(
            ("repo_name", "r.name", "repository"),
            ("author_name", "p.name", "name"),
            ("author_email", "p.email", "address"),
            ("commits", "ra.commits", "commits they wrote in this repository"),
            ("first_commit", "ra.first_time", "time of the first"),
            ("last_commit", "ra.last_time", "time of the last"),
        ),
    ),
    View(
        "v_authors",
        "One row a person, by name and address, over all repositories.",
        "people p",
        columns(
            ("author_name", "p.name", "name"),
            ("author_email", "p.email", "address"),
            (
                "commits",
                "(SELECT coalesce(sum(commits), 0) FROM repo_authors x WHERE x.person_id = p.id)",
                "commits they wrote",
            ),
            ("repos", "(SELECT count(*) FROM repo_authors x WHERE x.person_id = p.id)", "repositories they wrote in"),
            ("last_commit", "(SELECT max(last_time) FROM repo_authors x WHERE x.person_id = p.id)", "time of the last"),
        ),
    ),
    View(
        "v_activity",
        "One row a repository and day (UTC) with commits, counted beforehand.",
        "repo_days d LEFT JOIN repos r ON r.id = d.repo_id",
        columns(
            ("repo_name", "r.name", "repository"),
            ("day", "d.day", "e.g. 2026-11-20"),
            ("commits", "d.commits", "commits of that day"),
        ),
    ),
    View(
        "v_hours",
        "One row a repository, weekday and hour (UTC) with commits, counted beforehand: the busiest hours.",
        "repo_hours h LEFT JOIN repos r ON r.id = h.repo_id",
        columns(
            ("repo_name", "r.name", "repository"),
            ("weekday", "h.weekday", "0 Monday to 6 Sunday"),
            ("hour", "h.hour", "0 to 23"),
            ("commits", "h.commits", "commits of that hour, over all weeks"),
        ),
    ),
    View(
        "v_search",
        "Words of commit messages: `WHERE text MATCH 'memory leak'` (all words), 'leak OR crash', '\"exact words\"',"
        " 'prefix*'. Add LIMIT.",
        "message_fts t LEFT JOIN commits c ON c.id = t.rowid LEFT JOIN repos r ON r.id = c.repo_id"
        " LEFT JOIN people a ON a.id = c.author_id AND a.address_id = c.address_id"
        " LEFT JOIN messages m ON m.commit_id = c.id",
        columns(
            ("text", "t.message_fts", "only for MATCH"),
            ("repo_name", "r.name", "repository"),
            ("hash", "c.hash", "full commit hash"),
            ("subject", "c.subject", "first line of the message"),
            ("message", "m.message", "whole message"),
            ("author_name", "a.name", "who wrote it"),
            ("commit_time", "c.commit_time", "when it was committed"),
            ("arrival", "t.rowid", "order of arrival: ORDER BY arrival DESC LIMIT 10 is fast, by commit_time is not"),
        ),
    ),
    View(
        "v_search_paths",
        "Parts of paths, three characters or more: `WHERE text MATCH '\"zipli\"'`.",
        "path_fts t LEFT JOIN paths p ON p.id = t.rowid LEFT JOIN repos r ON r.id = p.repo_id",
        columns(
            ("text", "t.path_fts", "only for MATCH"),
            ("repo_name", "r.name", "repository"),
            ("path", "p.path", "path from the root"),
        ),
    ),
)
