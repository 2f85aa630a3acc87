"""One repository, one snapshot: fetch what is new, prove it complete, publish it, say so.

The nightly DAG, `pivo ingest` and webhooks all call :func:`ingest`.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from pivo import __version__, source
from pivo.errors import ArchiveConflict, ArchiveError, PivoError, SourceMoved, Unavailable
from pivo.events import EventLog
from pivo.gitobjects import tagged
from pivo.models import ZERO, Manifest, Previous, Ref, RepoName, StoredPack
from pivo.progress import Progress, silent
from pivo.snapshot import lfs
from pivo.snapshot import manifest as manifests
from pivo.snapshot.archive import Archive
from pivo.snapshot.history import ref_updates, reopen, still_lost, tips
from pivo.snapshot.objects import ObjectReader
from pivo.snapshot.publish import Upload, settle, sweep
from pivo.snapshot.thin import may_be_thin, night
from pivo.snapshot.workspace import Workspace
from pivo.store import Store

_TRIES = 3  # how often a snapshot is planned: another writer was first, or the source moved
_SCRATCH = "ingest-"  # begins the name of a run's temporary folder
_ABANDONED = 24 * 3600.0  # seconds after which such a folder is nobody's
_SHOWN = 20  # paths of missing LFS objects in a report
_THREADS = 5  # of a run: the pack's upload, the link, the sweep, Kafka's answer, and one
_HAVES = 1000  # tips offered to the server; it needs one on each line of history

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Report:
    """What one ingest did. `outcome` is `published` or `unchanged`; sizes are bytes, `seconds` wall time.

    `packs` are all that a reader of the snapshot has; the other counts are of what came.

    `lfs` counts the git LFS objects that it stored, `missing` all that could not be had so far: then the snapshot is
    incomplete, and `missing_paths` are some of the paths.
    """

    repo: str
    outcome: str
    snapshot: str
    hdfs_path: str
    head: str
    commits: int
    objects: int
    bytes: int
    refs: int
    packs: int
    announced: tuple[str, ...]
    seconds: float
    lfs: int = 0
    missing: int = 0
    missing_paths: tuple[str, ...] = ()


@dataclass
class _Job:
    """What all steps of one ingest share."""

    store: Store
    events: EventLog
    name: RepoName
    url: str
    environment: Mapping[str, str]
    also: Sequence[str]
    token: str
    ssh: str
    progress: Progress
    archive: Archive = field(init=False)
    published: str = ""  # the snapshot that this run has published, should it have to plan again

    def __post_init__(self) -> None:
        self.archive = Archive(self.store)


def hdfs_path(store: Store, repo: str, dirname: str) -> str:
    """A snapshot's path as HDFS's own tools take it, e.g. `/backups/PIVO/000001-…`."""
    return str(PurePosixPath(urlsplit(store.url).path) / repo / dirname)


def ingest(
    url: str,
    name: str | None = None,
    *,
    store: Store,
    events: EventLog,
    scratch: Path,
    environment: Mapping[str, str],
    also: Sequence[str] = (),
    token: str = "",
    ssh: str = "",
    progress: Progress = silent,
) -> Report:
    """Snapshots the repository at `url` under `name` (by default what the URL suggests).

    `scratch` is a local folder for the temporary repository; `environment` the one that git runs in; `also` are ref
    prefixes to keep besides the usual ones, `ssh` the command for ssh. Nothing is published unless it is complete.
    What was published and could not be announced (Kafka away) is announced by the next call.
    """
    started = time.monotonic()
    repo = RepoName.parse(name or source.name_of(source.normalise(url)))
    job = _Job(store, events, repo, source.normalise(url), environment, also, token, ssh, progress)
    scratch.mkdir(parents=True, exist_ok=True)
    _sweep(scratch)
    for attempt in range(_TRIES):
        with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=scratch, ignore_cleanup_errors=True) as folder:
            try:
                return _once(job, Path(folder), started)
            except (ArchiveConflict, SourceMoved) as err:
                if attempt == _TRIES - 1:
                    raise
                _log.info("planning %s again: %s", repo, err.what)
    raise AssertionError("unreachable")


def _sweep(scratch: Path) -> None:
    """Removes the folders that killed runs have left."""
    for folder in scratch.glob(f"{_SCRATCH}*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > _ABANDONED:
                shutil.rmtree(folder, ignore_errors=True)


class _Look:
    """What the archive and Kafka know of the repository, asked while the source is; and the workspace, once needed.

    A context manager: `pool` has threads for what runs beside the rest.
    """

    def __init__(self, job: _Job, folder: Path) -> None:
        self._job, self._folder = job, folder
        self.pool = ThreadPoolExecutor(_THREADS)
        self._newest = self.pool.submit(lambda: job.archive.newest(job.name, settle(job.store, str(job.name))))
        self._announced = self.pool.submit(job.events.announced, str(job.name))
        self.work: Workspace | None = None

    def __enter__(self) -> _Look:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self.pool.shutdown()
        if self.work:
            self.work.close()

    @property
    def previous(self) -> Manifest | None:
        return self._newest.result()

    @cached_property
    def known(self) -> ObjectReader | None:
        return ObjectReader(self._job.store, self.previous) if self.previous and self.previous.packs else None

    @property
    def announced(self) -> int:
        return self._announced.result()

    def workspace(self) -> Workspace:
        """The workspace; made when it is asked for."""
        if self.work is None:
            self.work = Workspace(self._folder / "fetched", self.known, self._job.environment)
        return self.work


def _once(job: _Job, folder: Path, started: float) -> Report:
    with _Look(job, folder) as look:
        remote = _fetch(job, look)
        previous = look.previous
        if previous and look.work is None and _same(remote, previous):
            announced = _announce_missing(job, folder, previous) if look.announced < previous.seq else []
            return _unchanged(job, previous, announced, started)
        return _archive(job, look, remote, folder, started)


def _unchanged(job: _Job, previous: Manifest, announced: Sequence[str], started: float) -> Report:
    job.events.heartbeat(str(job.name), previous.dirname, previous.head)
    outcome = "published" if previous.dirname == job.published else "unchanged"
    return _report(job, previous, outcome, announced, started)


def _same(remote: source.Remote, previous: Manifest) -> bool:
    """Whether the source says what it said then, and the archive has all of it."""
    return (
        not previous.incomplete
        and remote.refs == {r.name: r.target for r in previous.refs}
        and (remote.head or ZERO, remote.head_ref) == (previous.head, previous.head_ref)
        and tuple(sorted(remote.symrefs.items())) == previous.symrefs
    )


def _archive(job: _Job, look: _Look, remote: source.Remote, folder: Path, started: float) -> Report:
    """Publishes and announces what was fetched, if it is news after all."""
    work, previous = look.workspace(), look.previous
    with _Outgoing(job, look) as out:
        _prove(job, work, previous, remote)
        before = {r.name: r for r in previous.refs} if previous else {}
        refs = tuple(Ref(n, t, _peeled(t, before.get(n), work)) for n, t in sorted(remote.refs.items()))
        head = _head(remote, refs, work)
        now = (refs, head, remote.head_ref, tuple(sorted(remote.symrefs.items())))
        then = previous and (previous.refs, previous.head, previous.head_ref, previous.symrefs)
        manifest = None
        if now != then or (previous and previous.incomplete):
            manifest = out.manifest(remote, refs, head, unless_lfs=now == then)
        if manifest:
            out.publish(manifest)
            try:
                # Events are made ready while the archive publishes, and sent once it has.
                announced = (
                    _announce_missing(job, folder, previous) if previous and look.announced < previous.seq else []
                )
                announced += _announce(job, work, previous, manifest, out.published)
            except Unavailable as err:
                out.published()
                raise Unavailable(
                    f"{manifest.repo} is archived as {manifest.dirname}, but could not be announced: {err.what}",
                    "Start Kafka; the next snapshot of this repository announces it.",
                ) from err
            return _report(job, manifest, "published", announced, started)
    assert previous
    return _unchanged(job, previous, _announce_missing(job, folder, previous), started)


class _Outgoing:
    """A snapshot on its way into the archive, in threads of its own; on leaving, what is not published is removed."""

    def __init__(self, job: _Job, look: _Look) -> None:
        self._job, self._pool, self._work, self._previous = job, look.pool, look.workspace(), look.previous
        self._upload = Upload(job.store)
        self._publishing: Future[None] | None = None
        self._dirname = ""
        # The pack that came is sent while it is proven, if it is the one to be stored.
        self._bases: tuple[str, ...] = ()
        self._described = Future[StoredPack]()  # what the manifest says of it
        self._sent = self._send(self._work.pack()) if not may_be_thin(self._work, self._packs) else None
        self._linked = self._pool.submit(_link, job, self._previous)
        self._swept = self._pool.submit(sweep, job.store)

    @property
    def _packs(self) -> tuple[StoredPack, ...]:
        return self._previous.packs if self._previous else ()

    def _send(self, pack: Path | None) -> Future[StoredPack] | None:
        if pack is None:
            return None
        told, count = self._described.set_result, self._work.count_objects()
        sent = self._pool.submit(self._upload.add, pack, "", count, self._job.progress, told)
        sent.add_done_callback(self._describe)
        return sent

    def _describe(self, sent: Future[StoredPack]) -> None:
        """For a large pack, which is hashed as it is sent, and for one that could not be."""
        if self._described.done():
            return
        if err := sent.exception():
            self._described.set_exception(err)
        else:
            self._described.set_result(sent.result())

    def __enter__(self) -> _Outgoing:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        begun: list[Future[Any] | None] = [self._sent, self._linked, self._swept, self._publishing]
        wait([one for one in begun if one])
        if self._publishing is None or self._publishing.exception():
            self._discard()
        else:
            self._job.published = self._dirname

    def _discard(self) -> None:
        try:
            self._upload.discard()
        except PivoError as err:  # HDFS is away: what is in .incoming is not published, and is swept later
            _log.warning("could not remove %s: %s", self._upload.path, err)

    def manifest(
        self, remote: source.Remote, refs: tuple[Ref, ...], head: str, *, unless_lfs: bool = False
    ) -> Manifest | None:
        """The next snapshot's; `unless_lfs` only if LFS objects came that were missing, and None if not."""
        job, work, previous = self._job, self._work, self._previous
        seq = previous.seq + 1 if previous else 1
        dirname = f"{seq:06d}-{head[:12]}"
        if self._sent is None:
            pack, self._bases = night(work, self._packs)
            self._sent = self._send(pack)
        files = _count_files(work, previous, head)
        tips = {r.commit for r in refs} | ({head} - {ZERO})
        found = lfs.collect(work, job.archive, previous, self._upload, job.url, job.token, tips, job.progress)
        own = (replace(self._described.result(), snapshot=dirname, bases=self._bases),) if self._sent else ()
        link, _ = self._linked.result(), self._swept.result()
        if unless_lfs and not found.stored:
            return None
        now = datetime.now(UTC)
        now = now.replace(microsecond=now.microsecond // 1000 * 1000)  # as the manifest's bytes will tell it
        return Manifest(
            repo=str(job.name),
            seq=seq,
            head=head,
            head_ref=remote.head_ref,
            source=source.public(job.url),
            # A clock that jumped back must not put a later snapshot before an earlier one.
            taken_at=max(now, previous.taken_at) if previous else now,
            refs=refs,
            packs=(*self._packs, *own),
            previous=link,
            files=files,
            commits=work.count_commits(),
            lost=still_lost(previous, refs, work.parents, work.reaches),
            tool=f"pivo {__version__}",
            lfs=found.stored,
            lfs_in=(*(previous.lfs_in if previous else ()), *((dirname,) if found.stored else ())),
            lfs_missing=found.missing,
            symrefs=tuple(sorted(remote.symrefs.items())),
            removed_in=previous.removed_in if previous else (),
        )

    def publish(self, manifest: Manifest) -> None:
        """Begins to publish; :meth:`published` waits for the end of it."""
        self._job.progress("publishing", 0, None)
        self._dirname = manifest.dirname
        complete = self._sent.result if self._sent else lambda: None
        self._publishing = self._pool.submit(self._upload.publish, manifest, complete)

    def published(self) -> None:
        """Returns once the snapshot is published; raises what hindered it."""
        assert self._publishing
        self._publishing.result()


def _fetch(job: _Job, look: _Look) -> source.Remote:
    """Asks the source for its refs, and receives what the archive lacks into the workspace."""

    def want(refs: dict[str, str]) -> list[str]:
        new = sorted(set(refs.values()) - _tips(look.previous))
        wanted = [t for t in new if not (look.known and look.known.contains(t))]
        if wanted:
            receive()  # while the server looks for what it has to send
        return wanted

    def haves() -> Iterator[str]:
        yield from _haves(look.previous)

    got = 0
    sink: Callable[[bytes], int] | None = None
    job.progress("fetching", 0, None)
    with ExitStack() as receiving:

        def receive() -> Callable[[bytes], int]:
            nonlocal sink
            if sink is None:
                sink = receiving.enter_context(look.workspace().receive())
                look.pool.submit(_warm, look)
            return sink

        def counted(data: bytes) -> int:
            nonlocal got
            got += len(data)
            job.progress("fetching", got, None)
            return receive()(data)

        return source.fetch(job.url, want, haves(), counted, also=job.also, token=job.token, ssh=job.ssh)


def _warm(look: _Look) -> None:
    """Reads what new history most likely borders on, while the source sends it: the reader keeps it."""
    if look.known and look.previous and look.previous.head != ZERO:
        with suppress(PivoError):  # who needs it says so
            look.known.get(look.known.commit(look.previous.head).tree)


def _prove(job: _Job, work: Workspace, previous: Manifest | None, remote: source.Remote) -> None:
    """That what was fetched is complete, with what the archive has."""
    job.progress("proving it complete", 0, None)
    work.prove(({*remote.refs.values()} | ({remote.head} if remote.head else set())) - _tips(previous))


def _tips(previous: Manifest | None) -> set[str]:
    return {previous.head, *(r.target for r in previous.refs)} if previous else set()


def _haves(previous: Manifest | None) -> list[str]:
    if previous is None or previous.head == ZERO:
        return []
    heads = [r.commit for r in previous.refs if r.name.startswith("refs/heads/")]
    rest = [r.commit for r in previous.refs if not r.name.startswith("refs/heads/")]
    return list(dict.fromkeys([previous.head, *heads, *previous.lost, *reversed(rest)]))[:_HAVES]


def _peeled(target: str, before: Ref | None, work: Workspace) -> str | None:
    """What an annotated tag leads to in the end; None when `target` is no tag. `before` is what the ref was."""
    if before and before.target == target:
        return before.peeled
    oid, (kind, body) = target, work.get(target)
    while kind == "tag":
        oid, _ = tagged(body)
        kind, body = work.get(oid)
    return oid if oid != target else None


def _head(remote: source.Remote, refs: Sequence[Ref], work: Workspace) -> str:
    """The commit that stands for the snapshot: HEAD's; when it is unborn that of main, master, or the first ref."""
    if remote.head:
        return remote.head
    by_name = {r.name: r.commit for r in refs}
    for name in ("refs/heads/main", "refs/heads/master", *sorted(by_name)):
        if name in by_name and work.get(by_name[name])[0] == "commit":
            return by_name[name]
    return ZERO


def _link(job: _Job, previous: Manifest | None) -> Previous | None:
    if previous is None:
        return None
    raw = job.archive.manifest_bytes(job.name, previous.dirname)
    if manifests.load(raw, previous.dirname) != previous:
        raise ArchiveError(f"The manifest of {job.name}/{previous.dirname} changed meanwhile.", "Verify the archive.")
    return Previous(previous.dirname, manifests.digest(raw))


def _count_files(work: Workspace, previous: Manifest | None, head: str) -> int:
    if head == ZERO:
        return 0
    kind, body = work.get(head)
    if kind != "commit":
        return 0
    tree = body[5:45].decode()
    if previous and previous.head != ZERO and work.get(previous.head)[0] == "commit":
        return work.count_files(tree, work.get(previous.head)[1][5:45].decode(), previous.files)
    return work.count_files(tree)


def _announce(
    job: _Job,
    work: Workspace,
    previous: Manifest | None,
    manifest: Manifest,
    published: Callable[[], None] = lambda: None,
) -> list[str]:
    updates = ref_updates(previous.refs if previous else (), manifest.refs, work.parents, work.reaches)
    job.progress("announcing", 0, manifest.commits)
    job.events.announce(
        manifest,
        work.commits(tips(manifest)),
        updates,
        hdfs_path(job.store, manifest.repo, manifest.dirname),
        job.progress,
        published,
    )
    return [manifest.dirname]


def _announce_missing(job: _Job, folder: Path, upto: Manifest) -> list[str]:
    """Announces what earlier runs have published and could not announce; usually nothing."""
    done = job.events.announced(str(job.name))
    said: list[str] = []
    if done >= upto.seq:
        return said
    for snapshot in job.archive.snapshots(job.name):
        if not done < snapshot.seq <= upto.seq:
            continue
        manifest = job.archive.manifest(job.name, snapshot.dirname)
        previous = job.archive.manifest(job.name, manifest.previous.snapshot) if manifest.previous else None
        place = folder / snapshot.dirname
        with reopen(job.archive, manifest, place, job.environment) as work:
            said += _announce(job, work, previous, manifest)
        shutil.rmtree(place, ignore_errors=True)
    return said


def _report(job: _Job, manifest: Manifest, outcome: str, announced: Sequence[str], started: float) -> Report:
    own = manifest.own_packs if outcome == "published" else ()
    return Report(
        repo=manifest.repo,
        outcome=outcome,
        snapshot=manifest.dirname,
        hdfs_path=hdfs_path(job.store, manifest.repo, manifest.dirname),
        head=manifest.head,
        commits=manifest.commits if outcome == "published" else 0,
        objects=sum(p.objects for p in own),
        bytes=manifest.size if outcome == "published" else 0,
        refs=len(manifest.refs),
        packs=len(manifest.packs),
        announced=tuple(announced),
        seconds=round(time.monotonic() - started, 3),
        lfs=len(manifest.lfs) if outcome == "published" else 0,
        missing=len(manifest.lfs_missing),
        missing_paths=tuple(dict.fromkeys(p for m in manifest.lfs_missing for p in m.paths))[:_SHOWN],
    )
