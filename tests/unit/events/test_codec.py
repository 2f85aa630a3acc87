"""Events to CloudEvents and back, whatever a git history or a topic may hold."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from msgspec.structs import replace

from index_kit import START, Snap, commit, manifest, sha
from pivo.events import (
    AuditEvent,
    CommitEvent,
    HeartbeatEvent,
    ParseFailure,
    RestoreEvent,
    SnapshotEvent,
    SnapshotRefsEvent,
    commit_events,
    dump,
    parse,
    snapshot_events,
)
from pivo.models import FileChange, Person, Ref, RefUpdate

ONE = manifest("acme/PIVO", 7, {"main": "a"}, 1)
EVENTS = [
    CommitEvent("acme/PIVO", 7, commit("a", ["b", "c"], signed=True), 0, 2),
    CommitEvent("acme/PIVO", 7, commit("a"), 3, 2000),
    SnapshotEvent.of(ONE, "/backups/x", ONE.refs, (RefUpdate("refs/heads/main", None, sha("a")),)),
    SnapshotRefsEvent(
        "PIVO", 1, 2, (Ref("refs/tags/v1", sha("t"), sha("a")),), (RefUpdate("x", sha("a"), None, True),)
    ),
    HeartbeatEvent("PIVO", "000001-abc", sha("a"), START),
    RestoreEvent("run", "PIVO", "v1", sha("a"), "acme/new", "ann", "failed", "the forge was down", START),
    AuditEvent("ann", "question", {"text": "wer hat zuletzt…?", "n": 3, "deep": {"a": [1, None]}}, "answered", START),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda e: type(e).__name__)
def test_an_event_comes_back_as_it_was(event):
    assert parse(dump(event)) == event


@pytest.mark.parametrize("event", EVENTS, ids=lambda e: type(e).__name__)
def test_an_event_is_a_cloud_event_with_the_same_id_every_time(event):
    value = json.loads(dump(event))
    assert value["specversion"] == "1.0"
    assert value["source"].startswith("/pivo")
    assert value["type"].startswith("pivo.") and value["type"].endswith(".v1")
    assert datetime.fromisoformat(value["time"]).tzinfo is not None
    assert value["id"] == json.loads(dump(event))["id"]


def test_events_of_one_commit_have_different_ids():
    big = replace(commit("big"), files=_files(1200))
    ids = [json.loads(dump(e))["id"] for e in commit_events(ONE, big)]
    assert ids == [f"acme/PIVO/7/{sha('big')}", f"acme/PIVO/7/{sha('big')}/1", f"acme/PIVO/7/{sha('big')}/2"]


def test_changes_of_before_they_had_sizes_are_read_as_they_are():
    event = CommitEvent("PIVO", 1, commit("a", files=2), 0, 2)
    value = dump(event)
    assert value.count(b',"size":null') == 2
    assert parse(value.replace(b',"size":null', b"")) == event
    sized = replace(event.commit, files=tuple(replace(f, size=n) for n, f in enumerate(event.commit.files)))
    assert parse(dump(replace(event, commit=sized))) == replace(event, commit=sized) != event


def test_the_wire_format_of_version_1_stays():
    """Whoever changes this has changed what other consumers of the topic read: that needs a v2. To add a field does
    not, as long as it has a default: they pass over what they do not know."""
    event = CommitEvent("PIVO", 1, commit("a", files=1), 0, 1)
    assert json.loads(dump(event, START)) == {
        "specversion": "1.0",
        "type": "pivo.commit.v1",
        "id": f"PIVO/1/{sha('a')}",
        "source": "/pivo/PIVO",
        "subject": sha("a"),
        "time": "2026-01-01T12:00:00Z",
        "datacontenttype": "application/json",
        "data": {
            "repo": "PIVO",
            "seq": 1,
            "commit": {
                "hash": sha("a"),
                "tree": sha("tree a"),
                "parents": [],
                "author": {"name": "Ann Author", "email": "ann@example.org", "time": 1767268800, "tz": 60},
                "committer": {"name": "Ann Author", "email": "ann@example.org", "time": 1767268800, "tz": 60},
                "message": "Do a\n\nBecause of reasons.\n",
                "files": [
                    {
                        "status": "M",
                        "path": "src/file0.c",
                        "mode": "100644",
                        "blob": sha("a 0"),
                        "old_blob": sha("old a 0"),
                        "size": None,
                    }
                ],
                "signed": False,
            },
            "part": 0,
            "files_total": 1,
        },
    }


def _with(**changes: object) -> bytes:
    return json.dumps(json.loads(dump(EVENTS[0])) | changes).encode()


def _data(**changes: object) -> bytes:
    value = json.loads(dump(EVENTS[0]))
    return json.dumps(value | {"data": value["data"] | changes}).encode()


BAD = {
    "nothing": (None, "empty"),
    "no JSON": (b"hello", "not an event"),
    "cut off": (dump(EVENTS[0])[:-5], "not an event"),
    "not UTF-8": (b'{"specversion": "\xff"}', "not an event"),
    "a list": (b"[]", "not an event"),
    "no attributes": (b"{}", "not an event"),
    "deeply nested": (
        b'{"specversion":"1.0","type":"pivo.audit.v1","id":"1","source":"x","data":' + b"[" * 9999,
        "not",
    ),
    "other CloudEvents": (_with(specversion="0.3"), "CloudEvents version"),
    "unknown type": (_with(type="com.example.order.v1"), "event type"),
    "unknown kind": (_with(type="pivo.party.v1"), "event type"),
    "newer version": (_with(type="pivo.commit.v2"), "version v2 of pivo.commit is unknown"),
    "wrong data": (_with(data=[1, 2]), "not an event"),
    "missing field": (_with(data={"repo": "PIVO"}), "not an event"),
    "text for a number": (_data(seq="7"), "not an event"),
    "no repository": (_data(repo=""), "repo is empty"),
    "number out of range": (_data(seq=0), "out of range"),
    "no hash": (_data(commit=json.loads(dump(EVENTS[0]))["data"]["commit"] | {"hash": "' OR 1=1"}), "hash"),
    "time without zone": (
        dump(EVENTS[4]).replace(b'"at":"2026-01-01T12:00:00Z"', b'"at":"2026-01-01T12:00:00"'),
        "zone",
    ),
    "unknown state": (dump(EVENTS[5]).replace(b'"state":"failed"', b'"state":"exploded"'), "not an event"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_used_is_told_not_raised(name):
    value, reason = BAD[name]
    failure = parse(value)
    assert isinstance(failure, ParseFailure)
    assert reason in failure.reason


def test_a_field_that_a_later_version_adds_is_ignored():
    assert parse(_data(colour="blue")) == EVENTS[0]


def test_bytes_that_are_not_utf8_are_spelled_out():
    odd = b"caf\xe9.txt".decode("utf-8", "surrogateescape")
    files = (FileChange("A", odd, "100644", sha("b")),)
    odd_commit = replace(commit("a"), message=f"Add {odd}", author=Person(odd, "x", 1, 0), files=files)
    back = parse(dump(CommitEvent("PIVO", 1, odd_commit, 0, 1)))
    assert isinstance(back, CommitEvent)
    assert back.commit.files[0].path == "caf\\xe9.txt"
    assert back.commit.message == "Add caf\\xe9.txt"
    assert back.commit.author.name == "caf\\xe9.txt"


def test_a_date_beyond_64_bits_is_carried_as_it_is():
    back = parse(dump(CommitEvent("PIVO", 1, commit("a", author=Person("x", "y", 10**30, 0)), 0, 2)))
    assert isinstance(back, CommitEvent)
    assert back.commit.author.time == 10**30


def test_a_long_message_is_cut_and_says_so():
    (event,) = commit_events(ONE, commit("a", message="x" * 100_000))
    assert event.commit.message.endswith("[… 36,000 more characters are in the archive]")


def test_a_commit_of_many_files_comes_in_parts_that_are_whole_again():
    files = _files(1200)
    parts = list(commit_events(ONE, replace(commit("a"), files=files)))
    assert [len(p.commit.files) for p in parts] == [500, 500, 200]
    assert {p.files_total for p in parts} == {1200}
    assert [f for p in parts for f in p.commit.files] == list(files)


def test_no_event_is_too_large_for_kafka():
    long = tuple(FileChange("A", f"{i}/" + "ä" * 2000, "100644", sha(str(i))) for i in range(3000))
    refs = {f"b{i}" + "x" * 200: "a" for i in range(9000)} | {"main": "a"}
    many = manifest("PIVO", 1, refs)
    updates = tuple(RefUpdate(r.name, None, r.target) for r in many.refs)
    events = [*commit_events(many, replace(commit("a"), files=long)), *snapshot_events(many, updates, "/p")]
    assert max(len(dump(e)) for e in events) < 1_000_000
    shares = [e for e in events if isinstance(e, SnapshotEvent | SnapshotRefsEvent)]
    assert isinstance(shares[-1], SnapshotEvent)
    assert shares[-1].parts == len(shares) - 1 > 0
    assert sorted(r.name for s in shares for r in s.refs) == sorted(r.name for r in many.refs)
    assert sum(len(s.updates) for s in shares) == len(updates)


def test_a_snapshot_comes_after_all_else_of_it():
    events = Snap(ONE, (commit("a"),), ()).events()
    assert [type(e) for e in events] == [CommitEvent, SnapshotEvent]


def test_times_are_told_in_utc():
    at = datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=2)))
    back = parse(dump(HeartbeatEvent("PIVO", "s", sha("a"), at)))
    assert isinstance(back, HeartbeatEvent)
    assert back.at.astimezone(UTC) == at


def _files(number: int) -> tuple[FileChange, ...]:
    return tuple(FileChange("A", f"dir/{i}", "100644", sha(str(i))) for i in range(number))
