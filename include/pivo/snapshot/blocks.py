"""A remote file read by ranges, through a cache of aligned blocks shared by all files of a process."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import NamedTuple

from pivo.errors import ArchiveError
from pivo.store import Store

BLOCK = 64 * 1024
# A request costs about as much as sending half a megabyte, so small files come whole, and a missing block with its
# neighbours: a delta's base lies before it, often close.
_WHOLE = 4 << 20
_BEHIND, _AHEAD = 2, 1


class BlockCache:
    """Least-recently-used blocks, at most `limit` bytes; safe to share between threads."""

    def __init__(self, limit: int = 64 << 20) -> None:
        self._limit = limit
        self._size = 0
        self._blocks: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[str, int]) -> bytes | None:
        with self._lock:
            block = self._blocks.get(key)
            if block is not None:
                self._blocks.move_to_end(key)
            return block

    def clear(self) -> None:
        """Forgets all blocks, as a new process would know none."""
        with self._lock:
            self._blocks.clear()
            self._size = 0

    def put(self, key: tuple[str, int], block: bytes) -> None:
        with self._lock:
            old = self._blocks.pop(key, None)
            self._size += len(block) - (len(old) if old else 0)
            self._blocks[key] = block
            while self._size > self._limit:
                _, dropped = self._blocks.popitem(last=False)
                self._size -= len(dropped)


class Part(NamedTuple):
    """Where a part of a file begins, and its bytes."""

    start: int
    size: int


class RangeFile:
    """Random access to one file of the store, or to a `part` of it; the manifest tells its bytes, `total`.

    `size` is the part's, and offsets count from its start.
    """

    def __init__(self, store: Store, path: str, total: int, cache: BlockCache, part: Part | None = None) -> None:
        self.path = path
        self._key = f"{store.url}/{path}"  # two archives may hold files of one name
        self._total = total
        self._start, self.size = part or Part(0, total)
        self._store = store
        self._cache = cache

    def read(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes from `offset`, or up to the end; ArchiveError when the file is shorter than told."""
        length = min(length, self.size - offset)
        if length <= 0:
            return b""
        offset += self._start
        first, last = offset // BLOCK, (offset + length - 1) // BLOCK
        blocks = [self._cache.get((self._key, n)) for n in range(first, last + 1)]
        # One request for each run of blocks that is not in the cache.
        start = 0
        while start < len(blocks):
            if blocks[start] is not None:
                start += 1
                continue
            end = start
            while end < len(blocks) and blocks[end] is None:
                end += 1
            blocks[start:end] = self._fetch(first + start, end - start)
            start = end
        joined = b"".join(b for b in blocks if b is not None)
        begin = offset - first * BLOCK
        return joined[begin : begin + length]

    def _fetch(self, block: int, count: int) -> list[bytes]:
        begin, end = max(0, block - _BEHIND), block + count + _AHEAD
        for small in (Part(0, self._total), Part(self._start, self.size)):
            if small.size <= _WHOLE:
                begin, end = small.start // BLOCK, -(-(small.start + small.size) // BLOCK)
                break
        offset = begin * BLOCK
        wanted = min(end * BLOCK, self._total) - offset
        data = self._store.read(self.path, offset, wanted)
        if len(data) != wanted:
            raise ArchiveError(
                f"{self._store.url}/{self.path} is shorter than its manifest says.",
                "Verify the archive; an earlier or later snapshot may hold the same objects.",
            )
        parts = [data[i : i + BLOCK] for i in range(0, len(data), BLOCK)]
        for n, part in enumerate(parts):
            self._cache.put((self._key, begin + n), part)
        return parts[block - begin : block - begin + count]
