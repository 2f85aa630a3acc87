"""Reading stored files whole, and telling a file that cannot be read from an archive that does not answer."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass

from pivo.errors import ArchiveError, NotFound, Unavailable
from pivo.models import Segment, StoredPack
from pivo.snapshot.packidx import Sink, Splitter
from pivo.store import Store

_CHUNK = 1 << 20
_TRIES = 3  # without one byte of progress
_PAUSE = 0.5  # seconds before the second try; twice as long before the third

INDEX = "index"
"""The name of the part whose damage leaves the others whole: git can make an index anew."""

Problem = tuple[str, str]
"""A finding's kind and detail."""


@dataclass(frozen=True)
class Part:
    """A run of a file's bytes, what it is called (nothing for a file of one part), and the segments of a large pack."""

    name: str
    size: int
    sha256: str
    segments: tuple[Segment, ...] = ()


@dataclass(frozen=True)
class Expected:
    """What a file should be: its parts, in order. `listed` is the size that the folder shows."""

    path: str
    listed: int
    parts: tuple[Part, ...]

    @property
    def size(self) -> int:
        return sum(p.size for p in self.parts)


def parts_of(pack: StoredPack) -> tuple[Part, ...]:
    """What the file of a pack consists of."""
    return Part("pack", pack.size, pack.sha256, pack.segments), Part(INDEX, pack.idx_size, pack.idx_sha256)


class Reading:
    """Reads files of one archive. May be shared by threads."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._well = ""  # a file that was read to its end

    def whole(self, path: str, size: int | None) -> bytes:
        """A small file, of `size` bytes where that is known.

        NotFound when it is missing, ArchiveError when it cannot be read though the archive answers.
        """
        parts: list[bytes] = []
        self._stream(path, size, parts.append)
        return b"".join(parts)

    def check(self, want: Expected, *sinks: Sink) -> list[Problem]:
        """Reads a file, its parts through `sinks`; what is wrong with it.

        Unavailable when the archive does not answer.
        """
        segments = _Segments(want.parts[0].segments if len(want.parts[0].segments) > 1 else ())
        seen = Splitter([p.size for p in want.parts], (*sinks, *[None] * (len(want.parts) - len(sinks))))

        def take(block: bytes) -> None:
            seen.update(block)
            segments.update(block)

        try:
            size = self._stream(want.path, want.listed, take)
        except NotFound:
            return [("missing", "is not in the archive")]
        except ArchiveError as err:
            return [("unreadable", f"cannot be read: {err.what}")]
        if size != want.size:
            return [("size", f"has {size:,} bytes and should have {want.size:,}")]
        wrong: list[Problem] = []
        at = 0
        for number, (part, (_, sha256)) in enumerate(zip(want.parts, seen.parts, strict=True)):
            if sha256 != part.sha256:
                where = segments.wrong() if number == 0 else ""
                if part.name and not where:
                    where = f", in its {part.name} (bytes {at:,} to {at + part.size:,})"
                wrong.append(
                    ("idx" if part.name == INDEX else "bytes", f"has other bytes than its manifest says{where}")
                )
            at += part.size
        return wrong

    def _stream(self, path: str, size: int | None, take: Sink) -> int:
        """Reads `path`, going on where a connection broke off; the number of bytes."""
        got, tries, last = 0, 0, Unavailable(f"{path} ends too soon.")
        while tries < _TRIES:
            before = got
            try:
                for block in self.store.stream(path, got, None, _CHUNK):
                    got += len(block)
                    take(block)
            except Unavailable as err:
                last = err
            else:
                if size is None or got >= size:
                    self._well = path
                    return got
            tries = 0 if got > before else tries + 1
            time.sleep(_PAUSE * tries)
        if self._answers(path):
            raise ArchiveError(f"it breaks off after {got:,} bytes though the archive answers", "See the DataNodes.")
        raise last

    def _answers(self, but: str) -> bool:
        """Whether some other file can be read."""
        folder, _, name = but.rpartition("/")
        try:
            others = [self._well] if self._well else []
            others += [f"{folder}/{e.name}" for e in self.store.list(folder) if not e.is_dir and e.name != name]
            return any(self._opens(other) for other in others[:4])
        except (Unavailable, NotFound):
            return False

    def _opens(self, path: str) -> bool:
        try:
            return len(self.store.read(path, 0, 1)) == 1
        except (Unavailable, ArchiveError, NotFound):
            return False


class _Segments:
    """The SHA-256 of each segment, as the bytes of the file pass."""

    def __init__(self, segments: tuple[Segment, ...]) -> None:
        self._segments = segments
        self._at = 0
        self._index = 0
        self._digest = hashlib.sha256()
        self._wrong: list[Segment] = []

    def update(self, block: bytes) -> None:
        view = memoryview(block)
        while view and self._index < len(self._segments):
            segment = self._segments[self._index]
            part = view[: segment.offset + segment.length - self._at]
            self._digest.update(part)
            self._at += len(part)
            view = view[len(part) :]
            if self._at == segment.offset + segment.length:
                if self._digest.hexdigest() != segment.sha256:
                    self._wrong.append(segment)
                self._digest = hashlib.sha256()
                self._index += 1

    def wrong(self) -> str:
        """Where, in words."""
        ranges = [f"{s.offset:,} to {s.offset + s.length:,}" for s in self._wrong[:5]]
        return f", somewhere in bytes {', '.join(ranges)}" if ranges else ""
