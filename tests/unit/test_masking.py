"""What a person, a log or a model is told has no credentials in it, and is otherwise as it was."""

from __future__ import annotations

import base64
import uuid
from pathlib import Path

import pytest

from pivo import masking
from pivo.errors import SourceError
from pivo.masking import masked
from pivo.trace import line, trace


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("see https://ann:hidden-word@host/x.git.", "see https://***@host/x.git."),
        ("https://justatoken@host/x", "https://***@host/x"),
        ("https://a:b@c@host:8443/x?y=1", "https://***@host:8443/x?y=1"),
        ("HTTPS://Ann:w@HOST/x", "HTTPS://***@HOST/x"),
        ("ssh://git:hidden@host/x", "ssh://git:***@host/x"),
        ("postgresql+psycopg2://airflow:hidden@postgres/airflow", "postgresql+psycopg2://airflow:***@postgres/airflow"),
        ("https://host/a?access_token=hidden&b=1", "https://host/a?access_token=***&b=1"),
        ("https://s3/o?X-Amz-Signature=abc&X-Amz-Date=1", "https://s3/o?X-Amz-Signature=***&X-Amz-Date=1"),
        ("my token is ghp_0123456789abcdefABCD, who?", "my token is ***, who?"),
        ("key AIzaSyA-0123456789_abcdefghijklmnopqrs!", "key ***!"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNz\n-----END OPENSSH PRIVATE KEY-----\nend", "***\nend"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE…", "***"),
    ],
)
def test_credentials_are_masked(text: str, told: str) -> None:
    assert masked(text) == told
    assert masked(told) == told


@pytest.mark.parametrize(
    "text",
    [
        "Who committed last to acme/web?",
        "ssh://git@host/acme/web.git and git@host:acme/web.git",
        "file:///srv/a@b/c.git",
        "https://host:8443/acme/web.git?page=2#readme@v1",
        "ann@example.org wrote to https://host/~ann",
        "refs/heads/ghp_short, the AKI of a key",
    ],
)
def test_what_is_no_credential_stays(text: str) -> None:
    assert masked(text) == text


def test_a_secret_that_the_process_knows_is_masked_in_each_form() -> None:
    secret = f"s/{uuid.uuid4().hex}"
    assert secret in masked(secret)
    masking.learn(secret, "short", "")
    basic = base64.b64encode(f"x-access-token:{secret}".encode()).decode()
    for form in (secret, secret.replace("/", "%2F"), basic):
        assert masked(f"the server said: Bad credentials {form}!") == "the server said: Bad credentials ***!"
    assert masked("a short word") == "a short word"


def test_errors_and_the_trace_log_mask(tmp_path: Path) -> None:
    err = SourceError("https://ann:hidden-word@host/x refused.", "Ask ghp_0123456789abcdefABCD.")
    assert (err.what, err.do) == ("https://***@host/x refused.", "Ask ***.")
    assert "hidden" not in f"{err}{err!r}{err.args}"
    assert "hidden" not in line("METADATA-SVC", "SQL", "https://ann:hidden@h/x")
    trace(tmp_path / "pivo.log", "PIVO-ORCHESTRATOR", "INFO", "https://ann:hidden@h/x")
    assert "https://***@h/x" in (tmp_path / "pivo.log").read_text()
