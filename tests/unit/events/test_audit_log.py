"""The audit log: nothing is lost while Kafka is away, nothing comes twice, and no secret comes at all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from index_kit import MockKafka
from pivo.errors import Unavailable
from pivo.events import AUDIT_TOPIC, AuditEvent, RestoreEvent, parse, redaction, spool
from pivo.events.audit import AuditLog, audited
from pivo.index.apply import Indexer
from pivo.index.migrations import migrate
from pivo.index.writer import connect
from pivo.settings import CHECKOUT

NOWHERE = {"bootstrap.servers": "127.0.0.1:1"}
SECRET = "hunter2-MARK-8c1f"


@pytest.fixture
def mock():
    return MockKafka()


def asked(n=0):
    return AuditEvent("ann", "question", {"rows": n}, "asked")


def arrived(mock):
    """The audit events that Kafka has, in order of arrival, duplicates included."""
    return [m.value() for m in mock.messages(AUDIT_TOPIC)]


def ids(values):
    return [json.loads(v)["id"] for v in values]


def test_what_is_recorded_arrives_and_leaves_nothing_on_disk(mock, tmp_path):
    event = asked()
    with AuditLog(mock.config, tmp_path / "audit") as log:
        log.record(event)
        (path,) = (tmp_path / "audit").iterdir()
        assert path.stat().st_mode & 0o777 == 0o600
        assert event.id.encode() in path.read_bytes(), "on disk before it is sent"
    assert ids(arrived(mock)).count(event.id) == 1
    assert list((tmp_path / "audit").iterdir()) == []


def test_without_kafka_it_waits_on_disk_and_is_sent_by_the_next_who_reaches_it(mock, tmp_path):
    events = [asked(n) for n in range(20)]
    events.append(RestoreEvent("run", "acme/web", "v1", "a" * 40, "x/y", "ann", "pushed"))
    began = time.monotonic()
    with AuditLog(NOWHERE, tmp_path) as log:
        for event in events:
            log.record(event)
    assert time.monotonic() - began < 3
    assert spool.waiting(tmp_path).files == 1
    with AuditLog(mock.config, tmp_path) as log:
        log.record(last := asked(99))
    assert spool.waiting(tmp_path) == spool.Waiting(0, 0, None)
    found = ids(arrived(mock))
    assert [found.count(e.id) for e in [*events[:-1], last]] == [1] * 21
    assert sum(i.startswith("run/acme/web/pushed/") for i in found) == 1


def test_the_index_has_an_event_once_however_often_it_comes(mock, tmp_path):
    (event, other) = asked(1), asked(2)
    with AuditLog(NOWHERE, tmp_path) as log:
        log.record(event)
    (path,) = tmp_path.iterdir()
    kept = path.read_bytes()
    with AuditLog(mock.config, tmp_path) as log:
        log.record(other)
    path.write_bytes(kept)  # as after a kill between the sending and the removal
    AuditLog(mock.config, tmp_path).send_left_behind()
    values = arrived(mock)
    assert ids(values).count(event.id) == 2
    db = connect(tmp_path / "pivo.db")
    migrate(db)
    Indexer(db).apply([parse(v) for v in values if json.loads(v)["id"] in (event.id, other.id)])
    assert db.execute("SELECT count(*) FROM v_audit").fetchone() == (2,)


def test_acting_needs_kafka_and_a_refusal_says_so(mock, tmp_path):
    with AuditLog(mock.config, tmp_path) as log:
        log.require(event := asked())
        assert event.id in ids(arrived(mock)), "before require returns"
    with AuditLog(NOWHERE, tmp_path) as log, pytest.raises(Unavailable, match="Nothing was started"):
        log.require(asked(), seconds=0.3)
    assert spool.waiting(tmp_path).files == 1


def test_a_line_that_a_kill_cut_short_costs_that_line_only(tmp_path):
    with AuditLog(NOWHERE, tmp_path / "all") as log:
        events = [asked(n) for n in range(3)]
        for event in events:
            log.record(event)
    (whole,) = (tmp_path / "all").iterdir()
    content = whole.read_bytes()
    last = len(content) - content[:-1].rfind(b"\n") - 1
    for cut in (1, 2, last // 2, last - 1):
        folder = tmp_path / str(cut)
        folder.mkdir()
        (folder / whole.name).write_bytes(content[:-cut])
        kafka = MockKafka()
        AuditLog(kafka.config, folder).send_left_behind()
        assert list(folder.iterdir()) == []
        told = sorted(map(parse, arrived(kafka)), key=lambda e: e.parameters.get("rows", 9))
        assert [e.id for e in told[:2]] == [e.id for e in events[:2]]
        torn = told[2].action == "spool" and "cut short" in told[2].outcome
        assert len(told) == 3 and torn == (cut > 1), "a line that lacks only its line feed is whole"


WRITER = """
import sys, itertools
from pathlib import Path
from pivo.events import AuditEvent
from pivo.events.audit import AuditLog
log = AuditLog({"bootstrap.servers": "127.0.0.1:1"}, Path(sys.argv[1]))
for n in itertools.count():
    event = AuditEvent("ann", "question", {"rows": n}, "asked")
    log.record(event)
    sys.stdout.write(event.id + "\\n")
    sys.stdout.flush()
"""


def test_what_was_recorded_outlives_a_kill_at_any_moment(mock, tmp_path):
    env = {"PYTHONPATH": str(CHECKOUT / "include"), "PATH": os.environ["PATH"]}
    said = []
    for n in range(6):
        process = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], env=env, stdout=subprocess.PIPE)
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        time.sleep(0.011 * n)
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
        process.wait()
        said += [line.strip().decode() for line in lines if line.endswith(b"\n")]
    assert len(said) > 6
    sent = AuditLog(mock.config, tmp_path).send_left_behind()
    found = ids(arrived(mock))
    assert [found.count(i) for i in said] == [1] * len(said)
    assert sent >= len(said)
    assert spool.waiting(tmp_path).files == 0


def test_the_file_of_a_living_process_is_left_alone(mock, tmp_path):
    alive = AuditLog(NOWHERE, tmp_path)
    alive.record(event := asked())
    assert AuditLog(mock.config, tmp_path).send_left_behind() == 0
    assert event.id not in ids(arrived(mock))
    alive.close()
    assert AuditLog(mock.config, tmp_path).send_left_behind() == 1


def test_the_disk_is_not_filled(tmp_path):
    part = spool.Spool(tmp_path, limit=10_000)
    with pytest.raises(Unavailable, match="is full"):
        for _ in range(100):
            part.append(b"x" * 300)
    assert 9_000 < spool.waiting(tmp_path).bytes <= 10_000
    with pytest.raises(Unavailable):  # nor by another process
        spool.Spool(tmp_path, limit=10_000).append(b"x" * 1300)


def test_where_the_disk_takes_nothing_kafka_must(mock, tmp_path):
    (tmp_path / "file").touch()
    nowhere = tmp_path / "file" / "audit"  # no folder can be made there
    with AuditLog(mock.config, nowhere) as log:
        log.record(event := asked())
        assert event.id in ids(arrived(mock))
    with pytest.raises(Unavailable):
        AuditLog(NOWHERE, nowhere).record(asked())


def test_what_is_done_is_on_record_however_it_ended(mock, tmp_path):
    with AuditLog(mock.config, tmp_path) as log:
        with audited(log, "ann", "ingest", origin="cli") as facts:
            facts["repo"] = "acme/web"
        with pytest.raises(ValueError), audited(log, "ann", "ingest", origin="cli"):
            raise ValueError(SECRET)
    done, failed = [e for e in map(parse, arrived(mock)) if e.action == "ingest"][-2:]
    assert (done.outcome, done.parameters["repo"]) == ("done", "acme/web")
    assert (failed.outcome, failed.parameters["error"]) == ("failed", "ValueError")


PLANTED = {
    "token": SECRET,
    "password": SECRET,
    "question": f"my token is {SECRET}",
    "repo": f"https://{SECRET}@example.org/x.git",
    "ref": f"v1 {SECRET}",
    "commit": SECRET,
    "target": f"https://example.org/x.git?token={SECRET}",
    "host": f"{SECRET}@example.org",
    "tool": SECRET,
    "views": [SECRET, "v_commits", f"x'{SECRET}'"],
    "rows": SECRET,
    "seconds": {"x": SECRET},
    "run_id": f"{SECRET} x",
    "error": f"could not read {SECRET}",
    "all_refs": SECRET,
    SECRET: 1,
    "nested": {"deep": [{"password": SECRET}]},
}


@pytest.mark.parametrize("name", PLANTED)
def test_no_parameter_carries_a_secret(tmp_path, name):
    told = json.dumps(redaction.allowed({name: PLANTED[name]}))
    assert SECRET not in told and "hunter2" not in told
    event = AuditEvent("ann", "tool", {name: PLANTED[name]}, "done")
    with AuditLog(NOWHERE, tmp_path) as log:
        log.record(event)
    assert SECRET.encode() not in b"".join(p.read_bytes() for p in tmp_path.iterdir())


def test_a_user_in_a_target_is_left_out():
    told = redaction.allowed({"target": f"https://ann:{SECRET}@example.org/x.git"})
    assert told == {"target": "https://example.org/x.git"}
    assert redaction.allowed({"target": f"https://a:{SECRET}@b@example.org/x"}) == {"target": redaction.WITHHELD}


def test_harmless_parameters_are_kept():
    told = {
        "repo": "acme/web",
        "commit": "a" * 40,
        "ref": "refs/heads/main",
        "target": "acme/web-restored",
        "path": "src/a b.py",
        "rows": 3,
        "views": ["v_commits", "repo_snapshots"],
        "origin": "chat",
        "snapshot": "000001-0123456789ab",
        "all_refs": True,
    }
    assert redaction.allowed(told) == told


@pytest.mark.parametrize(
    "text",
    [
        f"my token is {SECRET}",
        f"restore PIVO with token={SECRET}",
        f"https://ann:{SECRET}@example.org/PIVO.git",
        f"who committed '{SECRET}'",
        "my password is swordfish",
        "use ghp_0123456789abcdefghijABCDEFGHIJ012345",
        "deadbeefdeadbeefdeadbeefdeadbeefdeadbeef is my key",
        "pin 493021",
    ],
)
def test_of_a_question_only_plain_words_and_known_names_are_kept(text):
    common = frozenset(["my", "token", "is", "restore", "with", "who", "committed", "password", "use", "key", "pin"])
    told = redaction.words(text, common, lambda word: word == "PIVO")
    for secret in (SECRET, "hunter2", "swordfish", "ghp_", "deadbeef", "493021", "ann:"):
        assert secret not in told
    assert redaction.GAP in told
    assert ("PIVO" in told) == ("PIVO with" in text)
