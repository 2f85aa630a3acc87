"""Long results are cut on whole lines, and tell how to go on; every answer names its evidence."""

from __future__ import annotations

import itertools
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agent_kit import Kit
from agent_world import NOW, Planned, World
from pivo.agent import answers, database, diffs, goingon
from pivo.agent.brain import Query
from pivo.agent.events import ToolResult
from pivo.agent.messages import ToolUse
from pivo.agent.pages import Pages
from pivo.agent.tools import get_file_diff, read_file
from pivo.agent.tools.base import ToolOutput
from pivo.agent.views import Code, Diff, Table
from pivo.errors import NotFound

ADA = "Ada Lovelace <ada@example.org>"
LINES = 1000


@pytest.fixture(scope="module")
def long_world(tmp_path_factory: pytest.TempPathFactory) -> Any:
    made = World(tmp_path_factory.mktemp("long") / "w")
    old = {f"f{n:02}.txt": f"{n}\n" for n in range(60)} | {"long.txt": "".join(f"{n}\n" for n in range(LINES))}
    new = {f"f{n:02}.txt": f"{n} anew\n" for n in range(60)} | {"long.txt": "".join(f"{n}.\n" for n in range(LINES))}
    folder = {f"many/{n:04}": "x\n" for n in range(1050)} | {"one-line.txt": "y" * 70_000}
    made.add(
        "acme/long",
        (
            Planned("old", ADA, "2026-11-01 10:00", "Old", {**old, **folder}),
            Planned("new", ADA, "2026-11-02 10:00", "New", {**new}),
        ),
        taken=NOW - timedelta(hours=1),
    )
    yield made
    made.close()


@pytest.fixture
def kit(long_world: World, tmp_path: Path) -> Any:
    made = Kit(long_world, tmp_path)
    yield made
    made.resources.close()


def call(kit: Kit, name: str, **arguments: Any) -> ToolOutput:
    output = kit.toolbox.run(ToolUse("t", name, {"repo": "acme/long", **arguments}))
    assert output.ok, output.summary
    return output


def test_all_changed_files_page_by_page(kit: Kit) -> None:
    first = call(kit, "get_file_diff", old="HEAD~1", new="HEAD")
    assert (len(first.view.files), first.view.more) == (get_file_diff.MAX_FILES, 11)
    rest = call(kit, "get_file_diff", old="HEAD~1", new="HEAD", after=first.summary["more_files_after"])
    assert (len(rest.view.files), rest.view.more) == (11, 0)
    assert "more_files_after" not in rest.summary
    paths = [f.path for f in first.view.files + rest.view.files]
    assert sorted(set(paths)) == paths == sorted([f"f{n:02}.txt" for n in range(60)] + ["long.txt"])
    wrong = kit.toolbox.run(ToolUse("t", "get_file_diff", {"repo": "acme/long", "new": "HEAD", "after": "nosuch"}))
    assert "none of the changed files" in wrong.summary["error"]


def test_all_of_a_history_page_by_page(kit: Kit) -> None:
    """Both ways of finding commits: asked of the index alone, and walked along a branch."""
    for reach in ({}, {"ref": "HEAD"}):
        whole = call(kit, "search_history", limit=1000, **reach)
        assert "next_offset" not in whole.summary and len(whole.view.rows) == 2
        first = call(kit, "search_history", limit=1, **reach)
        rest = call(kit, "search_history", limit=1, offset=first.summary["next_offset"], **reach)
        assert first.view.rows + rest.view.rows == whole.view.rows
        assert (first.view.truncated, rest.view.truncated) == (True, False)
        assert rest.summary["commits"] == 2
        assert call(kit, "search_history", offset=9, **reach).view.rows == ()


class Fickle:
    """A writer that turns the same question into other SQL each time, as a model may."""

    def __init__(self) -> None:
        self.order = itertools.cycle(("path", "path DESC"))

    def write(self, question: str, failed: object = ()) -> Query:
        sql = f"SELECT path FROM v_changes WHERE repo_name = :repo ORDER BY {next(self.order)}"
        return Query(sql, {"repo": "acme/long"}, "changes")


def test_all_rows_of_a_question_page_by_page_by_the_same_query(kit: Kit) -> None:
    kit.context.writer = Fickle()
    first = page = kit.toolbox.run(ToolUse("t", "query_metadata", {"question": "which files changed?", "limit": 1000}))
    rows = list(page.view.rows)
    while "next_offset" in page.summary:
        on = {"offset": page.summary["next_offset"], "query": page.summary["query"], "limit": 90}
        page = kit.toolbox.run(ToolUse("t", "query_metadata", {"question": "which files changed?", **on}))
        assert page.ok and page.evidence.sql == first.evidence.sql
        rows += page.view.rows
    assert len(rows) == 1050 + 2 + 61 + 60
    assert rows == sorted(rows)


def test_a_query_is_gone_on_with_by_who_asked_it_and_nobody_else(kit: Kit, tmp_path: Path) -> None:
    pages = Pages(tmp_path / "agent")
    key = pages.keep("mallory", Query("SELECT 1 FROM v_repos", {}))
    asked = {"question": "x", "query": key, "offset": 1}
    assert "no such query of yours" in kit.toolbox.run(ToolUse("t", "query_metadata", asked)).summary["error"]


def test_all_of_a_long_diff_piece_by_piece(kit: Kit) -> None:
    lines: list[str] = []
    line: int | None = 1
    while line:
        output = call(kit, "get_file_diff", old="HEAD~1", new="HEAD", path="long.txt", line=line)
        (file,) = output.view.files
        assert len(file.lines) <= diffs.MAX_SHOWN
        assert (file.added, file.removed) == (LINES, LINES)
        lines += file.lines
        line = output.summary.get("cut", {}).get("go_on_from_line")
        assert (line is None) == (not file.note)
    assert sum(text.startswith("+") for text in lines) == LINES
    assert sum(text.startswith("-") for text in lines) == LINES


def test_all_of_a_folder_and_of_a_long_file(kit: Kit) -> None:
    first = call(kit, "read_file", path="many")
    rest = call(kit, "read_file", path="many", line=first.summary["next_line"])
    assert (first.view.truncated, rest.view.truncated, rest.summary["next_line"]) == (True, False, None)
    assert [row[0] for row in first.view.rows + rest.view.rows] == [f"many/{n:04}" for n in range(1050)]
    text, line = "", 1
    while line:
        view = call(kit, "read_file", path="long.txt", line=line).view
        text, line = text + view.text + "\n", view.next_line
    assert text == "".join(f"{n}.\n" for n in range(LINES))
    assert "cut after 60,000 characters" in call(kit, "read_file", path="one-line.txt").view.note
    assert len(call(kit, "read_file", path="one-line.txt").view.text) == read_file.MAX_CHARS


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("read_file", {"path": "f00.txt"}, {"snapshot", "hdfs_path", "commit"}),
        ("get_file_diff", {"new": "HEAD"}, {"snapshot", "hdfs_path", "commit"}),
        ("list_snapshots", {}, {"sql", "read_as"}),
        ("search_history", {}, {"sql", "read_as"}),
        ("restore_repo", {"ref": "HEAD"}, {"snapshot", "hdfs_path", "commit"}),
    ],
)
def test_evidence(
    kit: Kit, monkeypatch: pytest.MonkeyPatch, name: str, arguments: dict[str, Any], told: set[str]
) -> None:
    if name == "restore_repo":
        kit.context.said = target = f"file://{kit.home}/x.git"
        arguments = {**arguments, "target": target}
    evidence = call(kit, name, **arguments).evidence
    assert all(getattr(evidence, field) for field in told)
    if "hdfs_path" in told:
        assert evidence.hdfs_path.endswith(f"acme/long/{evidence.snapshot}")


@pytest.mark.parametrize(
    ("name", "arguments", "whole"),
    [
        ("query_metadata", {"question": "which files changed in acme/long?", "limit": 400}, 1050 + 2 + 61 + 60),
        ("search_history", {"limit": 1}, 2),
        ("list_repositories", {"limit": 1}, 1),
        ("list_snapshots", {"limit": 1}, 1),
        ("read_file", {"path": "many"}, 1050),
        ("read_file", {"path": "long.txt", "explain": "what is it?"}, LINES),
        ("get_file_diff", {"old": "HEAD~1", "new": "HEAD"}, 61),
        ("get_file_diff", {"old": "HEAD~1", "new": "HEAD", "path": "long.txt"}, 2 * LINES + 1),
    ],
)
def test_a_person_goes_on_to_the_end(kit: Kit, name: str, arguments: dict[str, Any], whole: int) -> None:
    kit.context.writer = Fickle()
    given = arguments if name in {"query_metadata", "list_repositories"} else {"repo": "acme/long", **arguments}
    call = ToolUse("t", name, given)
    found = goingon.told(kit.context, call, kit.toolbox.run(call))
    parts = list(_parts(found.view, found.view))
    while found.more:
        first, found = found.view, goingon.go_on(kit.toolbox, found.more)
        assert found.ok and found.name == name
        parts += _parts(found.view, first)
    assert len(parts) == whole
    assert len(set(parts)) == (whole if name != "query_metadata" else 1050 + 1 + 61)  # two commits change a file


def _parts(view: Any, before: Any) -> list[Any]:
    """What a page of an answer holds, each part with what makes it unique."""
    match view:
        case Table():
            return list(view.rows)
        case Code():
            return [(view.first_line + i, line) for i, line in enumerate(view.text.split("\n"))]
        case Diff(files=(one,)) if one.path == before.files[0].path:
            return [(one.path, line) for line in one.lines]
        case Diff():
            return [file.path for file in view.files]


def test_where_it_goes_on_is_known_to_who_asked_and_nobody_else(kit: Kit, tmp_path: Path) -> None:
    more = Pages(tmp_path / "agent").keep_call("mallory", ToolUse("", "list_repositories", {}))
    with pytest.raises(NotFound, match="no such query of yours"):
        goingon.go_on(kit.toolbox, more)


def test_an_id_is_never_taken_for_an_option_of_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    made = iter(["-abcdefghijk", "--bcdefghijk", "a-bcdefghijk"])
    monkeypatch.setattr(database.secrets, "token_urlsafe", lambda size: next(made))
    assert database.new_id(9) == "a-bcdefghijk"


def test_a_list_whose_length_nobody_named_goes_on_and_one_that_was_counted_does_not(kit: Kit) -> None:
    found = next(e for e in kit.ask("Which files changed in acme/long?") if isinstance(e, ToolResult))
    rows = list(found.view.rows)
    assert (len(rows), found.view.truncated) == (100, True)
    while found.more:
        found = goingon.go_on(kit.toolbox, found.more)
        rows += found.view.rows
    assert len({row[0] for row in rows}) == len(rows) == 1050 + 1 + 61
    counted = next(e for e in kit.ask("Show the last 2 commits in acme/long") if isinstance(e, ToolResult))
    assert (counted.view.truncated, counted.more) == (False, "")


@pytest.mark.parametrize(
    ("question", "more", "said"),
    [
        ("Who are the contributors of acme/long?", False, "2 people in all:"),
        ("Who are the contributors of acme/long?", True, "the first 2 people:"),
        ("Who are the top 2 contributors of acme/long?", False, "the first 2 people:"),
    ],
)
def test_those_that_are_shown_are_not_said_to_be_all(kit: Kit, question: str, more: bool, said: str) -> None:
    plan = kit.planner.plan_alone(question)
    rows = (("Ada", 2, "", ""), ("Bob", 1, "", ""))
    table = Table(("author_name", "commits", "first", "last"), rows, more)
    assert answers.sentence(plan.frame, plan.reading, table, NOW).endswith(said)
