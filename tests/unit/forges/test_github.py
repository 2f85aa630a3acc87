"""The client of GitHub's REST API against the local forge, and against one that fails."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pivo.errors import NotFound, TargetError, Unavailable, UsageError
from pivo.forges import GitHub
from pivo.settings import ForgeAccess
from pivo.stack.localforge import ForgeServer
from restore_kit import READ_ONLY, TOKEN


@pytest.fixture
def github(forge: ForgeServer) -> Iterator[GitHub]:
    with GitHub(ForgeAccess(forge.api_url, TOKEN)) as client:
        yield client


def test_a_repository_is_created_for_a_person_and_for_an_organisation(github: GitHub) -> None:
    for owner in ("pivo", "acme"):
        made = github.create(owner, "tool", "a tool", private=True)
        assert (made.full_name, made.private, made.description) == (f"{owner}/tool", True, "a tool")
        assert github.repo(owner, "Tool") == made  # names do not differ by case
    assert github.repo("acme", "none") is None
    assert github.whoami().name == "pivo"


def test_a_name_that_is_taken_or_bad_is_refused(github: GitHub) -> None:
    github.create("pivo", "tool")
    with pytest.raises(TargetError, match="pivo/tool exists already"):
        github.create("pivo", "tool")
    with pytest.raises(TargetError, match="name is invalid"):
        github.create("pivo", "tool.git")


def test_an_unknown_organisation_is_named(github: GitHub) -> None:
    with pytest.raises(TargetError, match="no repository in nobody") as caught:
        github.create("nobody", "x")
    assert "scopes [repo, read:org]" in caught.value.do
    with pytest.raises(NotFound, match="nobody"):
        list(github.list_org_repos("nobody"))


def test_a_bad_and_a_weak_token_are_told_apart_and_never_shown(
    forge: ForgeServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with (
        GitHub(ForgeAccess(forge.api_url, "wrong-secret-token")) as client,
        pytest.raises(TargetError, match="refused the token") as bad,
    ):
        client.whoami()
    with GitHub(ForgeAccess(forge.api_url, READ_ONLY)) as client, pytest.raises(TargetError, match="no right") as weak:
        client.create("guest", "x")
    with GitHub(ForgeAccess(forge.api_url)) as client, pytest.raises(TargetError, match="asks for a token"):
        client.whoami()
    assert "The token has the scopes [read:user]; the call needs one of [public_repo, repo]" in weak.value.do
    said = caplog.text + repr(bad.value) + repr(weak.value) + repr(ForgeAccess(forge.api_url, TOKEN))
    assert not any(secret in said for secret in ("wrong-secret-token", READ_ONLY, TOKEN))


def test_lists_are_read_to_the_last_page(forge: ForgeServer, github: GitHub) -> None:
    names = [f"repo-{number:03d}" for number in range(205)]
    folder = forge.forge.create("acme", names[0], None, private=True).path
    for name in names[1:]:
        copy = folder.with_name(f"{name}.git")
        copy.mkdir()
        (copy / "HEAD").write_text("ref: refs/heads/main\n")
        for sub in ("refs/heads", "refs/tags", "objects"):
            (copy / sub).mkdir(parents=True)
        facts = (folder / "forge.json").read_text().replace(names[0], name)
        (copy / "forge.json").write_text(facts)
    assert [r.name for r in github.list_org_repos("acme")] == names
    assert list(github.list_org_repos("void")) == []
    assert [r.name for r in github.list_org_repos("pivo")] == []


def test_private_repositories_are_hidden_from_those_without_a_token(forge: ForgeServer, github: GitHub) -> None:
    github.create("acme", "secret", private=True)
    github.create("acme", "open", private=False)
    with GitHub(ForgeAccess(forge.api_url)) as anyone:
        assert anyone.repo("acme", "secret") is None
        assert [r.name for r in anyone.list_org_repos("acme")] == ["open"]


def test_the_default_branch_must_exist(github: GitHub) -> None:
    github.create("pivo", "tool")
    with pytest.raises(TargetError, match="branch gone was not found"):
        github.set_default_branch("pivo", "tool", "gone")


def test_the_token_goes_to_the_forge_and_nowhere_else(github: GitHub) -> None:
    assert list(github.git_config(github.create("pivo", "x").clone_url))
    with pytest.raises(TargetError, match="elsewhere"):
        github.git_config("https://elsewhere.example/pivo/x.git")
    with GitHub(ForgeAccess("https://api.forge.example", TOKEN)) as client:
        assert list(client.git_config("https://forge.example/a/b.git")) == ["http.https://forge.example/.extraHeader"]


@pytest.mark.parametrize("url", ["ftp://x", "127.0.0.1:3000", "http://name:word@host/api"])
def test_a_strange_address_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        GitHub(ForgeAccess(url))


Answer = tuple[int, dict[str, str], bytes]


@pytest.fixture
def flaky() -> Iterator[Callable[[list[Answer]], tuple[str, list[str]]]]:
    """A server that gives the prepared answers in turn; its address, and the requests that came."""
    servers: list[ThreadingHTTPServer] = []

    def start(answers: list[Answer]) -> tuple[str, list[str]]:
        seen: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                self.rfile.read(int(self.headers.get("content-length") or 0))
                status, headers, body = answers[min(len(seen), len(answers) - 1)]
                seen.append(f"{self.command} {self.path}")
                if status == 0:
                    self.close_connection = True
                    return
                (self.send_response_only if "Date" in headers else self.send_response)(status)
                for name, value in (headers | {"Content-Length": str(len(body))}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PATCH = handle_any  # noqa: N815

            def log_message(self, format: str, *args: object) -> None: ...

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}", seen

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


USER = (200, {}, b'{"login": "pivo"}')


def test_failures_are_tried_again_with_the_wait_that_the_forge_asks_for(
    flaky: Callable[[list[Answer]], tuple[str, list[str]]],
) -> None:
    limited = b'{"message": "You have exceeded a secondary rate limit."}'
    url, seen = flaky([
        (502, {}, b""), (429, {"Retry-After": "7"}, b""), (0, {}, b""), (403, {"Retry-After": "2"}, limited), USER,
    ])  # fmt: skip
    waits: list[float] = []
    with GitHub(ForgeAccess(url, "t"), sleep=waits.append) as client:
        assert client.whoami().name == "pivo"
    assert len(seen) == 5 and waits[1] == 7 and waits[3] == 2
    assert 0.5 <= waits[0] <= 0.6 and 2 <= waits[2] <= 2.4


SECONDARY = b'{"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}'
PRIMARY = b'{"message": "API rate limit exceeded for user ID 1."}'
SPENT = {"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "0"}


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        # no header: a minute, then twice as long each time, as GitHub's documentation asks
        ([(403, {}, SECONDARY), (429, {}, SECONDARY)], [(60, 72), (120, 144)]),
        ([(403, {"X-RateLimit-Remaining": "4999"}, SECONDARY)], [(60, 72)]),
        ([(429, {"Retry-After": "0"}, SECONDARY)], [(0, 0)]),
        ([(429, {"Retry-After": "Mon, 23 Nov 2026 10:00:30 GMT"}, b"")], [(30, 30)]),
        ([(403, {**SPENT, "X-RateLimit-Reset": "1795428090"}, PRIMARY)], [(91, 91)]),
        ([(429, {**SPENT, "X-RateLimit-Reset": "1795428090"}, PRIMARY)], [(91, 91)]),
        ([(403, SPENT, PRIMARY)], [(60, 72)]),
        ([(503, {"Retry-After": "11"}, b"maintenance")], [(11, 11)]),
    ],
)
def test_every_kind_of_limit_is_waited_for(
    flaky: Callable[[list[Answer]], tuple[str, list[str]]],
    answers: list[Answer],
    expected: list[tuple[float, float]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    dated = [(s, h | {"Date": "Mon, 23 Nov 2026 10:00:00 GMT"}, b) for s, h, b in answers]  # the forge's own clock
    url, seen = flaky([*dated, USER])
    waits: list[float] = []
    with GitHub(ForgeAccess(url, "t"), sleep=waits.append, patience=900) as client:
        client.whoami()
    assert len(seen) == len(answers) + 1
    assert all(low <= wait <= high for wait, (low, high) in zip(waits, expected, strict=True)), waits
    if answers[0][0] != 503:  # people hear of a limit, and not of every hiccup
        told = "as often as it does in an hour" if answers[0][2] == PRIMARY else "a secondary rate limit"
        assert told in caplog.text


def test_all_waits_together_are_bounded_and_the_sentence_says_so(
    flaky: Callable[[list[Answer]], tuple[str, list[str]]],
) -> None:
    waits: list[float] = []
    url, seen = flaky([(403, {"Retry-After": "40"}, SECONDARY)])
    with GitHub(ForgeAccess(url, "t"), sleep=waits.append, patience=100) as client:
        with pytest.raises(
            Unavailable, match=r"asks to slow down .*no call before .*in 40 s.* waited 80 s of the 100 s"
        ):
            client.whoami()
        with pytest.raises(Unavailable):
            client.whoami()  # there is no patience left
    assert waits == [40, 40] and len(seen) == 4
    url, seen = flaky([(403, SPENT | {"X-RateLimit-Reset": "99999999999"}, PRIMARY)])
    with (
        GitHub(ForgeAccess(url, "t"), sleep=waits.append) as client,
        pytest.raises(Unavailable, match=r"as often as it does in an hour \(5000 times\)") as spent,
    ):
        client.whoami()
    assert len(seen) == 1 and "waited 0 s" in str(spent.value)


def test_a_forge_that_stays_away_is_unavailable_after_a_bounded_number_of_attempts(
    flaky: Callable[[list[Answer]], tuple[str, list[str]]],
) -> None:
    url, seen = flaky([(503, {}, b"")])
    with GitHub(ForgeAccess(url, "t"), sleep=lambda _s: None) as client, pytest.raises(Unavailable, match="503"):
        client.whoami()
    assert len(seen) == 5
    with (
        GitHub(ForgeAccess("http://127.0.0.1:9", "t"), sleep=lambda _s: None) as client,
        pytest.raises(Unavailable, match="did not answer"),
    ):
        client.repo("a", "b")


def test_a_creation_whose_answer_was_lost_is_found_and_not_repeated(
    flaky: Callable[[list[Answer]], tuple[str, list[str]]],
) -> None:
    exists = (
        b'{"message": "Repository creation failed.", "errors": [{"message": "name already exists on this account"}]}'
    )
    row = b'{"owner": {"login": "pivo"}, "name": "x", "private": true, "html_url": "h", "clone_url": "c", "size": %d}'
    url, _ = flaky([USER, (502, {}, b""), (422, {}, exists), (200, {}, row % 0)])
    with GitHub(ForgeAccess(url, "t"), sleep=lambda _s: None) as client:
        assert client.create("pivo", "x").name == "x"
    url, _ = flaky([USER, (502, {}, b""), (422, {}, exists), (200, {}, row % 7)])
    with (
        GitHub(ForgeAccess(url, "t"), sleep=lambda _s: None) as client,
        pytest.raises(TargetError, match="exists already"),
    ):
        client.create("pivo", "x")


def test_something_else_at_that_address_is_told(flaky: Callable[[list[Answer]], tuple[str, list[str]]]) -> None:
    url, _ = flaky([(200, {}, b"<html>welcome</html>")])
    with GitHub(ForgeAccess(url, "t")) as client, pytest.raises(TargetError, match="does not speak"):
        client.whoami()
        with pytest.raises(TargetError, match="does not speak"):
            client.repo("a", "b")
