"""Proposals: what the agent would do, kept on the server until the person says yes.

A proposal has a random id, belongs to one person, is bound to a hash of its arguments, is used once and expires.
They live in a SQLite file under the home folder, which all API workers share; one UPDATE decides who was first.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pivo.agent.database import new_id, opened
from pivo.errors import NotFound, PivoError
from pivo.models import Json

_SKEW = 60.0  # seconds by which the clock may be set back without a word

_SCHEMA = """
CREATE TABLE IF NOT EXISTS proposals (
    id TEXT PRIMARY KEY, who TEXT NOT NULL, tool TEXT NOT NULL, arguments TEXT NOT NULL, digest TEXT NOT NULL,
    details TEXT NOT NULL, created REAL NOT NULL, expires REAL NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'confirmed', 'cancelled')), run_id TEXT NOT NULL DEFAULT ''
)
"""


DAGS = {"restore_repo": "pivo_restore", "snapshot_repo": "pivo_snapshot", "verify_repo": "pivo_verify"}
"""The DAG that a confirmed proposal of each tool runs."""


class ProposalRefused(PivoError):
    """The proposal cannot be confirmed: used, expired, another's, or not what was shown. Nothing was started."""


@dataclass(frozen=True)
class Proposal:
    """`arguments` is the conf of the DAG run; `details` the same resolved for a person, as label → value.

    Times are Unix seconds. `state` is open, confirmed, cancelled or expired; `run_id` the DAG run of a confirmed one.
    """

    id: str
    who: str
    tool: str
    arguments: Json
    details: dict[str, str]
    digest: str
    created: float
    expires: float
    state: str = "open"
    run_id: str = ""

    @property
    def dag(self) -> str:
        """The DAG that a confirmation runs."""
        return DAGS[self.tool]

    @property
    def planned_run_id(self) -> str:
        """The id of the DAG run that a confirmation starts: fixed, so that one proposal is at most one run."""
        return f"agent__{hashlib.sha256(self.id.encode()).hexdigest()[:20]}"

    def to_json(self) -> Json:
        return {
            "id": self.id,
            "tool": self.tool,
            "dag": self.dag,
            "arguments": self.arguments,
            "details": self.details,
            "digest": self.digest,
            "expires": self.expires,
            "state": self.state,
            "run_id": self.run_id,
        }


class Proposals:
    """The proposals under one home folder. Every method opens its own connection: use it from any thread."""

    def __init__(self, folder: Path, *, minutes: float = 15, clock: Callable[[], float] = time.time) -> None:
        self._path = folder / "agent.db"
        self._seconds = minutes * 60
        self._clock = clock

    def make(self, who: str, tool: str, arguments: Json, details: dict[str, str]) -> Proposal:
        """A new open proposal of `who`."""
        now = self._clock()
        proposal = Proposal(
            id=new_id(18),
            who=who,
            tool=tool,
            arguments=arguments,
            details=details,
            digest=digest(tool, who, arguments),
            created=now,
            expires=now + self._seconds,
        )
        row = (
            proposal.id,
            who,
            tool,
            json.dumps(arguments),
            proposal.digest,
            json.dumps(details),
            now,
            proposal.expires,
        )
        with opened(self._path, _SCHEMA) as db:
            db.execute("INSERT INTO proposals VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'open', '')", row)
        return proposal

    def get(self, proposal_id: str, who: str) -> Proposal:
        """That proposal, if it is `who`'s; else NotFound, which does not tell whether it exists."""
        with opened(self._path, _SCHEMA) as db:
            row = db.execute("SELECT * FROM proposals WHERE id = ? AND who = ?", (proposal_id, who)).fetchone()
        if row is None:
            raise NotFound("There is no such proposal of yours.", "Ask again; a proposal belongs to who asked.")
        return self._parse(row)

    def confirm(self, proposal_id: str, who: str, shown_digest: str) -> Proposal:
        """Use up the proposal, once; ProposalRefused if it cannot be. The caller triggers `arguments` next.

        `shown_digest` is the digest that the person saw: what was shown is what runs.
        """
        proposal = self.get(proposal_id, who)
        expected = digest(proposal.tool, who, proposal.arguments)
        if not (hmac.compare_digest(expected, proposal.digest) and hmac.compare_digest(expected, shown_digest)):
            raise ProposalRefused("This proposal is not what was shown.", "Ask again and read the new one.")
        with opened(self._path, _SCHEMA) as db:
            changed = db.execute(
                "UPDATE proposals SET state = 'confirmed', run_id = ?"
                " WHERE id = ? AND who = ? AND state = 'open' AND expires > ? AND created <= ?",
                (proposal.planned_run_id, proposal_id, who, self._clock(), self._clock() + _SKEW),
            ).rowcount
        if changed != 1:
            state = self.get(proposal_id, who).state
            raise ProposalRefused(f"This proposal is {state}; nothing was started.", "Ask again for a new one.")
        return self.get(proposal_id, who)

    def reopen(self, proposal_id: str, who: str) -> None:
        """Give a confirmed proposal back because its run was refused; it keeps its expiry and its run id."""
        with opened(self._path, _SCHEMA) as db:
            db.execute(
                "UPDATE proposals SET state = 'open', run_id = '' WHERE id = ? AND who = ? AND state = 'confirmed'",
                (proposal_id, who),
            )

    def cancel(self, proposal_id: str, who: str) -> Proposal:
        """Put an open proposal away for good. One that is no longer open stays as it is."""
        with opened(self._path, _SCHEMA) as db:
            db.execute(
                "UPDATE proposals SET state = 'cancelled' WHERE id = ? AND who = ? AND state = 'open'",
                (proposal_id, who),
            )
        return self.get(proposal_id, who)

    def by_run(self, run_id: str, who: str) -> Proposal:
        """The proposal of `who` that started `run_id`; NotFound if none did."""
        with opened(self._path, _SCHEMA) as db:
            row = db.execute("SELECT * FROM proposals WHERE run_id = ? AND who = ?", (run_id, who)).fetchone()
        if row is None:
            raise NotFound("None of your proposals started that run.", "Look at it in Airflow.")
        return self._parse(row)

    def _parse(self, row: tuple[Any, ...]) -> Proposal:
        now = self._clock()
        # One that was made in the future is as old: the clock has gone back, by nobody knows how much.
        state = "expired" if row[8] == "open" and (row[7] <= now or row[6] > now + _SKEW) else row[8]
        return Proposal(
            row[0], row[1], row[2], json.loads(row[3]), json.loads(row[5]), row[4], row[6], row[7], state, row[9]
        )


def digest(tool: str, who: str, arguments: Json) -> str:
    """SHA-256 over who would do what with which arguments."""
    return hashlib.sha256(json.dumps([tool, who, arguments], sort_keys=True).encode()).hexdigest()
