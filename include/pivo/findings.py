"""What a verification can find wrong, as values that events, the index and the command line share."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be.

    `snapshot` is the folder's name, empty where the repository as a whole is meant; `file` the name of the file in
    it, empty where there is none. `kind` is one of :data:`KINDS`, `detail` a sentence's worth for a person.
    """

    repo: str
    snapshot: str
    file: str
    kind: str
    detail: str

    def __str__(self) -> str:
        where = "/".join(part for part in (self.repo, self.snapshot, self.file) if part)
        return f"{where}: {self.detail}"


KINDS = {
    "missing": "a file, a snapshot or a repository that should be there is not",
    "foreign": "a file or folder that no manifest names",
    "size": "a file has another size than its manifest says",
    "bytes": "a file has other bytes than its manifest says",
    "unreadable": "a file is there and cannot be read to its end",
    "manifest": "a manifest cannot be parsed, is not sealed as its bytes say, or contradicts its folder or another",
    "chain": "a manifest does not quote the one before it, or a number is missing or taken twice",
    "replaced": "a manifest says other things than the index heard when it was published",
    "pack": "a pack that git cannot read: an object's bytes are damaged or do not have its hash",
    "idx": "an index that has other bytes than its manifest says, or is not the one of its pack",
    "summary": "a manifest's summary of a pack denies an object that the pack holds: readers would not find it",
    "object": "an object that a ref or a lost tip leads to is in no pack",
    "ref": "a ref whose object is not of the kind, or does not lead to the commit, that its manifest says",
    "restore": "a drill could not restore, or what it restored is not what is archived",
}
"""Every kind of finding, and what it means."""
