"""The commands of the archive as a person types them: what they print, how they end, what they say when they fail."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import gitmake
from gitmake import Repo
from pivo.settings import CHECKOUT
from stack_kit import Pivo

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def name() -> str:
    return f"commands/{uuid.uuid4().hex[:10]}"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, pivo: Pivo, name: str) -> Repo:
    """Archived under `name`, and in the index."""
    repo = gitmake.odd(tmp_path_factory.mktemp("commands") / "odd.git")
    report = json.loads(pivo("ingest", repo.url, "--name", name, "--json").stdout)
    assert report["outcome"] == "published" and report["repo"] == name
    pivo("index")
    return repo


def test_ingest_says_what_it_did(pivo: Pivo, source: Repo, name: str) -> None:
    assert "is unchanged since 000001-" in pivo("ingest", str(source.path), "--name", name).stdout
    source.commit("main", 700)
    said = pivo("ingest", str(source.path), "--name", name).stdout
    assert f"{name} is archived as /backups/{name}/000002-" in said and "1 commits" in said


def test_cat_is_the_file_byte_for_byte(pivo: Pivo, source: Repo, name: str, stack_env: dict[str, str]) -> None:
    assert pivo("cat", name, "main", "README.md").stdout == "# Odd\n"
    told = json.loads(pivo("cat", name, "v1", "src/a.c", "--json").stdout)
    assert (told["content"], told["commit"]) == ("int a;\n", source("rev-parse", "v1^{commit}"))
    command = [sys.executable, "-c", "from pivo.cli import main; main()", "cat", name, "HEAD", "-dash"]
    env = {**os.environ, **stack_env, "PYTHONPATH": str(CHECKOUT / "include")}
    done = subprocess.run([*command[:-3], "--", *command[-3:]], env=env, capture_output=True, check=False)
    assert done.stdout == b"3\n", done.stderr


def test_a_diff_is_what_git_says(pivo: Pivo, source: Repo, name: str) -> None:
    old, new = source("rev-parse", "main~40", "main~30").split()
    said = pivo("diff", name, old, new, "deep/er/grows.txt").stdout
    expected = source.raw("diff", old, new, "--", "deep/er/grows.txt").decode().split("\n")[2:]
    ours = [row for row in said.split("\n") if row[:1] in "+-" and not row.startswith(("+++", "---"))]
    theirs = [row for row in expected if row[:1] in "+-" and not row.startswith(("+++", "---"))]
    assert sorted(ours) == sorted(theirs) and len(ours) > 5
    told = json.loads(pivo("diff", name, "v1", "main", "--json").stdout)
    rows = source.raw("diff", "--name-only", "-z", "--no-renames", "--ignore-submodules=none", "v1", "main")
    assert len(told["files"]) == rows.count(b"\0")
    assert "No difference" in pivo("diff", name, "main", "HEAD").stderr


def test_log_and_snapshots(pivo: Pivo, source: Repo, name: str) -> None:
    rows = json.loads(pivo("log", name, "--json", "-n", "500").stdout)
    assert {row["hash"] for row in rows} <= set(source("rev-list", "--all").split()) and len(rows) > 70
    assert len(pivo("log", name, "-n", "3").stdout.splitlines()) == 3
    touched = {row["hash"] for row in json.loads(pivo("log", name, "--path", "run.sh", "--json").stdout)}
    assert touched >= set(source("log", "--format=%H", "--first-parent", "main", "--", "run.sh").split())
    listed = json.loads(pivo("snapshots", name, "--json").stdout)
    assert listed[0]["repo_name"] == name
    assert name in pivo("snapshots").stdout


def test_a_restore_can_be_looked_at_first(pivo: Pivo, source: Repo, name: str) -> None:
    target = f"pivo/dry-{uuid.uuid4().hex[:8]}"
    said = pivo("restore", name, "v1", "--to", target, "--dry-run").stdout
    assert source("rev-parse", "v1^{commit}")[:7] in said and target in said
    json.loads(pivo("restore", name, "v1", "--to", target, "--dry-run", "--json").stdout)


def test_questions(pivo: Pivo, source: Repo, name: str) -> None:
    said = pivo("ask", f"Who committed last to {name}?").stdout
    assert "Ada" in said
    json.loads(pivo("ask", f"How many commits has {name}?", "--json").stdout)


FAILURES: list[tuple[list[str], int, str]] = [
    (["ingest", "/no/such/folder"], 1, "There is no repository at /no/such/folder"),
    (["ingest", "/"], 2, "Use `name` or `owner/name`"),
    (["ingest", "git://127.0.0.1:9/x.git"], 1, "did not answer"),
    (["ingest", "ext::sh -c id"], 2, "scheme that PIVO does not fetch from"),
    (["ingest", "--name", "../up", "https://h/x"], 2, "'..'"),
    (["ingest", "--name", "x" * 256, "https://h/x"], 2, "is over 255 bytes"),
    (["ingest", "--refs", "pull", "https://h/x"], 2, "does not describe a repository"),
    (["cat", "NAME", "main", "REDME.md"], 1, "Did you mean README.md"),
    (["cat", "NAME", "main", "lib"], 1, "is a folder"),
    (["cat", "NAME", "mian", "README.md"], 1, "Did you mean main"),
    (["cat", "none/such", "main", "x"], 1, "No repository none/such is in the archive"),
    (["cat", "NAME", "@2001-01-01", "README.md"], 1, "no commit from before"),
    (["cat", "NAME", "@2026-99-99", "README.md"], 2, "is not a date"),
    (["diff", "NAME", "main", "0000000000"], 1, "No commit of"),
    (["log", "none/such"], 1, "knows no repository"),
    (["snapshots", "none/such"], 1, "knows no repository"),
    (["restore", "NAME", "main", "--to", "-x", "--dry-run"], 2, ""),
    (["restore", "NAME", "nowhere", "--to", "pivo/x1", "--dry-run"], 1, "is no commit, branch or tag"),
    (["cat", "NAME"], 2, "Missing argument"),
    (["nonsense"], 2, "No such command"),
]


@pytest.mark.parametrize(("arguments", "code", "said"), FAILURES, ids=[" ".join(a)[:40] for a, _, _ in FAILURES])
def test_failures_are_one_sentence_and_what_to_do(
    pivo: Pivo, source: Repo, name: str, tmp_path: Path, arguments: list[str], code: int, said: str
) -> None:
    done = pivo(*(name if a == "NAME" else a for a in arguments), code=code)
    assert said in done.stderr and done.stdout == ""
    assert "Traceback" not in done.stderr and len(done.stderr) < 1200
    assert code == 2 or len(done.stderr.strip().splitlines()) == 2, done.stderr


@pytest.fixture
def nothing_runs(tmp_path: Path, stack_env: dict[str, str]) -> Iterator[Any]:
    """The command line where no part of a stack answers."""
    own = {k: v for k, v in os.environ.items() if not k.startswith("PIVO_")}
    ports = {k: "9" for k in stack_env if k.startswith("PIVO_PORT_") and k != "PIVO_PORT_OFFSET"}
    env = own | ports | {"PIVO_HOME": str(tmp_path / "home"), "PYTHONPATH": str(CHECKOUT / "include")}
    env |= {"PIVO_ARCHIVE": "webhdfs://127.0.0.1:9/backups", "PIVO_KAFKA": "127.0.0.1:9"}
    env |= {"PIVO_AIRFLOW_URL": "http://127.0.0.1:9", "PIVO_PORT_OFFSET": "0"}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from pivo.cli import main; main()", *arguments]
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)

    yield run


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ingest", "SOURCE", "--name", "x"], "HDFS at 127.0.0.1:9 did not answer"),
        (["cat", "x", "main", "y"], "HDFS at 127.0.0.1:9 did not answer"),
        (["log", "x"], "index"),
        (["index"], "Kafka"),
    ],
)
def test_without_a_stack_the_part_that_is_away_is_named(
    nothing_runs: Any, source: Repo, arguments: list[str], said: str
) -> None:
    done = nothing_runs(*(source.url if a == "SOURCE" else a for a in arguments))
    assert done.returncode == 1 and said in done.stderr, done.stderr
    assert "Traceback" not in done.stderr and done.stdout == ""
