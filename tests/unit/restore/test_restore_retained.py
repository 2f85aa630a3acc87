"""What a retention policy removed was replaced: every old snapshot is restored as before, from thin packs, too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from archive_kit import ENVIRONMENT
from gitmake import Repo
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
    assert any(m.own_packs[0].base for m in merged), "thin ones, or this test shows less than it should"
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
