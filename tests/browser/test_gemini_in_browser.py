"""A model's slow answer in Chromium: it streams, is stopped, and is still there after a reload in its middle."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import expect

from conftest import Repo, View
from gemini_server import GeminiServer, text
from pivo.settings import Settings

WORDS = [f"Word {n} of a **slow** answer. " for n in range(12)]
QUICK = text("A quick answer, with `code` and <b>no</b> markup of its own.")


@pytest.fixture
def gemini(stack: Settings) -> Iterator[GeminiServer]:
    """The Connection pivo_gemini leads to a local server: a slow answer, then a quick one."""
    password = (stack.home / "secrets" / "airflow-admin").read_text().strip()
    login = httpx.post(f"{stack.airflow_url}/auth/token", json={"username": "admin", "password": password}, timeout=30)
    headers = {"Authorization": f"Bearer {login.json()['access_token']}"}
    with (
        GeminiServer(text(*WORDS), QUICK, pause=0.4) as server,
        httpx.Client(base_url=f"{stack.airflow_url}/api/v2", headers=headers, timeout=30) as airflow,
    ):
        made = {"connection_id": "pivo_gemini", "conn_type": "generic", "password": "no-key-of-anybodys"}
        extra = f'{{"base_url": "{server.url}", "model": "gemini-test"}}'
        assert airflow.post("/connections", json=made | {"extra": extra}).is_success
        yield server
        assert airflow.delete("/connections/pivo_gemini").is_success


def begin(view: View, repo: Repo) -> None:
    """Asks for the slow answer, and waits for its first words."""
    expect(view.page.locator("#brain")).to_have_text("Gemini (gemini-test)")
    view.page.locator("#question").fill(f"Tell me about {repo.name}")
    view.page.keyboard.press("Enter")
    expect(view.page.locator("section.answer .text")).to_contain_text("Word 2")


def test_reloaded_in_the_middle_what_came_is_there_and_it_is_tried_again(
    gemini: GeminiServer, chat: Callable[..., View], repo: Repo
) -> None:
    view = chat()
    begin(view, repo)
    assert "Word 11" not in view.page.locator("section.answer .text").inner_text(), "it streams"
    view.page.reload()
    answer = view.page.locator("section.answer")
    expect(view.page.locator(".asked")).to_have_text(f"Tell me about {repo.name}")
    expect(answer.locator("strong").first).to_have_text("slow")
    expect(answer).to_contain_text("Word 1")
    expect(answer).to_contain_text("Stopped before the end.")
    answer.get_by_role("button", name="Try again").click()
    again = view.page.locator("section.answer").last
    expect(again).to_contain_text("A quick answer, with code and <b>no</b> markup of its own.")
    expect(again.locator("code")).to_have_text("code")
    expect(again.locator(".meta")).to_contain_text("Gemini, gemini-test")
    expect(again.locator(".meta")).to_contain_text("15 tokens")


def test_stopped_by_the_button(gemini: GeminiServer, chat: Callable[..., View], repo: Repo) -> None:
    view = chat()
    begin(view, repo)
    view.page.get_by_role("button", name="Stop").click()
    answer = view.page.locator("section.answer")
    expect(answer).to_contain_text("Stopped before the end.")
    expect(view.page.get_by_role("button", name="Ask")).to_be_visible()
    said = answer.locator(".text").inner_text()
    assert "Word 11" not in said
    view.page.reload()
    expect(answer).to_contain_text("Word 1")
    expect(answer).to_contain_text("Stopped before the end.")


def test_who_scrolls_away_from_a_coming_answer_stays_there(
    gemini: GeminiServer, chat: Callable[..., View], repo: Repo
) -> None:
    gemini.script[:0] = [text("\n\n".join(f"Line {n}" for n in range(80)))]
    view = chat(height=600)
    talk = view.page.locator("#talk")
    view.page.locator("#question").fill("Something long")
    view.page.keyboard.press("Enter")
    first = view.page.locator("section.answer").first
    expect(first.locator(".meta")).to_be_visible()
    top = view.page.locator(".asked").first.bounding_box()
    assert top and top["y"] > 0, "a long answer is read from its beginning"
    answers = view.page.locator("section.answer")
    view.page.locator("#question").fill(f"Tell me about {repo.name}")
    view.page.keyboard.press("Enter")
    expect(answers.last.locator(".text")).to_contain_text("Word 1")
    talk.evaluate("node => { node.scrollTop = 100; }")
    expect(answers.last.locator(".meta")).to_be_visible()
    assert talk.evaluate("node => node.scrollTop") == 100
