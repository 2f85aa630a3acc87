"""When packs are consolidated, and how it is told: after a snapshot by itself, or when a person asks for it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from pivo.errors import PivoError
from pivo.events import EventLog
from pivo.ingest import hdfs_path
from pivo.models import Manifest, RepoName
from pivo.progress import Progress, silent
from pivo.snapshot.archive import Archive
from pivo.snapshot.consolidate import consolidate, due
from pivo.store import Store

_log = logging.getLogger(__name__)


def consolidated(
    store: Store,
    events: EventLog,
    repo: RepoName,
    *,
    scratch: Path,
    environment: Mapping[str, str],
    everything: bool = False,
    progress: Progress = silent,
) -> Manifest | None:
    """Consolidates and announces the snapshot, without any commit; None when there was nothing to do.

    Raises what `snapshot.consolidate.consolidate` does. Where an earlier snapshot waits to be announced, or Kafka is
    away, the next ingest announces this one in its turn.
    """
    manifest = consolidate(
        store, repo, scratch=scratch, environment=environment, everything=everything, progress=progress
    )
    if manifest is not None:
        try:
            if events.announced(manifest.repo) == manifest.seq - 1:
                events.announce(manifest, (), (), hdfs_path(store, manifest.repo, manifest.dirname), progress)
        except PivoError as err:
            _log.warning("%s of %s is announced later: %s", manifest.dirname, repo, err.what)
    return manifest


def after_snapshot(
    store: Store,
    events: EventLog,
    repo: RepoName,
    *,
    scratch: Path,
    environment: Mapping[str, str],
    progress: Progress = silent,
) -> Manifest | None:
    """As :func:`consolidated`, when it is due. The night's snapshot is published: no failure here is its failure."""
    try:
        latest = Archive(store).latest(repo)
        if latest is None or not due(latest):
            return None
        return consolidated(store, events, repo, scratch=scratch, environment=environment, progress=progress)
    except PivoError as err:
        _log.warning("%s is not consolidated this time: %s %s", repo, err.what, err.do)
        return None
