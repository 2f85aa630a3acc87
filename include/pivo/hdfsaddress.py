"""The archive's address on HDFS, which also says how it is reached, and hdfscli's client for it.

    webhdfs://namenode:9870/backups
    swebhdfs://namenode:9871/backups?ca=/run/secrets/hdfs_ca.pem&auth=kerberos&principal={user}@EXAMPLE.ORG

`swebhdfs` is WebHDFS over TLS, as Hadoop calls it. An address holds names of files, never a secret: it is an argument
of Spark's jobs.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from hdfs import Client, InsecureClient

from pivo.errors import UsageError

_PORTS = {"webhdfs": 9870, "swebhdfs": 9871}
_OPTIONS = {"ca", "auth", "principal", "proxy"}
_EXAMPLE = "Write webhdfs://host:9870/backups or swebhdfs://host:9871/backups?ca=/…/ca.pem."


@dataclass(frozen=True)
class Address:
    """An address that was read; `host` is `name:port`, `url` the address without its options.

    With `kerberos` the ticket's principal counts, `principal` if one is named (`{user}` in it stands for the user of
    HDFS); with `proxy` that principal stands for the user.
    """

    host: str
    path: str
    tls: bool = False
    ca: str = ""
    kerberos: bool = False
    principal: str = ""
    proxy: bool = False

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
        tls = parts.scheme == "swebhdfs"
        if options.get("ca") and not tls:
            raise UsageError("The archive's address names a CA without TLS.", "Begin it with swebhdfs://.")
        return cls(
            host=f"{parts.hostname}:{port}",
            path=parts.path.rstrip("/") or "/",
            tls=tls,
            ca=options.get("ca", ""),
            kerberos=options.get("auth") == "kerberos",
            principal=options.get("principal", ""),
            proxy=options.get("proxy") == "yes",
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
        return _kerberos(url, user, timeout, session, self.principal, self.proxy)


class _Session(requests.Session):
    """Trusts this CA whatever the environment says: requests would let REQUESTS_CA_BUNDLE go before it."""

    def __init__(self, verify: str | bool) -> None:
        super().__init__()
        self._trusted = verify

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        if isinstance(self._trusted, str):
            kwargs["verify"] = self._trusted
        return super().request(*args, **kwargs)


def _kerberos(
    url: str, user: str, timeout: float | tuple[float, float], session: requests.Session, principal: str, proxy: bool
) -> Client:
    try:
        from hdfs.ext.kerberos import KerberosClient
    except ImportError as err:
        raise UsageError(
            f"The archive's address asks for Kerberos, and its Python packages are not installed ({err.name}).",
            "pip install requests-kerberos gssapi krb5: that takes a compiler and the headers of Kerberos.",
        ) from None
    who = {"principal": principal.replace("{user}", user)} if principal else {}
    return KerberosClient(url, proxy=user if proxy else None, timeout=timeout, session=session, **who)
