"""Where the archive lives: HDFS over WebHDFS (hdfscli), or a local folder with the same promises.

A store never overwrites, never appends, and deletes only below `.incoming/`, or one pack's file that a retention policy
removes (pivo/retention.py). Paths are relative to the archive's
root and use `/`; a rename publishes and fails when the target exists. On HDFS files are 0444 from their first byte
and sealed folders 0555, so that the NameNode refuses what a store would not do.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol, TypeVar
from urllib.parse import unquote, urlsplit

import requests
from hdfs import Client
from hdfs.client import _to_error
from hdfs.util import HdfsError

from pivo import kerberos
from pivo.errors import ArchiveConflict, ArchiveError, NotFound, PivoError, Unavailable, UsageError
from pivo.hdfsaddress import Address, said
from pivo.models import SNAPSHOT_DIR
from pivo.webhdfs import Direct, NotDirect

INCOMING = ".incoming"
_PACK = re.compile(r"^pack-[0-9a-f]{40}\.packidx$")
# What WebHDFS says while it starts, or while no DataNode answers.
_NOT_READY = {"SafeModeException", "StandbyException", "RetriableException", "BlockMissingException"}
_MISSING = ("does not exist", "not a directory")
_QUOTA = {"DSQuotaExceededException", "NSQuotaExceededException", "QuotaByStorageTypeExceededException"}
# What HDFS says when it has no room: no DataNode takes a block (they run, but not "0 datanode(s)"), or one fell short.
_FULL = re.compile(
    r"could only be written to 0 of .* There are [1-9]|No space left|Out of space|insufficient space", re.I
)
_NO_DATANODE = (
    "safe mode",
    "datanode(s) running",
    "Failed to find datanode",
    "Could not obtain block",
    "are bad. Aborting",  # all of a block's DataNodes gave up on it
)
_HEARTBEAT = 3.5  # seconds; a DataNode tells every 3 what it has free
CHUNK = 1 << 20
_READ_ONLY, _SEALED, _OPEN = "444", "555", "755"  # modes of files, of published folders, of those that go away

T = TypeVar("T")


@dataclass(frozen=True)
class Entry:
    """One name in a folder of the store; `size` in bytes, `modified` in Unix seconds."""

    name: str
    is_dir: bool
    size: int
    modified: float


class Store(Protocol):
    """What the archive needs of a file system."""

    url: str

    def list(self, path: str) -> list[Entry]:
        """The names in a folder, sorted; NotFound when there is no such folder."""

    def stat(self, path: str) -> Entry | None: ...

    def read(self, path: str, offset: int = 0, length: int | None = None) -> bytes:
        """Bytes of a file; fewer than `length` only at its end."""

    def stream(self, path: str, offset: int = 0, length: int | None = None, chunk: int = CHUNK) -> Iterator[bytes]: ...

    def write(self, path: str, chunks: Iterable[bytes]) -> None:
        """A new file from `chunks`; ArchiveConflict when it exists. Parents are made."""

    def rename(self, src: str, dst: str) -> None:
        """Moves a file or folder; ArchiveConflict when `dst` exists, NotFound when `src` does not."""

    def mkdirs(self, path: str) -> None: ...

    def seal(self, path: str) -> None:
        """Closes a folder: nothing can be added, renamed or deleted in it. It can still be renamed as a whole."""

    def delete(self, path: str) -> None:
        """Removes a file or folder below `.incoming/`, if it is there; ArchiveError for any other path."""

    def remove_replaced(self, path: str) -> None:
        """Removes a published pack's one file, if it is there, and seals its folder again; ArchiveError for others.

        Only for what a snapshot records the removal of (pivo/retention.py). It may be called again after any failure.
        """


def open_store(url: str, user: str | None = None, timeout: float = 60.0) -> Store:
    """The store behind `webhdfs://host:port/path` or `swebhdfs://…` (as HDFS user `user`), or `file:///path`."""
    parts = urlsplit(url)
    if parts.scheme in {"webhdfs", "swebhdfs"}:
        return HdfsStore(url, user or "pivo-reader", timeout)
    if parts.scheme == "file":
        return LocalStore(Path(unquote(parts.path)))
    raise UsageError(f"{url!r} is not an archive's address.", "Use webhdfs://host:port/backups or file:///folder.")


def clean(path: str) -> PurePosixPath:
    """`path` as a relative path that stays inside the root."""
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts:
        raise ArchiveError(f"The path {path!r} leaves the archive.", "Report this: it is a defect in PIVO.")
    return pure


def _deletable(path: str) -> PurePosixPath:
    pure = clean(path)
    if len(pure.parts) < 2 or pure.parts[0] != INCOMING:
        raise ArchiveError(
            f"{path} is published and will not be deleted.", "The archive is write-once; nothing was changed."
        )
    return pure


def _replaced(path: str) -> tuple[str, str]:
    """A published pack's folder and its file."""
    folder, _, name = str(clean(path)).rpartition("/")
    owner, _, snapshot = folder.rpartition("/")
    if not _PACK.match(name) or not SNAPSHOT_DIR.match(snapshot) or owner.partition("/")[0] in {"", INCOMING}:
        raise ArchiveError(f"{path} is no published pack; it will not be deleted.", "Nothing was changed.")
    return folder, f"{folder}/{name}"


class HdfsStore:
    """The archive on HDFS. One instance may be shared by threads."""

    def __init__(self, url: str, user: str, timeout: float) -> None:
        self._address = Address.parse(url)
        self.url = self._address.url.rstrip("/")
        self.root = self._address.path
        self.user = user
        self._host = self._address.host
        self._timeout = timeout
        self._local = threading.local()
        self._direct = Direct(self._address, user, timeout, lambda: self.client)

    @property
    def client(self) -> Client:
        """This thread's hdfscli client: a requests session is not made for several."""
        client = getattr(self._local, "client", None)
        if client is None:
            client = self._address.client(self.user, (5.0, self._timeout))
            self._local.client = client
        return client

    def _path(self, path: str) -> str:
        return str(PurePosixPath(self.root) / clean(path))

    def _call(self, path: str, action: Callable[[], T]) -> T:
        try:
            return action()
        except HdfsError as err:
            raise self._translate(path, err) from err
        except requests.RequestException as err:
            raise self._away(err, "did not answer") from self._cause(err)

    def _cause(self, err: Exception) -> Exception | None:
        """What may stand in a log's traceback: with Kerberos a DataNode's URL, which errors quote, holds a token."""
        return None if self._address.kerberos else err

    def _away(self, err: requests.RequestException, what: str) -> PivoError:
        if isinstance(err, kerberos.NoTicket):
            return err.told
        if isinstance(err, requests.exceptions.SSLError):
            return Unavailable(
                f"HDFS at {self._host} is not who it says, or speaks no TLS: {_first(err)}.",
                "Compare the `ca` in PIVO_ARCHIVE with its certificate; nothing was sent.",
            )
        return Unavailable(f"HDFS at {self._host} {what}.", "Look at `pivo status`, start it, and try again.")

    def _translate(self, path: str, err: HdfsError) -> Exception:
        kind = getattr(err, "exception", None) or ""
        text = said(err)
        if kind == "FileNotFoundException" or any(sign in text for sign in _MISSING):
            return NotFound(f"{self.url}/{path} is not in the archive.", "Check the name.")
        if kind == "FileAlreadyExistsException" or "already exists" in text:
            return ArchiveConflict(
                f"{self.url}/{path} exists already.", "Run the snapshot again; nothing was overwritten."
            )
        if "Authentication failure" in text:  # hdfscli's words for 401
            mine = "no ticket that is valid there" if self._address.kerberos else "no Kerberos, which it asks for"
            return ArchiveError(
                f"HDFS at {self._host} does not let {self.user} in: there is {mine}.",
                "Get one (kinit), or name a keytab: PIVO_ARCHIVE=…?auth=kerberos&keytab=….",
            )
        if refusal := self._address.refusal(text, self.user):
            return refusal
        if kind == "AccessControlException":
            return ArchiveError(
                f"HDFS refused {self.user} at {path or '/'}: {text}",
                "Check the owner and mode of the folder.",
            )
        if kind in _QUOTA or "Space quota " in text:
            return Unavailable(
                f"The archive has used up its quota on HDFS: {text}",
                "Raise it (`hdfs dfsadmin -setSpaceQuota`, `-setQuota`), then run it again; nothing was published.",
            )
        if _FULL.search(text):
            return _no_room(path, text)
        if kind in _NOT_READY or any(sign in text for sign in _NO_DATANODE):
            return Unavailable(
                f"HDFS is not ready: {text}",
                "Look at `pivo status`: a DataNode must be up and safe mode off. Then try again.",
            )
        return ArchiveError(f"HDFS failed at {path or '/'}: {text}", "Look at the NameNode's and DataNode's logs.")

    def list(self, path: str) -> list[Entry]:
        try:
            found = self._direct.list(self._path(path))
        except NotDirect:  # what is wrong, if anything is, hdfscli tells
            rows: list[tuple[str, dict[str, Any]]] = self._call(
                path, lambda: self.client.list(self._path(path), status=True)
            )
            found = [status for _, status in rows]
        if [status["pathSuffix"] for status in found] == [""]:
            raise NotFound(f"{self.url}/{path} is a file.", "Check the name.")
        return sorted((_entry(status["pathSuffix"], status) for status in found), key=lambda e: e.name)

    def stat(self, path: str) -> Entry | None:
        status = self._call(path, lambda: self.client.status(self._path(path), strict=False))
        return _entry(PurePosixPath(path).name, status) if status else None

    def read(self, path: str, offset: int = 0, length: int | None = None) -> bytes:
        if length is None or length > 0:
            with suppress(NotDirect):  # what is wrong, if anything is, the way by the NameNode tells
                return self._direct.read(self._path(path), offset, length)
        return b"".join(self.stream(path, offset, length))

    def stream(self, path: str, offset: int = 0, length: int | None = None, chunk: int = CHUNK) -> Iterator[bytes]:
        if length == 0:
            return
        got = 0
        try:
            with self.client.read(self._path(path), offset=offset, length=length, chunk_size=chunk) as chunks:
                for block in chunks:
                    got += len(block)
                    yield block
        except HdfsError as err:
            raise self._translate(path, err) from err
        except requests.RequestException as err:
            raise self._away(err, f"broke off after {got:,} bytes of {path}") from self._cause(err)

    def write(self, path: str, chunks: Iterable[bytes]) -> None:
        try:
            self._call(path, lambda: self._create(self._path(path), chunks))
        except Unavailable as err:
            # Of a full disk HDFS says that there is no DataNode, or a DataNode hangs up in the middle.
            # What is free the NameNode knows from the last heartbeat, so it is asked again after the next.
            for pause in (0.0, _HEARTBEAT):
                time.sleep(pause)
                left, block = self._direct.room() or (1, 0)
                if left < block:
                    raise _no_room(path, f"{left:,} bytes are free, a block has {block:,}.") from err
                if not block:
                    break
            raise

    def _create(self, path: str, chunks: Iterable[bytes]) -> None:
        """As `client.write`, which does not tell the DataNode: that one reads it back without asking where it is."""
        answer = self.client._create(path, overwrite=False, permission=_READ_ONLY)
        where = answer.headers["location"]
        written = self.client._request(method="PUT", url=where, data=iter(chunks))
        if not written:
            raise _to_error(written)
        self._direct.wrote(path, where)

    def rename(self, src: str, dst: str) -> None:
        # Without options WebHDFS answers `false` for failures and nests the source in an existing folder;
        # with renameoptions=NONE the NameNode refuses both with an exception.
        self._call(
            dst,
            lambda: self.client._rename(self._path(src), destination=self._path(dst), renameoptions="NONE"),
        )

    def mkdirs(self, path: str) -> None:
        self._call(path, lambda: self.client.makedirs(self._path(path)))

    def seal(self, path: str) -> None:
        self._call(path, lambda: self.client.set_permission(self._path(path), _SEALED))

    def delete(self, path: str) -> None:
        _deletable(path)
        with suppress(NotFound):  # a sealed folder lets go of its files only when it is opened
            self._call(path, lambda: self.client.set_permission(self._path(path), _OPEN))
        self._call(path, lambda: self.client.delete(self._path(path), recursive=True))

    def remove_replaced(self, path: str) -> None:
        folder, file = _replaced(path)
        try:
            self._call(folder, lambda: self.client.set_permission(self._path(folder), _OPEN))
            self._call(file, lambda: self.client.delete(self._path(file), recursive=False))
        finally:
            self.seal(folder)

    def freeze(self, name: str) -> bool:
        """Takes an HDFS snapshot of the whole archive; False when there is one of that name. For the keeper only."""
        try:
            self._call("", lambda: self.client.create_snapshot(self.root, name))
        except ArchiveError as err:
            if "already a snapshot with the same name" in err.what:
                return False
            raise
        return True


def _no_room(path: str, text: str) -> Unavailable:
    return Unavailable(
        f"HDFS has no room for {path or '/'}: {text}",
        "Free space on the DataNodes' disks or add one, then run it again; nothing was published.",
    )


def _first(err: Exception) -> str:
    """The innermost reason of an error of TLS, short."""
    said = str(err)
    return (
        said[said.rfind("certificate verify failed") :][:120].rstrip("')").strip() if "verify" in said else said[-120:]
    )


def _entry(name: str, status: dict[str, Any]) -> Entry:
    return Entry(name, status["type"] == "DIRECTORY", int(status["length"]), status["modificationTime"] / 1000)


_RENAMING = threading.Lock()


class LocalStore:
    """The archive in a local folder, for one machine without HDFS and for tests."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.url = root.as_uri()

    def _path(self, path: str) -> Path:
        return self.root / clean(path)

    def list(self, path: str) -> list[Entry]:
        with self._told(path):
            names = sorted(child.name for child in self._path(path).iterdir())
        found = (self.stat(f"{path}/{name}" if path else name) for name in names)
        return [entry for entry in found if entry]  # another writer may rename one between the two looks

    def stat(self, path: str) -> Entry | None:
        try:
            return _local_entry(self._path(path))
        except (FileNotFoundError, NotADirectoryError):
            return None

    def read(self, path: str, offset: int = 0, length: int | None = None) -> bytes:
        return b"".join(self.stream(path, offset, length))

    def stream(self, path: str, offset: int = 0, length: int | None = None, chunk: int = CHUNK) -> Iterator[bytes]:
        with self._told(path):
            source = self._path(path).open("rb")
        with source:
            source.seek(offset)
            left = length
            while left is None or left > 0:
                block = source.read(chunk if left is None else min(chunk, left))
                if not block:
                    return
                left = None if left is None else left - len(block)
                yield block

    def write(self, path: str, chunks: Iterable[bytes]) -> None:
        target = self._path(path)
        with self._told(path):
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as out:
                for block in chunks:
                    out.write(block)
                out.flush()
                os.fsync(out.fileno())

    def rename(self, src: str, dst: str) -> None:
        source, target = self._path(src), self._path(dst)
        # rename(2) replaces files and empty folders, so of two writers the second must see the first.
        with _RENAMING, self._told(src):
            if not source.exists():
                raise FileNotFoundError(src)
            if target.exists():
                raise ArchiveConflict(
                    f"{self.url}/{dst} exists already.", "Run the snapshot again; nothing was overwritten."
                )
            source.rename(target)

    def mkdirs(self, path: str) -> None:
        with self._told(path):
            self._path(path).mkdir(parents=True, exist_ok=True)

    def seal(self, path: str) -> None:
        """Nothing: whoever may write to a local folder may also change its modes."""

    def delete(self, path: str) -> None:
        target = self.root / _deletable(path)
        with self._told(path):
            if target.is_dir():
                shutil.rmtree(target)
            else:
                target.unlink(missing_ok=True)

    def remove_replaced(self, path: str) -> None:
        _, file = _replaced(path)
        with self._told(path):
            self._path(file).unlink(missing_ok=True)

    @contextmanager
    def _told(self, path: str) -> Iterator[None]:
        """What the operating system refuses, as the same errors that HDFS's refusals become."""
        where = f"{self.url}/{path}"
        try:
            yield
        except (FileNotFoundError, NotADirectoryError):
            raise NotFound(f"{where} is not in the archive.", "Check the name.") from None
        except FileExistsError:
            raise ArchiveConflict(f"{where} exists already.", "Nothing was overwritten.") from None
        except OSError as err:
            if err.errno == errno.ENOTEMPTY:
                raise ArchiveConflict(f"{where} exists already.", "Nothing was overwritten.") from None
            if err.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise Unavailable(
                    f"The archive's disk has no room for {where}.",
                    "Free space there, then run it again; nothing was published.",
                ) from err
            raise ArchiveError(
                f"{where} cannot be used: {err.strerror}.", "Mend the folder and its permissions."
            ) from err


def _local_entry(path: Path) -> Entry:
    status = path.stat()
    return Entry(path.name, path.is_dir(), 0 if path.is_dir() else status.st_size, status.st_mtime)
