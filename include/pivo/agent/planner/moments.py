"""Days, weeks, months and other spans in words: "yesterday", "the week before last", "Q3", "22 November 2026 at 14:00".

All of it is UTC, and weeks begin on Monday.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pivo.agent.planner.dates import (
    CALENDAR,
    DAY,
    PARTS,
    SPAN,
    TIME,
    UNITS,
    calendar,
    number,
    ordinal,
)
from pivo.agent.planner.days import Days, Found


class Moments(Days):
    """Reads spans of time at places in a sentence."""

    def span(self, at: int, bare: bool = False, *, asof: bool = False) -> Found | None:
        """What is said at `at`. `bare`: without a preposition, only what is plainly a date. `asof`: a day is meant
        by "two weeks ago", and not that week."""
        found = (
            self._fixed(at)
            or self._weekend(at)
            or self._iso(at)
            or self._numeric(at)
            or self._ago(at, asof)
            or self._before_last(at)
            or self._part_of(at, bare)
            or self._relative(at)
            or self._weekday(at)
            or self._month(at, bare)
            or self._quarter(at)
            or (None if bare else self._year(at) or self._day_alone(at))
        )
        return self._timed(at, found) if found else None

    def duration(self, at: int) -> tuple[float, int] | None:
        """Days and number of words of "3 days", "a week", "week", "24h", "a couple of weeks"."""
        word = self.norm(at)
        if short := SPAN.match(word):
            return int(short[1]) * UNITS[{"h": "hour", "d": "day", "w": "week", "m": "month"}[short[2]]], 1
        if word in UNITS:
            return UNITS[word], 1
        skip = 1 if word == "a" and self.norm(at + 1) in {"couple", "single", "full", "whole"} else 0
        word = self.norm(at + skip)
        count = 1 if word in {"a", "an", "single", "full", "whole"} else 2 if word == "couple" else number(word)
        used = skip + 1 + (word == "couple" and self.norm(at + skip + 1) == "of")
        unit = self.norm(at + used).removesuffix("s")
        if unit == "full" or unit == "calendar":
            used += 1
            unit = self.norm(at + used).removesuffix("s")
        return (count * UNITS[unit], used + 1) if count and unit in UNITS else None

    def _fixed(self, at: int) -> Found | None:
        """ "Last night" is from the evening before on; "this morning", "yesterday evening", "earlier today"."""
        first, second, third = self.norm(at), self.norm(at + 1), self.norm(at + 2)
        evening = self._today - timedelta(hours=6)
        if first in {"earlier", "later"} and second in {"today", "this"} and first == "earlier":
            found = self.span(at + 1)
            return (found[0], found[1], found[2] + 1) if found else None
        if first == "overnight" or (first, second) == ("last", "night"):
            return evening, self._now, 1 if first == "overnight" else 2
        if first == "the" and (second, third) in {("day", "before"), ("year", "to"), ("month", "to")}:
            found = self._fixed(at + 1)
            return (found[0], found[1], found[2] + 1) if found else None
        if (first, second, third) == ("day", "before", "yesterday"):
            return self._days(2, 3)
        if (second, third) == ("to", "date") and first in {"year", "month", "week"}:
            return calendar(first, self._today)[0], self._now, 3
        if first in {"this", "yesterday"} and second in PARTS:
            day = self._today - timedelta(days=first == "yesterday")
            start, end = (day + timedelta(hours=h) for h in PARTS[second])
            return start, end, 2
        if first in {"today", "yesterday"}:
            return self._days(first == "yesterday", 1)
        return (self._now, self._now, 1) if first == "now" else None

    def _days(self, back: int, used: int) -> Found:
        start = self._today - timedelta(days=back)
        return start, start + timedelta(days=1), used

    def _weekend(self, at: int) -> Found | None:
        """The Saturday and Sunday that were last, or are now; on such a day "last weekend" is a week before."""
        skip = 1 if self.norm(at) in {"last", "this", "past", "previous"} else 0
        if self.norm(at + skip) not in {"weekend", "week-end"}:
            return None
        start = self._today - timedelta(days=(self._today.weekday() - 5) % 7)
        if self.norm(at) == "last" and self._today.weekday() > 4:
            start -= timedelta(days=7)
        if self.norm(at) == "this" and self._today.weekday() < 5:
            return None  # which has not come yet
        return start, start + timedelta(days=2), skip + 1

    def _ago(self, at: int, asof: bool) -> Found | None:
        length = self.duration(at)
        if length is None or self.norm(at + length[1]) not in {"ago", "back", "earlier"}:
            return None
        days, used = length
        unit = self.norm(at + used - 1).removesuffix("s")
        if days < 1 or unit == "hour":
            moment = self._now - timedelta(days=days)
            return moment, moment, used + 1
        if unit in CALENDAR and not asof:
            start = self._today
            for _ in range(round(days / UNITS[unit])):
                start = calendar(unit, start)[0] - timedelta(days=1)
            return *calendar(unit, start), used + 1
        return self._days(int(days), used + 1)

    def _before_last(self, at: int) -> Found | None:
        skip = 1 if self.norm(at) == "the" else 0
        unit = self.norm(at + skip)
        if unit not in CALENDAR or (self.norm(at + skip + 1), self.norm(at + skip + 2)) != ("before", "last"):
            return None
        last = calendar(unit, self._today)[0] - timedelta(days=1)
        return *calendar(unit, calendar(unit, last)[0] - timedelta(days=1)), skip + 3

    def _part_of(self, at: int, bare: bool) -> Found | None:
        """ "The first half of October", "the month of October", "the week of 9 November", "week 47"."""
        skip = 1 if self.norm(at) == "the" else 0
        first, second, third = (self.norm(at + skip + i) for i in range(3))
        if first in {"week", "cw", "calendar"} and (
            n := number(self.norm(at + skip + (2 if first == "calendar" else 1)))
        ):
            used = skip + (3 if first == "calendar" else 2)
            return self._week_number(n, at, used) if not bare or first != "week" else None
        if first in {"week", "month", "year"} and second in {"of", "from"}:
            found = None if ordinal(self.norm(at + skip - 1)) else self.span(at + skip + 2)
            if found is None or (first == "week") != (found[1] - found[0] == timedelta(days=1)):
                return None
            return *calendar(first, found[0]), found[2] + skip + 2
        if first in {"first", "second", "1st", "2nd"} and second == "half" and third == "of":
            found = self.span(at + skip + 3)
            if found is None or found[1] - found[0] < timedelta(days=2):
                return None
            middle = self._middle(found[0], found[1])
            halves = (found[0], middle) if first in {"first", "1st"} else (middle, found[1])
            return *halves, found[2] + skip + 3
        return None

    def _middle(self, start: datetime, end: datetime) -> datetime:
        if end - start > timedelta(days=360):
            return start.replace(month=7)
        return start + timedelta(days=15) if start.day == 1 and (end - start).days > 27 else start + (end - start) / 2

    def _week_number(self, week: int, at: int, used: int) -> Found | None:
        of = 1 if self.norm(at + used) in {"of", "in"} else 0
        year = self._year_number(at + used + of)
        used += of * (year is not None)
        try:
            start = datetime.fromisocalendar(year or self._now.year, week, 1).replace(tzinfo=UTC)
        except ValueError:
            return None
        return start, start + timedelta(days=7), used + (year is not None)

    def _relative(self, at: int) -> Found | None:
        word, unit = self.norm(at), self.norm(at + 1)
        past = word in {"last", "past", "previous", "preceding"}
        if past and unit == "calendar" and self.norm(at + 2) in CALENDAR:
            return *self._previous(self.norm(at + 2)), 3
        if (
            past
            and (length := self.duration(at + 1))
            and (length[1] > 1 or self.norm(at + 1)[0].isdigit() or self.norm(at + 1) in {"hour", "fortnight"})
        ):
            return self._now - timedelta(days=length[0]), self._now, length[1] + 1
        if unit not in {"day", *CALENDAR} or not (past or word in {"this", "current"}):
            return None
        # "last week" is the week before this one; "in the last week" and "the past week" are seven days.
        if word == "past" or unit == "day" or (word == "last" and self.norm(at - 1) == "the"):
            return self._now - timedelta(days=UNITS[unit]), self._now, 2
        return (*calendar(unit, self._today), 2) if not past else (*self._previous(unit), 2)

    def _previous(self, unit: str) -> tuple[datetime, datetime]:
        return calendar(unit, calendar(unit, self._today)[0] - timedelta(days=1))

    def _weekday(self, at: int) -> Found | None:
        """ "Friday", "last Friday", "Friday last week", "Friday, 20 November" where that was one."""
        used = 2 if self.norm(at) in {"last", "this", "past", "previous"} else 1
        name = self.norm(at + used - 1)
        if self.norm(at - 1) in {"a", "an", "any", "every", "each", "some"}:
            return None
        if name not in DAY or (used == 1 and len(name) == 3 and not self._words[at].capital):
            return None
        of = 1 if self.norm(at + used) in {"of", "the", "in"} else 0
        dated = self._month(at + used + of, False) or self._iso(at + used) or self._numeric(at + used)
        if used == 1 and dated and dated[1] - dated[0] == timedelta(days=1) and self.norm(at + used) != "in":
            return (dated[0], dated[1], dated[2] + used + of) if dated[0].weekday() == DAY[name] else None
        if used == 1 and self.norm(at + used + of) in {"last", "this"} and self.norm(at + used + of + 1) == "week":
            week = calendar("week", self._today)[0]
            start = week + timedelta(days=DAY[name] - 7 * (self.norm(at + used + of) == "last"))
            return start, start + timedelta(days=1), used + of + 2
        back = (self._today.weekday() - DAY[name]) % 7
        if back == 0 and self.norm(at) in {"last", "past", "previous"}:
            back = 7
        return self._days(back, used)

    def _timed(self, at: int, found: Found) -> Found:
        """A day with a time behind it is that moment: "yesterday at 14:00"."""
        start, end, used = found
        if end - start != timedelta(days=1):
            return found
        skip = 1 if self.norm(at + used) in {"at", "around"} else 0
        word, after = self.norm(at + used + skip), self.norm(at + used + skip + 1)
        match = TIME.match(word)
        hour = {"noon": 12, "midday": 12, "midnight": 0}.get(word)
        half, more = (after, 2) if after in {"am", "pm"} else ("", 1)
        minute = 0
        if match and (match[2] or match[3] or half):
            half = match[3] or half
            hour, minute = int(match[1]), int(match[2] or 0)
            hour = hour % 12 + 12 * (half == "pm") if half else hour
        if hour is None or hour > 23 or minute > 59:
            return found
        more += self.norm(at + used + skip + more) in {"utc", "gmt"}
        moment = start.replace(hour=hour, minute=minute)
        return moment, moment, used + skip + more
