"""Which repositories a run archives, and that one that is wrong does not stop the others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pivo import registry
from pivo.errors import NotFound, SourceError, UsageError
from pivo.forges import ForgeRepo, GitHub
from pivo.registry import Registered
from pivo.settings import Settings

Registry = Callable[[str], Settings]


def listed(full_name: str, **more: bool) -> ForgeRepo:
    """A repository as the forge lists it."""
    owner, _, name = full_name.partition("/")
    url = f"https://forge/{full_name}"
    return ForgeRepo(owner, name, None, True, "main", url, f"{url}.git", **more)


@pytest.fixture
def registered(tmp_path: Path) -> Registry:
    """Settings whose registry is this YAML."""

    def make(yaml: str) -> Settings:
        path = tmp_path / "repositories.yaml"
        path.write_text(yaml)
        return Settings.load({"PIVO_HOME": str(tmp_path), "PIVO_REPOSITORIES": str(path), "PIVO_FORGE_TOKEN": "word"})

    return make


WEB = """
repositories:
  - https://host/acme/web.git
  - url: https://host/acme/api.git
    name: acme/api
    refs: [refs/pull/]
  - {url: /no/such/folder/tool, name: acme/tool}
"""


def test_all_registered_even_where_a_source_is_missing(registered: Registry) -> None:
    settings = registered(WEB)
    planned = registry.plan(settings)
    assert [r.name for r in planned] == ["web", "acme/api", "acme/tool"]
    assert planned[1].refs == ("refs/pull/",)
    for repo in planned[:2]:  # as the mapped task receives it
        assert Registered.parse({"url": repo.url, "name": repo.name, "refs": list(repo.refs)}) == repo
    with pytest.raises(SourceError, match="There is no repository at /no/such/folder/tool"):
        Registered.parse({"url": planned[2].url, "name": planned[2].name})


def test_those_that_were_asked_for(registered: Registry, tmp_path: Path) -> None:
    settings = registered(WEB)
    asked: list[Any] = ["acme/api", "https://host/x/new.git", {"url": str(tmp_path), "name": "mine"}, "acme/api"]
    planned = registry.plan(settings, asked)
    assert [(r.name, r.url) for r in planned] == [
        ("acme/api", "https://host/acme/api.git"),
        ("new", "https://host/x/new.git"),
        ("mine", tmp_path.as_uri()),
    ]
    with pytest.raises(NotFound, match="nothing is not registered"):
        registry.plan(settings, ["nothing"])


def test_a_folder_gives_its_own_name(tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "project" / "sub").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "project" / "sub")
    assert [Registered.parse(p).name for p in (".", "..", "../sub/", "../../project")] == [
        "sub",
        "project",
        "sub",
        "project",
    ]


@pytest.mark.parametrize(
    "data",
    [
        5, None, [], {}, {"url": 5}, {"name": "x"}, {"url": "https://h/x", "nmae": "y"},
        {"url": "https://h/x", "name": 7},
        {"url": "https://h/x", "refs": "refs/pull/"}, {"url": "https://h/x", "refs": [5]},
        {"url": "https://h/x", "refs": ["pull"]}, {"url": "https://h/x", "name": "../y"}, {"url": "https://h/"}, "-x",
    ],
)  # fmt: skip
def test_what_describes_no_repository(data: Any) -> None:
    with pytest.raises(UsageError):
        Registered.parse(data)


def test_a_password_is_not_shown(registered: Registry) -> None:
    with pytest.raises(UsageError) as refused:
        Registered.parse({"url": "https://ann:word@h/x", "nmae": "y"})
    assert "word" not in str(refused.value)


@pytest.mark.parametrize(
    "yaml",
    [
        "repositories: [",
        "- a",
        "repos: []",
        "repositories: {url: x}",
        "organisations: acme",
        "\x00",
        "repositories:\n - 5",
    ],
)
def test_a_registry_that_cannot_be_read(registered: Registry, yaml: str) -> None:
    with pytest.raises(UsageError) as refused:
        registry.plan(registered(yaml))
    assert "\n" not in str(refused.value)


def test_no_registry_is_an_empty_one(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path / "empty.yaml"):
        (tmp_path / "empty.yaml").write_text("# nothing yet\n")
        assert registry.plan(Settings.load({"PIVO_HOME": str(tmp_path), "PIVO_REPOSITORIES": str(path)})) == []
    with pytest.raises(UsageError, match="cannot be read"):
        registry.load(tmp_path)


def test_two_sources_of_one_name_are_refused(registered: Registry) -> None:
    with pytest.raises(UsageError, match="would both be archived as web"):
        registry.plan(registered("repositories: [https://a/web.git, https://b/web.git]"))
    assert len(registry.plan(registered("repositories: [https://a/web.git, https://a/web.git]"))) == 1


def test_the_registered_source_of_an_organisations_repository_goes_first(
    registered: Registry, monkeypatch: Any
) -> None:
    names = ("acme/web", "acme/new", "acme/000001-abcdef012345")
    monkeypatch.setattr(GitHub, "list_org_repos", lambda *_: [listed(n) for n in names])
    planned = registry.plan(
        registered("organisations: [acme]\nrepositories: [{url: 'ssh://git@forge/acme/web', name: acme/web}]")
    )
    assert {r.name: r.url for r in planned} == {
        "acme/web": "ssh://git@forge/acme/web",
        "acme/new": "https://forge/acme/new.git",
        names[2]: f"https://forge/{names[2]}.git",  # refused, alone, when it is its turn
    }
    with pytest.raises(UsageError, match="looks like the folder of a snapshot"):
        Registered.parse({"url": planned[2].url, "name": planned[2].name})


@pytest.mark.parametrize(
    ("api", "url", "given"),
    [
        ("https://api.github.com", "https://github.com/a/b", True),
        ("https://ghe.corp/api/v3", "https://ghe.corp/a/b", True),
        ("http://127.0.0.1:3000/api/v3", "http://127.0.0.1:3000/a/b", True),
        ("https://api.github.com", "http://github.com/a/b", False),
        ("https://api.github.com", "https://github.com.evil/a/b", False),
        ("https://api.github.com", "https://github.com@evil/a/b", False),
        ("https://api.github.com", "git://github.com/a/b", False),
        ("http://127.0.0.1:3000/api/v3", "http://127.0.0.1:3001/a/b", False),
        ("https://api.github.com", "file:///github.com", False),
    ],
)
def test_the_forges_token_goes_to_the_forge_only(tmp_path: Path, api: str, url: str, given: bool) -> None:
    settings = Settings.load({"PIVO_HOME": str(tmp_path), "PIVO_FORGE_URL": api, "PIVO_FORGE_TOKEN": "word"})
    assert (registry.token_for(settings, url) == "word") is given
