"""Forty-five questions to an index of any size, over the views as the agent asks them, behind the reader's guard.

`python -m benchmarks.questions_at_size <index> [a bare repository for git]`. Point questions have p99 < 5 ms as their
target, aggregates < 300 ms; a point question whose plan scans a big table is marked. The target is held against the
CPU's time: on a machine that others use, the wall's tells of them. `the way to the reader` is what a question to the
reader's process costs by itself, there and back. With a repository, git answers
what it can of the same: there, of one repository alone. The plans are in `<index>.plans.txt`.
"""

from __future__ import annotations

import random
import re
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from pivo.index import worker
from pivo.index.reader import IndexReader
from pivo.index.schema import READABLE_TABLES
from pivo.index.views import VIEWS

ASKED = {"point": 200, "aggregate": 20}
TARGET = {"point": 5.0, "aggregate": 300.0}  # ms
_BIG = (
    "commits",
    "commit_files",
    "head_files",
    "messages",
    "paths",
    "path_changes",
    "commit_parents",
    "people",
    "repo_days",
)
_SCAN = re.compile(r"SCAN (\w+)(?! (?:USING|VIRTUAL))")


@dataclass(frozen=True)
class Question:
    """`given` names the parameters (see `_Known`), `git` the arguments of a git that answers it for one repository."""

    name: str
    kind: str
    sql: str
    given: tuple[str, ...] = ()
    git: tuple[str, ...] = ()


def _point(name: str, sql: str, given: str = "", git: str = "") -> Question:
    return Question(name, "point", sql, tuple(given.split()), tuple(git.split()))


def _aggregate(name: str, sql: str, given: str = "", git: str = "") -> Question:
    return Question(name, "aggregate", sql, tuple(given.split()), tuple(git.split()))


_SHOWN = "SELECT repo_name, hash, subject, author_name, commit_time FROM v_commits"
_CHANGED = "SELECT commit_hash, subject, author_name, commit_time, status FROM v_changes"
QUESTIONS = (
    _point("who committed last", f"{_SHOWN} ORDER BY commit_time DESC LIMIT 1"),
    _point(
        "who committed last to a repository",
        f"{_SHOWN} WHERE repo_name = ? ORDER BY commit_time DESC LIMIT 1",
        "repo",
        "log --all --date-order -1 --format=%H%x09%an%x09%cI",
    ),
    _point("its last twenty commits", f"{_SHOWN} WHERE repo_name = ? ORDER BY commit_time DESC LIMIT 20", "repo"),
    _point("a commit by its hash", f"{_SHOWN} WHERE hash = ?", "hash", "log -1 --format=%H%x09%an HASH"),
    _point("a commit by eight digits", f"{_SHOWN} WHERE hash >= ? AND hash < ?", "short after"),
    _point("message of a commit", "SELECT message FROM v_commits WHERE hash = ?", "hash"),
    _point("files of a commit", "SELECT path, status FROM v_changes WHERE commit_hash = ?", "hash"),
    _point("parents of a commit", "SELECT parent_hash FROM v_parents WHERE commit_hash = ? ORDER BY n", "hash"),
    _point(
        "who changed a path last",
        f"{_CHANGED} WHERE repo_name = ? AND path = ? ORDER BY commit_time DESC LIMIT 1",
        "repo_of_path path",
        "log --all -1 --format=%H%x09%an -- src/networking.c",
    ),
    _point(
        "history of a path",
        f"{_CHANGED} WHERE repo_name = ? AND path = ? ORDER BY commit_time DESC LIMIT 20",
        "repo_of_path path",
        "log --all -20 --format=%H%x09%an -- src/networking.c",
    ),
    _point("a path in any repository", f"{_CHANGED} WHERE path = ? ORDER BY commit_time DESC LIMIT 20", "path"),
    _point(
        "largest files of a repository",
        "SELECT path, size, commit_time FROM v_files WHERE repo_name = ? ORDER BY size DESC LIMIT 10",
        "repo",
        "ls-tree -r -l HEAD",
    ),
    _point(
        "a file as it is now",
        "SELECT size, mode, commit_hash, commit_time FROM v_files WHERE repo_name = ? AND path = ?",
        "repo_of_path path",
        "ls-tree -l HEAD -- src/networking.c",
    ),
    _point("largest files", "SELECT repo_name, path, size, commit_time FROM v_files ORDER BY size DESC LIMIT 10"),
    _point("a person's last commit", f"{_SHOWN} WHERE author_email = ? ORDER BY commit_time DESC LIMIT 1", "email"),
    _point(
        "a person's week",
        f"{_SHOWN} WHERE author_email = ? AND commit_time >= ? AND commit_time < ? ORDER BY commit_time DESC LIMIT 50",
        "email day week_after",
    ),
    _point(
        "a person's first commit to a repository",
        "SELECT first_commit, commits FROM v_contributors WHERE repo_name = ? AND author_email = ?",
        "repo_of_commit email_of_commit",
    ),
    _point(
        "commits between two dates",
        f"{_SHOWN} WHERE repo_name = ? AND commit_time >= ? AND commit_time < ? ORDER BY commit_time DESC LIMIT 50",
        "repo_of_commit day week_after",
        "log --all --since=2023-03-01 --until=2023-03-08 --format=%H%x09%an",
    ),
    _point("lost commits of a repository", f"{_SHOWN} WHERE repo_name = ? AND lost = 1 LIMIT 50", "rewritten"),
    _point("how many commits", "SELECT commits FROM v_repos WHERE repo_name = ?", "repo", "rev-list --all --count"),
    _point("the newest commit's time", "SELECT last_commit_time FROM v_repos WHERE repo_name = ?", "repo"),
    _point("its last snapshot", "SELECT last_snapshot_at FROM v_repos WHERE repo_name = ?", "repo"),
    _point("its snapshots", "SELECT * FROM v_snapshots WHERE repo_name = ? ORDER BY seq DESC LIMIT 20", "repo"),
    _point(
        "the snapshot of a commit",
        "SELECT commit_hash, repo_name, files, size, hdfs_path FROM repo_snapshots WHERE repo_name = ? AND seq = 1",
        "repo",
    ),
    _point("its branches now", "SELECT name, commit_hash FROM v_refs WHERE repo_name = ? AND current", "repo"),
    _point(
        "branches that were forced",
        "SELECT name, old, new, seen_at FROM v_ref_updates WHERE repo_name = ? AND change = 'forced'",
        "rewritten",
    ),
    _point(
        "top contributors of a repository",
        "SELECT author_name, commits FROM v_contributors WHERE repo_name = ? ORDER BY commits DESC LIMIT 10",
        "repo",
        "shortlog -sn --all",
    ),
    _point(
        "a word in messages, newest first",
        "SELECT repo_name, hash, subject FROM v_search WHERE text MATCH ? ORDER BY arrival DESC LIMIT 10",
        "word",
        "log --all -10 --grep=memory --format=%H",
    ),
    _point(
        "two words in messages",
        "SELECT repo_name, hash, subject FROM v_search WHERE text MATCH ? LIMIT 10",
        "words",
        "log --all -10 --all-match --grep=memory --grep=leak --format=%H",
    ),
    _point("part of a path", "SELECT repo_name, path FROM v_search_paths WHERE text MATCH ? LIMIT 20", "part"),
    _point("restores of a month, and who", "SELECT * FROM v_restores WHERE requested_at >= ?", "day"),
    _point("what somebody did", "SELECT * FROM v_audit WHERE who = ? ORDER BY at DESC LIMIT 20", "email"),
    _point("what Kafka lost", "SELECT * FROM v_index_problems LIMIT 20"),
    _aggregate("busiest hours", "SELECT hour, sum(commits) FROM v_hours GROUP BY 1 ORDER BY 2 DESC"),
    _aggregate(
        "busiest hours of a repository",
        "SELECT weekday, hour, commits FROM v_hours WHERE repo_name = ? ORDER BY commits DESC LIMIT 5",
        "repo",
        "log --all --date=format:%u-%H --format=%cd",
    ),
    _aggregate("commits a day, of a month", "SELECT day, sum(commits) FROM v_activity WHERE day >= ? AND day < ?"
               " GROUP BY 1 ORDER BY 1", "date month_after"),
    _aggregate(
        "commits a month of a repository",
        "SELECT substr(day, 1, 7) AS month, sum(commits) FROM v_activity WHERE repo_name = ? GROUP BY 1 ORDER BY 1",
        "repo",
        "log --all --date=format:%Y-%m --format=%cd",
    ),
    _aggregate("not snapshotted for a day", "SELECT repo_name, last_snapshot_at FROM v_repos"
               " WHERE last_checked_at < ? ORDER BY 2 LIMIT 100", "recent"),
    _aggregate("most active repositories", "SELECT repo_name, commits FROM v_repos ORDER BY commits DESC LIMIT 10"),
    _aggregate("largest repositories", "SELECT repo_name, size FROM v_repos ORDER BY size DESC LIMIT 10"),
    _aggregate("top contributors of all", "SELECT author_name, commits FROM v_authors ORDER BY commits DESC LIMIT 10"),
    _aggregate(
        "what changes most in a repository",
        "SELECT path, changes FROM v_paths WHERE repo_name = ? ORDER BY changes DESC LIMIT 10",
        "repo",
        "log --all --name-only --format=",
    ),
    _aggregate("what changes most", "SELECT repo_name, path, changes FROM v_paths ORDER BY changes DESC LIMIT 10"),
    _aggregate("lost commits by repository", "SELECT repo_name, count(*) FROM v_commits WHERE lost = 1 GROUP BY 1"),
    _aggregate(
        "who worked on a repository in a year",
        "SELECT author_name, count(*) FROM v_commits WHERE repo_name = ? AND commit_time >= ? AND commit_time < ?"
        " GROUP BY 1 ORDER BY 2 DESC LIMIT 10",
        "repo_of_commit day year_after",
        "shortlog -sn --all --since=2023-01-01 --until=2024-01-01",
    ),
)  # fmt: skip


class _Known:
    """Things that are in the index, drawn at random: `draw` gives the parameters of a question."""

    def __init__(self, db: sqlite3.Connection, rng: random.Random) -> None:
        last = db.execute("SELECT max(id) FROM commits").fetchone()[0]
        rows = (
            "SELECT r.name, c.hash, p.email, c.commit_time, m.message FROM commits c JOIN repos r ON r.id = c.repo_id"
        )
        rows += " JOIN people p ON p.id = c.author_id JOIN messages m ON m.commit_id = c.id WHERE c.id = ?"
        self._commits = [db.execute(rows, (rng.randint(1, last),)).fetchone() for _ in range(300)]
        last = db.execute("SELECT max(id) FROM paths").fetchone()[0]
        paths = "SELECT r.name, p.path FROM paths p JOIN repos r ON r.id = p.repo_id WHERE p.id = ?"
        self._paths = [db.execute(paths, (rng.randint(1, last),)).fetchone() for _ in range(300)]
        self._repos = [n for (n,) in db.execute("SELECT name FROM repos WHERE last_seq > 0")]
        self._rewritten = [n for (n,) in db.execute("SELECT name FROM repos WHERE rewritten")] or self._repos
        self._rng = rng

    def draw(self, given: tuple[str, ...]) -> list[Any]:
        rng = self._rng
        repo, oid, email, at, message = rng.choice(self._commits)
        of_path, path = rng.choice(self._paths)
        words = [w for w in message.split() if len(w) > 4] or ["nothing"]
        values = {
            "repo": rng.choice(self._repos),
            "rewritten": rng.choice(self._rewritten),
            "hash": oid,
            "short": oid[:8],
            "after": f"{int(oid[:8], 16) + 1:08x}",
            "repo_of_commit": repo,
            "email_of_commit": email,
            "email": email,
            "repo_of_path": of_path,
            "path": path,
            "day": at,
            "week_after": _later(at, 7),
            "year_after": _later(at, 365),
            "date": at[:10],
            "month_after": _later(at, 30)[:10],
            "recent": "2026-01-02T00:00:00Z",
            "word": rng.choice(words),
            "words": " ".join(rng.sample(words, min(2, len(words)))),
            "part": f'"{path.rpartition("/")[2][:6]}"',
        }
        return [values[name] for name in given]


def _later(at: str, days: int) -> str:
    from datetime import datetime, timedelta

    return (datetime.fromisoformat(at) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Answer:
    """Times in ms; `scans` are big tables that the plan reads from end to end."""

    question: Question
    times: list[float]
    cpu: list[float]
    scans: list[str]
    plan: list[str]
    git: float | None = None


def p99(times: list[float]) -> float:
    return sorted(times)[max(0, round(len(times) * 0.99) - 1)]


def ask(index: Path, repository: Path | None = None, seed: int = 1) -> list[Answer]:
    """Asks everything; each question once before it counts."""
    db = sqlite3.connect(f"{index.absolute().as_uri()}?mode=ro", uri=True)
    known, answers = _Known(db, random.Random(seed)), []
    config = {"path": str(index), "tables": sorted(READABLE_TABLES), "open_tables": ["repo_snapshots"]}
    session = worker.Session(config)
    for question in QUESTIONS:
        plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {question.sql}", known.draw(question.given))]
        _answered(session, question, known.draw(question.given))
        draws = [known.draw(question.given) for _ in range(ASKED[question.kind])]
        took = [_answered(session, question, drawn) for drawn in draws]
        wall, cpu = [w for w, _ in took], [c for _, c in took]
        answers.append(Answer(question, wall, cpu, _scanned(question, plan), plan, _git(question, repository)))
    return answers


def _answered(session: worker.Session, question: Question, params: list[Any]) -> tuple[float, float]:
    """Milliseconds of wall and CPU."""
    wall, cpu = time.perf_counter(), time.process_time()
    reply = session.answer({"sql": question.sql, "params": params, "limit": 200, "timeout": 120.0})
    took = (time.perf_counter() - wall) * 1000, (time.process_time() - cpu) * 1000
    if "error" in reply:
        raise SystemExit(f"{question.name}: {reply}")
    return took


def _way(index: Path) -> list[float]:
    with IndexReader(index) as reader:
        reader.query("SELECT 1 FROM v_repos LIMIT 1")
        return [_timed(lambda: reader.query("SELECT 1 FROM v_repos LIMIT 1")) for _ in range(200)]


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def _scanned(question: Question, plan: list[str]) -> list[str]:
    """Big tables that are read from end to end, by their names or by what the views call them."""
    called: dict[str, set[str]] = {}
    for view in (v for v in VIEWS if re.search(rf"\b{v.name}\b", question.sql)):
        for table, alias in re.findall(r"\b([a-z_]+) ([a-z]{1,2})\b(?= LEFT| ON|$)", view.source):
            called.setdefault(alias, set()).add(table)
    names = [name for row in plan for name in _SCAN.findall(row)]
    return sorted({n for n in names if n in _BIG or called.get(n, set()) & set(_BIG)})


def _git(question: Question, repository: Path | None) -> float | None:
    if repository is None or not question.git:
        return None
    head = subprocess.run(["git", "-C", str(repository), "rev-parse", "HEAD"], capture_output=True, check=True).stdout
    words = [head.decode().strip() if word == "HASH" else word for word in question.git]
    command = ["git", "-C", str(repository), *words]
    return statistics.median(_timed(lambda: subprocess.run(command, capture_output=True, check=True)) for _ in range(3))


def main(index: str | Path, repository: str = "") -> None:
    index = Path(index)
    answers = ask(index, Path(repository) if repository else None)
    table = Table(title="Questions, in ms", title_justify="left", header_style="bold", box=None)
    table.add_column("question")
    for name in ("p50", "p99", "p99 of CPU"):
        table.add_column(name, justify="right")
    table.add_column("target")
    table.add_column("git, one repository", justify="right")
    for a in answers:
        target = TARGET[a.question.kind]
        said = f"< {target:.0f}" if p99(a.cpu) < target else f"[red]not < {target:.0f}[/]"
        said += f" [red]scans {', '.join(a.scans)}[/]" if a.scans and a.question.kind == "point" else ""
        git = "" if a.git is None else f"{a.git:.1f}"
        numbers = (statistics.median(a.times), p99(a.times), p99(a.cpu))
        table.add_row(a.question.name, *(f"{n:.2f}" for n in numbers), said, git)
    way = _way(index)
    table.add_row("the way to the reader", f"{statistics.median(way):.2f}", f"{p99(way):.2f}", "", "", "")
    Console(width=150).print(table)
    plans = "\n".join(
        f"{a.question.name}\n  {a.question.sql}\n" + "".join(f"    {p}\n" for p in a.plan) for a in answers
    )
    index.with_name(index.name + ".plans.txt").write_text(plans, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
