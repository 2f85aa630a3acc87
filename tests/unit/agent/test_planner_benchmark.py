"""The benchmark of questions, and what it must reach."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import pytest
import yaml
from benchmarks.questions import gold, run

from pivo.agent.events import Refusal

FILES = (
    "grown",
    "paraphrases",
    "later",
    "independent",
    "independent2",
    "independent3",
    "independent4",
    "independent5",
    "self",
    "turns",
)
REACHED = {
    "grown": 0.98,
    "paraphrases": 0.98,
    "later": 0.95,
    "independent": 0.97,
    "independent2": 0.95,
    "independent3": 0.95,
    "independent4": 0.95,
    "independent5": 0.95,
    "self": 0.95,
    "turns": 0.98,
}
"""The share of right answers; the planner was mended for all of them since they were written. The first runs, in the
files' headers, tell more of what it makes of new questions."""


@pytest.fixture(scope="module")
def get() -> Iterator[Callable[[str], run.Asked]]:
    with run.worlds() as found:
        yield found


@pytest.mark.parametrize("name", FILES)
def test_every_gold_answer_was_looked_at_twice(get: Callable[[str], run.Asked], name: str) -> None:
    for item in yaml.safe_load((run.FOLDER / f"{name}.yaml").read_text()):
        if "sql" in item:
            queried, told = gold.expected(item, get(item.get("world", "organisation")).world)
            assert gold.same(item, queried, told), (item["ask"][0], queried, told)


@pytest.mark.parametrize("name", FILES)
def test_nearly_all_are_answered_rightly_and_hardly_any_wrongly(get: Callable[[str], run.Asked], name: str) -> None:
    outcomes = [o for o in run.answerable(name, get) if not o.trap]
    count = Counter(outcome.verdict for outcome in outcomes)
    assert count["right"] >= REACHED[name] * len(outcomes), [o for o in outcomes if o.verdict != "right"]
    assert count["wrong"] == 0, [o for o in outcomes if o.verdict == "wrong"]


def test_no_trap_is_answered(get: Callable[[str], run.Asked]) -> None:
    marked = [o for name in FILES for o in run.answerable(name, get) if o.trap]
    assert len(marked) >= 28
    assert [o for o in [*run.traps(get), *marked] if o.verdict == "answered"] == []


def test_there_are_enough() -> None:
    asked = {
        name: sum(len(i["ask"]) for i in yaml.safe_load((run.FOLDER / f"{name}.yaml").read_text())) for name in FILES
    }
    traps = yaml.safe_load((run.FOLDER / "traps.yaml").read_text())
    assert sum(asked.values()) >= 250
    assert asked["paraphrases"] + asked["later"] >= 250 / 3
    assert sum(map(len, traps.values())) >= 50


def test_what_a_refusal_suggests_can_be_asked(get: Callable[[str], run.Asked]) -> None:
    planner = get("organisation").planner
    for questions in yaml.safe_load((run.FOLDER / "traps.yaml").read_text()).values():
        for question in questions:
            if ">>" in question or "{" in question:
                continue
            refusal = planner.plan(question)
            if isinstance(refusal, Refusal):
                for suggestion in refusal.suggestions:
                    plan = planner.plan(suggestion)
                    assert not isinstance(plan, Refusal), (suggestion, plan)
