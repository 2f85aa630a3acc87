"""A repository's age against its promise, on the pages that show it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from conftest import Repo
from pivo.settings import CHECKOUT, Settings

Person = Callable[..., BrowserContext]


@pytest.fixture
def promise(stack: Settings, repo: Repo) -> Iterator[Callable[[str], None]]:
    """Promises that the repository is looked at within a span of time; afterwards the registration is as it was."""
    path: Path = stack.repositories
    if path.is_relative_to(CHECKOUT):
        pytest.skip("the running stack has the checkout's own registration; PIVO_REPOSITORIES names another")
    before = path.read_bytes() if path.exists() else b"repositories: []\n"

    def write(within: str) -> None:
        path.write_text(f"repositories:\n  - {{url: {repo.folder}, name: {repo.name}, promise: {within}}}\n")

    yield write
    path.write_bytes(before)


@pytest.mark.parametrize(("within", "kept"), [("2d", True), ("0.001m", False)])
def test_the_health_page_and_the_archive_tell_whether_a_promise_is_kept(
    person: Person, repo: Repo, promise: Callable[[str], None], within: str, kept: bool
) -> None:
    promise(within)
    page = person("viewer").new_page()
    row = page.locator("tr", has=page.get_by_role("link", name=repo.name, exact=True))
    page.wait_for_timeout(5_000)  # for which one look at things does
    page.goto("health")
    expect(row.locator("td").nth(2)).to_have_text("48 h" if kept else "0 min")
    expect(row.locator(".pill", has_text="late")).to_have_count(0 if kept else 1)
    pills = page.locator(".pills .pill")
    expect(pills.nth(1)).to_have_text("no promise missed" if kept else "1 repository late")
    missed = page.get_by_role("listitem").filter(has_text=f"{repo.name} was last looked at")
    expect(missed).to_have_count(0 if kept else 1)
    page.goto("archive")
    page.get_by_role("searchbox").fill(repo.name)
    expect(row.locator(".pill", has_text="within its 48 h")).to_have_count(1 if kept else 0)
    expect(row.locator(".pill.bad", has_text="late: promised every")).to_have_count(0 if kept else 1)
