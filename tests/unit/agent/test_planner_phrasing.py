"""What is said around a question, mistyped words, and sentences that tell to change something."""

from __future__ import annotations

import pytest

from pivo.agent.events import Refusal, TextDelta


@pytest.mark.parametrize(
    "question",
    [
        "Good morning! Who committed last to acme/web, please?",
        "it's 3am and who the hell committed last to acme/web",
        "auditor here. I was wondering who committed last to acme/web?",
        "who comitted last to acme/web",
        "whos the last committer of acme/web thx",
    ],
)
def test_what_is_said_around_a_question_changes_nothing(kit, question: str) -> None:
    text = "".join(e.text for e in kit.ask(question) if isinstance(e, TextDelta))
    assert "Grace Hopper" in text


def test_a_corrected_word_is_told(kit) -> None:
    text = "".join(e.text for e in kit.ask("who are the contributers of acme/web") if isinstance(e, TextDelta))
    assert "“contributers” as “contributors”" in text


@pytest.mark.parametrize("question", ["which repos were forked", "starred commits in acme/web", "commits in acme/webb"])
def test_words_of_their_own_and_names_are_not_corrected(kit, question: str) -> None:
    assert any(isinstance(e, Refusal) for e in kit.ask(question))


@pytest.mark.parametrize(
    "question",
    [
        "change the author of the last commit in acme/web to Grace",
        "please make Grace the author of the last commit in acme/web",
        "could you rename main of acme/web",
        "show the last commit of acme/web and push it",
        "I want the last commit of acme/web deleted",
        "tag acme/web as v1.0",
        "commit the last change to acme/web",
    ],
)
def test_nothing_is_changed(kit, question: str) -> None:
    refusal = next(e for e in kit.ask(question) if isinstance(e, Refusal))
    assert "PIVO changes nothing" in refusal.reason


@pytest.mark.parametrize("question", ["only commits by Ada in acme/web", "who committed only to acme/web"])
def test_only_does_not_leave_out(kit, question: str) -> None:
    assert any(isinstance(e, Refusal) for e in kit.ask(question))


@pytest.mark.parametrize(
    ("question", "left_out"),
    [
        ("restore acme/web at v1.0 because the disk died", "because the disk died"),
        ("snapshot acme/web, we are about to migrate it", "we are about to migrate it"),
        ("I was on holiday. Who committed last to acme/web?", "I was on holiday"),
    ],
)
def test_a_reason_is_left_out_and_told(kit, question: str, left_out: str) -> None:
    events = kit.ask(question)
    assert not any(isinstance(e, Refusal) for e in events)
    assert f"“{left_out}”" in "".join(e.text for e in events if isinstance(e, TextDelta))


@pytest.mark.parametrize(
    "question",
    [
        "restore acme/web at v1.0 because Grace broke main",
        "restore acme/web to its state before the force push",
        "restore acme/web. It should be in sandbox/web",
        "I was on holiday last week. What has been committed to acme/web?",
        "I only want merges. Which commits are in acme/web?",
        "snapshot acme/web, it should happen tomorrow",
        "commits in acme/web, my favourite ones",
        "which commits are on dev but not on main or release in acme/web",
    ],
)
def test_what_may_narrow_a_question_is_never_left_out(kit, question: str) -> None:
    assert any(isinstance(e, Refusal) for e in kit.ask(question))
