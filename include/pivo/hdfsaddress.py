"""The archive's address on HDFS, which also says how it is reached, and hdfscli's client for it.

    webhdfs://namenode:9870/backups
    swebhdfs://namenode:9871/backups?ca=/secrets/ca.pem&auth=kerberos&principal={user}@EXAMPLE.ORG&keytab=/secrets/keytab

`swebhdfs` is WebHDFS over TLS, as Hadoop calls it. An address holds names of files, never a secret: it is an argument
of Spark's jobs.
"""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from hdfs import Client, InsecureClient
from hdfs.util import HdfsError

from pivo import kerberos
from pivo.errors import PivoError, UsageError

_PORTS = {"webhdfs": 9870, "swebhdfs": 9871}
_OPTIONS = {"ca", "auth", "principal", "keytab", "proxy"}
_PAGE = re.compile(r"<title>Error \d+ (.+?)</title>")
_EXAMPLE = "Write webhdfs://host:9870/backups or swebhdfs://host:9871/backups?ca=/…/ca.pem."


@dataclass(frozen=True)
class Address:
    """An address that was read; `host` is `name:port`, `url` the address without its options.

    With `kerberos` the ticket's principal counts, `principal` if one is named (`{user}` in it stands for the user of
    HDFS); its ticket is fetched with the file `keytab` where one is named. With `proxy` that principal stands for the
    user.
    """

    host: str
    path: str
    tls: bool = False
    ca: str = ""
    kerberos: bool = False
    principal: str = ""
    proxy: bool = False
    keytab: str = ""

    @classmethod
    def parse(cls, url: str) -> Address:
        """UsageError for what is no such address."""
        try:
            parts = urlsplit(url)
            port = parts.port or _PORTS.get(parts.scheme)
        except ValueError:
            raise UsageError("The archive's address cannot be read.", _EXAMPLE) from None
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        if port is None or not parts.hostname:
            raise UsageError(f"{url!r} is not an address on HDFS.", _EXAMPLE)
        if parts.username is not None or parts.password is not None:
            raise UsageError(f"The archive's address {url} carries a login.", "HDFS knows none: use auth=kerberos.")
        if unknown := sorted(set(options) - _OPTIONS):
            raise UsageError(
                f"The archive's address has an option {unknown[0]!r}.", f"It takes {', '.join(sorted(_OPTIONS))}."
            )
        if options.get("auth", "simple") not in {"simple", "kerberos"} or options.get("proxy", "no") not in {
            "yes",
            "no",
        }:
            raise UsageError("The archive's address has a wrong option.", "Write auth=kerberos, proxy=yes, or neither.")
        kerberised = options.get("auth") == "kerberos"
        if not kerberised and (lost := {"principal", "keytab", "proxy"} & set(options)):
            raise UsageError(
                f"The archive's address has {min(lost)}=…, which means nothing without Kerberos.", "Add auth=kerberos."
            )
        if options.get("proxy") == "yes" and options.get("keytab") and "principal" not in options:
            raise UsageError("The archive's address does not say who stands for the users.", "Add principal=….")
        tls = parts.scheme == "swebhdfs"
        if options.get("ca") and not tls:
            raise UsageError("The archive's address names a CA without TLS.", "Begin it with swebhdfs://.")
        return cls(
            host=f"{parts.hostname}:{port}",
            path=parts.path.rstrip("/") or "/",
            tls=tls,
            ca=options.get("ca", ""),
            kerberos=kerberised,
            principal=options.get("principal", ""),
            proxy=options.get("proxy") == "yes",
            keytab=options.get("keytab", ""),
        )

    @property
    def url(self) -> str:
        return f"{'swebhdfs' if self.tls else 'webhdfs'}://{self.host}{self.path}"

    def context(self) -> ssl.SSLContext | None:
        """For connections besides hdfscli's; UsageError when the CA's file cannot be used."""
        if not self.tls:
            return None
        try:
            return ssl.create_default_context(cafile=self.ca or None)
        except OSError as err:  # ssl.SSLError is one
            raise UsageError(
                f"{self.ca} cannot be used as HDFS's certificate authority: {err.strerror or err}.", "Mend the file."
            ) from None

    def client(self, user: str, timeout: float | tuple[float, float], *, direct: bool = False) -> Client:
        """hdfscli's client as HDFS user `user`; not for several threads. `direct`: through no proxy of the network."""
        self.context()  # says what is wrong with the CA
        session = _Session(self.ca or True)
        session.trust_env = not direct
        url = f"{'https' if self.tls else 'http'}://{self.host}"
        if not self.kerberos:
            return InsecureClient(url, user=user, timeout=timeout, session=session)
        return kerberos.client(
            url, user, timeout, session, principal=self.principal, keytab=self.keytab, proxy=self.proxy
        )

    def refusal(self, text: str, user: str) -> PivoError | None:
        """What it means that the NameNode said `text` to a ticket; None where it is not about one."""
        if not self.kerberos or not any(sign in text for sign in ("GSSException", "No rules applied")):
            return None
        return kerberos.told(text, self.principal.replace("{user}", user), self.host, user)


def said(err: HdfsError) -> str:
    """What HDFS said, in a line; of a ticket that it does not take it tells on a page for people."""
    text = str(err)
    page = _PAGE.search(text)
    return page[1] if page else (text.splitlines() or [""])[0]


class _Session(requests.Session):
    """Trusts this CA whatever the environment says: requests would let REQUESTS_CA_BUNDLE go before it."""

    def __init__(self, verify: str | bool) -> None:
        super().__init__()
        self._trusted = verify

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        if isinstance(self._trusted, str):
            kwargs["verify"] = self._trusted
        return super().request(*args, **kwargs)
