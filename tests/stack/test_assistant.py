"""Another assistant on the real parts: over MCP it reads and proposes, the person confirms, and it tells the end."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters

from pivo.settings import CHECKOUT
from restore_kit import Git
from stack_kit import Pivo
from terminal_kit import MAIN, at_terminal

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def repo(pivo: Pivo, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Git, str]:
    """A repository in the archive: its name there, its source, and the commit before its last."""
    folder = tmp_path_factory.mktemp("assistant-source") / "work"
    folder.mkdir()
    git = Git(folder)
    git("init", "-q", "-b", "main")
    first = git.commit("Begin", README="one\n")
    git.commit("Go on", README="two\n")
    name = "assisted-" + hashlib.sha256(f"{os.getpid()}{time.time()}".encode()).hexdigest()[:10]
    pivo("ingest", str(folder), "--name", name)
    pivo("index")
    return name, git, first


def test_proposed_by_an_assistant_confirmed_by_the_person_and_told_to_the_assistant(
    stack_env: dict[str, str], repo: tuple[str, Git, str]
) -> None:
    name, git, first = repo
    own = {k: v for k, v in os.environ.items() if not k.startswith("PIVO_")}
    env = {**own, **stack_env, "PYTHONPATH": str(CHECKOUT / "include")}
    server = StdioServerParameters(command=sys.executable, args=["-c", MAIN, "mcp"], env=env)
    said: dict[str, Any] = {}

    async def conversation() -> None:
        with anyio.fail_after(240):
            async with Client(server) as client:
                file = await client.call_tool("read_file", {"repo": name, "path": "README", "ref": first[:8]})
                assert file.structured_content["view"]["text"] == "one"
                answer = await client.call_tool("restore_repo", {"repo": name, "ref": first[:8]})
                assert not answer.is_error, answer.content
                proposal = answer.structured_content["proposal"]
                assert proposal["details"]["Commit"].startswith(first)
                status = {"run_id": proposal["run_id"]}
                early = await client.call_tool("dag_run_status", status)
                assert early.is_error and "None of PIVO's DAGs has a run" in early.content[0].text
                command = proposal["confirm"].split()
                assert command[0] == "pivo"
                code, screen = await anyio.to_thread.run_sync(lambda: at_terminal(env, *command[1:], typed="y\n"))
                assert code == 0, screen
                assert proposal["run_id"] in screen
                while (await client.call_tool("dag_run_status", status)).structured_content["summary"]["state"] not in {
                    "success",
                    "failed",
                }:
                    await anyio.sleep(1)
                said["end"] = await client.call_tool("dag_run_status", status)
                said["latest"] = await client.call_tool("dag_run_status", {})
                code, screen = await anyio.to_thread.run_sync(lambda: at_terminal(env, *command[1:], typed="y\n"))
                assert (code, "is confirmed; nothing was started" in " ".join(screen.split())) == (1, True), screen
                said["proposal"] = proposal

    with ThreadPoolExecutor(1) as apart:  # the browser's tests keep a loop in this thread
        apart.submit(anyio.run, conversation).result()
    end, target = said["end"], said["proposal"]["details"]["To"]
    assert end.structured_content["summary"]["state"] == "success", end.content
    assert said["latest"].structured_content["summary"]["run_id"] == said["proposal"]["run_id"]
    (came,) = end.structured_content["summary"]["outcomes"]
    words = came["outcome"].split()
    assert came["repo"] == name and words[:2] == ["restored", "to"] and words[3:] == ["1", "commit,", "1", "ref"]
    assert came["outcome"] in end.content[1].text
    address = words[2].rstrip(":")
    assert address.endswith(target.split()[0])
    assert git("ls-remote", address, "refs/heads/main").split()[0] == first
