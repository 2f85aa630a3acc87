"""Rate limits, as https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api documents them."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

_ABOUT = "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api"


@dataclass(frozen=True)
class Spent:
    """The refusal of a call that is one too many."""

    status: int
    message: str
    headers: dict[str, str]


@dataclass
class Limits:
    """What one account may ask: `hourly` calls in `window` seconds (the primary limit), and `creations` in a minute (a
    secondary one). `tells`: whether a refusal by the secondary one says how long to wait; GitHub's may do without."""

    hourly: int = 5000
    window: float = 3600.0
    creations: int = 80
    tells: bool = True
    status: int = 403
    clock: Callable[[], float] = time.time
    _calls: dict[str, tuple[float, int]] = field(default_factory=dict, repr=False)
    _made: dict[str, deque[float]] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def count(self, who: str, creates: bool = False) -> Spent | None:
        """Counts a call; the refusal, if it is one too many."""
        with self._lock:
            now = self.clock()
            began, calls = self._calls.get(who, (now, 0))
            if now - began >= self.window:
                began, calls = now, 0
            if calls >= self.hourly:
                name = f"user ID {sum(who.encode()) + 1}" if who else "127.0.0.1"
                return Spent(self.status, f"API rate limit exceeded for {name}.", self._headers(began, calls))
            self._calls[who] = (began, calls + 1)
            made = self._made.setdefault(who, deque())
            while made and now - made[0] >= 60:
                made.popleft()
            if creates and len(made) >= self.creations:
                text = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
                after = {"Retry-After": str(int(60 - (now - made[0])) + 1)} if self.tells else {}
                return Spent(self.status, text, self._headers(began, calls + 1) | after)
            if creates:
                made.append(now)
            return None

    def headers(self, who: str) -> dict[str, str]:
        """What every answer tells of the primary limit."""
        with self._lock:
            return self._headers(*self._calls.get(who, (self.clock(), 0)))

    def _headers(self, began: float, calls: int) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.hourly),
            "X-RateLimit-Remaining": str(max(0, self.hourly - calls)),
            "X-RateLimit-Used": str(calls),
            "X-RateLimit-Reset": str(int(began + self.window)),
            "X-RateLimit-Resource": "core",
        }


ABOUT = {"primary": _ABOUT, "secondary": f"{_ABOUT}#about-secondary-rate-limits"}
"""Where GitHub's refusals point."""
