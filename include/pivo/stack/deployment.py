"""What a deployment needs once before its first snapshot: the archive's folders, with their owners.

The embedded stack does the same in the probe of its DataNode; here it is a step that a start-up job runs.
"""

from __future__ import annotations

import requests
from hdfs.util import HdfsError

from pivo.errors import Unavailable, UsageError
from pivo.hdfsaddress import Address, said
from pivo.kerberos import NoTicket
from pivo.settings import Settings
from pivo.stack.hdfs import make_archive


def prepare_archive(settings: Settings, superuser: str) -> str:
    """Makes the archive's folder on the NameNode of `settings.archive`, as its `superuser`; the folder's URL.

    UsageError for an archive that is not on HDFS, Unavailable when the NameNode refuses or does not answer.
    """
    address = Address.parse(settings.archive) if "webhdfs://" in settings.archive else None
    if address is None or len(address.path) < 2:
        raise UsageError(
            f"{settings.archive} is not a folder on HDFS.", "Set PIVO_ARCHIVE to webhdfs://host:9870/backups."
        )
    client = address.client(superuser, 30.0, direct=True)
    try:
        make_archive(settings, client, address.path)
    except NoTicket as err:
        raise err.told from None
    except (requests.RequestException, HdfsError) as err:
        text = said(err) if isinstance(err, HdfsError) else str(err).splitlines()[0]
        raise address.refusal(text, superuser) or Unavailable(
            f"The archive's folder {address.path} could not be made: {text}",
            "Check the NameNode, and that PIVO_HDFS_SUPERUSER names the user who started it.",
        ) from err
    return settings.archive
