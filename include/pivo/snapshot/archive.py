"""The archive as a whole: which repositories and snapshots it holds, and what a ref that a person gives means."""

from __future__ import annotations

import difflib
import re
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time
from threading import Lock

from pivo.errors import AmbiguousRef, NotFound, UsageError
from pivo.models import SNAPSHOT_DIR, ZERO, Manifest, RepoName, Resolved, StoredPack
from pivo.snapshot import manifest as manifests
from pivo.snapshot.objects import ObjectReader
from pivo.snapshot.successors import Successors
from pivo.store import Entry, Store

_MANIFESTS = 32  # kept in memory by an Archive, and by the process of the newest ones
_NEWEST: OrderedDict[str, Manifest] = OrderedDict()
_LOCK = Lock()
_HEX = re.compile(r"^[0-9a-f]{4,40}$")
_DATED = re.compile(r"^(?P<branch>.*)@(?P<when>\d{4}-\d{2}-\d{2}([T ][\d:.]+)?(Z|[+-]\d{2}:?\d{2})?)$")
_ANCESTRY = re.compile(r"^(?P<of>[^~^]+)(?P<steps>([~^]\d*)+)$")
_PREFIXES = ("", "refs/", "refs/heads/", "refs/tags/")  # as gitrevisions(7), with branches before tags


@dataclass(frozen=True, order=True)
class SnapshotId:
    """A published snapshot: its number and its folder's name."""

    seq: int
    dirname: str


class Archive:
    """Reads what is published. Nothing here writes."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._manifests: OrderedDict[str, Manifest] = OrderedDict()  # what is published never changes
        self._removed: dict[str, tuple[int, tuple[str, ...]]] = {}  # each newest number, and its `removed_in`
        self._lock = Lock()

    def path(self, repo: RepoName | str, dirname: str, filename: str = "") -> str:
        """Where a snapshot, or a file of it, lies in the store."""
        return f"{repo}/{dirname}/{filename}".rstrip("/")

    def repos(self) -> list[RepoName]:
        """All repositories with at least one snapshot, sorted."""
        found: list[RepoName] = []
        for top in self._folders(""):
            inside = self._folders(top)
            if any(SNAPSHOT_DIR.match(name) for name in inside):
                found.append(RepoName(None, top))
            for name in inside:
                if not SNAPSHOT_DIR.match(name) and any(map(SNAPSHOT_DIR.match, self._folders(f"{top}/{name}"))):
                    found.append(RepoName(top, name))
        return sorted(found, key=str)

    def _folders(self, path: str) -> list[str]:
        try:
            return [e.name for e in self.store.list(path) if e.is_dir and e.name != ".incoming"]
        except NotFound:
            return []

    def snapshots(self, repo: RepoName | str) -> list[SnapshotId]:
        """A repository's snapshots, oldest first; empty when there is none."""
        names = self._folders(str(repo))
        return sorted(SnapshotId(int(m[1]), m[0]) for m in map(SNAPSHOT_DIR.match, names) if m)

    def manifest_bytes(self, repo: RepoName | str, dirname: str) -> bytes:
        return self.store.read(self.path(repo, dirname, manifests.NAME))

    def manifest(self, repo: RepoName | str, dirname: str) -> Manifest:
        """The manifest of one snapshot, read once; ArchiveError when it is damaged."""
        path = self.path(repo, dirname, manifests.NAME)
        with self._lock:
            found = self._manifests.get(path)
        if found is None:
            found = manifests.load(self.store.read(path), f"{self.store.url}/{path}")
            with self._lock:
                self._manifests[path] = found
                while len(self._manifests) > _MANIFESTS:
                    self._manifests.popitem(last=False)
        return found

    def latest(self, repo: RepoName | str) -> Manifest | None:
        """The newest snapshot of a repository, or None."""
        known = self.snapshots(repo)
        return self._noted(repo, self.manifest(repo, known[-1].dirname)) if known else None

    def _noted(self, repo: RepoName | str, newest: Manifest) -> Manifest:
        with self._lock:
            self._removed[str(repo)] = newest.seq, newest.removed_in
        return newest

    def newest(self, repo: RepoName | str, entries: Iterable[Entry]) -> Manifest | None:
        """As :meth:`latest`, from what a listing of the repository's folder has shown.

        Its manifest is read once in the life of the process: what is published never changes.
        """
        found = [e for e in entries if e.is_dir and SNAPSHOT_DIR.match(e.name)]
        if not found:
            return None
        last = max(found, key=lambda e: (int(e.name.partition("-")[0]), e.name))
        # The time tells it from one of the same name in an archive that was made anew.
        key = f"{self.store.url}/{self.path(repo, last.name)}@{last.modified}"
        with _LOCK:
            manifest = _NEWEST.get(key)
        if manifest is None:
            manifest = self.manifest(repo, last.name)
            with _LOCK:
                _NEWEST[key] = manifest
                while len(_NEWEST) > _MANIFESTS:
                    _NEWEST.popitem(last=False)
        return self._noted(repo, manifest)

    def require(self, repo: RepoName | str) -> Manifest:
        """The newest snapshot; NotFound, with similar names, when the repository has none."""
        manifest = self.latest(repo)
        if manifest is None:
            names = [str(r) for r in self.repos()]
            close = difflib.get_close_matches(str(repo), names, n=3, cutoff=0.5)
            hint = f"Did you mean {', '.join(close)}?" if close else "`pivo snapshots` lists what is archived."
            raise NotFound(f"No repository {repo} is in the archive.", hint)
        return manifest

    def as_of(self, repo: RepoName | str, when: datetime) -> Manifest | None:
        """The newest snapshot taken at or before `when` (aware); None when all are later."""
        known = self.snapshots(repo)
        low, high = 0, len(known)
        best: Manifest | None = None
        while low < high:  # times never fall along the sequence: ingest sees to it
            middle = (low + high) // 2
            manifest = self.manifest(repo, known[middle].dirname)
            if manifest.taken_at <= when:
                best, low = manifest, middle + 1
            else:
                high = middle
        return best

    def objects(self, manifest: Manifest) -> ObjectReader:
        """A reader of all objects that the snapshot's packs hold, those of lost commits included."""
        return ObjectReader(self.store, manifest, packs=self.packs(manifest))

    def packs(self, manifest: Manifest) -> tuple[StoredPack, ...]:
        """The packs that hold a snapshot's objects now: in the place of removed ones, those that replaced them."""
        successors = self.successors(manifest)
        return successors.packs(manifest.packs) if successors else manifest.packs

    def successors(self, manifest: Manifest) -> Successors | None:
        """What was removed from the repository since; None when no pack of `manifest` was."""
        if manifest.repo not in self._removed:
            self.latest(manifest.repo)
        newest, removed_in = self._removed.get(manifest.repo, (0, ()))
        if newest <= manifest.seq or not removed_in:
            return None
        found = Successors(lambda dirname: self.manifest(manifest.repo, dirname), removed_in)
        return found if any(p.key in found.removed for p in manifest.packs) else None

    def resolve(self, repo: RepoName | str, ref: str) -> Resolved:
        """What `ref` means: HEAD, a branch, a tag, a full ref name, a full or short hash, `@date`, `branch@date`; an
        ancestor of any of these, as git writes it (`main~3`, `v1^2`).

        A branch or tag that is gone is found in the newest snapshot that still had it. A short hash may name any
        commit ever archived, lost ones included. NotFound, or AmbiguousRef with the candidates.
        """
        ref = ref.strip()
        latest = self.require(repo)
        if not ref or ref.startswith("-") or any(not c.isprintable() for c in ref):
            raise UsageError(f"{ref!r} is not a ref.", "Give a commit, a branch, a tag, or @2026-11-20.")
        if latest.head == ZERO and not latest.refs and not latest.packs:
            raise NotFound(
                f"{repo} has no commits: it was empty when it was archived.", "There is nothing to name yet."
            )
        if len(ref) == 40 and _HEX.match(ref):
            return self._by_hash(latest, ref, ref)
        named = self._by_name(latest, ref)
        if named:
            return named
        ancestor = _ANCESTRY.match(ref)
        if ancestor:
            return self._ancestor(self.resolve(repo, ancestor["of"]), ancestor["steps"], ref)
        dated = _DATED.match(ref)
        if dated:
            return self._by_date(repo, latest, ref, dated["branch"], parse_when(dated["when"]))
        if _HEX.match(ref.lower()):
            return self._by_hash(latest, ref.lower(), ref)
        for snapshot in reversed(self.snapshots(repo)[:-1]):
            named = self._by_name(self.manifest(repo, snapshot.dirname), ref)
            if named:
                return named
        names = [_short(r.name) for r in latest.refs]
        close = difflib.get_close_matches(ref, names, n=3, cutoff=0.6)
        hint = f"Did you mean {', '.join(close)}?" if close else "Give a commit, a branch, a tag, or @2026-11-20."
        raise NotFound(f"{ref} is no commit, branch or tag of {repo} that the archive knows.", hint)

    def _by_name(self, manifest: Manifest, ref: str) -> Resolved | None:
        if ref in {"HEAD", "@"} and manifest.head != ZERO:
            return Resolved(ref, manifest.head, manifest.head_ref, manifest)
        refs = {r.name: r for r in manifest.refs}
        for prefix in _PREFIXES:
            found = refs.get(prefix + ref)
            if found and found.name.startswith("refs/"):
                return Resolved(ref, self._commit(manifest, found.commit, ref), found.name, manifest)
        return None

    def _ancestor(self, of: Resolved, steps: str, asked: str) -> Resolved:
        """Follows `~n` (the first parent, n times) and `^n` (the n-th parent); NotFound where history ends."""
        reader, oid = self.objects(of.snapshot), of.commit
        for kind, digits in re.findall(r"([~^])(\d*)", steps):
            number = int(digits or "1")
            for which in [1] * number if kind == "~" else [number] * bool(number):
                parents = reader.commit(oid).parents
                if which > len(parents):
                    raise NotFound(
                        f"{asked} of {of.snapshot.repo} goes back further than its history: {oid[:12]} has "
                        f"{len(parents)} parent{'' if len(parents) == 1 else 's'}.",
                        "Give a later commit.",
                    )
                oid = parents[which - 1]
        return Resolved(asked, oid, None, of.snapshot)

    def _commit(self, manifest: Manifest, oid: str, asked: str) -> str:
        commit, kind = self.objects(manifest).peel(oid)
        if kind != "commit":
            raise NotFound(f"{asked} of {manifest.repo} leads to a {kind}, not to a commit.", "Give a commit.")
        return commit

    def _by_hash(self, latest: Manifest, prefix: str, asked: str) -> Resolved:
        reader = self.objects(latest)
        commits: list[str] = []
        others: list[str] = []
        for oid in reader.with_prefix(prefix):
            kind = reader.kind(oid)
            peeled, kind = reader.peel(oid) if kind == "tag" else (oid, kind)
            if kind == "commit" and peeled not in commits:
                commits.append(peeled)
            elif kind != "commit":
                others.append(kind)
        if len(commits) > 1:
            raise AmbiguousRef(
                f"{asked} is the beginning of {len(commits)} commits of {latest.repo}.",
                "Give more digits.",
                tuple(commits),
            )
        if not commits:
            if others:
                raise NotFound(f"{asked} of {latest.repo} is a {others[0]}, not a commit.", "Give a commit.")
            raise NotFound(
                f"No commit of {latest.repo} that the archive knows begins with {asked}.",
                "Only what was pushed when a snapshot was taken is known; `pivo log` lists it.",
            )
        return Resolved(asked, commits[0], None, latest)

    def _by_date(self, repo: RepoName | str, latest: Manifest, asked: str, branch: str, when: datetime) -> Resolved:
        manifest = self.as_of(repo, when)
        if manifest is not None:
            found = self._by_name(manifest, branch or "HEAD")
            if found is None:
                raise NotFound(f"{repo} had no {branch or 'HEAD'} on {when:%Y-%m-%d %H:%M} UTC.", "Give another date.")
            return Resolved(asked, found.commit, found.ref, manifest)
        # Before the first snapshot only the commits' own dates can tell.
        first = self.manifest(repo, self.snapshots(repo)[0].dirname)
        tip = self._by_name(first, branch or "HEAD")
        reader = self.objects(first)
        oid = tip.commit if tip else None
        while oid is not None and tip is not None:
            commit = reader.commit(oid)
            if commit.committer.time <= when.timestamp():
                return Resolved(asked, oid, tip.ref, first)
            oid = commit.parents[0] if commit.parents else None
        raise NotFound(f"{repo} has no commit from before {when:%Y-%m-%d %H:%M} UTC.", "Give a later date.")


def parse_when(text: str) -> datetime:
    """`2026-11-20` (the end of that day, UTC) or `2026-11-20T12:00[+02:00]` as an aware time."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a date.", "Write 2026-11-20 or 2026-11-20T12:00.") from None
    if len(text) == 10:
        when = datetime.combine(when.date(), time.max)
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _short(name: str) -> str:
    for prefix in ("refs/heads/", "refs/tags/"):
        if name.startswith(prefix):
            return name[len(prefix) :]
    return name
