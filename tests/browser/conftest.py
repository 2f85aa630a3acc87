"""A real browser on the real stack. Skipped, with the reason, where there is no Chromium."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from pivo.settings import Settings
from stack_kit import Pivo

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
          "--disable-component-update", "--disable-sync")  # fmt: skip

expect.set_options(timeout=20_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.stack)
            if CHROMIUM is None:
                reason = "no chromium on the PATH (Debian: apt-get install chromium)"
                item.add_marker(pytest.mark.skip(reason=reason))


@dataclass(frozen=True)
class Repo:
    """A repository in the archive: its name there, its folder here, its commits by the subject."""

    name: str
    folder: Path
    commits: dict[str, str]


@dataclass
class View:
    """One person's page."""

    page: Page

    def ask(self, question: str) -> Locator:
        """The answer, when it is whole."""
        field = self.page.locator("#question")
        field.fill(question)
        field.press("Enter")
        answer = self.page.locator("section.answer").last
        expect(answer.locator(".meta", has_text="planner")).to_be_visible()
        return answer


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=[*_QUIET])
        yield launched
        launched.close()


@pytest.fixture
def person(browser: Browser, stack: Settings) -> Iterator[Callable[..., BrowserContext]]:
    """Makes a logged-in browser context. At the end: no page has asked any other host, or broken."""
    hosts: set[str] = set()
    broken: list[str] = []
    contexts: list[BrowserContext] = []

    def make(name: str = "admin", *, dark: bool = False, width: int = 1280, height: int = 860) -> BrowserContext:
        password = (stack.home / "secrets" / f"airflow-{name}").read_text().strip()
        login = httpx.post(f"{stack.airflow_url}/auth/token", json={"username": name, "password": password})
        context = browser.new_context(
            color_scheme="dark" if dark else "light",
            viewport={"width": width, "height": height},
            base_url=f"{stack.airflow_url}/pivo/",
            accept_downloads=True,
        )
        context.add_cookies([{"name": "_token", "value": login.json()["access_token"], "url": stack.airflow_url}])
        context.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
        context.on("weberror", lambda error: broken.append(str(error.error)))
        context.on("console", lambda said: broken.append(said.text) if "Content Security Policy" in said.text else None)
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()
    assert hosts - {"", urlsplit(stack.airflow_url).netloc} == set(), "a page asked another host"
    assert broken == []


@pytest.fixture(scope="session")
def repo(pivo: Pivo, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """Three commits, two snapshots, a file of each awkward kind."""
    folder = tmp_path_factory.mktemp("browser-source") / "work"
    (folder / "src").mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    name = "browser-" + hashlib.sha256(f"{os.getpid()}{time.time()}".encode()).hexdigest()[:10]
    commits = {}
    for n, subject in enumerate(("Begin", "Go on", "Go further"), 1):
        (folder / "README.md").write_text("# Widgets\n\n" + "A line.\n" * n)
        (folder / "src" / "widget.py").write_text(f"def size():\n    return {n}  # mm\n")
        if n == 2:
            (folder / "page.html").write_text("<script>document.title = 'owned'</script><h1>Hi</h1>\n")
            (folder / "logo.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>\n")
        git(folder, "add", "-A")
        git(folder, "commit", "-q", "-m", subject)
        commits[subject] = git(folder, "rev-parse", "HEAD")
        if n > 1:
            pivo("ingest", str(folder), "--name", name)
    pivo("index")
    return Repo(name, folder, commits)


@pytest.fixture
def chat(person: Callable[..., BrowserContext]) -> Callable[..., View]:
    """Opens the chat view as somebody."""

    def make(name: str = "admin", **options: object) -> View:
        page = person(name, **options).new_page()
        page.goto("./")
        expect(page.locator("#brain, #suggestions li").first).to_be_attached()
        return View(page)

    return make


def git(folder: Path, *arguments: str) -> str:
    who = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER")
           for what, value in (("NAME", "Ada Lovelace"), ("EMAIL", "ada@example.org"))}  # fmt: skip
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", **who}
    done = subprocess.run(["git", *arguments], cwd=folder, env=env, capture_output=True, text=True, check=True)
    return done.stdout.strip()
