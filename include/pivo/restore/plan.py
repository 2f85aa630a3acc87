"""The plan of a restore: everything decided and checked, nothing touched."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pivo.errors import ArchiveError, NotFound, UsageError
from pivo.models import SNAPSHOT_DIR, ZERO, Manifest, Ref, RepoName, Segment, StoredPack
from pivo.restore.target import Kind, Target, check
from pivo.restore.withheld import Withheld, split
from pivo.settings import Settings
from pivo.snapshot.archive import Archive, parse_when
from pivo.store import open_store

FORMAT = 1
PLAN = "plan.json"
_DEFAULT_BRANCH = "main"


@dataclass(frozen=True)
class RestorePlan:
    """What one restore will do.

    `commit` is the full hash (ZERO for a repository that had no commits) and `commit_date` its committer date
    (ISO 8601, UTC; empty without a commit). `refs` will be pushed: the branch `branch` at `commit`. `tags` are
    the snapshot's tags; those that `commit` reaches are pushed with it, which only `reconstruct` can tell. `packs`
    hold the objects; `bytes` is their size with indices. `target` is as given, `creates` says in a sentence
    what will be made there. With `all_refs`, `refs` are all refs of the snapshot that the target takes, `withheld`
    those that it does not, `tags` is empty, and `commit` is HEAD's (ZERO when HEAD was unborn). `lfs` says that the
    snapshot knows of git LFS objects: those that the restored history points to are brought along. `symrefs` are those
    of `refs` that follow another one of them, by name, and that one.
    """

    run_id: str
    repo: str
    ref: str
    commit: str
    subject: str
    commit_date: str
    branch: str
    refs: tuple[Ref, ...]
    tags: tuple[Ref, ...]
    snapshot: str
    packs: tuple[StoredPack, ...]
    target: str
    target_kind: Kind
    creates: str
    bytes: int
    all_refs: bool = False
    withheld: tuple[Withheld, ...] = ()
    lfs: bool = False
    symrefs: tuple[tuple[str, str], ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to push: the target is made, and stays empty."""
        return not self.refs

    @property
    def short(self) -> str:
        return self.commit[:12]

    @property
    def volume(self) -> str:
        """How much is read, in words."""
        return f"{self.bytes:,} bytes in {len(self.packs)} pack{'' if len(self.packs) == 1 else 's'}"

    def to_json(self) -> str:
        return json.dumps({"format": FORMAT} | asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> RestorePlan:
        """UsageError when `text` is not a plan of this version."""
        try:
            data: dict[str, Any] = json.loads(text)
            if data.pop("format") != FORMAT:
                raise ValueError("format")
            for name in ("refs", "tags"):
                data[name] = tuple(Ref(**r) for r in data[name])
            data["symrefs"] = tuple((name, to) for name, to in data["symrefs"])
            data["withheld"] = tuple(Withheld(**w) for w in data["withheld"])
            packs = []
            for pack in data["packs"]:
                pack["segments"] = tuple(Segment(**s) for s in pack["segments"])
                pack["bases"] = tuple(pack["bases"])
                packs.append(StoredPack(**pack))
            return cls(**data | {"packs": tuple(packs)})
        except (ValueError, TypeError, KeyError) as err:
            raise UsageError(
                f"This is not a restore plan of this version ({err}).", "Plan the restore again."
            ) from None

    def save(self, path: Path) -> Path:
        """Write the plan to a file, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        part.write_text(self.to_json(), encoding="utf-8")
        part.rename(path)
        return path

    @classmethod
    def load(cls, path: Path) -> RestorePlan:
        """Read a plan that `save` wrote."""
        try:
            return cls.from_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise NotFound(f"There is no restore plan at {path}.", "Start the restore again.") from None


def run_folder(staging: Path, run_id: str) -> Path:
    """The staging folder of a run: its id made safe for a path, and told apart from similar ids."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "_", run_id)[:80].strip("._-") or "run"
    return staging / f"{safe}-{hashlib.sha256(run_id.encode()).hexdigest()[:8]}"


def repo_folder(staging: Path, run_id: str, repo: str) -> Path:
    """The folder of one repository in a run's staging folder; no repository's folder is in another one's.

    UsageError for what is no repository's name.
    """
    return run_folder(staging, run_id) / str(RepoName.parse(repo)).replace("/", "+")


def validate(
    settings: Settings,
    *,
    repo: str,
    ref: str,
    target: str,
    run_id: str = "",
    commit: str = "",
    all_refs: bool = False,
) -> RestorePlan:
    """The plan for restoring `repo` at `ref` to `target`; touches nothing.

    Resolves `ref`, checks that every pack is in the archive with its manifest's size, and that the target is
    allowed and absent or empty. With `all_refs` the whole repository comes back as a snapshot has it: `ref` is HEAD,
    a date or a snapshot's folder. `commit` is what an earlier plan resolved to: UsageError when it differs now.
    """
    name, goal = RepoName.parse(repo), Target.parse(target)
    goal.allow(settings.restore_roots)
    archive = Archive(open_store(settings.archive, settings.archive_reader))
    try:
        point = _snapshot(archive, name, ref) if all_refs else _commit(archive, name, ref)
        manifest, oid, subject, date = point.manifest, point.commit, "", ""
        if oid != ZERO:
            found = archive.objects(manifest).commit(oid)
            subject, date = found.subject, datetime.fromtimestamp(found.committer.time, UTC).isoformat()
    except (NotFound, ArchiveError):
        # a file that is missing or short is the better answer, if that is why
        check_packs(archive, name, archive.require(name).packs)
        raise
    if commit and commit != oid:
        raise UsageError(
            f"{ref} of {repo} is {oid[:12]} now, not {commit[:12]} as it was when the restore was proposed.",
            "Look at the new proposal, or give the full hash.",
        )
    branch = _branch(point, all_refs)
    refs, withheld = split(manifest.refs if all_refs else point.branch(branch), goal.kind)
    tags = tuple(r for r in manifest.refs if r.name.startswith("refs/tags/")) if refs and not all_refs else ()
    packs = archive.packs(manifest) if refs else ()
    check_packs(archive, name, packs)
    return RestorePlan(
        run_id=run_id,
        repo=str(name),
        ref=ref,
        commit=oid,
        subject=subject,
        commit_date=date,
        branch=branch,
        refs=refs,
        tags=tags,
        snapshot=manifest.dirname,
        packs=packs,
        target=target,
        target_kind=goal.kind,
        creates=check(goal, settings.forge, settings.git),
        bytes=sum(p.file_size for p in packs),
        all_refs=all_refs,
        withheld=withheld,
        symrefs=manifest.symrefs if all_refs else (),
        lfs=bool(refs and (manifest.lfs_in or manifest.lfs_missing)),
    )


@dataclass(frozen=True)
class _Point:
    """What is restored: a commit (ZERO for none) as it stands in a snapshot, and the ref that it was named by."""

    manifest: Manifest
    commit: str
    by: str | None

    def branch(self, name: str) -> tuple[Ref, ...]:
        """One branch at the commit; none without a commit."""
        return () if self.commit == ZERO else (Ref(f"refs/heads/{name}", self.commit),)


def _commit(archive: Archive, repo: RepoName, ref: str) -> _Point:
    latest = archive.require(repo)
    if _was_empty(latest, ref):
        return _Point(latest, ZERO, latest.head_ref)
    resolved = archive.resolve(repo, ref)
    return _Point(resolved.snapshot, resolved.commit, resolved.ref)


def _snapshot(archive: Archive, repo: RepoName, ref: str) -> _Point:
    """The whole snapshot that `ref` names: the newest (HEAD), that of a date, or one by its folder's name."""
    manifest: Manifest | None = archive.require(repo)
    if ref.startswith("@") and ref != "@":
        when = parse_when(ref[1:])
        manifest = archive.as_of(repo, when)
        if manifest is None:
            first = archive.manifest(repo, archive.snapshots(repo)[0].dirname)
            raise NotFound(
                f"{repo} has no snapshot from before {when:%Y-%m-%d %H:%M} UTC; "
                f"the first is from {first.taken_at:%Y-%m-%d %H:%M}.",
                "Give a later date; without --all-refs one branch comes back by the commits' own dates.",
            )
    elif SNAPSHOT_DIR.match(ref):
        if all(s.dirname != ref for s in archive.snapshots(repo)):
            raise NotFound(f"{repo} has no snapshot {ref}.", f"`pivo snapshots {repo}` lists them.")
        manifest = archive.manifest(repo, ref)
    elif ref not in {"HEAD", "@"}:
        raise UsageError(
            f"All refs of {repo} come back as of a snapshot, and {ref[:80]!a} names none.",
            "Give @2026-11-20, HEAD or a snapshot's folder; or leave --all-refs away.",
        )
    assert manifest is not None
    return _Point(manifest, manifest.head, manifest.head_ref)


def check_packs(archive: Archive, repo: RepoName, packs: Iterable[StoredPack]) -> None:
    """That every pack, with its index, is in the archive with its size; ArchiveError names the first that is not."""
    wanted: dict[str, dict[str, int]] = {}
    for pack in packs:
        files = wanted.setdefault(pack.snapshot, {})
        files[pack.file_name] = pack.file_size

    def look(folder: str) -> str | None:
        try:
            there = {e.name: e.size for e in archive.store.list(archive.path(repo, folder))}
        except NotFound:
            there = {}
        for name, size in wanted[folder].items():
            where = archive.path(repo, folder, name)
            if name not in there:
                return f"{where} is missing from the archive"
            if there[name] != size:
                return f"{where} has {there[name]:,} bytes and should have {size:,}"
        return None

    with ThreadPoolExecutor(8) as pool:
        wrong = [said for said in pool.map(look, wanted) if said]
    if wrong:
        more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        raise ArchiveError(
            f"{repo} cannot be restored from this snapshot: {wrong[0]}{more}.",
            "Verify the archive; an earlier snapshot may still be whole.",
        )


def _was_empty(latest: Manifest, ref: str) -> bool:
    """Whether `ref` means the state of a repository that has no commits at all."""
    names = {"HEAD", "@", latest.head_ref, (latest.head_ref or "").removeprefix("refs/heads/")}
    return latest.head == ZERO and not latest.refs and not latest.packs and ref in names


def _branch(point: _Point, all_refs: bool) -> str:
    """The restored branch: the one that was asked for, else the snapshot's default branch.

    A detached HEAD has none: then, of all refs, a branch that stands on the same commit, or any.
    """
    for name in (point.by, point.manifest.head_ref):
        if name and name.startswith("refs/heads/"):
            return name.removeprefix("refs/heads/")
    if all_refs:
        heads = [r for r in point.manifest.refs if r.name.startswith("refs/heads/")]
        for ref in sorted(heads, key=lambda r: (r.commit != point.commit, r.name)):
            return ref.name.removeprefix("refs/heads/")
    return _DEFAULT_BRANCH
