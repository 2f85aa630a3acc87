"""The chat view inside a real Airflow API server: who gets in, what they may, what a page may do."""

from __future__ import annotations

import gzip
import json
import re
import sys
from subprocess import run

import httpx
import pytest

from pivo.settings import CHECKOUT

CONVERSATION = "0f8fad5b-d9cb-469f-a165-70867728950e"


def ask(client: httpx.Client, question: str) -> list[dict]:
    with client.stream("POST", "/pivo/api/ask", json={"question": question, "conversation": CONVERSATION}) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["x-accel-buffering"] == "no"
        return [json.loads(line[6:]) for line in answer.iter_lines() if line.startswith("data: ")]


def propose(client: httpx.Client, airflow, name: str) -> dict:
    events = ask(client, f"Restore acme/web to v1.0 into file://{airflow.home}/out/{name}.git")
    return next(e for e in events if e["type"] == "proposal")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/pivo/"),
        ("GET", "/pivo/archive"),
        ("GET", "/pivo/assets/chat.js"),
        ("GET", "/pivo/api/me"),
        ("GET", "/pivo/api/suggestions"),
        ("GET", "/pivo/api/conversations"),
        ("GET", "/pivo/api/conversations/x"),
        ("POST", "/pivo/api/conversations/x/rename"),
        ("POST", "/pivo/api/conversations/x/delete"),
        ("GET", "/pivo/api/archive/repositories"),
        ("GET", "/pivo/api/archive/repository?repo=acme/web"),
        ("GET", "/pivo/api/archive/snapshots?repo=acme/web"),
        ("GET", "/pivo/api/archive/commits?repo=acme/web"),
        ("GET", "/pivo/api/archive/content?repo=acme/web"),
        ("GET", "/pivo/api/archive/diff?repo=acme/web&new=HEAD"),
        ("GET", "/pivo/api/archive/download?repo=acme/web&path=README.md"),
        ("POST", "/pivo/api/proposals"),
        ("POST", "/pivo/api/ask"),
        ("POST", "/pivo/api/more"),
        ("GET", "/pivo/api/proposals/x"),
        ("POST", "/pivo/api/proposals/x/confirm"),
        ("POST", "/pivo/api/proposals/x/cancel"),
        ("GET", "/pivo/api/runs/x"),
    ],
)
def test_anonymous_gets_nothing(airflow, method: str, path: str) -> None:
    with airflow.client() as client:
        assert client.request(method, path, json={}).status_code == 401


def test_no_schema_is_published(airflow) -> None:
    with airflow.client("admin") as client:
        for path in ("/pivo/docs", "/pivo/redoc", "/pivo/openapi.json"):
            assert client.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/pivo/", "/pivo/archive"])
def test_a_page_may_load_only_its_own(airflow, path: str) -> None:
    with airflow.client("viewer") as client:
        page = client.get(path)
        assert page.status_code == 200
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'self'" in policy
        assert page.headers["x-content-type-options"] == "nosniff"
        assert not re.search(r"\b(src|href)=\"(/|[a-z]+:)", page.text), "addresses are relative, for a base path"
        assert not re.search(r"<script>|<style|\bstyle=|\bon\w+=", page.text), "nothing inline"
        named = set(re.findall(r"assets/([a-z]+\.[a-z]+)", page.text))
        assert {"pivo.css", "theme.js", "icon.svg"} < named
        for name in named:
            asset = client.get(f"/pivo/assets/{name}")
            assert asset.status_code == 200
            assert asset.headers["content-security-policy"] == policy
        for name in ("..%2fapi.py", "chat.html", "nosuch.js"):
            assert client.get(f"/pivo/assets/{name}").status_code == 404


def test_the_assets_are_small() -> None:
    files = list((CHECKOUT / "include" / "pivo" / "chat" / "assets").iterdir())
    assert sum(len(gzip.compress(f.read_bytes())) for f in files) <= 150_000


def test_a_viewer_may_ask(airflow) -> None:
    with airflow.client("viewer") as client:
        assert client.get("/pivo/api/me").json() == {
            "name": "viewer",
            "why_not": dict.fromkeys(
                ("pivo_restore", "pivo_snapshot", "pivo_verify"), "Your Airflow role may ask, but not start this."
            ),
            "brain": "offline planner",
        }
        events = ask(client, "Who committed last to acme/web?")
    assert [e["type"] for e in events] == ["tool_call", "tool_result", "text", "answer", "done"]
    assert "<strong>Grace Hopper</strong>" in events[3]["html"]
    assert events[1]["evidence"]["sql"].startswith("SELECT")


def test_a_table_that_was_cut_goes_on_for_who_asked(airflow) -> None:
    with airflow.client("viewer") as client, airflow.client("user") as other:
        found = next(
            e for e in ask(client, "Show the last 3 commits on main in acme/web") if e["type"] == "tool_result"
        )
        rows = list(found["view"]["rows"])
        assert (len(rows), found["view"]["truncated"]) == (3, True)
        assert other.post("/pivo/api/more", json={"more": found["more"]}).status_code == 404
        elsewhere = client.post(
            "/pivo/api/more", json={"more": found["more"]}, headers={"Sec-Fetch-Site": "cross-site"}
        )
        assert elsewhere.status_code == 403
        while found["more"]:
            found = client.post("/pivo/api/more", json={"more": found["more"]}).json()
            assert found["ok"], found
            rows += found["view"]["rows"]
        assert len({row[5] for row in rows}) == len(rows) == 8
        assert client.post("/pivo/api/more", json={"more": "nosuchnosuch"}).status_code == 404


def test_a_diff_goes_on_after_a_file_that_changed(airflow) -> None:
    with airflow.client("viewer") as client:
        asked = "/pivo/api/archive/diff?repo=acme/web&old=v1.0&new=v2.0"
        found = client.get(asked).json()
        assert found["next"] is None
        paths = [file["path"] for file in found["files"]]
        assert len(paths) > 1
        rest = client.get(f"{asked}&after={paths[0]}").json()
        assert [file["path"] for file in rest["files"]] == paths[1:]


def test_a_viewer_may_not_restore(airflow) -> None:
    with airflow.client("viewer") as client:
        made = propose(client, airflow, "viewer")
        answer = client.post(f"/pivo/api/proposals/{made['id']}/confirm", json={"digest": made["digest"]})
        assert answer.status_code == 403
        assert client.get(f"/pivo/api/proposals/{made['id']}").json()["state"] == "open"


def test_a_user_triggers_as_themselves_and_a_refused_run_gives_the_proposal_back(airflow) -> None:
    # This server has no DAG loaded, so Airflow's own API, reached in process, answers 404.
    with airflow.client("user") as client:
        assert set(client.get("/pivo/api/me").json()["why_not"].values()) == {""}
        made = propose(client, airflow, "user")
        answer = client.post(f"/pivo/api/proposals/{made['id']}/confirm", json={"digest": made["digest"]})
        assert answer.status_code == 404
        assert "pivo_restore" in answer.json()["what"]
        assert client.get(f"/pivo/api/proposals/{made['id']}").json()["state"] == "open"
        log = (airflow.home / "logs" / "pivo.log").read_text()
        assert "confirmed by user" in log


def test_a_stolen_proposal_is_not_there(airflow) -> None:
    with airflow.client("user") as owner, airflow.client("admin") as thief:
        made = propose(owner, airflow, "stolen")
        for verb in ("confirm", "cancel"):
            answer = thief.post(f"/pivo/api/proposals/{made['id']}/{verb}", json={"digest": made["digest"]})
            assert answer.status_code == 404
        assert owner.get(f"/pivo/api/proposals/{made['id']}").json()["state"] == "open"


def test_an_altered_digest_and_a_cancelled_proposal(airflow) -> None:
    with airflow.client("user") as client:
        made = propose(client, airflow, "altered")
        path = f"/pivo/api/proposals/{made['id']}"
        assert client.post(f"{path}/confirm", json={"digest": "0" * 64}).status_code == 409
        assert client.post(f"{path}/cancel", json={"digest": made["digest"]}).json()["state"] == "cancelled"
        assert client.post(f"{path}/confirm", json={"digest": made["digest"]}).status_code == 409


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_requests_of_other_sites_are_refused(airflow, headers: dict[str, str], status: int) -> None:
    with airflow.client("user") as client:
        made = propose(client, airflow, "csrf" + str(status))
        body = json.dumps({"digest": made["digest"], "question": "help", "conversation": CONVERSATION})
        sent = {"Content-Type": "application/json"} | headers
        for path in (f"/pivo/api/proposals/{made['id']}/confirm", "/pivo/api/ask"):
            assert client.post(path, content=body, headers=sent).status_code == status
        assert client.get(f"/pivo/api/proposals/{made['id']}").json()["state"] == "open"


def test_a_bad_run_id_reaches_nothing(airflow) -> None:
    with airflow.client("user") as client:
        assert client.get("/pivo/api/runs/..%2f..%2fvariables").status_code == 404
        assert client.get("/pivo/api/runs/nosuch").status_code == 404


def test_the_navigation_has_an_entry(airflow) -> None:
    with airflow.client("admin") as client:
        plugins = client.get("/api/v2/plugins").json()["plugins"]
    (pivo,) = [p for p in plugins if p["name"] == "pivo"]
    assert pivo["external_views"][0]["url_route"] == "pivo-chat"


def test_the_plugin_is_light() -> None:
    """Every Airflow process imports it: what it mounts must not load the agent, FastAPI or the SDK."""
    code = "import sys; import pivo.chat.mount as m; m.chat(); print([n for n in sys.modules if n.split('.')[0] in"
    code += " {'fastapi', 'google', 'pydantic', 'airflow', 'httpx'} or n.startswith('pivo.agent')])"
    env = {"PYTHONPATH": str(CHECKOUT / "include")}
    done = run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
