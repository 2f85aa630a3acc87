"""Clauses that only tell why something is asked: "…, we deploy tonight", "… because the disk died", "I was away. …".

They are left out only of a question that is not understood with them, only where they name nothing that the archive
knows and hold no date, no number and no wish, and what was left out is told with the answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from pivo.agent.planner import actions, changes, lexicon, periods
from pivo.agent.planner.lexicon import restoring
from pivo.agent.planner.vocabulary import Vocabulary
from pivo.agent.planner.words import Word, words, wordset

_EDGE = re.compile(
    r"(?:(?<=[^\s\d/])[.!?;:,]+\s+|(?<=\d)[.!?;:,]+\s+|\s+[–—-]+\s+)"
    r"|\s+(?=(?:because|cause|in case|so that|as (?:we|i|it|they|the|my|our|somebody|someone)|since (?:we|i|it|they|"
    r"somebody|someone|the|my|our|his|her|their)|so (?:we|i|they)|before (?:we|i|they|somebody|someone)|"
    r"after (?:we|i|they|somebody|someone)|while (?:we|i|they)|in order to|in preparation|ahead of|"
    r"for (?:the|my|our|a|an) (?:\w+ )?(?:audit|auditor|auditors|report|review|meeting|boss|manager|customer|"
    r"presentation|postmortem|post-mortem|handover|newsletter|records|release notes|migration|compliance))\b)",
    re.IGNORECASE,
)
_REASON = re.compile(
    r"(?:because|cause|in case|so that|as|since|so|before|after|while|in order to|in preparation|ahead of|for)\b", re.I
)
_ASKER = re.compile(
    r"(?:and |but |so |well |also )*(?:(?:i|we|i'm|i've|i'd|we're|we've|we'd|my|our|somebody|someone|it's|this is|"
    r"that's why|there's|there is|there was|there has|it is|it was|nobody|no rush|no hurry|nothing)\b)",
    re.I,
)
_ANYTHING = re.compile(r"(?:and |but |so )*(?:it|this|that|they|he|she|the|everything|things|his|her|their)\b", re.I)
_OURS = re.compile(r"(?:and |but |so |well |also )*(?:my|our|the|his|her|their|everything|things|nothing)\b", re.I)
_VERB = re.compile(
    r"\b(?:is|are|was|were|has|have|had|do|does|did|got|went|died|broke|\w+ed|fails|keeps|says|needs)\b", re.I
)
_WISH = wordset(
    "please kindly you your want wants would should must shall could can only without except unless instead rather but"
    " who what when where which whose how why whom list show tell give count compare then also too only until till"
    " looking interested mean meant excluding including"
)
_NEED = re.compile(
    r"\bneed(?:s|ed)?\b(?! (?:it|this|that|them)\b| to (?:know|report|check|prepare|decide|understand|see)\b)", re.I
)
_IT, _ITS, _THERE = (re.compile(rf"\b{word}\b", re.I) for word in ("it", "its", "(?<!is )(?<!are )(?<!was )there"))
_TIME = re.compile(r"\d{1,2}(?:[:.]\d\d)?(?:[ap]m)")
_FILTERS = wordset(
    "LOST SIGNED UNSIGNED MERGE NOMERGE FORCED LAST FIRST RECENT MOST LEAST SEARCH INCOMPLETE NOT BIGGEST SMALLEST"
    " COUNT RUNNING"
)
_LONGEST = 40  # words of a question that is looked at
_ENDS = ".,;:!?–—- "


def shorter(question: str, vocabulary: Vocabulary, now: datetime) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The question without the clauses that give reasons, the fewest left out first, and what was left out."""
    parts = _parts(question)
    if len(parts) < 2 or len(question.split()) > _LONGEST:
        return
    told = _Clauses(parts, vocabulary, now)
    plain = [told.reason(i) for i in range(len(parts))]
    first = next((i for i, reason in enumerate(plain) if not reason), None)
    if first is None:
        return
    if first == 0 and len(parts) > 1 and (put := told.context(0)):
        rest = question[question.index(parts[1]) :]
        for pattern, text in ((_ITS, f"{put}'s"), (_IT, put), (_THERE, f"in {put}")):
            if at := pattern.search(rest):
                yield f"{rest[: at.start()]}{text}{rest[at.end() :]}", (parts[0].strip(_ENDS),)
    last = max(i for i, reason in enumerate(plain) if not reason)
    for start, end in ((0, last), (first, len(parts) - 1), (first, last)):
        if (start, end) != (0, len(parts) - 1):
            left = (*(parts[i] for i in range(start)), *(parts[i] for i in range(end + 1, len(parts))))
            whole = question[question.index(parts[start]) :] if start else question
            end_at = len(whole) if end == len(parts) - 1 else whole.rindex(parts[end]) + len(parts[end])
            yield whole[:end_at], tuple(part.strip(_ENDS) for part in left)


def _parts(question: str) -> list[str]:
    found, at = [], 0
    for edge in _EDGE.finditer(question):
        found.append(question[at : edge.start()])
        at = edge.end()
    return [part for part in (*found, question[at:]) if part.strip(_ENDS)]


class _Clauses:
    def __init__(self, parts: Sequence[str], vocabulary: Vocabulary, now: datetime) -> None:
        self._parts = parts
        self._vocabulary = vocabulary
        self._now = now
        told = [word for part in parts if (word := _tells(words(part)))]
        self._acting, self._restoring = bool(told), any(word in restoring.VERBS for word in told)

    def reason(self, at: int) -> bool:
        """Whether the clause only tells why: it has a subject of its own, or "because", and nothing to go by."""
        text = self._parts[at].strip(_ENDS)
        given = _REASON.match(text)
        when = given is not None and given[0].casefold() in {"before", "after", "while", "ahead of"}
        if when and (self._restoring or not self._acting):
            return False  # "commits before we released", "restore it as it was before we migrated"
        if given and given[0].casefold() == "since" and not self._acting:
            return False
        if _OURS.match(text) and not _VERB.search(text):
            return False  # "commits in acme/web, my favourite ones"
        if not (given or _ASKER.match(text) or (self._acting and _ANYTHING.match(text))):
            return False
        rest = text[given.end() :].strip() if given else text
        caused = given is not None and given[0].casefold() in {"because", "cause", "as", "so"}
        if caused and not self._acting and not _ASKER.match(rest):
            return False  # "lost because of a force-push"
        found = words(text)
        return not (_NEED.search(text) or any(self._counts(found, i) for i in range(len(found))) or _orders(found))

    def context(self, at: int) -> str:
        """The only repository or file that a clause speaks of which asks for nothing: "I take over beta/lib"."""
        text = self._parts[at].strip(_ENDS)
        found = words(text)
        named = [i for i, word in enumerate(found) if "/" in word.text or "." in word.text or word.quoted]
        if len(named) != 1 or not _ASKER.match(text) or _NEED.search(text) or _orders(found):
            return ""
        others = [word for i, word in enumerate(found) if i != named[0]]
        word = found[named[0]]
        if any(self._counts(others, i) for i in range(len(others))):
            return ""
        if len(self._vocabulary.repo(word.text)) == 1:
            return f'repository "{word.text}"'
        return f'file "{word.text}"' if len(self._vocabulary.paths(None, word.text)) == 1 else ""

    def _counts(self, found: Sequence[Word], at: int) -> bool:
        """Whether a word may be something to go by: a name, a date, a number, a wish, what narrows a question."""
        word = found[at]
        if _TIME.fullmatch(word.norm):
            return False
        if word.quoted or word.norm in _WISH or any(c.isdigit() or c in "/.@*_" for c in word.text):
            return True
        if word.norm == "not" and not self._acting:
            return True
        concepts = set(lexicon.PHRASES.get((word.norm,), "").split())
        if not self._acting and concepts & _FILTERS:
            return True
        if periods.find(found, at, self._now) is not None:
            return True
        if word.norm in lexicon.FILLER or len(word.norm) < 3 or (word.norm in lexicon.PRONOUNS):
            return False
        known = self._vocabulary
        return bool(
            known.repo(word.text)
            or word.text in known.owners()
            or known.authors(word.text)
            or known.refs(None, word.text)
        )


def _tells(found: Sequence[Word]) -> str:
    """The verb of a clause that tells PIVO to do something."""
    start = 0
    while start < len(found) and found[start].norm in actions.POLITE and not found[start].quoted:
        start += 1
    verb = found[start].norm if start < len(found) else ""
    return verb if verb in restoring.VERBS - {"take"} | _ACTS else ""


_ACTS = wordset(
    "snapshot back backup archive verify check validate take make run start do perform create trigger bring restore"
    " prove ensure save capture"
)


def _orders(found: Sequence[Word]) -> bool:
    """Whether "and delete it" follows: another order."""
    verbs = changes.VERBS | restoring.VERBS | _ACTS
    return any(
        word.norm in {"and", "then"} and at + 1 < len(found) and found[at + 1].norm in verbs
        for at, word in enumerate(found)
    )
