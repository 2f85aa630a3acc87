"""plan → download → reconstruct → push, against a real forge and real folders."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pivo.errors import ArchiveError, NotFound, PivoError, TargetError, Unavailable, UsageError
from pivo.models import ZERO
from pivo.restore.download import Unit, download, fetch_group, finish, grouped, plan_units
from pivo.restore.plan import RestorePlan, run_folder, validate
from pivo.restore.push import push
from pivo.restore.reconstruct import reconstruct
from pivo.settings import ForgeAccess, Settings
from pivo.stack.localforge import ForgeServer
from pivo.store import LocalStore, open_store
from restore_kit import READ_ONLY, Git, difficult, publish, stored

Restored = Callable[..., Path]


def objects(path: Path | str, *revs: str) -> list[str]:
    out = subprocess.run(["git", "-C", str(path), "rev-list", "--objects", *revs], capture_output=True, check=True)
    return sorted(out.stdout.decode().splitlines())


def refs(path: Path | str) -> dict[str, str]:
    out = subprocess.run(["git", "ls-remote", str(path)], capture_output=True, check=True).stdout.decode()
    return {name: oid for oid, name in (line.split("\t") for line in out.splitlines()) if "^" not in name}


def test_a_commit_from_the_middle_comes_back_with_its_history_and_the_tags_that_it_reaches(
    store: LocalStore, source: Git, forge: ForgeServer, restored: Restored
) -> None:
    publish(store, "acme/PIVO", source)
    commit = source("rev-parse", "main~4")
    restored("acme/PIVO", commit[:10], "pivo/back")
    url = f"{forge.url}/pivo/back.git"
    tags = {f"refs/tags/{t}": source("rev-parse", t) for t in ("v1", "light")}
    assert refs(url) == {"HEAD": commit, "refs/heads/main": commit} | tags
    bare = forge.forge.root / "pivo" / "back.git"
    assert objects(bare, "--all") == objects(source.path, commit, "v1", "light")


def test_the_head_comes_back_with_merge_signature_and_tags_of_tags(
    store: LocalStore, source: Git, forge: ForgeServer, restored: Restored
) -> None:
    publish(store, "PIVO", source)
    restored("PIVO", "main", "someorg/PIVO")
    shown = refs(f"{forge.url}/someorg/PIVO.git")
    names = ("v1", "light", "v2", "v2-again", "topic-tag")
    assert shown == {n: source("rev-parse", "main") for n in ("HEAD", "refs/heads/main")} | {
        f"refs/tags/{t}": source("rev-parse", t) for t in names
    }
    bare = forge.forge.root / "someorg" / "PIVO.git"
    assert objects(bare, "--all") == objects(source.path, "main", *names)
    assert (
        "gpgsig"
        in subprocess.run(
            ["git", "-C", str(bare), "cat-file", "commit", "main"], capture_output=True, text=True, check=True
        ).stdout
    )


def test_ten_random_commits_come_back_bit_for_bit_those_that_a_rewrite_lost_among_them(
    store: LocalStore, tmp_path: Path, restored: Restored
) -> None:
    (tmp_path / "work").mkdir()
    git = difficult(tmp_path / "work")
    before = publish(store, "PIVO", git)
    lost = git("rev-list", "main~3..main").splitlines()
    git("reset", "-q", "--hard", "main~3")
    git.commit("another way", README="rewritten\n")
    publish(store, "PIVO", git, 2, before)
    known = sorted({*git("rev-list", "--branches", "--tags").splitlines(), *lost})
    chosen = random.Random(20261123).sample([c for c in known if c != lost[0]], 9)
    for commit in {*chosen, lost[0]}:
        target = tmp_path / "out" / f"{commit}.git"
        restored("PIVO", commit, str(target))
        tags = git("tag", "--merged", commit).splitlines()
        assert refs(target) == dict.fromkeys(("HEAD", "refs/heads/main"), commit) | {
            f"refs/tags/{tag}": git("rev-parse", f"refs/tags/{tag}") for tag in tags
        }
        assert objects(target, "--all") == objects(git.path, commit, *(f"refs/tags/{tag}" for tag in tags))


def test_another_branch_keeps_its_name_and_becomes_the_default(
    store: LocalStore, source: Git, forge: ForgeServer, restored: Restored
) -> None:
    publish(store, "PIVO", source)
    restored("PIVO", "other", "pivo/other-one")
    repo = forge.forge.find("pivo", "other-one")
    assert repo and repo.default_branch == "other"
    assert "refs/tags/elsewhere" in refs(repo.path)


def test_history_from_several_snapshots_is_put_together(
    store: LocalStore, tmp_path: Path, forge: ForgeServer, restored: Restored
) -> None:
    path = tmp_path / "grow"
    subprocess.run(["git", "init", "-q", "-b", "main", str(path)], check=True)
    git, before = Git(path), None
    for seq in range(1, 12):
        git.commit(f"night {seq}", file=f"{seq}\n" * 50)
        before = publish(store, "grow", git, seq, before)
    assert before and len(before.packs) == 11
    restored("grow", "HEAD", f"file://{tmp_path}/out/grow.git")
    assert objects(tmp_path / "out" / "grow.git", "--all") == objects(path, "--all")


def test_an_empty_repository_becomes_an_empty_repository(
    store: LocalStore, tmp_path: Path, forge: ForgeServer, settings: Settings, restored: Restored
) -> None:
    path = tmp_path / "void"
    subprocess.run(["git", "init", "-q", "-b", "trunk", str(path)], check=True)
    publish(store, "void", Git(path))
    plan = validate(settings, repo="void", ref="HEAD", target="pivo/void")
    assert (plan.commit, plan.branch, plan.packs) == (ZERO, "trunk", ())
    restored("void", "HEAD", "pivo/void")
    assert refs(f"{forge.url}/pivo/void.git") == {}
    restored("void", "trunk", f"file://{tmp_path}/void.git")
    assert (tmp_path / "void.git" / "HEAD").read_text() == "ref: refs/heads/trunk\n"


def test_a_folder_target_is_a_bare_repository_with_nothing_beside_it(
    store: LocalStore, source: Git, tmp_path: Path, restored: Restored
) -> None:
    publish(store, "PIVO", source)
    (tmp_path / "out" / "empty.git").mkdir(parents=True)
    for name in ("fresh.git", "empty.git"):
        restored("PIVO", "v1", f"{tmp_path}/out/{name}")
        assert objects(tmp_path / "out" / name, "--all") == objects(source.path, "v1", "light")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["empty.git", "fresh.git"]


@pytest.mark.parametrize("kind", ["forge", "path", "url"])
def test_a_target_with_commits_is_refused_and_untouched(
    store: LocalStore, source: Git, settings: Settings, tmp_path: Path, forge: ForgeServer, kind: str
) -> None:
    publish(store, "PIVO", source)
    repo = forge.forge.create("pivo", "taken", None, private=False)
    source("push", "-q", str(repo.path), "main~5:refs/heads/main")
    before = refs(repo.path)
    target = {"forge": "pivo/taken", "path": str(repo.path), "url": f"{forge.url}/pivo/taken.git"}[kind]
    with pytest.raises(TargetError, match="is not empty"):
        validate(settings, repo="PIVO", ref="main", target=target)
    # commits that came after the plan was made
    free = {"forge": "pivo/free", "path": str(tmp_path / "free.git"), "url": f"file://{tmp_path}/free.git"}[kind]
    plan = validate(settings, repo="PIVO", ref="main", target=free, run_id="r")
    download(plan, tmp_path / "s" / "packs", settings.archive, "reader")
    made = reconstruct(plan, tmp_path / "s")
    with pytest.raises(TargetError, match="is not empty"):
        push(replace(plan, target=target), made.path, settings)
    assert refs(repo.path) == before


def test_a_folder_with_other_things_in_it_is_refused(
    store: LocalStore, source: Git, settings: Settings, tmp_path: Path
) -> None:
    publish(store, "PIVO", source)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(TargetError, match="not an empty repository"):
        validate(settings, repo="PIVO", ref="main", target=str(tmp_path / "mine"))
    with pytest.raises(TargetError, match="is a file"):
        validate(settings, repo="PIVO", ref="main", target=str(tmp_path / "mine" / "letter.txt"))


def test_a_second_push_of_the_same_run_finds_its_own_work(
    store: LocalStore, source: Git, settings: Settings, tmp_path: Path, forge: ForgeServer
) -> None:
    publish(store, "PIVO", source)
    plan = validate(settings, repo="PIVO", ref="main", target="pivo/twice", run_id="r")
    download(plan, tmp_path / "s" / "packs", settings.archive, "reader")
    made = reconstruct(plan, tmp_path / "s")
    assert push(plan, made.path, settings) == push(plan, made.path, settings)


def test_a_token_without_rights_is_told_and_names_its_scopes(
    store: LocalStore, source: Git, settings: Settings, forge: ForgeServer, tmp_path: Path
) -> None:
    publish(store, "PIVO", source)
    plan = validate(settings, repo="PIVO", ref="main", target="pivo/x", run_id="r")
    download(plan, tmp_path / "s" / "packs", settings.archive, "reader")
    made = reconstruct(plan, tmp_path / "s")
    weak = replace(settings, forge=ForgeAccess(forge.api_url, READ_ONLY))
    with pytest.raises(TargetError, match="no right") as caught:
        push(replace(plan, target="guest/x"), made.path, weak)
    assert "read:user" in caught.value.do and READ_ONLY not in repr(caught.value)
    forge.forge.create("guest", "empty", None, private=False)
    with pytest.raises(TargetError, match=r"does not let us in.*403"):
        push(replace(plan, target="guest/empty"), made.path, weak)
    assert refs(f"{forge.url}/guest/empty.git") == {}


def test_a_repository_left_behind_by_a_failed_push_is_named(
    store: LocalStore,
    source: Git,
    settings: Settings,
    forge: ForgeServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publish(store, "PIVO", source)
    plan = validate(settings, repo="PIVO", ref="main", target="pivo/left", run_id="r")
    download(plan, tmp_path / "s" / "packs", settings.archive, "reader")
    made = reconstruct(plan, tmp_path / "s")
    monkeypatch.setattr(
        "pivo.stack.localforge.githttp._CONFIG", {"http.receivepack": "true", "receive.maxInputSize": "100"}
    )
    with pytest.raises(PivoError) as caught:
        push(plan, made.path, settings)
    assert "was created for this and is left" in caught.value.do
    monkeypatch.undo()
    push(plan, made.path, settings)  # the retry of the same run fills it


def test_a_changed_answer_is_refused(store: LocalStore, source: Git, settings: Settings) -> None:
    publish(store, "PIVO", source)
    with pytest.raises(UsageError, match="not 0123456789ab as it was"):
        validate(settings, repo="PIVO", ref="main", target="pivo/n", commit="0123456789ab" + "0" * 28)


def test_a_plan_survives_its_file(store: LocalStore, source: Git, settings: Settings, tmp_path: Path) -> None:
    publish(store, "PIVO", source)
    plan = validate(settings, repo="PIVO", ref="v2-again", target="pivo/n", run_id="r")
    assert plan.commit == source("rev-parse", "v2^{commit}")
    assert RestorePlan.load(plan.save(tmp_path / "deep" / "plan.json")) == plan
    for text in ("{}", "[]", "no", plan.to_json().replace('"format": 1', '"format": 2')):
        with pytest.raises(UsageError):
            RestorePlan.from_json(text)


def test_nothing_is_planned_for_what_is_not_there(store: LocalStore, source: Git, settings: Settings) -> None:
    publish(store, "PIVO", source)
    with pytest.raises(NotFound, match="PIVOT"):
        validate(settings, repo="PIVOT", ref="main", target="pivo/n")
    with pytest.raises(NotFound, match="mian"):
        validate(settings, repo="PIVO", ref="mian", target="pivo/n")


def test_missing_and_short_files_of_the_archive_are_named_before_anything_starts(
    store: LocalStore, source: Git, settings: Settings
) -> None:
    manifest = publish(store, "PIVO", source)
    folder, pack = store.root / "PIVO" / manifest.dirname, manifest.packs[0]
    os_truncate(folder / pack.file_name, pack.file_size - 1)
    with pytest.raises(ArchiveError, match=rf"{pack.file_name} has {pack.file_size - 1:,} bytes"):
        validate(settings, repo="PIVO", ref="main", target="pivo/n")
    (folder / pack.file_name).unlink()
    with pytest.raises(ArchiveError, match=rf"{pack.file_name} is missing"):
        validate(settings, repo="PIVO", ref=manifest.head, target="pivo/n")


def os_truncate(path: Path, size: int) -> None:
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.truncate(size)


def flip(path: Path, at: int) -> None:
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)
        file.seek(at)
        file.write(bytes([byte[0] ^ 1]))


@pytest.mark.parametrize("where", ["pack", "idx"])
def test_a_flipped_byte_is_found_and_its_place_named(
    store: LocalStore, source: Git, settings: Settings, tmp_path: Path, where: str
) -> None:
    manifest = publish(store, "PIVO", source)
    pack = manifest.packs[0]
    plan = validate(settings, repo="PIVO", ref=manifest.head, target="pivo/n", run_id="r")
    name = pack.pack_name if where == "pack" else pack.idx_name
    at = 1500 if where == "pack" else pack.size + 1500
    flip(store.root / "PIVO" / manifest.dirname / pack.file_name, at)
    with pytest.raises(ArchiveError, match=pack.file_name) as caught:
        download(plan, tmp_path / "packs", settings.archive, "reader")
    place = "1,000 to 2,000" if where == "pack" else f"{pack.size:,} to {pack.file_size:,}"
    assert f"bytes {place} do not have" in caught.value.what
    assert not (tmp_path / "packs" / name).exists()


def test_a_download_resumes_from_what_is_verified(
    store: LocalStore, source: Git, settings: Settings, tmp_path: Path
) -> None:
    publish(store, "PIVO", source)
    plan = validate(settings, repo="PIVO", ref="main", target="pivo/n", run_id="r")
    folder = tmp_path / "packs"
    units = plan_units(plan, folder)
    assert len(units) > 4
    fetch_group(units[:3], settings.archive, "reader")
    # one of the three is damaged on the disk after it was marked
    flip(units[1].part, units[1].offset + 5)
    got = download(plan, folder, settings.archive, "reader")
    assert got.fetched == plan.bytes - units[0].length - units[2].length
    again = download(plan, folder, settings.archive, "reader")
    assert again.fetched == 0 and again.bytes == plan.bytes
    pack = plan.packs[0]
    assert {p.name for p in folder.iterdir()} == {pack.pack_name, pack.idx_name}


def test_an_archive_that_goes_away_is_a_reason_to_try_again(
    store: LocalStore, source: Git, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(store, "PIVO", source)
    plan = validate(settings, repo="PIVO", ref="main", target="pivo/n", run_id="r")
    units = plan_units(plan, tmp_path / "packs")
    monkeypatch.setattr("pivo.restore.download.time.sleep", lambda _s: None)
    outcomes = fetch_group(units[:2], "webhdfs://127.0.0.1:9/backups", "reader")
    assert all(o.retry and o.error for o in outcomes)
    with pytest.raises(Unavailable, match=r"broke off.*2 of 2 parts"):
        finish(plan, tmp_path / "packs", outcomes)


def test_groups_share_the_bytes_evenly() -> None:
    units = [Unit("s", "f", "n", i, size, 10**9, "x") for i, size in enumerate([900, 100, 500, 400, 100] * 10**4)]
    shares = grouped(units, 4)
    sizes = [sum(u.length for u in share) for share in shares]
    assert len(shares) == 4 and sum(map(len, shares)) == len(units) and max(sizes) < 1.05 * min(sizes)
    assert grouped([], 4) == [] and len(grouped(units[:2], 4)) == 2


def test_a_missing_object_is_found_before_anything_is_pushed(
    store: LocalStore, source: Git, settings: Settings, tmp_path: Path
) -> None:
    manifest = publish(store, "PIVO", source)
    # a pack that lacks one blob, with a manifest that says it is right
    blob = source("rev-parse", "main~6:README")
    pack, folder = manifest.packs[0], store.root / "PIVO" / manifest.dirname
    ids = [i.split()[0] for i in objects(source.path, *(r.target for r in manifest.refs)) if not i.startswith(blob)]
    identity = source("pack-objects", "--quiet", str(folder / "pack"), stdin="\n".join(ids) + "\n")
    plan = validate(settings, repo="PIVO", ref=manifest.head, target="pivo/n", run_id="r")
    plan = replace(plan, packs=(stored(folder, pack.snapshot, identity),))
    download(plan, tmp_path / "s" / "packs", settings.archive, "reader")
    with pytest.raises(ArchiveError, match=rf"not whole.*{blob}"):
        reconstruct(plan, tmp_path / "s")


def test_folders_of_similar_run_ids_differ(tmp_path: Path) -> None:
    ids = ["manual__2026-11-23T03:12:07+00:00", "manual__2026-11-23T03:12:07 00:00", "../../etc", "x" * 300]
    folders = {run_folder(tmp_path, i) for i in ids}
    assert len(folders) == 4 and all(f.parent == tmp_path and len(f.name) < 100 for f in folders)


def test_hdfs_users_are_not_mixed_up(settings: Settings) -> None:
    assert open_store("webhdfs://127.0.0.1:9/b", "someone").user == "someone"  # type: ignore[attr-defined]
