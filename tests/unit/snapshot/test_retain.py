"""Retention: what was replaced may go, and nothing that anybody can ask for goes with it."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from archive_kit import ENVIRONMENT, Vault, rebuilt
from gitmake import Repo, put
from pivo import retention
from pivo.consolidation import consolidated
from pivo.errors import ArchiveError, NotFound, Unavailable
from pivo.models import Manifest, RepoName, StoredPack
from pivo.retention import Retained, retain
from pivo.snapshot import manifest as manifests
from pivo.snapshot.archive import Archive
from pivo.snapshot.history import commits_of_snapshot
from pivo.snapshot.members import decode, encode
from pivo.snapshot.retain import Replaced, survey
from pivo.store import LocalStore
from pivo.verify import deep, shallow
from pivo.verify.report import Verified
from pivo.verify.witness import Witness

REPO = "acme/odd"


class Killed(BaseException):
    """The process is gone."""


def nights(vault: Vault, source: Repo, count: int, start: int = 0) -> list[Manifest]:
    made = []
    for n in range(start, start + count):
        source.commit("main", 500 + n, put(f"night{n % 5}.txt", b"%d\n" % n * 50))
        vault.ingest(source)
        made.append(vault.latest())
    return made


def merge(vault: Vault) -> Manifest:
    made = consolidated(
        vault.store, vault.events, RepoName.parse(REPO), scratch=vault.folder / "scratch", environment=ENVIRONMENT,
        everything=True,
    )  # fmt: skip
    assert made
    return made


def run(vault: Vault, days: int = 0, **options: Any) -> Retained | None:
    values: dict[str, Any] = {
        "told": lambda snapshot, packs: None,
        "scratch": vault.folder / "scratch",
        "environment": ENVIRONMENT,
    }
    return retain(vault.store, vault.events, REPO, days=days, who="kim", **(values | options))


def check(vault: Vault, witness: Witness | None = None) -> tuple[Verified, Verified]:
    archive = Archive(vault.store)
    full = deep.verify(archive, REPO, vault.folder / "scratch", ENVIRONMENT, witness)
    return shallow.verify(archive, REPO, witness), full


def pack_files(vault: Vault) -> set[str]:
    root = vault.folder / "archive" / REPO
    return {f"{p.parent.name}/{p.name[5:45]}" for p in root.glob("*/*.packidx")}


def forged(vault: Vault, manifest: Manifest, **changes: Any) -> None:
    """Replaces the newest manifest by another one with a seal of its own."""
    path = vault.folder / "archive" / vault.archive.path(REPO, manifest.dirname, manifests.NAME)
    path.chmod(0o644)
    path.write_bytes(manifests.dump(replace(manifest, **changes)))


@pytest.fixture
def grown(vault: Vault, odd: Repo) -> tuple[Vault, Repo, list[Manifest]]:
    """Four nights with a commit that was lost, one pack of all of them, and a night more."""
    vault.ingest(odd)
    odd.commit("gone", 400, put("lost.txt", b"only here\n"), parents=["refs/heads/main"])
    vault.ingest(odd)
    odd("update-ref", "-d", "refs/heads/gone")
    old = nights(vault, odd, 4)
    merge(vault)
    return vault, odd, [*old, *nights(vault, odd, 1, start=50)]


def test_members_are_told_by_their_places() -> None:
    whole = sorted(hashlib.sha1(b"%d" % n, usedforsecurity=False).digest() for n in range(300))
    for part in (whole, whole[3:4], whole[::7], []):
        assert decode(encode(part, whole), whole) == part
    with pytest.raises(ArchiveError, match="not in the pack"):
        encode([b"\1" * 20], whole)
    for bad in ("!", encode(whole, whole)[:-8], encode(whole[:300:2], whole)):
        with pytest.raises(ArchiveError):
            decode(bad, whole[:100])


def test_replaced_packs_go_and_whatever_was_there_can_still_be_had(
    grown: tuple[Vault, Repo, list[Manifest]], tmp_path: Path
) -> None:
    vault, odd, old = grown
    names = [s.dirname for s in vault.archive.snapshots(REPO)]
    before = {m.dirname: rebuilt(vault, m, tmp_path / m.dirname).objects() for m in old}
    told = {
        name: list(commits_of_snapshot(Archive(vault.store), vault.archive.manifest(REPO, name), tmp_path / f"a{name}",
                                       ENVIRONMENT))
        for name in names
    }  # fmt: skip
    needed = {p.key for p in vault.latest().packs}
    lost = next(c.hash for commits in told.values() for c in commits if b"only here" in _lost_blob(vault, c.hash))
    done = run(vault)
    assert done and len(done.packs) == 6 and pack_files(vault) == needed
    archive = Archive(vault.store)
    record = archive.require(REPO)
    assert (record.refs, {p.key for p in record.packs}) == (old[-1].refs, needed)
    assert record.dirname == done.snapshot and {r.key for r in record.removed} == set(done.packs)
    assert manifests.load(manifests.dump(record), "x") == record
    for manifest in old:
        found = Archive(vault.store)
        packs = found.packs(found.manifest(REPO, manifest.dirname))
        assert {p.key for p in packs} <= needed
        again = rebuilt(vault, replace(manifest, packs=packs), tmp_path / f"again-{manifest.dirname}")
        assert set(before[manifest.dirname]) <= set(again.objects())
        again("fsck", "--full", "--strict")
    for name in names:  # as reindex, and a late announcement, ask for it
        found = Archive(vault.store)
        made = list(commits_of_snapshot(found, found.manifest(REPO, name), tmp_path / f"b{name}", ENVIRONMENT))
        assert sorted(c.hash for c in made) == sorted(c.hash for c in told[name])
        assert {c.hash: c for c in made} == {c.hash: c for c in told[name]}
    at = Archive(vault.store).resolve(REPO, f"main@{old[0].taken_at:%Y-%m-%dT%H:%M:%S.%f+00:00}")
    assert at.snapshot.dirname == old[0].dirname and at.commit == odd("rev-parse", "main~4")
    with archive.objects(at.snapshot) as objects:
        assert objects.read_file(at.commit, "night0.txt") == b"0\n" * 50
    with archive.objects(archive.manifest(REPO, names[1])) as objects:
        assert objects.read_file(lost, "lost.txt") == b"only here\n"
    quick, full = check(vault)
    assert quick.ok and full.ok, (quick.findings, full.findings)
    assert run(vault) is None


def _lost_blob(vault: Vault, commit: str) -> bytes:
    with vault.archive.objects(vault.latest()) as objects:
        try:
            return objects.read_file(commit, "lost.txt")
        except NotFound:
            return b""


def test_packs_that_replaced_others_go_in_their_turn(grown: tuple[Vault, Repo, list[Manifest]], tmp_path: Path) -> None:
    vault, odd, old = grown
    assert run(vault)
    nights(vault, odd, 3, start=60)
    merge(vault)
    assert run(vault) and pack_files(vault) == {p.key for p in vault.latest().packs}
    assert len(pack_files(vault)) == 1
    for manifest in old:
        found = Archive(vault.store)
        again = rebuilt(vault, replace(manifest, packs=found.packs(manifest)), tmp_path / manifest.dirname)
        again("fsck", "--full", "--strict")
        made = list(commits_of_snapshot(found, manifest, tmp_path / f"c{manifest.dirname}", ENVIRONMENT))
        assert len(made) == manifest.commits > 0
    quick, full = check(vault)
    assert quick.ok and full.ok, (quick.findings, full.findings)
    nights(vault, odd, 1, start=70)
    assert len(vault.latest().removed_in) == 2 and vault.latest().removed == ()


def test_both_clocks_must_say_that_it_is_long_ago(grown: tuple[Vault, Repo, list[Manifest]]) -> None:
    vault, _, _ = grown
    later = datetime.now(UTC) + timedelta(days=90, hours=1)
    assert run(vault, 90) is None
    assert run(vault, 90, now=later) is None, "the store's clock says today"
    for path in (vault.folder / "archive").rglob("*.packidx"):
        os.utime(path, (0, 0))
    assert run(vault, 90) is None, "the manifest says today"
    assert run(vault, 90, now=later, dry_run=True) is not None
    assert len(pack_files(vault)) == 8, "a dry run removes nothing"
    assert run(vault, 90, now=later) is not None


def pack(number: int, base: int = 0) -> StoredPack:
    at = f"{base:06d}-{'a' * 12}/{base:040x}" if base else ""
    return StoredPack(f"{number:06d}-{'a' * 12}", f"{number:040x}", 1, "", 0, "", 1, bases=(at,) if at else ())


def test_a_pack_that_others_build_on_stays_and_a_successor_that_goes_is_followed(vault: Vault, odd: Repo) -> None:
    vault.ingest(odd)
    packs = {n: pack(n, base) for n, base in ((1, 0), (2, 1), (3, 1), (4, 0), (5, 0))}
    long_ago, now = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)

    def chosen(by: dict[int, tuple[int, datetime]], newest: list[int]) -> dict[int, int]:
        found = Replaced(
            replace(vault.latest(), packs=tuple(packs[n] for n in newest)),
            {p.key: p for p in packs.values()},
            {packs[n].key: (packs[to].key, at, at) for n, (to, at) in by.items()},
        )
        told = found.candidates(90, now, now)
        return {int(c.pack.snapshot[:6]): int(c.successor.snapshot[:6]) for c in told}

    assert chosen({2: (4, long_ago)}, [1, 3, 4, 5]) == {2: 4}
    assert chosen({1: (4, long_ago), 2: (4, long_ago)}, [3, 4, 5]) == {2: 4}, "3 builds on 1"
    assert chosen({1: (4, long_ago), 2: (4, now), 3: (4, long_ago)}, [4, 5]) == {3: 4}, "2 builds on 1, and is young"
    everything = dict.fromkeys((1, 2, 3), (4, long_ago))
    assert chosen(everything | {4: (5, long_ago)}, [5]) == {1: 5, 2: 5, 3: 5, 4: 5}
    assert chosen(everything | {4: (5, now)}, [5]) == {1: 4, 2: 4, 3: 4}
    assert chosen(everything, [1, 2, 3, 4, 5]) == {}, "readers need them"


@pytest.mark.parametrize("where", ["newest pack", "replaced pack", "old manifest"])
def test_one_doubt_and_nothing_goes(grown: tuple[Vault, Repo, list[Manifest]], where: str) -> None:
    vault, _, old = grown
    last = vault.latest()
    spoiled = {"newest pack": last.packs[0], "replaced pack": old[0].packs[0]}.get(where)
    file = vault.archive.path(REPO, old[0].dirname, manifests.NAME)
    path = vault.folder / "archive" / (f"{REPO}/{spoiled.snapshot}/{spoiled.file_name}" if spoiled else file)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(raw)
    files = pack_files(vault)
    with pytest.raises(ArchiveError):
        run(vault)
    assert pack_files(vault) == files and Archive(vault.store).snapshots(REPO)[-1].dirname == last.dirname


def test_a_successor_that_lacks_an_object_keeps_all_packs(
    grown: tuple[Vault, Repo, list[Manifest]], monkeypatch: pytest.MonkeyPatch
) -> None:
    vault, _, _ = grown
    files, last = pack_files(vault), vault.latest()
    monkeypatch.setattr(Replaced, "candidates", _swapped(Replaced.candidates, last.packs[-1]))
    with pytest.raises(ArchiveError, match="is not in the pack that replaces"):
        run(vault)
    assert pack_files(vault) == files and vault.latest() == last


def _swapped(whole: Any, other: StoredPack) -> Any:
    return lambda *args: [replace(c, successor=other) for c in whole(*args)]


def test_nothing_goes_that_kafka_or_the_audit_log_has_not_heard_of(
    grown: tuple[Vault, Repo, list[Manifest]],
) -> None:
    vault, _, _ = grown
    files = pack_files(vault)
    vault.events.away = True
    with pytest.raises(Unavailable):
        run(vault)
    vault.events.away = False

    def deaf(snapshot: str, packs: tuple[StoredPack, ...]) -> None:
        raise Unavailable("The audit log cannot be reached.", "Start it.")

    with pytest.raises(Unavailable, match="audit"):
        run(vault, told=deaf)
    assert pack_files(vault) == files
    assert all(r.ok for r in check(vault)), "what is recorded and still there harms nobody"
    done = run(vault)
    assert done and len(done.packs) == 6 and pack_files(vault) == {p.key for p in vault.latest().packs}
    assert vault.events.announced(REPO) == vault.latest().seq


def test_a_writer_who_publishes_meanwhile_keeps_all_packs(
    grown: tuple[Vault, Repo, list[Manifest]], monkeypatch: pytest.MonkeyPatch
) -> None:
    vault, odd, _ = grown
    files, whole = pack_files(vault), deep.verify
    for late in (deep.verify, retention.entries):

        def slow(*args: Any, late: Any = late) -> Any:
            done = late(*args)
            nights(vault, odd, 1, start=90 + len(vault.archive.snapshots(REPO)))
            return done

        with monkeypatch.context() as patch:
            patch.setattr(deep if late is whole else retention, late.__name__, slow)
            with pytest.raises(ArchiveError):
                run(vault)
        assert files < pack_files(vault) and vault.latest().removed_in == ()
    assert vault.incoming == [] and run(vault)


class Mortal:
    """A store whose process is killed before or after the n-th change."""

    def __init__(self, store: LocalStore, at: int, before: bool) -> None:
        self._store, self._left, self._before, self.url = store, at, before, store.url

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if name not in {"write", "rename", "remove_replaced", "mkdirs", "seal", "delete"}:
            return method

        def act(*args: Any) -> Any:
            self._left -= 1
            if self._left < 0 or (self._left == 0 and self._before):
                raise Killed(name)
            done = method(*args)
            if self._left == 0:
                raise Killed(name)
            return done

        return act


@pytest.mark.parametrize("before", [True, False])
def test_a_run_that_is_killed_at_any_change_loses_nothing_and_the_next_one_ends_it(
    grown: tuple[Vault, Repo, list[Manifest]], tmp_path: Path, before: bool
) -> None:
    made, odd, _ = grown
    points = 0
    for at in range(1, 100):
        vault = Vault(tmp_path / f"v{at}")
        shutil.copytree(made.folder / "archive", vault.folder / "archive", dirs_exist_ok=True)
        vault.events.sent = list(made.events.sent)
        vault.store = Mortal(LocalStore(vault.folder / "archive"), at, before)
        try:
            run(vault)
        except Killed:
            points += 1
        else:
            break
        vault.store = LocalStore(vault.folder / "archive")
        vault.archive = Archive(vault.store)
        assert all(r.ok for r in check(vault)), at
        run(vault)
        assert pack_files(vault) == {p.key for p in vault.latest().packs}, at
        assert all(r.ok for r in check(vault)), at
        assert set(rebuilt(vault, vault.latest(), tmp_path / f"r{at}").objects()) >= set(odd.objects())
    assert points >= 12  # claim and rename, and six files among them


def test_a_missing_pack_is_not_excused_by_a_forged_record(
    grown: tuple[Vault, Repo, list[Manifest]],
) -> None:
    vault, _, _ = grown
    assert run(vault)
    record = vault.latest()
    first = record.removed[0]
    other = next(r for r in record.removed if r.ids != first.ids)
    root = vault.folder / "archive"
    for wrong in (
        {"sha256": "0" * 64},
        {"idx_sha256": "0" * 64},
        {"successor": record.packs[-1].key},
        {"successor": first.key},
        {"ids": "0" * 64},
        {"members": other.members},
        {"members": other.members, "ids": other.ids},
        {"key": record.packs[0].key},
    ):
        forged(vault, record, removed=(replace(first, **wrong), *record.removed[1:]))
        for result in check(vault):
            assert {(f.snapshot, f.kind) for f in result.findings} >= {(first.key.partition("/")[0], "missing")}, wrong
    forged(vault, record)
    assert all(r.ok for r in check(vault))
    # The pack that holds everything is gone, and a record says that it was removed, too.
    (root / REPO / record.packs[0].snapshot / record.packs[0].file_name).unlink()
    lost = replace(first, key=record.packs[0].key, successor=record.packs[1].key)
    forged(vault, record, removed=(*record.removed, lost), packs=record.packs[1:])
    for result in check(vault):
        assert (record.packs[0].snapshot, "missing") in {(f.snapshot, f.kind) for f in result.findings}


def test_whatever_a_record_says_a_deep_verification_walks_from_every_old_ref(
    grown: tuple[Vault, Repo, list[Manifest]], monkeypatch: pytest.MonkeyPatch
) -> None:
    vault, _, _ = grown
    last = vault.latest()
    (vault.folder / "archive" / REPO / last.packs[-1].snapshot / last.packs[-1].file_name).unlink()
    everything = frozenset(p.key for p in last.packs)
    monkeypatch.setattr(shallow, "excused", lambda *args: everything)
    assert shallow.verify(Archive(vault.store), REPO).ok, "or this test shows nothing"
    assert "object" in {f.kind for f in check(vault)[1].findings}


def test_the_index_is_a_second_witness(grown: tuple[Vault, Repo, list[Manifest]]) -> None:
    vault, _, _ = grown
    known = {s.dirname: {} for s in vault.archive.snapshots(REPO)}
    done = run(vault)
    assert done

    class Heard(Witness):
        def compare(self, *args: Any) -> None:
            """Only whether it was heard of is asked here."""

    quick, _ = check(vault, Heard(known))  # type: ignore[arg-type]
    assert any("index has not heard" in f.detail for f in quick.findings)
    quick, full = check(vault, Heard(known | {done.snapshot: {}}))  # type: ignore[arg-type]
    assert quick.ok and full.ok


def test_a_survey_of_what_was_never_replaced_is_empty(vault: Vault, odd: Repo) -> None:
    vault.ingest(odd)
    nights(vault, odd, 2)
    assert survey(vault.archive, REPO).by == {} and run(vault) is None


def test_only_a_published_packs_file_can_be_removed(vault: Vault, odd: Repo) -> None:
    vault.ingest(odd)
    last = vault.latest()
    folder, file = f"{REPO}/{last.dirname}", last.packs[0].file_name
    other = (
        f"{folder}/{manifests.NAME}",
        folder,
        REPO,
        f"{REPO}/{file}",
        f"{folder}/x/{file}",
        f"{last.dirname}/{file}",
    )
    for path in (*other, f"{folder}/lfs-{'0' * 64}", f".incoming/{last.dirname}/{file}", f"{folder}/../{file}"):
        with pytest.raises(ArchiveError):
            vault.store.remove_replaced(path)
    for path in (f"{folder}/{file}", folder):
        with pytest.raises(ArchiveError, match="will not be deleted"):
            vault.store.delete(path)
    vault.store.remove_replaced(f"{folder}/{file}")
    vault.store.remove_replaced(f"{folder}/{file}")
    assert [e.name for e in vault.store.list(folder)] == [manifests.NAME]
