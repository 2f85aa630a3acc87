"""The local forge: the GitHub calls that PIVO uses, with plain git behind them."""

from __future__ import annotations

import sys
from functools import partial

from pivo.settings import Settings
from pivo.stack.keys import secret
from pivo.stack.loopback import request
from pivo.stack.part import HOST, Folders, Part

MODULE = "pivo.stack.localforge"


def parts(settings: Settings) -> list[Part]:
    """The forge."""
    folders = Folders(settings.home)
    token, root = folders.secrets / "forge-token", folders.home / "forge"

    def prepare() -> None:
        secret(token)
        root.mkdir(parents=True, exist_ok=True)

    port = settings.ports.forge
    return [
        Part(
            name="forge",
            title="local forge",
            command=lambda: (
                *(sys.executable, "-m", MODULE),
                *("--port", str(port), "--root", str(root), "--token-file", str(token)),
            ),
            ports={"forge": port},
            prepare=prepare,
            probe=partial(_answers, f"http://{HOST}:{port}/api/v3/meta"),
            url=f"http://{HOST}:{port}",
        )
    ]


def _answers(url: str, since: float) -> None:
    request("The forge", "GET", url)
