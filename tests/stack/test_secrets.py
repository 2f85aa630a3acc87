"""A run leaves no secret behind: not in logs, Airflow's database, events, the index, HDFS, arguments, errors, the chat.

Every secret that PIVO can be given is planted where it belongs, and some where they do not. Then the main job runs,
with failures that make servers repeat what they were told, and everything that it left is searched.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import os
import re
import socketserver
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

import gitmake
from index_kit import messages
from pivo.errors import UsageError
from pivo.events import AUDIT_TOPIC, COMMIT_TOPIC
from pivo.events.topics import STATE_TOPIC
from pivo.orchestrator import Orchestrator
from pivo.settings import CHECKOUT, Settings
from pivo.snapshot.archive import Archive
from pivo.stack.localforge import Account, Forge, ForgeServer
from pivo.store import open_store
from stack_kit import Pivo

pytestmark = pytest.mark.stack

_JSON = {"Content-Type": "application/json"}
_OWN = re.compile(r"[\w=-]{20,}")


def forms(secret: str) -> set[str]:
    """A secret as it is, as a URL spells it, and as it looks anywhere within base64."""
    found = {secret, quote(secret, safe="")}
    for before in range(3):
        coded = base64.b64encode(b"x" * before + secret.encode()).decode()
        found.add(coded[(0, 2, 3)[before] : len(coded.rstrip("=")) // 4 * 4 - 4])
    return found


@dataclass
class Secrets:
    """What must not be found, by what it is for."""

    values: dict[str, str] = field(default_factory=dict)

    def plant(self, what: str) -> str:
        return self.values.setdefault(what, f"MARK-{what}-{uuid.uuid4().hex}")

    def needles(self) -> dict[bytes, str]:
        return {form.encode(): what for what, value in self.values.items() for form in forms(value)}

    def found_in(self, content: bytes) -> set[str]:
        return {what for needle, what in self.needles().items() if needle in content}


class Parrot:
    """A server that refuses everything, and repeats all that it was told."""

    def __init__(self) -> None:
        heard: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = "; ".join(f"{name}: {value}" for name, value in self.headers.items())
                said = f"I do not like {self.path} with {headers}"
                heard.append(said)
                error = {"code": 403, "message": said, "status": "PERMISSION_DENIED"}
                body = json.dumps({"message": said, "error": error}).encode()
                self.send_response(403)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self) -> None:
                self.answer()

            def do_POST(self) -> None:
                self.answer()

            def log_message(self, *_: object) -> None: ...

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._http.server_port}"
        self.heard = heard

    def __enter__(self) -> Parrot:
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()


class Mail(socketserver.StreamRequestHandler):
    """A mail server that refuses every login, and repeats it."""

    heard: ClassVar[list[str]] = []

    def handle(self) -> None:
        self.say("220 hello")
        while line := self.rfile.readline().decode().strip():
            verb = line.partition(" ")[0].upper()
            if verb == "EHLO":
                self.say("250-localhost\r\n250 AUTH PLAIN")
            elif verb == "AUTH":
                said = base64.b64decode(line.split()[-1]).decode().replace("\0", " ")
                self.heard.append(said)
                self.say(f"535 I do not like {said} ({line})")
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("503 log in")

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class Watch:
    """The arguments of every process of this machine, looked at thirty times a second."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)

    def _look(self) -> None:
        while not self._stop.wait(1 / 30):
            for process in Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    self.seen.add(process.read_bytes())


@dataclass
class World:
    """What was planted, the servers, and what people were shown."""

    secrets: Secrets
    parrot: Parrot
    vault: ForgeServer
    name: str
    files: dict[str, str]
    shown: dict[str, str] = field(default_factory=dict)


@pytest.fixture
def world(stack: Settings, tmp_path: Path) -> Iterator[World]:
    if stack.repositories.is_relative_to(CHECKOUT):
        pytest.skip("the running stack has the checkout's own registration; PIVO_REPOSITORIES names another")
    secrets = Secrets()
    for path in (
        stack.home / "secrets"
    ).iterdir():  # the stack's own: the forge's token, Spark's secret, Airflow's keys
        value = path.read_text().strip() if path.is_file() else ""
        if _OWN.fullmatch(value):
            secrets.values[path.name] = value
    assert {"forge-token", "spark", "airflow-admin", "airflow-jwt", "airflow-fernet-key"} <= secrets.values.keys()
    passphrase = secrets.plant("ssh-passphrase")
    key = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption(),
    )
    secrets.values["ssh-key"] = key.decode().splitlines()[3]
    files = {
        "PIVO_SSH_KEY_FILE": key.decode(),
        "PIVO_SSH_PASSPHRASE_FILE": passphrase,
        "PIVO_SSH_KNOWN_HOSTS_FILE": "127.0.0.1 ssh-ed25519 AAAA",
        "PIVO_KAFKA_CONFIG_FILE": "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.username=pivo\n"
        f"sasl.password={secrets.plant('kafka-sasl')}\nssl.key.password={secrets.plant('kafka-tls-key')}\n",
        "PIVO_FORGE_TOKEN_FILE": secrets.plant("another-forge-token"),
        "GEMINI_API_KEY_FILE": secrets.plant("gemini-key-of-a-file"),
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    accounts = {secrets.plant("git-password"): Account("ann")}
    with Parrot() as parrot, ForgeServer(Forge(tmp_path / "vault", accounts)) as vault:
        name = f"vault-{uuid.uuid4().hex[:8]}"
        vault.forge.create("ann", name, "", private=True)
        login = f"http://x:{secrets.plant('git-password')}@{vault.url.removeprefix('http://')}/ann/{name}.git"
        gitmake.linear(tmp_path / "source.git", 4)("push", "--quiet", login, "refs/heads/main")
        yield World(secrets, parrot, vault, name, {n: str(tmp_path / n) for n in files})


@pytest.fixture
def connections(stack: Settings, world: World) -> Iterator[None]:
    """Airflow's Connections, made as a person makes them in its pages, gone afterwards."""
    s, private = world.secrets, Path(world.files["PIVO_SSH_KEY_FILE"]).read_text()
    made: dict[str, dict[str, Any]] = {
        "pivo_git": {"conn_type": "http", "host": world.vault.url, "login": "ann", "password": s.plant("git-password")},
        "pivo_ssh": {
            "conn_type": "ssh",
            "password": s.plant("ssh-passphrase"),
            "extra": json.dumps({"private_key": private, "known_hosts": "127.0.0.1 ssh-ed25519 AAAA"}),
        },
        "pivo_gemini": {
            "conn_type": "google_genai",
            "password": s.plant("gemini-key"),
            "extra": json.dumps({"base_url": f"http://{world.parrot.host}"}),
        },
        "pivo_alert": {
            "conn_type": "http",
            "password": s.plant("alert-bearer"),
            "extra": json.dumps({"url": f"http://{world.parrot.host}/services/{s.plant('alert-url')}"}),
        },
    }
    made["pivo_webhook"] = {"conn_type": "generic", "password": s.plant("webhook")}
    with api(stack) as airflow:
        for name, body in made.items():
            airflow.delete(f"/api/v2/connections/{name}")  # of a test that was killed
            sure(lambda told={"connection_id": name, **body}: airflow.post("/api/v2/connections", json=told))
        try:
            yield
        finally:
            for name in made:
                sure(lambda name=name: airflow.delete(f"/api/v2/connections/{name}"))


def sure(ask: Callable[[], httpx.Response]) -> None:
    """Asks until Airflow has done it: its SQLite is locked now and then."""
    for _ in range(20):
        answer = ask()
        if answer.status_code < 500:
            break
        time.sleep(0.5)
    assert answer.is_success or answer.status_code == 409, answer.text


def api(stack: Settings) -> httpx.Client:
    login = {"username": stack.airflow_user, "password": stack.airflow_password}
    token = httpx.post(f"{stack.airflow_url}/auth/token", json=login, timeout=30).json()["access_token"]
    return httpx.Client(base_url=stack.airflow_url, headers={"Authorization": f"Bearer {token}"}, timeout=60)


def through_airflow(stack: Settings, world: World, archived: Callable[[], object]) -> None:
    """The nights, the restore and the watch, with a source and a chat that refuse and repeat. Calls `archived` when
    there is something to ask about."""
    s, name = world.secrets, world.name
    typed = f"http://ann:{s.plant('url-in-the-registration')}@{world.parrot.host}/acme/late.git"
    stack.repositories.write_text(f"repositories:\n  - {{url: '{typed}', name: late/{name}, promise: 0.001m}}\n")
    bad = f"https://ann:{s.plant('url-in-a-run')}@example.org/x.git"
    with Orchestrator(stack.airflow_url, stack.airflow_user, stack.airflow_password) as airflow:
        vault = {"url": f"{world.vault.url}/ann/{name}.git", "name": name}
        night = airflow.trigger("pivo_snapshot", {"repos": [vault]}).run_id
        registered = airflow.trigger("pivo_snapshot", {}).run_id
        watch = airflow.trigger("pivo_watch", {}).run_id
        for dag, conf in (
            ("pivo_snapshot", {"repos": [bad]}),
            ("pivo_snapshot", {"repos": [{"url": bad, "name": "x"}]}),
            ("pivo_restore", {"repo": name, "ref": "main", "target": bad}),
        ):
            with pytest.raises(UsageError) as refused:
                airflow.trigger(dag, conf)
            world.shown[f"{dag} refused"] = str(refused.value)
            with api(stack) as form:  # Airflow itself refuses it, too; what was sent is in its own audit log (limits)
                text = json.dumps({"logical_date": None, "conf": conf}).replace(s.values["url-in-a-run"], "any-word")
                answer = form.post(f"/api/v2/dags/{dag}/dagRuns", content=text, headers=_JSON)
            assert answer.status_code == 400, answer.text
        assert airflow.wait("pivo_snapshot", night, timeout=200).state == "success", airflow.failure(
            "pivo_snapshot", night
        )
        archived()
        conf = {"repo": name, "ref": "main", "target": f"pivo/{name}"}
        restore = airflow.trigger("pivo_restore", conf).run_id
        for dag, run in (("pivo_snapshot", registered), ("pivo_watch", watch)):
            assert airflow.wait(dag, run, timeout=200).state == "failed"
            world.shown[dag] = airflow.failure(dag, run) or ""
        with mail(stack, world):
            again = airflow.trigger("pivo_watch", {}).run_id
            assert airflow.wait("pivo_watch", again, timeout=200).state == "failed"
        assert airflow.wait("pivo_restore", restore, timeout=200).state == "success", airflow.failure(
            "pivo_restore", restore
        )
    stack.repositories.write_text("repositories: []\n")
    assert "secrets/git-credentials" in world.shown["pivo_snapshot"]


@contextlib.contextmanager
def mail(stack: Settings, world: World) -> Iterator[None]:
    """Alerts go by mail meanwhile; the login is refused."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mail) as server, api(stack) as airflow:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        body = {
            "connection_id": "pivo_alert",
            "conn_type": "smtp",
            "host": "127.0.0.1",
            "port": server.server_address[1],
            "login": "pivo",
            "password": world.secrets.plant("smtp"),
            "extra": json.dumps({"disable_tls": True, "disable_ssl": True, "to": "a@example.org", "retry_limit": 1}),
        }
        sure(lambda: airflow.patch("/api/v2/connections/pivo_alert", json=body))
        yield
        server.shutdown()


def on_the_command_line(stack_env: Mapping[str, str], world: World) -> None:
    """Commands whose services refuse, each with what opens them in a file."""
    s, nowhere = world.secrets, "127.0.0.1:1"
    archive = f"webhdfs://ann:{s.plant('url-of-the-archive')}@{nowhere}/backups"

    def run(*words: str, **settings: str) -> None:
        env = {n: v for n, v in os.environ.items() if not n.startswith("PIVO_")} | stack_env | settings
        env["PYTHONPATH"] = str(CHECKOUT / "include")
        command = [*_COMMAND, *words]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
        world.shown[" ".join(words)] = done.stdout + done.stderr
        assert done.returncode in (0, 1, 2) and "Traceback" not in done.stderr, done.stderr

    files = world.files
    keys = {n: files[n] for n in files if n.startswith("PIVO_SSH")}
    run("ingest", f"ssh://git@{nowhere}/x.git", "--name", f"{world.name}-ssh", **keys)
    run("index", PIVO_KAFKA_CONFIG_FILE=files["PIVO_KAFKA_CONFIG_FILE"])
    forge = {"PIVO_FORGE_TOKEN_FILE": files["PIVO_FORGE_TOKEN_FILE"], "PIVO_FORGE_URL": f"http://{world.parrot.host}"}
    run("restore", world.name, "main", "--to", "pivo/parrot", "--dry-run", **forge)
    model = {"GEMINI_API_KEY_FILE": files["GEMINI_API_KEY_FILE"], "PIVO_GEMINI_URL": f"http://{world.parrot.host}"}
    run("ask", f"Who committed last to {world.name}?", **model)
    run("log", world.name, PIVO_ARCHIVE=archive)
    run("cat", world.name, "main", "README.md", PIVO_ARCHIVE=archive)


_COMMAND = (str(CHECKOUT / ".venv" / "bin" / "python"), "-c", "from pivo.cli import main; main()")


def in_the_chat(stack: Settings, world: World) -> None:
    """Questions with passwords in them, and with a secret that the server itself knows; then the page again."""
    s, talk = world.secrets, str(uuid.uuid4())
    known = s.values["forge-token"]
    with api(stack) as page:
        for number, question in enumerate(
            (
                f"Restore {world.name} to main into https://ann:{s.plant('url-in-the-chat')}@example.org/x.git",
                f"My token is {known}, who committed last to {world.name}?",
                f"Who committed last to {world.name}?",
            )
        ):
            body = {"question": question, "conversation": talk}
            answer = page.post("/pivo/api/ask", json=body)
            assert answer.status_code == 200
            world.shown[f"chat {number}"] = answer.text
        signed = {"X-Hub-Signature-256": f"sha256={'0' * 64}", "X-GitHub-Event": "push", "X-GitHub-Delivery": talk}
        answer = page.post("/pivo-webhook/github", json={"repository": {"full_name": "a/b"}}, headers=signed)
        assert answer.status_code in (401, 403)
        world.shown["webhook"] = answer.text
        world.shown["chat again"] = page.get(f"/pivo/api/conversations/{talk}").text
        world.shown["conversations"] = page.get("/pivo/api/conversations").text


def read(stack: Settings, topic: str) -> bytes:
    """All that a topic holds."""
    values = [(m.key() or b"") + (m.value() or b"") for m in messages(stack.kafka, topic)]
    return b"\n".join(values)


def test_a_run_leaves_no_secret_behind(
    stack: Settings, stack_env: dict[str, str], pivo: Pivo, world: World, connections: None, tmp_path: Path
) -> None:
    secrets = world.secrets
    with Watch() as watch, ThreadPoolExecutor(1) as beside:
        doing = []
        through_airflow(stack, world, lambda: doing.append(beside.submit(on_the_command_line, stack_env, world)))
        in_the_chat(stack, world)
        for what in doing:
            what.result(timeout=200)
        pivo("index")
        time.sleep(1)  # the last lines of logs
    heard = secrets.found_in("\n".join([*world.parrot.heard, *Mail.heard]).encode())
    assert heard >= {
        "smtp",
        "alert-url",
        "alert-bearer",
        "gemini-key",
        "gemini-key-of-a-file",
        "another-forge-token",
    }, heard
    assert len(secrets.values) >= 20

    leaks: dict[str, set[str]] = {}

    def search(where: str, content: bytes) -> None:
        if found := secrets.found_in(content):
            leaks[where] = found

    for what, text in world.shown.items():
        search(f"shown: {what}", text.encode())
    for topic in (AUDIT_TOPIC, COMMIT_TOPIC, STATE_TOPIC):
        search(f"topic {topic}", read(stack, topic))
    archive = Archive(open_store(stack.archive, stack.archive_reader))
    for snapshot in archive.snapshots(world.name):
        folder = f"{world.name}/{snapshot.dirname}"
        search(f"hdfs {folder}", gzip.decompress(archive.store.read(f"{folder}/manifest.json.gz")))
    mine = {str(os.getpid()).encode()}
    for arguments in watch.seen - mine:
        search(f"arguments {arguments[:80]!r}", arguments)
    kept = (stack.home / "secrets", stack.home / "conf" / "spark" / "spark-defaults.conf")
    for path in in_files(stack, secrets, tmp_path):
        if any(path.is_relative_to(place) for place in kept):
            assert path.stat().st_mode & 0o77 == 0, f"{path} is open to others"
        else:
            with contextlib.suppress(FileNotFoundError):
                search(str(path.relative_to(stack.home)), path.read_bytes())
    told = "\n".join(f"{where}: {', '.join(sorted(what))}" for where, what in sorted(leaks.items()))
    assert not leaks, told


def in_files(stack: Settings, secrets: Secrets, folder: Path) -> list[Path]:
    """The files below the home folder in which a secret stands: logs, databases, staging, HDFS's and Kafka's own."""
    patterns = folder / "patterns"
    patterns.write_bytes(b"\n".join(secrets.needles()))
    words = ["grep", "-rlaF", "-f", str(patterns), str(stack.home)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode in (0, 1, 2), done.stderr
    found = [Path(line) for line in done.stdout.splitlines()]
    assert any(path.is_relative_to(stack.home / "secrets") for path in found), "the search finds nothing"
    return found
