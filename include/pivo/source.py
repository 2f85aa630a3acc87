"""A git remote, asked over its own protocol: its refs, and a self-contained pack of what the archive lacks.

No mirror is kept. The archive's last tips are offered as haves, so the server sends only what is new; without
thin packs every delta's base is in the pack.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast
from urllib.parse import unquote, urlsplit, urlunsplit

import urllib3
from dulwich.client import (
    GitClient,
    HTTPUnauthorized,
    SSHGitClient,
    default_urllib3_manager,
    get_transport_and_path,
)
from dulwich.errors import GitProtocolError, HangupException, NotGitRepository
from dulwich.objects import ObjectID
from dulwich.refs import HEADREF
from dulwich.refs import Ref as GitRef

from pivo.errors import SourceError, SourceMoved, Unavailable, UsageError
from pivo.gitaccess import GitAccess, unknown_host
from pivo.gitmemory import bounded
from pivo.gitobjects import text
from pivo.settings import base_environment
from pivo.wire import DaemonClient, LocalClient, Ssh, Wires

_SAID = 64 * 1024  # bytes kept of what a failing server says
TIMEOUT = 120.0  # seconds without a byte from a server, after which it counts as gone
_SCHEMES = {"http", "https", "git", "ssh", "git+ssh", "file"}
_SCP_LIKE = re.compile(r"^[\w.\-]+@[\w.\-]+:(?!/{2}).+")
_HASH = re.compile(r"\b[0-9a-f]{40}\b")

_NOT_COUNTED = (
    "refs/pull/",  # GitHub's pull requests: hidden refs that no forge takes back
    "refs/merge-requests/",
    "refs/merge/",
    "refs/keep-around/",
    "refs/pipelines/",
    "refs/environments/",
    "refs/remotes/",  # what a clone knows of other repositories
    "refs/stash",
)

# What a git hook finds in its environment (`git rev-parse --local-env-vars`), which must not steer our git.
_OF_ANOTHER_REPOSITORY = {
    f"GIT_{name}" for name in (
        "ALTERNATE_OBJECT_DIRECTORIES", "COMMON_DIR", "DIR", "GRAFT_FILE", "INDEX_FILE", "NAMESPACE",
        "OBJECT_DIRECTORY", "PREFIX", "QUARANTINE_PATH", "REPLACE_REF_BASE", "SHALLOW_FILE", "WORK_TREE",
    )
}  # fmt: skip

# What git and ssh say, in lower case, when ...
_DAMAGE = (
    "corrupt", "missing", "unable to read", "could not read", "bad object", "bad tree", "hash mismatch", "not our ref",
    "unable to parse", "garbage",
)  # fmt: skip
_REFUSED = (
    "not found", "does not appear", "not exported", "denied", "authentication", "could not read username",
    "http resp 401", "http resp 403", "host key verification",
)  # fmt: skip
_AWAY = ("connection", "timed out", "refused", "resolve", "unreachable", "http resp 5")

_BROKE_OFF = (HangupException, GitProtocolError, AssertionError)  # what dulwich raises when a server does

Want = Callable[[dict[str, str]], Sequence[str]]
"""From HEAD and all counted refs (name → target) to the objects to ask for."""


@dataclass(frozen=True)
class Remote:
    """What a remote said: its counted refs (full name → target), where HEAD points, and whether a pack came.

    `head` is the commit of HEAD, None when it is unborn; `head_ref` the branch it stands on, None when detached.
    `symrefs` are other refs that follow one of these (name → that one), where the remote tells: the protocol's first
    version tells of HEAD only.
    """

    refs: dict[str, str]
    head: str | None
    head_ref: str | None
    packed: bool
    symrefs: Mapping[str, str] = field(default_factory=dict)


def counts(ref: str, also: Sequence[str] = ()) -> bool:
    """Whether a ref belongs in a snapshot: all do but forges' inner ones, unless a prefix in `also` asks for them."""
    if not ref.startswith("refs/") or ref.endswith("^{}"):
        return False
    return not ref.startswith(_NOT_COUNTED) or ref.startswith(tuple(also))


def normalise(url: str) -> str:
    """A source as git means it: an URL, `user@host:path`, or the absolute path of a local folder (as file://)."""
    wrong = UsageError(f"{url[:200]!a} is not a git URL or path.", "Give a URL or the path of a repository.")
    if any(not c.isprintable() for c in url) or url.startswith("-") or not url.strip():
        raise wrong
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:  # a broken IPv6 address, or a port that is no number
        raise wrong from None
    if parts.scheme in _SCHEMES and "://" in url:
        # ssh would take a host or a user that begins with "-" for an option.
        if parts.scheme != "file" and (not host or parts.netloc.startswith("-") or host.startswith("-")):
            raise wrong
        return url
    try:
        here = Path(url).exists()
    except OSError as err:
        raise SourceError(f"{url[:200]} cannot be opened: {err.strerror}.", "Check the path.") from None
    if here:
        return Path(url).resolve().as_uri()
    if "@-" in url:  # ssh would take such a host for an option
        raise wrong
    if _SCP_LIKE.match(url):
        return url
    if "://" in url or "::" in url:
        raise UsageError(
            f"{public(url)} has a scheme that PIVO does not fetch from.", f"Use {', '.join(sorted(_SCHEMES))}."
        )
    raise SourceError(f"There is no repository at {url}.", "Check the path or give a URL.")


def public(url: str) -> str:
    """The URL without password (over http, without user too), fit for manifests, events and messages."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "the URL"
    user, at, host = parts.netloc.rpartition("@")
    if not at or "://" not in url:
        return url
    kept = f"{user.partition(':')[0]}@" if "ssh" in parts.scheme else ""
    return urlunsplit(parts._replace(netloc=f"{kept}{host}"))


def name_of(url: str) -> str:
    """The repository name that a source suggests: the last part of its path without `.git`."""
    try:
        path = unquote(urlsplit(url).path if "://" in url else url.rpartition(":")[2]).rstrip("/")
    except ValueError:  # `normalise` says what is wrong with it
        return ""
    last = path.removesuffix("/.git").rpartition("/")[2]
    return last.removesuffix(".git")


class _Walker:
    """Offers haves to the server, in order."""

    shallow: set[ObjectID] | None = None

    def __init__(self, haves: Iterable[str]) -> None:
        self._rest = iter(haves)

    def __next__(self) -> ObjectID | None:
        have = next(self._rest, None)
        return ObjectID(have.encode()) if have else None

    next = __next__

    def ack(self, sha: ObjectID) -> None: ...

    def nak(self) -> None: ...


def fetch(url: str, want: Want, haves: Iterable[str], sink: Callable[[bytes], int], *, also: Sequence[str] = (),
          token: str = "", ssh: str = "") -> Remote:  # fmt: skip
    """Asks the remote at `url` for its refs and, when `want` names objects, writes their pack to `sink`.

    `haves` are tips that the archive holds; unknown ones do no harm. `also` are ref prefixes that count besides the
    usual ones, `ssh` the command for ssh (a shell's words). SourceError or Unavailable when the remote fails,
    SourceMoved when its refs changed meanwhile.
    """
    url, wanted, offered = normalise(url), list[str](), list[str]()

    def offering() -> Iterator[str]:
        for have in haves:
            offered.append(have)
            yield have

    def chosen(refs: dict[str, str]) -> Sequence[str]:
        wanted.extend(want(refs))
        return wanted

    try:
        return _fetch(url, chosen, offering(), sink, also, token, ssh)
    except (SourceError, Unavailable) as err:
        if url.startswith("file:"):  # the folder itself may say it better than the protocol
            _check_local(unquote(urlsplit(url).path))
        if not isinstance(err.__cause__, _BROKE_OFF):
            raise
        # What the server cannot read may be what it just said to have in common with the archive: it was collected.
        named = _HASH.search(err.what)
        gone = named[0] if named and named[0] in offered else _gone(url, wanted, also, token, ssh)
        if not gone:
            raise
        raise SourceMoved(
            f"{public(url)} changed while it was read: no ref of it is at {gone} any more.",
            "Run the snapshot again; nothing was published.",
        ) from err


def _gone(url: str, wanted: Sequence[str], also: Sequence[str], token: str, ssh: str) -> str | None:
    """One of the objects that were `wanted`, to which no ref of the remote leads now."""
    if not wanted:
        return None
    try:
        now = _fetch(url, lambda refs: [], [], len, also, token, ssh)
    except (SourceError, Unavailable):
        return None
    named = {now.head, *now.refs.values()}
    return next((oid for oid in wanted if oid not in named), None)


def _fetch(url: str, want: Want, haves: Iterable[str], sink: Callable[[bytes], int], also: Sequence[str],
           token: str, ssh: str) -> Remote:  # fmt: skip
    asked, named = False, dict[str, str]()

    def wants(refs: Mapping[GitRef, ObjectID], depth: int | None = None) -> list[ObjectID]:
        nonlocal asked, named
        named = {n: t.decode() for name, t in refs.items() if counts(n := text(name), also) or name == HEADREF}
        chosen = [ObjectID(oid.encode()) for oid in want(named)]
        asked = bool(chosen)
        if asked and path:
            checked.append(beside.submit(_check_local, path))
        return chosen

    path = unquote(urlsplit(url).path) if url.startswith("file:") else ""
    if path and not Path(path).is_dir():
        raise _no_repository(path)
    checked: list[Future[None]] = []  # a local folder's word on itself, asked while it sends
    with ThreadPoolExecutor(1) as beside, tempfile.TemporaryFile() as said, _told(url, said):

        def heard(line: bytes) -> None:  # why a server fails, it says on the channel for progress
            if any(sign in line for sign in (b"error", b"fatal")) and said.tell() < _SAID:
                said.write(line)

        with Wires(_environment(), said, TIMEOUT) as wires:
            client, where = _client(url, wires, token, ssh)
            result = client.fetch_pack(where, wants, _Walker(haves), sink, progress=heard)
        for one in checked:
            one.result()
        if result.new_shallow:
            raise _shallow(url)
    if result.object_format not in (None, "sha1"):
        raise SourceError(
            f"{public(url)} uses {result.object_format} object names.", "PIVO archives SHA-1 repositories only, so far."
        )
    named = named or {n: t.decode() for name, t in result.refs.items() if t and counts(n := text(name), also)}
    refs = {name: oid for name, oid in named.items() if name != "HEAD"}
    head = result.refs.get(HEADREF)
    ref = result.symrefs.get(HEADREF)
    if path and not any(result.refs.values()):
        _check_local(path)
        unborn = _git(path, "symbolic-ref", "--quiet", "HEAD")  # an empty repository has a branch in mind
        return Remote({}, None, unborn, False)
    follow = {text(name): text(to) for name, to in result.symrefs.items() if name != HEADREF and to}
    follow = {name: to for name, to in follow.items() if name in refs and to in refs}
    return Remote(refs, head.decode() if head else None, text(ref) if ref else None, asked, follow)


def _client(url: str, wires: Wires, token: str, ssh: str) -> tuple[GitClient, str]:
    parts = urlsplit(url)
    if parts.scheme == "file":
        return LocalClient(wires), unquote(parts.path)
    if parts.scheme in {"http", "https"}:
        manager = default_urllib3_manager(None, timeout=TIMEOUT, base_url=url)
        return get_transport_and_path(
            url,
            thin_packs=False,
            quiet=True,
            pool_manager=cast(urllib3.PoolManager, manager),
            username="x-access-token" if token else None,
            password=token or None,
        )
    if parts.scheme == "git":
        return DaemonClient(wires, parts.hostname or "", parts.port), parts.path
    env = base_environment()
    program = env.get("GIT_SSH_COMMAND") or (shlex.quote(env["GIT_SSH"]) if env.get("GIT_SSH") else None)
    program = program or ssh or GitAccess().ssh_command()
    client, path = get_transport_and_path(url, thin_packs=False, quiet=True, ssh_command=program)
    assert isinstance(client, SSHGitClient)
    client.ssh_vendor = Ssh(wires)
    return client, path


def _environment() -> dict[str, str]:
    """This process's environment for git: its messages in English, and nothing that points at another repository."""
    kept = {k: v for k, v in base_environment().items() if k not in _OF_ANOTHER_REPOSITORY}
    return bounded({**kept, "LC_ALL": "C"})


def _git(path: str, *args: str) -> str | None:
    done = subprocess.run(
        ["git", "-C", path, *args], env=_environment(), capture_output=True, text=True, errors="replace", check=False
    )
    return done.stdout.strip() if done.returncode == 0 else None


def _check_local(path: str) -> None:
    """Refuses what a local folder tells of itself: no repository, shallow, partial."""
    shallow = _git(path, "rev-parse", "--is-shallow-repository") if Path(path).is_dir() else None
    if shallow is None:
        raise _no_repository(path)
    if shallow == "true":
        raise _shallow(path)
    if _git(path, "config", "--get-regexp", r"^(remote\..*\.promisor|extensions\.partialclone)$"):
        raise SourceError(
            f"{path} is a partial clone: objects are missing from it.",
            "Snapshot the repository that it was cloned from.",
        )


def _no_repository(path: str) -> SourceError:
    return SourceError(f"There is no git repository at {path}.", "Check the path, its owner and its permissions.")


def _shallow(url: str) -> SourceError:
    return SourceError(
        f"{public(url)} is a shallow clone: its history is cut off.",
        "Run `git fetch --unshallow` in it, or snapshot the repository that it was cloned from.",
    )


@contextmanager
def _told(url: str, said: IO[bytes]) -> Iterator[None]:
    """Turns what the protocol layer raises into what happened and what to do."""
    shown = public(url)
    try:
        yield
    except NotGitRepository as err:
        raise SourceError(f"There is no repository at {shown}.", "Check the URL, and that you may read it.") from err
    except HTTPUnauthorized as err:
        raise SourceError(
            f"{shown} refused access.",
            "Check the token, or the login in secrets/git-credentials, and that it may read this repository.",
        ) from err
    except _BROKE_OFF as err:
        if isinstance(err.__context__, TimeoutError):
            raise Unavailable(
                f"{shown} did not answer: {err.__context__}.", "Check the network and the server, then try again."
            ) from err.__context__
        said.seek(0)
        lines = [row.strip() for row in [*text(said.read()).splitlines(), *_lines(err)] if row.strip()]
        if not lines:
            raise Unavailable(
                f"{shown} closed the connection without a word.",
                "Try again; if it does so every time, run `git fsck` in the source.",
            ) from err
        raise _refusal(shown, lines) from err
    except (OSError, urllib3.exceptions.HTTPError) as err:
        raise Unavailable(f"{shown} did not answer: {err}.", "Check the network and the URL, then try again.") from err


def _lines(err: Exception) -> list[str]:
    if isinstance(err, HangupException):  # its own words are only that the server hung up
        return [text(row) for row in err.stderr_lines or ()]
    if isinstance(err.__cause__, ConnectionError):  # so are those of a pipe that broke as it was written to
        return []
    return str(err).splitlines()


def _refusal(shown: str, lines: list[str]) -> Exception:
    spoken = " ".join(lines)
    lower = spoken.replace(shown, "").lower()  # a repository may be called "missing"
    if any(sign in lower for sign in _DAMAGE):
        named = _HASH.search(spoken)
        what = f"object {named[0]}" if named else "an object"
        return SourceError(
            f"{shown} cannot send its history: {what} is missing or corrupt there ({_last(lines)}).",
            "Run `git fsck` in the source and mend it; nothing was published.",
        )
    if sentence := unknown_host(shown, spoken):
        return SourceError(*sentence)
    if any(sign in lower for sign in _REFUSED):
        return SourceError(
            f"{shown} is not there, or refuses access ({_last(lines)}).",
            "Check the URL and what opens it: secrets/git-credentials, secrets/ssh-key.",
        )
    if any(sign in lower for sign in _AWAY):
        return Unavailable(
            f"{shown} did not answer ({_last(lines)}).", "Check the network and the URL, then try again."
        )
    return SourceError(f"{shown} broke off ({_last(lines)}).", "Try `git ls-remote` on it, then snapshot it again.")


def _last(lines: list[str]) -> str:
    return (lines or ["it said nothing"])[0][:200].rstrip(".")
