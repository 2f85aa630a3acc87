"""What a retention policy removed was replaced: every old snapshot is restored as before, from thin packs, too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from archive_kit import ENVIRONMENT, Vault
from gitmake import Repo, linear
from life_kit import NAME, lived
from pivo.consolidation import consolidated
from pivo.models import Manifest
from pivo.restore.download import download
from pivo.restore.plan import RestorePlan, validate
from pivo.restore.reconstruct import reconstruct
from pivo.retention import retain
from pivo.settings import Settings
from pivo.snapshot.archive import Archive
from pivo.snapshot.history import commits_of_snapshot
from pivo.snapshot.publish import Upload


def test_every_old_snapshot_is_restored_as_it_was_before(settings: Settings, tmp_path: Path) -> None:
    _, vault, manifests = lived(tmp_path / "life", 31, 6)
    own = replace(settings, archive=vault.store.url)

    def plan(manifest: Manifest, run_id: str) -> RestorePlan:
        return validate(own, repo=str(NAME), ref=manifest.dirname, target="pivo/x", run_id=run_id, all_refs=True)

    def restored(manifest: Manifest, run_id: str) -> tuple[dict[str, str], list[str]]:
        folder = tmp_path / run_id
        download(plan(manifest, run_id), folder / "packs", own.archive, "reader")
        repo = Repo(reconstruct(plan(manifest, run_id), folder).path)
        return dict(repo.refs()), sorted(repo.objects("--all"))

    def told(manifest: Manifest, where: str) -> list[str]:
        found = commits_of_snapshot(Archive(vault.store), manifest, tmp_path / where, ENVIRONMENT)
        return sorted(repr(c) for c in found)

    places = {"scratch": vault.folder / "scratch", "environment": ENVIRONMENT}
    merged = [m for m in manifests if m.replaces]
    assert any(m.own_packs[0].thin for m in merged), "thin ones, or this test shows less than it should"
    some = [manifests[n] for n in (0, 3, 9, len(manifests) - 1)]
    before = [restored(m, f"before{n}") for n, m in enumerate(some)]
    commits = [told(m, f"a{n}") for n, m in enumerate(manifests)]

    for turn in range(2):  # the second one removes what the first one's packs were replaced by
        done = retain(
            vault.store, vault.events, str(NAME), days=0, who="kim", told=lambda *_: None, **places  # type: ignore[arg-type]
        )  # fmt: skip
        assert done and len(done.packs) >= 2
        assert [restored(m, f"after{turn}{n}") for n, m in enumerate(some)] == before
        assert [told(m, f"b{turn}{n}") for n, m in enumerate(manifests)] == commits
        consolidated(vault.store, vault.events, NAME, everything=True, **places)  # type: ignore[arg-type]
    assert len(plan(some[-1], "y").packs) == 1


def test_a_consolidation_in_the_middle_of_a_restore_is_nothing_to_it(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, vault = linear(tmp_path / "source.git", 3), Vault(tmp_path / "vault")
    for night in range(4):
        source.commit("main", 50 + night)
        vault.ingest(source, str(NAME))
    own = replace(settings, archive=vault.store.url)

    def plan(run_id: str) -> RestorePlan:
        return validate(own, repo=str(NAME), ref="HEAD", target="pivo/x", run_id=run_id, all_refs=True)

    def restored(made: RestorePlan, name: str) -> tuple[dict[str, str], list[str]]:
        download(made, tmp_path / name / "packs", own.archive, "reader")
        repo = Repo(reconstruct(made, tmp_path / name).path)
        return dict(repo.refs()), sorted(repo.objects("--all"))

    early, seen = plan("early"), list[tuple[dict[str, str], list[str]]]()
    publish = Upload.publish

    def midway(self: Upload, manifest: Manifest) -> None:
        seen.append(restored(early, "meanwhile"))  # the new pack is uploaded, and belongs to nothing yet
        late = plan("late")
        publish(self, manifest)
        seen.append(restored(late, "planned-before"))

    monkeypatch.setattr(Upload, "publish", midway)
    places = {"scratch": vault.folder / "scratch", "environment": ENVIRONMENT}
    made = consolidated(vault.store, vault.events, NAME, everything=True, **places)  # type: ignore[arg-type]
    fresh = plan("fresh")
    assert made and (made.seq, len(early.packs), len(fresh.packs)) == (5, 4, 1)
    seen += [restored(early, "afterwards"), restored(fresh, "fresh")]
    assert all(one == seen[0] for one in seen) and len(seen) == 4 and seen[0][1]
