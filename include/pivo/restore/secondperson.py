"""A second person's word on a run, where the policy asks for it: what they are shown, what they said, and that nothing
goes on without it.

Airflow asks, and knows who answers. What was asked and answered is kept in `<staging>/approvals/`, bound to what was
shown, so that a task that is marked as done by hand, or a plan that has changed meanwhile, gets nobody round it.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pivo.errors import PivoError
from pivo.events import AuditEvent
from pivo.events.audit import open_audit
from pivo.orchestrator import Approval
from pivo.restore.approval import Needed, Person, needed
from pivo.restore.plan import RestorePlan, run_folder
from pivo.restore.policy import Policy
from pivo.settings import Settings

State = Literal["asked", "approved", "rejected"]
Plans = Mapping[str, RestorePlan]

_FOLDER = "approvals"
_LISTED = 200  # repositories of a run that the approver is shown by name


@dataclass(frozen=True)
class Asked:
    """What is on record: `shown` maps each repository to a digest of its plan, `until` (ISO 8601, UTC) is when the
    question expires; `by` answered `at` a moment."""

    shown: dict[str, str]
    approvers: tuple[str, ...]
    until: str
    state: State = "asked"
    by: str = ""
    at: str = ""


@dataclass(frozen=True)
class Question:
    """What Airflow asks, in Markdown, and whom. What comes out of repositories is code in it, never markup."""

    subject: str
    body: str
    needed: Needed


@dataclass(frozen=True)
class SecondPerson:
    """The approval of one run. `requesters` are all names that are behind it, `who` the same for people."""

    settings: Settings
    run_id: str
    who: str
    requesters: Collection[str]

    def needed(self, plans: Plans) -> Needed | None:
        """What the policy asks for; None for nothing, TargetError when there is nobody who may approve it."""
        targets = {repo: plan.target for repo, plan in plans.items()}
        return needed(Policy.load(self.settings).approval, targets, self.requesters)

    @property
    def record(self) -> Asked | None:
        """What was asked and answered so far."""
        try:
            told = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return Asked(**told | {"approvers": tuple(told["approvers"])})

    @property
    def approved_by(self) -> str:
        """Who approved; empty when nobody did."""
        found = self.record
        return found.by if found and found.state == "approved" else ""

    def ask(self, plans: Plans) -> Question | None:
        """The question, on record; None when there is none to ask: the policy does not, or it has its answer.

        What was asked once stands for this run: Airflow would show a cleared task's old question beside a new plan.
        PivoError when it was rejected, or is about something else by now.
        """
        need = self.needed(plans)
        if need is None:
            return None
        before = self.record
        if before:
            self._same(before, plans)
        if before and before.state == "rejected":
            raise self._rejected(before.by)
        if before and before.state == "approved":
            self._audit("approved", before.by, plans)
            return None
        until = (datetime.now(UTC) + need.within).isoformat(timespec="seconds")
        shown = before.shown if before else {repo: digest(plan) for repo, plan in plans.items()}
        self._keep(Asked(shown, tuple(person.name for person in need.approvers), until))
        self._audit("asked", self.who, plans, required=False)
        return Question(_subject(plans), _body(plans, self.who, self.run_id), need)

    @property
    def waits(self) -> bool:
        """Whether a question is on record, and no answer to it."""
        found = self.record
        return found is not None and found.state == "asked"

    def heard(self, plans: Plans, given: Approval) -> Person | None:
        """Who answered the question on record, as Airflow has it (`given`), although no task was told; None when
        nobody did, or too late, or nobody who may: then it is asked anew."""
        before, need = self.record, self.needed(plans)
        if before is None or before.state != "asked" or need is None or given.at is None:
            return None
        may = given.by_id in {person.id for person in need.approvers}
        return Person(given.by_id, given.by) if may and given.at <= datetime.fromisoformat(before.until) else None

    def answer(self, plans: Plans, by: Person | None, approved: bool) -> str:
        """Who approved, as Airflow knows them, on record and on the audit log; `by` None says that time has run out.

        PivoError for every other answer, Unavailable when the audit log is away: asked again, the answer is there.
        """
        before, need = self.record, self.needed(plans)
        if before is None:
            raise self._missing()
        self._same(before, plans)
        if by is None:
            self._audit("timed out", self.who, plans, required=False)
            raise PivoError(
                f"Nobody approved the restore in time; it waited for {' or '.join(before.approvers)}. "
                "Nothing was restored.",
                "Start it again when one of them is there.",
            )
        if need and by.id not in {person.id for person in need.approvers}:
            self._audit("refused", by.name, plans, required=False)
            raise PivoError(
                f"{by.name} answered, and is none of those who may approve this restore. Nothing was restored.",
                f"Start it again, and have {' or '.join(p.name for p in need.approvers)} approve it.",
            )
        at = datetime.now(UTC).isoformat(timespec="seconds")
        self._keep(replace(before, state="approved" if approved else "rejected", by=by.name, at=at))
        if not approved:
            self._audit("rejected", by.name, plans, required=False)
            raise self._rejected(by.name)
        self._audit("approved", by.name, plans)
        return by.name

    def require(self, plans: Plans) -> None:
        """PivoError when the policy asks for an approval that these plans do not have, just as they are."""
        if self.needed(plans) is None:
            return
        before = self.record
        if before is None or before.state == "asked":
            raise self._missing()
        if before.state == "rejected":
            raise self._rejected(before.by)
        self._same(before, plans)

    def _same(self, before: Asked, plans: Plans) -> None:
        for repo, plan in plans.items():
            if before.shown.get(repo) != digest(plan):
                raise PivoError(
                    f"What this run would restore is not what its approval was asked for: {repo} is to come back at "
                    f"{plan.short} now. Nothing was restored.",
                    "Start a new restore.",
                )

    def _rejected(self, by: str) -> PivoError:
        return PivoError(f"{by} rejected the restore. Nothing was restored.", "Talk to them; a new restore asks anew.")

    def _missing(self) -> PivoError:
        return PivoError(
            "This restore takes the approval of a second person, and has none. Nothing was restored.",
            "Start it again, and have it approved; a task that is marked as done by hand approves nothing.",
        )

    @property
    def _path(self) -> Path:
        return _file(self.settings.staging, run_folder(self.settings.staging, self.run_id).name)

    def _keep(self, asked: Asked) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        part = self._path.with_name(f".{self._path.name}.part")
        part.write_text(json.dumps(asdict(asked)), encoding="utf-8")
        part.rename(self._path)

    def _audit(self, outcome: str, who: str, plans: Plans, *, required: bool = True) -> None:
        """One record for each answer of a run, however often it is told."""
        one = next(iter(plans.values())) if len(plans) == 1 else None
        facts: dict[str, Any] = {"dag": "pivo_restore", "task": "approval", "run_id": self.run_id, "origin": "dag"}
        facts |= {"repositories": len(plans), "repo": one.repo if one else list(plans)}
        facts |= {"commit": one.commit, "target": one.target} if one else {}
        same = uuid.uuid5(uuid.NAMESPACE_URL, f"{self.run_id}/approval/{outcome}/{who}").hex
        event = AuditEvent(who, "approval", facts, outcome, id=same if required else uuid.uuid4().hex)
        with open_audit(self.settings) as log:
            (log.require if required else log.record)(event)


def digest(plan: RestorePlan) -> str:
    """SHA-256 of all that an approver says yes to: what is restored, and where to."""
    told = [plan.repo, plan.commit, plan.snapshot, plan.target, plan.all_refs, [asdict(ref) for ref in plan.refs]]
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()


def waits(staging: Path, folder: str) -> bool:
    """Whether the run whose staging folder has this name waits for an answer that can still come."""
    try:
        told = json.loads(_file(staging, folder).read_text(encoding="utf-8"))
        return bool(told["state"] == "asked" and datetime.fromisoformat(told["until"]) > datetime.now(UTC))
    except (OSError, ValueError, KeyError):
        return False


def _file(staging: Path, folder: str) -> Path:
    return staging / _FOLDER / f"{folder}.json"


def _subject(plans: Plans) -> str:
    if len(plans) == 1:
        plan = next(iter(plans.values()))
        return f"Restore {plan.repo} at {plan.short}?"
    return f"Restore {len(plans):,} repositories?"


def _body(plans: Plans, who: str, run_id: str) -> str:
    lines = []
    for plan in list(plans.values())[:_LISTED]:
        subject = f" {_code(plan.subject)}" if plan.subject else ""
        if len(plans) > 1:
            lines.append(f"- {_code(plan.repo)} at {_code(plan.short)}{subject} to {_code(plan.target)}")
            continue
        lines += [
            f"- Repository: {_code(plan.repo)}" + (", with all its refs" if plan.all_refs else ""),
            f"- Commit: {_code('none: it was empty' if plan.empty else plan.commit)}, of {plan.commit_date}",
            *([f"- Subject:{subject}"] if subject else []),
            f"- Target: {_code(plan.target)}",
            f"- Will create: {_code(plan.creates)}",
        ]
    if len(plans) > _LISTED:
        lines.append(f"- and {len(plans) - _LISTED:,} more repositories")
    return "\n".join([*lines, f"- Requested by: {_code(who)}", f"- Run: {_code(run_id)}"])


def _code(text: str) -> str:
    """Text as a span of code: no markup in it is read, and what cannot be seen is written as an escape."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    shown = (shown if len(shown) <= 300 else shown[:299] + "…").replace("`", "'")
    return f"`{shown}`" if shown.strip() else "(nothing)"
