"""What a person may call a commit, and what is said when it is none or more than one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import gitmake
import pivo.ingest
from archive_kit import Vault
from gitmake import Repo
from pivo.errors import AmbiguousRef, NotFound, UsageError

DAYS = [datetime(2026, 11, day, 12, tzinfo=UTC) for day in (10, 12, 14)]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> tuple[Vault, Repo, dict[str, str]]:
    """Three snapshots, on the 10th, 12th and 14th of November: main grows, `gone` is deleted, `moved` is rewritten."""
    folder = tmp_path_factory.mktemp("story")
    vault, repo = Vault(folder / "vault"), gitmake.odd(folder / "odd.git")
    repo("branch", "gone", "side")
    repo("branch", "moved", "third")
    repo("tag", "moved-tag", "main~1")
    marks = {
        "main1": repo("rev-parse", "main"),
        "gone": repo("rev-parse", "gone"),
        "moved1": repo("rev-parse", "moved"),
    }

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return DAYS[len(vault.archive.snapshots("acme/odd"))]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pivo.ingest, "datetime", Clock)
        vault.ingest(repo)
        marks["main2"] = repo.commit("main", 500)
        repo("update-ref", "-d", "refs/heads/gone")
        marks["only"] = repo.commit("short-lived", 501)
        vault.ingest(repo)
        repo("update-ref", "-d", "refs/heads/short-lived")
        marks["moved2"] = repo.commit("moved", 502, parents=["main~20"])
        repo("tag", "-f", "moved-tag", "main")
        repo("update-ref", "refs/heads/main", marks["main1"])
        vault.ingest(repo)
    return vault, repo, marks


def test_names(story: tuple[Vault, Repo, dict[str, str]]) -> None:
    vault, repo, _ = story
    names = (
        "HEAD", "@", "main", "heads/main", "refs/heads/main", "side", "weird/ü", "v1", "tags/v1", "refs/tags/v2",
        "v2-again", "light", "refs/notes/commits", "moved", "moved-tag", " main ",
    )  # fmt: skip
    for name in names:
        found = vault.archive.resolve("acme/odd", name)
        assert found.commit == repo("rev-parse", f"{name.strip()}^{{commit}}"), name
        assert found.snapshot.seq == 3
    assert vault.archive.resolve("acme/odd", "main").ref == "refs/heads/main"
    assert vault.archive.resolve("acme/odd", "HEAD").ref == "refs/heads/main"


def test_ancestors_as_git_writes_them(story: tuple[Vault, Repo, dict[str, str]]) -> None:
    vault, repo, marks = story
    merge = repo("rev-list", "-1", "--merges", "main")
    for ref in ("main~1", "main^", "HEAD~3", "v2~1", "main~0", "main^0", f"{merge}^2", f"{merge}^2~1^", "main~2~2"):
        assert vault.archive.resolve("acme/odd", ref).commit == repo("rev-parse", f"{ref}^{{commit}}"), ref
    assert vault.archive.resolve("acme/odd", "gone~1").commit == repo("rev-parse", f"{marks['gone']}~1")
    for ref, said in (("main~9999", "goes back further"), ("main^7", "parent"), ("nowhere~1", "nowhere is no commit")):
        with pytest.raises(NotFound, match=said):
            vault.archive.resolve("acme/odd", ref)


def test_a_name_that_is_gone_is_found_where_it_was_last(story: tuple[Vault, Repo, dict[str, str]]) -> None:
    vault, _, marks = story
    gone, brief = vault.archive.resolve("acme/odd", "gone"), vault.archive.resolve("acme/odd", "short-lived")
    assert (gone.commit, gone.snapshot.seq) == (marks["gone"], 1)
    assert (brief.commit, brief.snapshot.seq) == (marks["only"], 2)


def test_hashes_of_every_commit_ever_seen(story: tuple[Vault, Repo, dict[str, str]]) -> None:
    vault, repo, marks = story
    for oid in (*repo("rev-list", "--all").split(), *marks.values()):
        for given in (oid, oid[:12], oid[:9].upper()):
            assert vault.archive.resolve("acme/odd", given).commit == oid
    tag = repo("rev-parse", "v1")
    assert vault.archive.resolve("acme/odd", tag[:10]).commit == repo("rev-parse", "v1^{commit}")


@pytest.mark.parametrize(
    ("ref", "seq", "mark"),
    [
        ("@2026-11-10", 1, "main1"), ("@2026-11-11", 1, "main1"), ("@2026-11-12", 2, "main2"),
        ("@2026-11-12T12:00", 2, "main2"), ("@2026-11-12T11:59", 1, "main1"), ("@2026-11-12T13:59+02:00", 1, "main1"),
        ("@2026-11-12 12:00:00Z", 2, "main2"), ("@2030-01-01", 3, "main1"), ("moved@2026-11-13", 2, "moved1"),
        ("moved@2026-11-14", 3, "moved2"), ("short-lived@2026-11-12", 2, "only"),
        ("refs/heads/gone@2026-11-10", 1, "gone"),
    ],
)  # fmt: skip
def test_dates(story: tuple[Vault, Repo, dict[str, str]], ref: str, seq: int, mark: str) -> None:
    vault, _, marks = story
    found = vault.archive.resolve("acme/odd", ref)
    assert (found.snapshot.seq, found.commit) == (seq, marks[mark])


def test_a_date_before_the_first_snapshot_goes_by_the_commits_own(story: tuple[Vault, Repo, dict[str, str]]) -> None:
    vault, repo, marks = story
    expected = repo("rev-list", "-1", "--first-parent", "--before=1700001500", marks["main1"])
    when = datetime.fromtimestamp(1700001500, UTC)
    found = vault.archive.resolve("acme/odd", f"@{when:%Y-%m-%dT%H:%M:%S}")
    assert (found.commit, found.snapshot.seq) == (expected, 1)


@pytest.mark.parametrize(
    ("ref", "kind", "said"),
    [
        ("mian", NotFound, "Did you mean main"),
        ("nothing-like-it-at-all", NotFound, "is no commit, branch or tag"),
        ("0" * 40, NotFound, "No commit of acme/odd"),
        ("deadbeef01", NotFound, "No commit of acme/odd"),
        ("a-blob", NotFound, "leads to a blob"),
        ("a-tree", NotFound, "leads to a tree"),
        ("@2001-01-01", NotFound, "no commit from before"),
        ("short-lived@2026-11-14", NotFound, "had no short-lived"),
        ("@2026-13-45", UsageError, "is not a date"),
        ("", UsageError, "is not a ref"),
        ("--upload-pack=x", UsageError, "is not a ref"),
        ("ma\x00in", UsageError, "is not a ref"),
        ("main\u202e", UsageError, "is not a ref"),
    ],
)
def test_what_is_no_ref(story: tuple[Vault, Repo, dict[str, str]], ref: str, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind) as refused:
        story[0].archive.resolve("acme/odd", ref)
    assert type(refused.value) is kind and said in str(refused.value)


def test_a_hash_that_is_no_commit(story: tuple[Vault, Repo, dict[str, str]]) -> None:
    vault, repo, _ = story
    for what in ("main:README.md", "main^{tree}"):
        oid = repo("rev-parse", what)
        with pytest.raises(NotFound, match=f"is a {repo('cat-file', '-t', oid)}, not a commit"):
            vault.archive.resolve("acme/odd", oid[:12])


def test_an_ambiguous_hash_lists_the_commits_and_only_commits(vault: Vault, tmp_path: Path) -> None:
    repo = gitmake.linear(tmp_path / "many.git", 1500)
    vault.ingest(repo, "many")
    commits = repo("rev-list", "main").split()
    by_prefix: dict[str, list[str]] = {}
    for oid in commits:
        by_prefix.setdefault(oid[:4], []).append(oid)
    several = [(p, ids) for p, ids in by_prefix.items() if len(ids) > 1]
    alone = [(p, ids[0]) for p, ids in by_prefix.items() if len(ids) == 1][:300]
    assert several and alone
    for prefix, ids in several:
        with pytest.raises(AmbiguousRef, match=f"the beginning of {len(ids)} commits") as refused:
            vault.archive.resolve("many", prefix)
        assert set(refused.value.candidates) == set(ids)
    for prefix, oid in alone:  # some share it with blobs and trees: those are not meant
        assert vault.archive.resolve("many", prefix).commit == oid


def test_a_branch_goes_before_a_hash_and_a_branch_before_a_tag(vault: Vault, tmp_path: Path) -> None:
    repo = gitmake.linear(tmp_path / "few.git", 5)
    repo("branch", "abcdef", "main~2")
    repo("branch", "twice", "main~1")
    repo("tag", "twice", "main~3")
    repo("tag", "rc@2026-11-20", "main~4")
    vault.ingest(repo, "few")
    expected = {"abcdef": "main~2", "twice": "main~1", "tags/twice": "main~3", "rc@2026-11-20": "main~4"}
    for ref, same in expected.items():
        assert vault.archive.resolve("few", ref).commit == repo("rev-parse", same)


def test_an_empty_repository_has_nothing_to_name(vault: Vault, tmp_path: Path) -> None:
    vault.ingest(gitmake.empty(tmp_path / "none.git"), "none")
    for ref in ("HEAD", "main", "abcd", "@2026-11-20"):
        with pytest.raises(NotFound, match="has no commits"):
            vault.archive.resolve("none", ref)


def test_repositories_with_and_without_owner_side_by_side(vault: Vault, tmp_path: Path) -> None:
    repo = gitmake.linear(tmp_path / "few.git", 2)
    for name in ("acme", "acme/web", "acme/web.js", "zeta/acme"):
        vault.ingest(repo, name)
    assert [str(r) for r in vault.archive.repos()] == ["acme", "acme/web", "acme/web.js", "zeta/acme"]
    with pytest.raises(NotFound) as refused:
        vault.archive.resolve("acme/wbe", "main")
    assert "acme/web" in refused.value.do
