"""git LFS in the archive: finding what the new pointers name, fetching it, storing it once, finding it again.

An object is a file `lfs-<sha256>` in the folder of the snapshot that first met it: it is published by the same rename,
sealed with the folder, and proven by the manifest chain. A folder of objects that all snapshots share would have to
stay writable, and then the NameNode could not refuse to delete from it. Which snapshots hold objects a manifest says
(`lfs_in`), so that a reader opens those manifests and no others.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pivo.errors import ArchiveError, NotFound
from pivo.lfs import (
    BATCH,
    POINTER_LIMIT,
    Answer,
    Client,
    Refused,
    Verifying,
    endpoint,
    local_file,
    login_of,
    parse_pointer,
)
from pivo.models import LfsMissing, LfsObject, Manifest
from pivo.progress import Progress, silent
from pivo.snapshot.archive import Archive
from pivo.snapshot.publish import Upload
from pivo.snapshot.workspace import Workspace
from pivo.store import CHUNK

_SMALLEST = 100  # bytes; less than any pointer: the version, a SHA-256 and a size
_THREADS = 4  # objects on their way at a time; each takes its size in the scratch folder
_LOGGED = 20  # missing objects that a log names; the manifest has all
_PATHS = 5  # of one object that is missing; more tell a person nothing

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Collected:
    """What came of a snapshot's pointers: objects now in the upload, and all that are missing so far."""

    stored: tuple[LfsObject, ...] = ()
    missing: tuple[LfsMissing, ...] = ()


def pointers(work: Workspace) -> dict[str, tuple[LfsObject, list[str]]]:
    """What the new blobs point to: oid → the object, and the blobs that are pointers to it."""
    found: dict[str, tuple[LfsObject, list[str]]] = {}
    for blob, body in work.small_blobs(_SMALLEST, POINTER_LIMIT - 1):
        wanted = parse_pointer(body)
        if wanted:
            found.setdefault(wanted.oid, (wanted, []))[1].append(blob)
    return found


def stored(archive: Archive, manifest: Manifest | None) -> dict[str, tuple[str, LfsObject]]:
    """All LFS objects that the archive held at a snapshot: oid → the folder that it lies in, and the object."""
    found: dict[str, tuple[str, LfsObject]] = {}
    for dirname in manifest.lfs_in if manifest else ():
        assert manifest
        holder = manifest if dirname == manifest.dirname else archive.manifest(manifest.repo, dirname)
        found |= {o.oid: (dirname, o) for o in holder.lfs}
    return found


def stream(archive: Archive, repo: str, dirname: str, wanted: LfsObject) -> Iterator[bytes]:
    """An object's bytes from the archive; ArchiveError when they are not what they should be."""
    path = archive.path(repo, dirname, wanted.name)
    try:
        yield from Verifying(wanted, archive.store.stream(path, chunk=CHUNK))
    except (Refused, NotFound) as err:
        raise ArchiveError(f"{path} is damaged: {err}.", "Verify the archive.") from None


def collect(
    work: Workspace,
    archive: Archive,
    previous: Manifest | None,
    upload: Upload,
    url: str,
    token: str,
    tips: Iterable[str],
    progress: Progress = silent,
) -> Collected:
    """Stores what the new pointers name and what earlier ones missed; never fails for what a source does not have.

    `url` is the git source, `token` what it takes on its own host, `tips` what the snapshot's refs lead to.
    """
    named = pointers(work) if work.pack() else {}
    before = {m.oid: m for m in previous.lfs_missing} if previous else {}
    if not named and not before:
        return Collected()
    known = stored(archive, previous)
    wanted = [o for o, _ in named.values() if o.oid not in known and o.oid not in before]
    wanted += [LfsObject(m.oid, m.size) for m in before.values()]
    why = _Fetching(work.path.parent, upload, url, token, progress).fetch(wanted)
    blobs = {blob: oid for oid, (_, ids) in named.items() if oid in why for blob in ids}
    paths = _paths(work, blobs, tips) if blobs else {}
    missing = []
    for one in wanted:
        if one.oid in why:
            old = before[one.oid].paths if one.oid in before else ()
            seen = tuple(sorted({*old, *paths.get(one.oid, ())})[:_PATHS])
            missing.append(LfsMissing(one.oid, one.size, why[one.oid], seen))
    for lacks in missing[:_LOGGED]:
        log.warning("LFS object %s (%s) is missing: %s", lacks.oid, ", ".join(lacks.paths) or "no path", lacks.why)
    if len(missing) > _LOGGED:
        log.warning("%d more LFS objects are missing; the manifest lists them", len(missing) - _LOGGED)
    return Collected(
        tuple(sorted((o for o in wanted if o.oid not in why), key=lambda o: o.oid)),
        tuple(sorted(missing, key=lambda m: m.oid)),
    )


def _paths(work: Workspace, blobs: Mapping[str, str], tips: Iterable[str]) -> dict[str, set[str]]:
    """Where the history has pointers: oid → paths."""
    found: dict[str, set[str]] = {}
    for commit in work.commits(tips):
        for change in commit.files:
            if change.blob and change.blob in blobs:
                found.setdefault(blobs[change.blob], set()).add(change.path)
    return found


@dataclass
class _Fetching:
    """From where the source keeps its LFS objects into an upload; each waits in `folder` until it is verified."""

    folder: Path
    upload: Upload
    url: str
    token: str
    progress: Progress

    def fetch(self, wanted: Sequence[LfsObject]) -> dict[str, str]:
        """Why each object that could not be had is missing, by oid."""
        api = endpoint(self.url)
        why: dict[str, str] = {}
        done = 0
        with ExitStack() as stack:
            pool = stack.enter_context(ThreadPoolExecutor(_THREADS))
            client = None
            if api:
                client = stack.enter_context(Client(api, self.token, login=login_of(self.url)))
            for start in range(0, len(wanted), BATCH):
                share = wanted[start : start + BATCH]
                try:
                    answers = client.batch("download", share) if client else {}
                except Refused as err:  # a server that does not answer is not asked a thousand times
                    return why | {o.oid: str(err) for o in wanted[start:]}
                results = pool.map(self._one, repeat(client), share, [answers.get(o.oid) for o in share])
                for one, said in zip(share, results, strict=True):
                    done += 1
                    self.progress("fetching LFS objects", done, len(wanted))
                    if said:
                        why[one.oid] = said
        return why

    def _one(self, client: Client | None, wanted: LfsObject, answer: Answer | None) -> str:
        """Stores one object; why not, when it cannot be had."""
        try:
            if client is None:
                local = local_file(Path(unquote(urlsplit(self.url).path)), wanted.oid)
                if local is None:
                    return "the source has no such object in its lfs folder"
                for _ in Verifying(wanted, _blocks(local)):  # before any of it is in the upload
                    pass
                self.upload.add_file(wanted.name, _blocks(local), wanted.oid)
                return ""
            if answer is None or "download" not in answer.actions:
                return (answer and answer.refused) or "the server offers no download"
            spool = self.folder / wanted.name
            try:
                client.download(wanted, answer.actions["download"], spool)
                self.upload.add_file(wanted.name, _blocks(spool), wanted.oid)
            finally:
                spool.unlink(missing_ok=True)
        except Refused as err:
            return str(err)
        except OSError as err:
            return f"it cannot be read or kept: {err.strerror}"
        return ""


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(CHUNK):
            yield block
