"""What tests of restores share: a real git repository with a difficult history, published in a local archive."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from pack_kit import join
from pivo.models import ZERO, Manifest, Ref, StoredPack
from pivo.snapshot import manifest as manifests
from pivo.store import LocalStore

TOKEN = "test-token-of-the-local-forge"
READ_ONLY = "test-token-that-may-only-read"
SEGMENT = 1000  # bytes; small, so that a small pack has several


class Git:
    """git in one folder, with a fixed person and a clock that moves on by a minute at each commit."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.minutes = 0

    def __call__(self, *args: str, stdin: str | None = None) -> str:
        stamp = f"{1_700_000_000 + 60 * self.minutes} +0100"
        env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")} | {
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_AUTHOR_DATE": stamp,
            "GIT_COMMITTER_DATE": stamp,
        }
        for who in ("AUTHOR", "COMMITTER"):
            env |= {f"GIT_{who}_NAME": "Ada", f"GIT_{who}_EMAIL": "ada@example.org"}
        done = subprocess.run(
            ["git", "-C", str(self.path), *args], env=env, input=stdin, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (args, done.stderr)
        return done.stdout.strip()

    def commit(self, message: str, **files: str) -> str:
        self.minutes += 1
        for name, text in files.items():
            path = self.path / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self("add", "-A")
        self("commit", "-q", "--allow-empty", "-m", message)
        return self("rev-parse", "HEAD")


def difficult(path: Path) -> Git:
    """A repository with a merge, tags of all kinds, a signed commit, and a branch of its own."""
    subprocess.run(["git", "init", "-q", "-b", "main", str(path)], check=True)
    git = Git(path)
    git.commit("first", README="one\n", src__a="a\n" * 200)
    git("tag", "-a", "v1", "-m", "release one")
    git("tag", "light")
    for number in range(8):
        git.commit(f"change {number}", README=f"{number}\n", src__a=f"{number} a\n" * 200)
    git("switch", "-q", "-c", "topic", "HEAD~3")
    git.commit("on topic", topic="t\n")
    git("tag", "-a", "topic-tag", "-m", "not reached from main before the merge")
    git("switch", "-q", "main")
    git.minutes += 1
    git("merge", "-q", "--no-ff", "-m", "merge topic", "topic")
    git("tag", "-a", "v2", "-m", "release two")
    git("tag", "-a", "v2-again", "-m", "a tag of a tag", "v2")
    body = git("cat-file", "commit", "HEAD")
    head, _, message = body.partition("\n\n")
    tree = [line for line in head.splitlines() if line.startswith("tree")]
    people = [line for line in head.splitlines() if line.startswith(("author", "committer"))]
    signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n not a real one\n -----END PGP SIGNATURE-----"
    parent = f"parent {git('rev-parse', 'HEAD')}"
    signed = "\n".join([*tree, parent, *people, signature]) + f"\n\nsigned {message}\n"
    oid = git("hash-object", "-t", "commit", "-w", "--stdin", stdin=signed)
    git("reset", "-q", "--hard", oid)
    git("switch", "-q", "-c", "other", "main~4")
    git.commit("elsewhere", other="o\n")
    git("tag", "elsewhere")
    git("tag", "a-blob", git("rev-parse", "HEAD:other"))
    git("switch", "-q", "main")
    return git


def publish(store: LocalStore, repo: str, git: Git, seq: int = 1, before: Manifest | None = None) -> Manifest:
    """A snapshot of all refs of `git`, in one pack of many segments, after the snapshot `before`."""
    refs = []
    form = "--format=%(refname) %(objectname) %(*objectname)"
    for line in git("for-each-ref", form).splitlines():
        name, target, *_ = line.split(" ")
        peeled = git("rev-parse", f"{target}^{{}}")
        refs.append(Ref(name, target, peeled if peeled != target else None))
    head = git("rev-parse", "HEAD") if refs else ZERO
    dirname = f"{seq:06d}-{head[:12]}"
    folder = store.root / repo / dirname
    folder.mkdir(parents=True)
    packs = before.packs if before else ()
    if refs:
        excluded = [f"^{r.target}" for r in before.refs] if before else []
        wanted = "\n".join([r.target for r in refs] + excluded) + "\n"
        identity = git("pack-objects", "--quiet", "--revs", str(folder / "pack"), stdin=wanted)
        packs = (*packs, stored(folder, dirname, identity))
    manifest = Manifest(
        repo=repo,
        seq=seq,
        head=head,
        head_ref=git("symbolic-ref", "HEAD"),
        source=str(git.path),
        taken_at=datetime(2026, 11, seq, tzinfo=UTC),
        refs=tuple(refs),
        packs=packs,
        previous=None,
        files=1,
        commits=1,
    )
    (folder / manifests.NAME).write_bytes(manifests.dump(manifest))
    return manifest


def stored(folder: Path, dirname: str, identity: str) -> StoredPack:
    """The manifest's words for the pack `identity` in `folder`, which becomes one file with its index."""
    return join(folder / f"pack-{identity}.pack", dirname, SEGMENT)
