"""What a verification came to: counts, findings, and how they are told to a person, a file and the event log."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from pivo.errors import ArchiveError
from pivo.events.types import FINDINGS_LIMIT, VerifyEvent, VerifyMode
from pivo.findings import Finding

_DETAIL_LIMIT = 400  # characters of one finding's detail
_NAMED = 3  # findings that the sentence of a failed run names


@dataclass(frozen=True)
class Verified:
    """One repository, verified. Counts are of what was read; `bytes` of the files, `seconds` wall time
    (where packs were hashed apart, theirs added up).

    At most FINDINGS_LIMIT `findings` are kept, `total` counts all. `last_seq` and `manifest_sha256` are the newest
    snapshot's number and the digest of its manifest.
    """

    repo: str
    mode: VerifyMode
    findings: tuple[Finding, ...] = ()
    total: int = 0
    snapshots: int = 0
    files: int = 0
    bytes: int = 0
    objects: int = 0
    last_seq: int = 0
    manifest_sha256: str = ""
    seconds: float = 0.0
    detail: str = ""

    @property
    def ok(self) -> bool:
        return self.total == 0

    def found(self, findings: Iterable[Finding]) -> Verified:
        """The same with `findings`, in the order of the snapshots and cut to what an event can carry."""
        every = sorted(findings, key=lambda f: (f.snapshot, f.file))
        kept = tuple(replace(f, detail=f.detail[:_DETAIL_LIMIT]) for f in every[:FINDINGS_LIMIT])
        return replace(self, findings=kept, total=len(every))

    def event(self, run_id: str, who: str) -> VerifyEvent:
        """The event that records it."""
        values = {
            name: getattr(self, name) for name in VerifyEvent.__dataclass_fields__ if name in self.__dataclass_fields__
        }
        return VerifyEvent(**values, run_id=run_id, who=who, findings_total=self.total)

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Verified:
        """What :meth:`to_json` wrote."""
        data: dict[str, Any] = json.loads(text)
        return cls(**data | {"findings": tuple(Finding(**f) for f in data["findings"])})


def failure(results: Sequence[Verified]) -> ArchiveError | None:
    """The error that names the first findings of `results`; None when all is as it should be."""
    bad = [r for r in results if not r.ok]
    if not bad:
        return None
    first = [str(f) for r in bad for f in r.findings][:_NAMED]
    total = sum(r.total for r in bad)
    more = f" And {total - len(first):,} more." if total > len(first) else ""
    where = bad[0].repo if len(bad) == 1 else f"{len(bad)} of {len(results)} repositories"
    count = "1 thing" if total == 1 else f"{total:,} things"
    return ArchiveError(
        f"The archive of {where} has {count} wrong: {'; '.join(_plain(f) for f in first)}.{more}",
        "Nothing was changed. v_findings lists all; earlier snapshots, or copies of the files, may still be whole.",
    )


def _plain(text: str) -> str:
    return text.rstrip(".")
