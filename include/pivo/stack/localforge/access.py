"""Who asks, and whether they may: tokens, single sign-on, rate limits, and refusals as GitHub words them."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from pivo.stack.localforge.repos import Account, Forge, Repository

_BODY_LIMIT = 1 << 20


class Refused(Exception):
    """A call that ends in an error answer."""

    def __init__(
        self,
        status: int,
        message: str,
        errors: list[dict[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.errors, self.headers = status, message, errors, dict(headers or {})


def forge_of(request: Request) -> Forge:
    """The forge that a request came to."""
    forge: Forge = request.app.state.forge
    return forge


def credentials(header: str | None, forge: Forge) -> Account | None:
    """The account of an Authorization header (Bearer, token, or Basic with the token as its password).

    None without a header; Refused(401) for a token that is not known.
    """
    if not header:
        return None
    scheme, _, value = header.partition(" ")
    token = value.strip()
    if scheme.lower() == "basic":
        try:
            name, _, token = base64.b64decode(token, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise Refused(401, "Bad credentials") from None
        token = token if token not in {"", "x-oauth-basic"} else name
    elif scheme.lower() not in {"bearer", "token"}:
        raise Refused(401, "Bad credentials")
    for known, account in forge.tokens.items():
        if secrets.compare_digest(known.encode(), token.encode()):
            return account
    raise Refused(401, "Bad credentials")


def account(request: Request) -> Account | None:
    """Who asks; None for nobody known. Counts the call, and refuses it over the limits, or without single sign-on."""
    forge = forge_of(request)
    found = request.state.account = credentials(request.headers.get("authorization"), forge)
    asked = forge.limits.count(found.login if found else "", request.method == "POST") if forge.limits else None
    if (spent := asked) is not None:
        raise Refused(spent.status, spent.message, headers=spent.headers)
    owner = request.path_params.get("owner", "")
    if not forge.lets_in(found, owner):
        base = f"{request.url.scheme}://{request.url.netloc}"
        url = f"{base}/orgs/{owner}/sso?authorization_request={secrets.token_hex(16)}"
        raise Refused(
            403,
            "Resource protected by organization SAML enforcement. You must grant your Personal Access token access to "
            "this organization.",
            headers={"X-GitHub-SSO": f"required; url={url}"},
        )
    return found


def known(request: Request) -> Account:
    """Who asks; Refused for nobody known."""
    found = account(request)
    if found is None:
        raise Refused(401, "Requires authentication")
    return found


def writer(request: Request, permission: str = "administration=write") -> Account:
    """Who asks, if their token may change things; Refused otherwise. `permission` as fine-grained tokens call it."""
    found = known(request)
    if not found.write:
        if found.fine_grained:
            told = {"X-Accepted-GitHub-Permissions": permission}
            raise Refused(403, "Resource not accessible by personal access token", headers=told)
        raise Refused(403, "Must have admin rights to Repository.")
    return found


def find(request: Request, asker: Account | None) -> Repository:
    """The repository that a call is about; Refused where there is none that the asker may see."""
    repo = forge_of(request).find(request.path_params["owner"], request.path_params["name"])
    if repo is None or (repo.private and asker is None):
        raise Refused(404, "Not Found")
    return repo


async def body(request: Request) -> dict[str, Any]:
    """The JSON object that came with a call."""
    raw = b""
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > _BODY_LIMIT:
            raise Refused(413, "Payload too large")
    try:
        found = json.loads(raw or b"{}")
    except ValueError:
        raise Refused(400, "Problems parsing JSON") from None
    if not isinstance(found, dict):
        raise Refused(400, "Body should be a JSON object")
    return found
