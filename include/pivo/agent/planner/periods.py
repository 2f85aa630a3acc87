"""Periods in words: "since yesterday", "in the last 3 days", "between 17 and 20 November", "older than a week".

A period is [start, end); what a person meant is echoed with its dates. What dates are is in planner/moments.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from pivo.agent.planner.dates import (
    DAYS_JOINED,
    ISO,
    MONTH,
    MONTHS_NAMED,
    NAMES,
    OPENINGS,
    UNITS,
    Period,
    moment,
    number,
    ordinal,
    says,
)
from pivo.agent.planner.days import Found
from pivo.agent.planner.moments import Moments
from pivo.agent.planner.words import Word, wordset

__all__ = ["MONTHS_NAMED", "NAMES", "UNITS", "Period", "day", "find", "number"]

_IN = wordset("on in during over within at of for throughout across by")
_TO = wordset("to until till through thru and up -")
_MORE_THAN = (("more", "than"), ("over",), ("at", "least"), ("longer", "than"), ("older", "than"), ("greater", "than"))
_LESS_THAN = (("less", "than"), ("under",), ("younger", "than"), ("newer", "than"), ("fewer", "than"))


def find(words: Sequence[Word], at: int, now: datetime) -> tuple[Period, int] | None:
    """The period that begins at word `at`, and how many words it takes; None if none does."""
    return _Parser(words, now).period(at)


def day(words: Sequence[Word], at: int, now: datetime) -> tuple[Period, int] | None:
    """The date (not a range) that is written at word `at` without a preposition, and how many words it takes."""
    found = Moments(words, now).span(at, asof=True)
    return (Period(found[0], found[1], says(found[0], found[1])), found[2]) if found else None


class _Parser:
    def __init__(self, words: Sequence[Word], now: datetime) -> None:
        self._at = Moments(words, now)
        self._norm = self._at.norm
        self._now = now

    def period(self, at: int) -> tuple[Period, int] | None:
        first, second = self._norm(at), self._norm(at + 1)
        if first == "back" and second in {"in", "on"}:
            found = self.period(at + 1)
            return (found[0], found[1] + 1) if found else None
        if first == "between":
            return self._range(at + 1, 1)
        if first == "anywhere" and second == "between":
            return self._range(at + 2, 2)
        if first in {"as", "like"}:
            return self._as_of(at)
        if found := self._edge(at):
            return found
        if found := self._length(at):
            return found
        if first == "from" and (both := self._range(at + 1, 1)):
            return both
        if opened := self._opened(at):
            return opened
        return self._plain(at)

    def _edge(self, at: int) -> tuple[Period, int] | None:
        """ "At the beginning of October": its first day; "by the end of last week": its last."""
        the = 1 if self._norm(at + 1) == "the" else 0
        edge = self._norm(at + 1 + the)
        if self._norm(at) != "at" or edge not in {"beginning", "start", "end"} or self._norm(at + 2 + the) != "of":
            return None
        found = self._at.span(at + 3 + the, asof=True)
        if found is None:
            return None
        start = found[1] - timedelta(days=1) if edge == "end" else found[0]
        end = start + timedelta(days=1)
        return Period(start, end, f"as of {says(start, end)}", asof=True), found[2] + 3 + the

    def _plain(self, at: int) -> tuple[Period, int] | None:
        skip = 1 if self._norm(at) in _IN else 0
        if both := self._range(at + skip, skip):
            return both
        if self._norm(at + skip) == "the" and self._norm(at + skip + 1) != "day":
            skip += 1
        if skip and self._norm(at + skip) in {"today", "yesterday", "now"}:
            return None  # "what came in today": the preposition belongs to the verb
        found = self._at.span(at + skip, bare=skip == 0)
        if found is None and skip and self._norm(at + skip - 1) == "the":
            found = self._at.span(at + skip - 1, bare=False)
            skip -= 1
        if found is None:
            return None
        start, end, used = found
        used += skip
        if self._norm(at + used) in {"on", "onwards", "onward", "forward", "forwards"} and self._ends(at + used):
            return Period(start, None, f"since {moment(start)}"), used + 1
        if self._norm(at + used) in {"or", "and"} and self._norm(at + used + 1) in {"later", "after", "newer"}:
            return Period(start, None, f"since {moment(start)}"), used + 2
        if self._norm(at + used) in {"or", "and"} and self._norm(at + used + 1) in {"earlier", "before", "older"}:
            return Period(None, end, f"before {moment(end)}"), used + 2
        return Period(start, end, says(start, end)), used

    def _ends(self, at: int) -> bool:
        """Whether "on" closes "from Monday on" and does not open "on main"."""
        return self._norm(at) != "on" or self._norm(at + 1) in {"", "in", "by", "to", "for", "and", "of"}

    def _length(self, at: int) -> tuple[Period, int] | None:
        """ "Older than 3 days", "more than a week old", "for two weeks", "less than an hour ago"."""
        first, second = self._norm(at), self._norm(at + 1)
        skip = 1 if first in {"for", "in"} else 0
        for phrases, longer in ((_MORE_THAN, True), (_LESS_THAN, False)):
            for phrase in phrases:
                used = skip + len(phrase)
                if tuple(self._norm(at + skip + i) for i in range(len(phrase))) != phrase:
                    continue
                length = self._at.duration(at + used)
                if length is None:
                    return self._compared(at, phrase, used) if not skip else None
                used += length[1]
                limit = self._now - timedelta(days=length[0])
                closed = self._norm(at + used) in {"old", "ago"}
                if skip or (longer and not closed and phrase in {("over",), ("at", "least"), ("longer", "than")}):
                    if not skip:
                        return None  # "over 3 days": of what?
                    return Period(limit, None, f"since {moment(limit)}"), used + closed
                if not closed and phrase[0] not in {"older", "newer", "younger"}:
                    return None
                if longer:
                    return Period(None, limit, "older than that"), used + closed
                return Period(limit, None, f"since {moment(limit)}"), used + closed
        if first in {"for", "in"} and second not in UNITED and (length := self._at.duration(at + 1)):
            if self._norm(at + 1 + length[1]) in {"ago", "back"}:
                return None
            limit = self._now - timedelta(days=length[0])
            return Period(limit, None, f"since {moment(limit)}"), length[1] + 1
        return None

    def _compared(self, at: int, phrase: tuple[str, ...], used: int) -> tuple[Period, int] | None:
        """ "Older than 1 November", "newer than yesterday"."""
        if phrase[0] not in {"older", "newer", "younger"}:
            return None
        return self._open("before" if phrase[0] == "older" else "after", at, used)

    def _opened(self, at: int) -> tuple[Period, int] | None:
        for length in (4, 3, 2):
            opening = OPENINGS.get(tuple(self._norm(at + i) for i in range(length)))
            if opening and (found := self._open(opening, at, length)):
                return found
        first = self._norm(at)
        if first in {"since", "after", "before", "until", "till", "from", "starting", "beginning", "past", "following"}:
            opening = {"starting": "since", "beginning": "since", "following": "after", "past": "after"}.get(
                first, first
            )
            if first == "past" and self._at.duration(at + 1):
                return None
            return self._open(opening, at, 1)
        return None

    def _open(self, first: str, at: int, skip: int) -> tuple[Period, int] | None:
        if self._norm(at + skip) == "the" and self._norm(at + skip + 1) != "day":
            skip += 1
        ends = False
        if self._norm(at + skip) in {"beginning", "start", "end"} and self._norm(at + skip + 1) == "of":
            ends = self._norm(at + skip) == "end"
            starts = not ends
            skip += 2
        else:
            starts = False
        found = self._at.span(at + skip, asof=True)
        if found is None and self._norm(at + skip - 1) == "the":
            skip -= 1
            found = self._at.span(at + skip, asof=True)
        if found is None:
            return None
        start, end, used = found
        used += skip
        if first == "from" and not starts:
            following = self._norm(at + used)
            on = following in {"on", "onwards", "onward", "forward", "forwards"} and self._ends(at + used)
            single = end - start <= timedelta(days=1)
            if not on and not (single and not self._relative(at + skip)):
                # "from October", "from last week", "from yesterday": that time; "from 1 October" goes on
                return Period(start, end, says(start, end)), used
            used += on
        elif self._norm(at + used) in {"onwards", "onward"}:
            used += 1
        if first in {"since", "from"}:
            first_day = end if ends else start
            return Period(first_day, None, f"since {moment(first_day)}"), used
        if first == "after":
            after = start if starts else end
            return Period(after, None, f"since {moment(after)}"), used
        last = end if ends or (first in {"until", "till"} and not starts) else start
        return Period(None, last, f"before {moment(last)}"), used

    def _relative(self, at: int) -> bool:
        return self._norm(at) in {"today", "yesterday", "now", "this", "last"} or self._norm(at) in DAYS_JOINED

    def _as_of(self, at: int) -> tuple[Period, int] | None:
        used = 1
        while self._norm(at + used) in _WAS and used < 7:
            used += 1
        found = self._at.span(at + used, asof=True)
        if found is None and self._norm(at + used - 1) == "the":
            used -= 1
            found = self._at.span(at + used, asof=True)
        if found is None or used == 1:
            return None
        start, end, more = found
        return Period(start, end, f"as of {says(start, end)}", asof=True), used + more

    def _range(self, at: int, before: int) -> tuple[Period, int] | None:
        """ "17 November to 20 November", "the 17th and the 20th of November", "17-20 November", "Monday to Friday"."""
        if found := self._days_of_month(at):
            start, end, used = found
            return Period(start, end, says(start, end)), before + used
        first = self._at.span(at)
        if first is None:
            return None
        gap = first[2]
        if ISO.match(self._norm(at)) and ISO.match(self._norm(at + 1)):
            joined = 0  # "2026-11-17..2026-11-20"
        elif self._norm(at + gap) in _TO and (before or self._norm(at + gap) != "and"):
            joined = 2 if (self._norm(at + gap), self._norm(at + gap + 1)) in {("up", "to"), ("up", "until")} else 1
            joined += self._norm(at + gap + joined) == "including"
        else:
            return None
        second = self._at.span(at + gap + joined)
        if second is None and self._norm(at) in MONTH:
            second = self._same_month(at, gap + joined, first)
        if second is None or second[1] <= first[0]:
            return None
        period = Period(first[0], second[1], says(first[0], second[1]))
        return period, before + gap + joined + second[2]

    def _same_month(self, at: int, skip: int, first: Found) -> Found | None:
        """The 20 of "Nov 17 to 20"."""
        the = 1 if self._norm(at + skip) == "the" else 0
        second = ordinal(self._norm(at + skip + the))
        if second is None or second < first[0].day or first[1] - first[0] != timedelta(days=1):
            return None
        try:
            start = first[0].replace(day=second)
        except ValueError:
            return None
        return start, start + timedelta(days=1), the + 1

    def _days_of_month(self, at: int) -> Found | None:
        """Two days of one month, which is said once and last: "17 to 20 November", "the 17th and 20th of November"."""
        skip = 1 if self._norm(at) == "the" else 0
        first, _, second = self._norm(at + skip).partition("-")
        used = skip + 1
        if not second:
            if self._norm(at + used) not in _TO:
                return None
            used += 2 if self._norm(at + used + 1) == "the" else 1
            second = self._norm(at + used)
            used += 1
        one, two = ordinal(first), ordinal(second)
        if one is None or two is None or one >= two:
            return None
        used_of = used + (self._norm(at + used) == "of")
        if self._norm(at + used_of) not in MONTH:
            return None
        last = self._at.span(at + used - 1) if "-" not in self._norm(at + skip) else self._at.span_of(two, at + used_of)
        if last is None:
            return None
        try:
            start = last[0].replace(day=one)
        except ValueError:
            return None
        return start, last[1], (used - 1 if "-" not in self._norm(at + skip) else used_of) + last[2]


UNITED = wordset("hour day week month year fortnight")
"""Units without a number: "in week", "for day"."""
_WAS = wordset("of at it was on in looked they were things stood the had been existed back a looking seen")
