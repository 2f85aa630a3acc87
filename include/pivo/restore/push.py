"""Taking a reconstructed repository to its target: a fresh one, never by force, compared ref by ref afterwards."""

from __future__ import annotations

import logging
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path

from pivo.errors import PivoError, TargetError, Unavailable
from pivo.forges import ForgeRepo, GitHub
from pivo.progress import Progress, silent
from pivo.restore import gitcli
from pivo.restore.plan import RestorePlan
from pivo.restore.reconstruct import local_refs
from pivo.restore.target import Target, occupied, remote_head, remote_refs
from pivo.settings import Settings

log = logging.getLogger(__name__)

_ALL = ("refs/heads/*:refs/heads/*", "refs/tags/*:refs/tags/*")
_CREATED = "created-on-forge"
_TIMEOUT = 4 * 3600.0  # seconds for one push; a target that hangs must not hold its slot for ever


@dataclass(frozen=True)
class Pushed:
    """The restored repository: its address for people, and the refs (name → id) that the target shows."""

    url: str
    refs: dict[str, str]


def push(plan: RestorePlan, repo_path: Path, settings: Settings, *, progress: Progress = silent) -> Pushed:
    """Create the target if it is absent, push all refs of the repository at once, compare.

    TargetError when the target has commits (untouched then) or refuses; Unavailable when it does not answer. A
    second attempt of the same run finds what the first one did, and goes on from there.
    """
    target = Target.parse(plan.target)
    progress("push", 0, None)
    if target.kind == "forge":
        return _to_forge(plan, target, repo_path, settings)
    if target.path is not None:
        return _to_folder(plan, target.path, repo_path)
    return _to_remote(plan, target.given, repo_path)


def _to_forge(plan: RestorePlan, target: Target, repo: Path, settings: Settings) -> Pushed:
    assert target.name
    mark = repo.parent / _CREATED
    with GitHub(settings.forge) as forge:
        found = forge.repo(target.owner, target.name.name)
        if found is None:
            text = f"{plan.repo} at {plan.short}, restored by PIVO"
            found = forge.create(target.owner, target.name.name, text, private=True)
            mark.write_text(found.full_name)
        created = mark.exists() and mark.read_text() == found.full_name
        try:
            return _fill(plan, forge, found, repo)
        except PivoError as err:
            if created:
                err.do = f"{err.do} The repository {found.html_url} was created for this and is left as it is."
            raise


def _fill(plan: RestorePlan, forge: GitHub, found: ForgeRepo, repo: Path) -> Pushed:
    url, config = found.clone_url, forge.git_config(found.clone_url)
    wanted = _push(plan, url, repo, config)
    if not plan.empty and forge_branch(forge, found) != plan.branch:
        forge.set_default_branch(found.owner, found.name, plan.branch)
    return Pushed(found.html_url, _compared(plan, url, wanted, config))


def forge_branch(forge: GitHub, found: ForgeRepo) -> str:
    """The default branch as it is now; the first push may have set it."""
    now = forge.repo(found.owner, found.name)
    return now.default_branch if now else ""


def _to_remote(plan: RestorePlan, url: str, repo: Path) -> Pushed:
    wanted = _push(plan, url, repo)
    head = remote_head(url)
    if not plan.empty and head not in {None, f"refs/heads/{plan.branch}"}:
        log.warning(
            "HEAD of %s is %s, which only its host can change; the restored branch is %s", url, head, plan.branch
        )
    return Pushed(url, _compared(plan, url, wanted))


def _to_folder(plan: RestorePlan, path: Path, repo: Path) -> Pushed:
    """A local target: made beside its place and renamed into it, so that it is there whole or not at all."""
    try:
        if path.is_dir() and any(path.iterdir()):
            return _to_remote(plan, path.as_uri(), repo)
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.parent / f".{path.name}.{uuid.uuid4().hex[:12]}"
        try:
            gitcli.run("init", "--quiet", "--bare", "--template=", str(fresh))
            gitcli.run("symbolic-ref", "HEAD", f"refs/heads/{plan.branch}", at=fresh)
            refs = _compared(plan, fresh.as_uri(), _push(plan, fresh.as_uri(), repo))
            fresh.rename(path)  # replaces an empty folder, and fails on one that is not
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    except gitcli.GitFailed as err:
        raise TargetError(f"{path} cannot be written: {err.reason}.", "Choose another folder.") from None
    except OSError as err:
        raise TargetError(f"{path} cannot be written: {err.strerror}.", "Choose another folder.") from None
    return Pushed(path.as_uri(), refs)


def _push(plan: RestorePlan, url: str, repo: Path, config: dict[str, str] | None = None) -> dict[str, str]:
    """Push into an empty repository; the refs that must be there afterwards."""
    wanted, there = local_refs(repo), remote_refs(url, config)
    if there == wanted:
        return wanted  # empty, or done by an earlier attempt: then every ref is exactly the plan's
    if there:
        raise occupied(url, there)
    try:
        gitcli.run("push", "--quiet", "--atomic", "--", url, *_ALL, at=repo, config=config, timeout=_TIMEOUT)
    except gitcli.GitFailed as err:
        if err.said("does not support --atomic"):
            return _push_plain(url, repo, config, wanted)
        raise _refused(plan, url, err) from None
    return wanted


def _push_plain(url: str, repo: Path, config: dict[str, str] | None, wanted: dict[str, str]) -> dict[str, str]:
    try:
        gitcli.run("push", "--quiet", "--", url, *_ALL, at=repo, config=config, timeout=_TIMEOUT)
    except gitcli.GitFailed as err:
        raise gitcli.remote_error(url, err, "Look at what the target refuses.") from None
    return wanted


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
