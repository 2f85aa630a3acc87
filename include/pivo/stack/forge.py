"""The local forge: the GitHub calls that PIVO uses, with plain git behind them."""

from __future__ import annotations

import sys
from functools import partial

import httpx

from pivo.settings import Settings
from pivo.stack.keys import secret
from pivo.stack.part import HOST, Folders, NotReady, Part

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
    try:
        httpx.get(url, timeout=5).raise_for_status()
    except httpx.HTTPError as err:
        raise NotReady(f"The forge does not answer: {err}") from err
