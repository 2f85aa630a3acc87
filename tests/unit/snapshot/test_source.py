"""Sources: every way to reach one, and every way in which one is refused, unreachable or not whole."""

from __future__ import annotations

import gzip
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import gitmake
from archive_kit import Vault
from gitmake import Repo
from pivo import source
from pivo.errors import PivoError, SourceError, Unavailable, UsageError
from pivo.stack.localforge import Account, Forge, ForgeServer

TOKEN = "token-of-a-test"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder, and the git:// URL of a daemon that serves it."""
    folder = tmp_path_factory.mktemp("served")
    with gitmake.daemon(folder) as url:
        yield folder, url


def refused(vault: Vault, url: Repo | str, kind: type[PivoError] = SourceError, **options: Any) -> str:
    """The ingest is refused, and leaves nothing at all behind; what it says."""
    with pytest.raises(kind) as failed:
        vault.ingest(url, **options)
    assert type(failed.value) is kind and failed.value.what and failed.value.do
    assert vault.archive.repos() == [] and vault.incoming == [] and vault.events.sent == []
    assert not (vault.folder / "scratch").exists() or vault.scratch == []
    return str(failed.value)


def on_forge(repo: Repo, folder: Path, name: str, private: bool = False) -> Repo:
    """The repository as `acme/<name>` of the forge that has its root at `folder`/forge."""
    path = Forge(folder / "forge", {}).create("acme", name, None, private).path
    shutil.copytree(repo.path, path, dirs_exist_ok=True)
    return Repo(path)


def test_all_ways_give_the_same_snapshot(
    vault: Vault, served: tuple[Path, str], odd_source: Repo, tmp_path: Path
) -> None:
    folder, daemon = served
    odd_source.copy(folder / "same.git")
    on_forge(odd_source, tmp_path, "same")
    with ForgeServer(Forge(tmp_path / "forge", {TOKEN: Account("pivo", write=False)}, anonymous_read=False)) as forge:
        ways = {
            "file": odd_source.url,
            "path": str(odd_source.path),
            "git": f"{daemon}/same.git",
            "http": f"{forge.url}/acme/same.git",
        }
        for name, url in ways.items():
            vault.ingest(url, name, token=TOKEN if name == "http" else "")
        os.chdir(odd_source.path.parent)
        vault.ingest(odd_source.path.name, "relative")
        made = {}
        for name in [*ways, "relative"]:
            manifest = vault.latest(name)
            with vault.archive.objects(manifest) as objects:
                assert {o for o in odd_source.objects("--branches", "--tags") if not objects.contains(o)} == set()
            made[name] = (manifest.refs, manifest.head, manifest.head_ref, manifest.commits, manifest.files)
            assert vault.ingest(ways.get(name, odd_source.path.name), name, token=TOKEN).outcome == "unchanged"
        assert len(set(made.values())) == 1, made


def test_a_forge_tells_which_refs_follow_others(vault: Vault, odd_source: Repo, tmp_path: Path) -> None:
    there = on_forge(odd_source, tmp_path, "links")
    there("symbolic-ref", "refs/heads/current", "refs/heads/main")
    with ForgeServer(Forge(tmp_path / "forge", {TOKEN: Account("pivo", write=False)}, anonymous_read=True)) as forge:
        vault.ingest(f"{forge.url}/acme/links.git")
    assert vault.latest().symrefs == (("refs/heads/current", "refs/heads/main"),)


@pytest.mark.parametrize("way", ["git", "http"])
def test_an_increment_over_the_network_brings_only_what_is_new(
    vault: Vault, served: tuple[Path, str], odd_source: Repo, tmp_path: Path, way: str
) -> None:
    name = f"grows-{way}"
    repo = odd_source.copy(served[0] / f"{name}.git") if way == "git" else on_forge(odd_source, tmp_path, name)
    with ForgeServer(Forge(tmp_path / "forge", {})) as forge:
        url = f"{served[1] if way == 'git' else forge.url + '/acme'}/{name}.git"
        first = vault.ingest(url)
        made = [repo.commit("main", 300), repo.commit("main", 301, parents=["refs/heads/main", "refs/heads/side"])]
        second = vault.ingest(url)
    assert {c.hash for c in vault.events.sent[-1].commits} == set(made)
    assert second.objects == 6 and second.bytes < first.bytes / 5


def test_an_empty_repository_over_the_network(vault: Vault, served: tuple[Path, str], tmp_path: Path) -> None:
    gitmake.empty(served[0] / "empty.git")
    on_forge(gitmake.empty(tmp_path / "new.git"), tmp_path, "empty")
    assert vault.ingest(f"{served[1]}/empty.git", "a").outcome == "published"
    with ForgeServer(Forge(tmp_path / "forge", {})) as forge:
        assert vault.ingest(f"{forge.url}/acme/empty.git", "b").outcome == "published"
    assert (vault.latest("a").refs, vault.latest("b").refs) == ((), ())


def test_no_such_repository(vault: Vault, served: tuple[Path, str], tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    for url in (str(plain), plain.as_uri(), f"{tmp_path}/none", (tmp_path / "none").as_uri()):
        assert "There is no" in refused(vault, url)
    assert "is not there, or refuses access" in refused(vault, f"{served[1]}/none.git")
    with ForgeServer(Forge(tmp_path / "forge", {TOKEN: Account("pivo")})) as forge:
        assert "There is no repository at" in refused(vault, f"{forge.url}/acme/none.git", token=TOKEN)


def test_no_access(vault: Vault, odd_source: Repo, tmp_path: Path) -> None:
    on_forge(odd_source, tmp_path, "secret", private=True)
    with ForgeServer(Forge(tmp_path / "forge", {TOKEN: Account("pivo")}, anonymous_read=False)) as forge:
        for token in ("", "wrong"):
            said = refused(vault, f"{forge.url}/acme/secret.git", token=token)
            assert "refused access" in said or "There is no repository" in said
        with_password = forge.url.replace("http://", "http://ann:hidden-word@") + "/acme/secret.git"
        assert "hidden-word" not in refused(vault, with_password)


def test_a_password_in_the_url_is_used_and_never_kept(vault: Vault, odd_source: Repo, tmp_path: Path) -> None:
    on_forge(odd_source, tmp_path, "secret", private=True)
    with ForgeServer(Forge(tmp_path / "forge", {TOKEN: Account("pivo")}, anonymous_read=False)) as forge:
        vault.ingest(forge.url.replace("http://", f"http://x:{TOKEN}@") + "/acme/secret.git")
        assert vault.latest().source == f"{forge.url}/acme/secret.git"
    everything = b"".join(gzip.decompress(p.read_bytes()) for p in (vault.folder / "archive").rglob("manifest.json.gz"))
    assert TOKEN.encode() not in everything


def test_what_does_not_answer_may_be_tried_again(vault: Vault) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # not listening: connections are refused
        port = taken.getsockname()[1]
        for url in (f"http://127.0.0.1:{port}/a/b.git", f"git://127.0.0.1:{port}/b.git"):
            assert "did not answer" in refused(vault, url, Unavailable)
    for url in ("https://nowhere.invalid/a/b.git", "git://nowhere.invalid/b.git"):
        refused(vault, url, Unavailable)


@pytest.mark.parametrize(
    "url",
    [
        "ssh://-oProxyCommand=touch${IFS}/tmp/pwned/x", "ssh://-l@host/x", "git@-oProxyCommand=x:y", "-x", "", " ",
        "ext::sh -c touch% /tmp/pwned", "fd::3", "ftp://host/x.git", "http:///nohost", "git://", "https://[::1/x",
        "https://host:port/x", "http://host/\nx", "file:///x\x00y", "\udcff",
    ],
)  # fmt: skip
def test_urls_that_are_refused_unread(vault: Vault, url: str) -> None:
    refused(vault, url, UsageError)


def test_paths_that_cannot_be_opened(vault: Vault) -> None:
    assert "cannot be opened" in refused(vault, "x" * 5000)
    assert "There is no repository" in refused(vault, "host:path")


def test_ssh_that_cannot_connect(vault: Vault, monkeypatch: Any) -> None:
    monkeypatch.setenv(
        "GIT_SSH_COMMAND", "sh -c 'echo ssh: connect to host h port 22: Connection refused >&2; exit 255'"
    )
    assert "Connection refused" in refused(vault, "ssh://git@h/x.git", Unavailable)
    assert "Connection refused" in refused(vault, "git@h:x.git", Unavailable)


def test_ssh_that_answers(vault: Vault, odd_source: Repo, tmp_path: Path, monkeypatch: Any) -> None:
    script = tmp_path / "ssh"
    script.write_text('#!/bin/sh\nfor last; do :; done\nexec sh -c "$last"\n')
    script.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(script))
    assert vault.ingest(f"ssh://git@host{odd_source.path}").refs > 10
    assert vault.latest().source == f"ssh://git@host{odd_source.path}"


@pytest.mark.parametrize("way", ["local", "git"])
@pytest.mark.parametrize("spoilt", ["--depth=1", "--filter=blob:none", "--filter=tree:0"])
def test_shallow_and_partial_clones(
    vault: Vault, served: tuple[Path, str], odd: Repo, tmp_path: Path, spoilt: str, way: str
) -> None:
    name = f"clone{spoilt.replace('-', '').replace(':', '')}.git"
    folder = served[0] if way == "git" else tmp_path
    made = gitmake.clone(odd, folder / name, spoilt)
    odd.path.rename(tmp_path / "gone.git")  # nobody can fill in what is missing
    said = refused(vault, f"{served[1]}/{name}" if way == "git" else made)
    assert ("shallow" if "depth" in spoilt else "partial") in said or "not complete" in said or "missing" in said
    if way == "local":
        assert ("is a shallow clone" if "depth" in spoilt else "is a partial clone") in said


def test_a_shallow_clone_whose_file_says_nothing(vault: Vault, odd: Repo, tmp_path: Path) -> None:
    """A local folder whose history was cut off by hand: only the proof can tell."""
    made = gitmake.clone(odd, tmp_path / "cut.git", "--depth=3")
    made("update-server-info")
    (made.path / "shallow").unlink()
    refused(vault, made)


INNER = ("main~30:deep/er/grows.txt", "main~30^{tree}", "main~30")
TIPS = ("main:README.md", "v1^{tag}")


@pytest.mark.parametrize("how", ["remove", "damage"])
@pytest.mark.parametrize(
    ("what", "way"),
    [*((w, "local") for w in INNER + TIPS), *((w, "git") for w in INNER), (INNER[0], "http")],
)
def test_missing_and_corrupt_objects_are_named(
    vault: Vault, served: tuple[Path, str], odd: Repo, tmp_path: Path, what: str, how: str, way: str
) -> None:
    odd.loose()
    oid = odd("rev-parse", what)
    getattr(odd, how)(oid)
    name = f"{odd.path.parent.name}.git"
    if way == "git":
        odd.path.rename(served[0] / name)
        said = refused(vault, f"{served[1]}/{name}")
    elif way == "http":
        on_forge(odd, tmp_path, name.removesuffix(".git"))
        with ForgeServer(Forge(tmp_path / "forge", {})) as forge:
            said = refused(vault, f"{forge.url}/acme/{name}")
    else:
        said = refused(vault, odd)
    assert oid in said, said


@pytest.mark.parametrize("what", TIPS)
def test_a_server_that_dies_of_a_corrupt_tip_says_nothing(
    vault: Vault, served: tuple[Path, str], odd: Repo, what: str
) -> None:
    odd.loose()
    odd.damage(odd("rev-parse", what))
    name = f"{odd.path.parent.name}.git"
    odd.path.rename(served[0] / name)
    assert "run `git fsck` in the source" in refused(vault, f"{served[1]}/{name}", Unavailable)


def test_an_object_that_is_another_than_its_name_says(vault: Vault, odd: Repo) -> None:
    odd.loose()
    oid = odd("rev-parse", "main:README.md")
    odd.replace(oid, b"blob", b"# Forged\n")
    said = refused(vault, odd)
    assert oid in said, said


def test_a_source_that_breaks_later_leaves_what_was_archived_alone(vault: Vault, odd: Repo) -> None:
    first = vault.ingest(odd)
    oid = odd.commit("main", 400)
    odd.loose()
    odd.remove(odd("rev-parse", f"{oid}:file1"))
    with pytest.raises(SourceError):
        vault.ingest(odd)
    assert [s.dirname for s in vault.archive.snapshots("acme/odd")] == [first.snapshot]
    assert vault.incoming == [] and vault.scratch == [] and len(vault.events.sent) == 1


def test_a_server_that_sends_less_than_it_was_asked_for(
    vault: Vault, odd: Repo, tmp_path: Path, monkeypatch: Any
) -> None:
    """A pack that is whole in itself, but does not hold what a ref points at."""
    lying = gitmake.linear(tmp_path / "other.git", 3)
    one = lying("rev-parse", "main")

    def less(url: str, want: Any, haves: Any, sink: Any, **_: Any) -> source.Remote:
        pack = lying.raw("pack-objects", "--revs", "--stdout", "-q", stdin=b"main\n")
        sink(pack)
        return source.Remote({"refs/heads/main": one, "refs/heads/side": "ab" * 20}, one, "refs/heads/main", True)

    monkeypatch.setattr(source, "fetch", less)
    assert "object " + "ab" * 20 in refused(vault, odd)
    monkeypatch.setattr(source, "fetch", lambda *_, **__: source.Remote({"refs/heads/x": "ab" * 20}, None, None, True))
    assert "object " + "ab" * 20 in refused(vault, odd)


def test_a_git_hooks_environment_does_not_mislead(vault: Vault, odd: Repo, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("GIT_DIR", str(gitmake.empty(tmp_path / "hooked.git").path))
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert vault.ingest(odd).refs > 10


def test_the_names_that_sources_suggest() -> None:
    names = {
        "https://host/acme/web.git": "web", "git@host:acme/web.git": "web", "/srv/git/web/.git": "web",
        "file:///srv/my%20repo": "my repo", "ssh://h/~ann/x/": "x", "https://[::1/": "",
    }  # fmt: skip
    assert {url: source.name_of(url) for url in names} == names


def test_what_of_a_url_may_be_shown() -> None:
    shown = {
        "https://ann:word@host/x": "https://host/x", "https://token@host/x": "https://host/x",
        "ssh://git:word@host/x": "ssh://git@host/x", "git://a:b@host/x": "git://host/x", "git@host:x": "git@host:x",
        "file:///a@b": "file:///a@b", "https://[::1/": "the URL",
    }  # fmt: skip
    assert {url: source.public(url) for url in shown} == shown


def test_which_refs_count() -> None:
    assert all(
        map(source.counts, ("refs/heads/x", "refs/tags/x", "refs/notes/x", "refs/replace/x", "refs/changes/1/1"))
    )
    assert not any(map(source.counts, ("HEAD", "refs/pull/1/head", "refs/remotes/o/x", "refs/stash", "refs/tags/x^{}")))
    assert source.counts("refs/pull/1/head", ["refs/pull/"])


def test_an_empty_local_repository_tells_the_branch_that_it_has_in_mind(tmp_path: Path) -> None:
    repo = gitmake.empty(tmp_path / "empty.git", "trunk")
    remote = source.fetch(repo.url, lambda refs: [], [], len)
    assert (remote.refs, remote.head, remote.head_ref) == ({}, None, "refs/heads/trunk")
