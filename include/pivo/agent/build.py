"""Puts an agent together from the settings: the brain that is configured, the tools, one person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from pivo.agent.agent import Agent
from pivo.agent.audit import Trail
from pivo.agent.brain import Mind, SqlWriter
from pivo.agent.gemini import GeminiBrain
from pivo.agent.offline import OfflineBrain
from pivo.agent.planner import Planner
from pivo.agent.planner.vocabulary import Vocabulary
from pivo.agent.proposals import Proposals
from pivo.agent.tools import Toolbox
from pivo.agent.tools.base import ToolContext
from pivo.restore.policy import Policy
from pivo.settings import Settings

if TYPE_CHECKING:
    from pivo.events.audit import AuditLog
    from pivo.index.reader import IndexReader
    from pivo.orchestrator import Orchestrator
    from pivo.snapshot.archive import Archive

Airflow: TypeAlias = "Callable[[], Orchestrator]"
"""Opens Airflow's API as somebody."""


class Resources:
    """Index, archive and audit log of one installation, opened when first needed. Threads may share it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._reader: IndexReader | None = None
        self._archive: Archive | None = None
        self._audit: AuditLog | None = None

    def reader(self) -> IndexReader:
        if self._reader is None:
            from pivo.index.reader import IndexReader

            self._reader = IndexReader(Path(self.settings.index))
        return self._reader

    def archive(self) -> Archive:
        if self._archive is None:
            from pivo.snapshot.archive import Archive
            from pivo.store import open_store

            self._archive = Archive(open_store(self.settings.archive, self.settings.archive_reader))
        return self._archive

    def audit(self) -> AuditLog:
        if self._audit is None:
            from pivo.events.audit import open_audit

            self._audit = open_audit(self.settings)
        return self._audit

    def trail(self, who: str, origin: str) -> Trail:
        """The audit of `who`, who came by `origin`."""
        return Trail(self.audit(), who, origin, Vocabulary(self.reader).repos)

    def close(self) -> None:
        if self._audit is not None:
            self._audit.close()
            self._audit = None
        if self._reader is not None:
            self._reader.close()
            self._reader = None


@contextmanager
def opened(settings: Settings) -> Iterator[Resources]:
    """The resources, closed at the end."""
    resources = Resources(settings)
    try:
        yield resources
    finally:
        resources.close()


def agent(
    resources: Resources, who: str, origin: str = "chat", *, offline: bool = False, airflow: Airflow | None = None
) -> Agent:
    """An agent for `who`, who came by `origin` (chat, cli, mcp), one question at a time.

    Gemini where it is configured (and not `offline`), the planner behind it and where there is none. `airflow` asks
    Airflow as that person.
    """
    tools = toolbox(resources, who, origin, airflow)
    plans = planner(resources)
    simple = Mind(OfflineBrain(plans), plans)
    if offline or not resources.settings.gemini.enabled:
        return Agent(simple, tools)
    gemini = _gemini(resources)
    return Agent(Mind(gemini, gemini, gemini), tools, fallback=simple)


def writer(resources: Resources) -> SqlWriter:
    """Who writes SQL where no agent talks: Gemini where it is configured, else the planner."""
    if resources.settings.gemini.enabled:
        return _gemini(resources)
    return planner(resources)


def planner(resources: Resources) -> Planner:
    """The planner over the installation's index."""
    return Planner(Vocabulary(resources.reader))


def toolbox(resources: Resources, who: str, origin: str = "chat", airflow: Airflow | None = None) -> Toolbox:
    """The tools for `who`, who came by `origin`; without a mind, for what a person does by hand on a page."""
    from pivo.restore.plan import validate

    settings = resources.settings
    policy = Policy.load(settings)
    context = ToolContext(
        settings=settings,
        who=who,
        reader=resources.reader,
        archive=resources.archive,
        policy=policy,
        proposals=proposals(settings, policy),
        validate=validate,
        forge_owner=lambda: _forge_owner(settings),
        trail=resources.trail(who, origin),
        # what is confirmed on the command line is triggered with the installation's own login
        behind=(who,) if origin == "chat" else (settings.airflow_user, who),
        # The command line has the installation's own login; on a page everybody has only theirs.
        airflow=airflow or ((lambda: _airflow(settings)) if origin in {"cli", "mcp"} else None),
    )
    return Toolbox(context)


def proposals(settings: Settings, policy: Policy) -> Proposals:
    """The proposals of this installation."""
    return Proposals(settings.home / "agent", minutes=policy.expires_minutes)


def _gemini(resources: Resources) -> GeminiBrain:
    return GeminiBrain(resources.settings.gemini, facts=lambda: _facts(resources), schema=_schema)


def _airflow(settings: Settings) -> Orchestrator:
    from pivo.orchestrator import Orchestrator

    return Orchestrator(settings.airflow_url, settings.airflow_user, settings.airflow_password)


def _facts(resources: Resources) -> dict[str, str]:
    names = Vocabulary(resources.reader).repos()
    shown = ", ".join(names[:100]) + (f" and {len(names) - 100} more" if len(names) > 100 else "")
    return {"repos": shown or "none yet", "now": f"{datetime.now(UTC):%A %Y-%m-%d %H:%M} UTC"}


def _schema() -> str:
    from pivo.index.schema import describe

    return describe()


def _forge_owner(settings: Settings) -> str:
    from pivo.forges import GitHub

    with GitHub(settings.forge) as forge:
        return forge.whoami().name
