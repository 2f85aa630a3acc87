"""The chat view as people use it, in Chromium, to the restored end."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from conftest import Repo, View, git

Chat = Callable[..., View]
Person = Callable[..., BrowserContext]


def test_a_question_its_table_and_its_evidence(chat: Chat, repo: Repo) -> None:
    view = chat()
    answer = view.ask(f"Show the last 3 commits in {repo.name}")
    subjects = answer.locator("tbody td:nth-child(4)")
    expect(subjects).to_have_text(["Go further", "Go on", "Begin"])
    answer.get_by_role("button", name="subject").click()
    expect(subjects).to_have_text(["Begin", "Go further", "Go on"])
    answer.get_by_role("button", name="subject").click()
    expect(subjects).to_have_text(["Go on", "Go further", "Begin"])
    expect(answer.locator("th[aria-sort=descending]")).to_have_text("subject")
    with view.page.expect_download() as download:
        answer.get_by_role("button", name="CSV").click()
    rows = Path(download.value.path()).read_text().splitlines()
    assert len(rows) == 4
    assert repo.commits["Begin"] in rows[3]
    line = answer.locator("details.tool")
    expect(line.get_by_text("SELECT")).to_be_hidden()
    line.locator("summary").click()
    expect(line.get_by_text("SELECT")).to_be_visible()
    expect(line.locator("summary")).to_contain_text("ms")


def test_a_diff_and_a_file(chat: Chat, repo: Repo) -> None:
    view = chat()
    answer = view.ask(f"What changed in README.md in {repo.name} between the last two commits that touched it?")
    expect(answer.locator("code.add")).to_have_text("+A line.")
    expect(answer.locator("code.del")).to_have_count(0)
    answer = view.ask(f"Show src/widget.py in {repo.name}")
    expect(answer.locator(".lines .k").first).to_have_text("def")
    expect(answer.locator(".lines i")).to_have_text(["1", "2"])


def test_active_content_is_shown_as_text(chat: Chat, repo: Repo) -> None:
    view = chat()
    answer = view.ask(f"Show page.html in {repo.name}")
    expect(answer.locator(".lines")).to_contain_text("<script>document.title = 'owned'</script><h1>Hi</h1>")
    assert answer.locator("script, h1, svg[onload]").count() == 0
    assert view.page.title() == "PIVO · Chat"


def test_a_refusal_offers_what_can_be_asked(chat: Chat, repo: Repo) -> None:
    view = chat()
    field = view.page.locator("#question")
    field.fill("Who has the smallest beard?")
    field.press("Enter")
    refusal = view.page.locator(".refusal")
    expect(refusal).to_contain_text("ran nothing")
    refusal.locator("button").first.click()
    expect(view.page.locator("section.answer")).to_have_count(2)


def test_a_proposal_that_is_cancelled_stays_so(chat: Chat, repo: Repo) -> None:
    view = chat()
    card = view.ask(f"Restore the '{repo.name}' repo to commit {repo.commits['Go on'][:8]}").locator(".card")
    expect(card).to_contain_text(repo.commits["Go on"])
    expect(card).to_contain_text("Go on")
    expect(card).to_contain_text("Nothing has happened yet")
    card.get_by_role("button", name="Cancel").click()
    expect(card).to_contain_text("Cancelled; nothing was started.")
    view.page.reload()
    card = view.page.locator(".card")
    expect(card).to_contain_text("Cancelled; nothing was started.")
    expect(card.get_by_role("button", name="Confirm")).to_be_hidden()


def test_a_proposal_whose_time_is_out_cannot_be_confirmed(chat: Chat, repo: Repo) -> None:
    view = chat()
    view.page.clock.install()
    card = view.ask(f"Restore the '{repo.name}' repo to commit {repo.commits['Go on'][:8]}").locator(".card")
    view.page.clock.fast_forward("14:00")
    expect(card.get_by_role("button", name="Confirm")).to_be_enabled()
    view.page.clock.fast_forward("02:00")
    expect(card).to_contain_text("Expired; nothing was started. Ask again.")
    expect(card.get_by_role("button", name="Confirm")).to_be_hidden()


def test_confirmed_reloaded_in_the_middle_and_watched_to_the_end(chat: Chat, repo: Repo) -> None:
    view = chat()
    page = view.page
    commit = repo.commits["Go on"]
    card = view.ask(f"Restore the '{repo.name}' repo to commit {commit[:8]}").locator(".card")
    card.get_by_role("button", name="Confirm").click()
    expect(card.locator(".stages li")).to_have_count(4)
    expect(card.locator(".stages li.success b")).to_contain_text(["Validate"], timeout=60_000)
    page.reload()
    card = page.locator(".card")
    expect(card.locator(".stages li")).to_have_count(4)
    expect(card.locator(".address")).to_be_visible(timeout=120_000)
    expect(card.locator(".stages li.success")).to_have_count(4)
    expect(card.locator(".stages")).to_contain_text("2 commits, all proven")
    expect(card.locator(".pill").first).to_have_text("restored")
    address = card.locator(".address").inner_text()
    assert git(repo.folder, "ls-remote", address, "refs/heads/main").split()[0] == commit
    log = card.get_by_role("link", name="Log").first.get_attribute("href")
    assert page.request.get(log).status == 200


def test_two_people_at_once_see_their_own(chat: Chat, repo: Repo) -> None:
    first, second = chat("admin"), chat("user")
    for view, question in (
        (first, f"List the branches of {repo.name}"),
        (second, f"Who committed last to {repo.name}?"),
    ):
        view.page.locator("#question").fill(question)
    for view in (first, second):
        view.page.locator("#question").press("Enter")
    for view, other in ((first, "Who committed last"), (second, "List the branches")):
        expect(view.page.locator("section.answer .meta")).to_be_visible()
        expect(view.page.locator("#talks li.current")).to_be_visible()
        assert other not in view.page.locator("#talks li.current").inner_text()
    assert "List the branches" not in second.page.locator("#talks").inner_text()


def test_a_viewer_may_ask_and_not_act(chat: Chat, repo: Repo) -> None:
    view = chat("viewer")
    assert "Ada Lovelace" in view.ask(f"Who committed last to {repo.name}?").inner_text()
    card = view.ask(f"Restore the '{repo.name}' repo to commit {repo.commits['Begin'][:8]}").locator(".card")
    expect(card.get_by_role("button", name="Confirm")).to_be_disabled()
    expect(card).to_contain_text("Your Airflow role may ask, but not start this.")
    shown = view.page.request.get(f"api/proposals/{card.get_attribute('data-proposal')}").json()
    refused = view.page.request.post(f"api/proposals/{shown['id']}/confirm", data={"digest": shown["digest"]})
    assert refused.status == 403


def test_conversations_are_kept_renamed_and_deleted(chat: Chat, repo: Repo) -> None:
    view = chat()
    page = view.page
    page.get_by_role("button", name="New conversation").click()
    view.ask(f"Who committed last to {repo.name}?")
    kept = page.locator("#talks li.current")
    kept.hover()
    kept.get_by_role("button", name="Rename").click()
    page.get_by_role("textbox", name="Name of the conversation").fill("Of last commits")
    page.keyboard.press("Enter")
    expect(page.locator("#talks li.current .open")).to_contain_text("Of last commits")
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator("#suggestions li").first).to_be_visible()
    page.locator("#talks .open", has_text="Of last commits").click()
    expect(page.locator("section.answer")).to_contain_text("Ada Lovelace")
    kept = page.locator("#talks li.current")
    kept.hover()
    kept.get_by_role("button", name="Delete").click()
    kept.get_by_text("Delete?").click()
    expect(page.locator("#talks .open", has_text="Of last commits")).to_have_count(0)


def test_an_answer_is_stopped_and_tried_again(chat: Chat, repo: Repo) -> None:
    view = chat()
    page = view.page
    page.route("**/api/ask", lambda route: None, times=1)  # a brain that thinks for ever
    page.locator("#question").fill(f"Who committed last to {repo.name}?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("section.answer")).to_contain_text("Stopped before the end.")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("section.answer").last).to_contain_text("Ada Lovelace")


def test_the_keyboard_is_enough(chat: Chat, repo: Repo) -> None:
    page = chat().page
    page.locator("#talk").focus()
    page.keyboard.press("/")
    page.keyboard.type("one line")
    page.keyboard.press("Shift+Enter")
    assert page.locator("#question").input_value() == "one line\n"
    page.locator("#question").fill(f"Who committed last to {repo.name}?")
    page.keyboard.press("Enter")
    expect(page.locator("section.answer .meta")).to_be_visible()
    page.keyboard.press("ArrowUp")
    assert repo.name in page.locator("#question").input_value()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_view_follows_airflows_theme(person: Person, repo: Repo, tmp_path: Path, theme: str) -> None:
    """Airflow set to one theme on a system that has the other."""
    page = person(dark=theme == "light").new_page()
    page.add_init_script(f"localStorage.setItem('theme', '{theme}')")
    page.goto("/plugin/pivo-chat")
    frame = page.frame_locator("iframe")
    frame.locator("#question").fill(f"Show the last 3 commits in {repo.name}")
    frame.locator("#question").press("Enter")
    expect(frame.locator("section.answer .meta")).to_be_visible()
    assert frame.locator("html").get_attribute("data-theme") == theme
    back = frame.locator("body").evaluate("node => getComputedStyle(node).backgroundColor")
    light = sum(json.loads(back.replace("rgb(", "[").replace(")", "]")))
    assert light < 150 if theme == "dark" else light > 600
    page.screenshot(path=tmp_path / f"chat-{theme}.png")


def test_a_phone_shows_all_of_it(chat: Chat, repo: Repo, tmp_path: Path) -> None:
    view = chat(width=390, height=844)
    view.ask(f"Show the last 3 commits in {repo.name}")
    view.ask(f"Restore the '{repo.name}' repo to commit {repo.commits['Begin'][:8]}")
    assert view.page.evaluate("document.documentElement.scrollWidth") <= 390
    view.page.get_by_role("button", name="Conversations").click()
    expect(view.page.locator("#talks li").first).to_be_visible()
    view.page.screenshot(path=tmp_path / "chat-phone.png")
