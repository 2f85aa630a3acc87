"""Restores that get in each other's way, names that collide, and an archive that a newer PIVO has written."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from pivo.errors import ArchiveError, PivoError, TargetError, UsageError
from pivo.restore.download import download
from pivo.restore.plan import RestorePlan, validate
from pivo.restore.push import push
from pivo.restore.reconstruct import reconstruct
from pivo.restore.request import targets
from pivo.restore.target import remote_refs
from pivo.settings import Settings
from pivo.snapshot import manifest as manifests
from pivo.stack.localforge import ForgeServer
from pivo.store import LocalStore
from restore_kit import Git, publish


def ready(settings: Settings, ref: str, target: str, folder: Path) -> tuple[RestorePlan, Path]:
    plan = validate(settings, repo="PIVO", ref=ref, target=target, run_id=ref)
    download(plan, folder / "packs", settings.archive, "reader")
    return plan, reconstruct(plan, folder).path


def at_once(*acts: Callable[[], object]) -> list[PivoError | None]:
    """Calls all of them at the same moment; what each failed with."""
    barrier, failed = threading.Barrier(len(acts)), list[PivoError | None]([None] * len(acts))

    def run(number: int) -> None:
        barrier.wait()
        try:
            acts[number]()
        except PivoError as err:
            failed[number] = err

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failed


@pytest.mark.parametrize("kind", ["forge", "folder"])
def test_of_two_restores_to_one_target_at_once_one_is_refused(
    store: LocalStore, source: Git, settings: Settings, forge: ForgeServer, tmp_path: Path, kind: str
) -> None:
    publish(store, "PIVO", source)
    for attempt in range(5):
        target = f"pivo/same-{attempt}" if kind == "forge" else (tmp_path / f"same-{attempt}.git").as_uri()
        url = f"{forge.url}/{target}.git" if kind == "forge" else target
        made = [ready(settings, ref, target, tmp_path / f"{attempt}-{ref}") for ref in ("main", "other")]
        failed = at_once(*(lambda plan=plan, path=path: push(plan, path, settings) for plan, path in made))  # type: ignore[misc]
        won = [plan for (plan, _), err in zip(made, failed, strict=True) if err is None]
        lost = [err for err in failed if err]
        assert len(won) == 1 and len(lost) == 1, failed
        assert lost[0].what and lost[0].do, lost
        there = remote_refs(url)
        assert there[f"refs/heads/{won[0].branch}"] == won[0].commit
        assert {name for name in there if name.startswith("refs/heads/")} == {f"refs/heads/{won[0].branch}"}


def test_a_target_that_another_restore_has_filled_since_it_was_planned_is_left_alone(
    store: LocalStore, source: Git, settings: Settings, forge: ForgeServer, tmp_path: Path
) -> None:
    publish(store, "PIVO", source)
    first, second = (ready(settings, ref, "pivo/late", tmp_path / ref) for ref in ("main", "other"))
    push(*first, settings)
    before = remote_refs(f"{forge.url}/pivo/late.git")
    with pytest.raises(TargetError, match="is not empty: it has"):
        push(*second, settings)
    assert remote_refs(f"{forge.url}/pivo/late.git") == before


def test_names_that_differ_in_case_only_are_told_before_anything_starts() -> None:
    for pattern in ("neworg/", "neworg/{owner}-{name}", "file:///tmp/all/"):
        with pytest.raises(UsageError, match="differ in upper and lower case only") as told:
            targets(["Acme/PIVO", "acme/pivo", "acme/web"], pattern)
        assert "Acme/PIVO and acme/pivo" in told.value.what
    assert len(targets(["Acme/PIVO", "acme/web"], "neworg/")) == 2


def test_an_archive_that_a_newer_version_has_written_is_not_guessed_at(
    store: LocalStore, source: Git, settings: Settings
) -> None:
    manifest = publish(store, "PIVO", source)
    path, newer = store.root / "PIVO" / manifest.dirname / manifests.NAME, manifests.FORMAT + 40
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifests, "FORMAT", newer)
        patch.setattr(manifests, "_floors", bool)
        path.write_bytes(manifests.dump(manifest))
    with pytest.raises(ArchiveError, match=f"format {newer}") as refused:
        validate(settings, repo="PIVO", ref="main", target="pivo/newer", run_id="newer")
    assert not refused.value.retry and refused.value.do
