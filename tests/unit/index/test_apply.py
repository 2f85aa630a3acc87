"""Events to rows: what is said decides, not how often or in which order."""

from __future__ import annotations

import random
from dataclasses import replace as replaced
from datetime import timedelta

import pytest
from msgspec.structs import replace

from index_kit import START, Snap, commit, content, history, manifest, moved, sha
from pivo.events import AuditEvent, CommitEvent, HeartbeatEvent, RestoreEvent, commit_events
from pivo.index import lost
from pivo.index.apply import Indexer
from pivo.index.commits import iso
from pivo.index.writer import writing
from pivo.models import FileChange, LfsMissing, Person, Ref


def apply(db, *snaps):
    for snap in snaps:
        Indexer(db).apply(snap.events())


def ask(db, sql, *params):
    return db.execute(sql, params).fetchall()


def test_a_snapshot_becomes_rows(db):
    refs = {"main": "b", "topic": "a"}
    apply(db, Snap(manifest("PIVO", 1, refs, 2), (commit("a"), commit("b", ["a"], minute=1)), moved({}, refs)))
    assert ask(db, "SELECT repo_name, last_commit_hash, last_snapshot_path, snapshots, commits FROM v_repos") == [
        ("PIVO", sha("b"), f"/backups/PIVO/000001-{sha('b')[:12]}", 1, 2)
    ]
    assert ask(db, "SELECT hash, subject, author_name, commit_time, parents, lost FROM v_commits ORDER BY 4") == [
        (sha("a"), "Do a", "Ann Author", "2026-01-01T12:00:00Z", 0, 0),
        (sha("b"), "Do b", "Ann Author", "2026-01-01T12:01:00Z", 1, 0),
    ]
    assert ask(db, "SELECT commit_hash, parent_hash FROM v_parents") == [(sha("b"), sha("a"))]
    assert ask(db, "SELECT path, status, blob FROM v_changes WHERE commit_hash = ?", sha("a")) == [
        ("src/file0.c", "M", sha("a 0")),
        ("src/file1.c", "M", sha("a 1")),
    ]
    assert ask(db, "SELECT name, commit_hash, current FROM v_refs ORDER BY name") == [
        ("refs/heads/main", sha("b"), 1),
        ("refs/heads/topic", sha("a"), 1),
    ]
    assert ask(db, "SELECT change FROM v_ref_updates") == [("created",), ("created",)]
    assert ask(db, "SELECT author_email, commits FROM v_contributors") == [("ann@example.org", 2)]
    assert ask(db, "SELECT day, commits FROM v_activity") == [("2026-01-01", 2)]


def test_the_table_that_the_mission_names_is_as_it_says(db):
    apply(db, Snap(manifest("PIVO", 1, {"main": "a"}, 1), (commit("a"),), ()))
    rows = ask(db, "SELECT * FROM repo_snapshots")
    assert rows[0][:5] == (sha("a"), "PIVO", 10, 0, f"/backups/PIVO/000001-{sha('a')[:12]}")
    names = [c[0] for c in db.execute("SELECT * FROM repo_snapshots").description]
    assert names[:5] == ["commit_hash", "repo_name", "files", "size", "hdfs_path"]


@pytest.mark.parametrize("seed", range(12))
def test_order_and_repetition_make_no_difference(seed, tmp_path):
    events = [e for repo in ("PIVO", "acme/x") for snap in history(repo, seed) for e in snap.events()]
    with writing(tmp_path / "straight.db") as db:
        Indexer(db).apply(events)
        straight = content(db)
    assert len(straight["v_snapshots"]) == 10
    rng = random.Random(seed)
    shuffled = events + rng.sample(events, len(events) // 3)
    rng.shuffle(shuffled)
    with writing(tmp_path / "shuffled.db") as db:
        while shuffled:
            some = rng.randint(1, 9)
            Indexer(db).apply(shuffled[:some])
            shuffled = shuffled[some:]
        assert content(db) == straight


@pytest.mark.parametrize("seed", range(12))
def test_refs_of_every_snapshot_are_what_that_snapshot_had(seed, db):
    snaps = history("PIVO", seed, 8)
    apply(db, *random.Random(seed).sample(snaps, len(snaps)))
    for snap in snaps:
        rows = ask(db, "SELECT name, target FROM v_refs WHERE snapshot_seq = ? ORDER BY 1", snap.manifest.seq)
        assert rows == [(r.name, r.target) for r in snap.manifest.refs]


@pytest.mark.parametrize("seed", range(12))
def test_lost_are_the_commits_that_the_last_refs_do_not_reach(seed, db):
    snaps = history("PIVO", seed, 8)
    apply(db, *snaps)
    parents = {c.hash: c.parents for snap in snaps for c in snap.commits}
    todo, reached = [r.commit for r in snaps[-1].manifest.refs], set()
    while todo:
        one = todo.pop()
        if one not in reached:
            reached.add(one)
            todo += parents[one]
    gone = {h for (h,) in ask(db, "SELECT hash FROM v_commits WHERE lost = 1")}
    assert gone == parents.keys() - reached


def test_some_history_of_these_tests_does_lose_commits(db):
    for seed in range(12):
        apply(db, *history(f"r{seed}", seed, 8))
    assert ask(db, "SELECT count(*) FROM v_commits WHERE lost = 1")[0][0] > 10


def test_a_lost_commit_that_a_branch_reaches_again_is_found(db):
    one = Snap(manifest("PIVO", 1, {"main": "a"}, 1), (commit("a"),), ())
    two = Snap(manifest("PIVO", 2, {"main": "b"}, 1), (commit("b"),), moved({"main": "a"}, {"main": "b"}, ["main"]))
    apply(db, one, two)
    assert ask(db, "SELECT hash FROM v_commits WHERE lost = 1") == [(sha("a"),)]
    apply(db, Snap(manifest("PIVO", 3, {"main": "b", "old": "a"}), (), moved({"main": "b"}, {"main": "b", "old": "a"})))
    assert ask(db, "SELECT hash FROM v_commits WHERE lost = 1") == []


def test_after_a_rewrite_only_what_lets_go_of_commits_walks_the_history(db, monkeypatch):
    lines = {"a": [], "b": ["a"], "c": ["b"], "z": ["a"], "y": ["z"], "d": ["c"], "x": ["y"]}
    c = {name: commit(name, parents, minute=n) for n, (name, parents) in enumerate(lines.items())}
    apply(db, Snap(manifest("PIVO", 1, {"main": "c"}, 3), (c["a"], c["b"], c["c"]), ()))
    rewritten = moved({"main": "c"}, {"main": "z"}, ["main"])
    apply(db, Snap(manifest("PIVO", 2, {"main": "z"}, 1), (c["z"],), rewritten))
    assert ask(db, "SELECT subject FROM v_commits WHERE lost = 1 ORDER BY 1") == [("Do b",), ("Do c",)]
    with monkeypatch.context() as patch:
        patch.setattr(lost, "mark", None)
        forward = moved({"main": "z"}, {"main": "y"})
        apply(db, Snap(manifest("PIVO", 3, {"main": "y"}, 1), (c["y"],), forward))
        assert len(ask(db, "SELECT 1 FROM v_commits WHERE lost = 1")) == 2
        back = moved({"main": "y"}, {"main": "y", "back": "d"})  # a new commit on top of what was lost
        apply(db, Snap(manifest("PIVO", 4, {"main": "y", "back": "d"}, 1), (c["d"],), back))
        assert ask(db, "SELECT 1 FROM v_commits WHERE lost = 1") == []
    apply(db, Snap(manifest("PIVO", 5, {"main": "y"}), (), moved({"back": "d"}, {})))
    assert ask(db, "SELECT subject FROM v_commits WHERE lost = 1 ORDER BY 1") == [("Do b",), ("Do c",), ("Do d",)]


def test_a_detached_head_that_moved_on_leaves_a_lost_commit(db):
    """No ref tells where it was, so no update does."""
    apply(db, Snap(manifest("PIVO", 1, {"main": "a"}, 1), (commit("a"),), moved({}, {"main": "a"})))
    gone = moved({"main": "a"}, {}, ())
    apply(db, Snap(manifest("PIVO", 2, {}, 1, head=sha("b"), head_ref=None), (commit("b", ["a"], minute=1),), gone))
    apply(db, Snap(manifest("PIVO", 3, {}, 1, head=sha("c"), head_ref=None), (commit("c", ["a"], minute=2),), ()))
    assert ask(db, "SELECT subject FROM v_commits WHERE lost = 1") == [("Do b",)]


def test_commits_of_a_snapshot_that_is_still_on_its_way_are_not_lost(db):
    one = Snap(manifest("PIVO", 1, {"main": "a"}, 1), (commit("a"),), ())
    two = Snap(manifest("PIVO", 2, {"main": "b"}, 1), (commit("b"),), moved({"main": "a"}, {"main": "b"}, ["main"]))
    three = Snap(manifest("PIVO", 3, {"main": "c"}, 1), (commit("c", ["b"]),), ())
    apply(db, one, two)
    Indexer(db).apply(three.events()[:1])
    assert ask(db, "SELECT hash FROM v_commits WHERE lost = 1") == [(sha("a"),)]


def test_parts_of_a_commit_come_together(db):
    files = tuple(FileChange("A", f"d/{i}", "100644", sha(str(i))) for i in range(1200))
    parts = list(commit_events(manifest("PIVO", 1, {"main": "a"}), replace(commit("a"), files=files)))
    for part in reversed(parts):
        Indexer(db).apply([part])
    assert ask(db, "SELECT count(*) FROM v_changes") == [(1200,)]
    assert ask(db, "SELECT hash, files FROM v_commits") == [(sha("a"), 1200)]
    assert ask(db, "SELECT commits FROM v_repos") == [(1,)]


def test_a_snapshot_with_very_many_refs_is_not_there_until_all_of_it_is(db):
    refs = {f"b{i:05}": "a" for i in range(5000)} | {"main": "a"}
    events = Snap(manifest("PIVO", 1, refs), (), moved({}, refs)).events()
    for event in [events[-1], *events[:-2]]:
        Indexer(db).apply([event])
        assert ask(db, "SELECT count(*) FROM v_snapshots") == [(0,)]
    Indexer(db).apply([events[-2]])
    Indexer(db).apply([events[0]])
    assert ask(db, "SELECT refs FROM v_snapshots") == [(5001,)]
    assert ask(db, "SELECT count(*) FROM v_refs WHERE current") == [(5001,)]
    assert ask(db, "SELECT count(*) FROM v_ref_updates") == [(5001,)]
    assert ask(db, "SELECT count(*) FROM snapshot_parts") == [(0,)]


def test_the_same_commit_in_two_repositories_is_two_rows(db):
    apply(db, *(Snap(manifest(r, 1, {"main": "a"}, 1), (commit("a"),), ()) for r in ("x", "y")))
    assert ask(db, "SELECT repo_name FROM v_commits ORDER BY 1") == [("x",), ("y",)]


def test_an_annotated_tag_leads_to_its_commit(db):
    tagged = replaced(manifest("PIVO", 1, {"main": "a"}), refs=(Ref("refs/tags/v1", sha("t"), sha("a")),))
    apply(db, Snap(tagged, (commit("a"),), ()))
    assert ask(db, "SELECT target, commit_hash FROM v_refs") == [(sha("t"), sha("a"))]


def test_an_empty_repository_is_a_snapshot(db):
    apply(db, Snap(manifest("empty", 1, {}), (), ()))
    assert ask(db, "SELECT repo_name, commit_hash, refs FROM v_snapshots") == [("empty", "0" * 40, 0)]


def test_a_snapshot_that_lacks_lfs_objects_is_incomplete(db):
    lacks = LfsMissing("a" * 64, 5, "it is gone", ("big.bin",))
    apply(db, Snap(manifest("PIVO", 1, {"main": "a"}, lfs_missing=(lacks, lacks)), (), ()))
    apply(db, Snap(manifest("PIVO", 2, {"main": "a"}), (), ()))
    assert ask(db, "SELECT seq, incomplete FROM v_snapshots ORDER BY 1") == [(1, 2), (2, 0)]


def test_a_heartbeat_moves_only_the_time_of_the_last_look(db):
    apply(db, Snap(manifest("PIVO", 1, {"main": "a"}), (), ()))
    late = START + timedelta(days=9)
    Indexer(db).apply([HeartbeatEvent("PIVO", "s", sha("a"), late), HeartbeatEvent("PIVO", "s", sha("a"), START)])
    row = ask(db, "SELECT last_snapshot_at, last_checked_at FROM v_repos")
    assert row == [("2026-01-02T12:00:00Z", "2026-01-10T12:00:00Z")]


def test_a_restore_is_where_its_latest_step_says(db):
    steps = [
        RestoreEvent("run", "PIVO", "v1", "", "x/y", "ann", "requested", "", START),
        RestoreEvent("run", "PIVO", "v1", sha("a"), "x/y", "", "validated", "", START + timedelta(seconds=5)),
        RestoreEvent("run", "PIVO", "v1", sha("a"), "x/y", "", "failed", "no forge", START + timedelta(seconds=9)),
        RestoreEvent("run", "PIVO", "v1", sha("a"), "x/y", "", "pushed", "", START + timedelta(seconds=60)),
    ]
    Indexer(db).apply(steps[1:3])
    Indexer(db).apply([steps[0]])
    sql = "SELECT commit_hash, who, state, requested_at, finished_at, detail FROM v_restores"
    assert ask(db, sql) == [(sha("a"), "ann", "failed", "2026-01-01T12:00:00Z", "2026-01-01T12:00:09Z", "no forge")]
    Indexer(db).apply([steps[3], steps[0]])
    assert ask(db, sql) == [(sha("a"), "ann", "pushed", "2026-01-01T12:00:00Z", "2026-01-01T12:01:00Z", "")]
    assert ask(db, "SELECT count(*) FROM v_restore_steps") == [(4,)]


def test_an_audit_event_that_is_sent_again_is_one_row(db):
    event = AuditEvent("ann", "question", {"repo": "PIVO"}, "answered", START, "id-1")
    Indexer(db).apply([event, event])
    Indexer(db).apply([event])
    assert ask(db, "SELECT who, action, parameters ->> '$.repo', outcome FROM v_audit") == [
        ("ann", "question", "PIVO", "answered")
    ]


def test_odd_text_does_not_hurt(db):
    odd = commit(
        "a", message="null\0byte", author=Person("N\0ul", "e", 10**30, 0), committer=Person("b", "c", -(10**30), 0)
    )
    Indexer(db).apply([CommitEvent("PIVO", 1, odd, 0, 2)])
    assert ask(db, "SELECT message, author_name, author_time, commit_time FROM v_commits") == [
        ("null\ufffdbyte", "N\ufffdul", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z")
    ]


def test_times_are_written_so_that_text_compares():
    assert iso(0) == "1970-01-01T00:00:00Z"
    assert iso(-1) == "1969-12-31T23:59:59Z"
    assert iso(1767268800) == "2026-01-01T12:00:00Z"


def test_counts_made_beforehand_are_what_counting_gives(db):
    for repo in ("x", "y"):
        apply(db, *history(repo, 3))
    events = [event for snap in history("z", 4) for event in snap.events()]
    Indexer(db).apply(events + events[::-1])
    apply(db, *history("x", 3)[:2])
    for fast, slow in {
        "SELECT repo_name, commits FROM v_repos": "SELECT repo_name, count(*) FROM v_commits GROUP BY 1",
        "SELECT repo_name, author_name, commits, first_commit, last_commit FROM v_contributors": (
            "SELECT repo_name, author_name, count(*), min(author_time), max(author_time) FROM v_commits GROUP BY 1, 2"
        ),
        "SELECT repo_name, day, commits FROM v_activity": (
            "SELECT repo_name, date(commit_time), count(*) FROM v_commits GROUP BY 1, 2"
        ),
        "SELECT repo_name, size, snapshots FROM v_repos": (
            "SELECT repo_name, sum(size), count(*) FROM v_snapshots GROUP BY 1"
        ),
        "SELECT repo_name, path, changes, last_changed_at FROM v_paths": (
            "SELECT repo_name, path, count(*), max(commit_time) FROM v_changes GROUP BY 1, 2"
        ),
        "SELECT repo_name, weekday, hour, commits FROM v_hours": (
            "SELECT repo_name, (strftime('%w', commit_time) + 6) % 7, CAST(strftime('%H', commit_time) AS INTEGER),"
            " count(*) FROM v_commits GROUP BY 1, 2, 3"
        ),
    }.items():
        assert sorted(ask(db, fast)) == sorted(ask(db, slow))
