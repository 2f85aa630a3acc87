"""The index's tables, as numbered steps. A step that was released never changes; the next one mends it.

What each table and column means is told in :mod:`pivo.index.schema`. Times are ISO 8601 text in UTC
(`2026-11-20T12:00:00Z`), so that they compare as text and one index serves "since", "between" and "latest";
commit hashes are hex text, so that a short hash is a range of an index; other object ids are 20 raw bytes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from pivo.index import head
from pivo.index.schema import views_digest
from pivo.index.statements import INITIAL
from pivo.index.statements_later import ADDRESSES, FILES, ROLL_UPS, VERIFICATIONS
from pivo.index.views import VIEWS


def m001_initial(db: sqlite3.Connection) -> None:
    """Repositories, snapshots, commits, changes, refs, roll-ups, search, restores, audit, Kafka's offsets."""
    for statement in INITIAL.split(";\n"):
        if statement.strip():
            db.execute(statement)


def m002_verifications(db: sqlite3.Connection) -> None:
    """What verifications and drills came to."""
    for statement in VERIFICATIONS.split(";\n"):
        if statement.strip():
            db.execute(statement)


def m003_incomplete(db: sqlite3.Connection) -> None:
    """How much of a snapshot is missing."""
    db.execute("ALTER TABLE repo_snapshots ADD COLUMN incomplete INTEGER NOT NULL DEFAULT 0")


def m004_roll_ups(db: sqlite3.Connection) -> None:
    """Commits by hour and changes by path, counted beforehand; fewer and larger segments of the words' index."""
    for statement in ROLL_UPS.split(";\n"):
        if statement.strip():
            db.execute(statement)


def m005_over_all_repositories(db: sqlite3.Connection) -> None:
    """Roll-ups by person, day and hour over all repositories, each from an index that has all it needs."""
    db.execute("CREATE INDEX repo_authors_person ON repo_authors (person_id, commits, last_time)")
    db.execute("CREATE INDEX repo_days_day ON repo_days (day, commits)")
    db.execute("CREATE INDEX repo_hours_hour ON repo_hours (hour, weekday, commits)")


def m006_most_changed(db: sqlite3.Connection) -> None:
    """What changes most, in a repository or of all, without looking at every path."""
    db.execute("ALTER TABLE path_changes ADD COLUMN repo_id INTEGER NOT NULL DEFAULT 0")
    db.execute("UPDATE path_changes SET repo_id = p.repo_id FROM paths p WHERE p.id = path_changes.path_id")
    db.execute("CREATE INDEX path_changes_most ON path_changes (changes)")
    db.execute("CREATE INDEX path_changes_repo ON path_changes (repo_id, changes)")


def m007_addresses_and_files(db: sqlite3.Connection) -> None:
    """One address of several names in one walk of an index; sizes; the files at every repository's head."""
    for statement in (ADDRESSES + ";\n" + FILES).split(";\n"):
        if statement.strip():
            db.execute(statement)
    for (repo_id,) in db.execute("SELECT id FROM repos WHERE last_seq > 0").fetchall():
        head.follow(db, repo_id)


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    m001_initial,
    m002_verifications,
    m003_incomplete,
    m004_roll_ups,
    m005_over_all_repositories,
    m006_most_changed,
    m007_addresses_and_files,
)


def migrate(db: sqlite3.Connection) -> list[str]:
    """Applies the steps that `db` lacks, and the views when they changed, in one transaction; returns their names.

    `db` is in autocommit mode. A file that is already up to date is only read.
    """
    applied = _applied(db)
    missing = [step for step in MIGRATIONS if step.__name__ not in applied]
    if not missing and _views_are_current(db):
        return []
    db.execute("BEGIN IMMEDIATE")
    try:
        db.execute("CREATE TABLE IF NOT EXISTS schema_migrations (name TEXT PRIMARY KEY, applied_at TEXT NOT NULL)")
        applied = _applied(db)  # another process may have been first
        names = []
        for step in MIGRATIONS:
            if step.__name__ not in applied:
                step(db)
                db.execute("INSERT INTO schema_migrations VALUES (?, strftime('%Y-%m-%dT%H:%M:%SZ'))", (step.__name__,))
                names.append(step.__name__)
        _make_views(db)
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise
    return names


def _applied(db: sqlite3.Connection) -> set[str]:
    if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'schema_migrations'").fetchone():
        return set()
    return {name for (name,) in db.execute("SELECT name FROM schema_migrations")}


def _views_are_current(db: sqlite3.Connection) -> bool:
    row = db.execute("SELECT value FROM meta WHERE key = 'views'").fetchone()
    return row is not None and row[0] == views_digest()


def _make_views(db: sqlite3.Connection) -> None:
    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'view'").fetchall():
        db.execute(f'DROP VIEW "{name}"')
    for view in VIEWS:
        db.execute(view.sql())
    db.execute("INSERT OR REPLACE INTO meta VALUES ('views', ?)", (views_digest(),))
