"""Whole repositories as of a snapshot, what is withheld from them, and pushes in several parts."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pivo.errors import NotFound, PivoError, TargetError, UsageError
from pivo.models import Manifest
from pivo.restore import parts
from pivo.restore.download import download
from pivo.restore.plan import RestorePlan, validate
from pivo.restore.push import Pushed, push
from pivo.restore.reconstruct import Reconstructed, reconstruct
from pivo.restore.report import RepoReport
from pivo.settings import Settings
from pivo.snapshot import manifest as manifests
from pivo.stack.localforge import ForgeServer
from pivo.store import LocalStore
from restore_kit import Git, difficult, publish

Whole = Callable[..., tuple[RestorePlan, Reconstructed, Pushed]]


@pytest.fixture
def whole(settings: Settings, tmp_path: Path) -> Whole:
    """Brings all refs back: the plan, what was rebuilt, what was pushed."""

    def run(ref: str, target: str, file_limit: int = 0, **more: object) -> tuple[RestorePlan, Reconstructed, Pushed]:
        plan = validate(settings, repo="PIVO", ref=ref, target=target, run_id="r", all_refs=True)
        staging = tmp_path / "staging" / target.replace("/", "+")
        download(plan, staging / "packs", settings.archive, "reader")
        made = reconstruct(plan, staging, file_limit=file_limit)
        return plan, made, push(plan, made.path, replace(settings, **more))  # type: ignore[arg-type]

    return run


@pytest.fixture
def grown(store: LocalStore, tmp_path: Path) -> tuple[Git, Manifest, dict[str, str]]:
    """Two snapshots: refs were deleted, moved and rewritten between them. The refs are those of the first."""
    (tmp_path / "work").mkdir()
    git = difficult(tmp_path / "work")
    git("notes", "add", "-m", "seen", "HEAD~2")
    git("update-ref", "refs/pull/7/head", git("rev-parse", "topic"))
    git("update-ref", "refs/custom/deep/one", git("rev-parse", "main~2"))
    first = publish(store, "PIVO", git)
    then = refs(git.path)
    git("branch", "-D", "topic")
    git("tag", "-d", "v1")
    git("reset", "-q", "--hard", "main~3")
    git.commit("another way", README="rewritten\n")
    git("switch", "-q", "other")  # HEAD moves, too
    publish(store, "PIVO", git, 2, first)
    return git, first, then


def refs(path: Path | str) -> dict[str, str]:
    out = subprocess.run(["git", "ls-remote", str(path)], capture_output=True, text=True, check=True).stdout
    return {n: o for o, n in (line.split("\t") for line in out.splitlines()) if not n.endswith("^{}")}


def objects(path: Path, *tips: str) -> set[str]:
    command = ["git", "-C", str(path), "rev-list", "--objects", "--no-object-names", *tips]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def test_every_ref_is_as_it_was_on_that_date(
    grown: tuple[Git, Manifest, dict[str, str]], whole: Whole, tmp_path: Path
) -> None:
    git, first, then = grown
    plan, made, _ = whole("@2026-11-01", f"{tmp_path}/then.git")
    assert refs(tmp_path / "then.git") == then and plan.withheld == made.withheld == ()
    assert (tmp_path / "then.git" / "HEAD").read_text() == "ref: refs/heads/main\n"
    assert objects(tmp_path / "then.git", "--all") == objects(git.path, *then.values())
    whole(first.dirname, f"{tmp_path}/named.git")
    assert refs(tmp_path / "named.git") == then
    whole("HEAD", f"{tmp_path}/now.git")
    assert refs(tmp_path / "now.git") == refs(git.path)
    assert (tmp_path / "now.git" / "HEAD").read_text() == "ref: refs/heads/other\n"


def test_a_forge_gets_all_but_what_it_keeps_for_itself(
    grown: tuple[Git, Manifest, dict[str, str]], whole: Whole, forge: ForgeServer, tmp_path: Path
) -> None:
    _, _, then = grown
    plan, _, sent = whole("@2026-11-01", "pivo/then")
    assert [(w.what, w.name) for w in plan.withheld] == [("hidden-ref", "refs/pull/7/head")]
    there = refs(f"{forge.url}/pivo/then.git")
    assert there == {n: o for n, o in then.items() if n != "refs/pull/7/head"}
    assert sent.refs.keys() == there.keys() - {"HEAD"} and "refs/notes/commits" in there
    # a git URL does not say what its host refuses: the refusal itself does
    url = f"file://{tmp_path}/host.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", f"{tmp_path}/host.git"], check=True)
    subprocess.run(["git", "-C", f"{tmp_path}/host.git", "config", "receive.hideRefs", "refs/pull"], check=True)
    plan, _, sent = whole("@2026-11-01", url)
    assert plan.withheld == () and [w.name for w in sent.withheld] == ["refs/pull/7/head"]
    assert refs(url) == there


def test_one_branch_as_of_a_date_keeps_its_name(
    grown: tuple[Git, Manifest, dict[str, str]], settings: Settings, restored: Callable[..., Path], tmp_path: Path
) -> None:
    _, _, then = grown
    for ref, branch in (("topic@2026-11-01", "topic"), ("@2026-11-01", "main"), ("@2026-11-02", "other")):
        plan = validate(settings, repo="PIVO", ref=ref, target="pivo/x")
        assert plan.branch == branch and [r.name for r in plan.refs] == [f"refs/heads/{branch}"]
    assert validate(settings, repo="PIVO", ref="v2", target="pivo/x").branch == "other"  # a tag: the default branch
    restored("PIVO", "topic@2026-11-01", f"{tmp_path}/topic.git")
    there = refs(tmp_path / "topic.git")
    assert there["refs/heads/topic"] == then["refs/heads/topic"] and "refs/tags/v2" not in there


@pytest.mark.parametrize(
    ("ref", "error", "said"),
    [
        ("main", UsageError, "as of a snapshot"),
        ("v1", UsageError, "as of a snapshot"),
        ("@2020-01-01", NotFound, "no snapshot from before"),
        ("@tomorrow", UsageError, "not a date"),
        ("000009-0123456789ab", NotFound, "no snapshot 000009"),
    ],
)
def test_all_refs_need_a_moment(
    store: LocalStore, source: Git, settings: Settings, ref: str, error: type[PivoError], said: str
) -> None:
    publish(store, "PIVO", source)
    with pytest.raises(error, match=said):
        validate(settings, repo="PIVO", ref=ref, target="pivo/x", all_refs=True)


def test_a_detached_head_stays_detached_in_a_folder(store: LocalStore, tmp_path: Path, whole: Whole) -> None:
    (tmp_path / "work").mkdir()
    git = difficult(tmp_path / "work")
    manifest = publish(store, "PIVO", git)
    at = git("rev-parse", "main~2")
    detached = replace(manifest, head=at, head_ref=None)
    (store.root / "PIVO" / manifest.dirname / manifests.NAME).write_bytes(manifests.dump(detached))
    whole("HEAD", f"{tmp_path}/loose.git")
    assert (tmp_path / "loose.git" / "HEAD").read_text() == f"{at}\n"


def test_refs_that_follow_others_do_so_again_in_a_folder_and_are_told_elsewhere(
    store: LocalStore, tmp_path: Path, whole: Whole, settings: Settings, forge: ForgeServer
) -> None:
    (tmp_path / "work").mkdir()
    git = difficult(tmp_path / "work")
    git("symbolic-ref", "refs/heads/current", "refs/heads/main")
    git("symbolic-ref", "refs/heads/latest", "refs/heads/current")
    manifest = publish(store, "PIVO", git)
    links = (("refs/heads/current", "refs/heads/main"), ("refs/heads/latest", "refs/heads/current"))
    file = store.root / "PIVO" / manifest.dirname / manifests.NAME
    file.write_bytes(manifests.dump(replace(manifest, symrefs=links)))
    plan, _, sent = whole("HEAD", f"{tmp_path}/again.git")
    assert RestorePlan.from_json(plan.to_json()) == plan
    assert refs(tmp_path / "again.git") == refs(git.path) and sent.withheld == ()
    for name, to in links:
        assert (tmp_path / "again.git" / name).read_text() == f"ref: {to}\n"
    _, _, sent = whole("HEAD", "pivo/again")
    assert refs(f"{forge.url}/pivo/again.git") == refs(git.path)
    assert [(w.what, w.name) for w in sent.withheld] == [("symref", name) for name, _ in links]
    assert RepoReport("PIVO", "x", withheld=sent.withheld).left_out.startswith("2 refs that follow others")
    plan = validate(settings, repo="PIVO", ref="latest", target="pivo/one")
    assert plan.symrefs == ()


def test_what_reaches_a_file_over_the_limit_stays_out_and_is_named(
    store: LocalStore, tmp_path: Path, whole: Whole, settings: Settings, forge: ForgeServer
) -> None:
    (tmp_path / "work").mkdir()
    git = difficult(tmp_path / "work")
    git("switch", "-q", "-c", "heavy", "main~1")
    git.commit("a film", media__film="x" * 50_000)
    git("tag", "film")
    git("rm", "-q", "media/film")
    git.commit("no film")
    git("switch", "-q", "main")
    publish(store, "PIVO", git)
    _, made, _ = whole("HEAD", "pivo/light", file_limit=49_999)
    held = [(w.what, w.name) for w in made.withheld]
    assert held == [("file", "media/film"), ("ref", "refs/heads/heavy"), ("ref", "refs/tags/film")]
    there = refs(f"{forge.url}/pivo/light.git")
    assert there == {n: o for n, o in refs(git.path).items() if n not in {"refs/heads/heavy", "refs/tags/film"}}
    _, made, _ = whole("HEAD", "pivo/all", file_limit=50_000)
    assert made.withheld == () and refs(f"{forge.url}/pivo/all.git") == refs(git.path)
    plan = validate(settings, repo="PIVO", ref="heavy", target="pivo/heavy")
    download(plan, tmp_path / "s" / "packs", settings.archive, "reader")
    with pytest.raises(TargetError, match=r"would not take PIVO.*media/film \(50,000 bytes"):
        reconstruct(plan, tmp_path / "s", file_limit=49_999)


def noisy(path: Path) -> Git:
    """A history that does not compress, of lines and merges, about 60 kB."""
    import random

    path.mkdir()
    git, pick = Git(path), random.Random(4)
    git("init", "-q", "-b", "main")
    for number in range(12):
        git.commit(f"change {number}", **{f"f{number}": pick.randbytes(2000).hex()})
        if number in {4, 8}:
            git("switch", "-q", "-c", f"side{number}")
            git.commit(f"aside {number}", **{f"s{number}": pick.randbytes(3000).hex()})
            git("switch", "-q", "main")
            git("merge", "-q", "--no-ff", "-m", "merge", f"side{number}")
    git("tag", "-a", "v1", "-m", "one", "main~3")
    return git


def test_parts_are_the_whole_history_in_order_and_none_is_over_the_limit(tmp_path: Path) -> None:
    git = noisy(tmp_path / "work")
    cut = parts.parts(git.path, 10_000)
    assert len(cut) > 3 and all(p.bytes <= 10_000 for p in cut)
    assert [p.start for p in cut] == [0, *(p.end for p in cut[:-1])]
    assert cut[-1].end == int(git("rev-list", "--count", "--all"))
    assert len(parts.parts(git.path, 1)) == cut[-1].end  # one commit is never cut
    assert len(parts.parts(git.path, 10**9)) == 1


def test_a_repository_over_the_push_limit_goes_in_several_pushes(
    store: LocalStore,
    tmp_path: Path,
    whole: Whole,
    forge: ForgeServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    git = noisy(tmp_path / "work")
    publish(store, "PIVO", git)
    config = {"http.receivepack": "true", "receive.maxInputSize": "12000"}
    monkeypatch.setattr("pivo.stack.localforge.githttp._CONFIG", config)
    with pytest.raises(PivoError):
        whole("HEAD", "pivo/at-once", push_limit=0)
    _, _, sent = whole("HEAD", "pivo/in-parts", push_limit=10_000)
    assert sent.pushes > 3 and refs(f"{forge.url}/pivo/in-parts.git") == refs(git.path)
    assert not any(name.startswith("refs/pivo/") for name in refs(f"{forge.url}/pivo/in-parts.git"))


def test_a_push_in_parts_that_broke_off_goes_on_from_there(
    store: LocalStore, tmp_path: Path, settings: Settings, forge: ForgeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    git = noisy(tmp_path / "work")
    publish(store, "PIVO", git)
    settings = replace(settings, push_limit=10_000)
    plan = validate(settings, repo="PIVO", ref="HEAD", target="pivo/back", run_id="r", all_refs=True)
    download(plan, tmp_path / "s" / "packs", settings.archive, "reader")
    made, real, calls = reconstruct(plan, tmp_path / "s"), subprocess.run, []

    def breaks(command: list[str], **more: object) -> object:
        calls.extend(["push"] if "push" in command[:4] else [])
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(command, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "run", breaks)
    with pytest.raises(KeyboardInterrupt):
        push(plan, made.path, settings)
    monkeypatch.undo()
    left = refs(f"{forge.url}/pivo/back.git")
    assert left and all(name.startswith("refs/pivo/part/") for name in left)
    validate(settings, repo="PIVO", ref="HEAD", target="pivo/back", all_refs=True)  # still a fresh target
    push(plan, made.path, settings)
    assert refs(f"{forge.url}/pivo/back.git") == refs(git.path)
