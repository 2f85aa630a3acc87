"""The routes of the archive page. They only read; a restore begins at api/proposals."""

# No postponed annotations here: FastAPI reads those of the routes, and they name what routes() is given.
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import Response

from pivo.agent import build
from pivo.agent.messages import ToolUse, UserMessage
from pivo.chat import browse
from pivo.chat.guards import Callers, reading, resources
from pivo.chat.host import Caller, Host
from pivo.errors import NotFound
from pivo.models import Json

_Repo = Annotated[str, Query(min_length=1, max_length=255)]
_Ref = Annotated[str, Query(min_length=1, max_length=255)]
_Path = Annotated[str, Query(max_length=4096)]
_Line = Annotated[int, Query(ge=1, le=100_000_000)]
_Offset = Annotated[int, Query(ge=0, le=10_000_000)]


def routes(host: Host, who: Callers) -> APIRouter:
    """The routes under api/archive."""
    router = APIRouter(prefix="/api/archive", dependencies=[Depends(who.anyone)])

    @router.get("/repositories")
    def repositories(text: Annotated[str, Query(max_length=200)] = "", sort: str = "name", offset: _Offset = 0) -> Json:
        return browse.repositories(resources(host.settings()).reader(), text.strip(), sort, offset)

    @router.get("/repository")
    def repository(repo: _Repo) -> Json:
        return browse.repository(resources(host.settings()).reader(), repo)

    @router.get("/snapshots")
    def snapshots(repo: _Repo, before: Annotated[int | None, Query(ge=0, le=1 << 62)] = None) -> Json:
        return browse.snapshots(resources(host.settings()).reader(), repo, before)

    @router.get("/commits")
    def commits(repo: _Repo, lost: bool = False, offset: _Offset = 0) -> Json:
        return browse.commits(resources(host.settings()).reader(), repo, lost=lost, offset=offset)

    @router.get("/content")
    def content(
        repo: _Repo,
        caller: Annotated[Caller, Depends(who.anyone)],
        ref: _Ref = "HEAD",
        path: _Path = "",
        line: _Line = 1,
    ) -> Json:
        opened = resources(host.settings())
        with reading():
            found = browse.content(opened, repo, ref, browse.clean(path), line)
        if found["kind"] == "file":
            facts = {"repo": repo, "path": found["path"], "commit": found["commit"]}
            opened.trail(caller.name, "chat").record("tool", "done", tool="read_file", **facts)
        return found

    @router.get("/diff")
    def diff(
        repo: _Repo,
        new: _Ref,
        caller: Annotated[Caller, Depends(who.anyone)],
        old: Annotated[str, Query(max_length=255)] = "",
        path: _Path = "",
        after: _Path = "",
        line: _Line = 1,
    ) -> Json:
        tools = build.toolbox(resources(host.settings()), caller.name)
        arguments: Json = {"repo": repo, "new": new, "old": old, "path": browse.clean(path), "after": after}
        asked = f"Compare {old or 'the parent'} with {new} in {repo}"
        tools.begin(asked, [UserMessage(asked)])
        with reading():
            output = tools.run(
                ToolUse("page-1", "get_file_diff", {k: v for k, v in arguments.items() if v} | {"line": line})
            )
        if output.view is None:
            raise NotFound(str(output.summary.get("error", "")), str(output.summary.get("do", "")))
        more = output.more or {}
        return output.view.to_json() | {"next": {k: more[k] for k in ("after", "line") if k in more} or None}

    @router.get("/download")
    def download(
        request: Request,
        repo: _Repo,
        path: _Path,
        caller: Annotated[Caller, Depends(who.anyone)],
        ref: _Ref = "HEAD",
    ) -> Response:
        if request.headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
            raise HTTPException(403, "Requests from other sites are refused.")
        path = browse.clean(path)
        opened = resources(host.settings())
        with reading():
            commit, body = browse.download(opened, repo, ref, path)
        facts = {"repo": repo, "path": path, "commit": commit}
        opened.trail(caller.name, "chat").record("tool", "done", tool="download", **facts)
        # Bytes to be saved, whatever the file says that it is: nothing out of a repository is ever shown as a page.
        name = quote(path.rpartition("/")[2], safe="")
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}", "Cache-Control": "no-store"}
        return Response(body, media_type="application/octet-stream", headers=headers)

    return router
