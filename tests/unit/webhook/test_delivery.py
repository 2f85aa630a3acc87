"""Who sent a delivery, and what it says."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from pivo.webhook import Forged, Unreadable, read, signed
from webhook_kit import SECRET, encoded, headers, push, signature


def test_githubs_own_example_is_proven() -> None:
    """The values of docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries."""
    good = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    signed(b"Hello, World!", good, ["It's a Secret to Everybody"])
    for body in (b"Hello, World", b"hello, World!", b""):
        with pytest.raises(Forged, match="another secret"):
            signed(body, good, ["It's a Secret to Everybody"])


@pytest.mark.parametrize("given", [None, "", "sha256=", "sha1=" + "0" * 40, "sha256=" + "0" * 64, "\u00e9", "sha256"])
def test_what_is_not_signed_is_refused(given: str | None) -> None:
    with pytest.raises(Forged):
        signed(b"{}", given, [SECRET])


def test_while_a_secret_is_changed_both_count_and_without_one_none_does() -> None:
    for secret in ("old", "new"):
        signed(b"{}", signature(b"{}", secret), ["new", "old"])
    with pytest.raises(Forged):
        signed(b"{}", signature(b"{}", "older"), ["new", "old"])
    with pytest.raises(Forged):
        signed(b"{}", signature(b"{}", ""), [])


@pytest.mark.parametrize("event", ["push", "create", "delete"])
def test_a_delivery_is_read_as_json_and_as_a_form(event: str) -> None:
    body = encoded(push("acme/web"))
    plain = read(headers(body, event, "72d3162e-cc78-11e3-81ab-4c9367dc0958"), body)
    assert (plain.event, plain.repo, plain.id) == (event, "acme/web", "72d3162e-cc78-11e3-81ab-4c9367dc0958")
    assert "https://forge.example/acme/web.git" in plain.addresses
    form = urlencode({"payload": body.decode()}).encode()
    kind = {"content-type": "application/x-www-form-urlencoded"}
    assert read(headers(form, event) | kind, form).addresses == plain.addresses


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"\xff", b'{"repository": "acme/web"}', b'{"repository": {"full_name": 5}}', b"[" * 100_000,
     b'{"repository": {"full_name": "../../etc"}}', b'{"repository": {"full_name": "a/b/c"}}', b'{"repository": {}}'],
)  # fmt: skip
def test_a_body_that_is_no_event_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        read(headers(body), body)


@pytest.mark.parametrize("name", ["x-github-event", "x-github-delivery"])
def test_headers_that_are_missing_or_strange_are_told(name: str) -> None:
    body = encoded(push())
    for value in ("", "'; DROP TABLE deliveries", "x" * 100):
        with pytest.raises(Unreadable):
            read(headers(body) | {name: value}, body)


def test_other_events_need_no_repository() -> None:
    assert read(headers(b"{}", "ping"), b"{}").event == "ping"
    assert read(headers(b"{}", "marketplace_purchase"), b"{}").repo == ""
