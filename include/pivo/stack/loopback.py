"""HTTP to the stack's own servers: never through a proxy, and without loading certificate authorities each time."""

from __future__ import annotations

from functools import cache
from typing import Any

import httpx

from pivo.stack.part import NotReady


@cache
def _client() -> httpx.Client:
    # plain HTTP on this machine: there is nothing to verify, and the list of authorities takes 30 ms to read
    return httpx.Client(trust_env=False, verify=False, timeout=10)


def request(what: str, method: str, url: str, **more: Any) -> httpx.Response:
    """The answer of `what` (a name for the message); NotReady when there is none, or it is an error."""
    try:
        answer = _client().request(method, url, **more)
        answer.raise_for_status()
        return answer
    except httpx.HTTPError as err:
        raise NotReady(f"{what} does not answer: {err}") from err
