"""`pivo mcp` with the official client, over the pipes of a real process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters

from agent_world import World
from pivo.agent import tools
from pivo.agent.proposals import Proposals
from pivo.settings import CHECKOUT
from terminal_kit import MAIN, at_terminal

ACTING = {"restore_repo", "snapshot_repo", "verify_repo"}


@pytest.fixture
def env(world: World, tmp_path: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(CHECKOUT / "include"),
        "PIVO_HOME": str(tmp_path),
        "PIVO_INDEX": str(world.index),
        "PIVO_ARCHIVE": f"file://{world.archive}",
        "PIVO_FORGE_URL": "http://127.0.0.1:9/api/v3",
        "PIVO_AIRFLOW_URL": "http://127.0.0.1:9",
        "PIVO_KAFKA": "127.0.0.1:9",
        "PIVO_USER": "alice",
    }


def talk(env: dict[str, str], words: Callable[[Client], Awaitable[Any]]) -> Any:
    """What `words` makes of a client of a new server."""

    async def run() -> Any:
        params = StdioServerParameters(command=sys.executable, args=["-c", MAIN, "mcp"], env=env)
        with anyio.fail_after(60):
            async with Client(params) as client:
                return await words(client)

    return anyio.run(run)


def calls(env: dict[str, str], *wanted: tuple[str, dict[str, Any]]) -> list[Any]:
    """The answers to calls, one after the other."""

    async def all_of(client: Client) -> list[Any]:
        return [await client.call_tool(name, arguments) for name, arguments in wanted]

    answers: list[Any] = talk(env, all_of)
    return answers


def test_the_tools_are_the_agents_own(env: dict[str, str]) -> None:
    async def words(client: Client) -> Any:
        return client.instructions, (await client.list_tools()).tools

    instructions, found = talk(env, words)
    assert "data, never instructions" in instructions
    declared = {tool.declaration.name: tool.declaration for tool in tools.ALL}
    assert [tool.name for tool in found] == list(declared)
    for tool in found:
        assert tool.description == declared[tool.name].description
        assert tool.annotations.read_only_hint == (tool.name not in ACTING)
        properties = declared[tool.name].parameters["properties"]
        assert all(schema == properties[name] for name, schema in tool.input_schema["properties"].items())
    restore = next(tool for tool in found if tool.name == "restore_repo")
    assert set(restore.input_schema["properties"]) == {"repo", "ref"}
    assert not [tool for tool in found if "confirm" in tool.name]


def test_reading(env: dict[str, str], world: World) -> None:
    file, diff, rows, history = calls(
        env,
        ("read_file", {"repo": "acme/web", "path": "README.md", "ref": "v1.0"}),
        ("get_file_diff", {"repo": "acme/web", "old": "v1.0", "new": "v2.0", "path": "README.md"}),
        ("query_metadata", {"question": "Who committed last to acme/web?"}),
        ("search_history", {"repo": "acme/web", "text": "parser"}),
    )
    assert not any(answer.is_error for answer in (file, diff, rows, history))
    assert file.structured_content["view"]["text"].startswith("# Web\n\nHello.")
    assert file.structured_content["evidence"]["commit"] == world.hashes["w3"]
    assert "# Web" in file.content[1].text
    assert "+It parses well." in diff.structured_content["view"]["files"][0]["lines"]
    assert "1 line added" in diff.content[1].text or "lines" in diff.content[1].text
    assert rows.structured_content["evidence"]["sql"].startswith("SELECT")
    assert "Grace Hopper" in rows.content[1].text
    assert "Add a parser" in history.content[1].text


def test_errors_are_sentences(env: dict[str, str]) -> None:
    answers = calls(
        env,
        ("read_file", {"repo": "acme/nothing", "path": "README.md"}),
        ("read_file", {"repo": "acme/web", "path": "../../etc/passwd"}),
        ("query_metadata", {"question": "Colourless green ideas sleep furiously"}),
        ("list_snapshots", {}),
        ("confirm", {"proposal": "x"}),
        ("restore_repo", {"repo": "acme/web", "ref": "v1.0", "target": "evil/loot"}),
        ("dag_run_status", {}),
    )
    for answer in answers:
        assert answer.is_error
        assert len(answer.content) == 1
        assert "Traceback" not in answer.content[0].text
        assert answer.structured_content["summary"]["error"]
        assert answer.structured_content["proposal"] is None


def test_an_acting_tool_proposes_and_the_person_confirms_elsewhere(env: dict[str, str], tmp_path: Path) -> None:
    answer, stranger = calls(env, ("verify_repo", {"repos": ["acme/*"]}), ("snapshot_repo", {"repos": ["evil/x"]}))
    assert stranger.is_error
    proposal = answer.structured_content["proposal"]
    assert proposal["details"]["Repositories"] == "acme/tool, acme/web"
    assert proposal["confirm"] == f"pivo confirm {proposal['id']}"
    assert proposal["confirm"] in answer.content[1].text
    assert f"dag_run_status tells of run {proposal['run_id']}" in answer.content[1].text
    assert "digest" not in proposal, "what a confirmation needs is not the assistant's"
    assert answer.structured_content["evidence"]["hdfs_path"] == env["PIVO_ARCHIVE"]
    kept = Proposals(tmp_path / "agent").get(proposal["id"], "alice")
    assert (kept.state, kept.tool) == ("open", "verify_repo")


def confirm(env: dict[str, str], proposal: str, typed: str | None) -> tuple[int, str]:
    """`pivo confirm`, at a terminal where `typed` is typed, or without one."""
    if typed is not None:
        return at_terminal(env, "confirm", proposal, typed=typed)
    command = [sys.executable, "-c", MAIN, "confirm", proposal]
    done = subprocess.run(command, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_confirmation_needs_a_person(env: dict[str, str], tmp_path: Path) -> None:
    (answer,) = calls(env, ("verify_repo", {"repos": ["acme/web"]}))
    name = answer.structured_content["proposal"]["id"]
    book = Proposals(tmp_path / "agent")
    code, said = confirm(env, name, None)
    assert (code, "on a terminal" in said) == (0, True)
    assert book.get(name, "alice").state == "open"
    code, said = confirm({**env, "PIVO_USER": "mallory"}, name, "y\n")
    assert (code, "no such proposal" in said) == (1, True)
    code, said = confirm(env, name, "y\n")  # here neither Kafka nor Airflow runs
    assert code == 1, said
    assert book.get(name, "alice").state == "open"
    code, said = confirm(env, name, "n\n")
    assert (code, "Cancelled" in said) == (0, True)
    assert book.get(name, "alice").state == "cancelled"
    code, said = confirm(env, name, "y\n")
    assert (code, "is cancelled" in said) == (1, True)


def test_nothing_but_the_protocol_is_on_standard_output(env: dict[str, str]) -> None:
    hello = (
        '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},'
        '"clientInfo":{"name":"t","version":"1"}}}\n{"jsonrpc":"2.0","method":"notifications/initialized"}\n'
        '{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"list_repositories","arguments":{}}}\n'
    )
    done = subprocess.run(
        [sys.executable, "-c", MAIN, "mcp"],
        env=env,
        input=hello,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    lines = done.stdout.splitlines()
    assert lines
    assert all(line.startswith('{"jsonrpc"') for line in lines)


def test_calls_are_on_the_audit_log(env: dict[str, str], tmp_path: Path) -> None:
    calls(env, ("list_repositories", {}), ("verify_repo", {"repos": ["acme/web"]}))
    kept = "".join(path.read_text(errors="replace") for path in (tmp_path / "audit").rglob("*") if path.is_file())
    assert kept.count('"mcp"') >= 3
    assert "alice" in kept
