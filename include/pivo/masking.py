"""Keeps credentials out of what is told: errors, the trace log, questions that are remembered, answers of servers.

Three things are masked: the values of secrets that this process was told (:func:`learn`), the login in a URL, and
what has the form of a well-known kind of token. The audit log does not rely on this: it keeps what is on an allow-list
(events/redaction.py).
"""

from __future__ import annotations

import base64
import re
from urllib.parse import quote

MASK = "***"
SHORTEST = 8
"""Characters; a shorter secret is no secret, and masking it would mask words."""

NO_LOGIN = r"^(?!\w[\w+.-]*://[^/]*:[^/]*@)(?!https?://[^/]*@)"
"""Matches what is no URL with a login in it (JSON Schema): Airflow keeps a run's parameters, so it is refused before
there is a run."""

_known: set[str] = set()

_LOGIN = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]*)://(?P<login>[^\s/?#\"'<>`]+)@", re.I)
_QUERY = re.compile(
    r"(?P<name>[?&](?:access_?token|private_?token|auth|token|api_?key|key|pass(?:word)?|secret|sig|signature"
    r"|delegation|x-amz-(?:signature|credential|security-token)))=[^\s&#\"'<>`]+",
    re.I,
)
_TOKENS = re.compile(
    r"gh[opsur]_[A-Za-z0-9]{16,}|github_pat_\w{20,}|glpat-[\w-]{16,}|AIza[\w-]{30,}|xox[abprs]-[\w-]{10,}"
    r"|\bAKIA[0-9A-Z]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.S,
)


def learn(*secrets: str) -> None:
    """From now on these are masked, as they are, as a URL spells them and as basic authentication does."""
    for secret in secrets:
        if len(secret) >= SHORTEST:
            _known.update({secret, quote(secret, safe="")})
            logins = (f"x-access-token:{secret}", f":{secret}", secret)
            _known.update(base64.b64encode(login.encode()).decode() for login in logins)


def known() -> list[str]:
    """All that :func:`learn` was told, in every form, for other maskers."""
    return sorted(_known)


def masked(text: str) -> str:
    """`text` without credentials."""
    for secret in sorted(_known, key=len, reverse=True):
        if secret in text:
            text = text.replace(secret, MASK)
    if "://" in text:
        text = _QUERY.sub(rf"\g<name>={MASK}", _LOGIN.sub(_without_login, text))
    return _TOKENS.sub(MASK, text)


def _without_login(found: re.Match[str]) -> str:
    """A URL's beginning: over ssh the user stays, over http it may be a token."""
    user, colon, _ = found["login"].partition(":")
    scheme = found["scheme"]
    if not scheme.lower().startswith("http") and not colon:
        return found[0]
    return f"{scheme}://{MASK}@" if scheme.lower().startswith("http") else f"{scheme}://{user}:{MASK}@"
