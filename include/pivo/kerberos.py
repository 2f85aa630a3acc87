"""hdfscli's client with Kerberos: whose ticket it shows, and what was wrong with it in a sentence.

A ticket comes from a keytab that the address names, kept in this process's memory; else from where GSSAPI looks: the
ticket cache (KRB5CCNAME), or the keytab in KRB5_CLIENT_KTNAME, whose tickets go into that cache. Of a cache in one file
all clients share one principal, however many are in the keytab.
"""

from __future__ import annotations

import logging
import re
from typing import Any

import requests
from hdfs import Client

from pivo.errors import ArchiveError, PivoError, Unavailable, UsageError

_INSTALL = "pip install requests-kerberos gssapi krb5: that takes a compiler and the headers of Kerberos."
_MINOR = re.compile(r"Minor \(\d+\): (?P<said>.+?)(?=, Context|'?\)?$)")

# What MIT's library and Hadoop's servers say (a pattern), what that means, what to do. `{who}` is the principal
# (`{of}` too, where one was named), `{host}` the NameNode, `{said}` their own words, as is a pattern's group `name`.
_SAID = (
    (
        r"Ticket expired|credentials? has expired|Credentials cache I/O.*expired",
        "the ticket{of} has expired",
        "Get a new one (kinit), or name a keytab in PIVO_ARCHIVE (keytab=…), from which new ones are fetched.",
    ),
    (
        r"Clock skew too great",
        "the clocks of this machine, of the KDC and of {host} differ by more than Kerberos allows",
        "Set them by NTP on all machines; five minutes are allowed.",
    ),
    (
        r"Server '?(?P<name>\S+?)'? not found in Kerberos database",
        "the KDC knows no {name}, the name that the address asks for",
        "Write the NameNode's host in PIVO_ARCHIVE as its principal HTTP/<host> has it: its full name.",
    ),
    (
        r"Client '?(?P<name>\S+?)'? not found in Kerberos database|Client not found in Kerberos database",
        "the KDC knows no principal {who}",
        "Compare the `principal` in PIVO_ARCHIVE with the KDC's; or have it added there.",
    ),
    (
        r"no suitable keys for",
        "the keytab has no key of {who}",
        "See what it has (klist -k), and compare with the `principal` in PIVO_ARCHIVE.",
    ),
    (
        r"Key table file '(?P<name>.+?)' not found|Permission denied.*|Unsupported key table format.*",
        "the keytab cannot be read ({said})",
        "Mend its path or its owner: the user who runs this process must read it, on every machine.",
    ),
    (
        r"Preauthentication failed|Decrypt integrity check failed|Password incorrect",
        "the keytab's key of {who} is not the KDC's: it was renewed there",
        "Make the keytab anew from the KDC.",
    ),
    (
        r"does not match desired name|Can't find client principal",
        "the ticket cache has none of {who}",
        "Name a keytab that has it (keytab=… in PIVO_ARCHIVE), or kinit it into a cache of many (KRB5CCNAME=DIR:…).",
    ),
    (
        r"No Kerberos credentials available|No credentials (?:were supplied|cache)|Credentials cache .*not found",
        "there is no ticket{of}",
        "Get one (kinit), or name a keytab in PIVO_ARCHIVE (keytab=…).",
    ),
    (
        r"No rules applied to (?P<name>\S+)",
        "HDFS makes no user of {name}",
        "Its realm needs a rule in the cluster's hadoop.security.auth_to_local.",
    ),
    (
        r"Cannot find key of appropriate type|Checksum failed|Specified version of key is not available",
        "HDFS cannot read the ticket: the key in its own SPNEGO keytab is not the KDC's",
        "Ask who runs it to make the keytab of HTTP/<host> anew there.",
    ),
)
_AWAY = re.compile(r"Cannot (?:contact any|find) KDC|Cannot resolve network address for KDC")


class NoTicket(requests.RequestException):
    """No ticket could be had that the NameNode would take; `told` says why."""

    def __init__(self, told: PivoError) -> None:
        super().__init__(str(told))
        self.told = told


def told(said: str, who: str, host: str, user: str) -> PivoError | None:
    """The error for words of Kerberos that are known, None for others; `who` is the principal, "" where none was named,
    `user` the user of HDFS."""
    if _AWAY.search(said):
        return Unavailable(
            f"Kerberos does not answer: {said.rstrip('.')}.",
            "Look at the realm's KDC in /etc/krb5.conf (or what KRB5_CONFIG names), and whether it runs; try again.",
        )
    for pattern, what, do in _SAID:
        if found := re.search(pattern, said):
            of = f" of {who}" if who else ""
            names = {"who": who or user, "of": of, "host": host, "said": said}
            names["name"] = found.groupdict().get("name") or names["who"]
            return ArchiveError(f"HDFS at {host} does not let {user} in: {what.format(**names)}.", do)
    return None


def client(
    url: str,
    user: str,
    timeout: float | tuple[float, float],
    session: requests.Session,
    *,
    principal: str = "",
    keytab: str = "",
    proxy: bool = False,
) -> Client:
    """hdfscli's client for HDFS user `user`; every request of it raises NoTicket where no ticket can be had.

    UsageError when the packages for it are missing.
    """
    try:
        from hdfs.ext.kerberos import KerberosClient
        from requests_kerberos.exceptions import KerberosExchangeError
    except ImportError as err:
        raise UsageError(
            f"The archive's address asks for Kerberos, and its Python packages are not installed ({err.name}).",
            _INSTALL,
        ) from None
    failures: tuple[type[Exception], ...] = (KerberosExchangeError,)
    name = principal.replace("{user}", user)
    who: dict[str, Any] = {"principal": name} if name else {}
    if keytab:
        try:
            from krb5 import Krb5Error
            from spnego import KerberosKeytab
        except ImportError as err:
            raise UsageError(
                f"The archive's address names a keytab, which takes newer Python packages ({err.name} is missing).",
                _INSTALL,
            ) from None
        name = name or user
        who = {"principal": KerberosKeytab(keytab=keytab, principal=name)}
        failures += (Krb5Error,)
    logging.getLogger("requests_kerberos").setLevel(logging.CRITICAL)  # its tracebacks: what they say is told here
    made = KerberosClient(url, proxy=user if proxy else None, timeout=timeout, session=session, **who)
    header, host = session.auth.generate_request_header, url.rpartition("/")[2]  # type: ignore[union-attr]

    def generate(*args: Any, **kwargs: Any) -> str:
        # Where this fails requests_kerberos hands on the server's 401, which says nothing of why.
        try:
            return str(header(*args, **kwargs))
        except ImportError as err:
            raise UsageError(f"A package for Kerberos is not whole: {err}.", _INSTALL) from None
        except failures as err:
            said = _words(err)
            why = told(said, name, host, user)
            raise NoTicket(
                why or ArchiveError(f"HDFS at {host} does not let {user} in: {said}.", "Look at the KDC's log.")
            ) from None

    session.auth.generate_request_header = generate  # type: ignore[union-attr]
    return made


def _words(err: Exception) -> str:
    """What Kerberos' library said, without its numbers."""
    text = str(err)
    if (found := _MINOR.search(text)) and found["said"] != "Success":
        return found["said"]
    return re.sub(r" -?\d+$", "", text)
