"""v_files is what git itself lists at the head, with its sizes, whatever happened to the branch."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import gitmake
from archive_kit import Vault
from gitmake import gone, put
from index_kit import commit, history, manifest
from pivo.events import Event, commit_events, snapshot_events
from pivo.index import head
from pivo.index.apply import Indexer
from pivo.index.migrations import MIGRATIONS, migrate
from pivo.index.tables import TABLES
from pivo.index.writer import connect, writing

FILES = "SELECT path, mode, blob, size FROM v_files WHERE repo_name = ? ORDER BY path"


def listed(repo: gitmake.Repo, rev: str = "HEAD"):
    """What `git ls-tree` says: path, mode, blob, size."""
    told = repo.raw("ls-tree", "-r", "-l", "-z", rev).decode(errors="replace")
    rows = [row.split("\t", 1) for row in told.split("\0") if row]
    found = [(path, *about.split()) for about, path in rows]
    return sorted((path, mode, oid, None if size == "-" else int(size)) for path, mode, _, oid, size in found)


def told(vault: Vault) -> list[Event]:
    """The events of the vault's last snapshot."""
    one = vault.events.sent[-1]
    return [
        *(e for c in one.commits for e in commit_events(one.manifest, c)),
        *snapshot_events(one.manifest, one.updates, one.path),
    ]


@pytest.fixture(scope="module")
def nights(tmp_path_factory):
    """What a branch goes through, and after each night the events and what git lists."""
    folder: Path = tmp_path_factory.mktemp("files")
    vault, repo = Vault(folder), gitmake.linear(folder / "source.git", 5)

    def acts():
        repo.commit(
            "main", 10, put("big.bin", b"x" * 70_000), put("src/tool", b"#!", b"100755"), put("link", b"to", b"120000")
        )
        yield "grown"
        repo("branch", "topic", "main")
        repo.commit("topic", 11, put("topic/a.c", b"a" * 123), put("big.bin", b"y" * 80_000))
        yield "a branch beside it, whose content is archived before it is merged"
        repo.commit("main", 12, put("src/b.c", b"b"))
        tip = repo("rev-parse", "topic").strip()
        first = repo("rev-parse", "main").strip()
        changes = (put("topic/a.c", b"a" * 123), put("big.bin", b"y" * 80_000))
        repo.commit("main", 13, *changes, parents=(first, tip))
        yield "merged"
        repo.commit("main", 14, put("moved/big.bin", b"x" * 70_000), gone("big.bin"), gone("src/tool"))
        yield "moved, gone, and back to what was there before"
        repo("update-ref", "refs/heads/main", "main~2")
        repo.commit("main", 15, put("after.c", b"after a force-push"))
        yield "rewritten"
        repo("symbolic-ref", "HEAD", "refs/heads/topic")
        yield "another default branch"

    seen = []
    for what in acts():
        vault.ingest(repo, "PIVO")
        seen.append((what, told(vault), listed(repo)))
    return seen


def test_files_are_those_that_git_lists_after_every_night(nights, db):
    for what, events, files in nights:
        Indexer(db).apply(events)
        assert db.execute(FILES, ("PIVO",)).fetchall() == files, what
    assert max(size for *_, size in nights[-1][2]) == 80_000


def test_an_odd_tree_with_submodules_and_names_that_are_no_text(tmp_path, db):
    vault, repo = Vault(tmp_path), gitmake.odd(tmp_path / "odd.git")
    vault.ingest(repo)
    Indexer(db).apply(told(vault))
    found = db.execute(FILES, ("acme/odd",)).fetchall()
    expected = listed(repo)
    assert {row[1:] for row in found} == {row[1:] for row in expected} and len(found) == len(expected)
    assert {"100755", "160000"} <= {mode for _, mode, *_ in found}


@pytest.mark.parametrize("seed", range(4))
def test_batches_and_order_make_no_difference(seed, nights, tmp_path):
    """One at a time, all at once, and late: from the batch at hand and from the tables."""
    events = [e for _, some, _ in nights for e in some]
    rng = random.Random(seed)
    shuffled = rng.sample(events, len(events))
    batches = {
        "one.db": [[e] for e in events],
        "all.db": [events],
        "late.db": [shuffled[n : n + 3] for n in range(0, len(events), 3)],
    }
    for name, parts in batches.items():
        with writing(tmp_path / name) as db:
            indexer = Indexer(db)
            for part in parts:
                indexer.apply(part)
            assert db.execute(FILES, ("PIVO",)).fetchall() == nights[-1][2], name


def test_a_long_line_that_went_on_is_not_walked_again(db, monkeypatch):
    """Only what is between the two heads is looked at."""
    names = [f"c{n}" for n in range(40)]
    commits = [commit(n, names[i - 1 : i] if i else [], minute=i) for i, n in enumerate(names)]
    looked = []
    whole = head._read
    monkeypatch.setattr(head, "_read", lambda *args: looked.append(whole(*args)) or looked[-1])
    first, second = manifest("PIVO", 1, {"main": "c29"}), manifest("PIVO", 2, {"main": "c39"})
    for m, some in ((first, commits[:30]), (second, commits[30:])):
        for one in some:
            Indexer(db).apply(commit_events(m, one))
        Indexer(db).apply(snapshot_events(m, (), "/x"))
    assert [reached for _, reached in looked] == [False, True]
    assert {c for *_, c in looked[1][0]} == {n for (n,) in db.execute("SELECT id FROM commits WHERE id > 30")}


def test_an_index_of_before_becomes_one_of_today(tmp_path):
    """The step that adds addresses, sizes and files gives what a new index would have."""
    with writing(tmp_path / "new.db") as db:
        for repo in ("PIVO", "acme/x"):
            Indexer(db).apply(e for snap in history(repo, 3, 6) for e in snap.events())
        views = {v: db.execute(f"SELECT * FROM {v} ORDER BY 1, 2, 3").fetchall() for v in ("v_files", "v_commits")}
        people = db.execute("SELECT * FROM people ORDER BY id").fetchall()
    old = connect(tmp_path / "old.db")
    old.execute("CREATE TABLE schema_migrations (name TEXT PRIMARY KEY, applied_at TEXT NOT NULL)")
    for step in MIGRATIONS[:6]:
        step(old)
        old.execute("INSERT INTO schema_migrations VALUES (?, '')", (step.__name__,))
    old.execute("ATTACH ? AS new", (str(tmp_path / "new.db"),))
    for table in TABLES:
        columns = [row[1] for row in old.execute(f"PRAGMA main.table_info({table})")]
        if columns and table != "schema_migrations" and not table.endswith("_fts"):
            names = ", ".join(f'"{c}"' for c in columns)
            old.execute(f"DELETE FROM main.{table}")
            old.execute(f"INSERT INTO main.{table} ({names}) SELECT {names} FROM new.{table}")
    old.execute("DETACH new")
    assert migrate(old) == ["m007_addresses_and_files"]
    assert views["v_files"]
    for view, rows in views.items():
        assert old.execute(f"SELECT * FROM {view} ORDER BY 1, 2, 3").fetchall() == rows
    assert [row[:3] for row in old.execute("SELECT * FROM people ORDER BY id")] == [row[:3] for row in people]
    assert migrate(old) == []
    Indexer(old).apply(e for snap in history("PIVO", 3, 8)[6:] for e in snap.events())
    old.close()


def test_what_a_person_did_last_is_one_walk_whatever_names_they_had(db):
    for n in range(6):
        ann = commit("x").author
        who = type(ann)(f"Ann {n % 3}", "ann@example.org", ann.time + n, 0)
        one = commit(f"c{n}", author=who, committer=who, minute=n)
        Indexer(db).apply(commit_events(manifest("PIVO", 1, {"main": f"c{n}"}), one))
    sql = "SELECT author_name FROM v_commits WHERE author_email = 'ann@example.org' ORDER BY commit_time DESC LIMIT 1"
    plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}")]
    assert any("commits_address_time" in step for step in plan) and not any("TEMP B-TREE" in step for step in plan)
    assert db.execute(sql).fetchall() == [("Ann 2",)]
    assert db.execute("SELECT count(*) FROM people").fetchone() == (3,)
    assert db.execute("SELECT count(*) FROM v_commits WHERE author_name = 'Ann 1'").fetchone() == (2,)
