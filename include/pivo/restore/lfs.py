"""git LFS on its way back: what the restored history points to, from the archive to the target, before the refs go.

A forge refuses refs whose LFS objects it does not have, so these are brought first. What cannot be brought is withheld,
by path and with the reason: an object that was never had, a target without LFS. Only a target that does not answer
fails the push, which is then tried again.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice, repeat
from pathlib import Path
from urllib.parse import urlsplit

from pivo.errors import ArchiveError, Unavailable
from pivo.gitobjects import text
from pivo.lfs import BATCH, POINTER_LIMIT, Answer, Client, Refused, endpoint, login_of, parse_pointer
from pivo.models import LfsObject
from pivo.progress import Progress, silent
from pivo.restore import gitcli
from pivo.restore.plan import RestorePlan
from pivo.restore.withheld import Withheld
from pivo.settings import Settings
from pivo.snapshot import lfs
from pivo.snapshot.archive import Archive
from pivo.store import open_store

_THREADS = 4  # objects on their way at a time
_BLOBS = 2000  # small blobs that are read by one git; they are in memory then
_PATHS = 5  # of one object that is withheld; more tell a person nothing

log = logging.getLogger(__name__)


@dataclass
class LargeFiles:
    """The LFS objects of one restore; `repo` is the reconstructed repository. None of it for a plan without LFS."""

    plan: RestorePlan
    repo: Path
    settings: Settings
    progress: Progress = silent
    withheld: list[Withheld] = field(default_factory=list)
    brought: int = 0

    def to_forge(self, url: str, token: str = "") -> None:
        """Brings them to the LFS API beside the repository at `url`; no other address than http(s) has one.

        `token` must be meant for that host. Unavailable when the API does not answer.
        """
        todo = self._todo()
        api = endpoint(url) if urlsplit(url).scheme in {"http", "https"} else None
        if api is None:
            self._hold_back(todo, "PIVO brings LFS objects to forges, over http, and to folders")
            return
        with Client(api, token, login=login_of(url)) as client, ThreadPoolExecutor(_THREADS) as pool:
            for start in range(0, len(todo), BATCH):
                share = todo[start : start + BATCH]
                try:
                    answers = client.batch("upload", [t.one for t in share], f"refs/heads/{self.plan.branch}")
                except Refused as err:
                    if err.later:
                        raise _away(err) from None
                    self._hold_back(todo[start:], f"the target takes no LFS objects: {err}")
                    return
                sent = pool.map(self._send, repeat(client), share, [answers[t.one.oid] for t in share])
                self._account(share, sent, len(todo))

    def to_folder(self, repository: Path) -> None:
        """Puts them where git-lfs looks for them in a local bare repository."""
        todo = self._todo()
        with ThreadPoolExecutor(_THREADS) as pool:
            self._account(todo, pool.map(self._put, repeat(repository), todo), len(todo))

    def _todo(self) -> list[_Thing]:
        """What is to be brought; what is needed and not in the archive is withheld."""
        if not self.plan.lfs:
            return []
        latest = self._archive.require(self.plan.repo)  # it may have by now what its predecessors missed
        there, missing = lfs.stored(self._archive, latest), {m.oid: m.why for m in latest.lfs_missing}
        todo = []
        for thing in pointed_to(self.repo).values():
            oid = thing.one.oid
            if oid in there:
                todo.append(replace(thing, folder=there[oid][0]))
            else:
                self._hold_back([thing], f"the archive does not have it: {missing.get(oid, 'no snapshot tells of it')}")
        return todo

    def _send(self, client: Client, thing: _Thing, answer: Answer) -> str:
        """Brings one object; why not, when that cannot be."""
        if answer.refused:
            return answer.refused
        try:
            client.upload(thing.one, answer.actions, lambda: self._blocks(thing))
        except Refused as err:
            if err.later:
                raise _away(err) from None
            return str(err)
        except ArchiveError as err:
            return err.what
        return ""

    def _put(self, repository: Path, thing: _Thing) -> str:
        oid = thing.one.oid
        path = repository / "lfs" / "objects" / oid[:2] / oid[2:4] / oid
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{oid}")
        try:
            with part.open("wb") as out:
                out.writelines(self._blocks(thing))
            part.rename(path)
        except ArchiveError as err:
            part.unlink(missing_ok=True)
            return err.what
        return ""

    def _blocks(self, thing: _Thing) -> Iterator[bytes]:
        return lfs.stream(self._archive, self.plan.repo, thing.folder, thing.one)

    @cached_property
    def _archive(self) -> Archive:
        return Archive(open_store(self.settings.archive, self.settings.archive_reader))

    def _account(self, things: Sequence[_Thing], said: Iterable[str], total: int) -> None:
        for thing, why in zip(things, said, strict=True):
            if why:
                self._hold_back([thing], why)
            else:
                self.brought += 1
                self.progress("bringing LFS objects", self.brought, total)

    def _hold_back(self, things: Iterable[_Thing], why: str) -> None:
        for thing in things:
            log.warning("LFS object %s (%s) is withheld: %s", thing.one.oid, ", ".join(thing.paths), why)
            self.withheld += [Withheld("lfs", path, why) for path in thing.paths]


@dataclass(frozen=True)
class _Thing:
    """An LFS object that the history points to: from where in it (some paths), and the snapshot that holds it."""

    one: LfsObject
    paths: tuple[str, ...]
    folder: str = ""


def pointed_to(repo: Path) -> dict[str, _Thing]:
    """What the refs of a repository reach by LFS pointers, by oid."""
    found: dict[str, _Thing] = {}
    small = (f"--filter=blob:limit={POINTER_LIMIT}", "--filter=object:type=blob")
    rows = (row.partition(" ") for row in gitcli.lines("rev-list", "--objects", "--all", *small, at=repo))
    named = ((oid, path) for oid, _, path in rows if path)
    while share := dict(islice(named, _BLOBS)):
        for blob, body in _bodies(repo, share):
            one = parse_pointer(body)
            if one:
                before = found[one.oid].paths if one.oid in found else ()
                found[one.oid] = _Thing(one, tuple(sorted({*before, text(os.fsencode(share[blob]))})[:_PATHS]))
    return found


def _bodies(repo: Path, blobs: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Ids and bodies of the blobs among some objects."""
    out = gitcli.run("cat-file", "--batch", "--buffer", at=repo, stdin="".join(f"{b}\n" for b in blobs))
    raw, at = out.encode("utf-8", "surrogateescape"), 0
    while at < len(raw):
        end = raw.index(b"\n", at)
        oid, kind, size = raw[at:end].split()
        if kind == b"blob":
            yield oid.decode(), raw[end + 1 : end + 1 + int(size)]
        at = end + 2 + int(size)


def _away(err: Refused) -> Unavailable:
    return Unavailable(f"The target's LFS server failed: {err}.", "Try again when it is back; what came is kept there.")
