"""What every git that PIVO starts is told, so that its memory does not grow with files or packs.

By default git inflates files of up to 512 MB whole, maps packs by the gigabyte, and keeps the deltas that it made. So
bounded, `git index-pack` of a pack of 2.3 GB with files of 300 MB takes 81 MB, not 290, and what is mapped of a pack
(`RssFile`) stays under 256 MB. A delta is the exception: it is resolved in memory, its base and its result whole.
"""

from __future__ import annotations

from collections.abc import Mapping

BOUNDED: Mapping[str, str] = {
    "core.bigFileThreshold": "16m",  # larger files are streamed, and no delta is looked for
    "core.packedGitWindowSize": "32m",
    "core.packedGitLimit": "256m",
    "pack.windowMemory": "64m",  # per thread
    "pack.deltaCacheSize": "64m",
    "pack.threads": "2",
}

OPTIONS: tuple[str, ...] = tuple(word for key, value in BOUNDED.items() for word in ("-c", f"{key}={value}"))
"""The same, as arguments between `git` and its command."""


def bounded(env: Mapping[str, str], also: Mapping[str, str] | None = None) -> dict[str, str]:
    """`env` with the configuration laid into it, for git and all that it starts; `also` is more of it."""
    made, first = dict(env), int(env.get("GIT_CONFIG_COUNT") or 0)
    told = {**BOUNDED, **(also or {})}
    for number, (key, value) in enumerate(told.items(), first):
        made |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    made["GIT_CONFIG_COUNT"] = str(first + len(told))
    return made
