"""How long to wait before a call is made again, and when not to.

As https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api tells: a limit is 403 or 429. Its wait
is `Retry-After`, else the time to `x-ratelimit-reset` where `x-ratelimit-remaining` is 0, else a minute, then longer.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from pivo.forges.refusals import message

PATIENCE = 60.0
"""Seconds that one client waits, all its waits together, where somebody may be waiting for it."""

TASK_PATIENCE = 900.0
"""The same in a task of a DAG."""

_AFTER_A_FAILURE = 0.5  # seconds, doubled with every attempt
_WITHOUT_A_WORD = 60.0  # seconds, doubled with every attempt: what GitHub asks for where no header tells
_DAY = 86_400.0
_FAILURES = frozenset({500, 502, 503, 504})


@dataclass(frozen=True)
class Pause:
    """Why the same call may work later, as the end of a sentence about the forge, and in how many seconds."""

    why: str
    seconds: float
    limit: bool = False

    def until(self) -> str:
        """When that will be, for people."""
        if self.seconds > _DAY:
            return "tomorrow"
        at = datetime.fromtimestamp(time.time() + self.seconds, UTC)
        return f"{at:%H:%M:%S} UTC, in {span(self.seconds)}"


def away(err: httpx.TransportError, attempt: int) -> Pause:
    """The pause after a connection that failed at the `attempt`th time."""
    return Pause(f"did not answer ({type(err).__name__})", _grown(_AFTER_A_FAILURE, attempt))


def pause(answer: httpx.Response, method: str, attempt: int) -> Pause | None:
    """The pause that an answer asks for; None when the same call will not work later either."""
    headers, status = answer.headers, answer.status_code
    spent = headers.get("x-ratelimit-remaining") == "0"
    secondary = "secondary rate" in (text := message(answer).lower()) or "abuse detection" in text
    told = _told(answer)
    if status == 429 or (status == 403 and (spent or secondary or told is not None or "rate limit" in text)):
        if spent and not secondary:
            limit = headers.get("x-ratelimit-limit", "")
            why = f"has answered as often as it does in an hour{f' ({limit} times)' if limit.isdigit() else ''}"
        else:
            why = f"asks to slow down (a secondary rate limit, {status})"
        return Pause(why, _grown(_WITHOUT_A_WORD, attempt) if told is None else told, limit=True)
    if status in _FAILURES:
        return Pause(f"answered {status} to {method}", _grown(_AFTER_A_FAILURE, attempt) if told is None else told)
    return None


def span(seconds: float) -> str:
    """Seconds in words."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _told(answer: httpx.Response) -> float | None:
    """The wait in seconds that the headers tell, by the forge's own clock; None when they tell none."""
    headers = answer.headers
    after, reset = headers.get("retry-after", "").strip(), headers.get("x-ratelimit-reset", "").strip()
    if _number(after):
        return float(after)
    now = _date(headers.get("date", "")) or time.time()
    if (at := _date(after)) is not None:
        return max(1.0, at - now)
    if headers.get("x-ratelimit-remaining") == "0" and _number(reset):
        return max(1.0, float(reset) - now + 1.0)
    return None


def _number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 16


def _date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except ValueError:
        return None


def _grown(seconds: float, attempt: int) -> float:
    return seconds * float(2 ** (attempt - 1)) * random.uniform(1.0, 1.2)
