"""The local forge seen by git, by curl-like calls and by a browser."""

from __future__ import annotations

import gzip
import os
import subprocess
from pathlib import Path

import httpx
import pytest

from pivo.errors import StackError
from pivo.stack.localforge import ForgeServer
from restore_kit import READ_ONLY, TOKEN, Git


def call(forge: ForgeServer, method: str, path: str, token: str | None = TOKEN, **body: object) -> httpx.Response:
    headers = {"Authorization": f"token {token}"} if token else {}
    return httpx.request(method, forge.api_url + path, headers=headers, json=body or None)


def git(*args: str, cwd: Path, ok: bool = True) -> str:
    env = os.environ | {"GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_GLOBAL": "/dev/null"}
    done = subprocess.run(["git", *args], cwd=cwd, capture_output=True, text=True, env=env, check=False)
    assert (done.returncode == 0) is ok, done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def work(tmp_path: Path) -> Git:
    path = tmp_path / "work"
    subprocess.run(["git", "init", "-q", "-b", "trunk", str(path)], check=True)
    repo = Git(path)
    repo.commit("first", file="1\n")
    repo.commit("<script>alert(1)</script>", file="2\n")
    return repo


def at(forge: ForgeServer, name: str, token: str = TOKEN) -> str:
    return f"{forge.url.replace('://', f'://x:{token}@')}/{name}.git"


def test_answers_have_githubs_status_codes_and_bodies(forge: ForgeServer) -> None:
    made = call(forge, "POST", "/user/repos", name="x", private=True)
    assert made.status_code == 201 and made.json()["full_name"] == "pivo/x" and made.headers["location"]
    again = call(forge, "POST", "/user/repos", name="x")
    assert again.status_code == 422
    assert again.json()["errors"][0]["message"] == "name already exists on this account"
    bad = call(forge, "GET", "/user", token="nonsense")
    assert (bad.status_code, bad.json()["message"]) == (401, "Bad credentials")
    anyone = call(forge, "POST", "/user/repos", token=None, name="y")
    assert (anyone.status_code, anyone.json()["message"]) == (401, "Requires authentication")
    weak = call(forge, "POST", "/user/repos", token=READ_ONLY, name="y")
    assert weak.status_code == 403 and weak.headers["x-oauth-scopes"] == "read:user"
    assert call(forge, "GET", "/repos/pivo/none").status_code == 404
    assert call(forge, "GET", "/nowhere").json()["message"] == "Not Found"
    assert call(forge, "DELETE", "/repos/pivo/x").status_code == 404
    assert call(forge, "GET", "/repos/pivo/x").status_code == 200
    assert call(forge, "GET", "/repos/../x").status_code == 404
    broken = httpx.post(forge.api_url + "/user/repos", headers={"Authorization": f"token {TOKEN}"}, content=b"{")
    assert (broken.status_code, broken.json()["message"]) == (400, "Problems parsing JSON")


def test_pages_have_links(forge: ForgeServer) -> None:
    for number in range(5):
        forge.forge.create("acme", f"r{number}", None, private=False)
    first = call(forge, "GET", "/orgs/acme/repos?per_page=2")
    assert set(first.links) == {"next", "last"} and len(first.json()) == 2
    last = httpx.get(first.links["last"]["url"])
    assert set(last.links) == {"prev", "first"} and [r["name"] for r in last.json()] == ["r4"]


def test_a_push_and_a_clone_go_through_git_itself(forge: ForgeServer, work: Git, tmp_path: Path) -> None:
    call(forge, "POST", "/user/repos", name="x", private=False)
    work("push", "-q", at(forge, "pivo/x"), "trunk")
    assert call(forge, "GET", "/repos/pivo/x").json()["default_branch"] == "trunk"  # as GitHub adopts it
    git("clone", "-q", f"{forge.url}/pivo/x", str(tmp_path / "back"), cwd=tmp_path)
    assert git("rev-parse", "HEAD", cwd=tmp_path / "back").strip() == work("rev-parse", "HEAD")


def test_a_large_push_is_chunked_and_arrives(forge: ForgeServer, work: Git, tmp_path: Path) -> None:
    (work.path / "big").write_bytes(os.urandom(3 << 20))
    work.commit("big")
    call(forge, "POST", "/user/repos", name="x")
    work("-c", "http.postBuffer=65536", "push", "-q", at(forge, "pivo/x"), "trunk")
    assert git("ls-remote", at(forge, "pivo/x"), "trunk", cwd=tmp_path).split()[0] == work("rev-parse", "HEAD")


def test_compressed_requests_and_protocol_2_are_understood(forge: ForgeServer, work: Git) -> None:
    call(forge, "POST", "/user/repos", name="x", private=False)
    work("push", "-q", at(forge, "pivo/x"), "trunk")
    body = gzip.compress(b"0014command=ls-refs\n0000")
    headers = {
        "Content-Encoding": "gzip",
        "Content-Type": "application/x-git-upload-pack-request",
        "Git-Protocol": "version=2",
    }
    answer = httpx.post(f"{forge.url}/pivo/x.git/git-upload-pack", content=body, headers=headers)
    assert answer.status_code == 200 and work("rev-parse", "HEAD").encode() in answer.content


def test_who_may_not_push_is_refused(forge: ForgeServer, work: Git, tmp_path: Path) -> None:
    call(forge, "POST", "/user/repos", name="x", private=False)
    refused = git("push", f"{forge.url}/pivo/x.git", "trunk", cwd=work.path, ok=False)
    assert "could not read Username" in refused
    assert "403" in git("push", at(forge, "pivo/x", READ_ONLY), "trunk", cwd=work.path, ok=False)
    assert "Authentication failed" in git("push", at(forge, "pivo/x", "no"), "trunk", cwd=work.path, ok=False)
    assert git("ls-remote", f"{forge.url}/pivo/x.git", cwd=tmp_path) == ""
    assert "not found" in git("ls-remote", at(forge, "pivo/none"), cwd=tmp_path, ok=False)


def test_private_repositories_need_a_token_to_be_read(forge: ForgeServer, tmp_path: Path) -> None:
    call(forge, "POST", "/user/repos", name="x", private=True)
    git("ls-remote", f"{forge.url}/pivo/x.git", cwd=tmp_path, ok=False)
    git("ls-remote", at(forge, "pivo/x", READ_ONLY), cwd=tmp_path)
    assert httpx.get(f"{forge.url}/pivo/x").status_code == 404


def test_hidden_refs_are_refused_as_github_does(forge: ForgeServer, work: Git) -> None:
    call(forge, "POST", "/user/repos", name="x")
    said = git("push", at(forge, "pivo/x"), "trunk:refs/pull/1/head", cwd=work.path, ok=False)
    assert "deny updating a hidden ref" in said


def test_a_page_shows_the_repository_and_escapes_what_is_in_it(forge: ForgeServer, work: Git) -> None:
    call(forge, "POST", "/user/repos", name="x", private=False, description="<b>bold</b>")
    assert "Nothing was pushed yet" in httpx.get(f"{forge.url}/pivo/x").text
    work("push", "-q", at(forge, "pivo/x"), "trunk")
    page = httpx.get(f"{forge.url}/pivo/x").text
    assert work("rev-parse", "HEAD") in page and "&lt;script&gt;" in page and "&lt;b&gt;" in page
    assert "<script>" not in page and "<b>" not in page
    assert "/pivo/x" in httpx.get(forge.url).text


def test_a_port_that_is_taken_is_named(forge: ForgeServer) -> None:
    port = int(forge.url.rsplit(":", 1)[1])
    with pytest.raises(StackError, match=f":{port}: Address already in use"):
        ForgeServer(forge.forge, port)
