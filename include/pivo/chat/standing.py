"""How far a restore has come, for the card: Airflow's task states, and what lies in the run's staging folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pivo.agent.answers import size
from pivo.errors import NotFound, PivoError
from pivo.models import Json
from pivo.orchestrator import Approval, TaskState
from pivo.restore import outcome
from pivo.restore import report as reports
from pivo.restore.plan import PLAN, RestorePlan, repo_folder, run_folder
from pivo.settings import Settings

STAGES = ("validate", "approval", "download", "reconstruct", "push")
_NOT_ASKED = frozenset({None, "skipped", "removed", "upstream_failed"})  # of an approval that nobody was asked for
_ORDER = (
    "failed",
    "upstream_failed",
    "running",
    "awaiting_input",
    "up_for_retry",
    "queued",
    "scheduled",
    "success",
    "skipped",
)
_NAMED = 20  # repositories of a run that the card names


@dataclass(frozen=True)
class Amount:
    """What a run is to bring and has brought so far: bytes on disk, whole packs, commits, and refs that are pushed."""

    bytes: int = 0
    bytes_done: int = 0
    packs: int = 0
    packs_done: int = 0
    commits: int = 0
    refs: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(**{name: value + getattr(other, name) for name, value in asdict(self).items()})


@dataclass(frozen=True)
class Standing:
    """`restored` maps repositories to their new addresses, `failed` to why they were not."""

    amount: Amount = Amount()
    restored: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> Json:
        return {
            "repositories": len(self.restored) + len(self.failed),
            "restored": _first(self.restored),
            "failed": _first(self.failed),
        }


def standing(settings: Settings, run_id: str) -> Standing:
    """Where a run stands, from its report when it has ended; nothing where this machine sees neither."""
    try:
        report = reports.load(settings.home, run_id)
    except PivoError:
        return Standing(sum(_amounts(settings.staging, run_id), Amount()))
    amount = Amount(
        bytes=sum(r.bytes for r in report.repositories),
        bytes_done=sum(r.bytes for r in report.repositories),
        commits=sum(r.commits for r in report.repositories),
        refs=sum(r.refs for r in report.repositories),
    )
    return Standing(amount, {r.repo: r.url for r in report.restored}, {r.repo: r.failure for r in report.failed})


def asked(tasks: Sequence[TaskState]) -> bool:
    """Whether a second person is, or was, asked to approve the run."""
    return any(t.task_id == "approval" and t.state not in _NOT_ASKED for t in tasks)


def stages(tasks: Sequence[TaskState], amount: Amount, approval: Approval | None = None) -> list[Json]:
    """The four stages for the card, five with an `approval`: `state` as Airflow has it (of many mapped tasks, the one
    to worry about most), `seconds` so far, `done` of `total` mapped tasks, `percent` where it is known, `detail` in
    words."""
    shown = [name for name in STAGES if name != "approval" or approval]
    told = [_stage(name, [t for t in tasks if t.task_id == name], amount) for name in shown]
    return [stage | ({"detail": approval.words} if approval and stage["name"] == "approval" else {}) for stage in told]


def steps(tasks: Sequence[TaskState]) -> list[Json]:
    """The same for the run of another DAG: its tasks, in the order in which they began."""
    names = dict.fromkeys(t.task_id for t in tasks)
    return [_stage(name, [t for t in tasks if t.task_id == name], Amount()) for name in names]


def _stage(name: str, tasks: Sequence[TaskState], amount: Amount) -> Json:
    states = [t.state for t in tasks]
    state = next((s for s in _ORDER if s in states), None)
    starts = [t.start for t in tasks if t.start]
    ends = [t.end for t in tasks if t.end]
    seconds = None
    if starts:
        last = max(ends) if len(ends) == len(tasks) else datetime.now(UTC)
        seconds = round((last - min(starts)).total_seconds(), 1)
    done = states.count("success")
    percent = 100 if state == "success" else None
    if name == "download" and state == "running" and amount.bytes:
        percent = min(100, 100 * amount.bytes_done // amount.bytes)
    elif len(tasks) > 1:
        percent = 100 * done // len(tasks)
    one = len(tasks) == 1
    return {
        "name": name,
        "state": state,
        "seconds": seconds,
        "done": done,
        "total": len(tasks),
        "percent": percent,
        "detail": _detail(name, state, amount),
        "map_index": tasks[0].map_index if one else -1,
        "try_number": tasks[0].try_number if one else 1,
    }


def _detail(name: str, state: str | None, amount: Amount) -> str:
    if name == "validate" and amount.packs:
        return f"{_count(amount.packs, 'pack')} to read, {size(amount.bytes)}"
    if name == "download" and amount.packs and state:
        packs = f"{amount.packs_done:,} of {_count(amount.packs, 'pack')}"
        return f"{size(amount.bytes_done)} of {size(amount.bytes)} · {packs}"
    if name == "download" and amount.bytes and state == "success":
        return f"{size(amount.bytes)}, verified"
    if name == "reconstruct" and amount.commits:
        return f"{_count(amount.commits, 'commit')}, all proven"
    if name == "push" and amount.refs:
        return f"{_count(amount.refs, 'ref')} compared"
    return ""


def _amounts(staging: Path, run_id: str) -> Iterator[Amount]:
    """An amount for each repository of a run that goes on."""
    try:
        repos = outcome.run(run_folder(staging, run_id))
    except NotFound:
        return
    for repo in repos:
        at = repo_folder(staging, run_id, repo)
        try:
            plan = RestorePlan.load(at / PLAN)
        except (PivoError, OSError):
            continue
        rebuilt, pushed = outcome.left(at, "rebuilt") or {}, outcome.left(at, "pushed") or {}
        done = outcome.left(at, "downloaded") is not None
        there = [_there(at / "packs" / p.pack_name, p.size) for p in plan.packs]
        indexes = [_there(at / "packs" / p.idx_name, p.idx_size) for p in plan.packs]
        yield Amount(
            bytes=plan.bytes,
            bytes_done=plan.bytes if done else sum(there) + sum(indexes),
            packs=len(plan.packs),
            packs_done=len(plan.packs) if done else sum((at / "packs" / p.pack_name).exists() for p in plan.packs),
            commits=int(rebuilt.get("commits", 0)),
            refs=int(pushed.get("refs", 0)),
        )


def _there(path: Path, size: int) -> int:
    """Bytes of a staged file that are on disk. Its part file has its full size from the start, but is sparse."""
    try:
        return size if path.exists() else min(size, path.with_name(path.name + ".part").stat().st_blocks * 512)
    except OSError:  # it got its name meanwhile, or has not begun
        return size if path.exists() else 0


def _first(rows: dict[str, str]) -> list[Json]:
    return [{"repo": repo, "text": text} for repo, text in list(rows.items())[:_NAMED]]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
