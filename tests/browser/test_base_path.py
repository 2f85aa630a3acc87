"""The pages of an Airflow that is served below a path, `[api] base_url = https://…/somewhere/airflow`."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from conftest import Repo
from pivo.settings import Settings
from pivo.stack import airflow
from pivo.stack.part import environment

PATH = "/somewhere/airflow"


@pytest.fixture(scope="module")
def below(stack: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a second API server, below a path, of the very Airflow that runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}{PATH}"
    there = replace(stack, airflow_url=url, ports=replace(stack.ports, airflow=port))
    env = {**os.environ, **environment(there), **airflow.configuration(there)}
    log = tmp_path_factory.mktemp("below") / "api.log"
    command = (str(Path(sys.executable).with_name("airflow")), "api-server", "--host", "127.0.0.1", "--port", str(port))
    with log.open("wb") as out, subprocess.Popen(command, env=env, stdout=out, stderr=out) as process:
        try:
            deadline = time.monotonic() + 120
            while not _answers(url):
                assert process.poll() is None and time.monotonic() < deadline, log.read_text()[-3000:]
                time.sleep(0.5)
            yield url
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


@pytest.fixture
def page(browser: Browser, stack: Settings, below: str) -> Iterator[Page]:
    """A logged-in page there. At the end: nothing was asked for outside of the path, and nothing broke."""
    password = (stack.home / "secrets" / "airflow-admin").read_text().strip()
    login = httpx.post(f"{below}/auth/token", json={"username": "admin", "password": password}, timeout=60)
    context = browser.new_context(base_url=f"{below}/", viewport={"width": 1280, "height": 860})
    context.add_cookies([{"name": "_token", "value": login.json()["access_token"], "url": below}])
    asked: list[str] = []
    broken: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    context.on("weberror", lambda error: broken.append(str(error.error)))
    yield context.new_page()
    context.close()
    assert [url for url in asked if not url.startswith((f"{below}/", "data:", "blob:"))] == []
    assert broken == []


def test_the_chat_below_a_path_asks_and_begins_a_restore(page: Page, below: str, repo: Repo) -> None:
    page.goto("plugin/pivo-chat")
    frame = page.frame_locator("iframe")
    field = frame.locator("#question")
    field.fill(f"Who committed last to {repo.name}?")
    field.press("Enter")
    expect(frame.locator("section.answer").last).to_contain_text("Ada Lovelace")
    field.fill(f"Restore the '{repo.name}' repo to commit {repo.commits['Go on'][:8]}")
    field.press("Enter")
    card = frame.locator(".card")
    card.get_by_role("button", name="Confirm").click()
    expect(card.locator(".stages li.success b").first).to_have_text("Validate", timeout=90_000)
    log = card.get_by_role("link", name="Log").first
    link = log.evaluate("a => a.href")
    assert link.startswith(f"{below}/dags/pivo_restore/runs/"), link
    with page.context.expect_page() as opened:
        log.click()
    assert opened.value.url == link


def test_the_archive_and_health_below_a_path(page: Page, below: str, repo: Repo) -> None:
    page.goto("plugin/pivo-archive")
    frame = page.frame_locator("iframe")
    frame.get_by_role("link", name=repo.name).click()
    frame.locator(".timeline li").last.get_by_role("link", name="Browse").click()
    frame.get_by_role("link", name="README.md").click()
    expect(frame.locator(".lines")).to_contain_text("A line.")
    page.goto("pivo/health")
    page.get_by_role("link", name=repo.name).click()
    expect(page.locator("#page h1")).to_contain_text(repo.name)
    assert page.url.startswith(f"{below}/pivo/archive#")


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/v2/version", timeout=10).is_success
    except httpx.TransportError:
        return False
