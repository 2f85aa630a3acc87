"""Publishing: a snapshot is built under `.incoming/`, re-read and compared, claimed, and renamed into place.

What is in place is complete; what is not complete is not in place. Two writers cannot publish the same number:

1. `.incoming/<uuid>` → `<repo>/.next-<seq>`: an atomic claim, since a rename onto an existing name fails;
2. with the claim in hand, look whether `<seq>` is published already; then the claim is given back;
3. `<repo>/.next-<seq>` → `<repo>/<seq>-<commit>`.

A writer that dies between 1 and 3 leaves a claim with a whole snapshot in it: the next one finishes it. The folder is
sealed before 1, so that there is no moment at which a published snapshot can be written to.
"""

from __future__ import annotations

import hashlib
import logging
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

from pivo.errors import ArchiveConflict, ArchiveError, NotFound
from pivo.models import CLAIM_DIR, SNAPSHOT_DIR, Manifest, Segment, StoredPack
from pivo.progress import Progress, silent
from pivo.snapshot import manifest as manifests
from pivo.snapshot.packidx import Splitter, told
from pivo.snapshot.summary import summarise
from pivo.store import CHUNK, INCOMING, Entry, Store

SEGMENT = 64 << 20  # bytes; half an HDFS block, so that two executors share even a one-block pack
_WHOLE = 8 << 20  # bytes of a file that is sent from memory and read back at once
_ABANDONED = 24 * 3600.0  # seconds after which an upload in .incoming has no writer any more

_log = logging.getLogger(__name__)


@dataclass
class Upload:
    """A snapshot on its way: files under `.incoming/<id>/`, removed by :meth:`discard` unless published."""

    store: Store
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def path(self) -> str:
        return f"{INCOMING}/{self.id}"

    def add(
        self,
        pack: Path,
        dirname: str,
        objects: int,
        progress: Progress = silent,
        early: Callable[[StoredPack], None] = lambda stored: None,
    ) -> StoredPack:
        """Uploads a pack and its index as one file, reads it back, and compares both. `dirname` is the folder-to-be.

        `early` is told what a manifest says of a small pack before it is uploaded.
        """
        index = pack.with_suffix(".idx")
        sent, idx_sent = _Sent(pack, progress), _Sent(index, silent)
        stored = StoredPack(
            dirname, pack.stem.removeprefix("pack-"), sent.size, "", idx_sent.size, "", objects,
            summary=summarise(index),
        )  # fmt: skip
        blocks: Iterable[bytes] = chain(sent.blocks(), idx_sent.blocks())

        def hashed() -> StoredPack:
            """With the hashes of the blocks, once they have passed."""
            return replace(stored, sha256=sent.sha256, idx_sha256=idx_sent.sha256, segments=tuple(sent.segments))

        if stored.file_size <= _WHOLE:
            blocks = list(blocks)
            early(hashed())
        self.store.write(f"{self.path}/{stored.file_name}", blocks)
        stored = hashed()
        seen = Splitter((stored.size, stored.idx_size))
        for block in self._read_back(stored.file_name, stored.file_size, progress):
            seen.update(block)
        if seen.parts != told(stored):
            raise self._differs(stored.file_name)
        return stored

    def add_file(self, name: str, blocks: Iterable[bytes], sha256: str) -> None:
        """Uploads one file from `blocks` and reads it back; ArchiveError unless it has that SHA-256."""
        self.store.write(f"{self.path}/{name}", blocks)
        seen = hashlib.sha256()
        for block in self.store.stream(f"{self.path}/{name}"):
            seen.update(block)
        if seen.hexdigest() != sha256:
            raise self._differs(name)

    def _read_back(self, name: str, size: int, progress: Progress) -> Iterator[bytes]:
        path, done = f"{self.path}/{name}", 0
        for block in [self.store.read(path)] if size <= _WHOLE else self.store.stream(path):
            yield block
            done += len(block)
            progress("reading back", done, None)

    def _differs(self, name: str) -> ArchiveError:
        return ArchiveError(
            f"{name} reads back from {self.store.url} with other bytes than were written.",
            "Nothing was published; check the DataNodes' disks.",
        )

    def publish(self, manifest: Manifest, complete: Callable[[], object] = lambda: None) -> None:
        """Writes the manifest, claims the number, and renames into place; ArchiveConflict when it is taken.

        `complete` returns once all else is in the upload and has been read back: nothing is claimed before.
        """
        raw = manifests.dump(manifest)
        path = f"{self.path}/{manifests.NAME}"
        self.store.write(path, [raw])
        with ThreadPoolExecutor(1) as beside:
            seen = beside.submit(self.store.read, path)
            complete()
            if manifest.previous is None:
                self.store.mkdirs(manifest.repo)
            self.store.seal(self.path)
            if seen.result() != raw:
                raise ArchiveError(f"{path} reads back with other bytes than were written.", "Nothing was published.")
        claim = f"{manifest.repo}/.next-{manifest.seq:06d}"
        self.store.rename(self.path, claim)
        try:
            finish(self.store, manifest.repo, manifest.seq, manifest)
        except NotFound:  # another writer finished it for us
            if self.store.stat(f"{manifest.repo}/{manifest.dirname}") is None:
                raise ArchiveConflict(
                    f"Another writer published snapshot {manifest.seq} of {manifest.repo}.", "Try again."
                ) from None

    def discard(self) -> None:
        """Removes what was uploaded and is not published."""
        self.store.delete(self.path)


class _Sent:
    """A local file on its way: once its blocks have passed, their SHA-256 and that of each segment."""

    def __init__(self, file: Path, progress: Progress) -> None:
        self.size = file.stat().st_size
        self.sha256 = ""
        self.segments: list[Segment] = []
        self._file = file
        self._progress = progress

    def blocks(self) -> Iterator[bytes]:
        whole, part, start, done = hashlib.sha256(), hashlib.sha256(), 0, 0
        with self._file.open("rb") as source:
            while block := source.read(CHUNK):
                whole.update(block)
                part.update(block)
                done += len(block)
                self._progress("uploading to the archive", done, self.size)
                if done - start >= SEGMENT or done == self.size:
                    self.segments.append(Segment(start, done - start, part.hexdigest()))
                    part, start = hashlib.sha256(), done
                yield block
        self.sha256 = whole.hexdigest()


def finish(store: Store, repo: str, seq: int, manifest: Manifest | None = None) -> None:
    """Publishes the claim for `seq`, or removes it when that number is published already (ArchiveConflict).

    `manifest` is the claim's own, for the writer that has just made it.
    """
    claim = f"{repo}/.next-{seq:06d}"
    manifest = manifest or manifests.load(store.read(f"{claim}/{manifests.NAME}"), claim)
    taken = [e.name for e in store.list(repo) if (m := SNAPSHOT_DIR.match(e.name)) and int(m[1]) == seq]
    if taken:
        # By way of .incoming, the only place where folders are ever deleted.
        away = f"{INCOMING}/{uuid.uuid4().hex}"
        store.rename(claim, away)
        store.delete(away)
        raise ArchiveConflict(f"Snapshot {seq} of {repo} is published already, as {taken[0]}.", "Try again.")
    store.rename(claim, f"{repo}/{manifest.dirname}")


def settle(store: Store, repo: str) -> list[Entry]:
    """Finishes what writers that died have left of a repository; what its folder holds then."""
    try:
        found = store.list(repo)
    except NotFound:
        return []
    claims = [int(m[1]) for e in found if (m := CLAIM_DIR.match(e.name))]
    for seq in sorted(claims):
        try:
            finish(store, repo, seq)
            _log.warning("finished snapshot %d of %s, whose writer had died", seq, repo)
        except (ArchiveConflict, NotFound) as err:
            _log.info("claim %d of %s was settled by another writer: %s", seq, repo, err.what)
    return store.list(repo) if claims else found


def sweep(store: Store) -> None:
    """Removes uploads that nobody works on, by this machine's clock and by the store's own.

    The store's is what it wrote down when an upload last began or ended. One clock that jumped ahead would take the
    uploads away from all who are at work.
    """
    try:
        uploads = store.list(INCOMING)
    except NotFound:
        return
    old = [entry for entry in uploads if time.time() - entry.modified > _ABANDONED]
    there = store.stat(INCOMING) if old else None
    for entry in old:
        if there and there.modified - entry.modified > _ABANDONED:
            store.delete(f"{INCOMING}/{entry.name}")
