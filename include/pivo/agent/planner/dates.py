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
DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
DAY = {d: i for i, d in enumerate(DAYS)} | {d[:3]: i for i, d in enumerate(DAYS)}
PARTS = {"morning": (0, 12), "afternoon": (12, 18), "evening": (18, 24)}
UNITS = {"fortnight": 14.0, "hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 30.0, "year": 365.0}
NAMES = frozenset({*(m for m in MONTHS if len(m) > 4), *DAYS, "today", "yesterday", "weekend", "tonight"})
"""Words that are dates by themselves."""
COUNTED = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
NUMBERS = {w: i for i, w in enumerate(COUNTED, 1)}
ISO = re.compile(r"^\d{4}-\d{2}-\d{2}$")
ISO_TIME = re.compile(r"^\d{4}-\d{2}-\d{2}t\d{2}:\d{2}(:\d{2})?(z|[+-]\d{2}:\d{2})?$")
ISO_MONTH = re.compile(r"^\d{4}-\d{2}$")
ORDINAL = re.compile(r"^(\d{1,2})(st|nd|rd|th)?$")


OPENINGS = {
    ("prior", "to"): "before", ("earlier", "than"): "before", ("up", "to"): "until", ("up", "until"): "until",
    ("later", "than"): "after", ("starting", "from"): "since", ("starting", "on"): "since",
    ("starting", "with"): "since",
    ("beginning", "with"): "since",
    ("newer", "than"): "after", ("as", "from"): "since", ("ever", "since"): "since",
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
