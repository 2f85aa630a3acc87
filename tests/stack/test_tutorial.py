"""docs/tutorial.md, done as it says: its commands are run in order, and what it shows is what they say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pivo.settings import CHECKOUT

pytestmark = pytest.mark.stack


def test_the_tutorial_does_what_it_says(stack_env: dict[str, str], tmp_path: Path) -> None:
    text = (CHECKOUT / "docs" / "tutorial.md").read_text()
    blocks = re.findall(r"^```(bash|text)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert sum(kind == "bash" for kind, _ in blocks) >= 6
    own = {name: value for name, value in os.environ.items() if not name.startswith("PIVO_")}
    path = f"{Path(sys.executable).parent}:{own['PATH']}"
    env = {**own, **stack_env, "PATH": path, "PYTHONPATH": str(CHECKOUT / "include"), "HOME": str(tmp_path)}
    said = ""
    for kind, body in blocks:
        if kind == "text":
            for line in filter(None, body.splitlines()):
                assert line in said, f"{line!r} is not in:\n{said}"
            continue
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", body], cwd=tmp_path, env=env, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{body}\n{done.stdout}\n{done.stderr}"
        said = done.stdout
