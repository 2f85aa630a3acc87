"""The agent on the real parts: the command line, and the chat view inside the running Airflow, to the restored end."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from pivo.settings import Settings
from stack_kit import Pivo

pytestmark = pytest.mark.stack

CONVERSATION = "6f9619ff-8b86-d011-b42d-00cf4fc964ff"


@pytest.fixture(scope="module")
def repo(pivo: Pivo, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A small repository in the archive and the index: its name there, and its folder."""
    folder = tmp_path_factory.mktemp("chat-source") / "work"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    for n in (1, 2, 3):
        (folder / "README.md").write_text("# Chat\n" + "line\n" * n)
        git(folder, "add", "-A")
        at = f"{int(time.time()) + 60 * (n - 3)} +0000"  # "the last" is told by the second
        git(folder, "commit", "-q", "-m", f"Change {n}", GIT_AUTHOR_DATE=at, GIT_COMMITTER_DATE=at)
    name = "chat-" + hashlib.sha256(f"{os.getpid()}{time.time()}".encode()).hexdigest()[:10]
    pivo("ingest", str(folder), "--name", name)
    pivo("index")
    return name, folder


@pytest.fixture
def page(stack: Settings) -> Iterator[httpx.Client]:
    """A client that is logged in as the page is: by Airflow's cookie."""
    login = {"username": stack.airflow_user, "password": stack.airflow_password}
    token = httpx.post(f"{stack.airflow_url}/auth/token", json=login).json()["access_token"]
    with httpx.Client(base_url=f"{stack.airflow_url}/pivo/", cookies={"_token": token}, timeout=60) as client:
        yield client


def ask(page: httpx.Client, question: str) -> list[dict]:
    with page.stream("POST", "api/ask", json={"question": question, "conversation": CONVERSATION}) as answer:
        assert answer.status_code == 200, answer.read()
        return [json.loads(line[6:]) for line in answer.iter_lines() if line.startswith("data: ")]


def git(folder: Path, *arguments: str, **settings: str) -> str:
    who = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER")
           for what, value in (("NAME", "Ada Lovelace"), ("EMAIL", "ada@example.org"))}  # fmt: skip
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", **who, **settings}
    done = subprocess.run(["git", *arguments], cwd=folder, env=env, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_anonymous_gets_nothing(stack: Settings) -> None:
    assert httpx.get(f"{stack.airflow_url}/pivo/").status_code == 401


def test_two_questions_on_the_command_line(pivo: Pivo, repo: tuple[str, Path]) -> None:
    name, folder = repo
    events = json.loads(pivo("ask", f"Who committed last to {name}?", "--json").stdout)
    (result,) = [e for e in events if e["type"] == "tool_result"]
    record = dict(zip(result["view"]["columns"], result["view"]["rows"][0], strict=True))
    assert (record["author_name"], record["hash"]) == ("Ada Lovelace", git(folder, "rev-parse", "HEAD"))
    question = f"What changed in README.md in {name} between the last two commits that touched it?"
    diff = [e for e in json.loads(pivo("ask", question, "--json").stdout) if e["type"] == "tool_result"][-1]
    assert [line for line in diff["view"]["files"][0]["lines"] if line[0] in "+-"] == ["+line"]
    assert diff["evidence"]["hdfs_path"].startswith("webhdfs://")


def test_a_long_answer_goes_on_by_a_command(pivo: Pivo, repo: tuple[str, Path]) -> None:
    name, _ = repo
    first = pivo("ask", f"Show the last 2 commits on main in {name}").stdout
    assert "Change 3" in first and "Change 1" not in first
    told = re.search(r"There are more rows\. Go on with: pivo more (\S+)", first)
    assert told, first
    rest = pivo("more", told[1]).stdout
    assert "Change 1" in rest and "Change 3" not in rest and "Go on with" not in rest
    assert "Ask the question again." in pivo("more", "nosuchnosuch", code=1).stderr


def test_a_question_that_is_refused_exits_with_1(pivo: Pivo, repo: tuple[str, Path]) -> None:
    assert "ran nothing" in pivo("ask", "Who has the smallest beard?", code=1).stdout


def test_ask_propose_confirm_and_watch_to_the_end(page: httpx.Client, stack: Settings, repo: tuple[str, Path]) -> None:
    name, folder = repo
    commit = git(folder, "rev-parse", "HEAD~1")
    events = ask(page, f"Restore the '{name}' repo to commit {commit[:8]}")
    (proposal,) = [e for e in events if e["type"] == "proposal"]
    assert proposal["arguments"]["commit"] == commit
    path = f"api/proposals/{proposal['id']}/confirm"
    confirmed = page.post(path, json={"digest": proposal["digest"]})
    assert confirmed.status_code == 200, confirmed.text
    assert page.post(path, json={"digest": proposal["digest"]}).status_code == 409, "a proposal is used once"
    run_id = confirmed.json()["run"]["run_id"]
    deadline = time.monotonic() + 240
    while (state := page.get(f"api/runs/{run_id}").json())["state"] not in {"success", "failed"}:
        assert time.monotonic() < deadline, state
        time.sleep(1)
    assert state["state"] == "success", state
    assert [(s["name"], s["state"]) for s in state["stages"]] == [
        (stage, "success") for stage in ("validate", "download", "reconstruct", "push")
    ]
    heads = git(folder, "ls-remote", state["address"], "refs/heads/main")
    assert heads.split()[0] == commit
    run = page.get(f"{stack.airflow_url}/api/v2/dags/pivo_restore/dagRuns/{run_id}").json()
    assert run["triggering_user_name"] == stack.airflow_user
    log = stack.trace_log.read_text()
    for line in (f"[PIVO-ORCHESTRATOR] [INFO] DAG run pivo_restore {run_id} triggered as {stack.airflow_user}",):
        assert line in log
