"""Whole runs: what a night has its turn with, what an executor does, what the index is told, the commands."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from archive_kit import Vault
from gitmake import linear
from pivo.cli import app
from pivo.errors import ArchiveError, NotFound, TargetError, Unavailable, UsageError
from pivo.events import EventLog, VerifyEvent, dump, parse, snapshot_events
from pivo.events.codec import commit_events
from pivo.index.apply import Indexer
from pivo.index.ledger import lost
from pivo.index.reader import IndexReader
from pivo.index.writer import writing
from pivo.settings import ForgeAccess, Settings
from pivo.snapshot import manifest as manifests
from pivo.stack.localforge import Account, Forge, ForgeServer
from pivo.store import LocalStore
from pivo.verify import run as runs
from pivo.verify import shallow, witness
from pivo.verify.drill import choose, drill
from pivo.verify.report import Verified
from pivo.verify.run import VerifyRun, record
from pivo.verify.share import tonight
from pivo.verify.work import attempt, load_work
from verify_kit import REPO, Copy

TOKEN = "a-token-of-the-test"
SUNDAY, MONDAY = date(2026, 11, 22), date(2026, 11, 23)


@pytest.fixture
def settings(copy: Copy, tmp_path: Path) -> Settings:
    env = {"PIVO_HOME": str(tmp_path / "home"), "PIVO_ARCHIVE": copy.archive.store.url, "USER": "tester"}
    return replace(Settings.load(env), kafka={"bootstrap.servers": "127.0.0.1:9"})


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[VerifyEvent]:
    """What would be sent to Kafka."""
    sent: list[VerifyEvent] = []
    monkeypatch.setattr(EventLog, "verified", lambda self, event: sent.append(event))
    return sent


@pytest.fixture
def indexed(settings: Settings, made: Vault) -> Settings:
    """The index of the archive, as its events made it."""
    apply(settings, [e for a in made.events.sent if a.manifest.repo == REPO for e in _events(a)])
    return settings


def _events(announced: Any) -> Iterator[Any]:
    for commit in announced.commits:
        yield from commit_events(announced.manifest, commit)
    yield from snapshot_events(announced.manifest, announced.updates, announced.path)


def apply(settings: Settings, events: list[Any]) -> None:
    with writing(settings.index) as db:
        db.execute("BEGIN")
        Indexer(db).apply(parse(dump(e)) for e in events)
        db.execute("COMMIT")


def seen(settings: Settings) -> witness.Witness:
    with IndexReader(settings.index) as reader:
        return witness.ask(reader, REPO)


# -- the second witness


def test_the_index_and_the_archive_agree(indexed: Settings, copy: Copy) -> None:
    memory = seen(indexed)
    assert memory.dirnames == set(copy.dirs)
    assert copy.shallow(memory).ok


@pytest.mark.parametrize(
    ("changes", "fact"),
    [
        ({"source": "https://example.org/else.git"}, "source"),
        ({"commits": 99}, "commits"),
        ({"head_ref": None}, "head_ref"),
        ({"refs": ()}, "refs"),
        ({"moved": True}, "where the refs stand"),
    ],
)
def test_a_well_made_replacement_of_the_last_manifest_is_found(
    indexed: Settings, copy: Copy, changes: dict[str, Any], fact: str
) -> None:
    path = copy.file(5, "manifest.json.gz")
    path.chmod(0o644)
    manifest = manifests.load(path.read_bytes(), "x")
    if changes.pop("moved", None):
        changes["refs"] = tuple(replace(r, target=manifest.lost[0]) if not r.peeled else r for r in manifest.refs)
    path.write_bytes(manifests.dump(replace(manifest, **changes)))
    assert copy.shallow().ok  # the chain alone cannot know
    (found,) = copy.shallow(seen(indexed)).findings
    assert (found.snapshot, found.file, found.kind) == (copy.dirs[4], "manifest.json.gz", "replaced")
    assert fact in found.detail


def test_the_newest_snapshots_cannot_vanish_unseen(indexed: Settings, copy: Copy) -> None:
    for n in (4, 5):
        shutil.rmtree(copy.root / copy.dirs[n - 1])
    assert copy.shallow().ok
    found = copy.shallow(seen(indexed)).findings
    assert [(f.snapshot, f.kind) for f in found] == [(d, "missing") for d in copy.dirs[3:]]


def test_what_was_verified_once_is_remembered(indexed: Settings, copy: Copy) -> None:
    result = copy.shallow()
    apply(indexed, [result.event("r1", "tester")])
    memory = seen(indexed)
    assert memory.seen == {5: result.manifest_sha256}
    path = copy.file(5, "manifest.json.gz")
    path.chmod(0o644)
    path.write_bytes(manifests.dump(replace(manifests.load(path.read_bytes(), "x"), lost=())))
    found = copy.shallow(memory).findings
    assert [f.detail for f in found] == ["has another SHA-256 than when it was last verified"]


def test_a_witness_survives_its_file(indexed: Settings, tmp_path: Path) -> None:
    memory = seen(indexed)
    memory.save(tmp_path / "w" / "x.json")
    assert witness.Witness.load(tmp_path / "w" / "x.json") == memory
    assert witness.Witness.load(tmp_path / "none.json") == witness.Witness()


# -- the index


def test_results_are_in_the_index_once_and_the_latest_counts(indexed: Settings, copy: Copy) -> None:
    good = copy.shallow().event("r1", "tester")
    copy.file(1, ".packidx").unlink()
    bad = replace(copy.shallow().event("r2", "tester"), at=good.at + timedelta(minutes=1))
    apply(indexed, [bad, good, good, bad])
    with IndexReader(indexed.index) as reader:
        rows = reader.query("SELECT run_id, mode, ok, findings, last_seq FROM v_verifications ORDER BY run_id").rows
        assert rows == [("r1", "shallow", 1, 0, 5), ("r2", "shallow", 0, 1, 5)]
        found = reader.query("SELECT run_id, snapshot, kind, found_at FROM v_findings").dicts()
        assert [(f["run_id"], f["snapshot"], f["kind"]) for f in found] == [("r2", copy.dirs[0], "missing")]
        (repo,) = reader.query("SELECT last_verified_at, verified_ok FROM v_repos").rows
        assert repo == (found[0]["found_at"], 0)


# -- the runs of the DAG


def test_every_repository_has_its_turn_within_n_nights(settings: Settings) -> None:
    repos = [f"acme/r{n}" for n in range(500)]
    for nights in (1, 2, 7, 30):
        for begin in (SUNDAY, MONDAY, date(2027, 2, 27)):
            parts = [tonight(repos, begin + timedelta(days=n), nights) for n in range(nights)]
            assert sorted(r for part in parts for r in part) == sorted(repos)
    sizes = [len(tonight(repos, MONDAY + timedelta(days=n), 7)) for n in range(7)]
    assert min(sizes) > 40
    assert tonight(repos, MONDAY, 7) == tonight(repos, MONDAY + timedelta(days=7), 7)


def a_run(settings: Settings, night: date = MONDAY, **conf: Any) -> VerifyRun:
    return VerifyRun(settings, "run 1", conf, night, "tester")


def test_a_run_plans_works_reports_and_cleans(indexed: Settings, copy: Copy, told: list[VerifyEvent]) -> None:
    run = a_run(indexed, repos=[REPO], deep=True)
    assert run.plan() == [REPO]
    assert "token" not in " ".join(run.job_arguments())
    (work,) = load_work(run.folder / "work.json")
    assert witness.Witness.load(work.witness).dirnames == set(copy.dirs)
    result, failed = attempt(work)
    assert result and result.ok and not failed[0] and work.done() == result
    assert run.report(REPO)["objects"] == result.objects > 0
    assert [(e.run_id, e.mode, e.who, e.findings_total) for e in told] == [("run 1", "deep", "tester", 0)]
    run.clean()
    assert not run.folder.exists()


def test_tasks_that_are_cleared_by_hand_after_the_end_look_again(indexed: Settings, told: list[VerifyEvent]) -> None:
    run = a_run(indexed, repos=[REPO])
    for _ in range(2):
        if not told:
            run.plan()
        with run.submitting("spark-submit"):
            attempt(load_work(run.folder / "work.json")[0])
        assert run.report(REPO)["findings"] == 0
        run.clean()
    assert len({e.run_id for e in told}) == 1 and len(told) == 2
    with pytest.raises(NotFound, match="is on record") as alone:
        run.report(REPO)
    assert not alone.value.retry and not run.folder.exists()


def test_a_run_with_findings_fails_with_a_sentence_that_names_them(
    indexed: Settings, copy: Copy, told: list[VerifyEvent]
) -> None:
    copy.file(2, ".packidx").unlink()
    run = a_run(indexed, repos=[REPO])
    run.plan()
    attempt(load_work(run.folder / "work.json")[0])
    with pytest.raises(ArchiveError, match=rf"{REPO}/{copy.dirs[1]}/pack-\w+.packidx: is not in the archive"):
        run.report(REPO)
    assert told[0].findings[0].kind == "missing"


def test_sundays_are_deep_and_whole(settings: Settings) -> None:
    assert a_run(settings, SUNDAY).deep and not a_run(settings, MONDAY).deep
    assert a_run(settings, MONDAY, deep=True).deep and not a_run(settings, SUNDAY, deep=False).deep
    assert a_run(settings, SUNDAY).plan() == [REPO]
    nights = [a_run(settings, MONDAY + timedelta(days=n), deep=False).plan() for n in range(7)]
    assert sorted(nights) == [[]] * 6 + [[REPO]]


def test_a_repository_that_is_gone_and_one_that_is_none_are_reported(
    indexed: Settings, copy: Copy, told: list[VerifyEvent]
) -> None:
    shutil.rmtree(copy.root.parent)
    (copy.root.parents[1] / "notes.txt").write_text("x")
    run = a_run(indexed, SUNDAY)
    assert run.plan() == [REPO, "notes.txt"]
    for work in load_work(run.folder / "work.json"):
        assert work.done() or attempt(work)[0]
    for repo in (REPO, "notes.txt"):
        with pytest.raises(ArchiveError):
            run.report(repo)
    assert {f.kind for e in told for f in e.findings} == {"missing", "foreign"}


def test_a_repository_whose_archive_is_away_fails_alone_and_may_be_tried_again(settings: Settings) -> None:
    run = a_run(settings, repos=[REPO])
    run.plan()
    (work,) = load_work(run.folder / "work.json")
    result, (what, _, retry) = attempt(replace(work, archive="webhdfs://127.0.0.1:9/backups"))
    assert result is None and retry and "127.0.0.1:9" in what
    with pytest.raises(Unavailable, match="was not verified"):
        run.report(REPO)


def test_wrong_parameters_are_refused(settings: Settings) -> None:
    with pytest.raises(UsageError, match="no parameter 'depth'"):
        a_run(settings, depth=1).plan()
    with pytest.raises(NotFound, match="acme/none"):
        a_run(settings, repos=["acme/none"]).plan()
    with pytest.raises(UsageError, match="no parameter 'target'"):
        runs.drill(settings, "r", {"target": "x"}, "me", lambda *a: None)


# -- the commands


@pytest.fixture
def pivo(indexed: Settings, monkeypatch: pytest.MonkeyPatch, told: list[VerifyEvent]) -> Callable[..., Any]:
    monkeypatch.setattr(Settings, "load", classmethod(lambda cls, env=None: indexed))
    return lambda *words, code=0: _ran(words, code)


def _ran(words: tuple[str, ...], code: int) -> Any:
    done = CliRunner().invoke(app, list(words))
    assert done.exit_code == code, (done.output, done.exception)
    return json.loads(done.stdout) if "--json" in words else done


def test_verify_says_what_it_saw_and_exits_with_1_on_findings(
    pivo: Callable[..., Any], copy: Copy, told: list[VerifyEvent]
) -> None:
    (whole,) = pivo("verify", "--deep", "--json")
    assert whole["ok"] and whole["mode"] == "deep" and whole["findings"] == []
    pack = copy.file(3 - 1, ".packidx")
    pack.unlink()
    (broken,) = pivo("verify", REPO, "--json", code=1)
    assert broken["findings"][0]["file"] == pack.name and broken["findings"][0]["kind"] == "missing"
    assert pack.name in capture(pivo, "verify", REPO, "--no-record", code=1)
    assert [e.findings_total for e in told] == [0, 1]


def capture(pivo: Callable[..., Any], *words: str, code: int) -> str:
    import pivo.cli.verify as module

    with module.console.capture() as got:
        pivo(*words, code=code)
    return got.get()


def test_verify_of_what_is_not_there_or_cannot_be_meant(pivo: Callable[..., Any]) -> None:
    for words, error in [
        (("verify", "acme/od"), NotFound),
        (("verify", "--deep", "--drill"), UsageError),
        (("verify", "--owner", "x"), UsageError),
        (("lost", "nope"), NotFound),
    ]:
        assert isinstance(CliRunner().invoke(app, list(words)).exception, error), words


def test_what_is_lost_is_listed_with_what_took_it_away(
    pivo: Callable[..., Any], indexed: Settings, copy: Copy, made: Vault
) -> None:
    told = pivo("lost", REPO, "--json")
    with IndexReader(indexed.index) as reader:
        assert [c.hash for c in lost(reader)] == [row["hash"] for row in told]
    (row,) = [r for r in told if r["ref"] == "refs/heads/gone"]
    assert (row["change"], row["lost_seq"], row["subject"], row["author_name"]) == ("deleted", 4, "change 30", "Ada")
    for each in told:
        found = copy.archive.resolve(REPO, each["hash"])
        assert found.commit == each["hash"]


# -- the drill


@pytest.fixture
def forge(tmp_path: Path) -> Iterator[ForgeServer]:
    with ForgeServer(Forge(tmp_path / "forge", {TOKEN: Account("pivo")})) as server:
        yield server


@pytest.fixture
def drilled(settings: Settings, forge: ForgeServer) -> Settings:
    return replace(settings, forge=ForgeAccess(forge.api_url, TOKEN))


def test_a_drill_restores_what_its_id_picks_and_compares(drilled: Settings, forge: ForgeServer, copy: Copy) -> None:
    result = drill(drilled, "drill-1", owner="trials")
    assert result.ok and result.mode == "drill" and result.repo == REPO and result.objects > 3
    picked = choose(copy.archive, "drill-1").commit
    assert picked == choose(copy.archive, "drill-1").commit
    (name,) = [p.name for p in (forge.forge.root / "trials").iterdir()]
    assert name.startswith("drill-acme-odd-" + picked[:10])
    assert list(drilled.staging.iterdir()) == []
    assert len({choose(copy.archive, f"drill-{n}").commit for n in range(40)}) > 8


def test_a_drill_by_hand_is_no_way_round_a_second_person(drilled: Settings, forge: ForgeServer, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("approval: [{repositories: ['acme/*'], approvers: [grace]}]")
    settings = replace(drilled, policy=policy)
    with pytest.raises(TargetError, match="takes the approval of a second person"):
        drill(settings, "drill-1", owner="trials", by="ada")
    assert not (forge.forge.root / "trials").exists()
    assert drill(settings, "drill-1", owner="trials").ok, "the schedule's own goes on"


def test_a_drill_on_a_damaged_archive_fails_and_says_so(drilled: Settings, copy: Copy) -> None:
    pack = copy.file(1, ".packidx")
    raw = bytearray(pack.read_bytes())
    raw[copy.archive.manifest(REPO, copy.dirs[0]).packs[0].size - 5] ^= (
        1  # in the checksum at the end: reading single objects never sees it
    )
    pack.chmod(0o644)
    pack.write_bytes(raw)
    result = drill(drilled, "drill-1", owner="trials")
    (found,) = result.findings
    assert found.kind == "restore" and pack.name in found.detail


def test_a_drill_needs_something_to_restore(tmp_path: Path) -> None:
    from pivo.snapshot.archive import Archive

    (tmp_path / "none").mkdir()
    with pytest.raises(NotFound, match="No repository"):
        choose(Archive(LocalStore(tmp_path / "none")), "x")


def test_a_result_that_cannot_be_recorded_says_so(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(self: EventLog, event: VerifyEvent) -> None:
        raise Unavailable("Kafka is away.", "Start it.")

    monkeypatch.setattr(EventLog, "verified", away)
    with pytest.raises(Unavailable):
        record(settings, Verified(REPO, "shallow"), "r", "me")


def test_what_lies_beside_the_repositories(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "vault")
    vault.ingest(linear(tmp_path / "l.git", 2), "acme/inner")
    root = tmp_path / "vault" / "archive"
    (root / "newowner").mkdir()
    assert shallow.foreign(vault.archive) == []
    (root / "stray").mkdir()
    (root / "stray" / "x").touch()
    assert [f.repo for f in shallow.foreign(vault.archive)] == ["stray"]
