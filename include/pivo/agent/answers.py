"""The offline brain's sentences: what the rows of a frame mean, said plainly. Values only; nothing is made up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from pivo.agent import safe
from pivo.agent.ages import ago
from pivo.agent.nouns import NOUNS, plural
from pivo.agent.planner.reading import Reading
from pivo.agent.views import Table

Record = dict[str, Any]

_ORDINALS = {"NTH2": "second ", "NTH3": "third ", "NTH4": "fourth ", "NTH5": "fifth "}

HELP = """I answer questions about what is archived, and propose restores. For example:

- Who committed last to PIVO? · Who last changed README.md?
- Show the last 5 commits by Ada · How many commits were there in October?
- What changed in README.md between the last two commits that touched it?
- What did commit a1b2c3d change? · Compare v1.0 with main
- Show README.md as of 2026-11-20 · Which files changed last week?
- Who are the contributors? · Which commits mention 'parser'?
- When was PIVO last backed up? · Which repositories were not snapshotted since yesterday?
- List the branches · What was the last tag? · Who restored PIVO?
- Restore the 'PIVO' repo to commit a1b2c3d · Bring back acme/x as of 2026-11-20 into acme/x-restored

I understand a fixed set of questions and refuse what I do not understand, rather than guess. Nothing is ever
started without your confirmation."""


def sentence(frame: str, reading: Reading, table: Table, now: datetime) -> str:
    """The answer in a sentence or two; the rows stand below it."""
    records = table.records()
    if not records:
        return f"Nothing found: {_nothing(frame, reading)}."
    build = _SENTENCES.get(frame)
    if build is None:
        more = " (there are more)" if table.truncated else ""
        return f"{len(records)} {plural(NOUNS.get(frame, 'row'), len(records))}{_in(reading)}{more}:"
    if frame == "contributors":
        return _contributors(records, reading, now, more=table.truncated)
    return build(records, reading, now)


def proposed(tool: str, content: Record) -> str:
    """What a proposal says: what would be done, and that nothing has been."""
    repos = ", ".join(map(str, content.get("repos") or [content.get("repo", "")]))
    match tool:
        case "snapshot_repo":
            what = f"I can take a snapshot of {repos}."
        case "verify_repo":
            what = f"I can verify {repos}{' deeply' if content.get('deep') else ''}."
        case "dag_run_status":
            return run_status(content)
        case _ if content.get("commit"):
            what = f"I can bring {repos} back at `{str(content['commit'])[:12]}` into {content['target']}."
        case _:
            what = f"I can bring {repos} back as of {content.get('ref', '')} into {content.get('target', '')}."
    second = " A second person has to approve it afterwards." if content.get("needs_approval") else ""
    return f"{what} Nothing has happened yet: read the proposal and confirm it.{second}"


def history(content: Record) -> str:
    """How many commits a walk along a branch found."""
    count = content.get("commits", 0)
    return f"**{count}** {plural('commit', count if isinstance(count, int) else 2)} in {name(content['repo'])}."


def run_status(content: Record) -> str:
    """How a DAG run stands, in a sentence."""
    if not content.get("run_id"):
        return "There is no such run."
    tasks = "; ".join(f"{t['task']}: {t['state']}" for t in content.get("tasks", ()))
    state = content.get("state", "not known")
    second = f" A second person: {content['approval']}." if content.get("approval") else ""
    came = "".join(f"\n- {name(o['repo'])}: {name(o['outcome'])}" for o in content.get("outcomes", ()))
    return f"The run `{content['run_id']}` of {content.get('dag', '')} is **{state}**. {tasks}{second}{came}".strip()


def when(value: Any, now: datetime) -> str:
    """`2026-11-20 14:03 UTC (3 days ago)` of a time as the index writes it."""
    try:
        moment = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        return safe.line(str(value))
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC ({ago(moment, now)})"


def size(count: Any) -> str:
    """Bytes for people: `1.2 MB`."""
    value = float(count or 0)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def name(value: Any) -> str:
    """A name out of a repository, as text that Markdown does not interpret."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>#|!~&" else c for c in safe.line(str(value), 120))


def _by(record: Record, now: datetime) -> str:
    return f"by **{name(record['author_name'])}**, {when(record['commit_time'], now)}."


def _subject(record: Record) -> str:
    return f"“{name(record['subject'])}”" if record.get("subject") else "no message"


def _hash(record: Record) -> str:
    return f"`{str(record.get('hash') or record.get('commit_hash') or '')[:7]}`"


def _nth(reading: Reading) -> str:
    """ "second " where the second is asked for; empty for the last or first itself."""
    return next((word for concept, word in _ORDINALS.items() if concept in reading.concepts), "")


def _last_commit(records: list[Record], reading: Reading, now: datetime) -> str:
    r = records[0]
    if nth := _nth(reading):
        return f"The {nth}last commit in {name(r['repo_name'])} is {_hash(r)} {_subject(r)} {_by(r, now)}"
    place = f"`{reading.path.path}` in {name(r['repo_name'])}" if reading.path else name(r["repo_name"])
    verb = "changed" if reading.path else "committed"
    who = (
        f"**{name(r['author_name'])}** {verb} last" if not reading.people else f"{name(r['author_name'])}’s last commit"
    )
    joint = " to " if not reading.path else " "
    if reading.people:
        return f"{who} ({place}) is {_hash(r)} {_subject(r)}, {when(r['commit_time'], now)}."
    return f"{who}{joint}{place}: {_hash(r)} {_subject(r)}, {when(r['commit_time'], now)}."


def _first_commit(records: list[Record], reading: Reading, now: datetime) -> str:
    r = records[0]
    nth = _nth(reading) or "first "
    what = f"The {nth}commit that touched `{reading.path.path}`" if reading.path else f"The {nth}commit"
    return f"{what} in {name(r['repo_name'])} is {_hash(r)} {_subject(r)} {_by(r, now)}"


def _contributors(records: list[Record], reading: Reading, now: datetime, *, more: bool = False) -> str:
    first = records[0]
    count = f"{len(records)} {plural('person', len(records))}"
    order = "fewest" if "LEAST" in reading.concepts else "most"
    lead = f"**{name(first['author_name'])}** has the {order} commits ({first['commits']:,})"
    ties = [name(r["author_name"]) for r in records[1:] if r["commits"] == first["commits"]]
    lead += f", as {'has' if len(ties) == 1 else 'have'} {' and '.join(ties)}" if ties else ""
    what = f" on `{reading.path.path}`" if reading.path else ""
    if len(records) == 1:
        return f"{lead}{what}{_in(reading)}."
    # as many as were asked for are not all that there are
    shown = f"the first {count}" if more or reading.number == len(records) else f"{count} in all"
    return f"{lead}{what}{_in(reading)}; {shown}:"


def _tip(records: list[Record], reading: Reading, now: datetime) -> str:
    r = records[0]
    return f"`{r['name']}` of {name(reading.refs[0].repo)} points to {_hash(r)} {_subject(r)} {_by(r, now)}"


def _last_tag(records: list[Record], reading: Reading, now: datetime) -> str:
    r = records[0]
    return f"The newest tag of {name(r['repo_name'])} is `{r['name']}` at {_hash(r)}, {when(r['commit_time'], now)}."


def _commit(records: list[Record], reading: Reading, now: datetime) -> str:
    r = records[0]
    if len(records) > 1:
        return f"{len(records)} commits begin with that:"
    return f"{_hash(r)} in {name(r['repo_name'])}: {_subject(r)} {_by(r, now)}"


def _snapshot(which: str) -> Callable[[list[Record], Reading, datetime], str]:
    def build(records: list[Record], reading: Reading, now: datetime) -> str:
        r = records[0]
        return (
            f"The {_nth(reading)}{which} snapshot of {name(r['repo_name'])} is number {r['seq']}, "
            f"taken {when(r['taken_at'], now)} at commit {_hash(r)}. It lies in HDFS under `{r['hdfs_path']}`."
        )

    return build


def _count(column: str, noun: str) -> Callable[[list[Record], Reading, datetime], str]:
    def build(records: list[Record], reading: Reading, now: datetime) -> str:
        count = int(records[0][column] or 0)
        by = f" by {' or '.join(map(name, reading.people))}" if reading.people else ""
        what = f" that touched `{reading.path.path}`" if reading.path else ""
        during = "".join(f" {p.says}" for p in reading.periods)
        return f"**{count:,}** {plural(noun, count)}{by}{what}{_in(reading)}{during}."

    return build


def _count_rows(records: list[Record], reading: Reading, now: datetime) -> str:
    (column, count), *_ = records[0].items()
    during = "".join(f" {p.says}" for p in reading.periods)
    return f"**{count:,}** {column.replace('_', ' ')}{_in(reading)}{during}."


def _size(records: list[Record], reading: Reading, now: datetime) -> str:
    r = records[0]
    what = name(reading.repo) if reading.repo and not reading.defaulted else "The archive"
    return f"{what} takes **{size(r['bytes'])}** in {r['snapshots']:,} {plural('snapshot', int(r['snapshots']))}."


def _by_size(records: list[Record], reading: Reading, now: datetime) -> str:
    end = "smallest" if "SMALLEST" in reading.concepts else "largest"
    return f"The {end} is **{name(records[0]['repo_name'])}** with {size(records[0]['bytes'])}:"


def _count_files(records: list[Record], reading: Reading, now: datetime) -> str:
    count = [f"**{r['files']:,}** {plural('file', int(r['files']))}" for r in records[:5]]
    if "repo_name" not in records[0]:
        return f"{count[0]}{_in(reading)} at the head of the last snapshot."
    return "; ".join(f"{name(r['repo_name'])} has {files}" for r, files in zip(records, count, strict=False)) + "."


def _file_size(records: list[Record], reading: Reading, now: datetime) -> str:
    if "path" not in records[0]:
        return f"**{size(records[0]['bytes'])}** in {_count_files(records, reading, now)}"
    told = (
        f"`{safe.line(r['path'])}` in {name(r['repo_name'])} has "
        + ("a size that is not known" if r["size"] is None else f"**{size(r['size'])}**")
        for r in records[:5]
    )
    return "; ".join(told) + "."


def _path_event(verb: str) -> Callable[[list[Record], Reading, datetime], str]:
    def build(records: list[Record], reading: Reading, now: datetime) -> str:
        r = records[0]
        commit = f"{_hash(r)} {_subject(r)}, {when(r['commit_time'], now)}"
        return f"**{name(r['author_name'])}** {verb} `{safe.line(r['path'])}` in {commit}."

    return build


def _last_restore(records: list[Record], reading: Reading, now: datetime) -> str:
    r = records[0]
    return (
        f"**{name(r['who'])}** asked for the last restore: {name(r['repo_name'])} at {_hash(r)} into "
        f"{name(r['target'])}, {when(r['requested_at'], now)}; it is {name(r['state'])}."
    )


def _verified(records: list[Record], reading: Reading, now: datetime) -> str:
    r = records[0]
    found = "nothing wrong" if r["ok"] else f"**{r['findings']}** {plural('thing', int(r['findings']))} wrong"
    return (
        f"{name(r['repo_name'])} was last verified ({r['mode']}) {when(r['verified_at'], now)}, and {found} was found."
    )


def _nothing(frame: str, reading: Reading) -> str:
    understood = ", ".join(name(u) for u in dict.fromkeys(reading.understood))
    return f"no {NOUNS.get(frame, 'row')} for {understood}" if understood else f"no {NOUNS.get(frame, 'row')}"


def _in(reading: Reading) -> str:
    return f" in {name(reading.repo)}" if reading.repo else ""


_SENTENCES: dict[str, Callable[[list[Record], Reading, datetime], str]] = {
    "last_commit": _last_commit,
    "first_commit": _first_commit,
    "contributors": _contributors,
    "tip": _tip,
    "last_tag": _last_tag,
    "commit": _commit,
    "last_snapshot": _snapshot("last"),
    "first_snapshot": _snapshot("first"),
    "count_commits": _count("commits", "commit"),
    "count_search": _count("commits", "commit"),
    "count_commit_files": _count("files", "file"),
    "parent": _commit,
    "head_commit": _commit,
    "count_people": _count("people", "author"),
    "count_snapshots": _count("snapshots", "snapshot"),
    "count_branches": _count("branches", "branch"),
    "count_tags": _count("tags", "tag"),
    "count_repos": _count("repositories", "repository"),
    "count_restores": _count("restores", "restore"),
    "size": _size,
    "count_rows": _count_rows,
    "repos_by_size": _by_size,
    "count_files": _count_files,
    "file_size": _file_size,
    "total_size": _file_size,
    "path_added": _path_event("added"),
    "path_deleted": _path_event("deleted"),
    "last_restore": _last_restore,
    "last_verification": _verified,
}
