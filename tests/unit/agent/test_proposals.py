"""A proposal: single use, expiring, bound to one person and to what was shown."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pivo.agent.proposals import ProposalRefused, Proposals
from pivo.errors import NotFound, PivoError

CONF = {"repo": "PIVO", "commit": "a" * 40, "target": "acme/x"}


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def book(tmp_path: Path, clock: Clock) -> Proposals:
    return Proposals(tmp_path, minutes=15, clock=clock)


def test_confirmed_once(book: Proposals) -> None:
    made = book.make("alice", "restore_repo", CONF, {"Repository": "PIVO"})
    confirmed = book.confirm(made.id, "alice", made.digest)
    assert confirmed.arguments == CONF
    assert confirmed.run_id == made.planned_run_id
    with pytest.raises(ProposalRefused, match="is confirmed"):
        book.confirm(made.id, "alice", made.digest)


def test_of_twenty_at_once_one_wins(book: Proposals) -> None:
    made = book.make("alice", "restore_repo", CONF, {})

    def confirm(_: int) -> bool:
        try:
            book.confirm(made.id, "alice", made.digest)
        except ProposalRefused:
            return False
        return True

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(confirm, range(20))) == 1


def test_expires(book: Proposals, clock: Clock) -> None:
    made = book.make("alice", "restore_repo", CONF, {})
    clock.now += 15 * 60
    with pytest.raises(ProposalRefused, match="expired"):
        book.confirm(made.id, "alice", made.digest)


def test_a_clock_that_goes_back_gives_no_proposal_a_longer_life(book: Proposals, clock: Clock) -> None:
    made = book.make("alice", "restore_repo", CONF, {})
    clock.now -= 30  # as clocks are set
    assert book.get(made.id, "alice").state == "open"
    clock.now -= 3600
    assert book.get(made.id, "alice").state == "expired"
    with pytest.raises(ProposalRefused, match="expired"):
        book.confirm(made.id, "alice", made.digest)


def test_stolen(book: Proposals) -> None:
    made = book.make("alice", "restore_repo", CONF, {})
    for act in (lambda: book.confirm(made.id, "mallory", made.digest), lambda: book.cancel(made.id, "mallory")):
        with pytest.raises(NotFound):
            act()
    assert book.get(made.id, "alice").state == "open"


def test_altered_on_disk(book: Proposals, tmp_path: Path) -> None:
    made = book.make("alice", "restore_repo", CONF, {})
    with sqlite3.connect(tmp_path / "agent.db") as db:
        db.execute("UPDATE proposals SET arguments = replace(arguments, 'acme/x', 'evil/x')")
    with pytest.raises(ProposalRefused, match="not what was shown"):
        book.confirm(made.id, "alice", made.digest)


def test_other_than_shown(book: Proposals) -> None:
    made = book.make("alice", "restore_repo", CONF, {})
    with pytest.raises(ProposalRefused):
        book.confirm(made.id, "alice", "0" * 64)
    assert book.get(made.id, "alice").state == "open"


def test_cancelled_for_good(book: Proposals) -> None:
    made = book.make("alice", "restore_repo", CONF, {})
    assert book.cancel(made.id, "alice").state == "cancelled"
    with pytest.raises(ProposalRefused, match="cancelled"):
        book.confirm(made.id, "alice", made.digest)


def test_reopened_keeps_its_run_id(book: Proposals) -> None:
    made = book.make("alice", "restore_repo", CONF, {})
    first = book.confirm(made.id, "alice", made.digest).run_id
    book.reopen(made.id, "alice")
    assert book.confirm(made.id, "alice", made.digest).run_id == first


def test_ids_are_not_guessable(book: Proposals) -> None:
    ids = {book.make("alice", "restore_repo", CONF, {}).id for _ in range(50)}
    assert len(ids) == 50
    assert min(map(len, ids)) >= 24
    assert issubclass(ProposalRefused, PivoError)
