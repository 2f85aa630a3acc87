"""What the agent is asked and does is on record, and no secret is."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from agent_kit import Kit
from pivo.agent import acting
from pivo.agent.audit import Trail
from pivo.agent.brain import TurnEnd
from pivo.agent.events import Done, ProposalMade
from pivo.agent.messages import ModelMessage, ToolUse
from pivo.agent.planner.vocabulary import Vocabulary
from pivo.errors import NotFound, Unavailable
from pivo.events import AuditEvent, dump, redaction
from pivo.orchestrator import Orchestrator

SECRET = "hunter2-MARK-8c1f"


class Kept:
    """Keeps events as the audit log would; `away` is Kafka's absence."""

    def __init__(self) -> None:
        self.events: list[AuditEvent] = []
        self.away = False

    def record(self, event: AuditEvent) -> None:
        self.events.append(
            AuditEvent(event.who, event.action, redaction.allowed(event.parameters), event.outcome, event.at, event.id)
        )

    def require(self, event: AuditEvent) -> None:
        self.record(event)
        if self.away:
            raise Unavailable("Kafka is away.", "Nothing was started.")

    def __getitem__(self, action: str) -> list[AuditEvent]:
        return [e for e in self.events if e.action == action]

    @property
    def actions(self) -> list[str]:
        return [e.action for e in self.events]

    @property
    def raw(self) -> str:
        return b"\n".join(map(dump, self.events)).decode()


@pytest.fixture
def kept(kit: Kit) -> Kept:
    made = Kept()
    kit.context.trail = Trail(made, "alice", "chat", Vocabulary(kit.resources.reader).repos)
    return made


def airflow(answers: Iterator[httpx.Response]) -> Orchestrator:
    return Orchestrator("http://a", "", "", token="t", transport=httpx.MockTransport(lambda _: next(answers)))


def started() -> httpx.Response:
    return httpx.Response(200, json={"dag_id": "pivo_restore", "dag_run_id": "agent__1", "state": "queued"})


def target(kit: Kit) -> str:
    return f"file://{kit.home}/out/web.git"


def proposed(kit: Kit):
    return next(
        e.proposal for e in kit.ask(f"Restore acme/web to v1.0 into {target(kit)}") if isinstance(e, ProposalMade)
    )


def test_a_question_its_tool_and_its_answer_are_one_request(kit: Kit, kept: Kept) -> None:
    kit.ask("Who committed last to acme/web?")
    assert kept.actions == ["question", "tool", "answer"]
    question, tool, answer = kept.events
    assert question.parameters["question"] == "who committed last to acme/web"
    assert (tool.parameters["tool"], tool.parameters["views"]) == ("query_metadata", ["v_commits"])
    assert answer.outcome == "answered" and answer.parameters["brain"] == "offline"
    assert {e.who for e in kept.events} == {"alice"}
    assert {e.parameters["origin"] for e in kept.events} == {"chat"}
    assert len({e.parameters["request"] for e in kept.events}) == 1


def test_a_file_that_was_read_is_named(kit: Kit, kept: Kept) -> None:
    kit.ask("Show README.md in acme/web at v1.0")
    (tool,) = [e for e in kept["tool"] if e.parameters["tool"] == "read_file"]
    told = tool.parameters
    assert (told["repo"], told["path"], tool.outcome) == ("acme/web", "README.md", "done")


def test_what_is_not_understood_is_a_refusal(kit: Kit, kept: Kept) -> None:
    kit.ask(f"frobnicate the {SECRET}")
    assert kept.actions == ["question", "refusal", "answer"]
    assert kept["answer"][0].outcome == "refused"


def test_a_restore_is_on_record_from_the_question_to_the_run(kit: Kit, kept: Kept) -> None:
    proposal = proposed(kit)
    trail = kit.context.trail
    assert trail
    _, run = acting.confirm(
        kit.settings, trail, kit.proposals, airflow(iter([started()])), "alice", proposal.id, proposal.digest
    )
    assert kept.actions == ["question", "tool", "proposal", "answer", "confirmation", "trigger"]
    trigger = kept["trigger"][0]
    assert trigger.outcome == "started"
    assert trigger.parameters["run_id"] == run.run_id == "agent__1"
    assert trigger.parameters["commit"] == kit.context.archive().resolve("acme/web", "v1.0").commit
    assert trigger.parameters["target"] == target(kit)


def test_without_the_audit_log_nothing_is_triggered_and_the_proposal_stays_open(kit: Kit, kept: Kept) -> None:
    proposal = proposed(kit)
    kept.away = True
    asked: list[httpx.Response] = []
    with pytest.raises(Unavailable):
        acting.confirm(
            kit.settings, kit.context.trail, kit.proposals, airflow(iter(asked)), "alice", proposal.id, proposal.digest
        )
    assert kit.proposals.get(proposal.id, "alice").state == "open"
    assert kept["refusal"][-1].outcome == "refused: the audit log was away"
    assert kit.ask("Who committed last to acme/web?"), "asking goes on"


def test_what_airflow_refuses_and_what_is_not_ones_own_are_on_record(kit: Kit, kept: Kept) -> None:
    proposal = proposed(kit)
    refused = airflow(iter([httpx.Response(404, json={"detail": "no DAG"})]))
    with pytest.raises(NotFound):
        acting.confirm(kit.settings, kit.context.trail, kit.proposals, refused, "alice", proposal.id, proposal.digest)
    assert (kept["trigger"][-1].outcome, kept["trigger"][-1].parameters["error"]) == ("refused", "NotFound")
    assert kit.proposals.get(proposal.id, "alice").state == "open"
    with pytest.raises(NotFound):
        acting.confirm(
            kit.settings, Trail(kept, "bob", "chat"), kit.proposals, refused, "bob", proposal.id, proposal.digest
        )
    assert kept["refusal"][-1].who == "bob"
    acting.cancel(kit.context.trail, kit.proposals, "alice", proposal.id)
    assert kept["cancellation"][-1].outcome == "cancelled"


def test_an_answer_that_is_stopped_half_way_is_broken_off(kit: Kit, kept: Kept) -> None:
    answer = kit.agent().ask("Who committed last to acme/web?")
    next(iter(answer))
    answer.close()  # type: ignore[attr-defined]
    assert kept["answer"][0].outcome == "broken off"


CALLS = [
    ("query_metadata", {"question": f"commits by {SECRET}"}),
    ("read_file", {"repo": f"acme/{SECRET}", "path": "x"}),
    ("read_file", {"repo": "acme/web", "path": SECRET}),
    ("read_file", {"repo": "acme/web", "path": "README.md", "ref": SECRET}),
    ("read_file", {"repo": "acme/web", "path": "README.md", "explain": SECRET}),
    ("get_file_diff", {"repo": "acme/web", "new": SECRET}),
    ("restore_repo", {"repo": "acme/web", "ref": "v1.0", "target": f"https://ann:{SECRET}@example.org/x.git"}),
    ("restore_repo", {"repo": "acme/web", "ref": "v1.0", "target": f"file:///etc/{SECRET}"}),
    ("no_such_tool", {"token": SECRET}),
    (SECRET, {}),
    ("read_file", {"repo": "acme/web", "path": "README.md", "token": SECRET}),
]


class Model:
    """A brain that makes the calls of the table, one a turn."""

    def __init__(self, kit: Kit) -> None:
        self.badge = kit.mind.brain.badge
        self._calls = [ToolUse(f"c{n}", name, arguments) for n, (name, arguments) in enumerate(CALLS)]

    def reply(self, messages, tools, deadline):
        calls = (self._calls.pop(0),) if self._calls else ()
        yield TurnEnd(ModelMessage("" if calls else "done", calls))


def test_no_secret_of_a_question_or_of_a_call_is_on_record(kit: Kit, kept: Kept) -> None:
    from pivo.agent.brain import Mind

    mind = Mind(Model(kit), kit.planner)
    question = f"my token is {SECRET}, restore https://ann:{SECRET}@example.org/x.git?key={SECRET}"
    events = list(kit.agent(mind, max_steps=30).ask(question))
    assert isinstance(events[-1], Done)
    assert len(kept["tool"]) == len(CALLS)
    assert SECRET not in kept.raw and "hunter2" not in kept.raw and "ann:" not in kept.raw
    assert kept["question"][0].parameters["question"] == "my token is […] restore […] key"  # the URL came masked
    assert json.loads(kept.raw.splitlines()[0])["type"] == "pivo.audit.v1"
