"""What a snapshot added: its new commits and how its refs moved. From a fresh fetch, or again from the archive."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from pivo.models import Commit, Manifest, Ref, RefUpdate
from pivo.progress import Progress, silent
from pivo.snapshot.archive import Archive
from pivo.snapshot.objects import ObjectReader
from pivo.snapshot.workspace import Workspace


def tips(manifest: Manifest) -> list[str]:
    """What the snapshot's refs lead to, its detached HEAD included; no id twice."""
    ids = {r.commit for r in manifest.refs}
    if manifest.head.strip("0"):
        ids.add(manifest.head)
    return sorted(ids)


def ref_updates(previous: Sequence[Ref], refs: Sequence[Ref], parents: Iterable[str]) -> list[RefUpdate]:
    """How refs moved. A move is proven a fast-forward where the old tip is a parent of a new commit (`parents`)."""
    proven = set(parents)
    old = {r.name: r for r in previous}
    new = {r.name: r for r in refs}
    moved: list[RefUpdate] = []
    for name in sorted(old.keys() | new.keys()):
        was, now = old.get(name), new.get(name)
        if was is None or now is None:
            moved.append(RefUpdate(name, was.target if was else None, now.target if now else None))
        elif was.target != now.target:
            moved.append(RefUpdate(name, was.target, now.target, forced=was.commit not in proven))
    return moved


def still_lost(previous: Manifest | None, refs: Sequence[Ref], parents: Iterable[str]) -> tuple[str, ...]:
    """Former tips that the new refs may not reach, those of earlier snapshots included."""
    if previous is None:
        return ()
    reached = {r.target for r in refs} | {r.commit for r in refs} | set(parents)
    former = {*previous.lost, *(r.target for r in previous.refs), *tips(previous)}
    # A peeled tag is covered by the tag object itself.
    peeled = {r.peeled for r in previous.refs if r.peeled and r.target in former}
    return tuple(sorted(former - reached - peeled))


def reopen(archive: Archive, manifest: Manifest, path: Path, environment: Mapping[str, str]) -> Workspace:
    """A workspace with the packs that a published snapshot added, as it was when they were fetched."""
    earlier = [p for p in manifest.packs if p.snapshot != manifest.dirname]
    known = ObjectReader(archive.store, manifest, packs=earlier) if earlier else None
    workspace = Workspace(path, known, environment)
    for pack in manifest.own_packs:
        for name in (pack.pack_name, pack.idx_name):
            with (path / "objects" / "pack" / name).open("wb") as out:
                for chunk in archive.store.stream(archive.path(manifest.repo, pack.snapshot, name)):
                    out.write(chunk)
    workspace.border()
    return workspace


def commits_of_snapshot(
    archive: Archive, manifest: Manifest, path: Path, environment: Mapping[str, str], progress: Progress = silent
) -> Iterator[Commit]:
    """The commits that a published snapshot added, parents first, each with its changed files."""
    with reopen(archive, manifest, path, environment) as workspace:
        yield from workspace.commits(tips(manifest), progress)
