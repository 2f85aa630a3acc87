"""Any object of a snapshot, straight from the packs in the archive: nothing is downloaded whole."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from types import TracebackType

from pivo.errors import ArchiveError, NotFound, UsageError
from pivo.gitobjects import SUBMODULE, TreeEntry, entries, object_id, parse_commit, tagged
from pivo.models import Commit, Manifest, StoredPack
from pivo.snapshot import large
from pivo.snapshot import manifest as manifests
from pivo.snapshot.blocks import BlockCache, Part, RangeFile
from pivo.snapshot.packs import PackFile, PackIndex, Piece
from pivo.snapshot.summary import SMALL, may_hold
from pivo.store import Store

SHARED_CACHE = BlockCache()
"""Blocks of all readers of this process."""


class _Pack:
    """One pack; `bases` are the packs that its deltas may build on, `told` gives a pack's summary."""

    def __init__(self, store: Store, folder: str, pack: StoredPack, cache: BlockCache) -> None:
        self.bases: list[_Pack] = []
        self.told: Callable[[StoredPack], str] = lambda pack: pack.summary
        self.path = f"{folder}/{pack.snapshot}/{pack.file_name}"
        self.stored = pack
        self.checked = False
        body, index = (Part(0, pack.size), Part(pack.size, pack.idx_size))
        self.index = PackIndex(RangeFile(store, self.path, pack.file_size, cache, index))
        elsewhere = self._of_base if pack.thin else None
        self.data = PackFile(RangeFile(store, self.path, pack.file_size, cache, body), self.index, elsewhere)

    def read(self, oid: bytes, offset: int) -> tuple[str, bytes]:
        """Type and body of the object at `offset`; ArchiveError when it is not `oid`."""
        kind, body = self.data.read(offset)
        if object_id(kind, body) != oid.hex():
            raise self.damaged(oid.hex())
        return kind, body

    def damaged(self, oid: str) -> ArchiveError:
        return ArchiveError(
            f"Object {oid} is damaged in {self.path} or its index.",
            "Verify the archive; an earlier snapshot may hold it whole.",
        )

    def pieces(self, offset: int) -> list[tuple[PackFile, Piece]]:
        """What the object at `offset` is made of, those of the base pack included."""
        chain, end = self.data.chain(offset)
        own = [(self.data, piece) for piece in chain]
        if isinstance(end, str):
            return own
        base, at = self._in_base(end)
        return [*own, *base.pieces(at)]

    def verify(self) -> None:
        """Reads the whole index, once; ArchiveError when it is damaged."""
        if not self.checked:
            self.index.verify(self.stored.idx_sha256)
            self.checked = True

    def _of_base(self, oid: bytes) -> tuple[str, bytes]:
        base, offset = self._in_base(oid)
        return base.read(oid, offset)

    def _in_base(self, oid: bytes) -> tuple[_Pack, int]:
        there = {base.stored.key for base in self.bases}
        for key in self.stored.bases:
            if key not in there:
                raise ArchiveError(
                    f"{self.path} builds on {key}, which its manifest does not name.", "Verify the archive."
                )
        for base in self.bases:
            # As in ObjectReader._likely: the only pack that is left is not worth a summary that lies apart.
            alone = base.index.at_hand or base is self.bases[-1]
            summary = base.stored.summary if alone else self.told(base.stored)
            offset = base.index.find(oid) if may_hold(summary, oid) else None
            if offset is not None:
                return base, offset
        for base in self.bases:
            base.verify()
        named = " or ".join(base.path for base in self.bases)
        raise ArchiveError(f"{self.path} builds on object {oid.hex()}, which is not in {named}.", "Verify the archive.")

    @property
    def apart(self) -> bool:
        """Whether its summary, if it has one, is in another snapshot's manifest."""
        return self.stored.objects > SMALL and not self.stored.summary


class ObjectReader:
    """Reads objects by id, files by path, out of the packs that `manifest` names. Safe to share between threads.

    Every object's hash is checked; ArchiveError names a file whose bytes are not what they were.
    """

    def __init__(
        self,
        store: Store,
        manifest: Manifest,
        cache: BlockCache | None = None,
        packs: Sequence[StoredPack] | None = None,
    ) -> None:
        self.manifest = manifest
        # The published files never change, so one cache may serve all readers of a process.
        cache = cache or SHARED_CACHE
        self._store, self._cache = store, cache
        # The newest packs first: people ask for what is recent.
        self._packs = [_Pack(store, manifest.repo, p, cache) for p in reversed(packs or manifest.packs)]
        self._by_key = {p.stored.key: p for p in self._packs}
        merged = [p.stored.snapshot for p in self._packs if p.stored.level]
        self._merged = max(merged, default="")
        for pack in self._packs:
            # Those first that can tell what they do not hold.
            bases = [self._by_key[key] for key in pack.stored.bases if key in self._by_key]
            pack.bases = sorted(bases, key=lambda base: not base.stored.summary)
            pack.told = self.summary

    def __enter__(self) -> ObjectReader:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        return None

    def _find(self, oid: str) -> tuple[_Pack, int] | None:
        raw = bytes.fromhex(oid)
        for pack in self._likely(raw):
            offset = pack.index.find(raw)
            if offset is not None:
                return pack, offset
        return None

    def _likely(self, begin: bytes) -> Iterator[_Pack]:
        """The packs that can hold an object whose id begins so, those first of which the index is at hand."""
        claiming = [p for p in self._packs if not p.apart and may_hold(p.stored.summary, begin)]
        yield from sorted(claiming, key=lambda p: not p.index.at_hand)
        apart = sorted((p for p in self._packs if p.apart), key=lambda p: (not p.index.at_hand, p.stored.objects))
        for pack in apart:
            # A summary that lies apart is a read of its own: not worth it for the only pack that is left.
            if pack.index.at_hand or pack is apart[-1] or may_hold(self.summary(pack.stored), begin):
                yield pack

    def summary(self, pack: StoredPack) -> str:
        """A pack's summary, out of the last consolidation's manifest, or that of the snapshot that brought the pack.

        Empty where neither has it.
        """
        for snapshot in (self._merged, pack.snapshot):
            if not pack.summary and snapshot >= pack.snapshot:
                pack = replace(pack, summary=self._told(snapshot, pack.key))
        return pack.summary

    def _told(self, snapshot: str, pack: str) -> str:
        """The summary of the pack of that key in a snapshot's manifest, which is read once for all packs."""
        path = f"{self.manifest.repo}/{snapshot}/{manifests.NAME}"
        key = f"{self._store.url}/{path}#"
        kept = self._cache.get((key + pack, 0))
        if kept is None:
            try:
                brought = manifests.load(self._store.read(path), path).packs
            except (ArchiveError, NotFound):  # then the packs' indexes are asked
                brought = ()
            told = {p.key: p.summary.encode() for p in brought}
            for other, summary in {pack: b"", **told}.items():
                self._cache.put((key + other, 0), summary)
            kept = told.get(pack, b"")
        return kept.decode()

    def _require(self, oid: str) -> tuple[_Pack, int]:
        found = self._find(oid)
        if found is not None:
            return found
        # What is asked for here is named by something that was archived: if no index has it, one may be damaged.
        for pack in self._packs:
            pack.verify()
        raise NotFound(f"Object {oid} is not in the archive of {self.manifest.repo}.", "Check the hash.")

    def contains(self, oid: str) -> bool:
        return self._find(oid) is not None

    def get(self, oid: str) -> tuple[str, bytes]:
        """The type (`commit`, `tree`, `blob`, `tag`) and the body of an object; NotFound when no pack has it."""
        pack, offset = self._require(oid)
        return pack.read(bytes.fromhex(oid), offset)

    def within(self, packs: Sequence[StoredPack], oid: str, largest: int) -> tuple[str, str, bytes] | None:
        """The key of the first of `packs` that holds an object, and the object as :meth:`get` has it.

        None when none of them does, or it is over `largest` bytes.
        """
        raw = bytes.fromhex(oid)
        for pack in packs:
            one = self._by_key[pack.key]
            offset = one.index.find(raw) if may_hold(pack.summary, raw) else None
            if offset is not None:
                return None if one.data.size(offset) > largest else (pack.key, *one.read(raw, offset))
        return None

    def base(self, thin: StoredPack, oid: str) -> tuple[str, bytes]:
        """As :meth:`get`, from the packs only that a thin one builds on; ArchiveError when none has it."""
        raw = bytes.fromhex(oid)
        for key in thin.bases:
            one = self._by_key.get(key)
            offset = one.index.find(raw) if one else None
            if one and offset is not None:
                return one.read(raw, offset)
        raise ArchiveError(
            f"{thin.key} builds on object {oid}, which is not in {' or '.join(thin.bases)}.", "Verify the archive."
        )

    def head_of(self, pack: StoredPack) -> str | None:
        """The head commit of the snapshot that brought `pack`; None where it had none, or not in these packs."""
        begin = pack.snapshot.rpartition("-")[2]
        ids = self._by_key[pack.key].index.with_prefix(begin) or self.with_prefix(begin)
        return next((oid for oid in ids if self.kind(oid) == "commit"), None)

    def size(self, oid: str) -> int:
        """Bytes of an object, found without reading its content."""
        pack, offset = self._require(oid)
        return pack.data.size(offset)

    def stream(self, oid: str) -> Iterator[bytes]:
        """The body of a blob in parts: a large one is never in memory as a whole.

        ArchiveError when its hash is not `oid`; for a large one only after its last part, which is when it is known.
        """
        pack, offset = self._require(oid)
        pieces, size = pack.pieces(offset), pack.data.size(offset)
        if max(size, *(piece.size for _, piece in pieces)) <= large.LARGE:
            yield self.get(oid)[1]
            return
        seen = hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)
        for part in large.body(pieces):
            seen.update(part)
            yield part
        if seen.hexdigest() != oid:
            raise pack.damaged(oid)

    def kind(self, oid: str) -> str:
        """The type of an object, without reading its content; NotFound when no pack has it."""
        pack, offset = self._require(oid)
        return pack.data.kind(offset)

    def with_prefix(self, prefix: str) -> list[str]:
        """Ids (hex, sorted) of all objects that begin with `prefix`."""
        begin = bytes.fromhex(prefix[: len(prefix) // 2 * 2])
        return sorted({oid for pack in self._likely(begin) for oid in pack.index.with_prefix(prefix)})

    def peel(self, oid: str) -> tuple[str, str]:
        """The id and the type of what `oid` leads to once tags are followed."""
        kind, body = self.get(oid)
        while kind == "tag":
            oid, _ = tagged(body)
            kind, body = self.get(oid)
        return oid, kind

    def commit(self, oid: str) -> Commit:
        """The commit `oid`, without its changed files; NotFound when the object is something else."""
        kind, body = self.get(oid)
        if kind != "commit":
            raise NotFound(f"Object {oid} of {self.manifest.repo} is a {kind}, not a commit.", "Give a commit.")
        return parse_commit(oid, body)

    def entry(self, commit: str, path: str) -> TreeEntry:
        """The tree entry of `path` at `commit`; NotFound names what is close when there is none."""
        here = TreeEntry("40000", self.commit(commit).tree, "")
        for part in [p for p in path.split("/") if p]:
            children = {e.path.rsplit("/", 1)[-1]: e for e in self._children(here)} if here.is_dir else {}
            if part not in children:
                close = difflib.get_close_matches(part, children, n=3, cutoff=0.6)
                prefix = f"{here.path}/" if here.path else ""
                hint = (
                    f"Did you mean {', '.join(prefix + c for c in close)}?"
                    if close
                    else "Check the path and the commit."
                )
                raise NotFound(f"{path} is not in {self.manifest.repo} at {commit[:12]}.", hint)
            here = children[part]
        return here

    def list_dir(self, commit: str, path: str = "") -> list[TreeEntry]:
        """The entries of a folder at a commit, in git's order."""
        folder = self.entry(commit, path)
        if not folder.is_dir:
            raise NotFound(
                f"{path} is a file in {self.manifest.repo} at {commit[:12]}.",
                "Use `pivo cat` for its content.",
            )
        return self._children(folder)

    def _children(self, folder: TreeEntry) -> list[TreeEntry]:
        return entries(self.get(folder.oid)[1], f"{folder.path}/" if folder.path else "")

    def read_file(self, commit: str, path: str) -> bytes:
        """The content of a file at a commit (of a symlink: its target); UsageError for one too large for memory."""
        oid = self.file(commit, path).oid
        size = self.size(oid)
        if size > large.LARGE:
            raise UsageError(
                f"{path} has {size:,} bytes, too many to show.",
                f"`pivo cat {self.manifest.repo} {commit[:12]} {path} > file` writes it to a file.",
            )
        return self.get(oid)[1]

    def file(self, commit: str, path: str) -> TreeEntry:
        """The tree entry of a file; NotFound when `path` is a folder or a submodule."""
        entry = self.entry(commit, path)
        if entry.is_dir:
            raise NotFound(f"{path or '/'} is a folder in {self.manifest.repo} at {commit[:12]}.", "Give a file in it.")
        if entry.mode == SUBMODULE:
            raise NotFound(
                f"{path} is a submodule at commit {entry.oid[:12]}.",
                "Its files are in a repository of their own.",
            )
        return entry
