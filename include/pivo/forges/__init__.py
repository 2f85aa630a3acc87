"""A forge through GitHub's REST API: github.com, a GitHub Enterprise server, or the embedded local forge.

The calls and their answers are those of https://docs.github.com/rest (version 2022-11-28). The token travels in
headers only: it is in no argument list, no exception and no log line.
"""

from __future__ import annotations

from pivo.forges.github import ATTEMPTS, ForgeRepo, GitHub, Login
from pivo.forges.limits import PATIENCE, TASK_PATIENCE

__all__ = ["ATTEMPTS", "PATIENCE", "TASK_PATIENCE", "ForgeRepo", "GitHub", "Login"]
