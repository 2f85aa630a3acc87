"""Pages for the person who follows a link: the repositories, and one repository with branches and commits."""

from __future__ import annotations

import subprocess
from html import escape
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from pivo.stack.localforge.repos import Forge, Repository

_COMMITS = 30
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#1f2328}
@media(prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}a{color:#4493f8}}
code,pre{font:13px ui-monospace,monospace}pre{padding:.7rem 1rem;border:1px solid #8884;border-radius:6px;overflow:auto}
table{border-collapse:collapse;width:100%}td{padding:.3rem .8rem .3rem 0;border-top:1px solid #8883;vertical-align:top}
h1{font-size:1.4rem}h2{font-size:1rem;margin-top:2rem}small{color:#888}
.pill{border:1px solid #8886;border-radius:1em;padding:0 .6em}
"""
_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'"}


def routes() -> list[Route]:
    """The pages."""
    return [Route("/", home), Route("/{owner}", home), Route("/{owner}/{name}", show)]


def home(request: Request) -> Response:
    forge: Forge = request.app.state.forge
    owners = [request.path_params["owner"]] if "owner" in request.path_params else forge.owners()
    rows = [r for owner in owners for r in forge.of_owner(owner) or [] if _visible(forge, r)]
    listed = "".join(
        f'<tr><td><a href="/{quote(r.full_name)}">{escape(r.full_name)}</a></td>'
        f"<td>{escape(r.description or '')}</td><td><small>{escape(r.pushed_at)}</small></td></tr>"
        for r in rows
    )
    return _html("Repositories", f"<table>{listed}</table>" if rows else "<p>No repository yet.</p>")


def show(request: Request) -> Response:
    forge: Forge = request.app.state.forge
    repo = forge.find(request.path_params["owner"], request.path_params["name"].removesuffix(".git"))
    if repo is None or not _visible(forge, repo):
        return _html("Not found", "<p>There is no such repository here.</p>", 404)
    clone = f"{request.url.scheme}://{request.url.netloc}/{repo.full_name}.git"
    heads = forge.branches(repo)
    mark = {repo.default_branch: ' <span class="pill">default</span>'}
    body = [
        f"<p>{escape(repo.description or '')}</p><pre>git clone {escape(clone)}</pre>",
        "<h2>Branches</h2><table>",
        *(f"<tr><td>{escape(n)}{mark.get(n, '')}</td><td><code>{c}</code></td></tr>" for n, c in heads),
        "</table>" if heads else "</table><p>Nothing was pushed yet.</p>",
        _commits(forge, repo) if repo.default_branch in dict(heads) else "",
    ]
    return _html(repo.full_name, "".join(body))


def _commits(forge: Forge, repo: Repository) -> str:
    form = "--format=%h%x00%s%x00%an%x00%ad"
    branch = f"refs/heads/{repo.default_branch}"
    try:
        out = forge.git("log", f"-{_COMMITS}", form, "--date=short", branch, "--", at=repo.path)
    except subprocess.CalledProcessError as err:
        return f"<p>git log failed: {escape(err.stderr.decode(errors='replace'))}</p>"
    rows = [[escape(cell) for cell in line.split("\0")] for line in out.splitlines()]
    listed = "".join(
        f"<tr><td><code>{h}</code></td><td>{s}</td><td>{a}</td><td><small>{d}</small></td></tr>"
        for h, s, a, d in (r for r in rows if len(r) == 4)
    )
    return f"<h2>Last commits on {escape(repo.default_branch)}</h2><table>{listed}</table>"


def _visible(forge: Forge, repo: Repository) -> bool:
    return forge.anonymous_read or not repo.private


def _html(title: str, body: str, status: int = 200) -> Response:
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<style>{_STYLE}</style><h1>{escape(title)}</h1>{body}<p><small><a href="/">local forge</a></small></p>'
    )
    return HTMLResponse(page, status, _HEADERS)
