"""Which packs may be missing: those that a retention policy removed, as far as every witness agrees.

That is not taken on trust from the record alone. What it says of the pack is what older manifests say of it; a
consolidation replaced it by what is said to hold its objects; that pack is there, and holds as many objects as the
removed one did, those that the removed one's summary tells of; and the index has heard of the snapshot that records it.
A deep verification walks from every ref of every snapshot besides, whatever a record says.
"""

from __future__ import annotations

from pivo.errors import ArchiveError, NotFound
from pivo.models import StoredPack
from pivo.removed import Removed
from pivo.snapshot import manifest as manifests
from pivo.snapshot.members import decode, digest, stored_ids
from pivo.snapshot.summary import hidden
from pivo.store import Store
from pivo.verify.chain import Chain
from pivo.verify.witness import Witness


def excused(chain: Chain, store: Store, witness: Witness) -> frozenset[str]:
    """The keys of packs that may be missing; a record that is not believed is found. None while the chain is broken."""
    if not chain.removed or chain.findings:
        return frozenset()
    judge = _Judge(chain, store, witness, {p.key: p for packs in chain.packs.values() for p in packs.values()}, {})
    good = set()
    for key, (dirname, entry) in chain.removed.items():
        wrong = judge.wrong(dirname, entry)
        if wrong:
            chain.found(dirname, manifests.NAME, "manifest", f"says that {key} was removed, and {wrong}")
        else:
            good.add(key)
    return frozenset(good)


class _Judge:
    def __init__(
        self,
        chain: Chain,
        store: Store,
        witness: Witness,
        packs: dict[str, StoredPack],
        known: dict[str, list[bytes]],
    ) -> None:
        self._chain, self._store, self._witness = chain, store, witness
        self._packs, self._known = packs, known

    def wrong(self, dirname: str, entry: Removed) -> str:
        """What speaks against a record; nothing when it is believed."""
        pack, chain = self._packs.get(entry.key), self._chain
        if pack is None or (pack.sha256, pack.idx_sha256) != (entry.sha256, entry.idx_sha256):
            return "has other hashes of it than its own manifest"
        if entry.key in {p.key for p in chain.last_packs}:
            return "names it as one that readers need"
        above = [p.key for p in self._packs.values() if entry.key in p.bases and p.key not in chain.removed]
        if above:
            return f"{above[0]} builds on it"
        last = chain.replaced.get(entry.key)
        while last and last != entry.successor:
            last = chain.replaced.get(last)
        if last is None or entry.successor not in self._packs:
            return f"no consolidation replaced it by {entry.successor}"
        gone = pack.file_name not in chain.listed.get(pack.snapshot, {})
        if gone and self._witness.snapshots and dirname not in self._witness.snapshots:
            return "the index has not heard of it; if it is new, run `pivo index` and verify again"
        try:
            ids = self._ids(entry.key)
        except (ArchiveError, NotFound) as err:
            return f"what it held cannot be told: {err.what}"
        if len(ids) != pack.objects or digest(ids) != entry.ids or hidden(pack.summary, ids):
            return f"{entry.successor} does not hold what it held"
        return ""

    def _ids(self, key: str) -> list[bytes]:
        if key not in self._known:
            removed = self._chain.removed.get(key)
            # What is made later has the greater name: a forged record cannot lead in circles.
            if removed and removed[1].successor <= key:
                raise ArchiveError(f"{key} cannot have been replaced by {removed[1].successor}.", "Verify the archive.")
            self._known[key] = (
                decode(removed[1].members, self._ids(removed[1].successor))
                if removed
                else stored_ids(self._store, self._chain.repo, self._packs[key])
            )
        return self._known[key]
