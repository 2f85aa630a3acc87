"""The download of all repositories of a run in one go, on the driver: units spread, failures kept apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pivo.errors import PivoError, StackError
from pivo.restore import outcome
from pivo.restore.download import Downloaded, Outcome, Unit, fetch_group, finish, grouped, missing, plan_units, room
from pivo.restore.plan import PLAN, RestorePlan

_SHARE = 16 << 20  # bytes of one task, about: what a lost executor costs
_TASKS = (4, 64)  # at least, at most


@dataclass(frozen=True)
class Fetched:
    """A run's download: the `done` repositories, those that `failed`, and bytes: of all, and fetched now."""

    done: dict[str, Downloaded]
    failed: dict[str, PivoError]

    @property
    def bytes(self) -> int:
        return sum(d.bytes for d in self.done.values())

    @property
    def fetched(self) -> int:
        return sum(d.fetched for d in self.done.values())

    @property
    def files(self) -> int:
        return sum(d.files for d in self.done.values())


def plans(folder: Path) -> dict[Path, RestorePlan]:
    """The plans in a run's folder, by the folders of their repositories; those left out that are pushed already."""
    found = {path.parent: RestorePlan.load(path) for path in sorted(folder.glob(f"*/{PLAN}"))}
    return {at: plan for at, plan in found.items() if outcome.left(at, "pushed") is None}


def download_run(
    folder: Path,
    archive: str,
    user: str,
    spread: Callable[[list[list[Unit]]], Iterable[Outcome]] | None = None,
) -> Fetched:
    """All packs of all plans in `folder`; `spread` runs `fetch_group` on each share of units, by default here.

    A repository that fails leaves its failure in its own folder and stops no other one. StackError when the disk has
    no room for all; what `spread` raises comes through.
    """
    todo, failed, units = plans(folder), dict[str, PivoError](), dict[str, list[Unit]]()
    for at, plan in todo.items():
        outcome.forget_failure(at)
        try:
            units[str(at / "packs")] = plan_units(plan, at / "packs")
        except PivoError as err:
            _fail(at, plan, err, failed)
    every = [u for part in units.values() for u in part]
    needed, free = missing(every), room(folder)
    if needed > free:
        raise StackError(
            f"The staging folder {folder} has room for {free:,} bytes; {needed:,} are to come.",
            "Free space there, move PIVO_STAGING, or restore fewer repositories at once.",
        )
    tasks = min(_TASKS[1], max(_TASKS[0], sum(u.length for u in every) // _SHARE, len(units) // 4))
    outcomes: dict[str, list[Outcome]] = {where: [] for where in units}
    shares = grouped(every, tasks) if every else []
    for each in spread(shares) if spread else (o for s in shares for o in fetch_group(s, archive, user)):
        outcomes[each.unit.folder].append(each)

    def complete(at: Path) -> tuple[Path, Downloaded | PivoError]:
        try:
            return at, finish(todo[at], at / "packs", outcomes[str(at / "packs")])
        except PivoError as err:
            return at, err

    done: dict[str, Downloaded] = {}
    with ThreadPoolExecutor(4) as pool:
        for at, result in pool.map(complete, [at for at in todo if str(at / "packs") in units]):
            if isinstance(result, PivoError):
                _fail(at, todo[at], result, failed)
            else:
                outcome.leave(at, "downloaded", {"bytes": result.bytes, "fetched": result.fetched})
                done[todo[at].repo] = result
    return Fetched(done, failed)


def _fail(at: Path, plan: RestorePlan, err: PivoError, failed: dict[str, PivoError]) -> None:
    outcome.leave_failure(at, err)
    failed[plan.repo] = err
