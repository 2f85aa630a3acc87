"""How several names or dates of one question belong together."""

from __future__ import annotations

from itertools import pairwise

from pivo.agent.planner import lexicon
from pivo.agent.planner.dates import Period
from pivo.agent.planner.reading import Reading


def both_ends(reading: Reading) -> None:
    """ "After September and before 11 November" is one span of time."""
    found = reading.periods
    if len(found) != 2 or any(p.asof for p in found):
        return
    starts, ends = [p for p in found if p.end is None], [p for p in found if p.start is None]
    if len(starts) == len(ends) == 1 and starts[0].start and ends[0].end and starts[0].start < ends[0].end:
        says = f"{starts[0].says} and {ends[0].says}"
        reading.periods[:] = [Period(starts[0].start, ends[0].end, says)]


_NAMED = frozenset({"person", "path", "period", "ref", "commit", "repo", "owner", "text", "user"})


def _alternatives(reading: Reading) -> None:
    """ "Ada or Grace" is either of two names; "by Ada or mentioning parser" is what no kind of question can hold."""
    kinds = {i: kind for kind, spans in reading.spans.items() for a, b in spans for i in range(a, b)}
    for at, word in enumerate(reading.words):
        if word.norm != "or" or word.quoted or at in kinds:
            continue
        left = next((kinds[i] for i in range(at - 1, -1, -1) if i in kinds), "")
        right = next((kinds[i] for i in range(at + 1, len(reading.words)) if i in kinds), "")
        if left != right and {left, right} & _NAMED:
            reading.problems.append("what the “or” joins is not clear")


def related(reading: Reading) -> None:
    """Several names of a kind are one list, "Ada or Grace"; what else may be between them nobody told."""
    for kind in ("person", "repo"):
        spans = reading.spans.get(kind, [])
        for (_, end), (start, _) in pairwise(spans):
            between = [w for w in reading.words[end:start] if w.norm not in lexicon.JOINS]
            if between:
                said = " ".join(w.text for w in between)
                reading.problems.append(f"what “{said}” between two names means is not clear")
    _alternatives(reading)
    commits = sum(w.norm in {"commit", "commits"} for w in reading.words if not w.quoted)
    whole = sum(w.norm in {"message", "messages", "history", "log"} for w in reading.words if not w.quoted)
    if commits > 1 + len(reading.commits) + whole:
        reading.problems.append("which commits are meant is said twice")
