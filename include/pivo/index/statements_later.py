"""Statements of the later steps of :mod:`pivo.index.migrations`, parted as in :mod:`pivo.index.statements`."""

from __future__ import annotations

VERIFICATIONS = """
CREATE TABLE verifications (
    run_id TEXT NOT NULL,
    repo_name TEXT NOT NULL,
    mode TEXT NOT NULL,
    at TEXT NOT NULL,
    who TEXT NOT NULL,
    ok INTEGER NOT NULL,
    findings INTEGER NOT NULL,
    snapshots INTEGER NOT NULL,
    files INTEGER NOT NULL,
    size INTEGER NOT NULL,
    objects INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    manifest_sha256 TEXT NOT NULL,
    seconds REAL NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (run_id, repo_name, mode)
) WITHOUT ROWID;
CREATE INDEX verifications_repo_at ON verifications (repo_name, at);
CREATE INDEX verifications_at ON verifications (at);

CREATE TABLE findings (
    run_id TEXT NOT NULL,
    repo_name TEXT NOT NULL,
    mode TEXT NOT NULL,
    n INTEGER NOT NULL,
    snapshot TEXT NOT NULL,
    file TEXT NOT NULL,
    kind TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (run_id, repo_name, mode, n)
) WITHOUT ROWID;
"""

ROLL_UPS = """
CREATE TABLE repo_hours (
    repo_id INTEGER NOT NULL,
    weekday INTEGER NOT NULL,
    hour INTEGER NOT NULL,
    commits INTEGER NOT NULL,
    PRIMARY KEY (repo_id, weekday, hour)
) WITHOUT ROWID;
INSERT INTO repo_hours
    SELECT repo_id, (strftime('%w', commit_time) + 6) % 7, CAST(substr(commit_time, 12, 2) AS INTEGER), count(*)
    FROM commits GROUP BY 1, 2, 3;

CREATE TABLE path_changes (path_id INTEGER PRIMARY KEY, changes INTEGER NOT NULL, last_time TEXT NOT NULL);
INSERT INTO path_changes SELECT path_id, count(*), max(commit_time) FROM commit_files GROUP BY 1;

INSERT INTO message_fts (message_fts, rank) VALUES ('hashsize', 33554432);
INSERT INTO message_fts (message_fts, rank) VALUES ('automerge', 8);
"""

ADDRESSES = """
CREATE TABLE addresses (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE);
INSERT INTO addresses SELECT min(id), email FROM people GROUP BY email;

ALTER TABLE people ADD COLUMN address_id INTEGER NOT NULL DEFAULT 0;
UPDATE people SET address_id = a.id FROM addresses a WHERE a.email = people.email;

ALTER TABLE commits ADD COLUMN address_id INTEGER NOT NULL DEFAULT 0;
UPDATE commits SET address_id = p.address_id FROM people p WHERE p.id = commits.author_id;
DROP INDEX commits_author_time;
CREATE INDEX commits_address_time ON commits (address_id, commit_time, author_id);
"""

FILES = """
ALTER TABLE commit_files ADD COLUMN size INTEGER;
DROP INDEX commit_files_path_time;
CREATE INDEX commit_files_path_time ON commit_files (path_id, commit_time, status);

ALTER TABLE repos ADD COLUMN files_head TEXT;
CREATE TABLE head_files (
    repo_id INTEGER NOT NULL,
    path_id INTEGER NOT NULL,
    mode TEXT,
    blob BLOB,
    size INTEGER,
    commit_id INTEGER NOT NULL,
    PRIMARY KEY (repo_id, path_id)
) WITHOUT ROWID;
CREATE INDEX head_files_size ON head_files (size);
CREATE INDEX head_files_repo_size ON head_files (repo_id, size);
"""
