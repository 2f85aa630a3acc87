"""What a snapshot added: its new commits and how its refs moved. From a fresh fetch, or again from the archive."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from pivo.models import Commit, Manifest, Ref, RefUpdate, StoredPack
from pivo.progress import Progress, silent
from pivo.snapshot.archive import Archive
from pivo.snapshot.objects import ObjectReader
from pivo.snapshot.packidx import copy_out
from pivo.snapshot.repack import Repack
from pivo.snapshot.thin import lay_named
from pivo.snapshot.workspace import Workspace


def tips(manifest: Manifest) -> list[str]:
    """What the snapshot's refs lead to, its detached HEAD included; no id twice."""
    ids = {r.commit for r in manifest.refs}
    if manifest.head.strip("0"):
        ids.add(manifest.head)
    return sorted(ids)


Reaches = Callable[[str, str], bool]
"""`reaches(tip, old)`: whether it is proven that commit `old` is an ancestor of `tip`."""


def ref_updates(
    previous: Sequence[Ref], refs: Sequence[Ref], parents: Iterable[str], reaches: Reaches
) -> list[RefUpdate]:
    """How refs moved. A move is a fast-forward where the new target `reaches` the old one.

    `parents` are the archived parents of new commits: what is among them is reached without a walk.
    """
    proven = set(parents)
    old = {r.name: r for r in previous}
    new = {r.name: r for r in refs}
    moved: list[RefUpdate] = []
    for name in sorted(old.keys() | new.keys()):
        was, now = old.get(name), new.get(name)
        if was is None or now is None:
            moved.append(RefUpdate(name, was.target if was else None, now.target if now else None))
        elif was.target != now.target:
            kept = was.commit in proven or reaches(now.commit, was.commit)
            moved.append(RefUpdate(name, was.target, now.target, forced=not kept))
    return moved


def still_lost(
    previous: Manifest | None, refs: Sequence[Ref], parents: Iterable[str], reaches: Reaches
) -> tuple[str, ...]:
    """Former tips that the new refs may not reach, those of earlier snapshots included."""
    if previous is None:
        return ()
    now = {r.name: r.commit for r in refs}
    reached = {r.target for r in refs} | {r.commit for r in refs} | set(parents)
    former = {*previous.lost, *(r.target for r in previous.refs), *tips(previous)}
    # A peeled tag is covered by the tag object itself.
    peeled = {r.peeled for r in previous.refs if r.peeled and r.target in former}
    kept = {
        r.commit
        for r in previous.refs
        if r.commit in former - reached - peeled and r.name in now and reaches(now[r.name], r.commit)
    }
    return tuple(sorted(former - reached - peeled - kept))


def reopen(archive: Archive, manifest: Manifest, path: Path, environment: Mapping[str, str]) -> Workspace:
    """A workspace with the packs that a published snapshot added, as it was when they were fetched.

    Empty for one that only consolidates: it added no history.
    """
    packs = archive.packs(manifest)
    earlier = [p for p in packs if p.snapshot != manifest.dirname]
    known = ObjectReader(archive.store, manifest, packs=earlier) if earlier else None
    workspace = Workspace(path, known, environment)
    for pack in () if manifest.replaces else manifest.own_packs:
        if known and pack not in packs:
            _pick(archive, manifest, pack, workspace, environment)
        elif not pack.thin:
            copy_out(archive.store, manifest.repo, pack, path / "objects" / "pack")
        elif known:
            bench = workspace.bench
            bench.folder.mkdir()
            copy_out(archive.store, manifest.repo, pack, bench.folder)
            thin = bench.folder / pack.pack_name
            lay_named(bench, [(thin, pack)], known)
            bench.complete([thin])
    workspace.border()
    return workspace


def _pick(
    archive: Archive, manifest: Manifest, pack: StoredPack, workspace: Workspace, environment: Mapping[str, str]
) -> None:
    """Brings the objects of a pack that was removed, out of the one that holds them now."""
    successors = archive.successors(manifest)
    assert successors and workspace.known
    stands = successors.standing(pack)
    repack = Repack(workspace.path.with_name(f"{workspace.path.name}-picked"), environment)
    try:
        repack.fetch(archive, manifest.repo, stands)
        ids = successors.ids(archive.store, manifest.repo, pack)
        repack.pick(workspace.known, ids, workspace.path / "objects" / "pack")
    finally:
        repack.discard()


def commits_of_snapshot(
    archive: Archive, manifest: Manifest, path: Path, environment: Mapping[str, str], progress: Progress = silent
) -> Iterator[Commit]:
    """The commits that a published snapshot added, parents first, each with its changed files."""
    with reopen(archive, manifest, path, environment) as workspace:
        yield from workspace.commits(tips(manifest), progress)
