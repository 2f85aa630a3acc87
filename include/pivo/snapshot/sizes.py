"""How many bytes the files have that commits changed."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec.structs import replace

from pivo.gitobjects import SUBMODULE
from pivo.models import Commit
from pivo.snapshot.objects import ObjectReader

_AT_ONCE = 500  # questions, and answers, that a pipe holds: 64 kB
_CHANGES = 2000  # of which the sizes are asked for together


class Sizes:
    """Looks in a table for what is here (`few`: id → type, bytes), or where there is none asks git (`command`, a
    `cat-file --batch-check=%(objectsize)`), and for the rest the archive: a merge, a revert or a rename names content
    that came long before. The process starts with the first question."""

    def __init__(
        self,
        command: list[str],
        env: dict[str, str],
        known: ObjectReader | None,
        few: Callable[[], Mapping[str, tuple[bytes, int]] | None],
    ) -> None:
        self._command = command
        self._env = env
        self._known = known
        self._few = few
        self._process: subprocess.Popen[bytes] | None = None

    def told(self, commits: Iterable[Commit]) -> Iterator[Commit]:
        """The commits, with the size of each file that they changed; None for one that nobody has."""
        held: list[Commit] = []
        changes = 0
        for commit in commits:
            held.append(commit)
            changes += len(commit.files)
            if changes >= _CHANGES:
                yield from self._told(held)
                held, changes = [], 0
        yield from self._told(held)

    def _told(self, commits: Sequence[Commit]) -> Iterator[Commit]:
        sizes = self._of({f.blob for c in commits for f in c.files if f.blob and f.mode != SUBMODULE})
        for commit in commits:
            files = (replace(f, size=sizes.get(f.blob)) if f.blob else f for f in commit.files)
            yield replace(commit, files=tuple(files)) if commit.files else commit

    def _of(self, blobs: set[str]) -> dict[str, int]:
        wanted = sorted(blobs)
        few = self._few()
        found = {oid: few[oid][1] for oid in wanted if oid in few} if few is not None else {}
        for start in range(0, len(wanted) if few is None else 0, _AT_ONCE):
            found |= self._here(wanted[start : start + _AT_ONCE])
        for oid in wanted:
            if oid not in found and self._known and self._known.contains(oid):
                found[oid] = self._known.size(oid)
        return found

    def _here(self, some: Sequence[str]) -> dict[str, int]:
        if self._process is None:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=self._env
            )
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin and stdout
        stdin.write("".join(f"{oid}\n" for oid in some).encode())
        stdin.flush()
        answers = ((oid, stdout.readline().strip()) for oid in some)
        return {oid: int(size) for oid, size in answers if size.isdigit()}

    def close(self) -> None:
        """Ends git's process."""
        if self._process:
            self._process.communicate()
