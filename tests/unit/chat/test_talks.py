"""Conversations as they were shown: each person's own, kept over reloads, bounded."""

from __future__ import annotations

from pathlib import Path

import pytest

from pivo.chat import talks as module
from pivo.chat.talks import Talks
from pivo.errors import NotFound


def test_what_was_shown_comes_back_in_order(tmp_path: Path) -> None:
    talks = Talks(tmp_path)
    for question in ("Who?", "When?"):
        talks.end(talks.begin("t-1", "ada", question), [{"type": "answer", "html": f"<p>{question}</p>"}])
    assert [t["question"] for t in talks.turns("t-1", "ada")] == ["Who?", "When?"]
    assert talks.turns("t-1", "ada")[0]["events"] == [{"type": "answer", "html": "<p>Who?</p>"}]
    assert [(t["id"], t["title"]) for t in talks.all("ada")] == [("t-1", "Who?")]


def test_a_conversation_is_its_owners(tmp_path: Path) -> None:
    talks = Talks(tmp_path)
    talks.begin("t-1", "ada", "Who?")
    assert talks.all("bob") == []
    for attempt in (lambda: talks.turns("t-1", "bob"), lambda: talks.rename("t-1", "bob", "mine")):
        with pytest.raises(NotFound):
            attempt()
    talks.delete("t-1", "bob")
    assert talks.all("ada")


def test_rename_and_delete(tmp_path: Path) -> None:
    talks = Talks(tmp_path)
    turn = talks.begin("t-1", "ada", "Who?")
    talks.rename("t-1", "ada", "A better\nname")
    assert talks.all("ada")[0]["title"] == "A better name"
    talks.delete("t-1", "ada")
    talks.end(turn, [{"type": "done"}])  # the answer that still ran
    assert talks.all("ada") == []
    with pytest.raises(NotFound):
        talks.turns("t-1", "ada")


def test_the_oldest_give_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_KEPT", 2)
    talks = Talks(tmp_path)
    for name in ("t-1", "t-2", "t-3"):
        talks.begin(name, "ada", name)
    assert [t["id"] for t in talks.all("ada")] == ["t-3", "t-2"]


def test_what_is_too_large_is_kept_without_its_views(tmp_path: Path) -> None:
    talks = Talks(tmp_path)
    big = {"type": "tool_result", "view": {"kind": "code", "text": "x" * (2 << 20)}}
    talks.end(talks.begin("t-1", "ada", "Show it"), [big, {"type": "done"}])
    assert talks.turns("t-1", "ada")[0]["events"] == [{"type": "tool_result", "view": None}, {"type": "done"}]
