"""A second person's approval as both people see it: the card in the chat, and Airflow's own Required Actions."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, expect

from conftest import Repo, View
from pivo.settings import CHECKOUT, Settings

Person = Callable[..., BrowserContext]


@pytest.fixture
def guarded(stack: Settings, repo: Repo) -> Iterator[None]:
    """Restores of the repository take the approval of `user`; afterwards the policy is as it was."""
    if stack.policy.is_relative_to(CHECKOUT):
        pytest.skip("the running stack has the checkout's own policy; PIVO_POLICY names another")
    before = stack.policy.read_bytes() if stack.policy.exists() else None
    stack.policy.write_text(f"approval: [{{repositories: [{repo.name}], approvers: [user]}}]\n")
    yield
    stack.policy.unlink()
    if before is not None:
        stack.policy.write_bytes(before)


@pytest.mark.usefixtures("guarded")
def test_one_asks_in_the_chat_and_another_rejects_in_airflow(
    chat: Callable[..., View], person: Person, repo: Repo
) -> None:
    view = chat("admin")
    card = view.ask(f"Restore the '{repo.name}' repo to commit {repo.commits['Go on'][:8]}").locator(".card")
    expect(card).to_contain_text("the approval of user, within 24 hours")
    card.get_by_role("button", name="Confirm").click()
    expect(card.locator(".pill").first).to_have_text("waits for approval", timeout=90_000)
    expect(card.locator(".stages li.awaiting_input")).to_contain_text("waits for user")
    page = person("user").new_page()
    page.goto(str(card.get_by_role("link", name="Answer").evaluate("a => a.href")))
    expect(page.locator("body")).to_contain_text(repo.commits["Go on"])
    expect(page.locator("body")).to_contain_text("Requested by: admin")
    page.get_by_role("button", name="Reject").click()
    expect(card.locator(".pill").first).to_have_text("failed", timeout=90_000)
    expect(card.locator(".stages li.failed")).to_contain_text("rejected by user")
    expect(card).to_contain_text("user rejected the restore. Nothing was restored.")
