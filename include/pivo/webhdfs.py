"""Small reads of HDFS without a detour: folders from the NameNode, ranges of files from a DataNode directly.

A WebHDFS read is two requests: the NameNode names a DataNode, which then sends the bytes. For many small reads of
one file the first is asked once for each stretch of it; the DataNode finds the block's replicas itself, so an
address stays right when blocks move. DataNodes close the connection after each answer.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import requests
from hdfs import Client

from pivo.hdfsaddress import Address

_STRETCH = 128 << 20  # bytes for which one DataNode is asked: HDFS's usual block
_KEPT = 4096  # addresses
_CONNECT_SECONDS = 5.0
_OF_ANY_FILE = {"user.name", "delegation", "namenoderpcaddress"}  # what a DataNode's address has that is no file's own


class NotDirect(Exception):
    """No DataNode could be asked directly, or it did not send what it should; the long way round may still work."""


class Direct:
    """Reads as HDFS user `user` by way of the NameNode at `address`. Safe to share by threads.

    With Kerberos the NameNode is asked by the calling thread's hdfscli `client`, which has the tickets; what it names
    as a DataNode's address holds a token that the DataNode takes.
    """

    def __init__(self, address: Address, user: str, timeout: float, client: Callable[[], Client] | None = None) -> None:
        self._address = address
        self._client = client
        self._context = address.context()
        self._user = user
        self._timeout = timeout
        self._known: OrderedDict[tuple[str, int], str] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, path: str, offset: int, length: int | None) -> bytes:
        """`length` bytes of the file at the absolute `path`, all that follow for None; NotDirect for every failure.

        When the DataNode that is known does not answer, the NameNode is asked for another.
        """
        key = (path, offset // _STRETCH)
        with self._lock:
            known = self._known.get(key)
        if known:
            try:
                return self._ask(known, offset, length)
            except NotDirect:
                with self._lock:
                    self._known.pop(key, None)
        fresh = self._locate(path, offset, "")
        try:
            data = self._ask(fresh, offset, length)
        except NotDirect:  # the NameNode takes minutes to notice that a DataNode is gone
            fresh = self._locate(path, offset, urlsplit(fresh).netloc)
            data = self._ask(fresh, offset, length)
        self._keep(key, fresh)
        return data

    def wrote(self, path: str, url: str) -> None:
        """That a file was written at a DataNode's `url`: it is read there as well."""
        parts = urlsplit(url)
        query = {"op": "OPEN"} | {key: value for key, value in parse_qsl(parts.query) if key in _OF_ANY_FILE}
        self._keep((path, 0), f"{parts.scheme}://{parts.netloc}{parts.path}?{urlencode(query)}")

    def _keep(self, key: tuple[str, int], url: str) -> None:
        with self._lock:
            self._known[key] = url
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)

    def list(self, path: str) -> list[dict[str, Any]]:
        """The FileStatus of each name in the folder at the absolute `path`; NotDirect for every failure."""
        body = self._namenode(path, op="LISTSTATUS")
        try:
            return list(json.loads(body)["FileStatuses"]["FileStatus"])
        except (ValueError, KeyError, TypeError) as err:
            raise NotDirect("the NameNode's answer is no listing") from err

    def room(self) -> tuple[int, int] | None:
        """The bytes that all DataNodes have free, and those of a block; None where no DataNode is known to be up."""
        try:
            status, defaults = (
                json.loads(self._namenode("/", op=op))[told]
                for op, told in (("GETSTATUS", "FsStatus"), ("GETSERVERDEFAULTS", "FsServerDefaults"))
            )
            return (int(status["remaining"]), int(defaults["blockSize"])) if status["capacity"] else None
        except (NotDirect, ValueError, KeyError, TypeError):
            return None

    def _namenode(self, path: str, **asked: str) -> bytes:
        place = f"/webhdfs/v1{quote(path)}"
        if not self._address.kerberos:
            return self._get(self._address.host, f"{place}?{urlencode(asked | {'user.name': self._user})}")
        if self._client is None:
            raise NotDirect("nobody here has a ticket")
        doas = {"doas": self._user} if self._address.proxy else {}
        scheme = "https" if self._address.tls else "http"
        try:
            answer = self._client()._request("GET", url=f"{scheme}://{self._address.host}{place}", params=asked | doas)
        except requests.RequestException as err:
            raise NotDirect(f"{self._address.host} did not answer: {err}") from err
        if answer.status_code != 200:
            raise NotDirect(f"{self._address.host} answered {answer.status_code}")
        return bytes(answer.content)

    def _locate(self, path: str, offset: int, without: str) -> str:
        """The URL at a DataNode for reading at `offset`; not at `without` (`name:port`) if there is a choice."""
        other = {"excludedatanodes": without} if without else {}
        body = self._namenode(path, op="OPEN", noredirect="true", offset=str(offset), **other)
        try:
            return str(json.loads(body)["Location"])
        except (ValueError, KeyError, TypeError) as err:
            raise NotDirect("the NameNode named no DataNode") from err

    def _ask(self, url: str, offset: int, length: int | None) -> bytes:
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query)) | {"offset": str(offset)}
        if length is not None:
            query["length"] = str(length)
        data = self._get(parts.netloc, f"{parts.path}?{urlencode(query)}")
        if length is not None and len(data) != length:
            raise NotDirect(f"{len(data)} bytes came instead of {length}")
        return data

    def _get(self, netloc: str, target: str) -> bytes:
        parts = urlsplit(f"//{netloc}")
        connection = (
            HTTPSConnection(parts.hostname or "", parts.port, timeout=_CONNECT_SECONDS, context=self._context)
            if self._context
            else HTTPConnection(parts.hostname or "", parts.port, timeout=_CONNECT_SECONDS)
        )
        try:
            connection.connect()
            connection.sock.settimeout(self._timeout)
            connection.request("GET", target)
            response = connection.getresponse()
            if response.status != 200:
                raise NotDirect(f"{netloc} answered {response.status}")
            return response.read()
        except (OSError, HTTPException) as err:
            raise NotDirect(f"{netloc} did not answer: {err}") from err
        finally:
            connection.close()
