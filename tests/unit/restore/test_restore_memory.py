"""A restore of what is larger than the process that does it: downloaded, rebuilt and pushed as streams."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

from benchmarks.memory import watched

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
    """60 MB that do not deflate, downloaded, rebuilt and pushed in parts: neither the process nor any git that it
    starts, those on the receiving side included, holds one of the three files."""
    repo, pick = empty(tmp_path / "big.git"), random.Random(1)
    for number in range(3):
        repo.commit("main", number + 1, put(f"blob{number}", pick.randbytes(20_000_000)))
    vault = Vault(tmp_path / "vault")
    vault.ingest(repo, "big")
    env = {**os.environ, "PYTHONPATH": str(CHECKOUT / "include"), "PIVO_HOME": str(tmp_path / "home")}
    env |= {"PIVO_ARCHIVE": vault.store.url, "PIVO_RESTORE_ROOTS": str(tmp_path)}
    args = [sys.executable, "-c", _CODE, str(tmp_path)]
    with subprocess.Popen(args, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        with watched([process.pid], every=0.01) as seen:
            out, err = process.communicate(timeout=170)
        assert process.returncode == 0, err
    pushes, refs, grown = map(int, out.split())
    assert pushes >= 3 and refs == 1
    assert grown < 24_000, f"{grown} kB"
    gits = {name: peak for name, peak in seen.programs.items() if name.startswith("git ")}
    assert {"git push", "git pack-objects", "git receive-pack", "git unpack-objects"} <= set(gits)
    # a pack's pages that git has mapped are the kernel's to take back; this is what git itself holds
    assert all(peak.own < 8_000_000 and peak.whole < 45_000_000 for peak in gits.values()), gits
    assert (
        repo("rev-parse", "main")
        == subprocess.run(
            ["git", "-C", str(tmp_path / "restored.git"), "rev-parse", "main"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
    )
