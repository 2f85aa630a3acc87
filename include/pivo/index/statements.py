"""The longer statements of :mod:`pivo.index.migrations`, parted by `;` at the end of a line."""

from __future__ import annotations

INITIAL = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT);

CREATE TABLE repos (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    head TEXT,
    head_ref TEXT,
    source TEXT,
    last_seq INTEGER NOT NULL DEFAULT 0,
    last_snapshot_at TEXT,
    last_checked_at TEXT,
    snapshots INTEGER NOT NULL DEFAULT 0,
    commits INTEGER NOT NULL DEFAULT 0,
    size INTEGER NOT NULL DEFAULT 0,
    rewritten INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE repo_snapshots (
    commit_hash TEXT NOT NULL,
    repo_name TEXT NOT NULL,
    files INTEGER NOT NULL,
    size INTEGER NOT NULL,
    hdfs_path TEXT NOT NULL,
    seq INTEGER NOT NULL,
    taken_at TEXT NOT NULL,
    source TEXT NOT NULL,
    head_ref TEXT,
    commits INTEGER NOT NULL,
    refs INTEGER NOT NULL,
    packs INTEGER NOT NULL,
    previous TEXT,
    previous_sha256 TEXT,
    object_format TEXT NOT NULL,
    tool TEXT NOT NULL,
    PRIMARY KEY (repo_name, seq)
);
CREATE INDEX repo_snapshots_taken ON repo_snapshots (taken_at);
CREATE INDEX repo_snapshots_repo_taken ON repo_snapshots (repo_name, taken_at);

CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, UNIQUE (name, email));
CREATE INDEX people_email ON people (email);

CREATE TABLE commits (
    id INTEGER PRIMARY KEY,
    repo_id INTEGER NOT NULL,
    hash TEXT NOT NULL,
    tree BLOB NOT NULL,
    author_id INTEGER NOT NULL,
    author_time TEXT NOT NULL,
    author_tz INTEGER NOT NULL,
    committer_id INTEGER NOT NULL,
    commit_time TEXT NOT NULL,
    commit_tz INTEGER NOT NULL,
    subject TEXT NOT NULL,
    parents INTEGER NOT NULL,
    files INTEGER NOT NULL,
    signed INTEGER NOT NULL,
    snapshot_seq INTEGER NOT NULL,
    lost INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX commits_hash ON commits (hash, repo_id);
CREATE INDEX commits_repo_time ON commits (repo_id, commit_time);
CREATE INDEX commits_time ON commits (commit_time);
CREATE INDEX commits_author_time ON commits (author_id, commit_time);
CREATE INDEX commits_lost ON commits (repo_id, commit_time) WHERE lost = 1;

CREATE TABLE commit_parents (
    commit_id INTEGER NOT NULL,
    n INTEGER NOT NULL,
    parent TEXT NOT NULL,
    PRIMARY KEY (commit_id, n)
) WITHOUT ROWID;

CREATE TABLE messages (commit_id INTEGER PRIMARY KEY, message TEXT NOT NULL);
CREATE VIRTUAL TABLE message_fts USING fts5 (
    message, content = 'messages', content_rowid = 'commit_id', tokenize = 'unicode61 remove_diacritics 2'
);

CREATE TABLE paths (id INTEGER PRIMARY KEY, repo_id INTEGER NOT NULL, path TEXT NOT NULL, UNIQUE (repo_id, path));
CREATE INDEX paths_path ON paths (path);
CREATE VIRTUAL TABLE path_fts USING fts5 (
    path, content = 'paths', content_rowid = 'id', tokenize = 'trigram'
);

CREATE TABLE commit_files (
    commit_id INTEGER NOT NULL,
    path_id INTEGER NOT NULL,
    status TEXT NOT NULL,
    mode TEXT,
    blob BLOB,
    old_blob BLOB,
    commit_time TEXT NOT NULL,
    PRIMARY KEY (commit_id, path_id)
) WITHOUT ROWID;
CREATE INDEX commit_files_path_time ON commit_files (path_id, commit_time);

CREATE TABLE refs (
    repo_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    target TEXT NOT NULL,
    commit_hash TEXT NOT NULL,
    from_seq INTEGER NOT NULL,
    to_seq INTEGER,
    PRIMARY KEY (repo_id, name, from_seq)
) WITHOUT ROWID;
CREATE INDEX refs_current ON refs (repo_id, name) WHERE to_seq IS NULL;
CREATE INDEX refs_commit ON refs (commit_hash);

CREATE TABLE ref_updates (
    repo_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    name TEXT NOT NULL,
    old TEXT,
    new TEXT,
    forced INTEGER NOT NULL,
    PRIMARY KEY (repo_id, seq, name)
) WITHOUT ROWID;

CREATE TABLE snapshot_parts (
    repo_name TEXT NOT NULL,
    seq INTEGER NOT NULL,
    part INTEGER NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (repo_name, seq, part)
);

CREATE TABLE repo_authors (
    repo_id INTEGER NOT NULL,
    person_id INTEGER NOT NULL,
    commits INTEGER NOT NULL,
    first_time TEXT NOT NULL,
    last_time TEXT NOT NULL,
    PRIMARY KEY (repo_id, person_id)
) WITHOUT ROWID;

CREATE TABLE repo_days (
    repo_id INTEGER NOT NULL,
    day TEXT NOT NULL,
    commits INTEGER NOT NULL,
    PRIMARY KEY (repo_id, day)
) WITHOUT ROWID;

CREATE TABLE restores (
    run_id TEXT NOT NULL,
    repo_name TEXT NOT NULL,
    commit_hash TEXT NOT NULL,
    ref TEXT NOT NULL,
    target TEXT NOT NULL,
    who TEXT NOT NULL,
    state TEXT NOT NULL,
    requested_at TEXT NOT NULL,
    finished_at TEXT,
    updated_at TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (run_id, repo_name)
);
CREATE INDEX restores_requested ON restores (requested_at);

CREATE TABLE restore_events (
    run_id TEXT NOT NULL,
    repo_name TEXT NOT NULL,
    state TEXT NOT NULL,
    at TEXT NOT NULL,
    commit_hash TEXT NOT NULL,
    ref TEXT NOT NULL,
    target TEXT NOT NULL,
    who TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (run_id, repo_name, at, state)
) WITHOUT ROWID;

CREATE TABLE audit (
    id TEXT PRIMARY KEY,
    at TEXT NOT NULL,
    who TEXT NOT NULL,
    action TEXT NOT NULL,
    parameters TEXT NOT NULL,
    outcome TEXT NOT NULL
);
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_who ON audit (who, at);

CREATE TABLE kafka_offsets (
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    topic_id TEXT,
    next_offset INTEGER NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (topic, partition)
);

CREATE TABLE kafka_gaps (
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    from_offset INTEGER NOT NULL,
    to_offset INTEGER NOT NULL,
    reason TEXT NOT NULL,
    found_at TEXT NOT NULL,
    filled_at TEXT
);

CREATE TABLE dead_letters (
    topic_id TEXT NOT NULL,
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    reason TEXT NOT NULL,
    message_key BLOB,
    value BLOB,
    seen_at TEXT NOT NULL,
    PRIMARY KEY (topic_id, topic, partition, offset)
);
"""
