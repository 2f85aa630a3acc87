"""Spans of time, and the words and forms that dates are written with. All of it is UTC."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
MONTH = {m: i for i, m in enumerate(MONTHS, 1)} | {m[:3]: i for i, m in enumerate(MONTHS, 1)} | {"sept": 9}
MONTHS_NAMED = frozenset(MONTH) - {"may", "march"}
DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
DAY = {d: i for i, d in enumerate(DAYS)} | {d[:3]: i for i, d in enumerate(DAYS)}
PARTS = {"morning": (0, 12), "afternoon": (12, 18), "evening": (18, 24)}
UNITS = {"fortnight": 14.0, "hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 30.0, "quarter": 91.0, "year": 365.0}
CALENDAR = frozenset({"week", "month", "quarter", "year"})
NAMES = frozenset({*(m for m in MONTHS if len(m) > 4), *DAYS, "today", "yesterday", "weekend", "tonight"})
"""Words that are dates by themselves."""
DAYS_JOINED = frozenset(DAY)
COUNTED = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
           "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty")  # fmt: skip
TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
NUMBERS = (
    {w: i for i, w in enumerate(COUNTED, 1)} | TENS | {"dozen": 12, "hundred": 100}
    | {f"{ten}-{one}": n + i for ten, n in TENS.items() for i, one in enumerate(COUNTED[:9], 1)}
)  # fmt: skip
ORDINALS = {w: i for i, w in enumerate(
    ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
     "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth",
     "twentieth", "twenty-first", "twenty-second", "twenty-third", "twenty-fourth", "twenty-fifth", "twenty-sixth",
     "twenty-seventh", "twenty-eighth", "twenty-ninth", "thirtieth", "thirty-first"), 1)}  # fmt: skip
ISO = re.compile(r"^\d{4}[-/]\d{2}[-/]\d{2}$")
ISO_TIME = re.compile(r"^\d{4}-\d{2}-\d{2}t\d{2}:\d{2}(:\d{2})?(z|[+-]\d{2}:\d{2})?$")
ISO_MONTH = re.compile(r"^\d{4}-\d{2}$")
ORDINAL = re.compile(r"^(\d{1,2})(st|nd|rd|th)?$")
DOTTED = re.compile(r"^(\d{1,2})\.(\d{1,2})\.(\d{4})$")
SLASHED = re.compile(r"^(\d{1,2})/(\d{1,2})/(\d{4})$")
SPAN = re.compile(r"^(\d{1,3})(h|d|w)(?:rs?|ays?|eeks?|ours?)?$")
QUARTER = re.compile(r"^q[1-4]$")
TIME = re.compile(r"^(\d{1,2})(?::(\d{2}))?(am|pm)?$")


OPENINGS = {
    ("prior", "to"): "before", ("earlier", "than"): "before", ("up", "to"): "until", ("up", "until"): "until",
    ("up", "till"): "until", ("no", "later", "than"): "until", ("not", "later", "than"): "until",
    ("on", "or", "before"): "until", ("at", "or", "before"): "until", ("by", "the", "end", "of"): "until",
    ("on", "or", "after"): "since", ("no", "earlier", "than"): "since", ("not", "earlier", "than"): "since",
    ("not", "before"): "since", ("not", "after"): "until", ("up", "to", "and", "including"): "until",
    ("later", "than"): "after", ("starting", "from"): "since", ("starting", "on"): "since",
    ("starting", "with"): "since", ("starting", "at"): "since", ("starting", "in"): "since",
    ("beginning", "with"): "since", ("beginning", "on"): "since", ("beginning", "in"): "since",
    ("newer", "than"): "after", ("as", "from"): "since", ("ever", "since"): "since", ("more", "recent",
     "than"): "after",
    ("more", "recently", "than"): "after", ("going", "back", "to"): "since", ("all", "the", "way", "back",
     "to"): "since",
    ("dating", "back", "to"): "since", ("preceding",): "before", ("subsequent", "to"): "after",
}  # fmt: skip


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
    return NUMBERS.get(word)


def ordinal(word: str) -> int | None:
    """A day of a month or a rank: "3", "3rd", "third"."""
    match = ORDINAL.match(word)
    return int(match[1]) if match else ORDINALS.get(word)


def quarter_span(year: int, quarter: int) -> tuple[datetime, datetime]:
    return month_span(year, 3 * quarter - 2)[0], month_span(year, 3 * quarter)[1]


def calendar(unit: str, day: datetime) -> tuple[datetime, datetime]:
    """The week, month, quarter or year that `day` is in."""
    day = day.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit == "week":
        start = day - timedelta(days=day.weekday())
        return start, start + timedelta(days=7)
    if unit == "month":
        return month_span(day.year, day.month)
    if unit == "quarter":
        return quarter_span(day.year, (day.month + 2) // 3)
    return datetime(day.year, 1, 1, tzinfo=UTC), datetime(day.year + 1, 1, 1, tzinfo=UTC)


def month_span(year: int, month: int) -> tuple[datetime, datetime]:
    following = (year + 1, 1) if month == 12 else (year, month + 1)
    return datetime(year, month, 1, tzinfo=UTC), datetime(*following, 1, tzinfo=UTC)


def moment(when: datetime) -> str:
    return f"{when:%Y-%m-%d}" if (when.hour, when.minute) == (0, 0) else f"{when:%Y-%m-%d %H:%M} UTC"


def says(start: datetime, end: datetime) -> str:
    if end - start == timedelta(days=1) and start.hour == 0:
        return f"on {start:%Y-%m-%d}"
    if start == end:
        return f"at {moment(start)}"
    last = end - timedelta(days=1) if (end.hour, end.minute) == (0, 0) else end
    return f"from {moment(start)} to {moment(last)}"
