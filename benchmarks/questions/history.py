"""What happened in the two archives: commits, moved refs, nights, restores, verifications. Data only."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from pivo.events import AuditEvent, Event, RestoreEvent, VerifyEvent
from pivo.findings import Finding

ADA = "Ada Lovelace <ada@example.org>"
GRACE = "Grace Hopper <grace@example.org>"
ALAN = "Alan Turing <alan@example.org>"
LINUS = "Linus Berg <linus@example.org>"
KIM_LEE = "Kim Lee <kim.lee@example.org>"
KIM_NOVAK = "Kim Novak <novak@example.org>"
_POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "ab" * 32 + "\nsize 4711\n"


def _moment(at: str) -> datetime:
    return datetime.strptime(at, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


@dataclass(frozen=True)
class Commit:
    """A commit on top of `branch` (or of `parent`); `files` maps paths to texts, None deletes."""

    mark: str
    repo: str
    who: str
    at: str
    subject: str
    files: dict[str, str | None] = field(default_factory=dict)
    branch: str = "main"
    parent: str = ""
    merge: str = ""
    body: str = ""
    signed: bool = False

    @property
    def moment(self) -> datetime:
        return _moment(self.at)


@dataclass(frozen=True)
class Move:
    """At `at` the branch or tag is set `to` a commit; deleted when that is empty."""

    repo: str
    at: str
    to: str
    branch: str = "main"
    tag: str = ""


@dataclass(frozen=True)
class Night:
    at: str
    repos: tuple[str, ...]

    @property
    def moment(self) -> datetime:
        return _moment(self.at)


WEB, API, TOOL, LIB, OLD = "acme/web", "acme/api", "acme/tool", "beta/lib", "beta/old"
_README = "# Web\n\nHello.\n"
ORGANISATION: tuple[Commit | Move, ...] = (
    Commit("w1", WEB, ADA, "2026-09-01 10:00", "Initial commit", {"README.md": _README, "src/app.py": "print(1)\n"}),
    Commit("w2", WEB, GRACE, "2026-10-05 09:00", "Add a parser", {"src/parser.py": "def parse():\n    return 1\n"}),
    Commit("w3", WEB, ADA, "2026-10-20 16:30", "Document the parser",
           {"README.md": _README + "\n## Parser\n\nIt parses.\n"}),
    Move(WEB, "2026-10-20 16:40", "w3", tag="v1.0"),
    Commit("w4", WEB, ALAN, "2026-11-10 08:00", "Fix memory leak in app", {"src/app.py": "print(2)\n"}, "dev", "w3"),
    Commit("w5", WEB, GRACE, "2026-11-17 11:00", "Add docs", {"docs/guide.md": "# Guide\n", "docs/faq.md": "# FAQ\n"}),
    Commit("w6", WEB, GRACE, "2026-11-18 12:00", "Merge dev", {"src/app.py": "print(2)\n"}, merge="w4"),
    Commit("w7", WEB, ADA, "2026-11-20 14:03", "Explain the parser better",
           {"README.md": "# Web\n\nHello!\n\n## Parser\n\nIt parses well.\n"}),
    Move(WEB, "2026-11-20 15:00", "w7", tag="v2.0"),
    Commit("w8", WEB, GRACE, "2026-11-22 20:15", "Drop the FAQ", {"docs/faq.md": None}),
    Commit("w9", WEB, ALAN, "2026-11-22 21:00", "Try a faster parser",
           {"src/parser.py": "def parse():\n    return 2\n"},
           "dev"),
    Commit("w10", WEB, ALAN, "2026-11-23 07:30", "Fix typo in parser",
           {"src/parser.py": "def parse():\n    return 3\n"},
           "dev"),
    Commit("a1", API, LINUS, "2026-08-15 12:00", "Start the API", {"api.py": "routes = []\n", "README.md": "# API\n"}),
    Commit("a2", API, LINUS, "2026-09-10 15:00", "Add login", {"auth/login.py": "def login(): ...\n"}),
    Commit("a3", API, ADA, "2026-10-12 09:30", "Harden login", {"auth/login.py": "def login(): return 1\n"},
           signed=True),
    Commit("a4", API, LINUS, "2026-11-02 18:45", "Add settings by mistake", {"config.env": "KEY=1\n"}),
    Commit("a5", API, LINUS, "2026-11-03 09:00", "Add configuration", {"config.sample": "KEY=\n"}, parent="a3"),
    Commit("a6", API, GRACE, "2026-11-05 10:00", "Try GraphQL", {"graphql.py": "schema = {}\n"}, "feature", "a5"),
    Commit("a7", API, LINUS, "2026-11-14 16:20", "Rate limits", {"api.py": "routes = []\nlimit = 9\n"}),
    Move(API, "2026-11-14 16:30", "a7", tag="v0.9"),
    Move(API, "2026-11-15 09:00", "", branch="feature"),
    Commit("t1", TOOL, ADA, "2026-08-02 07:00", "A tool", {"tool.sh": "echo tool\n", "README.md": "# Tool\n"}),
    Commit("b1", LIB, KIM_LEE, "2026-07-01 08:00", "Import",
           {"lib/core.c": "int x;\n", "lib/core.h": "int x;\n", "Makefile": "all:\n"}, "master"),
    Move(LIB, "2026-07-01 09:00", "b1", tag="lib-1.0"),
    Commit("b2", LIB, KIM_NOVAK, "2026-10-30 10:00", "Fix overflow", {"lib/core.c": "long x;\n"}, "master"),
    Commit("b3", LIB, KIM_LEE, "2026-11-16 13:00", "Add assets",
           {"assets/logo.psd": _POINTER, ".gitattributes": "*.psd filter=lfs\n"}, "master"),
    Commit("b4", LIB, KIM_LEE, "2026-11-22 10:10", "Fix crash in core", {"lib/core.c": "long x = 0;\n"}, "master"),
    Move(LIB, "2026-11-22 10:20", "b4", tag="lib-1.1"),
    Commit("o1", OLD, ALAN, "2025-03-01 09:00", "Old things", {"main.pl": "print 1;\n"}),
)  # fmt: skip
NIGHTS = (
    Night("2026-09-02 02:00", (OLD,)),
    Night("2026-09-11 02:00", (API,)),
    Night("2026-10-14 02:00", (TOOL,)),
    Night("2026-10-21 02:00", (WEB,)),
    Night("2026-11-01 02:00", (LIB,)),
    Night("2026-11-03 02:00", (API,)),
    Night("2026-11-06 02:00", (API,)),
    Night("2026-11-11 02:00", (WEB,)),
    Night("2026-11-16 02:00", (API,)),
    Night("2026-11-17 02:00", (LIB,)),
    Night("2026-11-18 02:00", (TOOL,)),
    Night("2026-11-19 02:00", (WEB,)),
    Night("2026-11-21 02:00", (WEB, API)),
    Night("2026-11-23 02:00", (WEB, LIB, OLD)),
    Night("2026-11-23 09:00", (WEB,)),
)
PIVO: tuple[Commit | Move, ...] = (
    Commit("p1", "PIVO", ADA, "2026-11-01 10:00", "Begin", {"README.md": "# PIVO\n"}),
    Commit("p2", "PIVO", GRACE, "2026-11-12 10:00", "Say what it is",
           {"README.md": "# PIVO\n\nAn archive.\n", "setup.py": "x = 1\n"}),
    Move("PIVO", "2026-11-12 11:00", "p2", tag="v0.1"),
    Commit("p3", "PIVO", ADA, "2026-11-21 18:00", "Say how",
           {"README.md": "# PIVO\n\nAn archive of git.\n\n## Use\n\nAsk it.\n"}),
    Commit("p4", "PIVO", ALAN, "2026-11-22 09:00", "Add tests", {"tests/test_x.py": "assert 1\n"}),
)  # fmt: skip
PIVO_NIGHTS = (
    Night("2026-11-13 02:00", ("PIVO",)),
    Night("2026-11-22 02:00", ("PIVO",)),
    Night("2026-11-23 02:00", ("PIVO",)),
)


def events(marks: dict[str, str]) -> list[Event]:
    """Restores, verifications and questions of people."""
    run1 = RestoreEvent("run1", WEB, "v1.0", marks["w3"], "acme/web-old", "alice", "requested", "",
                        _moment("2026-11-21 12:00"))  # fmt: skip
    run2 = replace(run1, run_id="run2", who="bob", at=_moment("2026-11-23 09:00"))
    run3 = RestoreEvent("run3", API, "v0.9", marks["a7"], "dr/api", "carol", "requested", "",
                        _moment("2026-11-16 08:00"))  # fmt: skip
    run3b = replace(run3, repo=TOOL, ref="HEAD", commit=marks["t1"], target="dr/tool")
    run4 = RestoreEvent("run4", LIB, "HEAD", marks["b4"], "beta/lib-copy", "alice", "requested", "",
                        _moment("2026-11-23 11:50"))  # fmt: skip
    return [
        *(run1, _later(run1, "pushed", 3), run2, _later(run2, "failed", 2, "target exists")),
        *(run3, _later(run3, "pushed", 5), run3b, _later(run3b, "pushed", 6), run4, _later(run4, "validated", 1)),
        _verified("v1", WEB, "shallow", "2026-11-23 04:00", 6),
        _verified("v2", API, "deep", "2026-11-22 04:00", 4, "pack", "bytes"),
        _verified("v3", LIB, "shallow", "2026-11-10 04:00", 1),
        _verified("v4", LIB, "drill", "2026-11-20 05:00", 2),
        _verified("v5", OLD, "shallow", "2026-10-01 04:00", 1, "size"),
        _verified("v6", OLD, "shallow", "2026-11-15 04:00", 1),
        _asked("alice", "question", "2026-11-21 11:59"),
        _asked("alice", "confirmation", "2026-11-21 12:00"),
        _asked("bob", "question", "2026-11-23 08:59"),
    ]


def _later(event: RestoreEvent, state: str, minutes: int, detail: str = "") -> RestoreEvent:
    return replace(event, state=state, detail=detail, at=event.at + timedelta(minutes=minutes))  # type: ignore[arg-type]


def _verified(run: str, repo: str, mode: str, at: str, snapshots: int, *wrong: str) -> VerifyEvent:
    found = tuple(
        Finding(repo, f"{n:06d}-{'0' * 12}", f"file{n}", kind, f"wrong {kind}") for n, kind in enumerate(wrong, 1)
    )
    return VerifyEvent(run, repo, mode, "airflow", found, len(found), snapshots, 3, 1000, at=_moment(at))  # type: ignore[arg-type]


def _asked(who: str, action: str, at: str) -> AuditEvent:
    return AuditEvent(who, action, {"repo": WEB}, "answered", _moment(at), f"{who}-{action}")
