"""How long ago something was, in words."""

from __future__ import annotations

from datetime import datetime

from pivo.agent.nouns import plural


def ago(moment: datetime, now: datetime) -> str:
    """How long before `now`, in the largest unit that fits."""
    seconds = (now - moment).total_seconds()
    if seconds < 0:
        return "in the future"
    for unit, length in (("year", 31_557_600), ("month", 2_629_800), ("day", 86_400), ("hour", 3600), ("minute", 60)):
        count = int(seconds // length)
        if count:
            return f"{count} {plural(unit, count)} ago"
    return "just now"
