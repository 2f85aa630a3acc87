"""What needs a person is told, also when the part that would tell is down."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from index_kit import MockKafka, Snap, commit, manifest
from pivo import health
from pivo.alerts import Told
from pivo.cli.health import drawn
from pivo.errors import UsageError
from pivo.events import AuditEvent, EventLog, HeartbeatEvent, VerifyEvent
from pivo.events.audit import AuditLog, folder
from pivo.findings import Finding
from pivo.index.apply import Indexer
from pivo.index.kafka import Source
from pivo.index.writer import drain, writing
from pivo.registry import hours
from pivo.settings import CHECKOUT, Settings

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def kafka():
    """librdkafka's own broker. It has no ids of topics to tell, and takes 4 s to say so."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Source, "_topic_ids", lambda self: {})
        yield MockKafka()


@pytest.fixture
def settings(tmp_path, kafka):
    env = {"PIVO_HOME": str(tmp_path), "PIVO_REPOSITORIES": str(tmp_path / "repositories.yaml")}
    return replace(Settings.load(env), kafka=kafka.config)


def index(settings, *events):
    """An index in which acme/web was archived a day before NOW, and these things happened."""
    web = manifest("acme/web", 1, {"main": "a"}, 1, taken_at=NOW - timedelta(hours=24))
    with writing(settings.index) as db:
        Indexer(db).apply([*Snap(web, (commit("a"),), ()).events(), *events])
        with Source(settings.kafka, ("pivo-commit-events", "pivo-audit-logs")) as source:
            for (topic, part), there in source.ranges().items():
                db.execute("INSERT INTO kafka_offsets VALUES (?, ?, NULL, ?, '')", (topic, part, there.high))


def register(settings, text):
    settings.repositories.write_text(text)
    os.utime(settings.repositories, (NOW.timestamp() - 7200, NOW.timestamp() - 7200))  # two hours ago


def problems(found):
    return [f"{f.part}: {f.what}" for f in found.findings if f.level == "problem"]


WEB = "repositories: [{url: 'https://example.org/web.git', name: acme/web}]\n"


def test_all_is_well(settings):
    index(settings)
    register(settings, WEB)
    found = health.look(settings, NOW)
    assert found.ok and found.findings == ()
    (web,) = found.repositories
    assert (web.name, web.promise, web.age, web.late, web.verified) == ("acme/web", 26.0, 24.0, False, "never")
    assert [row.behind for row in found.lag or ()] == [0, 0]
    assert health.kept_promises(settings.__class__(**{**vars(settings), "repositories": Path("/nowhere")})) == []


@pytest.mark.parametrize(
    ("text", "late"),
    [
        (WEB, False),
        ("promise: 20h\n" + WEB, True),
        (WEB.replace("web}", "web, promise: 1d}"), False),
        (WEB.replace("web}", "web, promise: 90m}"), True),
        ("promise: 1h\n" + WEB.replace("web}", "web, promise: 2d}"), False),
        ("organisations: [acme]\n", False),
        ("organisations: [acme]\npromise: 20h\n", True),
        ("organisations: [other]\npromise: 20h\n", False),
    ],
)
def test_a_missed_promise_is_a_problem(settings, text, late):
    index(settings)
    register(settings, text)
    found = health.look(settings, NOW)
    assert [row.name for row in found.late] == (["acme/web"] if late else [])
    assert found.ok is not late
    if late:
        (said,) = problems(found)
        assert "acme/web was last looked at 2026-11-22T12:00:00Z, 24 h ago; " in said and "promised" in said


def test_a_heartbeat_keeps_a_promise(settings):
    index(settings, HeartbeatEvent("acme/web", "000001-x", "0" * 40, NOW - timedelta(hours=1)))
    register(settings, "promise: 2h\n" + WEB)
    assert health.look(settings, NOW).ok


def test_what_was_never_archived_has_the_time_since_it_was_registered(settings):
    index(settings)
    register(settings, "repositories: [{url: /x/new, name: new, promise: 3h}]\n")
    assert health.look(settings, NOW).ok, "registered two hours ago"
    found = health.look(settings, NOW + timedelta(hours=2))
    assert "new was never archived; 3 h are promised" in problems(found)[0]


@pytest.mark.parametrize("value", ["soon", "-1h", "0h", "", 0, True, [26]])
def test_a_promise_that_is_none_is_told(settings, value):
    with pytest.raises(UsageError, match="span of time"):
        hours(value)
    index(settings)
    register(settings, f"promise: {json.dumps(value)}\n")
    assert "registry" in problems(health.look(settings, NOW))[0]


def test_findings_of_the_last_verification_are_a_problem_until_one_is_well(settings):
    told = VerifyEvent("r1", "acme/web", "shallow", "ann", (Finding("acme/web", "x", "f", "size", "short"),), 1,
                       at=NOW - timedelta(hours=3))  # fmt: skip
    index(settings, told)
    found = health.look(settings, NOW)
    assert "acme/web: The last verification of acme/web" in problems(found)[0]
    assert found.repositories[0].verified == "wrong"
    with writing(settings.index) as db:
        well = replace(told, run_id="r2", findings=(), findings_total=0, at=NOW - timedelta(hours=2))
        Indexer(db).apply([well])
    assert health.look(settings, NOW).ok
    old = health.look(settings, NOW + timedelta(days=20))
    assert old.ok and "was last verified" in old.findings[0].what, "a notice"


def test_the_index_that_is_behind_is_a_problem_when_it_is_so_for_long(settings):
    index(settings)
    before = health.look(settings, datetime.now(UTC))
    with EventLog(settings.kafka) as log:
        for n in range(3):
            log.audit(AuditEvent("ann", "question", {"rows": n}, "asked"))
    found = health.look(settings, datetime.now(UTC))
    assert before.lag and found.lag
    assert sum(r.behind for r in found.lag) - sum(r.behind for r in before.lag) == 3
    assert found.ok, "they have just come"
    late = health.look(settings, datetime.now(UTC) + timedelta(hours=1))
    assert "The index is 3 messages behind; the oldest came 60 min ago" in problems(late)[0]
    drain(settings.index, settings.kafka)
    assert health.look(settings, datetime.now(UTC) + timedelta(hours=1)).ok


def test_messages_that_could_not_be_used_and_gaps(settings):
    index(settings)
    at = "2026-11-22T12:00:00Z"
    with writing(settings.index) as db:
        db.execute("INSERT INTO dead_letters VALUES ('', 't', 0, 7, 'not an event', NULL, NULL, ?)", (at,))
    found = health.look(settings, NOW)
    assert found.dead_letters == 1 and "1 messages could not be used" in problems(found)[0]
    assert health.look(settings, NOW + timedelta(days=30)).ok, "an old one is a notice"
    with writing(settings.index) as db:
        db.execute("INSERT INTO kafka_gaps VALUES ('t', 0, 1, 5, 'deleted', ?, NULL)", (at,))
    assert any("had lost 1 runs" in p for p in problems(health.look(settings, NOW)))


def test_audit_records_on_disk_are_a_problem_when_they_are_old(settings):
    index(settings)
    with AuditLog({"bootstrap.servers": "127.0.0.1:1"}, folder(settings.home)) as log:
        log.record(AuditEvent("ann", "question", {}, "asked"))
    found = health.look(settings, datetime.now(UTC))
    assert found.ok and found.spool > 0
    assert "wait on disk" in problems(health.look(settings, datetime.now(UTC) + timedelta(hours=1)))[0]


def test_parts_that_are_down_are_told_and_not_waited_for(settings, monkeypatch):
    monkeypatch.setattr(health, "KAFKA_SECONDS", 0.5)
    away = replace(settings, kafka={"bootstrap.servers": "127.0.0.1:1"})
    began = time.monotonic()
    found = health.look(away, NOW)
    assert time.monotonic() - began < 3
    assert found.lag is None and not found.ok and not found.indexed
    assert [f.part for f in found.findings] == ["index", "kafka"]
    settings.index.parent.mkdir(parents=True, exist_ok=True)
    settings.index.write_bytes(b"not a database" * 100)
    assert any("cannot be read" in p for p in problems(health.look(away, NOW)))
    settings.repositories.write_text("{")
    assert any(p.startswith("registry:") for p in problems(health.look(away, NOW)))
    out = Console(record=True, width=160, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123
    out.print(drawn(health.look(away, NOW)))
    assert "✘" in out.export_text()


def test_status_without_anything_says_so_and_has_no_traceback(tmp_path):
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT / "include"), "PIVO_HOME": str(tmp_path / "home")}
    env |= {"PIVO_KAFKA": "127.0.0.1:1"}
    command = [sys.executable, "-c", "from pivo.cli import main; main()", "status"]
    for more in ([], ["--json"]):
        done = subprocess.run([*command, *more], env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    told = json.loads(done.stdout)
    assert told["ok"] is False and told["health"]["lag"] is None


def test_what_is_drawn_names_the_late_ones_first(settings):
    index(settings, VerifyEvent("r1", "acme/web", "deep", "ann", (), 0, at=NOW))
    other = manifest("aaa", 1, {"main": "b"}, 1, taken_at=NOW)
    with writing(settings.index) as db:
        Indexer(db).apply(Snap(other, (commit("b"),), ()).events())
    register(settings, "promise: 1h\n" + WEB)
    out = Console(record=True, width=160, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123
    out.print(drawn(health.look(settings, NOW)))
    text = out.export_text()
    assert text.index("acme/web") < text.index("aaa") and "24 h ago" in text and "within 60 min" in text


def test_an_alert_is_told_once_a_day(tmp_path):
    now = [1e9]
    told = Told(tmp_path / "alerts.json", lambda: now[0])
    first = "a/1 was last looked at 2026-11-22T12:00:00Z, 27 h ago; 26 h are promised."
    assert told.is_news(first)
    told.remember(first)
    assert not told.is_news(first.replace("27 h", "28 h")), "an age that grew"
    assert told.is_news(first.replace("a/1", "a/2")), "another repository"
    now[0] += 25 * 3600
    assert told.is_news(first)
    (tmp_path / "alerts.json").write_text("[1")
    assert told.is_news(first)
