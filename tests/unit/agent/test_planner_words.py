"""Forms of verbs, dates as people write them, ways of putting a question, and what must not be taken for another."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pivo.agent.events import Refusal
from pivo.agent.planner import periods
from pivo.agent.planner.lexicon.inflect import forms
from pivo.agent.planner.rewrites import rewrite
from pivo.agent.planner.words import joined, words

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)  # a Monday


@pytest.mark.parametrize(
    ("lemma", "told"),
    [
        ("modify", "modify modifies modified modifying"),
        ("drop*", "drop drops dropped dropping"),
        ("write:wrote:written:writing", "write writes wrote written writing"),
        ("patch", "patch patches patched patching"),
    ],
)
def test_forms_of_a_verb(lemma: str, told: str) -> None:
    assert " ".join(forms(lemma)) == told


def test_only_the_first_word_of_several_is_inflected() -> None:
    assert "got rid of" in forms("get:got:getting rid of")


@pytest.mark.parametrize(
    ("said", "start", "end"),
    [
        ("between 17 and 20 November", "2026-11-17", "2026-11-21"),
        ("17-20 November", "2026-11-17", "2026-11-21"),
        ("from the 17th to the 20th of November", "2026-11-17", "2026-11-21"),
        ("from Friday to Sunday", "2026-11-20", "2026-11-23"),
        ("from October", "2026-10-01", "2026-11-01"),
        ("from 1 October on", "2026-10-01", None),
        ("the week before last", "2026-11-09", "2026-11-16"),
        ("in the week of 9 November", "2026-11-09", "2026-11-16"),
        ("two months ago", "2026-09-01", "2026-10-01"),
        ("in the second half of last year", "2025-07-01", "2026-01-01"),
        ("in Q3", "2026-07-01", "2026-10-01"),
        ("on the 22nd", "2026-11-22", "2026-11-23"),
        ("on 22/11/2026", "2026-11-22", "2026-11-23"),
        ("on Sunday, 22 November", "2026-11-22", "2026-11-23"),
        ("since Monday last week", "2026-11-16", None),
        ("until the end of October", None, "2026-11-01"),
        ("older than 1 November", None, "2026-11-01"),
        ("no later than 20 November", None, "2026-11-21"),
    ],
)
def test_periods(said: str, start: str | None, end: str | None) -> None:
    found = words(said)
    period, used = periods.find(found, 0, NOW) or pytest.fail(f"{said} is no period")
    assert used == len(found)
    assert [f"{p:%Y-%m-%d}" if p else None for p in (period.start, period.end)] == [start, end]


@pytest.mark.parametrize("said", ["on 03/04/2026", "on 31 February", "a Friday"])
def test_what_may_be_two_days_or_is_none(said: str) -> None:
    found = words(said)
    spans = [found[at : at + p[1]] for at in range(len(found)) if (p := periods.find(found, at, NOW))]
    assert not any(w.norm in {"03/04/2026", "31", "friday"} for span in spans for w in span)


@pytest.mark.parametrize(
    ("said", "plain"),
    [
        ("how long has it been since the last commit", "how long since the last commit"),
        ("commits that have not been merged into main", "commits not on main"),
        ("README.md in v1.0 with README.md in v2.0", "README.md between v1.0 and v2.0"),
        ("I need a fresh backup of acme/tool", "take a snapshot of acme/tool"),
    ],
)
def test_ways_of_putting_a_question(said: str, plain: str) -> None:
    assert joined(rewrite(words(said))) == plain


@pytest.mark.parametrize(
    ("said", "plain"),
    [
        ("when has Ada last committed, no matter in which repository", "across all repositories"),
        ("which commits are lost, over all the repositories", "across all the repositories"),
        ("commits that touched anything below the folder lib/ in acme/web", "in the folder lib/ in acme/web"),
    ],
)
def test_ways_of_saying_where(said: str, plain: str) -> None:
    assert joined(rewrite(words(said))).endswith(plain)


@pytest.mark.parametrize("verb", ["add", "change", "delete", "introduce", "frobnicate"])
def test_no_way_feeds_on_what_it_made(verb: str) -> None:
    once = rewrite(words(f"which files did commit 8ea84655 {verb}"))
    assert joined(rewrite(once)) == joined(once) == f"which files did commit 8ea84655 {verb}"


@pytest.mark.parametrize(
    "question",
    [
        "does acme/web contain secrets",
        "which files in acme/web have only one commit",
        "people with exactly one commit in acme/web",
        "commits in acme/web by Ada and Grace together",
        "who should review acme/web",
        "should I restore acme/web",
        "commits in acme/web made on a Friday",
        "which of those are by Ada",
        "last commit in each repository",
    ],
)
def test_words_that_change_the_meaning_are_not_passed_over(kit, question: str) -> None:
    assert isinstance(kit.planner.plan(question), Refusal)


def test_to_back_up_is_not_to_bring_back(kit) -> None:
    plan = kit.planner.plan("I'd like you to back up acme/web")
    assert not isinstance(plan, Refusal)
    assert plan.steps[0].tool == "snapshot_repo"


@pytest.mark.parametrize("question", ["restore history of acme/web", "snapshot history of acme/web"])
def test_a_noun_after_the_verb_makes_it_a_question(kit, question: str) -> None:
    plan = kit.planner.plan(question)
    assert not isinstance(plan, Refusal)
    assert plan.steps[0].tool == "query_metadata"
