"""What can go wrong, in the words of the person who has to mend it.

PivoError                    one sentence what happened, one what to do
├── UsageError               the request itself is wrong; exit code 2
├── NotFound                 a repository, ref, path or snapshot that is not there
│   └── AmbiguousRef         a short hash that names several commits
├── SourceError              the git source refuses, is missing, is corrupt or incomplete
│   └── SourceMoved          it changed while it was read; plan again
├── ArchiveError             the archive cannot be read or does not hold what its manifests say
│   └── ArchiveConflict      another writer published first; plan again
├── TargetError              the restore target is not allowed, exists with commits, or refuses the push
├── StackError               a part of the embedded stack is missing, down or cannot start
└── Unavailable              a service did not answer; nothing is half done

`retry` says whether trying the same thing again later can help; Airflow's tasks go by it.
"""

from __future__ import annotations

from pivo.masking import masked


class PivoError(Exception):
    """A failure told to a person: `what` happened, and what to `do` about it; credentials in either are masked."""

    exit_code = 1
    retry = False

    def __init__(self, what: str, do: str = "") -> None:
        self.what = masked(what)
        self.do = masked(do)
        super().__init__(self.what, self.do)

    def __str__(self) -> str:
        return f"{self.what} {self.do}".strip()


class UsageError(PivoError):
    """The request cannot mean anything: a bad name, a bad option, a contradiction."""

    exit_code = 2


class NotFound(PivoError):
    """Nothing by that name is in the archive."""


class AmbiguousRef(NotFound):
    """A short hash that several commits share; `candidates` are their full hashes."""

    def __init__(self, what: str, do: str = "", candidates: tuple[str, ...] = ()) -> None:
        super().__init__(what, do)
        self.candidates = candidates


class SourceError(PivoError):
    """The source cannot be snapshotted as it is; nothing was published."""


class SourceMoved(SourceError):
    """Objects that the source had named were gone when they were asked for."""

    retry = True


class ArchiveError(PivoError):
    """The archive does not hold what it should; the file is named."""


class ArchiveConflict(ArchiveError):
    """Another writer published this snapshot number first."""

    retry = True


class TargetError(PivoError):
    """The target of a restore is refused; it was not touched, or only created."""


class StackError(PivoError):
    """The embedded stack cannot run here, or a part of it does not answer."""


class Unavailable(PivoError):
    """A service (HDFS, Kafka, Spark, Airflow, a forge) did not answer in time."""

    retry = True
