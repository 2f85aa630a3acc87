"""A forge through GitHub's REST API: github.com, a GitHub Enterprise server, or the embedded local forge.

The calls and their answers are those of https://docs.github.com/rest (version 2022-11-28). The token travels in
headers only: it is in no argument list, no exception and no log line.
"""

from __future__ import annotations

import base64
import logging
import random
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from pivo.errors import NotFound, TargetError, Unavailable, UsageError
from pivo.settings import ForgeAccess

log = logging.getLogger(__name__)

ATTEMPTS = 5
_LONGEST_WAIT = 60.0  # seconds; a forge that asks for more is treated as not answering
_RETRIED = frozenset({429, 500, 502, 503, 504})


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

    Answers 429 and 5xx, rate limits (403 with their headers) and failed connections are tried `attempts` times
    in all, with growing waits or the wait that the forge asks for; then Unavailable.
    """

    def __init__(
        self,
        access: ForgeAccess,
        *,
        attempts: int = ATTEMPTS,
        sleep: Callable[[float], None] = time.sleep,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        parts = urlsplit(access.api_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.password:
            raise UsageError(
                "The forge's address is not a plain http(s) URL.",
                "Set PIVO_FORGE_URL (or the Connection pivo_github), e.g. to the API's base URL of your forge.",
            )
        self.access = access
        self.host = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname
        self._attempts, self._sleep = attempts, sleep
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
        body = {"name": name, "description": description, "private": private, "auto_init": False}
        path = "/user/repos" if own else f"/orgs/{quote(owner, safe='')}/repos"
        answer = self._call("POST", path, body, allow={404, 422})
        if answer.status_code == 404:
            raise TargetError(
                f"{self.host} lets {login.name} create no repository in {owner}: no such organisation, or the token "
                "does not reach it.",
                f"Use {login.name}/{name}, or a token with rights in {owner}{_scopes(answer)}.",
            )
        if answer.status_code == 422:
            # An attempt whose answer was lost may have created it: then it is there, and empty.
            found = self.repo(owner, name) if answer.extensions["pivo.attempts"] > 1 else None
            if found is None or found.size > 0:
                raise self._invalid(answer, f"{owner}/{name}")
            return found
        return self._parse(_json(answer, self.host))

    def set_default_branch(self, owner: str, name: str, branch: str) -> ForgeRepo:
        """Make `branch`, which must exist, the one that a clone checks out."""
        answer = self._call("PATCH", _path(owner, name), {"default_branch": branch}, allow={422})
        if answer.status_code == 422:
            raise self._invalid(answer, f"{owner}/{name}")
        return self._parse(_json(answer, self.host))

    def list_org_repos(self, owner: str) -> Iterator[ForgeRepo]:
        """All repositories of an organisation or a person, page by page; NotFound for an unknown owner."""
        answer = self._call("GET", f"/orgs/{quote(owner, safe='')}/repos?per_page=100", allow={404})
        if answer.status_code == 404:
            answer = self._call("GET", f"/users/{quote(owner, safe='')}/repos?per_page=100", allow={404})
        if answer.status_code == 404:
            raise NotFound(f"{self.host} knows no organisation or person {owner}.", "Check the name and the token.")
        while True:
            yield from (self._parse(row) for row in _json(answer, self.host))
            following = answer.links.get("next", {}).get("url")
            if not following:
                return
            answer = self._call("GET", following)

    def git_config(self, clone_url: str) -> dict[str, str]:
        """git configuration that authenticates at `clone_url`; for git's environment, never its arguments.

        TargetError when the address is not on the forge's own host: the token goes nowhere else.
        """
        mine, theirs = urlsplit(self.access.api_url), urlsplit(clone_url)
        if theirs.hostname not in {mine.hostname, (mine.hostname or "").removeprefix("api.")}:
            raise TargetError(
                f"The forge at {self.host} names {theirs.hostname} as the repository's host.",
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
        last = ""
        for attempt in range(1, self._attempts + 1):
            try:
                answer = self._client.request(method, url, json=body, headers=self._headers())
            except httpx.TransportError as err:
                last = f"did not answer ({type(err).__name__})"
                wait: float | None = None
            else:
                if not _later(answer):
                    answer.extensions["pivo.attempts"] = attempt
                    return self._checked(method, answer, allow)
                last = f"answered {answer.status_code} to {method}"
                wait = _asked_wait(answer)
            if attempt == self._attempts or (wait or 0) > _LONGEST_WAIT:
                break
            pause = wait if wait is not None else 0.5 * 2 ** (attempt - 1) * random.uniform(0.8, 1.2)
            log.info("%s %s; attempt %d of %d, next in %.1f s", self.host, last, attempt, self._attempts, pause)
            self._sleep(pause)
        raise Unavailable(f"The forge at {self.host} {last}.", "Nothing is half done; try again when it is back.")

    def _headers(self) -> dict[str, str]:
        headers = {
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
            "User-Agent": "pivo",
        }
        if self.access.token:
            headers["Authorization"] = f"Bearer {self.access.token}"
        return headers

    def _checked(self, method: str, answer: httpx.Response, allow: Collection[int]) -> httpx.Response:
        status = answer.status_code
        if answer.is_success or status in allow:
            return answer
        if status == 401:
            why = "refused the token: it is unknown or has expired" if self.access.token else "asks for a token"
            raise TargetError(
                f"The forge at {self.host} {why}.",
                "Put a valid one in the Connection pivo_github or in PIVO_FORGE_TOKEN_FILE.",
            )
        if status == 403:
            sso = " It has to be authorised for the organisation's single sign-on." if _sso(answer) else ""
            raise TargetError(
                f"The token has no right to this at {self.host}: {_message(answer)}.{sso}",
                f"Use a token that may create repositories and push{_scopes(answer)}.",
            )
        if status == 404:
            raise TargetError(f"{self.host} knows no such repository or hides it from this token.", "Check both.")
        raise TargetError(f"{self.host} answered {status} to {method}: {_message(answer)}.", "Check the forge.")

    def _invalid(self, answer: httpx.Response, name: str) -> TargetError:
        message = _message(answer)
        if "already exists" in message:
            return TargetError(f"{name} exists already on {self.host}.", "Choose a name that is free.")
        return TargetError(f"{self.host} refused {name}: {message}.", "Choose another name.")

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
            raise _not_github(self.host) from None


def _path(owner: str, name: str) -> str:
    return f"/repos/{quote(owner, safe='')}/{quote(name, safe='')}"


def _later(answer: httpx.Response) -> bool:
    """Whether the same call may work later: server errors and rate limits (primary and secondary)."""
    if answer.status_code in _RETRIED:
        return True
    limited = answer.headers.get("x-ratelimit-remaining") == "0" or "retry-after" in answer.headers
    return answer.status_code == 403 and (limited or "rate limit" in _message(answer).lower())


def _asked_wait(answer: httpx.Response) -> float | None:
    """The wait in seconds that the forge asks for, None when it asks for none."""
    after = answer.headers.get("retry-after", "")
    if after.isascii() and after.isdigit():
        return float(after)
    reset = answer.headers.get("x-ratelimit-reset", "")
    if answer.headers.get("x-ratelimit-remaining") == "0" and reset.isascii() and reset.isdigit():
        return max(1.0, float(reset) - time.time())
    return None


def _json(answer: httpx.Response, host: str) -> Any:
    try:
        return answer.json()
    except ValueError:
        raise _not_github(host) from None


def _not_github(host: str) -> TargetError:
    return TargetError(
        f"What answers at {host} does not speak GitHub's REST API.", "Check the forge's address (PIVO_FORGE_URL)."
    )


def _message(answer: httpx.Response) -> str:
    """What the forge says of an error, in one line of at most 300 characters."""
    try:
        body = answer.json()
        parts = [body["message"], *(e.get("message", "") for e in body.get("errors", []) if isinstance(e, dict))]
    except (ValueError, KeyError, TypeError, AttributeError):
        parts = [answer.text or answer.reason_phrase]
    flat = " ".join("; ".join(p for p in parts if p).split())
    return "".join(c for c in flat if c.isprintable())[:300].rstrip(".")


def _scopes(answer: httpx.Response) -> str:
    has, needs = answer.headers.get("x-oauth-scopes"), answer.headers.get("x-accepted-oauth-scopes")
    if has is None:
        return ""
    return f" (it has the scopes [{has}]" + (f", the call needs one of [{needs}])" if needs else ")")


def _sso(answer: httpx.Response) -> bool:
    return "x-github-sso" in answer.headers
