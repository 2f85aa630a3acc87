"""Asks the offline brain all questions of a file and holds its answers against the gold ones."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table as RichTable

from benchmarks.questions import gold, world
from benchmarks.questions.world import NOW, World
from pivo.agent.agent import Agent
from pivo.agent.brain import Mind
from pivo.agent.build import Resources
from pivo.agent.events import Done, Refusal, ToolResult
from pivo.agent.messages import Message, ToolUse
from pivo.agent.offline import OfflineBrain
from pivo.agent.planner import Planner
from pivo.agent.planner.vocabulary import Vocabulary
from pivo.agent.proposals import Proposals
from pivo.agent.tools import Toolbox
from pivo.agent.tools.base import ToolContext, ToolOutput
from pivo.restore.plan import validate
from pivo.restore.policy import Policy
from pivo.settings import Settings

FOLDER = Path(__file__).parent
_FILES = (
    "grown",
    "paraphrases",
    "later",
    "self",
    "independent",
    "independent2",
    "independent3",
    "independent4",
    "independent5",
    "turns",
    "traps",
)
_OUTSIDE = {"restore_repo", "snapshot_repo", "verify_repo", "dag_run_status"}
"""Tools that need a forge or Airflow: here the call itself, with its arguments resolved, is held against the gold."""


class _Calls(Toolbox):
    """Runs what reads the archive and the index; of what reaches further it only takes the arguments."""

    def run(self, call: ToolUse) -> ToolOutput:
        if call.name not in _OUTSIDE:
            return super().run(call)
        return ToolOutput({"call": call.name, **call.arguments, "status": "not run"})


class Asked:
    """One world, ready to be asked."""

    def __init__(self, made: World) -> None:
        self.world = made
        home = made.folder / "home"
        settings = Settings.load(
            {"PIVO_HOME": str(home), "PIVO_INDEX": str(made.index), "PIVO_ARCHIVE": f"file://{made.archive}"}
        )
        self.resources = Resources(settings)
        context = ToolContext(
            settings=settings,
            who="alice",
            reader=self.resources.reader,
            archive=self.resources.archive,
            policy=replace(Policy.load(settings), default_owner=""),
            proposals=Proposals(home / "agent"),
            validate=validate,
            forge_owner=lambda: "octocat",
            now=lambda: NOW,
        )
        self.toolbox = _Calls(context)
        self.planner = Planner(Vocabulary(self.resources.reader), lambda: NOW)

    def ask(self, turns: Sequence[str]) -> gold.Answer:
        """The answer to the last of `turns`."""
        history: tuple[Message, ...] = ()
        answer = gold.Answer()
        for question in turns:
            mind = Mind(OfflineBrain(self.planner, lambda: NOW), self.planner)
            agent = Agent(mind, self.toolbox)
            answer = gold.Answer()
            calls: dict[str, Mapping[str, Any]] = {}
            for event in agent.ask(question, history):
                match event:
                    case Refusal():
                        answer = replace(answer, refusal=event)
                    case ToolResult():
                        answer = replace(answer, results=(*answer.results, event))
                    case Done():
                        history += event.messages
                        calls = {c.id: c.arguments for m in event.messages for c in getattr(m, "calls", ())}
            answer = replace(answer, arguments=calls)
        return answer


@dataclass(frozen=True)
class Outcome:
    """What came of one question: `right`, `wrong`, `refused`; of a trap `refused` or `answered`."""

    question: str
    verdict: str
    why: str
    trap: bool = False


@contextmanager
def worlds() -> Iterator[Callable[[str], Asked]]:
    """Both worlds, made when first asked."""
    with tempfile.TemporaryDirectory(prefix="pivo-questions-", ignore_cleanup_errors=True) as folder:
        made: dict[str, Asked] = {}

        def get(name: str) -> Asked:
            if name not in made:
                made[name] = Asked(getattr(world, name)(Path(folder) / name))
            return made[name]

        try:
            yield get
        finally:
            for each in made.values():
                each.resources.close()


def answerable(name: str, get: Callable[[str], Asked]) -> list[Outcome]:
    """The outcomes of the questions in `<name>.yaml`, of those marked `trap: true` as of traps."""
    found = []
    for item in yaml.safe_load((FOLDER / f"{name}.yaml").read_text()):
        asked = get(item.get("world", "organisation"))
        for question in item["ask"]:
            text = question.format(**asked.world.marks)
            answer = asked.ask([turn.strip() for turn in text.split(">>")])
            if item.get("trap"):
                found.append(_trapped(question, answer))
                continue
            if answer.refused:
                found.append(Outcome(question, "refused", answer.why))
                continue
            wrong = gold.compare(item, answer, asked.world, asked.resources.archive())
            found.append(Outcome(question, "wrong" if wrong else "right", wrong))
    return found


def traps(get: Callable[[str], Asked]) -> list[Outcome]:
    """The outcomes of the questions that must be refused."""
    found = []
    for questions in yaml.safe_load((FOLDER / "traps.yaml").read_text()).values():
        for question in questions:
            asked = get("organisation")
            text = question.replace("{w4:.8}", asked.world.marks["w4"][:8])
            text = text.replace("{w6:.8}", asked.world.marks["w6"][:8])
            answer = asked.ask([turn.strip() for turn in text.split(">>")])
            found.append(_trapped(question, answer))
    return found


def _trapped(question: str, answer: gold.Answer) -> Outcome:
    if answer.refused:
        return Outcome(question, "refused", "", trap=True)
    return Outcome(question, "answered", answer.told, trap=True)


def main(*names: str) -> None:
    """Prints the score of each file of questions, and what went wrong."""
    console = Console(width=160)
    table = RichTable(box=None, header_style="bold")
    for column in ("questions", "asked", "right", "wrong", "refused", "answered"):
        table.add_column(column, justify="left" if column == "questions" else "right")
    failures: list[Outcome] = []
    with worlds() as get:
        for name in names or _FILES:
            outcomes = traps(get) if name == "traps" else answerable(name, get)
            for part, of in ((name, [o for o in outcomes if not o.trap]), ("traps", [o for o in outcomes if o.trap])):
                if of:
                    label = part if part == name else f"{name}: {part}"
                    count = Counter(o.verdict for o in of)
                    shares = [f"{count[v]} ({count[v] / len(of):.1%})" if count[v] else "0"
                              for v in ("right", "wrong", "refused", "answered")]  # fmt: skip
                    table.add_row(label, str(len(of)), *shares)
            failures += [o for o in outcomes if o.verdict != ("refused" if o.trap else "right")]
    for failure in failures:
        console.print(f"{failure.verdict}: {failure.question}\n    {failure.why}", markup=False, highlight=False)
    console.print(table)


if __name__ == "__main__":
    main(*sys.argv[1:])
