"""The embedded stack's own forge: GitHub's REST calls, with real git behind them.

It answers as GitHub documents its REST API (status codes, bodies, headers, paging) for the few calls that PIVO
uses, under `/api/v3` as a GitHub Enterprise server does, and serves the repositories themselves over git's
smart HTTP protocol at `/<owner>/<repo>.git` through `git http-backend`. A browser gets a plain page per
repository, a webhook hears of each push. It keeps bare repositories in one folder, `<root>/<owner>/<repo>.git`,
and listens on loopback only.

Run it with `python -m pivo.stack.localforge --port 3000 --root … --token-file …`; tests use `ForgeServer`.
"""

from __future__ import annotations

from pivo.stack.localforge.app import create_app
from pivo.stack.localforge.limits import Limits
from pivo.stack.localforge.repos import Account, Forge, Repository
from pivo.stack.localforge.server import ForgeServer

__all__ = ["Account", "Forge", "ForgeServer", "Limits", "Repository", "create_app"]
