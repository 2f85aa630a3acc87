"""What a tool is, and what it is given to work with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from pivo.agent.audit import Trail
from pivo.agent.brain import Declaration, Explainer, SqlWriter
from pivo.agent.events import Evidence
from pivo.agent.proposals import Proposal, Proposals
from pivo.agent.views import View
from pivo.models import Json
from pivo.restore.approval import needed
from pivo.restore.policy import Policy
from pivo.settings import Settings

if TYPE_CHECKING:
    from pivo.index.reader import IndexReader
    from pivo.orchestrator import Orchestrator
    from pivo.restore.plan import RestorePlan
    from pivo.snapshot.archive import Archive


class Validate(Protocol):
    """`pivo.restore.plan.validate`: resolves a restore and checks everything, and touches nothing."""

    def __call__(
        self,
        settings: Settings,
        *,
        repo: str,
        ref: str,
        target: str,
        run_id: str = "",
        commit: str = "",
        all_refs: bool = False,
    ) -> RestorePlan: ...


@dataclass
class ToolContext:
    """The muscle that the tools use, for one person and one question at a time.

    `reader` and `archive` are factories, called when a tool first needs them. `said` is all that the person wrote
    in this conversation: what acts is held against it. `writer` turns a question into SQL; `explainer`, if any,
    explains text in a call without tools. `forge_owner` asks the forge whose its token is; `behind` are all names
    that a run of the person's has behind it, `who` by default; `trail` is told of every call; `airflow` asks how runs
    stand, None where nobody may.
    """

    settings: Settings
    who: str
    reader: Callable[[], IndexReader]
    archive: Callable[[], Archive]
    policy: Policy
    proposals: Proposals
    validate: Validate
    forge_owner: Callable[[], str]
    behind: tuple[str, ...] = ()
    trail: Trail | None = None
    airflow: Callable[[], Orchestrator] | None = None
    writer: SqlWriter | None = None
    explainer: Explainer | None = None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    question: str = ""
    said: str = field(default="", repr=False)

    def approval(self, targets: Mapping[str, str]) -> str:
        """Who has to approve a restore of repositories to their `targets` besides, in words; empty for nobody.
        TargetError when the policy leaves nobody who may."""
        need = needed(self.policy.approval, targets, self.behind or (self.who,))
        return f"the approval of {need.words}" if need else ""


@dataclass(frozen=True)
class ToolOutput:
    """`summary` goes to the model: typed values only, no text out of repositories. `view` goes to the person.

    `more` are the arguments of the same tool that go on where a long view was cut; None where it is whole."""

    summary: Json
    view: View | None = None
    evidence: Evidence = field(default_factory=Evidence)
    proposal: Proposal | None = None
    ok: bool = True
    more: Json | None = None


OFFSET: Json = {
    "type": "integer",
    "minimum": 0,
    "maximum": 1_000_000,
    "description": "rows to leave out at the beginning: to go on, the `next_offset` of the answer before",
}
"""The schema of where to go on in a long result."""


@dataclass(frozen=True)
class Tool:
    """A declaration and the function behind it. The function raises PivoError for what a person can cause."""

    declaration: Declaration
    run: Callable[[ToolContext, Mapping[str, Any]], ToolOutput]
