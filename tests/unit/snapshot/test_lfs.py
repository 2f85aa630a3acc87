"""git LFS on its way into the archive: from a local repository, and from a forge over the wire."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

import gitmake
from archive_kit import Vault
from gitmake import Repo
from lfs_kit import ATTRIBUTES, keep, of, place, pointer, tracked
from pivo.errors import ArchiveError
from pivo.lfs import Action, Client, Refused, endpoint, parse_pointer
from pivo.models import LfsObject
from pivo.snapshot import lfs
from pivo.snapshot import manifest as manifests
from pivo.stack.localforge import Account, Forge, ForgeServer

ONE, TWO, THREE = os.urandom(3000), b"two" * 400_000, b"three"
TOKEN = "a-token"


@pytest.fixture
def source(tmp_path: Path) -> Repo:
    repo = gitmake.empty(tmp_path / "source.git")
    repo.commit("main", 1, ATTRIBUTES, tracked("art/one.bin", ONE), tracked("art/two.bin", TWO))
    return repo


@pytest.fixture
def forge(tmp_path: Path) -> Iterator[ForgeServer]:
    state = Forge(tmp_path / "forge", {TOKEN: Account("pivo")}, anonymous_read=False)
    with ForgeServer(state) as server:
        yield server


def on_forge(forge: ForgeServer, source: Repo, *contents: bytes) -> str:
    """The source as the private repository acme/art of the forge; its URL."""
    repo = forge.forge.create("acme", "art", None, True)
    source("push", "--quiet", str(repo.path), "refs/*:refs/*")
    keep(repo.path, *contents)
    return f"{forge.url}/acme/art.git"


def held(vault: Vault) -> dict[str, bytes]:
    """Every LFS object of the newest snapshot, by oid, as a reader gets it."""
    manifest = vault.latest()
    found = lfs.stored(vault.archive, manifest)
    return {
        oid: b"".join(lfs.stream(vault.archive, manifest.repo, dirname, one)) for oid, (dirname, one) in found.items()
    }


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (pointer(b"x"), of(b"x")),
        (pointer(b"x").rstrip(b"\n"), of(b"x")),
        (pointer(b"x").replace(b"\n", b"\r\n"), of(b"x")),
        (b"version https://hawser.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 0\n", LfsObject("a" * 64, 0)),
        (
            b"version https://git-lfs.github.com/spec/v1\next-0-foo sha256:" + b"b" * 64 + b"\noid sha256:"
            + b"a" * 64 + b"\nsize 12345\n",
            LfsObject("a" * 64, 12345),
        ),
        (pointer(b"x").replace(b"spec/v1", b"spec/v9"), None),
        (pointer(b"x").replace(b"sha256:", b"sha512:"), None),
        (pointer(b"x").replace(b"size 1", b"size -1"), None),
        (pointer(b"x") + b"more of the same file\n", None),
        (pointer(b"x") + pointer(b"x"), None),
        (pointer(b"x") + b"ext-9 " + b"p" * 1000 + b"\n", None),
        (b"version https://git-lfs.github.com/spec/v1\n", None),
        (b"version \xff\xfe", None),
        (b"", None),
    ],
)  # fmt: skip
def test_a_pointer_is_what_the_specification_says(body: bytes, found: LfsObject | None) -> None:
    assert parse_pointer(body) == found


@pytest.mark.parametrize(
    ("url", "api"),
    [
        ("https://git.example/a/b", "https://git.example/a/b.git/info/lfs"),
        ("https://git.example:8443/a/b.git/", "https://git.example:8443/a/b.git/info/lfs"),
        ("http://user:secret@git.example/b?x=1", "http://git.example/b.git/info/lfs"),
        ("git@git.example:a/b.git", "https://git.example/a/b.git/info/lfs"),
        ("ssh://git@git.example:22/a/b", "https://git.example/a/b.git/info/lfs"),
        ("git://git.example/a/b", "https://git.example/a/b.git/info/lfs"),
        ("file:///srv/b.git", None),
    ],
)
def test_the_api_is_found_beside_the_repository_as_git_lfs_finds_it(url: str, api: str | None) -> None:
    assert endpoint(url) == api


def test_objects_of_a_local_repository_are_stored_once_beside_the_pack(vault: Vault, source: Repo) -> None:
    keep(source, ONE, TWO)
    report = vault.ingest(source)
    manifest = vault.latest()
    assert (report.lfs, report.missing) == (2, 0) and not manifest.incomplete
    assert set(manifest.lfs) == {of(ONE), of(TWO)} and manifest.lfs_in == (manifest.dirname,)
    packs = sum(p.size + p.idx_size for p in manifest.packs)
    assert manifest.size == report.bytes == packs + len(ONE) + len(TWO)
    names = {e.name for e in vault.store.list(f"acme/odd/{manifest.dirname}")}
    assert {f"lfs-{of(ONE).oid}", f"lfs-{of(TWO).oid}"} < names and len(names) == 4
    assert held(vault) == {of(c).oid: c for c in (ONE, TWO)}
    assert vault.incoming == [] and vault.scratch == []

    source.commit("main", 2, tracked("copy of one.bin", ONE), tracked("three.bin", THREE))
    keep(source, THREE)
    vault.ingest(source)
    second = vault.latest()
    assert second.lfs == (of(THREE),) and second.lfs_in == (manifest.dirname, second.dirname)
    assert held(vault) == {of(c).oid: c for c in (ONE, TWO, THREE)}
    source.commit("main", 3)
    vault.ingest(source)
    assert vault.latest().lfs == () and vault.latest().lfs_in == second.lfs_in
    assert set(held(vault)) == {of(c).oid for c in (ONE, TWO, THREE)}


def test_a_repository_without_pointers_says_nothing_of_lfs_in_its_manifest(vault: Vault, odd: Repo) -> None:
    vault.ingest(odd)
    raw = json.loads(manifests.text_of(vault.archive.manifest_bytes("acme/odd", vault.latest().dirname)))
    assert not [key for key in raw if "lfs" in key]


def test_a_missing_object_is_named_by_path_and_the_snapshot_is_incomplete_until_it_comes(
    vault: Vault, source: Repo
) -> None:
    keep(source, TWO)
    source.commit("side", 2, tracked("other name.bin", ONE))
    report = vault.ingest(source)
    first = vault.latest()
    assert first.incomplete and (report.lfs, report.missing) == (1, 1)
    assert report.missing_paths == ("art/one.bin", "other name.bin")
    (missing,) = first.lfs_missing
    assert (missing.oid, missing.size, missing.paths) == (*vars(of(ONE)).values(), report.missing_paths)
    assert "no such object" in missing.why
    assert manifests.load(vault.archive.manifest_bytes("acme/odd", first.dirname), "") == first

    report = vault.ingest(source)
    assert (report.outcome, report.missing, report.snapshot) == ("unchanged", 1, first.dirname)
    assert vault.incoming == []

    source.commit("main", 3)
    vault.ingest(source)
    assert vault.latest().lfs_missing == first.lfs_missing  # it is carried on

    keep(source, ONE)
    report = vault.ingest(source)
    last = vault.latest()
    assert (report.outcome, report.lfs, report.missing) == ("published", 1, 0)
    assert last.refs == vault.archive.manifest("acme/odd", last.previous.snapshot).refs if last.previous else False
    assert not last.incomplete and last.packs == vault.archive.manifest("acme/odd", last.previous.snapshot).packs
    assert held(vault) == {of(c).oid: c for c in (ONE, TWO)}
    assert vault.ingest(source).outcome == "unchanged"


@pytest.mark.parametrize("spoilt", [ONE[:-1], ONE + b"x", b"\0" + ONE[1:], b""])
def test_an_object_with_other_bytes_is_missing_and_never_stored(vault: Vault, source: Repo, spoilt: bytes) -> None:
    keep(source, ONE, TWO)
    place(source.path, ONE).write_bytes(spoilt)
    assert vault.ingest(source).missing == 1
    assert set(held(vault)) == {of(TWO).oid}
    assert "bytes" in vault.latest().lfs_missing[0].why


def test_objects_come_from_a_private_repository_of_a_forge(vault: Vault, source: Repo, forge: ForgeServer) -> None:
    url = on_forge(forge, source, ONE, TWO)
    report = vault.ingest(url, token=TOKEN)
    assert (report.lfs, report.missing) == (2, 0)
    assert held(vault) == {of(c).oid: c for c in (ONE, TWO)}
    assert vault.scratch == []


def test_what_a_forge_does_not_have_or_has_damaged_is_told_and_the_rest_archived(
    vault: Vault, source: Repo, forge: ForgeServer
) -> None:
    source.commit("main", 2, tracked("three.bin", THREE))
    url = on_forge(forge, source, TWO, THREE)
    place(forge.forge.find("acme", "art").path, THREE).write_bytes(b"THREE")  # type: ignore[union-attr]
    vault.ingest(url, token=TOKEN)
    why = {m.paths: m.why for m in vault.latest().lfs_missing}
    assert set(why) == {("art/one.bin",), ("three.bin",)}
    assert "does not exist" in why["art/one.bin",] and "404" in why["art/one.bin",]
    assert "SHA-256" in why["three.bin",]
    assert set(held(vault)) == {of(TWO).oid}


def test_a_forge_that_answers_git_and_not_lfs_leaves_the_history_archived(
    vault: Vault, source: Repo, forge: ForgeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = on_forge(forge, source, ONE, TWO)
    monkeypatch.setattr("pivo.snapshot.lfs.endpoint", lambda _: f"{forge.url}/nowhere/info/lfs")
    report = vault.ingest(url, token=TOKEN)
    assert (report.outcome, report.lfs, report.missing) == ("published", 0, 2)
    assert {"404" in m.why for m in vault.latest().lfs_missing} == {True}


def test_hdfs_failing_under_an_object_fails_the_ingest_and_leaves_nothing(
    vault: Vault, source: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(source, ONE, TWO)
    write = vault.store.write

    def failing(path: str, chunks: Any) -> None:
        if "/lfs-" in path:
            raise ArchiveError("The disk is full.", "Free some.")
        write(path, chunks)

    monkeypatch.setattr(vault.store, "write", failing)
    with pytest.raises(ArchiveError, match="disk is full"):
        vault.ingest(source)
    assert vault.incoming == [] and vault.archive.snapshots("acme/odd") == []


def test_memory_does_not_grow_with_an_object(source: Repo, forge: ForgeServer, tmp_path: Path) -> None:
    large = ONE * 25_000  # 75 MB
    source.commit("main", 2, tracked("large.bin", large))
    url = on_forge(forge, source, ONE, TWO, large)
    code = (
        "import sys; from pathlib import Path; from archive_kit import Vault\n"
        "report = Vault(Path(sys.argv[1])).ingest(sys.argv[2], token=sys.argv[3])\n"
        "peak = next(row for row in open('/proc/self/status') if row.startswith('VmHWM'))\n"
        "print(report.lfs, peak.split()[1])\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    words = [sys.executable, "-c", code, str(tmp_path / "own"), url, TOKEN]
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=True)
    stored, peak = map(int, done.stdout.split())
    assert stored == 3 and peak < 110_000, done.stdout  # kB; all of it but some MB is Python and its libraries


# -- the client alone, against a server that answers as told


def client(answer: Callable[[httpx.Request], httpx.Response], **options: Any) -> Client:
    options = {"token": TOKEN, "sleep": lambda _: None} | options
    return Client("https://git.example/a/b.git/info/lfs", transport=httpx.MockTransport(answer), **options)


def offering(href: str, **header: str) -> dict[str, Any]:
    one = {"oid": of(ONE).oid, "size": len(ONE), "actions": {"download": {"href": href, "header": header}}}
    return {"transfer": "basic", "objects": [one]}


@pytest.mark.parametrize(
    ("href", "header", "expected"),
    [
        ("https://store.example/x", {}, None),
        ("https://store.example/x", {"Authorization": "Signed y"}, "Signed y"),
        ("https://git.example/x", {"Authorization": "Signed y"}, "Signed y"),
        ("https://git.example/x", {}, "Basic eC1hY2Nlc3MtdG9rZW46YS10b2tlbg=="),
        ("http://git.example/x", {}, None),
        ("https://git.example:444/x", {}, None),
        ("https://git.example.evil/x", {}, None),
    ],
)
def test_the_token_goes_to_the_repositorys_own_server_only(
    tmp_path: Path, href: str, header: dict[str, str], expected: str | None
) -> None:
    seen: dict[str, str | None] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        seen[request.url.path] = request.headers.get("authorization")
        if request.method == "POST":
            asked = json.loads(request.content)
            assert asked["operation"] == "download" and asked["transfers"] == ["basic"]
            assert asked["objects"] == [{"oid": of(ONE).oid, "size": len(ONE)}]
            assert request.headers["accept"] == request.headers["content-type"] == "application/vnd.git-lfs+json"
            return httpx.Response(200, json=offering(href, **header))
        return httpx.Response(200, content=ONE)

    with client(answer) as server:
        action = server.batch("download", [of(ONE)])[of(ONE).oid].actions["download"]
        server.download(of(ONE), action, tmp_path / "one")
    assert seen == {"/a/b.git/info/lfs/objects/batch": "Basic eC1hY2Nlc3MtdG9rZW46YS10b2tlbg==", "/x": expected}
    assert (tmp_path / "one").read_bytes() == ONE
    assert TOKEN not in repr(action) and "Signed" not in repr(action)


def test_a_redirect_to_another_host_does_not_take_the_token_along(tmp_path: Path) -> None:
    seen = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append((request.url.host, "authorization" in request.headers))
        if request.url.host == "git.example":
            return httpx.Response(302, headers={"location": "https://store.example/x"})
        return httpx.Response(200, content=ONE)

    with client(answer) as server:
        server.download(of(ONE), Action("https://git.example/x", server._own), tmp_path / "one")
    assert seen == [("git.example", True), ("store.example", False)]


@pytest.mark.parametrize(
    ("header", "length", "encoding", "kind"),
    [
        ({}, str(len(ONE)), None, "application/octet-stream"),
        ({"transfer-encoding": "chunked"}, None, "chunked", "application/octet-stream"),
        ({"content-type": "image/png"}, str(len(ONE)), None, "image/png"),
    ],
)
def test_an_upload_is_framed_as_the_server_asks_and_sent_whole_again_after_a_failure(
    header: dict[str, str], length: str | None, encoding: str | None, kind: str
) -> None:
    seen: list[tuple[str, bytes]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append((request.method, request.read()))
        told = request.headers
        if request.method == "PUT":
            framed = (told.get("content-length"), told.get("transfer-encoding"), told.get_list("content-type"))
            assert framed == (length, encoding, [kind])
        return httpx.Response(503 if len(seen) == 1 else 200)

    actions = {
        "upload": Action("https://store.example/x", header),
        "verify": Action("https://git.example/verify", {}),
    }
    with client(answer) as server:
        server.upload(of(ONE), actions, lambda: [ONE[:1000], ONE[1000:]])
    told = {"oid": of(ONE).oid, "size": len(ONE)}
    assert [(m, b) for m, b in seen if m == "PUT"] == [("PUT", ONE)] * 2
    assert [(m, json.loads(b)) for m, b in seen if m == "POST"] == [("POST", told)]


@pytest.mark.parametrize(
    ("answers", "attempts"),
    [([503, 200], 2), ([429, 502, 200], 3), ([401], 1), ([404], 1), ([500] * 9, 4), ([None] * 9, 4)],
)
def test_what_may_work_later_is_tried_again_and_nothing_else(answers: list[int | None], attempts: int) -> None:
    asked, waits = [], []

    def answer(request: httpx.Request) -> httpx.Response:
        status = answers[len(asked)]
        asked.append(status)
        if status is None:
            raise httpx.ConnectError("refused")
        return httpx.Response(status, json=offering("https://git.example/x"))

    with client(answer, sleep=waits.append) as server:
        if answers[attempts - 1] == 200:
            assert server.batch("download", [of(ONE)])[of(ONE).oid].actions
        else:
            with pytest.raises(Refused, match=r"git\.example"):
                server.batch("download", [of(ONE)])
    assert len(asked) == attempts and len(waits) == attempts - 1


@pytest.mark.parametrize(
    "body",
    ["nonsense", "[]", "{}", '{"objects": 3}', '{"objects": [{}]}', '{"objects": [], "transfer": "tus"}'],
)
def test_an_answer_that_is_not_the_apis_is_refused_in_words(body: str) -> None:
    with client(lambda _: httpx.Response(200, text=body)) as server, pytest.raises(Refused, match=r"git\.example"):
        server.batch("download", [of(ONE)])


def test_an_object_that_the_server_leaves_out_or_that_leads_elsewhere_is_told() -> None:
    with client(lambda _: httpx.Response(200, json={"objects": []})) as server:
        assert "does not mention" in server.batch("download", [of(ONE)])[of(ONE).oid].refused
    with client(lambda _: httpx.Response(200, json=offering("file:///etc/passwd"))) as server:
        answer = server.batch("download", [of(ONE)])[of(ONE).oid]
        assert not answer.actions and "not http" in answer.refused


def test_a_server_that_sends_without_end_is_cut_off(tmp_path: Path) -> None:
    def endless() -> Iterator[bytes]:
        sent = 0
        while sent < 50_000_000:
            sent += 1 << 20
            yield b"x" * (1 << 20)
        raise AssertionError("the client went on reading")

    with client(lambda _: httpx.Response(200, content=endless())) as server, pytest.raises(Refused, match="more than"):
        server.download(of(ONE), Action("https://git.example/x", {}), tmp_path / "one")


def test_an_object_larger_than_the_disk_is_not_begun(tmp_path: Path) -> None:
    with client(lambda _: httpx.Response(500)) as server, pytest.raises(Refused, match="no room"):
        server.download(replace(of(ONE), size=1 << 60), Action("https://git.example/x", {}), tmp_path / "one")
