"""The client against a forge that limits, signs on, permits and pages as GitHub documents it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from pivo import organisations, registry
from pivo.errors import NotFound, SourceError, TargetError, Unavailable, UsageError
from pivo.forges import GitHub
from pivo.settings import ForgeAccess, Settings
from pivo.stack.localforge import Account, Forge, ForgeServer, Limits

CLASSIC, FINE, SIGNED = "classic-token-1234", "fine-grained-token-1234", "token-with-sso-1234"
ACCOUNTS = {
    CLASSIC: Account("pivo"),
    FINE: Account("robin", write=False, fine_grained=True),
    SIGNED: Account("kim", authorised=frozenset({"sealed"})),
}

Start = Callable[..., ForgeServer]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a forge with the organisations acme and sealed, the latter behind single sign-on."""
    running: list[ForgeServer] = []

    def make(**more: Any) -> ForgeServer:
        orgs, saml = frozenset({"acme", "sealed"}), frozenset({"sealed"})
        state = Forge(tmp_path / "forge", dict(ACCOUNTS), orgs=orgs, anonymous_read=False, saml=saml, **more)
        running.append(ForgeServer(state).__enter__())
        return running[-1]

    yield make
    for server in running:
        server.__exit__()


class Clock:
    """A clock that a client's waits move on."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def __call__(self) -> float:
        return time.time() + sum(self.slept)


def client(forge: ForgeServer, token: str = CLASSIC, clock: Clock | None = None, patience: float = 60.0) -> GitHub:
    sleep = (clock or Clock()).slept.append
    return GitHub(ForgeAccess(forge.api_url, token), sleep=sleep, patience=patience)


@pytest.mark.parametrize("status", [403, 429])
def test_the_hourly_limit_is_waited_for_until_its_reset(start: Start, status: int) -> None:
    clock = Clock()
    forge = start(limits=Limits(hourly=2, window=40, status=status, clock=clock))
    with client(forge, clock=clock) as github:
        for _ in range(3):
            assert github.whoami().name == "pivo"
    (wait,) = clock.slept
    assert 38 <= wait <= 42
    answer = httpx.get(f"{forge.api_url}/user", headers={"Authorization": f"Bearer {CLASSIC}"})
    assert answer.headers["x-ratelimit-limit"] == "2" and answer.headers["x-ratelimit-remaining"] == "0"


def test_an_hour_is_longer_than_a_person_waits(start: Start) -> None:
    forge, clock = start(limits=Limits(hourly=1)), Clock()
    with client(forge, clock=clock) as github:
        github.whoami()
        with pytest.raises(Unavailable, match=r"as often as it does in an hour \(1 times\).* in 60 min\."):
            github.whoami()
    assert clock.slept == []


@pytest.mark.parametrize("tells", [True, False])
def test_many_creations_meet_the_secondary_limit_and_all_come_to_be(start: Start, tells: bool) -> None:
    clock = Clock()
    forge = start(limits=Limits(creations=3, tells=tells, clock=clock))
    with client(forge, clock=clock, patience=900) as github:
        for number in range(5):
            assert github.create("acme", f"r{number}", "made\nin two lines", private=True).private
        assert [r.name for r in github.list_org_repos("acme")] == [f"r{n}" for n in range(5)]
    (wait,) = clock.slept
    assert (58 <= wait <= 61) if tells else (60 <= wait <= 72)


def test_single_sign_on_is_named_and_what_to_do(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    forge = start()
    forge.forge.create("sealed", "vault", None, private=True)
    with client(forge) as github:
        for call in (
            lambda: github.repo("sealed", "vault"),
            lambda: github.create("sealed", "new"),
            lambda: list(github.list_org_repos("sealed")),
            lambda: github.set_default_branch("sealed", "vault", "main"),
        ):
            with pytest.raises(TargetError, match=r"authorised for sealed's single sign-on: .*SAML") as refused:
                call()
            assert "Configure SSO" in refused.value.do
            assert "authorization_request" not in str(refused.value)
    with client(forge, SIGNED) as github:
        assert [r.name for r in github.list_org_repos("sealed")] == ["vault"]
        assert github.create("sealed", "new").full_name == "sealed/new"


def test_the_permission_that_a_fine_grained_token_lacks_is_named(start: Start) -> None:
    forge = start()
    forge.forge.create("acme", "web", None, private=False)
    with client(forge, FINE) as github:
        assert github.whoami().scopes is None
        for call in (lambda: github.create("acme", "x"), lambda: github.set_default_branch("acme", "web", "main")):
            with pytest.raises(TargetError, match="not accessible by personal access token") as refused:
                call()
            assert "the permission administration: write" in refused.value.do


def test_a_persons_private_repositories_are_listed_for_their_own_token_only(start: Start) -> None:
    forge = start()
    for name, private in (("open", False), ("secret", True)):
        forge.forge.create("pivo", name, None, private=private)
    with client(forge) as own, client(forge, SIGNED) as other:
        assert [r.name for r in own.list_org_repos("Pivo")] == ["open", "secret"]
        assert [r.name for r in other.list_org_repos("pivo")] == ["open"]
        with pytest.raises(NotFound, match="nobody"):
            list(own.list_org_repos("nobody"))


def test_a_description_that_the_forge_would_refuse_is_made_one_that_it_takes(start: Start) -> None:
    with client(start()) as github:
        made = github.create("acme", "x", "a\tb\n\x00" + "c" * 500)
        assert made.description is not None
        assert made.description.startswith("a b") and len(made.description) == 350


@pytest.fixture
def acme(start: Start, tmp_path: Path) -> tuple[ForgeServer, Callable[[str], Settings]]:
    """An organisation with an archived repository and a fork, and settings with a registry."""
    forge = start()
    for name in ("web", "old", "big-mirror"):
        forge.forge.create("acme", name, None, private=True)
    old, web = forge.forge.find("acme", "old"), forge.forge.find("acme", "web")
    assert old and web
    forge.forge.change(old, archived=True)
    forge.forge.fork(web, "acme", "web-fork")

    def settings(text: str) -> Settings:
        (tmp_path / "repositories.yaml").write_text(text)
        env = {"PIVO_HOME": str(tmp_path), "PIVO_REPOSITORIES": str(tmp_path / "repositories.yaml")}
        return Settings.load(env | {"PIVO_FORGE_URL": forge.api_url, "PIVO_FORGE_TOKEN": CLASSIC})

    return forge, settings


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("acme", {"web", "old", "big-mirror", "web-fork"}),
        ("{name: acme, archived: false}", {"web", "big-mirror", "web-fork"}),
        ("{name: acme, forks: false}", {"web", "old", "big-mirror"}),
        ("{name: ACME, archived: false, forks: false, exclude: ['*-Mirror']}", {"web"}),
    ],
)
def test_archived_and_forked_repositories_are_left_out_where_the_registry_says_so(
    acme: tuple[ForgeServer, Callable[[str], Settings]], entry: str, expected: set[str]
) -> None:
    settings = acme[1](f"organisations:\n  - {entry}\n")
    assert {r.name for r in registry.plan(settings)} == {f"acme/{name}" for name in expected}
    promised = registry.promises(settings.repositories, organisations.left_out(settings.home))
    for name in ("web", "old", "big-mirror", "web-fork"):
        assert (promised.of(f"acme/{name}") == 26.0) is (name in expected)


def test_an_organisation_that_is_not_listed_fails_alone_and_keeps_what_was_left_out(
    acme: tuple[ForgeServer, Callable[[str], Settings]],
) -> None:
    forge, make = acme
    settings = make("organisations: [sealed, {name: acme, forks: false}]\nrepositories: ['https://elsewhere/x.git']\n")
    planned = registry.plan(settings)
    assert [r.name for r in planned] == ["x", "sealed/*", "acme/big-mirror", "acme/old", "acme/web"]
    with pytest.raises(SourceError, match="sealed's single sign-on"):
        registry.Registered.parse(asdict(planned[1]))
    assert registry.Registered.parse(asdict(planned[4])) == planned[4]
    assert organisations.left_out(settings.home) == {"acme/web-fork"}
    forge.forge.saml = frozenset({"sealed", "acme"})
    assert [r.name for r in registry.plan(settings)] == ["x", "sealed/*", "acme/*"]
    assert organisations.left_out(settings.home) == {"acme/web-fork"}  # as it was last known


def test_a_forge_that_is_away_is_asked_again_before_its_organisations_fail(tmp_path: Path) -> None:
    (tmp_path / "repositories.yaml").write_text("organisations: [acme]\nrepositories: ['https://elsewhere/x.git']\n")
    env = {"PIVO_HOME": str(tmp_path), "PIVO_REPOSITORIES": str(tmp_path / "repositories.yaml")}
    limits = Limits(hourly=0)  # more than a task waits for
    with ForgeServer(Forge(tmp_path / "forge", dict(ACCOUNTS), limits=limits)) as forge:
        settings = Settings.load(env | {"PIVO_FORGE_URL": forge.api_url, "PIVO_FORGE_TOKEN": CLASSIC})
        with pytest.raises(Unavailable):
            registry.plan(settings, last=False)
        assert [r.name for r in registry.plan(settings, last=True)] == ["x", "acme/*"]


def test_one_repository_of_an_organisation_is_found_by_its_name(
    acme: tuple[ForgeServer, Callable[[str], Settings]],
) -> None:
    forge, make = acme
    settings = make("organisations:\n  - {name: acme, forks: false}\n")
    (web,) = registry.plan(settings, ["ACME/Web"])
    assert (web.name, web.url) == ("acme/web", f"{forge.url}/acme/web.git")
    with pytest.raises(UsageError, match="left out by the filters"):
        registry.plan(settings, ["acme/web-fork"])
    with pytest.raises(NotFound, match="acme/none"):
        registry.plan(settings, ["acme/none"])


@pytest.mark.parametrize(
    "entry", ["{name: acme, archive: false}", "{archived: false}", "{name: acme, forks: 5}", "[acme]", "{name: ''}"]
)
def test_a_filter_that_is_mistyped_is_refused(acme: tuple[ForgeServer, Callable[[str], Settings]], entry: str) -> None:
    with pytest.raises(UsageError, match="does not describe an organisation"):
        registry.plan(acme[1](f"organisations:\n  - {entry}\n"))


def test_an_archived_repository_and_a_sealed_one_take_no_push(start: Start, tmp_path: Path) -> None:
    forge = start()
    forge.forge.change(forge.forge.create("acme", "old", None, private=True), archived=True)
    forge.forge.create("sealed", "vault", None, private=True)
    for name, said in (("acme/old", "read-only"), ("sealed/vault", "SAML")):
        path = f"{forge.url}/{name}.git/info/refs?service=git-receive-pack"
        answer = httpx.get(path, auth=("x", CLASSIC))
        assert answer.status_code == 403 and said in answer.text


def served(answer: Callable[[httpx.Request], httpx.Response], url: str = "https://ghe.example/api/v3") -> GitHub:
    return GitHub(ForgeAccess(url, CLASSIC), sleep=lambda _s: None, transport=httpx.MockTransport(answer))


def test_a_list_that_sign_on_makes_incomplete_is_an_error_and_no_short_list() -> None:
    told = {"X-GitHub-SSO": "partial-results; organizations=21955855,20582480"}
    with (
        served(lambda _: httpx.Response(200, json=[], headers=told)) as github,
        pytest.raises(TargetError, match="21955855,20582480"),
    ):
        list(github.list_org_repos("acme"))


def test_an_address_without_its_api_path_is_told(caplog: pytest.LogCaptureFixture) -> None:
    page = httpx.Response(404, html="<html>Page not found</html>")
    with served(lambda _: page, "https://ghe.example") as github:
        for call in (github.whoami, lambda: github.repo("a", "b")):
            with pytest.raises(TargetError, match="does not speak GitHub's REST API") as refused:
                call()
            assert "/api/v3 at the end" in refused.value.do
    with pytest.raises(UsageError, match=r"https://api\.github\.com"):
        GitHub(ForgeAccess("https://github.com"))


def test_an_enterprise_servers_own_paths_are_kept() -> None:
    row = {"owner": {"login": "a"}, "name": "b", "private": True, "html_url": "h", "clone_url": "c"}
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        if "page=2" in str(request.url):
            return httpx.Response(200, json=[row | {"name": "c"}, row])
        link = {"Link": '<https://ghe.example/api/v3/organizations/5/repos?page=2>; rel="next"'}
        return httpx.Response(200, json=[row], headers=link)

    with served(answer) as github:
        assert [r.name for r in github.list_org_repos("a")] == ["b", "c"]  # one that is on two pages comes once
        assert list(github.git_config("https://ghe.example/a/b.git"))
        with pytest.raises(TargetError, match=r"http://ghe\.example"):  # the token goes over no bare line
            github.git_config("http://ghe.example/a/b.git")
    assert asked[0].startswith("https://ghe.example/api/v3/orgs/a/repos?")
    assert asked[1] == "https://ghe.example/api/v3/organizations/5/repos?page=2"


def test_pages_that_lead_to_another_host_are_not_followed() -> None:
    link = {"Link": '<https://evil.example/api/v3/orgs/a/repos?page=2>; rel="next"'}
    with (
        served(lambda _: httpx.Response(200, json=[], headers=link)) as github,
        pytest.raises(TargetError, match="points to another host"),
    ):
        list(github.list_org_repos("a"))


def test_limits_are_told_to_people(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    clock = Clock()
    forge = start(limits=replace(Limits(), hourly=1, window=5, clock=clock))
    with client(forge, clock=clock) as github:
        github.whoami()
        github.whoami()
    (record,) = [r for r in caplog.records if r.name.startswith("pivo.forges")]
    assert record.levelno == logging.WARNING and "has answered as often as it does in an hour" in record.getMessage()
    assert CLASSIC not in caplog.text
