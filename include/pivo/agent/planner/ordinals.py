"""The one before the last: how a question for the last of something is turned into one for the second last."""

from __future__ import annotations

import re

from pivo.agent.planner.context import Said

_LAST = {"last": "second last", "latest": "second latest", "newest": "second newest",
         "most recent": "second most recent"}  # fmt: skip
_NEXT = {"second": "third", "third": "fourth", "fourth": "fifth", "penultimate": "third last"}


def earlier(question: str) -> str | None:
    """The question that asks for the one before: "last" becomes "second last", "second last" becomes "third last"."""
    flat = question
    for word, following in _NEXT.items():
        if re.search(rf"\b{word}\b", flat, re.I):
            return re.sub(rf"\b{word}\b", following, flat, count=1, flags=re.I)
    for word, following in sorted(_LAST.items(), key=lambda pair: -len(pair[0])):
        # "last" before a unit of time is no order
        if re.search(rf"\b{word}\b(?! (?:week|month|year|\d))", flat, re.I):
            return re.sub(rf"\b{word}\b(?! (?:week|month|year|\d))", following, flat, count=1, flags=re.I)
    return None


def noun(question: str, said: Said) -> str:
    """ "the second last commit by Ada", out of the question for it; the repository is said elsewhere."""
    match = re.search(r"\b(second|third|fourth|fifth)\b", question, re.I)
    ordinal = match[0].lower() if match else "second"
    people = "".join(f' by "{name}"' for name in said.named.get("person", []))
    paths = "".join(f' touching file "{name}"' for name in said.named.get("path", []))
    return f"the {ordinal} last commit{people}{paths}"
