"""Who asked for what is in the index, also what was asked while Kafka was away; without Kafka nothing acts."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from index_kit import messages
from pivo import health
from pivo.errors import NotFound
from pivo.events import AUDIT_TOPIC, spool
from pivo.events.audit import folder
from pivo.orchestrator import Orchestrator
from pivo.settings import CHECKOUT, Settings
from stack_kit import Pivo

pytestmark = pytest.mark.stack

SECRET = "hunter2-MARK-8c1f"


@pytest.fixture(scope="module")
def repo(pivo: Pivo, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A small repository in the archive and the index: its name, and the hash of its first commit."""
    work = tmp_path_factory.mktemp("audit-source") / "work"
    work.mkdir()
    git(work, "init", "-q", "-b", "main")
    for n in (1, 2):
        (work / "README.md").write_text("# Audit\n" + "line\n" * n)
        git(work, "add", "-A")
        git(work, "commit", "-q", "-m", f"Change {n}")
    name = "audit-" + hashlib.sha256(f"{os.getpid()}{time.time()}".encode()).hexdigest()[:10]
    pivo("ingest", str(work), "--name", name)
    pivo("index")
    return name, git(work, "rev-parse", "HEAD~1")


def git(at: Path, *arguments: str) -> str:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    done = subprocess.run(["git", *who, *arguments], cwd=at, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def audit(stack: Settings, since: int = 0) -> list[dict[str, object]]:
    """The rows of the index from number `since` on, in their order."""
    with sqlite3.connect(f"file:{stack.index}?mode=ro", uri=True) as db:
        rows = db.execute("SELECT who, action, outcome, parameters FROM audit ORDER BY rowid").fetchall()[since:]
    return [{"who": w, "action": a, "outcome": o, **json.loads(p)} for w, a, o, p in rows]


def runs(stack: Settings) -> str:
    """The run of pivo_restore that was triggered last."""
    with Orchestrator(stack.airflow_url, stack.airflow_user, stack.airflow_password) as airflow:
        try:
            return airflow.latest("pivo_restore").run_id
        except NotFound:
            return ""


def test_a_question_a_proposal_and_an_ingest_are_rows(pivo: Pivo, stack: Settings, repo: tuple[str, str]) -> None:
    name, first = repo
    before = len(audit(stack))
    pivo("ask", f"Who committed last to {name}?")
    pivo("ask", f"Restore the '{name}' repo to commit {first[:8]}")
    pivo("index")
    told = audit(stack, before)
    assert [(r["action"], r["outcome"]) for r in told] == [
        ("question", "asked"),
        ("tool", "done"),
        ("answer", "answered"),
        ("question", "asked"),
        ("tool", "done"),
        ("proposal", "proposed"),
        ("answer", "answered"),
    ]
    assert told[0]["question"] == f"who committed last to {name}"
    assert (told[5]["repo"], told[5]["commit"]) == (name, first)
    assert {r["who"] for r in told} == {stack.user}
    assert {(r.get("repo"), r["outcome"]) for r in audit(stack) if r["action"] == "ingest"} >= {(name, "published")}


def test_no_secret_gets_there(pivo: Pivo, stack: Settings, repo: tuple[str, str], tmp_path: Path) -> None:
    name, _ = repo
    pivo("ask", f"my token is {SECRET}, who committed last to {name}?", code=1)
    pivo("ask", f"restore {name} to main into https://ann:{SECRET}@example.org/x.git", code=1)
    pivo("ask", f"show {SECRET} in {name}", code=1)
    pivo("ingest", f"https://ann:{SECRET}@127.0.0.1:1/{SECRET}.git", "--name", name, code=2)
    pivo("ingest", f"https://127.0.0.1:1/{SECRET}.git", "--name", name, code=1)
    pivo("restore", name, "main", "--to", f"https://ann:{SECRET}@example.org/x.git", "--yes", code=2)
    pivo("index")
    values = [m.value() or b"" for m in messages(stack.kafka, AUDIT_TOPIC)]
    files = [
        p for p in (*stack.index.parent.glob(stack.index.name + "*"), *folder(stack.home).glob("*")) if p.is_file()
    ]
    for content in (b"\n".join(values), *(p.read_bytes() for p in files)):
        assert SECRET.encode() not in content and b"hunter2" not in content
    assert len(values) > 5 and any(b'"ingest"' in v and b'"failed"' in v for v in values)


def test_without_kafka_asking_works_acting_does_not_and_all_is_told_later(
    pivo: Pivo, stack: Settings, repo: tuple[str, str]
) -> None:
    name, first = repo
    pivo("index")
    before, ran = len(audit(stack)), runs(stack)
    parts = {p["name"]: p for p in json.loads(pivo("status", "--json").stdout)["parts"]}
    kafka = psutil.Process(parts["kafka"]["pid"])
    kafka.kill()
    kafka.wait(10)
    try:
        assert "Ada" in pivo("ask", f"Who committed last to {name}?").stdout
        refused = pivo("ask", f"Restore the '{name}' repo to commit {first[:8]}", "--yes", code=1)
        assert "audit log cannot be reached" in refused.stderr and "Nothing was started" in refused.stderr
        refused = pivo("restore", name, "main", "--to", f"pivo/{name}-back", "--yes", code=1)
        assert "audit log cannot be reached" in refused.stderr
        assert runs(stack) == ran
        assert spool.waiting(folder(stack.home)).bytes > 0
        told = json.loads(pivo("status", "--json", code=1).stdout)["health"]
        assert told["lag"] is None and told["spool"] > 0
        assert any(f["part"] == "kafka" and f["level"] == "problem" for f in told["findings"])
    finally:
        pivo("up", "--quiet")
    pivo("ask", f"Who committed last to {name}?")  # the next process that reaches Kafka
    deadline = time.monotonic() + 30
    while spool.waiting(folder(stack.home)).bytes:  # Airflow's own processes hear by themselves that it is back
        assert time.monotonic() < deadline
        time.sleep(0.2)
    pivo("index")
    late = audit(stack, before)
    actions = [r["action"] for r in late]
    assert (actions.count("question"), actions.count("answer"), actions.count("proposal")) == (3, 3, 1)
    assert [r["outcome"] for r in late if r["action"] == "refusal"] == ["refused: the audit log was away"]
    assert actions.count("confirmation") == 2, "the agent's and the command's; neither was triggered"
    assert "trigger" not in actions


def test_a_missed_promise_fails_a_task_with_a_sentence(pivo: Pivo, stack: Settings, repo: tuple[str, str]) -> None:
    name, _ = repo
    if stack.repositories.is_relative_to(CHECKOUT):
        pytest.skip("the running stack has the checkout's own registration; PIVO_REPOSITORIES names another")
    stack.repositories.write_text(f"repositories:\n  - {{url: /nowhere/{name}, name: {name}, promise: 1d}}\n")
    with Orchestrator(stack.airflow_url, stack.airflow_user, stack.airflow_password) as airflow:
        kept = airflow.trigger("pivo_watch", {})
        assert airflow.wait("pivo_watch", kept.run_id, timeout=120).state == "success"
        stack.repositories.write_text(f"repositories:\n  - {{url: /nowhere/{name}, name: {name}, promise: 0.001m}}\n")
        missed = airflow.trigger("pivo_watch", {})
        assert airflow.wait("pivo_watch", missed.run_id, timeout=120).state == "failed"
        why = airflow.failure("pivo_watch", missed.run_id)
    stack.repositories.write_text("repositories: []\n")
    assert why is not None and f"{name} was last looked at" in why and "are promised" in why
    assert not health.look(stack).late
