"""`pivo retain`: removes packs that were replaced long ago, once everything in them is proven to be elsewhere.

In this order: all of the repository is verified, every object read; each pack's ids are looked up in its successor's;
a snapshot is published that records what is to go; it is announced and on the audit log; then the files go. Whatever
breaks off in between leaves files that are too many, and the next run removes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pivo.errors import ArchiveError, Unavailable
from pivo.events import EventLog
from pivo.ingest import hdfs_path
from pivo.models import Manifest, StoredPack
from pivo.progress import Progress, silent
from pivo.snapshot import manifest as manifests
from pivo.snapshot.archive import Archive
from pivo.snapshot.publish import settle
from pivo.snapshot.retain import Candidate, entries, record, store_clock, survey
from pivo.store import Store
from pivo.verify import deep, shallow
from pivo.verify.reading import Reading
from pivo.verify.report import failure
from pivo.verify.witness import Witness

Told = Callable[[str, tuple[StoredPack, ...]], None]
"""Puts on the audit log that packs go which the snapshot of that folder name records; raises when it cannot."""


@dataclass(frozen=True)
class Retained:
    """What a run came to: the packs that went (or would go), `snapshot` that records it, `bytes` of their files."""

    repo: str
    packs: tuple[str, ...]
    bytes: int
    snapshot: str = ""


def retain(
    store: Store,
    events: EventLog,
    repo: str,
    *,
    days: int,
    who: str,
    told: Told,
    scratch: Path,
    environment: Mapping[str, str],
    witness: Witness | None = None,
    dry_run: bool = False,
    progress: Progress = silent,
    now: datetime | None = None,
) -> Retained | None:
    """Removes the packs of `repo` that were replaced `days` or more days ago; None when there are none.

    ArchiveError for any doubt, Unavailable while Kafka is away: nothing is removed then. `scratch` needs room for all
    packs. With `dry_run` nothing is proven or changed.
    """
    if not dry_run:
        settle(store, repo)
    archive = Archive(store)
    found = survey(archive, repo)
    chosen = found.candidates(days, now or datetime.now(UTC), datetime.now(UTC) if dry_run else store_clock(store))
    if not dry_run:
        _seal(store, repo, [found.packs[key] for key in found.removed])
    going = tuple([c.pack for c in chosen] + found.leftovers(store))
    result = Retained(repo, tuple(p.key for p in going), sum(p.file_size for p in going))
    if dry_run or not going:
        return result if going else None
    newest = found.newest
    _announced(store, events, newest, progress)
    sha256 = _prove(archive, newest, scratch, environment, witness, progress)
    newest = _recorded(archive, newest, sha256, chosen, f"replaced_packs_days: {days}", who)
    _believed(archive, repo, going)
    _announced(store, events, newest, progress)
    told(newest.dirname, going)
    for number, pack in enumerate(going):
        progress("removing replaced packs", number, len(going))
        store.remove_replaced(f"{repo}/{pack.snapshot}/{pack.file_name}")
    return Retained(repo, result.packs, result.bytes, newest.removed_in[-1])


def _prove(
    archive: Archive,
    newest: Manifest,
    scratch: Path,
    environment: Mapping[str, str],
    witness: Witness | None,
    progress: Progress,
) -> str:
    """That the repository is whole, and the newest snapshot's packs alone have all; the SHA-256 of its manifest."""
    result = deep.verify(archive, newest.repo, scratch, environment, witness, progress)
    wrong = failure([result])
    if wrong:
        raise ArchiveError(f"Nothing was removed. {wrong.what}", wrong.do)
    raw = archive.manifest_bytes(newest.repo, newest.dirname)
    sha256 = manifests.digest(raw)
    if sha256 != result.manifest_sha256 or manifests.load(raw, newest.dirname) != newest:
        raise ArchiveError(
            f"Nothing was removed: {newest.repo} got another snapshot while it was verified.", "Run it again."
        )
    return sha256


def _recorded(
    archive: Archive, newest: Manifest, sha256: str, chosen: list[Candidate], policy: str, who: str
) -> Manifest:
    if not chosen:
        return newest
    return record(archive, newest, sha256, entries(archive.store, newest.repo, chosen, policy, who))


def _believed(archive: Archive, repo: str, going: tuple[StoredPack, ...]) -> None:
    """That a verification will excuse each of these packs for being gone, by what is published now."""
    chain = shallow.begin(archive, Reading(archive.store), repo, Witness())
    if doubted := sorted({p.key for p in going} - chain.excused):
        why = f" {chain.findings[0]}" if chain.findings else ""
        raise ArchiveError(
            f"Nothing was removed: no verification would take the record for proof that {doubted[0]} may be.{why}",
            "Verify the archive.",
        )


def _announced(store: Store, events: EventLog, manifest: Manifest, progress: Progress) -> None:
    """That Kafka has heard of all snapshots up to this one: it is the second witness of what was removed."""
    done = events.announced(manifest.repo)
    if done == manifest.seq - 1 and manifest.removed:
        events.announce(manifest, (), (), hdfs_path(store, manifest.repo, manifest.dirname), progress)
    elif done < manifest.seq:
        raise Unavailable(
            f"Nothing was removed: {manifest.repo}'s snapshot {manifest.seq} is not announced yet.",
            "Run `pivo ingest` for it, then this again.",
        )


def _seal(store: Store, repo: str, packs: list[StoredPack]) -> None:
    """Closes the folders in which packs were: one may have been left open by a run that was killed."""
    for snapshot in sorted({p.snapshot for p in packs}):
        store.seal(f"{repo}/{snapshot}")
