"""What is too long for one answer goes on: by a button, by the keyboard, and to the end."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from conftest import Repo, View, git
from stack_kit import Pivo

FILES, LINES = 130, 900


@pytest.fixture(scope="module")
def long(pivo: Pivo, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """A commit of many files, and one that changes them all and every line of a long one."""
    folder = tmp_path_factory.mktemp("long-source") / "work"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    commits = {}
    for subject in ("Begin", "Change all"):
        for n in range(FILES):
            (folder / f"file-{n:03}.txt").write_text(f"{subject} {n}\n")
        (folder / "long.py").write_text("".join(f"line_{n} = '{subject}'\n" for n in range(1, LINES + 1)))
        git(folder, "add", "-A")
        git(folder, "commit", "-q", "-m", subject)
        commits[subject] = git(folder, "rev-parse", "HEAD")
    name = "long-" + hashlib.sha256(f"{os.getpid()}{time.time()}".encode()).hexdigest()[:10]
    pivo("ingest", str(folder), "--name", name)
    pivo("index")
    return Repo(name, folder, commits)


def test_a_table_that_was_cut_goes_on_by_the_keyboard_and_after_a_reload(chat: Callable[..., View], long: Repo) -> None:
    view = chat()
    answer = view.ask(f"Which files did commit {long.commits['Change all'][:10]} change?")
    rows, said = answer.locator("tbody tr"), answer.locator("figcaption .grow")
    expect(rows).to_have_count(100)
    expect(said).to_have_text("100 rows, and there are more")
    view.page.reload()
    more = answer.get_by_role("button", name="More rows")
    more.focus()
    view.page.keyboard.press("Enter")
    expect(rows).to_have_count(FILES + 1)
    expect(said).to_have_text(f"{FILES + 1} rows")
    expect(more).to_have_count(0)
    expect(answer.get_by_role("region", name="Table")).to_be_focused()
    assert len(set(rows.all_inner_texts())) == FILES + 1
    assert answer.locator(".scroll").evaluate("node => node.scrollTop") > 0, "what is new is in sight"


def test_a_file_and_a_diff_go_on_to_their_end(chat: Callable[..., View], long: Repo) -> None:
    view = chat()
    answer = view.ask(f"Show long.py in {long.name}")
    numbers, more = answer.locator(".lines i"), answer.get_by_role("button", name="More lines")
    for shown in (400, 800):
        expect(numbers).to_have_count(shown)
        expect(answer.locator("figcaption")).to_contain_text(f"lines 1–{shown} of {LINES}")
        more.click()
    expect(numbers).to_have_count(LINES)
    expect(answer.locator("figcaption")).to_contain_text(f"{LINES} lines")
    expect(answer.locator(".lines code").last).to_have_text(f"line_{LINES} = 'Change all'")
    expect(more).to_have_count(0)
    answer = view.ask(f"What did commit {long.commits['Change all'][:10]} change in long.py in {long.name}?")
    more = answer.get_by_role("button", name="More lines")
    for shown in (400, 800, 1200, 1600):
        expect(answer.locator(".lines code")).to_have_count(shown)
        more.click()
    expect(answer.locator("code.add")).to_have_count(LINES)
    expect(answer.locator("code.del")).to_have_count(LINES)
    expect(answer.locator("details.file")).to_have_count(1)
    expect(more).to_have_count(0)


def test_the_changed_files_of_a_comparison_go_on(person: Callable[..., BrowserContext], long: Repo) -> None:
    page = person("viewer").new_page()
    page.goto(f"archive#repo={long.name}&tab=compare&old={long.commits['Begin']}&new={long.commits['Change all']}")
    files = page.locator("details.file")
    expect(files).to_have_count(50)
    page.get_by_role("button", name=f"More files ({FILES + 1 - 50})").click()
    expect(files).to_have_count(100)
    page.get_by_role("button", name=f"More files ({FILES + 1 - 100})").click()
    expect(files).to_have_count(FILES + 1)


def test_what_cannot_go_on_is_said(chat: Callable[..., View], long: Repo) -> None:
    view = chat()
    answer = view.ask(f"Which files did commit {long.commits['Change all'][:10]} change?")
    view.page.route("**/api/more", lambda route: route.fulfill(status=404, json={"what": "Gone.", "do": "Ask again."}))
    answer.get_by_role("button", name="More rows").click()
    expect(answer.get_by_role("alert")).to_have_text("Gone. Ask again.")
    view.page.unroute("**/api/more")
    answer.get_by_role("button", name="More rows").click()
    expect(answer.locator("tbody tr")).to_have_count(FILES + 1)
