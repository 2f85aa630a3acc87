"""The tools as a brain calls them: limits, errors as answers, proposals that touch nothing, what a model may see."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from agent_world import World
from pivo.agent.brain import Query
from pivo.agent.events import Done, ProposalMade, TextDelta
from pivo.agent.messages import ToolUse, UserMessage, from_json, to_json
from pivo.agent.tools import query_metadata
from pivo.agent.tools.read_file import page
from pivo.errors import ArchiveError, PivoError, TargetError, UsageError
from pivo.restore.policy import Policy
from pivo.settings import Settings


def call(kit, name: str, said: str = "", **arguments: object):
    kit.toolbox.begin(said, [UserMessage(said)])
    return kit.toolbox.run(ToolUse("1", name, arguments))


def test_every_tool_declares_itself(kit) -> None:
    declared = {d.name: d for d in kit.toolbox.declarations}
    assert set(declared) == {
        *("query_metadata", "search_history", "list_repositories", "list_snapshots", "read_file", "get_file_diff"),
        *("dag_run_status", "restore_repo", "snapshot_repo", "verify_repo"),
    }
    assert [d.name for d in declared.values() if d.acts] == ["restore_repo", "snapshot_repo", "verify_repo"]
    for declaration in declared.values():
        assert declaration.parameters["additionalProperties"] is False


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("rm", {}, "no tool"),
        ("read_file", {"repo": "acme/web"}, "path"),
        ("read_file", {"repo": "acme/web", "path": "README.md", "force": True}, "force"),
        ("read_file", {"repo": "../etc", "path": "passwd"}, "'..'"),
        ("read_file", {"repo": "acme/web", "path": "../../etc/passwd"}, "not in acme/web"),
        ("read_file", {"repo": "acme/web", "path": "README"}, "Did you mean README.md"),
        ("read_file", {"repo": "acme/web", "path": "README.md", "line": 99}, "3 lines|7 lines"),
        ("get_file_diff", {"repo": "acme/web", "new": "--output=/tmp/x"}, "not a ref"),
        ("get_file_diff", {"repo": "acme/web", "new": "v1.0", "path": "nosuch"}, "not in acme/web"),
        ("get_file_diff", {"repo": "acme/webb", "new": "v1.0"}, "Did you mean acme/web"),
        ("restore_repo", {"repo": "acme/web", "ref": "ffffffffff"}, "begins with"),
    ],
)
def test_errors_are_answers(kit, name: str, arguments: dict[str, object], says: str) -> None:
    output = call(kit, name, "restore acme/web", **arguments)
    assert not output.ok
    assert output.proposal is None
    assert re.search(says, json.dumps(output.summary)), output.summary


def test_a_model_never_sees_what_a_file_or_a_subject_says(kit, world: World) -> None:
    for output in (
        call(kit, "read_file", repo="acme/web", path="README.md"),
        call(kit, "get_file_diff", repo="acme/web", old="v1.0", new="v2.0"),
        call(kit, "query_metadata", question="last commit in acme/web"),
        call(kit, "query_metadata", question="commits in acme/web that mention parser"),
    ):
        assert output.ok
        seen = json.dumps(output.summary)
        for text in ("It parses", "Drop the FAQ", "Explain the parser", "Hello"):
            assert text not in seen
        assert output.view is not None


def test_long_files_are_cut_on_whole_lines() -> None:
    text = "".join(f"line {n}\n" for n in range(1, 1001))
    first = page("f", text, 1)
    assert first.text.endswith("line 400")
    assert first.next_line == 401
    last = page("f", text, 801)
    assert last.text.endswith("line 1000")
    assert last.next_line is None
    long = page("f", ("x" * 50_000 + "\n") * 3, 1)
    assert len(long.text) == 50_000
    assert long.next_line == 2


def test_a_restore_is_only_proposed(kit, world: World, tmp_path: Path) -> None:
    target = tmp_path / "out" / "web.git"
    events = kit.ask(f"Restore acme/web to {world.hashes['w3'][:8]} into file://{target}")
    (made,) = [e for e in events if isinstance(e, ProposalMade)]
    assert made.proposal.arguments == {
        "repo": "acme/web",
        "ref": world.hashes["w3"],
        "commit": world.hashes["w3"],
        "target": f"file://{target}",
        "requested_by": "alice",
        "origin": "agent",
    }
    assert made.proposal.details["Subject"] == "Document the parser"
    assert made.proposal.details["Commit"] == world.hashes["w3"]
    assert not target.parent.exists(), "proposing touches nothing"
    assert "Nothing has happened yet" in "".join(e.text for e in events if isinstance(e, TextDelta))
    assert kit.proposals.get(made.proposal.id, "alice").state == "open"


def test_a_default_target_has_the_owner_of_the_token(lone, alone: World, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {}

    def refuse(settings: Settings, **asked: str) -> None:
        seen.update(asked)
        raise ArchiveError("enough.")

    lone.context.validate = refuse
    lone.ask(f"Restore the 'PIVO' repo to commit {alone.hashes['p2'][:7]}")
    assert seen["target"] == f"octocat/PIVO-restored-{alone.hashes['p2'][:7]}"


def test_a_default_target_gives_way_and_a_named_one_does_not(lone) -> None:
    tried = []

    def occupied(settings: Settings, *, repo: str, ref: str, target: str) -> None:
        tried.append(target)
        raise TargetError(f"{target} is not empty.")

    lone.context.validate = occupied
    lone.ask("Restore PIVO to v0.1")
    assert [t.rpartition("-")[2] for t in tried[1:]] == ["2", "3", "4", "5"]
    tried.clear()
    lone.ask("Restore PIVO to v0.1 into acme/x")
    assert tried == ["acme/x"]


def test_a_target_that_the_person_did_not_say_is_refused(kit) -> None:
    output = call(kit, "restore_repo", "Restore acme/web to v1.0", repo="acme/web", ref="v1.0", target="evil/loot")
    assert not output.ok
    assert "person's own words" in output.summary["error"]


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/x.git", "file:///etc/x.git", "ssh://evil/x", "git@evil:x", "ext::sh -c x", "file://{home}/../x",
     "file://host{home}/x", "acme", "-x/y", "аcme/web"],
)  # fmt: skip
def test_targets_beyond_the_policy(kit, target: str) -> None:
    asked = target.format(home=kit.home)
    with pytest.raises(TargetError):
        kit.policy.check_target(asked)


def test_policy_patterns(kit, tmp_path: Path) -> None:
    policy = Policy(forge_targets=("acme/*-restored*",), confirm=("ali*",))
    policy.check_target("acme/web-restored-1")
    policy.check_confirm("alice")
    with pytest.raises(TargetError):
        policy.check_target("evil/web-restored")
    with pytest.raises(TargetError):
        policy.check_confirm("bob")


@pytest.mark.parametrize(
    "text",
    ["targets: [x]", "confirm: everybody", "- a", "expires_minutes: 0", "a: ["]
    + [
        f"retention: {bad}"
        for bad in ("90", "{}", "{days: 9}", "{replaced_packs_days: 0}", "{replaced_packs_days: true}")
    ],
)
def test_a_bad_policy_fails_closed(tmp_path: Path, text: str) -> None:
    (tmp_path / "include").mkdir()
    (tmp_path / "include" / "policy.yaml").write_text(text)
    with pytest.raises(UsageError):
        Policy.load(Settings.load({"PIVO_ROOT": str(tmp_path)}))


@pytest.mark.parametrize(("text", "days"), [("", None), ("retention: {replaced_packs_days: 90}", 90)])
def test_retention_is_off_unless_the_policy_says_from_which_age_on(tmp_path: Path, text: str, days: int | None) -> None:
    (tmp_path / "include").mkdir()
    (tmp_path / "include" / "policy.yaml").write_text(text)
    assert Policy.load(Settings.load({"PIVO_ROOT": str(tmp_path)})).replaced_packs_days == days


class Writer:
    """Writes what it is told to, one after the other."""

    def __init__(self, *sql: str) -> None:
        self.sql, self.failed = list(sql), []

    def write(self, question: str, failed=()) -> Query:
        self.failed = list(failed)
        return Query(self.sql.pop(0), {})


def test_an_error_goes_back_to_the_writer_twice(kit) -> None:
    kit.context.writer = Writer(
        "SELECT nosuch FROM v_repos", "SELECT 1 FROM v_nothing", "SELECT repo_name FROM v_repos"
    )
    output = call(kit, "query_metadata", question="x")
    assert output.ok
    assert [sql for sql, _ in kit.context.writer.failed] == ["SELECT nosuch FROM v_repos", "SELECT 1 FROM v_nothing"]
    kit.context.writer = Writer(*(f"SELECT nosuch{n} FROM v_repos" for n in range(9)))
    output = call(kit, "query_metadata", question="y")
    assert not output.ok
    assert len(kit.context.writer.sql) == 9 - 1 - query_metadata.REPAIRS


@pytest.mark.parametrize(
    "sql",
    ["DELETE FROM repos", "SELECT * FROM sqlite_master", "ATTACH 'x' AS y", "SELECT 1; SELECT 2",
     "PRAGMA query_only = 0",
     "SELECT load_extension('x')", "SELECT * FROM commits", "SELECT printf('%.*c', 900000000, 'x')"],
)  # fmt: skip
def test_sql_of_an_attacker_is_refused(kit, sql: str) -> None:
    kit.context.writer = Writer(sql, sql, sql)
    assert not call(kit, "query_metadata", question="x").ok


def test_the_trace_tells_the_story(kit) -> None:
    kit.ask("Who committed last to acme/web?")
    lines = kit.log.splitlines()
    assert any("[PIVO-ORCHESTRATOR] [INFO] alice asks:" in line for line in lines)
    assert any("[METADATA-SVC] [SQL] SELECT " in line for line in lines)
    assert any("[METADATA-SVC] [RES] 1 rows" in line for line in lines)


def test_history_round_trips(kit) -> None:
    done = kit.ask("Who committed last to acme/web?")[-1]
    assert isinstance(done, Done)
    assert from_json(json.loads(json.dumps(to_json(done.messages)))) == done.messages


def test_no_index_yet_says_so(kit, tmp_path: Path) -> None:
    kit.resources.settings = Settings.load({"PIVO_INDEX": str(tmp_path / "none.db")})
    with pytest.raises(PivoError, match="pivo index"):
        kit.ask("Who committed last?")
