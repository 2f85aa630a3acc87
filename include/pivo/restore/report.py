"""What came of a run, repository by repository: kept for good in `<home>/reports/<run_id>.json`."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pivo.errors import NotFound, StackError
from pivo.restore.plan import run_folder
from pivo.restore.withheld import Withheld

FORMAT = 1
_SAFE = re.compile(r"^[A-Za-z0-9_~][A-Za-z0-9_.~:+-]{0,199}$")
_SHOWN = 20  # withheld things of one repository that the short form lists; the file has all
_WORDS = {
    "hidden-ref": "refs that the target keeps for itself",
    "ref": "refs",
    "tag": "tags that the commit does not reach",
    "file": "files over the forge's limit",
    "lfs": "LFS objects",
    "head": "detached HEAD",
    "symref": "refs that follow others, as refs of their own",
}


@dataclass(frozen=True)
class RepoReport:
    """One repository: restored to `url` with `refs` refs, or not, for the reason `failure` (empty then).

    Counts are of what the restored repository has; `bytes` were read from the archive.
    """

    repo: str
    target: str
    commit: str = ""
    snapshot: str = ""
    branch: str = ""
    url: str = ""
    refs: int = 0
    commits: int = 0
    objects: int = 0
    bytes: int = 0
    pushes: int = 0
    withheld: tuple[Withheld, ...] = ()
    failure: str = ""

    @property
    def restored(self) -> bool:
        return bool(self.url) and not self.failure

    @property
    def left_out(self) -> str:
        """What was withheld, in words; empty when nothing was."""
        counts = Counter(w.what for w in self.withheld)
        return ", ".join(f"{n:,} {_WORDS[what]}" for what, n in counts.items())


@dataclass(frozen=True)
class Report:
    """A run: what was asked for, by whom, when it ended (ISO 8601, UTC), its repositories, and the second person who
    approved it (empty when nobody had to)."""

    run_id: str
    who: str
    ref: str
    target: str
    all_refs: bool
    ended: str
    repositories: tuple[RepoReport, ...]
    approved_by: str = ""

    @property
    def restored(self) -> tuple[RepoReport, ...]:
        return tuple(r for r in self.repositories if r.restored)

    @property
    def failed(self) -> tuple[RepoReport, ...]:
        return tuple(r for r in self.repositories if not r.restored)

    def to_dict(self, shown: int | None = None) -> dict[str, Any]:
        """As JSON takes it; of what was withheld at most `shown` of each repository, with their number."""
        data = asdict(self)
        for row in data["repositories"]:
            row["withheld_count"] = len(row["withheld"])
            row["withheld"] = list(row["withheld"][:shown])
        return {"format": FORMAT} | data | {"repositories": list(data["repositories"])}

    def short(self) -> dict[str, Any]:
        """The form for Airflow's database."""
        return self.to_dict(_SHOWN)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Report:
        """What `to_dict` made; StackError when this is no report of this version."""
        try:
            if data["format"] != FORMAT:
                raise ValueError("format")
            rows = []
            for row in data["repositories"]:
                told = {k: v for k, v in row.items() if k != "withheld_count"}
                rows.append(RepoReport(**told | {"withheld": tuple(Withheld(**w) for w in row["withheld"])}))
            told = {k: v for k, v in data.items() if k != "format"}
            return cls(**told | {"repositories": tuple(rows)})
        except (KeyError, TypeError, ValueError) as err:
            raise StackError(
                f"This is no report of a restore that this PIVO reads ({err}).", "Look at the run."
            ) from None

    def summary(self) -> str:
        """For people: a line for the run, and one or more for each repository that has something to tell."""
        total = len(self.repositories)
        people = f"asked for by {self.who}" + (f", approved by {self.approved_by}" if self.approved_by else "")
        lines = [f"{len(self.restored)} of {total} restored as of {self.ref}, run {self.run_id}, {people}"]
        for row in self.repositories:
            if row.restored:
                said = f"{row.commit[:12] or 'empty'}, {row.refs:,} refs, {row.commits:,} commits → {row.url}"
                lines.append(f"  restored  {row.repo}: {said}")
            else:
                lines.append(f"  FAILED    {row.repo}: {row.failure}")
            lines += [f"            withheld: {w.name} ({w.why})" for w in row.withheld[:_SHOWN]]
            if len(row.withheld) > _SHOWN:
                lines.append(f"            … withheld in all: {row.left_out}")
        return "\n".join(lines)

    def save(self, home: Path) -> Path:
        """Write it below the home folder, in the place of an earlier report of the same run."""
        path = path_of(home, self.run_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        part.write_text(json.dumps(self.to_dict(), indent=1) + "\n", encoding="utf-8")
        part.rename(path)
        return path


def path_of(home: Path, run_id: str) -> Path:
    """Where the report of a run is, or will be."""
    name = run_id if _SAFE.match(run_id) else run_folder(Path(), run_id).name
    return home / "reports" / f"{name}.json"


def load(home: Path, run_id: str) -> Report:
    """The report of a run; NotFound when there is none (yet)."""
    try:
        return Report.from_dict(json.loads(path_of(home, run_id).read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise NotFound(f"There is no report of the run {run_id}.", "It is written when the run ends.") from None
    except ValueError as err:
        raise StackError(f"The report {path_of(home, run_id)} is damaged: {err}.", "Look at the run.") from None


def earlier(home: Path, run_id: str) -> dict[str, RepoReport]:
    """What the report of an earlier end of the same run says, by repository; empty when there is none."""
    try:
        return {row.repo: row for row in load(home, run_id).repositories}
    except (NotFound, StackError):
        return {}
