"""What the offline brain says must be as true as the rows that it shows."""

from __future__ import annotations

import pytest

from pivo.agent.events import Refusal, TextDelta


@pytest.mark.parametrize(
    ("question", "said", "unsaid"),
    [
        ("second last commit of acme/web", "The second last commit", "committed last"),
        ("the second commit of acme/web", "The second commit", "first"),
        ("who has the fewest commits in acme/web", "**Alan Turing** has the fewest commits (1)", "most"),
        ("what is the smallest repository", "The smallest is **acme/tool**", "largest"),
        ("how many commits are on dev in acme/web", "**4** commits", ""),
        ("how many commits are on main but not on dev in acme/web", "**4** commits", ""),
        ("how many commits mention parser", "**3** commits", ""),
    ],
)
def test_sentences(kit, question: str, said: str, unsaid: str) -> None:
    text = "".join(e.text for e in kit.ask(question) if isinstance(e, TextDelta))
    assert said in text
    assert not unsaid or unsaid not in text


def test_a_name_mistyped_is_asked_about(kit) -> None:
    for question, meant in (
        ("last commit to acme/wbe", "acme/web"),
        ("commits by Lovelacce", "Ada Lovelace"),
        ("show READMEE.md of acme/web", "README.md"),
    ):
        refusal = next(e for e in kit.ask(question) if isinstance(e, Refusal))
        assert meant in refusal.reason, refusal
