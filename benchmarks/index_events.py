"""Events of an organisation of any size, as Kafka carries them, made at random from a seed.

`python -m benchmarks.index_events <commits> <repositories>` writes them to standard output, each with its length
before it: a process of its own, so that making them costs the writer under test nothing.
"""

from __future__ import annotations

import itertools
import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from pivo.events import dump, snapshot_events
from pivo.models import Manifest, Previous, Ref, RefUpdate
from pivo.reindex.derive import spool

FILES = 6
"""Changed paths of a commit: from 1 to twice as many, six on average as some are drawn twice."""

PEOPLE = 20_000
SHARE = 5000  # commits in one snapshot, at most
_FIRST = datetime(2026, 1, 1, tzinfo=UTC)
_COMMIT = (
    '{"specversion":"1.0","type":"pivo.commit.v1","id":"%s/%d/%s","source":"/pivo/%s","subject":"%s",'
    '"time":"2026-01-01T00:00:00Z","datacontenttype":"application/json","data":{"repo":"%s","seq":%d,"commit":{'
    '"hash":"%s","tree":"%s","parents":[%s],"author":{"name":"%s","email":"%s","time":%d,"tz":60},'
    '"committer":{"name":"%s","email":"%s","time":%d,"tz":60},"message":"%s","files":[%s],"signed":false},'
    '"part":0,"files_total":%d}}'
)
_FILE = '{"status":"%s","path":"%s","mode":"100644","blob":"%s","old_blob":"%s","size":%d}'


class Organisation:
    """Repositories whose sizes fall off as 1/rank, people who work in several, words and paths that recur."""

    def __init__(self, commits: int, repositories: int, files: int = FILES) -> None:
        self._rng = random.Random(repositories * 1_000_003 + commits)
        self._files = files
        self._words = ["".join(self._rng.choices("abcdefghiklmnoprstuvw", k=k % 7 + 3)) for k in range(6000)]
        weights = [1 / (rank + 1) for rank in range(len(self._words))]
        self._text = self._rng.choices(self._words, weights, k=300_000)
        self._people = [
            (f"{self._words[n % 997].title()} {self._words[n % 5987].title()}", f"dev{n}@example.org")
            for n in range(min(PEOPLE, max(20, commits // 50)))
        ]
        total = sum(1 / (n + 10) for n in range(repositories))
        self.repositories = [
            (f"org{n % 40}/{self._words[n % 5003]}-{n}", max(1, round(commits / (n + 10) / total)))
            for n in range(repositories)
        ]

    def history(self) -> Iterator[bytes]:
        """Every repository's whole history, one repository after the other."""
        for n, (name, commits) in enumerate(self.repositories):
            yield from self._repository(n, name, commits)

    def _repository(self, n: int, name: str, commits: int) -> Iterator[bytes]:
        rng = self._rng
        paths = self._paths(min(20_000, max(12, commits // 9)))
        people = rng.sample(self._people, min(len(self._people), max(2, int(commits**0.55))))
        at, head = 1_262_304_000 + rng.randrange(300_000_000), ""
        pace = max(60, (1_790_000_000 - at) // (commits + 1))
        refs: tuple[Ref, ...] = ()
        recent: list[str] = []
        for seq in itertools.count(1):
            share = min(SHARE, commits - (seq - 1) * SHARE)
            if share <= 0:
                break
            for _ in range(share):
                at += rng.randrange(1, 2 * pace)
                value, head = self._commit(name, seq, head, at, people, paths)
                recent = [*recent[-9:], head]
                yield value
            # a twentieth of the repositories is rewritten in the end: nine commits are lost
            rewritten = n % 20 == 0 and seq * SHARE >= commits > 20
            head = recent[0] if rewritten else head
            yield from self._snapshot(name, seq, head, share, refs, rewritten)
            refs = (Ref("refs/heads/main", head),)

    def _commit(
        self, name: str, seq: int, parent: str, at: int, people: list[tuple[str, str]], paths: list[str]
    ) -> tuple[bytes, str]:
        rng = self._rng
        random_bits = rng.randbytes(20 * (2 + 2 * 13)).hex()
        oid, tree = random_bits[:40], random_bits[40:80]
        who, email = people[int(len(people) * rng.random() ** 2)]
        start = rng.randrange(299_900)
        message = " ".join(self._text[start : start + 4 + start % 6])
        message += "\\n\\n" + " ".join(self._text[start + 10 : start + 10 + start % 30])
        wanted = {int(len(paths) * rng.random() ** 2) for _ in range(rng.randint(1, 2 * self._files - 1))}
        files = ",".join(
            _FILE % ("MMMA"[k & 3], paths[p], blob, random_bits[k * 40 + 40 : k * 40 + 80], int(blob[:2], 16) ** 2)
            for k, p in zip(range(2, 28, 2), wanted, strict=False)
            for blob in [random_bits[k * 40 : k * 40 + 40]]
        )
        text = _COMMIT % (
            *(name, seq, oid, name, oid, name, seq, oid, tree, f'"{parent}"' if parent else ""),
            *(who, email, at, who, email, at, message, files, len(wanted)),
        )
        return text.encode(), oid

    def _snapshot(
        self, name: str, seq: int, head: str, commits: int, before: tuple[Ref, ...], forced: bool
    ) -> Iterator[bytes]:
        manifest = Manifest(
            repo=name,
            seq=seq,
            head=head,
            head_ref="refs/heads/main",
            source=f"https://git.example.org/{name}.git",
            taken_at=_FIRST + timedelta(days=seq, seconds=self._rng.randrange(80_000)),
            refs=(Ref("refs/heads/main", head),),
            packs=(),
            previous=Previous(f"{seq - 1:06d}-{before[0].target[:12]}", "0" * 64) if before else None,
            files=100,
            commits=commits,
            tool="benchmark",
        )
        moved = (RefUpdate("refs/heads/main", before[0].target if before else None, head, forced=forced),)
        for event in snapshot_events(manifest, moved, f"/backups/{name}/{manifest.dirname}"):
            yield dump(event)

    def _paths(self, count: int) -> list[str]:
        rng, words = self._rng, self._words
        folders = ["/".join(rng.choices(words[:800], k=k % 3 + 1)) for k in range(max(2, count // 12))]
        return [f"{folders[int(len(folders) * rng.random() ** 2)]}/{rng.choice(words)}{n}.c" for n in range(count)]


def main(commits: str, repositories: str) -> None:
    spool(Organisation(int(commits), int(repositories)).history(), sys.stdout.buffer)


if __name__ == "__main__":
    main(*sys.argv[1:])
