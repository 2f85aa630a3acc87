"""Follow-ups about the rows that were found: "list them", "who wrote those?", "how many are there?", "the last one".

What stands for them is the question before, without how it was asked: "group them by author" becomes "group commits in
acme/web last week by author", and is planned like any other question then.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pivo.agent.events import Refusal
from pivo.agent.nouns import NOUNS, plural
from pivo.agent.planner.context import Said
from pivo.agent.planner.words import joined, words, wordset

if TYPE_CHECKING:
    from pivo.agent.planner import Planner

_ASKED = re.compile(
    r"^(?:(?:and|please|can|could|would|will|you|i|we|want|need|like|to|see|know|us|me|let|show|list|give|tell|find|get|"
    r"print|display|name|which|what|whats|how many|how much|count|number of|the|of|all|a|any|are|is|was|were|there|did|"
    r"do|does|has|have|been|exist)\s+)+(?=\S)",
    re.IGNORECASE,
)
_COUNT = re.compile(
    r"^(?:and )?(?:how many|how much|count|number|the number)"
    r"(?: (?:of )?(?:them|those|these|are|is|were|was|there|that|it|in total|altogether|all in all|exactly|have|do|"
    r"does|we|i|you))*$"
)
_THEM = re.compile(r"\b(?:all (?:of )?)?(?:them|those|these|they|it)\b(?: all)?")
_LIST = re.compile(
    r"^(?:and |please |now |can you |could you |ok |okay )*(?:list|show|name|print|display|give|tell|see|enumerate)"
    r"(?: me| us)?(?: (?:all )?(?:of )?(?:them|those|these|the list|all|everything))+(?: all| please| one by one)*$"
)
_ONE = re.compile(
    r"\bthe ((?:very )?(?:last|latest|newest|first|oldest|earliest|most recent|biggest|largest|smallest|second|third) "
    r")ones?\b"
)
_WHICH = re.compile(
    r"^(?:and )?(?:which|what|show(?: me)?)(?: one| of (?:them|those|these))?(?: is| was)? the "
    r"(last|latest|newest|first|oldest|earliest|most recent|biggest|largest|smallest)(?: one| of (?:them|those|"
    r"these))?$"
)
_ANOTHER = re.compile(
    r"^(?:and |please |now |ok )*(?:take|make|create|do|run) (?:a new|another|a fresh|a|one more)(?: one)?(?: now| "
    r"please)*$"
)
_WH = {"when", "who", "where", "and when", "and who", "and where", "when was that", "when was it", "who was that"}
_PART = re.compile(r"^(?:and )?(?:in|of|by|on|from|to|at|for|with) (?:which|what|whom)\b(?: \S+){0,2}$")
_LISTS = wordset(
    "commits search log snapshots incomplete restores verifications drills findings branches tags refs files_changed"
    " files_most files_added files_deleted files_now file_sizes repos stale never_verified stale_verified bad_repos"
    " commit last_commit last_restore last_snapshot last_verification file_size contributors path_search ref_updates "
    "path_added path_deleted"
)


def about(question: str, said: Said, planner: Planner) -> str | None:
    """`question` with the rows before put in for what points at them; None where that makes no sense."""
    flat = " ".join(w.norm for w in words(question))
    kind = said.plan.frame
    count = kind.startswith("count_")
    if not (count or kind in _LISTS):
        return None
    rest = _ASKED.sub("", said.question)
    if _LIST.match(flat):
        every = "all " if kind == "count_files" else ""
        tries = [f"list {every}the {rest}", f"list {every}{rest}"] if count else [said.question]
        return _first(planner, tries, lambda frame: not frame.startswith("count_"))
    if _COUNT.match(flat):
        return _first(planner, [f"how many {rest}"], lambda frame: frame.startswith("count_"))
    if flat in {"why", "why is that", "why not", "how come", "and why"}:
        return _first(planner, [f"why {rest}", f"why {said.question}"], lambda frame: True)
    if _PART.match(flat):
        return _first(planner, [f"{flat} {rest}", f"{flat} {said.question}"], lambda frame: frame not in {"repos"})
    if (taken := _ANOTHER.match(flat)) and "snapshot" in kind and (repo := said.one("repo")):
        return _first(planner, [f'take a snapshot of "{repo}"'], lambda frame: bool(taken))
    if which := _WHICH.match(flat):
        flat = f"the {which[1]} one"
    if flat in _WH:
        return _first(planner, [f"{flat} {rest}", f"{flat} {said.question}"], lambda frame: True)
    if (one := _ONE.search(flat)) and (noun := NOUNS.get(kind.removeprefix("count_"))):
        nouns = re.compile(rf"\b{plural(noun, 2)}\b", re.IGNORECASE)
        if noun == "repository" or not nouns.search(rest):
            return None
        put = nouns.sub(f"{one[1]}{noun}", rest, count=1)
        return _first(planner, [f"{flat[: one.start()]}the {put}{flat[one.end() :]}"], lambda frame: True)
    if (them := _THEM.search(flat)) and (them[0] != "it" or kind not in {"commits", "search", "log"}):
        texts = [f"{flat[: them.start()]}{put}{flat[them.end() :]}" for put in (rest, f"the {rest}")]
        return _first(planner, texts, lambda frame: True)
    return None


def points(question: str) -> bool:
    """Whether the question plainly asks about the rows before, whatever it would mean by itself."""
    flat = " ".join(w.norm for w in words(question))
    return any(pattern.search(flat) for pattern in (_LIST, _COUNT, _ONE, _WHICH, _ANOTHER)) or bool(_PART.match(flat))


def _first(planner: Planner, tries: Sequence[str], fits: Callable[[str], bool]) -> str | None:
    for text in tries:
        told = joined(words(text))
        plan = planner.plan_alone(planner.tidy(told))
        if not isinstance(plan, Refusal) and fits(plan.frame):
            return plan.question
    return None
