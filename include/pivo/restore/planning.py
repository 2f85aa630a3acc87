"""The plans of a request: which repositories it means, where each goes, and the plan of each or why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from pivo.errors import PivoError
from pivo.models import RepoName
from pivo.restore.plan import RestorePlan, validate
from pivo.restore.request import Request, select, targets
from pivo.settings import Settings
from pivo.snapshot.archive import Archive
from pivo.store import open_store

_AT_ONCE = 8  # plans that are made at a time; they wait for HDFS and the forge


def goals(settings: Settings, asked: Request) -> dict[str, str]:
    """The repositories that are asked for and their targets; NotFound and UsageError for the request as a whole."""
    if not asked.many:
        return {str(RepoName.parse(asked.repos[0])): asked.target}
    archive = Archive(open_store(settings.archive, settings.archive_reader))
    return targets(select(asked.repos, archive.repos()), asked.target)


def plan_each(
    settings: Settings, asked: Request, targets: Mapping[str, str], run_id: str = ""
) -> dict[str, RestorePlan | PivoError]:
    """The plan of each repository of `targets`, or why it cannot be restored; touches nothing."""

    def plan(repo: str) -> RestorePlan | PivoError:
        try:
            return validate(
                settings,
                repo=repo,
                ref=asked.ref,
                target=targets[repo],
                run_id=run_id,
                commit=asked.commit,
                all_refs=asked.all_refs,
            )
        except PivoError as err:
            return err

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return dict(zip(targets, pool.map(plan, targets), strict=True))
