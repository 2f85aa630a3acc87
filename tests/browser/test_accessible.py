"""axe finds nothing serious on any page, in either theme."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from conftest import Repo, View


def serious(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [
        f"{v['id']} ({v['impact']}): {node['html'][:160]}"
        for v in found
        if v["impact"] in {"serious", "critical"}
        for node in v["nodes"]
    ]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_chat_view(chat: Callable[..., View], repo: Repo, dark: bool) -> None:
    view = chat(dark=dark)
    assert serious(view.page) == []
    view.ask(f"Show the last 3 commits in {repo.name}").locator("summary").click()
    view.ask(f"What changed in README.md in {repo.name} between the last two commits that touched it?")
    view.ask(f"Show src/widget.py in {repo.name}")
    view.ask(f"Restore the '{repo.name}' repo to commit {repo.commits['Begin'][:8]}")
    assert serious(view.page) == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_archive_page(person: Callable[..., BrowserContext], repo: Repo, dark: bool) -> None:
    page = person(dark=dark).new_page()
    page.goto("archive")
    expect(page.locator("tbody tr").first).to_be_visible()
    assert serious(page) == []
    for tab in ("snapshots", "files", "files&path=src/widget.py", "commits", "compare", "lost", "checks"):
        page.goto(f"archive#repo={repo.name}&tab={tab}")
        expect(page.locator(".panel .wait")).to_have_count(0)
        assert serious(page) == [], tab
    page.locator(".head").get_by_role("button", name="Restore…").click()
    assert serious(page) == []
