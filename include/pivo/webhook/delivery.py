"""One delivery: proven to come from who knows the secret, then read."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from pivo.errors import PivoError, UsageError

LIMIT = 25 << 20
"""Bytes of the largest body: what GitHub caps its payloads at."""

EVENTS = frozenset({"push", "create", "delete"})
"""The events after which a repository's refs are not what they were."""

_ID = re.compile(r"[0-9A-Za-z-]{8,64}")
_EVENT = re.compile(r"[a-z_]{1,40}")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}/[A-Za-z0-9._-]{1,100}")
_SIGNATURE = re.compile(r"sha256=[0-9a-f]{64}")
_ADDRESSES = ("clone_url", "ssh_url", "git_url", "html_url")


class Forged(PivoError):
    """The delivery is not signed with the secret."""


class Unreadable(UsageError):
    """The delivery is signed, but is not what GitHub documents."""


@dataclass(frozen=True)
class Delivery:
    """What happened to which repository. `digest` is the SHA-256 of the body, `addresses` are the repository's own."""

    id: str
    event: str
    digest: str
    repo: str
    addresses: tuple[str, ...]


def signed(body: bytes, signature: str | None, secrets: Collection[str]) -> None:
    """Forged unless `signature` (the header X-Hub-Signature-256) is `body`'s with one of the secrets.

    How long it takes tells nothing about the right signature, nor which secret it was.
    """
    given, right = signature or "", False
    for secret in secrets:
        expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        right |= hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace"))
    if not right:
        what = "is signed with another secret" if given else "is not signed"
        raise Forged(f"The delivery {what}.", "Give the forge's webhook the secret that PIVO has, and no other.")


def well_formed(signature: str | None) -> bool:
    """Whether it is worth reading the body: the header at least looks like a signature."""
    return bool(signature and _SIGNATURE.fullmatch(signature))


def read(headers: Mapping[str, str], body: bytes) -> Delivery:
    """The delivery of a body that was :func:`signed`; Unreadable. `headers` by their lower-case names."""
    event, name = headers.get("x-github-event", ""), headers.get("x-github-delivery", "")
    if not _EVENT.fullmatch(event) or not _ID.fullmatch(name):
        raise Unreadable("X-GitHub-Event or X-GitHub-Delivery is missing.", "This address is for GitHub's webhooks.")
    payload = _payload(headers.get("content-type", ""), body)
    digest = hashlib.sha256(body).hexdigest()
    if event not in EVENTS:
        return Delivery(name, event, digest, "", ())
    repository = payload.get("repository")
    full_name = repository.get("full_name") if isinstance(repository, dict) else None
    if not isinstance(repository, dict) or not isinstance(full_name, str) or not _NAME.fullmatch(full_name):
        raise Unreadable(f"The {event} event names no repository.", "This address is for GitHub's webhooks.")
    found = (repository.get(key) for key in _ADDRESSES)
    return Delivery(name, event, digest, full_name, tuple(a for a in found if isinstance(a, str) and len(a) < 1000))


def _payload(kind: str, body: bytes) -> dict[str, Any]:
    try:
        text = body.decode("utf-8")
        if kind.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded":
            (text,) = parse_qs(text, max_num_fields=10, strict_parsing=True)["payload"]
        payload = json.loads(text)
    except (ValueError, KeyError, RecursionError):
        payload = None
    if not isinstance(payload, dict):
        raise Unreadable("The delivery's body is not a JSON object.", "Set the webhook's content type to JSON.")
    return payload
