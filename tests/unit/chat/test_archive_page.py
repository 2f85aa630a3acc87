"""The archive page's API inside a real Airflow API server: facts, files, diffs, downloads, proposals."""

from __future__ import annotations

import json

import httpx
import pytest

TALK = "2f8fad5b-d9cb-469f-a165-708677289511"


def get(client: httpx.Client, what: str, **query: str | int | bool) -> dict:
    answer = client.get(f"/pivo/api/archive/{what}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_repositories_with_their_growth(airflow) -> None:
    with airflow.client("viewer") as client:
        data = get(client, "repositories")
        assert [r["repo_name"] for r in data["rows"]] == ["acme/tool", "acme/web"]
        web = data["rows"][1]
        assert [p["bytes"] for p in web["growth"]] == [web["size"]]
        assert data["totals"]["repositories"] == 2
        assert data["totals"]["bytes"] == sum(r["size"] for r in data["rows"])
        assert [r["repo_name"] for r in get(client, "repositories", text="TOOL")["rows"]] == ["acme/tool"]
        assert [r["repo_name"] for r in get(client, "repositories", sort="commits")["rows"]] == [
            "acme/web",
            "acme/tool",
        ]
        assert get(client, "repositories", text="' OR 1=1 --")["rows"] == []


def test_one_repository(airflow, world) -> None:
    with airflow.client("viewer") as client:
        data = get(client, "repository", repo="acme/web")
        assert {r["name"] for r in data["refs"]} >= {"refs/heads/main", "refs/tags/v1.0"}
        assert [r["state"] for r in data["restores"]] == ["failed", "pushed"]
        (snapshot,) = get(client, "snapshots", repo="acme/web")["rows"]
        assert snapshot["seq"] == 1
        found = get(client, "commits", repo="acme/web")["rows"]
        assert found[0]["hash"] == world.hashes["w8"]
        assert len(found) == 8
        assert get(client, "commits", repo="acme/web", offset=6)["rows"][-1]["hash"] == world.hashes["w1"]
        assert client.get("/pivo/api/archive/repository?repo=no/such").status_code == 404


def test_folders_and_files_at_any_commit(airflow, world) -> None:
    with airflow.client("viewer") as client:
        root = get(client, "content", repo="acme/web", ref=world.hashes["w1"])
        assert [(e["name"], e["kind"]) for e in root["entries"]] == [("src", "folder"), ("README.md", "file")]
        file = get(client, "content", repo="acme/web", ref="v1.0", path="src/parser.py")
        assert file["view"]["text"].startswith("def parse")
        assert '<span class="k">def</span>' in file["view"]["html"][0]
        assert file["bytes"] == 26
        assert client.get("/pivo/api/archive/content?repo=acme/web&path=nosuch").status_code == 404


@pytest.mark.parametrize("path", ["../../../etc/passwd", "src/../../x", "a//b", "./x"])
def test_a_path_leads_nowhere_else(airflow, path: str) -> None:
    with airflow.client("viewer") as client:
        for what in ("content", "download"):
            assert client.get(f"/pivo/api/archive/{what}", params={"repo": "acme/web", "path": path}).status_code == 400
        for repo in ("../acme/web", "acme/web/../../x", "/etc"):
            assert client.get("/pivo/api/archive/content", params={"repo": repo}).status_code == 400


def test_a_download_is_never_a_page(airflow) -> None:
    with airflow.client("viewer") as client:
        path = "/pivo/api/archive/download?repo=acme/web&path=README.md"
        answer = client.get(path)
        assert answer.content.startswith(b"# Web")
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''README.md"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert client.get(path, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_a_diff(airflow, world) -> None:
    with airflow.client("viewer") as client:
        data = get(client, "diff", repo="acme/web", old="v1.0", new="v2.0", path="README.md")
        (file,) = data["files"]
        assert (file["path"], file["added"], file["removed"]) == ("README.md", 2, 2)
        alone = get(client, "diff", repo="acme/web", new=world.hashes["w2"])
        assert [f["path"] for f in alone["files"]] == ["src/parser.py"]
        refused = client.get("/pivo/api/archive/diff?repo=acme/web&new=nosuch")
        assert refused.status_code == 404
        assert "nosuch" in refused.json()["what"]


def test_a_restore_from_the_page_is_the_agents_proposal(airflow, world) -> None:
    wish = {"repo": "acme/web", "ref": "v1.0", "target": f"file://{airflow.home}/out/page.git"}
    with airflow.client("user") as client, airflow.client("viewer") as viewer:
        made = client.post("/pivo/api/proposals", json=wish).json()
        assert made["state"] == "open"
        assert made["arguments"]["commit"] == world.hashes["w3"]
        assert made["details"]["To"] == wish["target"]
        refused = client.post("/pivo/api/proposals", json={**wish, "target": "file:///etc/x.git"})
        assert refused.status_code == 400
        assert refused.json()["what"]
        said = viewer.post("/pivo/api/proposals", json=wish)
        assert said.status_code == 403
        assert said.json()["detail"] == "Your Airflow role may ask, but not start this."
        cross = client.post("/pivo/api/proposals", json=wish, headers={"Sec-Fetch-Site": "cross-site"})
        assert cross.status_code == 403


def test_a_conversation_is_shown_again_to_its_owner_alone(airflow) -> None:
    with airflow.client("user") as client, airflow.client("viewer") as other:
        question = {"question": "Show the last 2 commits in acme/web", "conversation": TALK}
        streamed = client.post("/pivo/api/ask", json=question).text
        told = [json.loads(line[6:]) for line in streamed.splitlines() if line.startswith("data: ")]
        (turn,) = client.get(f"/pivo/api/conversations/{TALK}").json()
        assert turn["question"] == question["question"]
        assert turn["events"] == [e for e in told if e["type"] != "text"]
        assert other.get(f"/pivo/api/conversations/{TALK}").status_code == 404
        assert TALK not in {t["id"] for t in other.get("/pivo/api/conversations").json()}
        renamed = client.post(f"/pivo/api/conversations/{TALK}/rename", json={"title": "Commits"})
        assert renamed.status_code == 200
        assert "Commits" in {t["title"] for t in client.get("/pivo/api/conversations").json()}
        assert client.post(f"/pivo/api/conversations/{TALK}/delete", json={}).status_code == 200
        assert client.get(f"/pivo/api/conversations/{TALK}").status_code == 404


def test_suggestions_can_be_answered(airflow) -> None:
    with airflow.client("viewer") as client:
        asked = client.get("/pivo/api/suggestions").json()
        assert "Who committed last to acme/web?" in asked
        for question in asked:
            body = {"question": question, "conversation": "3f8fad5b-d9cb-469f-a165-708677289511"}
            assert '"type": "refusal"' not in client.post("/pivo/api/ask", json=body).text, question
