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
from pivo.models import ZERO, Manifest, Ref, RepoName, Segment, StoredPack
from pivo.restore.target import Kind, Target, check
from pivo.settings import Settings
from pivo.snapshot.archive import Archive
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
    what will be made there.
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

    @property
    def empty(self) -> bool:
        """Whether the repository had no commits: the target is made and nothing is pushed."""
        return self.commit == ZERO

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
            packs = []
            for pack in data["packs"]:
                pack["segments"] = tuple(Segment(**s) for s in pack["segments"])
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
    """The folder of one repository in a run's staging folder."""
    return run_folder(staging, run_id) / repo


def validate(
    settings: Settings, *, repo: str, ref: str, target: str, run_id: str = "", commit: str = ""
) -> RestorePlan:
    """The plan for restoring `repo` at `ref` to `target`; touches nothing.

    Resolves `ref`, checks that every pack is in the archive with its manifest's size, and that the target is
    allowed and absent or empty. `commit` is what an earlier plan resolved to: UsageError when it differs now.
    """
    name, goal = RepoName.parse(repo), Target.parse(target)
    archive = Archive(open_store(settings.archive, settings.archive_reader))
    latest = archive.require(name)
    if _was_empty(latest, ref):
        manifest, oid, by, subject, date = latest, ZERO, latest.head_ref, "", ""
    else:
        resolved = archive.resolve(name, ref)
        manifest, oid, by = resolved.snapshot, resolved.commit, resolved.ref
        found = archive.objects(manifest).commit(oid)
        subject, date = found.subject, datetime.fromtimestamp(found.committer.time, UTC).isoformat()
    if commit and commit != oid:
        raise UsageError(
            f"{ref} of {repo} is {oid[:12]} now, not {commit[:12]} as it was when the restore was proposed.",
            "Look at the new proposal, or give the full hash.",
        )
    check_packs(archive, name, manifest.packs)
    branch = _branch(manifest, by)
    return RestorePlan(
        run_id=run_id,
        repo=str(name),
        ref=ref,
        commit=oid,
        subject=subject,
        commit_date=date,
        branch=branch,
        refs=() if oid == ZERO else (Ref(f"refs/heads/{branch}", oid),),
        tags=tuple(r for r in manifest.refs if r.name.startswith("refs/tags/")) if oid != ZERO else (),
        snapshot=manifest.dirname,
        packs=manifest.packs if oid != ZERO else (),
        target=target,
        target_kind=goal.kind,
        creates=check(goal, settings.forge),
        bytes=sum(p.size + p.idx_size for p in manifest.packs) if oid != ZERO else 0,
    )


def check_packs(archive: Archive, repo: RepoName, packs: Iterable[StoredPack]) -> None:
    """That every pack and index is in the archive with its size; ArchiveError names the first that is not."""
    wanted: dict[str, dict[str, int]] = {}
    for pack in packs:
        files = wanted.setdefault(pack.snapshot, {})
        files |= {pack.pack_name: pack.size, pack.idx_name: pack.idx_size}

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


def _branch(manifest: Manifest, by: str | None) -> str:
    """The restored branch: the one that was asked for, else the snapshot's default branch."""
    for name in (by, manifest.head_ref):
        if name and name.startswith("refs/heads/"):
            return name.removeprefix("refs/heads/")
    return _DEFAULT_BRANCH
