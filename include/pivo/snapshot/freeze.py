"""The day's HDFS snapshot of the whole archive: what brings back files that somebody deletes all the same.

It costs the NameNode nothing but what is deleted later. The keeper takes it, who owns the archive's folder and can
write to no repository; the writer, who could reopen its own files and delete them, cannot delete it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import PurePosixPath

from pivo.errors import ArchiveError
from pivo.settings import Settings
from pivo.store import HdfsStore, open_store


def freeze(settings: Settings, now: datetime | None = None) -> str:
    """Takes the day's HDFS snapshot unless there is one; its path, empty for an archive that is not on HDFS.

    ArchiveError when HDFS does not allow it.
    """
    store = open_store(settings.archive, settings.archive_keeper)
    if not isinstance(store, HdfsStore):
        return ""
    name = f"pivo-{(now or datetime.now(UTC)).astimezone(UTC):%Y-%m-%d}"
    try:
        store.freeze(name)
    except ArchiveError as err:
        raise ArchiveError(
            f"The HDFS snapshot {name} was not taken (what is published is untouched): {err.what}",
            f"HDFS's superuser must make {settings.archive_keeper} the owner of {store.root} "
            f"(`hdfs dfs -chown`) and allow snapshots of it (`hdfs dfsadmin -allowSnapshot {store.root}`).",
        ) from err
    return str(PurePosixPath(store.root) / ".snapshot" / name)
