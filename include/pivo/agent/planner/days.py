"""Days, months, quarters and years as they are written: "22 November 2026", "22.11.2026", "the 22nd", "Q3"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from pivo.agent.planner.dates import (
    DOTTED,
    ISO,
    ISO_MONTH,
    ISO_TIME,
    MONTH,
    ORDINAL,
    QUARTER,
    SLASHED,
    calendar,
    month_span,
    ordinal,
    quarter_span,
)
from pivo.agent.planner.words import Word

Found = tuple[datetime, datetime, int]
"""Start, end (before which it ends) and number of words."""


class Days:
    """Reads dates at places in a sentence."""

    def __init__(self, words: Sequence[Word], now: datetime) -> None:
        self._words = words
        self._now = now
        self._today = now.replace(hour=0, minute=0, second=0, microsecond=0)

    def norm(self, at: int) -> str:
        return self._words[at].norm if 0 <= at < len(self._words) and not self._words[at].quoted else ""

    def _iso(self, at: int) -> Found | None:
        word = self.norm(at).lstrip("@")
        try:
            if ISO.match(word):
                start = datetime.fromisoformat(word.replace("/", "-")).replace(tzinfo=UTC)
                return start, start + timedelta(days=1), 1
            if ISO_TIME.match(word):
                moment = datetime.fromisoformat(word.upper())
                moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
                return moment, moment, 1
            if ISO_MONTH.match(word):
                return (*month_span(int(word[:4]), int(word[5:])), 1)
        except ValueError:
            return None
        return None

    def _numeric(self, at: int) -> Found | None:
        """ "22.11.2026" has the day first; of "22/11/2026" only what can be read in one way is read."""
        word = self.norm(at)
        if dotted := DOTTED.match(word):
            return self._made(int(dotted[3]), int(dotted[2]), int(dotted[1]), 1)
        if slashed := SLASHED.match(word):
            one, two, year = (int(part) for part in slashed.groups())
            if one == two or (one > 12) != (two > 12):
                return self._made(year, min(one, two) if one != two else two, max(one, two), 1)
        return None

    def span_of(self, day: int, at: int) -> Found | None:
        """That day of the month which is named at `at`; the words of the month and year only."""
        return self._day(MONTH[self.norm(at)], day, at + 1, 1)

    def _made(self, year: int, month: int, day: int, used: int) -> Found | None:
        try:
            start = datetime(year, month, day, tzinfo=UTC)
        except ValueError:
            return None
        return start, start + timedelta(days=1), used

    def _month(self, at: int, bare: bool) -> Found | None:
        skip = 1 if self.norm(at) == "the" and ordinal(self.norm(at + 1)) else 0
        first, second, third = (self.norm(at + skip + i) for i in range(3))
        if first in {"last", "this"} and second in MONTH and len(second) > 3:
            again = first == "last" and MONTH[second] == self._now.month
            return self._named_month(MONTH[second], self._now.year - 1 if again else None, 2)
        day = ordinal(first)
        if day and (second in MONTH or (second == "of" and third in MONTH)):
            used = skip + (2 if second in MONTH else 3)
            return self._day(MONTH[self.norm(at + used - 1)], day, at + used, used)
        if first not in MONTH or skip:
            return None
        gap = 2 if second == "the" else 1
        day = ordinal(self.norm(at + gap))
        if day and (gap == 1 or not third.isdigit()):
            return self._day(MONTH[first], day, at + gap + 1, gap + 1)
        of = 2 if second == "of" else 1
        year = self._year_number(at + of)
        if year is not None:
            return self._named_month(MONTH[first], year, of + 1)
        if second == "last" and third == "year":
            return self._named_month(MONTH[first], self._now.year - 1, 3)
        if second == "this" and third == "year":
            return self._named_month(MONTH[first], self._now.year, 3)
        # "may" and "march" are words of their own, and so are short forms: only after a preposition.
        if bare and (first in {"may", "march"} or len(first) == 3):
            return None
        return self._named_month(MONTH[first], None, 1)

    def _named_month(self, month: int, year: int | None, used: int) -> Found:
        if year is None:
            year = self._now.year - (month > self._now.month)
        return (*month_span(year, month), used)

    def _day(self, month: int, day: int, after: int, used: int) -> Found | None:
        year = self._year_number(after)
        if year is not None:
            return self._made(year, month, day, used + 1)
        found = self._made(self._now.year, month, day, used)
        return self._made(self._now.year - 1, month, day, used) if found and found[0] > self._now else found

    def _day_alone(self, at: int) -> Found | None:
        """ "The 22nd": of this month, or of the last one."""
        skip = 1 if self.norm(at) == "the" else 0
        match = ORDINAL.match(self.norm(at + skip))
        before = {self.norm(at - 1), self.norm(at - 2)} & {"the", "on", "since", "from", "to", "and", "until", "before"}
        if match is None or not match[2] or not (skip or before) or self.norm(at + skip + 1) in {"commit", "of"}:
            return None
        found = self._made(self._today.year, self._today.month, int(match[1]), skip + 1)
        if found is None or found[0] > self._now:
            month = calendar("month", calendar("month", self._today)[0] - timedelta(days=1))[0]
            found = self._made(month.year, month.month, int(match[1]), skip + 1)
        return found

    def _quarter(self, at: int) -> Found | None:
        """ "Q3", "the third quarter of 2026", "last quarter"."""
        skip = 1 if self.norm(at) == "the" else 0
        first, second = self.norm(at + skip), self.norm(at + skip + 1)
        used = skip + (1 if QUARTER.match(first) else 2)
        n = int(first[1]) if QUARTER.match(first) else ordinal(first) if second == "quarter" else None
        if n is None or not 1 <= n <= 4:
            return None
        of = 1 if self.norm(at + used) in {"of", "in"} else 0
        year = self._year_number(at + used + of)
        if year is not None:
            return *quarter_span(year, n), used + of + 1
        if self.norm(at + used + of) in {"last", "this"} and self.norm(at + used + of + 1) == "year":
            return *quarter_span(self._now.year - (self.norm(at + used + of) == "last"), n), used + of + 2
        start, end = quarter_span(self._now.year, n)
        return (start, end, used) if start <= self._now else (*quarter_span(self._now.year - 1, n), used)

    def _year(self, at: int) -> Found | None:
        skip = 2 if (self.norm(at), self.norm(at + 1)) == ("the", "year") else 1 if self.norm(at) == "year" else 0
        year = self._year_number(at + skip)
        if year is None:
            return None
        return datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC), skip + 1

    def _year_number(self, at: int) -> int | None:
        word = self.norm(at)
        return int(word) if re.fullmatch(r"(19[7-9]|20[0-9])\d", word) else None
