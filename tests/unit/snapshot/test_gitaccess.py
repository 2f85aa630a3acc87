"""Logins for git over http: which line of the file opens which URL, and where the password then is."""

from __future__ import annotations

from pathlib import Path

import pytest

from pivo.errors import UsageError
from pivo.gitaccess import GitAccess
from pivo.masking import masked

LINES = """# two hosts
https://ann:hidden%2Fword@git.example.org
https://bob:another-word@git.example.org/team
http://carol:third-word-here@git.example.org:8080

"""


@pytest.fixture
def access(tmp_path: Path) -> GitAccess:
    (tmp_path / "git-credentials").write_text(LINES)
    return GitAccess(credentials=tmp_path / "git-credentials")


@pytest.mark.parametrize(
    ("url", "login"),
    [
        ("https://git.example.org/acme/web.git", ("ann", "hidden/word")),
        ("https://GIT.example.org/acme/web.git", ("ann", "hidden/word")),
        ("https://git.example.org/team/web.git", ("bob", "another-word")),
        ("https://git.example.org/teamwork/web.git", ("ann", "hidden/word")),
        ("http://git.example.org:8080/x", ("carol", "third-word-here")),
        ("http://git.example.org/x", None),
        ("https://git.example.org.evil.example/x", None),
        ("https://git.example.org@evil.example/x", None),
        ("https://somebody@git.example.org/x", None),
        ("ssh://git@git.example.org/x", None),
        ("git@git.example.org:x", None),
        ("/srv/git/x", None),
    ],
)
def test_a_login_goes_to_its_own_place_only(access: GitAccess, url: str, login: tuple[str, str] | None) -> None:
    assert access.login(url) == login
    told = access.config(url)
    assert [name for name in told if name.endswith(".extraHeader")] == (
        [f"http.{url.partition('://')[0]}://{url.split('/')[2]}/.extraHeader"] if login else []
    )
    if login is None:
        assert access.with_login(url) == url
    else:
        assert access.with_login(url).startswith(f"{url.partition('://')[0]}://{login[0]}:")
        assert login[1] not in masked(f"the server said {login[1]} and {told}")


def test_no_file_is_no_login_and_a_wrong_one_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("")
    for path in (tmp_path / "none", tmp_path / "empty"):
        assert GitAccess(credentials=path).login("https://git.example.org/x") is None
    (tmp_path / "wrong").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="no list of git logins"):
        GitAccess(credentials=tmp_path / "wrong").login("https://git.example.org/x")


def test_ssh_asks_nobody_and_knows_its_hosts(tmp_path: Path) -> None:
    assert "BatchMode=yes" in GitAccess().ssh_command() and "StrictHostKeyChecking=yes" in GitAccess().ssh_command()
    for name in ("key", "passphrase", "a known%host"):
        (tmp_path / name).write_text("x")
    told = GitAccess(
        ssh_key=tmp_path / "key",
        ssh_passphrase=tmp_path / "passphrase",
        known_hosts=tmp_path / "a known%host",
        scratch=tmp_path / "run",
    ).ssh_command()
    assert "IdentitiesOnly=yes" in told and "a known%%host" in told and "BatchMode" not in told
    assert (tmp_path / "run" / "ssh-askpass").stat().st_mode & 0o77 == 0
