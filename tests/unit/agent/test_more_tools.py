"""The tools that list, search, propose snapshots and verifications, and ask how a run stands."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from agent_world import NOW, World
from pivo.agent.messages import ToolUse, UserMessage
from pivo.agent.tools.base import ToolOutput
from pivo.agent.views import Table
from pivo.errors import NotFound, TargetError
from pivo.orchestrator import DagRun, TaskState
from pivo.restore.approval import Person, Rule


def call(kit: Any, name: str, **arguments: Any) -> ToolOutput:
    return kit.toolbox.run(ToolUse("t1", name, arguments))


def hashes(output: ToolOutput) -> list[str]:
    assert output.ok, output.summary
    assert isinstance(output.view, Table)
    return [row["hash"] for row in output.view.records()]


@pytest.mark.parametrize(
    ("arguments", "marks"),
    [
        ({}, ["w8", "w7", "w6", "w5", "w4", "w3", "w2", "w1"]),
        ({"ref": "dev"}, ["w4", "w3", "w2", "w1"]),
        ({"ref": "main", "exclude": "dev"}, ["w8", "w7", "w6", "w5"]),
        ({"exclude": "v1.0"}, ["w8", "w7", "w6", "w5", "w4"]),
        ({"ref": "dev", "exclude": "main"}, []),
        ({"ref": "main", "author": "Grace Hopper", "since": "2026-11-18"}, ["w8", "w6"]),
        ({"path": "src/", "until": "2026-11-10T00:00:00Z"}, ["w2", "w1"]),
        ({"text": "parser", "ref": "v1.0"}, ["w3", "w2"]),
        ({"path": "README.md", "limit": 1}, ["w7"]),
    ],
)
def test_history(kit, world: World, arguments: dict[str, Any], marks: list[str]) -> None:
    assert hashes(call(kit, "search_history", repo="acme/web", **arguments)) == [world.hashes[m] for m in marks]


def test_history_says_that_there_is_more_and_shows_subjects_to_the_person_only(kit) -> None:
    output = call(kit, "search_history", repo="acme/web", limit=2)
    assert output.view is not None and output.view.truncated
    assert output.summary["more_rows_exist"]
    assert "Drop the FAQ" not in str(output.summary)
    assert "nosuch" in str(call(kit, "search_history", repo="acme/web", ref="nosuch").summary["error"])


def test_repositories_and_snapshots(kit) -> None:
    listed = call(kit, "list_repositories", limit=1)
    assert (listed.view.rows[0][0], listed.summary["next_after"]) == ("acme/tool", "acme/tool")
    assert call(kit, "list_repositories", after="acme/tool").view.rows[0][0] == "acme/web"
    assert call(kit, "list_repositories", owner="nobody").view.rows == ()
    assert [row[0] for row in call(kit, "list_snapshots", repo="acme/web").view.rows] == [1]
    assert call(kit, "list_snapshots", repo="acme/web", before=1).view.rows == ()
    assert "Did you mean acme/web" in call(kit, "list_snapshots", repo="acme/webb").summary["do"]


def test_a_snapshot_is_proposed_from_where_the_repository_came(kit) -> None:
    proposal = call(kit, "snapshot_repo", repos=["acme/*"]).proposal
    assert proposal is not None
    assert proposal.dag == "pivo_snapshot"
    assert [r["name"] for r in proposal.arguments["repos"]] == ["acme/tool", "acme/web"]
    assert proposal.arguments["repos"][1]["url"] == kit.resources.archive().require("acme/web").source
    assert not call(kit, "snapshot_repo", repos=["evil/x"]).ok, "a model must not add sources"


@pytest.mark.parametrize("name", ["snapshot_repo", "verify_repo"])
def test_proposals_say_what_of_the_archive_they_are_about(kit, name: str) -> None:
    archive = kit.resources.archive()
    last = archive.require("acme/web")
    one = call(kit, name, repos=["acme/web"]).evidence
    assert (one.snapshot, one.commit) == (last.dirname, last.head)
    assert one.hdfs_path == f"{archive.store.url}/acme/web/{last.dirname}"
    assert "acme/web" in one.read_as
    several = call(kit, name, repos=["acme/*"]).evidence
    assert (several.hdfs_path, several.snapshot) == (archive.store.url, "")
    assert "acme/tool, acme/web" in several.read_as


def test_a_verification_is_proposed(kit) -> None:
    output = call(kit, "verify_repo", repos=["acme/web"], deep=True)
    assert output.proposal is not None
    assert (output.proposal.dag, output.proposal.arguments) == ("pivo_verify", {"repos": ["acme/web"], "deep": True})
    assert not call(kit, "verify_repo", repos=["nosuch"]).ok


def fleet(kit: Any, said: str, **arguments: Any) -> ToolOutput:
    kit.toolbox.begin(said, [UserMessage(said)])
    return call(kit, "restore_repo", **arguments)


def planned(settings: Any, *, repo: str, ref: str, target: str, **more: Any) -> Any:
    assert more == {"all_refs": True}
    if target.startswith("taken/"):
        raise TargetError(f"{target} has commits.", "Choose another.")
    return SimpleNamespace(repo=repo, commit="c" * 40, commit_date="2026-11-20", snapshot="s", target=target, bytes=5)


def test_several_repositories_are_one_proposal_with_all_names_written_out(kit) -> None:
    kit.context.validate, kit.context.now = planned, lambda: NOW
    output = fleet(kit, "restore all of acme into dr", repos=["acme/*"], ref="HEAD", target="dr/")
    assert output.proposal is not None, output.summary
    conf = output.proposal.arguments
    assert (conf["repos"], conf["target"], conf["all_refs"]) == (["acme/tool", "acme/web"], "dr/", True)
    assert conf["ref"] == "@2026-11-23T12:00:00Z", "what is the latest is pinned when it is proposed"
    assert [row[-1] for row in output.view.rows] == ["dr/tool", "dr/web"]


@pytest.mark.parametrize(
    ("said", "arguments", "error"),
    [
        ("into dr", {"repos": ["acme/*"], "ref": "v1.0", "target": "dr/"}, "go back to a date"),
        ("into elsewhere", {"repos": ["acme/*"], "ref": "HEAD", "target": "dr/"}, "own words"),
        ("into taken", {"repos": ["acme/*"], "ref": "HEAD", "target": "taken/"}, "acme/tool: taken/tool has commits"),
        ("into dr", {"repos": ["nosuch/*"], "ref": "HEAD", "target": "dr/"}, "No repository"),
        ("into dr/x", {"repos": ["acme/*"], "ref": "HEAD", "target": "dr/x"}, "cannot all go to"),
        ("into dr", {"repos": ["acme/*"], "repo": "acme/web", "ref": "HEAD", "target": "dr/"}, "one `repo`, or"),
        ("all", {"repos": ["acme/*"], "ref": "HEAD"}, "one `repo`, or"),
    ],
)
def test_what_cannot_be_restored_together_is_refused(kit, said: str, arguments: dict[str, Any], error: str) -> None:
    kit.context.validate, kit.context.now = planned, lambda: NOW
    output = fleet(kit, said, **arguments)
    assert output.proposal is None
    assert error in output.summary["error"]


def test_a_proposal_says_whose_approval_it_takes_besides(kit) -> None:
    rule = Rule((Person("alice", "alice"), Person("grace", "grace")), targets=("dr/*",))
    kit.context.policy = replace(kit.policy, approval=(rule,))
    kit.context.validate, kit.context.now = planned, lambda: NOW
    output = fleet(kit, "restore all of acme into dr", repos=["acme/*"], ref="HEAD", target="dr/")
    assert output.proposal.details["Needs"] == "the approval of grace, within 24 hours"
    assert output.summary["needs_approval"] is True
    output = fleet(kit, "restore all of acme into qa", repos=["acme/*"], ref="HEAD", target="qa/")
    assert "Needs" not in output.proposal.details
    kit.context.behind = ("admin", "grace")  # as on the command line
    output = fleet(kit, "restore all of acme into dr", repos=["acme/*"], ref="HEAD", target="dr/")
    assert output.proposal.details["Needs"] == "the approval of alice, within 24 hours"
    kit.context.behind = ("alice", "grace")
    output = fleet(kit, "restore all of acme into dr", repos=["acme/*"], ref="HEAD", target="dr/")
    assert "names only alice or grace, who asked" in output.summary["error"]


class Airflow:
    """An Orchestrator's answers; the client itself is tested against its protocol elsewhere."""

    def __enter__(self) -> Airflow:
        return self

    def __exit__(self, *_: object) -> None: ...

    def latest(self, dag: str) -> DagRun:
        return DagRun(dag, "manual__1", "failed", "")

    def run(self, dag: str, run_id: str) -> DagRun:
        if (dag, run_id) != ("pivo_verify", "v1"):
            raise NotFound("No such run.")
        return DagRun(dag, run_id, "running", "")

    def tasks(self, dag: str, run_id: str) -> list[TaskState]:
        return [TaskState("push", n, state, 1, NOW, None) for n, state in enumerate(("success", "failed", None))]

    def failure(self, dag: str, run_id: str) -> str:
        return "push: the target has commits."


def test_how_a_run_stands(kit) -> None:
    assert not call(kit, "dag_run_status", dag="pivo_restore").ok, "nobody may ask Airflow here"
    kit.context.airflow = Airflow
    failed = call(kit, "dag_run_status", dag="pivo_snapshot")
    assert failed.summary["state"] == "failed"
    assert "the target has commits" not in str(failed.summary), "git's words may quote a stranger's"
    assert "push: the target has commits." in [row[1] for row in failed.view.rows]
    assert failed.evidence.run == "pivo_snapshot manual__1"
    assert [row[:2] for row in failed.view.rows[:3]] == [
        ("push[0]", "success"),
        ("push[1]", "failed"),
        ("push[2]", "waiting"),
    ]
    running = call(kit, "dag_run_status", run_id="v1")
    assert (running.summary["dag"], running.summary["state"]) == ("pivo_verify", "running")
    assert not call(kit, "dag_run_status", run_id="nosuch").ok
