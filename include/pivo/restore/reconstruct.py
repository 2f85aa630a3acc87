"""A bare repository out of downloaded packs: exactly the planned history, proven before anything leaves."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from pivo.errors import ArchiveError, PivoError, StackError, TargetError
from pivo.models import ZERO
from pivo.progress import Progress, silent
from pivo.restore import gitcli, largefiles
from pivo.restore.plan import RestorePlan
from pivo.restore.withheld import Withheld
from pivo.snapshot.thin import Bench, floors

_MANY_PACKS = 8  # from here on a multi-pack index saves more than it costs


@dataclass(frozen=True)
class Reconstructed:
    """The repository at `path`, with `objects` and `commits` that its `refs` (name → id) reach.

    `withheld` is what the snapshot has and the repository has not, the plan's own `withheld` not repeated.
    """

    path: Path
    objects: int
    commits: int
    refs: dict[str, str]
    withheld: tuple[Withheld, ...] = ()


def reconstruct(plan: RestorePlan, staging: Path, *, file_limit: int = 0, progress: Progress = silent) -> Reconstructed:
    """Make `staging`/repo.git from the packs in `staging`/packs; an earlier attempt there is replaced.

    The commit's own hash is recomputed, and everything behind every ref must be there (as `git fetch` checks it):
    ArchiveError names what is missing. The refs are the plan's, and the tags that its commit reaches; HEAD is the
    plan's branch. Files of over `file_limit` bytes (0: any) hold back the refs that reach them; TargetError when
    nothing is left then.
    """
    repo = staging / "repo.git"
    shutil.rmtree(repo, ignore_errors=True)
    branch = f"refs/heads/{plan.branch}"
    try:
        gitcli.run("init", "--quiet", "--bare", "--template=", str(repo))
        gitcli.run("symbolic-ref", "HEAD", branch, at=repo)
    except gitcli.GitFailed as err:
        raise StackError(
            f"The staging folder {staging} cannot be used: {err.reason}.", "Mend it or free space."
        ) from None
    if plan.empty:
        return Reconstructed(repo, 0, 0, {})
    _link_packs(plan, staging / "packs", repo)
    progress("check", 0, None)
    if plan.commit != ZERO:
        _prove_commit(plan, repo)
    withheld = _write_refs(plan, repo)
    objects, large = _connected(plan, repo, file_limit, progress)
    if large:
        withheld += largefiles.withhold(plan, repo, large, file_limit)
        objects, _ = _connected(plan, repo, 0, progress)
    commits = int(gitcli.run("rev-list", "--count", "--all", at=repo))
    refs = local_refs(repo)
    if not refs or (not plan.all_refs and plan.refs[0].name not in refs):
        file = next(w for w in withheld if w.what == "file")
        raise TargetError(
            f"{plan.target} would not take {plan.repo}: what was asked for reaches {file.name} ({file.why}).",
            "Restore to a git URL or file:///… instead, or raise PIVO_FILE_LIMIT where the forge takes more.",
        )
    if plan.all_refs and plan.commit not in {ZERO, *(r.commit for r in plan.refs)} and not _reached(plan, repo):
        withheld += (Withheld("head", plan.commit, "HEAD was detached there, and no ref reaches it"),)
    return Reconstructed(repo, objects, commits, refs, withheld)


def _reached(plan: RestorePlan, repo: Path) -> bool:
    return bool(gitcli.run("for-each-ref", "--count=1", f"--contains={plan.commit}", at=repo))


def local_refs(repo: Path) -> dict[str, str]:
    """Every ref of a repository and the object that it names."""
    out = gitcli.run("for-each-ref", "--format=%(objectname) %(refname)", at=repo)
    return {name: oid for oid, _, name in (line.partition(" ") for line in out.splitlines())}


def _link_packs(plan: RestorePlan, packs: Path, repo: Path) -> None:
    into = repo / "objects" / "pack"
    for pack in plan.packs:
        for name in () if pack.thin else (pack.pack_name, pack.idx_name):
            try:
                os.link(packs / name, into / name)
            except FileNotFoundError:
                raise _absent(packs / name) from None
            except OSError:  # a volume without hard links
                shutil.copyfile(packs / name, into / name)
    _complete(plan, [[packs / p.pack_name for p in floor] for floor in floors(plan.packs)], repo)
    if len(list(into.glob("*.pack"))) >= _MANY_PACKS:
        try:
            gitcli.run("multi-pack-index", "write", at=repo)
        except gitcli.GitFailed as err:
            raise _broken(plan, err.reason) from None


def _complete(plan: RestorePlan, thin: list[list[Path]], repo: Path) -> None:
    """Makes a whole pack of the thin ones of each floor, with what they build on: git reads no delta across packs."""
    absent = next((path for floor in thin for path in floor if not path.exists()), None)
    if absent:
        raise _absent(absent)
    bench = Bench(repo, gitcli.environment())
    try:
        for floor in thin:
            bench.complete(floor)
    except ArchiveError as err:
        raise _broken(plan, err.what.rstrip(".")) from None
    except OSError as err:
        raise StackError(f"{repo} cannot be written: {err.strerror}.", "Free space in the staging folder.") from None
    finally:
        shutil.rmtree(bench.folder, ignore_errors=True)


def _absent(path: Path) -> ArchiveError:
    return ArchiveError(f"{path} was not downloaded.", "Start the restore again.")


def _prove_commit(plan: RestorePlan, repo: Path) -> None:
    """That the commit is in the packs, is a commit, and that its bytes have the hash that was asked for."""
    try:
        kind = gitcli.run("cat-file", "-t", plan.commit, at=repo).strip()
        body = gitcli.run("cat-file", "commit", plan.commit, at=repo).encode("utf-8", "surrogateescape")
    except gitcli.GitFailed as err:
        raise _broken(plan, err.reason) from None
    digest = hashlib.sha1(b"commit %d\0" % len(body) + body, usedforsecurity=False).hexdigest()
    if kind != "commit" or digest != plan.commit:
        raise ArchiveError(
            f"Commit {plan.commit} of {plan.repo} has other bytes in the archive than its hash says.",
            "Nothing was pushed; verify the archive.",
        )


def _write_refs(plan: RestorePlan, repo: Path) -> tuple[Withheld, ...]:
    """Write the plan's refs and the tags that its commit reaches; the tags that it does not."""
    wanted = [f"create {r.name} {r.target}\n" for r in plan.refs + plan.tags]
    withheld: tuple[Withheld, ...] = ()
    try:
        gitcli.run("update-ref", "--stdin", at=repo, stdin="".join(wanted))
        if plan.tags:
            merged = gitcli.run("for-each-ref", "--format=%(refname)", f"--merged={plan.commit}", "refs/tags", at=repo)
            reached = set(merged.splitlines())
            left = [r.name for r in plan.tags if r.name not in reached]
            gitcli.run("update-ref", "--stdin", at=repo, stdin="".join(f"delete {name}\n" for name in left))
            withheld = tuple(Withheld("tag", name, "not of the restored commit's history") for name in left)
        gitcli.run("pack-refs", "--all", at=repo)
    except gitcli.GitFailed as err:
        raise _broken(plan, err.reason) from None
    return withheld


def _connected(plan: RestorePlan, repo: Path, file_limit: int, progress: Progress) -> tuple[int, list[str]]:
    """The number of objects that the refs reach, each of them seen, and the blobs among them over `file_limit`.

    ArchiveError when an object is missing.
    """
    count, large = 0, []
    sizes = (f"--filter=blob:limit={file_limit + 1}", "--filter-print-omitted") if file_limit else ()
    try:
        for line in gitcli.lines("rev-list", "--objects", "--no-object-names", "--all", *sizes, at=repo):
            count += 1
            if line.startswith("~"):
                large.append(line[1:])
            if count % 20000 == 0:
                progress("check", count, None)
    except gitcli.GitFailed as err:
        raise _broken(plan, err.reason) from None
    return count, large


def _broken(plan: RestorePlan, reason: str) -> PivoError:
    if "No space left" in reason or "Disk quota exceeded" in reason:
        return StackError(
            f"The staging folder has no room left for {plan.repo}: {reason}.", "Free space there, or move PIVO_STAGING."
        )
    return ArchiveError(
        f"The history of {plan.repo} at {plan.short} is not whole in the archive: {reason}.",
        "Nothing was pushed; verify the archive, an earlier snapshot may be whole.",
    )
