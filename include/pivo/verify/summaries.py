"""That a pack's summary tells of every object that its index names: readers do not look where it denies one."""

from __future__ import annotations

from pivo.models import StoredPack
from pivo.snapshot.packidx import Sink
from pivo.snapshot.summary import hidden
from pivo.verify.reading import Problem

_COUNT_AT, _NAMES_AT = 8 + 1020, 8 + 1024  # of an index of version 2, gitformat-pack(5)


class Told:
    """Takes an index's bytes as they pass, and asks the pack's summary about each object."""

    def __init__(self, pack: StoredPack) -> None:
        self._summary = pack.summary
        self._head = b""
        self._rest = b""
        self._left: int | None = None  # names to come
        self._first = ""
        self._hidden = 0

    def update(self, block: bytes) -> None:
        """The next bytes."""
        if not self._summary or self._left == 0:
            return
        if self._left is None:
            self._head += block
            if len(self._head) < _NAMES_AT:
                return
            block, self._left = self._head[_NAMES_AT:], int.from_bytes(self._head[_COUNT_AT:_NAMES_AT], "big")
        block = self._rest + block
        count = min(len(block) // 20, self._left)
        self._left -= count
        denied = hidden(self._summary, (block[20 * n : 20 * n + 20] for n in range(count)))
        self._hidden += len(denied)
        self._first = self._first or (denied[0].hex() if denied else "")
        self._rest = block[20 * count :] if self._left else b""

    def both(self, sink: Sink) -> Sink:
        """Takes the bytes, and hands them on to `sink`."""

        def take(block: bytes) -> None:
            self.update(block)
            sink(block)

        return take

    def problems(self) -> list[Problem]:
        """What is wrong with the summary, once an index has passed that has the bytes of its manifest."""
        if not self._hidden:
            return []
        more = f" and {self._hidden - 1:,} more" if self._hidden > 1 else ""
        told = f"holds object {self._first}{more}, and its summary in the manifest says that it does not"
        return [("summary", told)]
