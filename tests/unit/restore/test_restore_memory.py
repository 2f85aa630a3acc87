"""A restore of what is larger than the process that does it: downloaded, rebuilt and pushed as streams."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

from archive_kit import Vault
from gitmake import empty, put
from pivo.settings import CHECKOUT

_CODE = """
import resource, sys
from pathlib import Path
from pivo.restore import gitcli
from pivo.restore.download import download
from pivo.restore.plan import validate
from pivo.restore.push import Sending
from pivo.restore.reconstruct import reconstruct
from pivo.settings import Settings

folder, settings = Path(sys.argv[1]), Settings.load()
target = folder / "restored.git"
gitcli.run("init", "--quiet", "--bare", str(target))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
plan = validate(settings, repo="big", ref="HEAD", target=target.as_uri(), run_id="r", all_refs=True)
download(plan, folder / "s" / "packs", settings.archive, "reader")
made = reconstruct(plan, folder / "s")
sent = Sending(plan, target.as_uri(), made.path, None, 14_000_000).send()
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(sent.pushes, len(sent.refs), grown)
"""


def test_memory_does_not_grow_with_what_is_restored(tmp_path: Path) -> None:
    """48 MB that do not deflate, downloaded, rebuilt and pushed in parts, by a process that hardly grows."""
    repo, pick = empty(tmp_path / "big.git"), random.Random(1)
    for number in range(4):
        repo.commit("main", number + 1, put(f"blob{number}", pick.randbytes(12_000_000)))
    vault = Vault(tmp_path / "vault")
    vault.ingest(repo, "big")
    env = {**os.environ, "PYTHONPATH": str(CHECKOUT / "include"), "PIVO_HOME": str(tmp_path / "home")}
    env |= {"PIVO_ARCHIVE": vault.store.url, "PIVO_RESTORE_ROOTS": str(tmp_path)}
    args = [sys.executable, "-c", _CODE, str(tmp_path)]
    done = subprocess.run(args, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    pushes, refs, grown = map(int, done.stdout.split())
    assert pushes >= 4 and refs == 1
    assert grown < 24_000, f"{grown} kB"
    assert (
        repo("rev-parse", "main")
        == subprocess.run(
            ["git", "-C", str(tmp_path / "restored.git"), "rev-parse", "main"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
    )
