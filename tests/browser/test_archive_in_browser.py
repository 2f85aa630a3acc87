"""The archive page in Chromium."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from conftest import Repo

Person = Callable[..., BrowserContext]


@pytest.fixture
def archive(person: Person) -> Callable[..., Page]:
    """Opens the archive page as somebody."""

    def make(where: str = "", name: str = "admin", **options: object) -> Page:
        page = person(name, **options).new_page()
        page.goto(f"archive#{where}")
        expect(page.locator("#page h1")).to_be_visible()
        return page

    return make


def test_from_the_list_to_a_file_of_an_old_snapshot(archive: Callable[..., Page], repo: Repo) -> None:
    page = archive()
    page.get_by_role("searchbox").fill(repo.name)
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name=repo.name).click()
    expect(page.locator(".timeline li")).to_have_count(2)
    first = page.locator(".timeline li").last
    expect(first).to_contain_text("+2 commits")
    first.get_by_role("link", name="Browse").click()
    expect(page.locator(".files li")).to_have_text(["src", "README.md", "logo.svg", "page.html"])
    page.get_by_role("link", name="src").click()
    page.get_by_role("link", name="widget.py").click()
    expect(page.locator(".lines code").nth(1)).to_have_text("    return 2  # mm")
    page.go_back()
    page.go_back()
    page.get_by_role("link", name="page.html").click()
    expect(page.locator(".lines code")).to_have_text("<script>document.title = 'owned'</script><h1>Hi</h1>")
    assert "owned" not in page.title()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "page.html"
    assert Path(download.value.path()).read_text().startswith("<script>")


def test_what_changed_between_two_snapshots(archive: Callable[..., Page], repo: Repo) -> None:
    page = archive(f"repo={repo.name}")
    page.locator(".timeline li").first.get_by_role("link", name="Changes").click()
    expect(page.locator("details.file summary b")).to_have_text(["README.md", "src/widget.py"])
    page.get_by_label("Path").fill("src")
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.locator("details.file summary b")).to_have_text(["src/widget.py"])
    expect(page.locator("code.del")).to_have_text("-    return 2  # mm")


def test_the_restore_button_opens_the_same_proposal(archive: Callable[..., Page], repo: Repo) -> None:
    page = archive(f"repo={repo.name}&tab=commits")
    page.get_by_role("button", name=f"Restore {repo.commits['Begin'][:10]}").click()
    page.get_by_role("button", name="See the proposal").click()
    card = page.get_by_role("dialog").locator(".card")
    expect(card).to_contain_text(repo.commits["Begin"])
    page.reload()
    card = page.get_by_role("dialog").locator(".card")
    expect(card).to_contain_text("Nothing has happened yet")
    card.get_by_role("button", name="Cancel").click()
    expect(card).to_contain_text("Cancelled; nothing was started.")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_viewer_sees_but_may_not_restore(archive: Callable[..., Page], repo: Repo) -> None:
    page = archive(f"repo={repo.name}", "viewer")
    page.locator(".head").get_by_role("button", name="Restore…").click()
    expect(page.get_by_role("button", name="See the proposal")).to_be_disabled()
    expect(page.get_by_role("dialog")).to_contain_text("Your Airflow role may ask, but not start this.")


def test_what_is_not_there_is_said(archive: Callable[..., Page], repo: Repo) -> None:
    page = archive("repo=no/such")
    expect(page.get_by_role("alert")).to_contain_text("No repository no/such is in the index.")
    page.goto(f"archive#repo={repo.name}&tab=files&path=nosuch")
    expect(page.get_by_role("alert")).to_contain_text("nosuch")


def test_a_phone_shows_all_of_it(archive: Callable[..., Page], repo: Repo, tmp_path: Path) -> None:
    page = archive(f"repo={repo.name}", width=390, height=844)
    expect(page.locator(".timeline li")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.screenshot(path=tmp_path / "archive-phone.png")
