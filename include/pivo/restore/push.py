"""Taking a reconstructed repository to its target: a fresh one, never by force, compared ref by ref afterwards."""

from __future__ import annotations

import logging
import re
import shlex
import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from pivo.errors import PivoError, TargetError, Unavailable
from pivo.forges import TASK_PATIENCE, ForgeRepo, GitHub
from pivo.gitmemory import OPTIONS
from pivo.models import ZERO
from pivo.progress import Progress, silent
from pivo.restore import gitcli, parts
from pivo.restore.lfs import LargeFiles
from pivo.restore.plan import RestorePlan
from pivo.restore.reconstruct import local_refs
from pivo.restore.target import PARTS, Target, occupied, remote_head, remote_refs
from pivo.restore.withheld import Withheld
from pivo.settings import Settings

log = logging.getLogger(__name__)

_ALL = "refs/*:refs/*"  # the repository has the planned refs and no others
_TOO_LARGE = ("exceeds maximum allowed size", "pack exceeds", "HTTP 413", "error: 413")
_SMALLEST = 1 << 16  # bytes; a part is not made smaller than this when a target finds it too large
_CREATED = "created-on-forge"
_HIDDEN = re.compile(r"^! \[remote rejected\] \S+ -> (refs/\S+) \(deny updating a hidden ref\)")
_TIMEOUT = 4 * 3600.0  # seconds for one push; a target that hangs must not hold its slot for ever


@dataclass(frozen=True)
class Pushed:
    """The restored repository: its address for people, and the refs (name → id) that the target shows.

    `withheld` are refs that the target said it keeps for itself, and LFS objects that it could not get; `pushes` is
    the number of parts it took, `lfs` counts the LFS objects that it has now.
    """

    url: str
    refs: dict[str, str]
    withheld: tuple[Withheld, ...] = ()
    pushes: int = 1
    lfs: int = 0

    def and_large(self, large: LargeFiles) -> Pushed:
        """With what came of the LFS objects."""
        return replace(self, withheld=(*self.withheld, *large.withheld), lfs=large.brought)

    def following(self, plan: RestorePlan) -> list[tuple[str, str]]:
        """The refs that are there and follow, in the archive, another one that is there."""
        return [(name, to) for name, to in plan.symrefs if name in self.refs and to in self.refs]

    def told_plain(self, plan: RestorePlan) -> Pushed:
        """For a target that takes ids only: that these refs do not follow others any more."""
        plain = (
            Withheld("symref", name, f"it followed {to}; a push makes it a ref of its own at the same commit")
            for name, to in self.following(plan)
        )
        return replace(self, withheld=(*self.withheld, *plain))


def push(plan: RestorePlan, repo_path: Path, settings: Settings, *, progress: Progress = silent) -> Pushed:
    """Create the target if it is absent, push all refs of the repository at once, compare.

    TargetError when the target has commits (untouched then) or refuses; Unavailable when it does not answer. A
    second attempt of the same run finds what the first one did, and goes on from there.
    """
    target = Target.parse(plan.target)
    target.allow(settings.restore_roots)
    progress("push", 0, None)
    large = LargeFiles(plan, repo_path, settings, progress)
    if target.kind == "forge":
        done = _to_forge(plan, target, repo_path, settings, large, progress)
    elif target.path is not None:
        done = _to_folder(plan, target.path, repo_path, large)
    else:
        done = _to_remote(plan, target.given, repo_path, settings, large, progress)
    return done.and_large(large)


def _to_forge(
    plan: RestorePlan, target: Target, repo: Path, settings: Settings, large: LargeFiles, progress: Progress
) -> Pushed:
    assert target.name
    mark = repo.parent / _CREATED
    with GitHub(settings.forge, patience=TASK_PATIENCE) as forge:
        found = forge.repo(target.owner, target.name.name)
        if found is None:
            text = f"{plan.repo} at {plan.short}, restored by PIVO"
            found = forge.create(target.owner, target.name.name, text, private=True)
            mark.write_text(found.full_name)
        created = mark.exists() and mark.read_text() == found.full_name
        try:
            url, config = found.clone_url, forge.git_config(found.clone_url)
            token = settings.forge.token  # `git_config` has looked at the host
            bring = partial(large.to_forge, url, token)
            done = Sending(plan, url, repo, config, settings.push_limit, progress, bring).send()
            if f"refs/heads/{plan.branch}" in done.refs and forge_branch(forge, found) != plan.branch:
                forge.set_default_branch(found.owner, found.name, plan.branch)
            return replace(done.told_plain(plan), url=found.html_url)
        except PivoError as err:
            if created:
                err.do = f"{err.do} The repository {found.html_url} was created for this and is left as it is."
            raise


def forge_branch(forge: GitHub, found: ForgeRepo) -> str:
    """The default branch as it is now; the first push may have set it."""
    now = forge.repo(found.owner, found.name)
    return now.default_branch if now else ""


def _to_remote(
    plan: RestorePlan, url: str, repo: Path, settings: Settings, large: LargeFiles, progress: Progress
) -> Pushed:
    config = settings.git.config(url)
    bring = partial(large.to_forge, settings.git.with_login(url))
    done = Sending(plan, url, repo, config, settings.push_limit, progress, bring).send()
    return _sent(plan, url, done, config)


def _to_full_folder(plan: RestorePlan, path: Path, repo: Path, large: LargeFiles) -> Pushed:
    """A local target that is there: an empty bare repository."""
    url = path.as_uri()
    done = Sending(plan, url, repo, bring=partial(large.to_folder, path)).send()
    return _sent(plan, url, done)


def _sent(plan: RestorePlan, url: str, done: Pushed, config: dict[str, str] | None = None) -> Pushed:
    head = remote_head(url, config)
    if not plan.empty and head not in {None, f"refs/heads/{plan.branch}"}:
        log.warning(
            "HEAD of %s is %s, which only its host can change; the restored branch is %s", url, head, plan.branch
        )
    return done.told_plain(plan)


def _to_folder(plan: RestorePlan, path: Path, repo: Path, large: LargeFiles) -> Pushed:
    """A local target: made beside its place and renamed into it, so that it is there whole or not at all."""
    try:
        if path.is_dir() and any(path.iterdir()):
            return _to_full_folder(plan, path, repo, large)
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.parent / f".{path.name}.{uuid.uuid4().hex[:12]}"
        try:
            gitcli.run("init", "--quiet", "--bare", "--template=", str(fresh))
            gitcli.run("symbolic-ref", "HEAD", f"refs/heads/{plan.branch}", at=fresh)
            done = Sending(plan, fresh.as_uri(), repo, bring=partial(large.to_folder, fresh)).send()
            if plan.all_refs and _detached(plan, fresh):
                gitcli.run("update-ref", "--no-deref", "HEAD", plan.commit, at=fresh)
            for name, to in done.following(plan):
                gitcli.run("symbolic-ref", name, to, at=fresh)
            fresh.rename(path)  # replaces an empty folder, and fails on one that is not
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    except gitcli.GitFailed as err:
        raise TargetError(f"{path} cannot be written: {err.reason}.", "Choose another folder.") from None
    except OSError as err:
        raise TargetError(f"{path} cannot be written: {err.strerror}.", "Choose another folder.") from None
    return replace(done, url=path.as_uri())


def _detached(plan: RestorePlan, repo: Path) -> bool:
    """Whether HEAD stood on no branch, on a commit that is there."""
    branch = next((r for r in plan.refs if r.name == f"refs/heads/{plan.branch}"), None)
    if plan.commit == ZERO or branch is None or branch.target == plan.commit:
        return False
    return bool(gitcli.run("for-each-ref", "--count=1", f"--contains={plan.commit}", at=repo))


@dataclass
class Sending:
    """One way of a reconstructed repository to `url`, in as many pushes as `limit` (bytes, 0: none) asks for.

    `bring` takes there what must be there before the refs, once the target is known to be empty.
    """

    plan: RestorePlan
    url: str
    repo: Path
    config: dict[str, str] | None = None
    limit: int = 0
    progress: Progress = silent
    bring: Callable[[], None] = lambda: None
    pushes: int = 0
    withheld: tuple[Withheld, ...] = ()

    def send(self) -> Pushed:
        """Push into an empty repository; what is there afterwards, which is every ref exactly as it is here.

        A target that has what is wanted already, from an earlier attempt, is left as it is.
        """
        wanted, there = local_refs(self.repo), remote_refs(self.url, self.config)
        if there != wanted:
            own = {name for name in there if name.startswith(PARTS)}
            if others := {name: oid for name, oid in there.items() if name not in own}:
                raise occupied(self.url, others)
            self.bring()
            limit = self.limit
            if limit and parts.size(self.repo) > limit:
                own |= self._in_parts(limit)
            while not self._push([_ALL, *(f":{name}" for name in sorted(own))], last=limit <= _SMALLEST):
                limit //= 2  # a pack that was cut anew came out larger than it lies on the disk
                own |= self._in_parts(limit)
            wanted = {n: oid for n, oid in wanted.items() if n not in {w.name for w in self.withheld}}
        else:
            self.bring()
        refs = _compared(self.plan, self.url, wanted, self.config)
        return Pushed(self.url, refs, self.withheld, max(1, self.pushes))

    def _in_parts(self, limit: int) -> set[str]:
        """Send all but the last part; the names of the refs that hold them on the target."""
        todo = parts.parts(self.repo, limit)
        names: set[str] = set()
        for number, part in enumerate(todo[:-1], 1):
            self.progress("push", number, len(todo))
            tips = {f"{PARTS}{part.end}-{i}": tip for i, tip in enumerate(part.tips)}
            if not self._push([f"{tip}:{name}" for name, tip in tips.items()], last=limit <= _SMALLEST):
                return names | self._in_parts(limit // 2)
            names |= tips.keys()
        return names

    def _push(self, refspecs: list[str], *, last: bool) -> bool:
        """One push; False when the target finds it too large, and it is not the `last` resort."""
        self.pushes += 1
        atomic = ["--atomic"]
        # git does not hand its configuration on to the other side; here that is a process of ours too.
        receiver = [f"--receive-pack=git {shlex.join(OPTIONS)} receive-pack"] if self.url.startswith("file:") else []
        while True:
            words = ("push", "--quiet", *atomic, *receiver, "--", self.url, *refspecs)
            try:
                gitcli.run(*words, at=self.repo, config=self.config, timeout=_TIMEOUT)
            except gitcli.GitFailed as err:
                if err.said("does not support --atomic"):
                    atomic = []
                elif self.limit and not last and err.said(*_TOO_LARGE):
                    return False
                elif not self._drop_hidden(err):
                    raise _refused(self.plan, self.url, err) from None
            else:
                return True

    def _drop_hidden(self, err: gitcli.GitFailed) -> bool:
        """Take out the refs that the target keeps for itself (it says so); whether there were any."""
        refused = [m[1] for m in map(_HIDDEN.search, err.lines) if m]
        if not refused:
            return False
        gitcli.run("update-ref", "--stdin", at=self.repo, stdin="".join(f"delete {name}\n" for name in refused))
        self.withheld += tuple(Withheld("hidden-ref", name, "the target keeps it for itself") for name in refused)
        return bool(local_refs(self.repo))


def _refused(plan: RestorePlan, url: str, err: gitcli.GitFailed) -> PivoError:
    """The sentence for a push that failed: what the remote itself said is worth most."""
    told = [x.removeprefix("remote:").strip() for x in err.lines if x.startswith("remote:")]
    rejected = [x.removeprefix("!").strip() for x in err.lines if x.startswith("!")]
    if rejected and not err.said("remote end hung up", "RPC failed"):
        why = "; ".join([*rejected[:3], *told[:2]])
        return TargetError(f"{url} refused the push of {plan.repo}: {why[:400]}.", "Nothing was changed there.")
    return gitcli.remote_error(url, err, "Look at what the target refuses.")


def _compared(
    plan: RestorePlan, url: str, wanted: dict[str, str], config: dict[str, str] | None = None
) -> dict[str, str]:
    """What the target shows, which must be `wanted` exactly."""
    there = remote_refs(url, config)
    if there != wanted:
        missing, other = sorted(wanted.keys() - there.keys()), sorted(there.keys() - wanted.keys())
        moved = sorted(n for n in wanted.keys() & there.keys() if wanted[n] != there[n])
        parts = {"missing": missing, "not of this restore": other, "at another object": moved}
        said = "; ".join(f"{what}: {', '.join(names[:3])}" for what, names in parts.items() if names)
        kind = Unavailable if missing and not (other or moved) else TargetError
        raise kind(
            f"{url} does not show what was pushed for {plan.repo} ({said}).",
            "Somebody else may be writing there; restore to a fresh target.",
        )
    return there
