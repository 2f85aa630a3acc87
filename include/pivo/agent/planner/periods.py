"""Dates and periods in words: "since yesterday", "last week", "in October 2026", "between 2026-11-01 and 2026-11-20".

All of it is UTC, and weeks begin on Monday. A period is [start, end); what a person meant is echoed with its dates.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from pivo.agent.planner.dates import (
    DAY,
    ISO,
    ISO_MONTH,
    ISO_TIME,
    MONTH,
    NAMES,
    OPENINGS,
    ORDINAL,
    PARTS,
    UNITS,
    Period,
    moment,
    month_span,
    number,
    says,
)
from pivo.agent.planner.words import Word

__all__ = ["NAMES", "Period", "day", "find", "number"]


def find(words: Sequence[Word], at: int, now: datetime) -> tuple[Period, int] | None:
    """The period that begins at word `at`, and how many words it takes; None if none does."""
    return _Parser(words, now).period(at)


def day(words: Sequence[Word], at: int, now: datetime) -> tuple[Period, int] | None:
    """The date (not a range) that is written at word `at` without a preposition, and how many words it takes."""
    found = _Parser(words, now).date(at)
    return (Period(found[0], found[1], says(found[0], found[1])), found[2]) if found else None


class _Parser:
    def __init__(self, words: Sequence[Word], now: datetime) -> None:
        self._words = words
        self._now = now
        self._today = now.replace(hour=0, minute=0, second=0, microsecond=0)

    def period(self, at: int) -> tuple[Period, int] | None:
        first = self._norm(at)
        if first == "between":
            return self._range(at + 1, "and", 1)
        if first in {"as", "like"}:
            return self._as_of(at)
        if first == "older" and self._norm(at + 1) == "than" and (span := self._duration(at + 2)):
            days, used = span
            return Period(None, self._now - timedelta(days=days), "older than that"), used + 2
        if first == "from" and (both := self._range(at + 1, ("to", "until", "till", "through"), 1)):
            return both
        pair = (first, self._norm(at + 1))
        if pair in OPENINGS and (opened := self._open(OPENINGS[pair], at + 1)):
            return opened[0], opened[1] + 1
        if first in {"since", "after", "before", "until", "till", "from"}:
            return self._open(first, at)
        skip = 1 if first in {"on", "in", "during", "over", "within", "at", "of", "for"} else 0
        if self._norm(at + skip) == "the":
            skip += 1
        if skip and self._norm(at + skip) in {"today", "yesterday", "now"}:
            return None  # "what came in today": the preposition belongs to the verb
        found = self.date(at + skip, bare=skip == 0)
        if found is None:
            return None
        start, end, used = found
        return Period(start, end, says(start, end)), used + skip

    def _open(self, first: str, at: int) -> tuple[Period, int] | None:
        skip = 2 if self._norm(at + 1) == "the" else 1
        if self._norm(at + skip) in {"beginning", "start"} and self._norm(at + skip + 1) == "of":
            skip += 2
        found = self.date(at + skip, bare=False)
        if found is None:
            return None
        start, end, used = found
        used += skip
        if first in {"since", "from"}:
            return Period(start, None, f"since {moment(start)}"), used
        if first == "after":
            return Period(end, None, f"since {moment(end)}"), used
        last = start if first == "before" else end
        return Period(None, last, f"before {moment(last)}"), used

    def _as_of(self, at: int) -> tuple[Period, int] | None:
        used = 1
        while self._norm(at + used) in {"of", "at", "it", "was", "on", "in", "looked", "they", "were"} and used < 5:
            used += 1
        found = self.date(at + used, bare=False)
        if found is None:
            return None
        start, end, more = found
        return Period(start, end, f"as of {says(start, end)}", asof=True), used + more

    def _range(self, at: int, joins: str | tuple[str, ...], before: int) -> tuple[Period, int] | None:
        first = self.date(at, bare=False)
        if first is None or self._norm(at + first[2]) not in ((joins,) if isinstance(joins, str) else joins):
            return None
        second = self.date(at + first[2] + 1, bare=False)
        if second is None or second[1] <= first[0]:
            return None
        period = Period(first[0], second[1], says(first[0], second[1]))
        return period, before + first[2] + 1 + second[2]

    def date(self, at: int, bare: bool = False) -> tuple[datetime, datetime, int] | None:
        """Start, end and number of words. `bare`: without a preposition, only what is plainly a date."""
        word = self._norm(at)
        if found := self._part(at) or self._weekend(at):
            return found
        if word in {"today", "yesterday"}:
            start = self._today - timedelta(days=word == "yesterday")
            return start, start + timedelta(days=1), 1
        if word == "now":
            return self._now, self._now, 1
        return (
            self._iso(at)
            or self._ago(at)
            or self._relative(at, bare)
            or self._weekday(at)
            or self._month(at, bare)
            or (None if bare else self._year(at))
        )

    def _part(self, at: int) -> tuple[datetime, datetime, int] | None:
        """ "Last night" is from the evening before on; "this morning", "yesterday evening"."""
        first, second = self._norm(at), self._norm(at + 1)
        evening = self._today - timedelta(hours=6)
        if first == "overnight" or (first, second) == ("last", "night"):
            return evening, self._now, 1 if first == "overnight" else 2
        if first == "day" and self._norm(at + 1) == "before" and self._norm(at + 2) == "yesterday":
            return self._today - timedelta(days=2), self._today - timedelta(days=1), 3
        if first in {"this", "yesterday"} and second in PARTS:
            day = self._today - timedelta(days=first == "yesterday")
            start, end = (day + timedelta(hours=h) for h in PARTS[second])
            return start, end, 2
        return None

    def _weekend(self, at: int) -> tuple[datetime, datetime, int] | None:
        """The Saturday and Sunday that were last, or are now; on such a day "last weekend" is a week before."""
        skip = 1 if self._norm(at) in {"last", "this", "past"} else 0
        if self._norm(at + skip) not in {"weekend", "week-end"}:
            return None
        start = self._today - timedelta(days=(self._today.weekday() - 5) % 7)
        if self._norm(at) == "last" and self._today.weekday() > 4:
            start -= timedelta(days=7)
        if self._norm(at) == "this" and self._today.weekday() < 5:
            return None  # which has not come yet
        return start, start + timedelta(days=2), skip + 1

    def _iso(self, at: int) -> tuple[datetime, datetime, int] | None:
        word = self._norm(at).lstrip("@")
        try:
            if ISO.match(word):
                start = datetime.fromisoformat(word).replace(tzinfo=UTC)
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

    def _ago(self, at: int) -> tuple[datetime, datetime, int] | None:
        span = self._duration(at)
        if span is None or self._norm(at + span[1]) != "ago":
            return None
        days, used = span
        if days < 1:
            moment = self._now - timedelta(days=days)
            return moment, moment, used + 1
        start = self._today - timedelta(days=days)
        return start, start + timedelta(days=1), used + 1

    def _relative(self, at: int, bare: bool) -> tuple[datetime, datetime, int] | None:
        word, unit = self._norm(at), self._norm(at + 1)
        if (
            word in {"last", "past", "previous"}
            and unit == "calendar"
            and self._norm(at + 2) in {"week", "month", "year"}
        ):
            start, _ = self._calendar(self._norm(at + 2))
            return *self._calendar(self._norm(at + 2), start - timedelta(days=1)), 3
        if word in {"last", "past", "previous"} and (span := self._duration(at + 1)) and span[1] > 1:
            return self._now - timedelta(days=span[0]), self._now, span[1] + 1
        if unit not in {"day", "week", "month", "year"} or word not in {"this", "current", "last", "past", "previous"}:
            return None
        # "last week" is the week before this one; "in the last week" and "the past week" are seven days.
        if word == "past" or unit == "day" or (word == "last" and self._norm(at - 1) == "the"):
            return self._now - timedelta(days=UNITS[unit]), self._now, 2
        start, end = self._calendar(unit)
        if word in {"this", "current"}:
            return start, end, 2
        previous = self._calendar(unit, start - timedelta(days=1))
        return previous[0], previous[1], 2

    def _calendar(self, unit: str, day: datetime | None = None) -> tuple[datetime, datetime]:
        day = day or self._today
        if unit == "week":
            start = day - timedelta(days=day.weekday())
            return start, start + timedelta(days=7)
        if unit == "month":
            return month_span(day.year, day.month)
        return datetime(day.year, 1, 1, tzinfo=UTC), datetime(day.year + 1, 1, 1, tzinfo=UTC)

    def _weekday(self, at: int) -> tuple[datetime, datetime, int] | None:
        used = 2 if self._norm(at) in {"last", "this"} else 1
        name = self._norm(at + used - 1)
        if name not in DAY or (used == 1 and len(name) == 3 and not self._words[at].capital):
            return None
        back = (self._today.weekday() - DAY[name]) % 7
        if back == 0 and self._norm(at) == "last":
            back = 7
        start = self._today - timedelta(days=back)
        return start, start + timedelta(days=1), used

    def _month(self, at: int, bare: bool) -> tuple[datetime, datetime, int] | None:
        first, second = self._norm(at), self._norm(at + 1)
        if first == "last" and second in MONTH and len(second) > 3:
            return self._named_month(MONTH[second], None, 2)
        day = ORDINAL.match(first)
        if day and (second in MONTH or (second == "of" and self._norm(at + 2) in MONTH)):
            used = 2 if second in MONTH else 3
            return self._day(MONTH[self._norm(at + used - 1)], int(day[1]), at + used, used)
        if first not in MONTH:
            return None
        if day := ORDINAL.match(second):
            return self._day(MONTH[first], int(day[1]), at + 2, 2)
        year = self._year_number(at + 1)
        if year is not None:
            return self._named_month(MONTH[first], year, 2)
        # "may" and "march" are words of their own, and so are short forms: only after a preposition.
        if bare and (first in {"may", "march"} or len(first) == 3):
            return None
        return self._named_month(MONTH[first], None, 1)

    def _named_month(self, month: int, year: int | None, used: int) -> tuple[datetime, datetime, int]:
        if year is None:
            year = self._now.year - (month > self._now.month)
        return (*month_span(year, month), used)

    def _day(self, month: int, day: int, after: int, used: int) -> tuple[datetime, datetime, int] | None:
        year = self._year_number(after)
        try:
            if year is not None:
                start, used = datetime(year, month, day, tzinfo=UTC), used + 1
            else:
                start = datetime(self._now.year, month, day, tzinfo=UTC)
                if start > self._now:
                    start = start.replace(year=start.year - 1)
        except ValueError:
            return None
        return start, start + timedelta(days=1), used

    def _year(self, at: int) -> tuple[datetime, datetime, int] | None:
        year = self._year_number(at)
        if year is None:
            return None
        return datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC), 1

    def _year_number(self, at: int) -> int | None:
        word = self._norm(at)
        return int(word) if re.fullmatch(r"(19[7-9]|20[0-9])\d", word) else None

    def _duration(self, at: int) -> tuple[float, int] | None:
        """Days and number of words of "3 days", "a week", "week"."""
        word = self._norm(at)
        unit = word.removesuffix("s")
        if unit in UNITS and word == unit:
            return UNITS[unit], 1
        count = 1 if word in {"a", "an"} else number(word)
        unit = self._norm(at + 1).removesuffix("s")
        return (count * UNITS[unit], 2) if count and unit in UNITS else None

    def _norm(self, at: int) -> str:
        return self._words[at].norm if 0 <= at < len(self._words) and not self._words[at].quoted else ""
