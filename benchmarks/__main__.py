"""`python -m benchmarks [name [argument]]`: one benchmark, or all of them."""

from __future__ import annotations

import importlib
import sys

ALL = ("up", "main_job", "reads", "nights", "restores", "verify", "index", "questions", "chat")


def run(name: str, *args: str) -> None:
    importlib.import_module(f"benchmarks.{name}").main(*args)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        run(*sys.argv[1:])
    else:
        for each in ALL:
            run(each)
