"""The client of the REST API."""

from __future__ import annotations

import base64
import logging
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from pivo.errors import NotFound, TargetError, Unavailable, UsageError
from pivo.forges import limits
from pivo.forges.refusals import SSO, expected, invalid, needed, not_github, partial, refused
from pivo.settings import ForgeAccess

log = logging.getLogger(__name__)

ATTEMPTS = 5
_DESCRIPTION = 350  # characters; GitHub takes no more, and none that is not printable
_PAGES = 10_000  # of a list; a forge whose pages never end is broken


@dataclass(frozen=True)
class Login:
    """Who the token speaks for. `scopes` as the forge lists them, None where it does not (fine-grained tokens)."""

    name: str
    scopes: str | None


@dataclass(frozen=True)
class ForgeRepo:
    """A repository as the forge describes it; `size` in kB, `clone_url` without credentials."""

    owner: str
    name: str
    description: str | None
    private: bool
    default_branch: str
    html_url: str
    clone_url: str
    archived: bool = False
    fork: bool = False
    size: int = 0

    @property
    def full_name(self) -> str:
        return f"{self.owner}/{self.name}"


class GitHub:
    """A client of the REST API at `access.api_url`; a context manager, safe to share between threads.

    Rate limits, 5xx and failed connections are tried `attempts` times in all, with the waits that the forge asks for
    or growing ones, as long as all waits of this client together stay within `patience` seconds; then Unavailable.
    """

    def __init__(
        self,
        access: ForgeAccess,
        *,
        attempts: int = ATTEMPTS,
        patience: float = limits.PATIENCE,
        sleep: Callable[[float], None] = time.sleep,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        parts = urlsplit(access.api_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.password:
            raise UsageError(
                "The forge's address is not a plain http(s) URL.",
                "Set PIVO_FORGE_URL (or the Connection pivo_github), e.g. to the API's base URL of your forge.",
            )
        if parts.hostname in {"github.com", "www.github.com"}:
            raise UsageError(
                "https://github.com is GitHub's address for people.", "Set PIVO_FORGE_URL to https://api.github.com."
            )
        self.access = access
        self.host = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname
        self._attempts, self._patience, self._sleep = attempts, patience, sleep
        self._waited = 0.0
        self._client = httpx.Client(
            timeout=httpx.Timeout(30.0, connect=5.0), transport=transport, follow_redirects=True
        )

    def __enter__(self) -> GitHub:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._client.close()

    def whoami(self) -> Login:
        """The account of the token; TargetError without a valid one."""
        answer = self._call("GET", "/user")
        return Login(str(_json(answer, self.host)["login"]), answer.headers.get("x-oauth-scopes"))

    def repo(self, owner: str, name: str) -> ForgeRepo | None:
        """The repository, or None when there is none that this token can see."""
        answer = self._call("GET", _path(owner, name), allow={404})
        return None if answer.status_code == 404 else self._parse(_json(answer, self.host))

    def create(self, owner: str, name: str, description: str = "", private: bool = True) -> ForgeRepo:
        """A new, empty repository of a person or an organisation.

        TargetError when it exists, when the owner does not, or when the token has no right to.
        """
        login = self.whoami()
        own = owner.lower() == login.name.lower()
        text = "".join(c for c in " ".join(description.split()) if c.isprintable())[:_DESCRIPTION]
        body = {"name": name, "description": text, "private": private, "auto_init": False}
        path = "/user/repos" if own else f"/orgs/{quote(owner, safe='')}/repos"
        answer = self._call("POST", path, body, allow={404, 422})
        if answer.status_code == 404:
            raise TargetError(
                f"{self.host} lets {login.name} create no repository in {owner}: no such organisation, or the token "
                "does not reach it.",
                f"Use {login.name}/{name}, or a token with rights in {owner}. {needed(answer)}".strip(),
            )
        if answer.status_code == 422:
            # An attempt whose answer was lost may have created it: then it is there, and empty.
            found = self.repo(owner, name) if answer.extensions["pivo.attempts"] > 1 else None
            if found is None or found.size > 0:
                raise invalid(self.host, answer, f"{owner}/{name}")
            return found
        return self._parse(_json(answer, self.host))

    def set_default_branch(self, owner: str, name: str, branch: str) -> ForgeRepo:
        """Make `branch`, which must exist, the one that a clone checks out."""
        answer = self._call("PATCH", _path(owner, name), {"default_branch": branch}, allow={422})
        if answer.status_code == 422:
            raise invalid(self.host, answer, f"{owner}/{name}")
        return self._parse(_json(answer, self.host))

    def list_org_repos(self, owner: str) -> Iterator[ForgeRepo]:
        """All repositories of an organisation or a person that the token may see, each once, page by page.

        NotFound for an unknown owner; TargetError when single sign-on hides some of them.
        """
        # by name: one that is made meanwhile must not push another one over to a page that was read
        order, seen = "per_page=100&sort=full_name&direction=asc", set[str]()
        answer = self._call("GET", f"/orgs/{quote(owner, safe='')}/repos?{order}", allow={404})
        if answer.status_code == 404:
            # of a person others see what is public; the token's own account lists its private ones elsewhere
            own = self.access.token and self.whoami().name.lower() == owner.lower()
            path = "/user/repos?affiliation=owner&" if own else f"/users/{quote(owner, safe='')}/repos?"
            answer = self._call("GET", path + order, allow={404})
        if answer.status_code == 404:
            raise NotFound(
                f"{self.host} knows no organisation or person {owner}.",
                f"Check the name and the token. {needed(answer)}".strip(),
            )
        for _ in range(_PAGES):
            if hidden := partial(answer):
                raise TargetError(
                    f"{self.host} leaves repositories out of {owner}'s list: the token is not authorised for the "
                    f"single sign-on of the organisations with the ids {hidden}.",
                    SSO,
                )
            rows = [self._parse(row) for row in _json(answer, self.host)]
            yield from (repo for repo in rows if repo.full_name not in seen)
            seen.update(repo.full_name for repo in rows)
            following = answer.links.get("next", {}).get("url")
            if not following:
                return
            answer = self._call("GET", following)
        raise TargetError(f"{self.host} has no end of pages of {owner}'s repositories.", "Check the forge.")

    def git_config(self, clone_url: str) -> dict[str, str]:
        """git configuration that authenticates at `clone_url`; for git's environment, never its arguments.

        TargetError when the address is not on the forge's own host: the token goes nowhere else.
        """
        mine, theirs = urlsplit(self.access.api_url), urlsplit(clone_url)
        bare = mine.scheme == "https" and theirs.scheme != "https"
        if bare or theirs.hostname not in {mine.hostname, (mine.hostname or "").removeprefix("api.")}:
            raise TargetError(
                f"The forge at {self.host} names {theirs.scheme}://{theirs.hostname} as the repository's host.",
                "The token was not sent there; check the forge's address.",
            )
        if not self.access.token:
            return {}
        value = base64.b64encode(f"x-access-token:{self.access.token}".encode()).decode()
        return {f"http.{theirs.scheme}://{theirs.netloc}/.extraHeader": f"Authorization: Basic {value}"}

    def _call(
        self, method: str, path: str, body: dict[str, Any] | None = None, allow: Collection[int] = ()
    ) -> httpx.Response:
        url = path if path.startswith("http") else self.access.api_url + path
        if urlsplit(url).netloc != urlsplit(self.access.api_url).netloc:
            raise TargetError(f"{self.host} points to another host for {method}.", "The token was not sent there.")
        for attempt in range(1, self._attempts + 1):
            try:
                answer = self._client.request(method, url, json=body, headers=self._headers())
            except httpx.TransportError as err:
                pause = limits.away(err, attempt)
            else:
                later = limits.pause(answer, method, attempt)
                if later is None:
                    answer.extensions["pivo.attempts"] = attempt
                    if answer.is_success or (answer.status_code in allow and expected(answer)):
                        return answer
                    raise refused(self.host, method, answer, bool(self.access.token))
                pause = later
            if attempt == self._attempts or self._waited + pause.seconds > self._patience:
                break
            text = "%s %s; attempt %d of %d, the next in %s"
            level = logging.WARNING if pause.limit else logging.INFO
            log.log(level, text, self.host, pause.why, attempt, self._attempts, limits.span(pause.seconds))
            self._waited += pause.seconds
            self._sleep(pause.seconds)
        raise self._gone(pause)

    def _gone(self, pause: limits.Pause) -> Unavailable:
        if not pause.limit:
            return Unavailable(
                f"The forge at {self.host} {pause.why}.", "Nothing is half done; try again when it is back."
            )
        waited = f" PIVO has waited {limits.span(self._waited)} of the {limits.span(self._patience)} that it does."
        return Unavailable(
            f"The forge at {self.host} {pause.why}; it wants no call before {pause.until()}.{waited}",
            "Nothing is half done; try again then.",
        )

    def _headers(self) -> dict[str, str]:
        headers = {
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
            "User-Agent": "pivo",
        }
        if self.access.token:
            headers["Authorization"] = f"Bearer {self.access.token}"
        return headers

    def _parse(self, row: dict[str, Any]) -> ForgeRepo:
        try:
            return ForgeRepo(
                owner=row["owner"]["login"],
                name=row["name"],
                description=row.get("description"),
                private=bool(row["private"]),
                default_branch=row.get("default_branch") or "main",
                html_url=row["html_url"],
                clone_url=row["clone_url"],
                archived=bool(row.get("archived")),
                fork=bool(row.get("fork")),
                size=int(row.get("size") or 0),
            )
        except (KeyError, TypeError):
            raise not_github(self.host) from None


def _path(owner: str, name: str) -> str:
    return f"/repos/{quote(owner, safe='')}/{quote(name, safe='')}"


def _json(answer: httpx.Response, host: str) -> Any:
    try:
        return answer.json()
    except ValueError:
        raise not_github(host) from None
