"""A restore drill: a random commit of a random repository, restored all the way to the forge, and compared.

What a run picks follows from its id, so that a drill that failed can be done again. The restored repository stays on
the forge, private, under a name that says what it is: PIVO deletes nothing there.
"""

from __future__ import annotations

import hashlib
import logging
import random
import re
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pivo.errors import ArchiveError, NotFound, TargetError
from pivo.findings import Finding
from pivo.forges import GitHub
from pivo.models import Manifest, RepoName
from pivo.progress import Progress, silent
from pivo.restore import gitcli
from pivo.restore.approval import needed
from pivo.restore.download import download
from pivo.restore.plan import RestorePlan, validate
from pivo.restore.policy import Policy
from pivo.restore.push import push
from pivo.restore.reconstruct import reconstruct
from pivo.settings import Settings
from pivo.snapshot.archive import Archive
from pivo.snapshot.objects import ObjectReader
from pivo.store import open_store
from pivo.verify.report import Verified

_SAMPLE = 100  # objects whose bytes are compared with those that the archive gives by range reads
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Choice:
    """What a drill restores."""

    manifest: Manifest
    commit: str


def choose(archive: Archive, run_id: str, repos: Sequence[str] = ()) -> Choice:
    """A commit by the run's id alone: any that was ever archived, lost ones too. NotFound in an archive without any."""
    pick = random.Random(hashlib.sha256(run_id.encode()).digest())
    names = [str(RepoName.parse(r)) for r in repos] or [str(r) for r in archive.repos()]
    for repo in pick.sample(sorted(names), len(names)):
        manifest = archive.require(repo) if repos else archive.latest(repo)
        if manifest is None or not manifest.packs:
            continue
        with archive.objects(manifest) as reader:
            return Choice(manifest, _any_commit(reader, manifest, pick))
    raise NotFound("No repository in the archive has a commit to restore.", "Archive one: `pivo ingest <url>`.")


def _any_commit(reader: ObjectReader, manifest: Manifest, pick: random.Random) -> str:
    """Some commit: of the objects whose names begin with random digits, fewer digits where none of them is one."""
    digits = f"{pick.randrange(16**5):05x}"
    for prefix in (*(digits[:n] for n in (5, 4, 3, 2)), *pick.sample("0123456789abcdef", 16)):
        commits = [oid for oid in reader.with_prefix(prefix) if reader.kind(oid) == "commit"]
        if commits:
            return pick.choice(commits)
    raise NotFound(f"{manifest.repo} has no commit to restore.", "Drill another repository.")


def drill(
    settings: Settings,
    run_id: str,
    *,
    owner: str = "",
    repos: Sequence[str] = (),
    by: str = "",
    progress: Progress = silent,
) -> Verified:
    """Restores what `run_id` picks to a fresh repository of `owner` (the token's own account by default).

    `by` is the person who began it, empty for the schedule: what takes a second person's approval is a TargetError for
    them, since a drill would be a way round it. What the archive cannot give, or what comes back as something else, is
    a finding; a forge that refuses is a TargetError, and what does not answer is Unavailable.
    """
    began = time.monotonic()
    archive = Archive(open_store(settings.archive, settings.archive_reader))
    choice = choose(archive, run_id, repos)
    repo = choice.manifest.repo
    with GitHub(settings.forge) as forge:
        owner = owner or forge.whoami().name
    digest = hashlib.sha256(run_id.encode()).hexdigest()[:8]
    name = re.sub(r"[^A-Za-z0-9]+", "-", repo).strip("-")[:60]
    target = f"{owner}/drill-{name}-{choice.commit[:10]}-{digest}"
    if by and needed(Policy.load(settings).approval, {repo: target}, (by,)):
        raise TargetError(
            f"A restore of {repo} takes the approval of a second person, whom a drill does not ask. "
            "Nothing was restored.",
            "Restore it with `pivo restore`, drill another repository, or leave drills to the schedule.",
        )
    _log.info("drill %s: %s at %s to %s", run_id, repo, choice.commit, target)
    settings.staging.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="drill-", dir=settings.staging))
    said, objects, found = f"{choice.commit} to {target}", 0, []
    try:
        plan = validate(settings, repo=repo, ref=choice.commit, target=target, run_id=run_id)
        objects, url = _restored(settings, plan, folder, archive, choice, progress)
        said = f"{choice.commit} to {url}, {objects:,} objects the same"
    except (ArchiveError, NotFound) as err:
        found = [Finding(repo, choice.manifest.dirname, "", "restore", f"{choice.commit} did not come back: {err}")]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    took = round(time.monotonic() - began, 3)
    result = Verified(repo, "drill", snapshots=1, objects=objects, seconds=took, detail=said)
    return result.found(found)


def _restored(
    settings: Settings, plan: RestorePlan, folder: Path, archive: Archive, choice: Choice, progress: Progress
) -> tuple[int, str]:
    """Does the restore and compares; how many objects came back, and the address. ArchiveError names a difference."""
    download(plan, folder / "packs", settings.archive, settings.archive_reader, progress=progress)
    made = reconstruct(plan, folder, progress=progress)
    url = push(plan, made.path, settings, progress=progress).url
    clone, config = folder / "clone.git", _config(settings, plan)
    progress("comparing", 0, None)
    try:
        gitcli.run("clone", "--quiet", "--mirror", "--", config[0], str(clone), config=config[1])
        pick = random.Random(plan.run_id)
        ours, _ = _closure(made.path, pick)
        theirs, sample = _closure(clone, pick)
        refs = (_refs(made.path), _refs(clone))
    except gitcli.GitFailed as err:
        raise ArchiveError(
            f"The restored repository {url} cannot be cloned: {err.reason}.", "Look at what the forge has."
        ) from None
    if refs[0] != refs[1] or ours != theirs:
        raise ArchiveError(
            f"{url} has {theirs[0]:,} objects behind {len(refs[1])} refs, the archive {ours[0]:,} behind "
            f"{len(refs[0])}: they are not the same.",
            "Look at both with `git rev-list --objects`.",
        )
    _same_bytes(clone, sample, archive.objects(choice.manifest))
    return theirs[0], url


def _config(settings: Settings, plan: RestorePlan) -> tuple[str, Mapping[str, str]]:
    """The address to clone from, and git's settings for it."""
    owner, _, name = plan.target.partition("/")
    with GitHub(settings.forge) as forge:
        found = forge.repo(owner, name)
        if found is None:
            raise ArchiveError(f"The forge does not show {plan.target}, which was just pushed.", "Look at the forge.")
        return found.clone_url, forge.git_config(found.clone_url)


def _refs(repo: Path) -> str:
    return gitcli.run("for-each-ref", "--format=%(objectname) %(refname)", at=repo)


def _closure(repo: Path, pick: random.Random) -> tuple[tuple[int, int], list[str]]:
    """How many objects all refs reach and the sum of their names, which any difference changes; and some of them."""
    count, total = 0, 0
    sample: list[str] = []
    for oid in gitcli.lines("rev-list", "--objects", "--no-object-names", "--all", at=repo):
        count += 1
        total += int(oid, 16)
        if len(sample) < _SAMPLE:
            sample.append(oid)
        elif (place := pick.randrange(count)) < _SAMPLE:
            sample[place] = oid
    return (count, total), sample


def _same_bytes(clone: Path, oids: Sequence[str], reader: ObjectReader) -> None:
    """That objects of the clone have the bytes that the archive gives by range reads."""
    for oid in oids:
        kind, body = reader.get(oid)
        told = gitcli.run("cat-file", kind, oid, at=clone).encode("utf-8", "surrogateescape")
        if told != body:
            raise ArchiveError(f"Object {oid} came back with other bytes than the archive has.", "Verify the archive.")
