"""Files that a forge refuses for their size. History is never rewritten: what reaches one stays out as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pivo.restore import gitcli
from pivo.restore.plan import RestorePlan
from pivo.restore.withheld import Withheld


def withhold(plan: RestorePlan, repo: Path, blobs: Sequence[str], limit: int) -> tuple[Withheld, ...]:
    """Take the refs that reach one of `blobs` out of `repo`; these files, with path and size, and these refs."""
    paths = _paths(repo, set(blobs))
    sizes = dict(
        line.split(" ")
        for line in gitcli.run(
            "cat-file", "--batch-check=%(objectname) %(objectsize)", at=repo, stdin="".join(f"{b}\n" for b in blobs)
        ).splitlines()
    )
    refs: dict[str, str] = {}
    for blob in blobs:
        for name in _refs_that_reach(repo, blob):
            refs.setdefault(name, paths.get(blob) or blob)
    gitcli.run("update-ref", "--stdin", at=repo, stdin="".join(f"delete {name}\n" for name in refs))
    over = f"over the forge's limit of {limit:,}"
    files = [Withheld("file", paths.get(b) or b, f"{int(sizes[b]):,} bytes, {over}") for b in blobs]
    return (*files, *(Withheld("ref", name, f"its history has {path}") for name, path in sorted(refs.items())))


def _paths(repo: Path, blobs: set[str]) -> dict[str, str]:
    """A path of each blob, as one of the commits has it."""
    found: dict[str, str] = {}
    for line in gitcli.lines("rev-list", "--objects", "--all", at=repo):
        oid, _, path = line.partition(" ")
        if oid in blobs:
            found.setdefault(oid, path)
    return found


def _refs_that_reach(repo: Path, blob: str) -> set[str]:
    # -m: a merge may bring in what none of its parents has
    log = ("log", "--all", "-m", "--format=%H", f"--find-object={blob}")
    commits = list(dict.fromkeys(gitcli.run(*log, at=repo).split()))
    names: set[str] = set()
    for start in range(0, len(commits), 500):
        contains = [f"--contains={commit}" for commit in commits[start : start + 500]]
        names.update(gitcli.run("for-each-ref", "--format=%(refname)", *contains, at=repo).splitlines())
    form = "--format=%(refname) %(objecttype) %(*objecttype) %(objectname) %(*objectname)"
    for line in gitcli.run("for-each-ref", form, at=repo).splitlines():
        name, kind, peeled, *_ = line.split(" ")
        if "commit" not in {kind, peeled}:  # a tag of a tree or of a blob
            held = gitcli.run("rev-list", "--objects", "--no-object-names", name, at=repo).split()
            names.update([name] if blob in held else [])
    return names
