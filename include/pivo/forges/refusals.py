"""What a forge's refusal means, and what to do about it: tokens, scopes, permissions, single sign-on."""

from __future__ import annotations

import re

import httpx

from pivo.errors import TargetError

_SSO_OWNER = re.compile(r"/(?:orgs|enterprises)/([A-Za-z0-9-]{1,100})/sso\b")
_PERMISSION = re.compile(r"[a-z_]{1,60}=(?:read|write|admin)")

SSO = (
    "On the forge: a person's settings, Developer settings, Personal access tokens, Configure SSO. A fine-grained "
    "token is authorised when it is made, by that organisation as its owner."
)


def refused(host: str, method: str, answer: httpx.Response, with_token: bool) -> TargetError:
    """The error for an answer that is no success and will be the same next time."""
    status = answer.status_code
    if status == 401:
        why = "refused the token: it is unknown or has expired" if with_token else "asks for a token"
        do = "Put a valid one in the Connection pivo_github or in PIVO_FORGE_TOKEN_FILE."
        return TargetError(f"The forge at {host} {why}.", do)
    if (owner := sso(answer)) is not None:
        whose = f"{owner}'s" if owner else "the organisation's"
        return TargetError(f"{host} wants the token authorised for {whose} single sign-on: {message(answer)}.", SSO)
    if status == 403:
        what = f"The token has no right to this at {host}: {message(answer)}."
        return TargetError(what, needed(answer) or "Use a token that may create repositories and push.")
    if status == 404:
        if not _json(answer):
            return not_github(host)
        do = f"Check both. {needed(answer)}".strip()
        return TargetError(f"{host} knows no such repository or hides it from this token.", do)
    return TargetError(f"{host} answered {status} to {method}: {message(answer)}.", "Check the forge.")


def invalid(host: str, answer: httpx.Response, name: str) -> TargetError:
    """The error for a repository that the forge will not have like this (422)."""
    said = message(answer)
    if "already exists" in said:
        return TargetError(f"{name} exists already on {host}.", "Choose a name that is free.")
    return TargetError(f"{host} refused {name}: {said}.", "Choose another name.")


def not_github(host: str) -> TargetError:
    """The error for what answers, and is no forge."""
    return TargetError(
        f"What answers at {host} does not speak GitHub's REST API.",
        "Check the forge's address (PIVO_FORGE_URL): https://api.github.com, or of a GitHub Enterprise server its own "
        "with /api/v3 at the end.",
    )


def needed(answer: httpx.Response) -> str:
    """A sentence about the scopes that a classic token lacks, or the permissions that a fine-grained one does; empty
    where the forge does not tell."""
    has, accepted = answer.headers.get("x-oauth-scopes"), answer.headers.get("x-accepted-oauth-scopes", "")
    if has is not None:
        needs = f"; the call needs one of [{_plain(accepted)}]" if accepted.strip() else ""
        return f"The token has the scopes [{_plain(has)}]{needs}."
    permissions = _PERMISSION.findall(answer.headers.get("x-accepted-github-permissions", ""))
    if not permissions:
        return ""
    told = ", ".join(p.replace("=", ": ") for p in permissions[:10])
    return f"Give the fine-grained token, for this very owner and repository, the permission {told}."


def sso(answer: httpx.Response) -> str | None:
    """The organisation whose single sign-on the token is not authorised for (empty: not told); None for none."""
    head = answer.headers.get("x-github-sso", "")
    if head.partition(";")[0].strip() != "required" and "SAML enforcement" not in message(answer):
        return None
    found = _SSO_OWNER.search(head)
    return found[1] if found else ""


def partial(answer: httpx.Response) -> str:
    """The ids of the organisations that a list leaves out, as the token is not authorised for their sign-on."""
    kind, _, rest = answer.headers.get("x-github-sso", "").partition(";")
    return _plain(rest.partition("=")[2]) or "unknown" if kind.strip() == "partial-results" else ""


def message(answer: httpx.Response) -> str:
    """What the forge says of an error, in one line of at most 300 characters."""
    try:
        body = answer.json()
        parts = [body["message"], *(e.get("message", "") for e in body.get("errors", []) if isinstance(e, dict))]
    except (ValueError, KeyError, TypeError, AttributeError):
        parts = [answer.text or answer.reason_phrase]
    return _plain("; ".join(str(p) for p in parts if p)).rstrip(".")


def expected(answer: httpx.Response) -> bool:
    """Whether an error is an answer to the question, and not one of a proxy, or of the single sign-on."""
    return _json(answer) and sso(answer) is None


def _json(answer: httpx.Response) -> bool:
    return "json" in answer.headers.get("content-type", "json")


def _plain(text: str) -> str:
    return "".join(c for c in " ".join(text.split()) if c.isprintable())[:300]
