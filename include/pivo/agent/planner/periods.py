"""Dates and periods in words: "since yesterday", "last week", "in October 2026", "between 2026-11-01 and 2026-11-20".

All of it is UTC, and weeks begin on Monday. A period is [start, end); what a person meant is echoed with its dates.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pivo.agent.planner.words import Word

_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_MONTH = {m: i for i, m in enumerate(_MONTHS, 1)} | {m[:3]: i for i, m in enumerate(_MONTHS, 1)} | {"sept": 9}
_DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_DAY = {d: i for i, d in enumerate(_DAYS)} | {d[:3]: i for i, d in enumerate(_DAYS)}
_UNITS = {"hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 30.0, "year": 365.0}
_COUNTED = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_NUMBERS = {w: i for i, w in enumerate(_COUNTED, 1)}
_ISO = re.compile(r"^\d{4}-\d{2}-\d{2}$")
_ISO_TIME = re.compile(r"^\d{4}-\d{2}-\d{2}t\d{2}:\d{2}(:\d{2})?(z|[+-]\d{2}:\d{2})?$")
_ISO_MONTH = re.compile(r"^\d{4}-\d{2}$")
_ORDINAL = re.compile(r"^(\d{1,2})(st|nd|rd|th)?$")


@dataclass(frozen=True)
class Period:
    """From `start` to before `end` (aware; None is open). `says` names it; `asof` marks "as of …"."""

    start: datetime | None
    end: datetime | None
    says: str
    asof: bool = False

    @property
    def point(self) -> str | None:
        """The same as a ref, `@2026-11-20`, if it is one day or one moment; else None."""
        if self.start is None or self.end is None:
            return None
        if self.end == self.start:
            return f"@{self.start:%Y-%m-%dT%H:%M}"
        return f"@{self.start:%Y-%m-%d}" if self.end - self.start == timedelta(days=1) else None


def number(word: str) -> int | None:
    """A count in digits or words; None for anything else."""
    if word.isdigit() and len(word) <= 4:
        return int(word)
    return _NUMBERS.get(word)


def find(words: Sequence[Word], at: int, now: datetime) -> tuple[Period, int] | None:
    """The period that begins at word `at`, and how many words it takes; None if none does."""
    return _Parser(words, now).period(at)


def day(words: Sequence[Word], at: int, now: datetime) -> tuple[Period, int] | None:
    """The date (not a range) that is written at word `at` without a preposition, and how many words it takes."""
    found = _Parser(words, now).date(at)
    return (Period(found[0], found[1], _says(found[0], found[1])), found[2]) if found else None


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
        return Period(start, end, _says(start, end)), used + skip

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
            return Period(start, None, f"since {_moment(start)}"), used
        if first == "after":
            return Period(end, None, f"since {_moment(end)}"), used
        last = start if first == "before" else end
        return Period(None, last, f"before {_moment(last)}"), used

    def _as_of(self, at: int) -> tuple[Period, int] | None:
        used = 1
        while self._norm(at + used) in {"of", "at", "it", "was", "on", "in", "looked", "they", "were"} and used < 5:
            used += 1
        found = self.date(at + used, bare=False)
        if found is None:
            return None
        start, end, more = found
        return Period(start, end, f"as of {_says(start, end)}", asof=True), used + more

    def _range(self, at: int, joins: str | tuple[str, ...], before: int) -> tuple[Period, int] | None:
        first = self.date(at, bare=False)
        if first is None or self._norm(at + first[2]) not in ((joins,) if isinstance(joins, str) else joins):
            return None
        second = self.date(at + first[2] + 1, bare=False)
        if second is None or second[1] <= first[0]:
            return None
        period = Period(first[0], second[1], _says(first[0], second[1]))
        return period, before + first[2] + 1 + second[2]

    def date(self, at: int, bare: bool = False) -> tuple[datetime, datetime, int] | None:
        """Start, end and number of words. `bare`: without a preposition, only what is plainly a date."""
        word = self._norm(at)
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

    def _iso(self, at: int) -> tuple[datetime, datetime, int] | None:
        word = self._norm(at).lstrip("@")
        try:
            if _ISO.match(word):
                start = datetime.fromisoformat(word).replace(tzinfo=UTC)
                return start, start + timedelta(days=1), 1
            if _ISO_TIME.match(word):
                moment = datetime.fromisoformat(word.upper())
                moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
                return moment, moment, 1
            if _ISO_MONTH.match(word):
                return (*_month(int(word[:4]), int(word[5:])), 1)
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
            return self._now - timedelta(days=_UNITS[unit]), self._now, 2
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
            return _month(day.year, day.month)
        return datetime(day.year, 1, 1, tzinfo=UTC), datetime(day.year + 1, 1, 1, tzinfo=UTC)

    def _weekday(self, at: int) -> tuple[datetime, datetime, int] | None:
        used = 2 if self._norm(at) in {"last", "this"} else 1
        name = self._norm(at + used - 1)
        if name not in _DAY or (used == 1 and len(name) == 3 and not self._words[at].capital):
            return None
        back = (self._today.weekday() - _DAY[name]) % 7
        if back == 0 and self._norm(at) == "last":
            back = 7
        start = self._today - timedelta(days=back)
        return start, start + timedelta(days=1), used

    def _month(self, at: int, bare: bool) -> tuple[datetime, datetime, int] | None:
        first, second = self._norm(at), self._norm(at + 1)
        if first == "last" and second in _MONTH and len(second) > 3:
            return self._named_month(_MONTH[second], None, 2)
        day = _ORDINAL.match(first)
        if day and (second in _MONTH or (second == "of" and self._norm(at + 2) in _MONTH)):
            used = 2 if second in _MONTH else 3
            return self._day(_MONTH[self._norm(at + used - 1)], int(day[1]), at + used, used)
        if first not in _MONTH:
            return None
        if day := _ORDINAL.match(second):
            return self._day(_MONTH[first], int(day[1]), at + 2, 2)
        year = self._year_number(at + 1)
        if year is not None:
            return self._named_month(_MONTH[first], year, 2)
        # "may" and "march" are words of their own, and so are short forms: only after a preposition.
        if bare and (first in {"may", "march"} or len(first) == 3):
            return None
        return self._named_month(_MONTH[first], None, 1)

    def _named_month(self, month: int, year: int | None, used: int) -> tuple[datetime, datetime, int]:
        if year is None:
            year = self._now.year - (month > self._now.month)
        return (*_month(year, month), used)

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
        if unit in _UNITS and word == unit:
            return _UNITS[unit], 1
        count = 1 if word in {"a", "an"} else number(word)
        unit = self._norm(at + 1).removesuffix("s")
        return (count * _UNITS[unit], 2) if count and unit in _UNITS else None

    def _norm(self, at: int) -> str:
        return self._words[at].norm if 0 <= at < len(self._words) and not self._words[at].quoted else ""


def _month(year: int, month: int) -> tuple[datetime, datetime]:
    following = (year + 1, 1) if month == 12 else (year, month + 1)
    return datetime(year, month, 1, tzinfo=UTC), datetime(*following, 1, tzinfo=UTC)


def _moment(when: datetime) -> str:
    return f"{when:%Y-%m-%d}" if (when.hour, when.minute) == (0, 0) else f"{when:%Y-%m-%d %H:%M} UTC"


def _says(start: datetime, end: datetime) -> str:
    if end - start == timedelta(days=1) and start.hour == 0:
        return f"on {start:%Y-%m-%d}"
    if start == end:
        return f"at {_moment(start)}"
    last = end - timedelta(days=1) if (end.hour, end.minute) == (0, 0) else end
    return f"from {_moment(start)} to {_moment(last)}"
