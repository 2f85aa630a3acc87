"""Which restores the policy gives to a second person, and to whom."""

from __future__ import annotations

from pathlib import Path

import pytest

from pivo.errors import TargetError, UsageError
from pivo.restore.approval import Needed, Person, Rule, needed
from pivo.restore.policy import Policy
from pivo.settings import Settings

GRACE, LINUS, ADA = (Person(name, name) for name in ("grace", "linus", "ada"))


def rule(**more: object) -> Rule:
    return Rule((GRACE, LINUS), **more)


def load(tmp_path: Path, text: str) -> Policy:
    (tmp_path / "policy.yaml").write_text(text)
    return Policy.load(Settings.load({"PIVO_HOME": str(tmp_path), "PIVO_POLICY": str(tmp_path / "policy.yaml")}))


def test_rules_are_read_from_the_policy(tmp_path: Path) -> None:
    text = """
approval:
  - repositories: ["acme/*"]
    requesters: ["!release-bot"]
    approvers: [grace, {id: "7", name: linus}]
    expires_minutes: 90
  - approvers: [ada]
"""
    first, second = load(tmp_path, text).approval
    assert first == Rule((GRACE, Person("7", "linus")), ("acme/*",), ("*",), ("!release-bot",), 90)
    assert second == Rule((ADA,))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("approval: {approvers: [ada]}", "no list of rules"),
        ("approval: [ada]", "no list of rules"),
        ("approval: [{repos: ['*'], approvers: [ada]}]", "has repos"),
        ("approval: [{targets: ['prod/*']}]", "names no approvers"),
        ("approval: [{approvers: []}]", "names no approvers"),
        ("approval: [{approvers: ['ad*']}]", "no single person"),
        ("approval: [{approvers: [{id: 7, name: ada}]}]", "no single person"),
        ("approval: [{approvers: ['']}]", "no single person"),
        ("approval: [{targets: [], approvers: [ada]}]", "names nothing"),
        ("approval: [{targets: ['!'], approvers: [ada]}]", "names nothing"),
        ("approval: [{targets: 'prod/*', approvers: [ada]}]", "no list of strings"),
        ("approval: [{approvers: [ada], expires_minutes: 0}]", "expires_minutes"),
        ("approval: [{approvers: [ada], expires_minutes: 10081}]", "expires_minutes"),
        ("approval: [{approvers: [ada], expires_minutes: true}]", "expires_minutes"),
    ],
)
def test_a_rule_that_is_not_understood_allows_nothing(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        load(tmp_path, text)


def test_the_policy_that_is_delivered_asks_nobody() -> None:
    assert Policy.load(Settings.load({})).approval == ()


@pytest.mark.parametrize(
    "target",
    [
        "prod/web",
        "Prod/Web",
        "https://git.example.org/prod/web.git",
        "https://git.example.org/prod//web",
        "https://git.example.org/%70rod/web",
        "https://git.example.org/x/../prod/web.git",
        "https://git.example.org/sub/prod/web.git?x=1",
        "ssh://git@git.example.org/prod/web",
        "git@git.example.org:prod/web.git",
        "file:///srv/prod/web.git",
        "/srv/prod/web.git",
    ],
)
def test_no_spelling_of_a_target_gets_round_a_rule(target: str) -> None:
    assert rule(targets=("prod/*",)).fits("acme/web", target, {"ada"})
    assert not rule(targets=("production/*",)).fits("acme/web", target, {"ada"})


def test_an_exception_holds_for_what_it_names_and_nothing_that_looks_like_it(tmp_path: Path) -> None:
    sandbox = rule(targets=("!sandbox/*",))
    assert not sandbox.fits("acme/web", "sandbox/web", {"ada"})
    for target in ("prod/web", "Sandbox/web", "https://evil.example.org/sandbox/web.git", "file:///srv/sandbox/web"):
        assert sandbox.fits("acme/web", target, {"ada"}), target
    folder = tmp_path / "out"
    folder.mkdir()
    (tmp_path / "link").symlink_to("/srv")
    below = rule(targets=(f"!{folder.as_uri()}/*",))
    assert not below.fits("acme/web", f"{folder}/web.git", {"ada"})
    assert below.fits("acme/web", f"file://{tmp_path}/link/web.git", {"ada"})
    assert not rule(repositories=("*", "!docs/*")).fits("docs/site", "me/site", {"ada"})
    assert rule(repositories=("*", "!docs/*")).fits("Docs/site", "me/site", {"ada"})


def test_everyone_except_one_who_asks_must_be_that_one_alone() -> None:
    except_bot = rule(requesters=("!bot",))
    assert not except_bot.fits("acme/web", "me/web", {"bot"})
    assert except_bot.fits("acme/web", "me/web", {"ada"})
    assert except_bot.fits("acme/web", "me/web", {"ada", "bot"}), "who says to act for the bot is not the bot"
    assert except_bot.fits("acme/web", "me/web", {"bot", "ada"}), "the bot that acts for somebody is that somebody"
    assert except_bot.fits("acme/web", "me/web", ()), "nobody known"


def test_who_asks_does_not_approve() -> None:
    assert needed([], {"acme/web": "me/web"}, {"ada"}) is None
    assert needed([rule(repositories=("secret/*",))], {"acme/web": "me/web"}, {"ada"}) is None
    assert needed([rule()], {"acme/web": "me/web"}, {"ada"}) == Needed((GRACE, LINUS), 1440)
    assert needed([rule()], {"acme/web": "me/web"}, {"GRACE", "admin"}) == Needed((LINUS,), 1440)
    seven = Rule((Person("7", "grace"),))
    for who in ("grace", "7"):
        with pytest.raises(TargetError, match="only grace, who asked"):
            needed([seven], {"acme/web": "me/web"}, {who})


def test_an_approver_is_named_by_every_rule_that_fits() -> None:
    rules = [
        Rule((GRACE, LINUS), repositories=("acme/*",)),
        Rule((LINUS, ADA), targets=("prod/*",), expires_minutes=30),
        Rule((ADA,), repositories=("secret/*",)),
    ]
    assert needed(rules, {"acme/web": "prod/web"}, {"bob"}) == Needed((LINUS,), 30)
    both = {"acme/web": "me/web", "secret/key": "me/key"}
    with pytest.raises(TargetError, match="names nobody who may approve all"):
        needed(rules, both, {"bob"})


def test_what_is_needed_in_words() -> None:
    assert Needed((GRACE, LINUS, ADA), 1440).words == "grace, linus or ada, within 24 hours"
    assert Needed((GRACE,), 60).words == "grace, within 1 hour"
    assert Needed((GRACE,), 90).words == "grace, within 90 minutes"
