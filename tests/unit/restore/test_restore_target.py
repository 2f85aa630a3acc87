"""What may be the target of a restore."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from pivo.errors import Unavailable, UsageError
from pivo.restore.gitcli import environment
from pivo.restore.target import Target, check, remote_refs
from pivo.settings import ForgeAccess


@pytest.mark.parametrize(
    ("text", "kind", "path"),
    [
        ("acme/tool", "forge", None),
        ("file:///srv/git/tool.git", "git", "/srv/git/tool.git"),
        ("file:///srv/with%20space.git", "git", "/srv/with space.git"),
        ("/srv/git/tool.git", "git", "/srv/git/tool.git"),
        ("https://forge.example/acme/tool.git", "git", None),
        ("ssh://git@forge.example:2222/acme/tool.git", "git", None),
        ("git@forge.example:acme/tool.git", "git", None),
    ],
)
def test_targets_are_understood(text: str, kind: str, path: str | None) -> None:
    target = Target.parse(text)
    assert (target.kind, target.path) == (kind, Path(path) if path else None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tool",
        "a/b/c",
        "../etc",
        "-u/x",
        "--upload-pack=touch/x",
        "ext::sh -c whoami",
        "ext::sh",
        "fd::17/foo",
        "ext::file:///x",
        "ftp://host/x.git",
        "https://",
        "https://host",
        "ssh://-oProxyCommand=x/y",
        "https://name:word@host/x.git",
        "https://token@host/x.git",
        "ssh://git:word@host/x.git",
        "file://elsewhere/x.git",
        "file:///srv/../etc/x.git",
        "/",
        "acme/to ol",
        "acme/to\nol",
        "https://host/\x1b[2Jx.git",
        "acme/\u202egit",
    ],
)
def test_what_is_no_target_or_runs_programs_or_holds_a_password_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        Target.parse(text)
    assert "word" not in caught.value.what and caught.value.what.isprintable()


def test_a_host_that_is_away_is_unavailable(tmp_path: Path) -> None:
    for text in ("http://127.0.0.1:9/x.git", "git://127.0.0.1:9/x.git"):
        with pytest.raises(Unavailable, match="did not answer"):
            check(Target.parse(text), ForgeAccess("http://127.0.0.1:9"))


def test_a_host_that_goes_silent_is_unavailable_before_the_push_has_its_hours() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/a/b.git"
        with pytest.raises(Unavailable, match="Operation too slow"):
            remote_refs(url, {"http.lowSpeedTime": "1"})
    told = environment()
    assert sum("ServerAliveInterval" in value for name, value in told.items() if name.startswith("GIT_CONFIG_")) == 1
