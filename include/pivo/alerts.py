"""Which alerts went out lately, so that the same one is not told every hour."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable
from pathlib import Path

AGAIN = 24 * 3600.0
"""Seconds after which the same alert is told again."""

# ages grow from hour to hour; what is late does not change by that
_MOVING = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z|\b[\d,]+ (min|h|days|messages)\b")


class Told:
    """What was told, in a small file; the times of it are Unix seconds."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock

    def is_news(self, text: str) -> bool:
        """Whether `text`, times and ages aside, was not told within a day."""
        return self._clock() - self._read().get(_name(text), 0.0) >= AGAIN

    def remember(self, text: str) -> None:
        """From now on `text` is old news."""
        now = self._clock()
        kept = {name: at for name, at in self._read().items() if now - at < AGAIN}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        part = self._path.with_name(f".{self._path.name}.part")
        part.write_text(json.dumps({**kept, _name(text): now}))
        part.rename(self._path)

    def _read(self) -> dict[str, float]:
        try:
            data = json.loads(self._path.read_text())
            return {str(name): float(at) for name, at in data.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            return {}


def _name(text: str) -> str:
    return hashlib.sha256(_MOVING.sub("#", text).encode()).hexdigest()
