"""What a test of the agent works with: everything of one world, for one person."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from agent_world import NOW, World
from pivo.agent.agent import Agent
from pivo.agent.brain import Mind
from pivo.agent.build import Resources
from pivo.agent.events import AgentEvent
from pivo.agent.offline import OfflineBrain
from pivo.agent.planner import Planner
from pivo.agent.planner.vocabulary import Vocabulary
from pivo.agent.proposals import Proposals
from pivo.agent.tools import Toolbox
from pivo.agent.tools.base import ToolContext
from pivo.restore.plan import validate
from pivo.restore.policy import Policy
from pivo.settings import Settings


class Kit:
    """Resources, planner, toolbox and agent of one world for one person."""

    def __init__(self, world: World, home: Path, who: str = "alice") -> None:
        env = {
            "PIVO_HOME": str(home),
            "PIVO_INDEX": str(world.index),
            "PIVO_ARCHIVE": f"file://{world.archive}",
        }
        self.settings = Settings.load(env)
        self.home = home
        self.resources = Resources(self.settings)
        self.planner = Planner(Vocabulary(self.resources.reader), lambda: NOW)
        self.policy = replace(Policy.load(self.settings), default_owner="")
        self.proposals = Proposals(home / "agent", minutes=15)
        self.context = ToolContext(
            settings=self.settings,
            who=who,
            reader=self.resources.reader,
            archive=self.resources.archive,
            policy=self.policy,
            proposals=self.proposals,
            validate=validate,
            forge_owner=lambda: "octocat",
        )
        self.toolbox = Toolbox(self.context)
        self.mind = Mind(OfflineBrain(self.planner, lambda: NOW), self.planner)
        self.toolbox.use(self.mind)

    def agent(self, mind: Mind | None = None, **options: object) -> Agent:
        return Agent(mind or self.mind, self.toolbox, **options)  # type: ignore[arg-type]

    def ask(self, question: str) -> list[AgentEvent]:
        return list(self.agent().ask(question))

    @property
    def log(self) -> str:
        return self.settings.trace_log.read_text()
