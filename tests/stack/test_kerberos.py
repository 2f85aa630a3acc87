"""The archive with Kerberos: a real KDC, tickets from a keytab, hdfscli's own client, the real NameNode behind a server
that takes tickets (SPNEGO). Skipped where Kerberos' programs or its Python packages are missing.
"""

from __future__ import annotations

import base64
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deploy_kit import free_port
from pivo.settings import CHECKOUT, Settings

pytestmark = pytest.mark.stack
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
_MISSING = [name for name in ("krb5kdc", "kdb5_util", "kadmin.local") if shutil.which(name, path=_PATH) is None]
if _MISSING:
    pytest.skip(f"no {_MISSING[0]} here (Debian: apt-get install krb5-kdc krb5-admin-server)", allow_module_level=True)
gssapi = pytest.importorskip("gssapi", reason="Kerberos' Python packages: pip install requests-kerberos gssapi krb5")
pytest.importorskip("requests_kerberos", reason="Kerberos' Python packages: pip install requests-kerberos gssapi krb5")

REALM = "PIVO.TEST"


@pytest.fixture
def realm(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A KDC with the server's principal and two users; the environment of a client with their keytab."""
    port = free_port()
    (tmp_path / "krb5.conf").write_text(
        f"[libdefaults]\ndefault_realm = {REALM}\ndns_lookup_kdc = false\ndns_lookup_realm = false\nrdns = false\n"
        f"dns_canonicalize_hostname = false\nudp_preference_limit = 1\n"
        f"[realms]\n{REALM} = {{\nkdc = 127.0.0.1:{port}\n}}\n"
    )
    (tmp_path / "kdc.conf").write_text(
        f"[realms]\n{REALM} = {{\ndatabase_name = {tmp_path}/principal\nkey_stash_file = {tmp_path}/stash\n"
        f"acl_file = {tmp_path}/acl\nkdc_listen = 127.0.0.1:{port}\nkdc_tcp_listen = 127.0.0.1:{port}\n}}\n"
        f"[logging]\nkdc = FILE:{tmp_path}/kdc.log\n"
    )
    env = {
        **os.environ,
        "PATH": _PATH,
        "KRB5_CONFIG": str(tmp_path / "krb5.conf"),
        "KRB5_KDC_PROFILE": str(tmp_path / "kdc.conf"),
        "KRB5CCNAME": f"DIR:{tmp_path}/tickets",
    }
    (tmp_path / "tickets").mkdir()

    def run(*words: str) -> None:
        done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    run("kdb5_util", "-r", REALM, "create", "-s", "-P", "a-master-word")
    for principal, keytab in (("HTTP/localhost", "server"), ("pivo", "client"), ("pivo-reader", "client")):
        run("kadmin.local", "-r", REALM, "-q", f"addprinc -randkey {principal}")
        run("kadmin.local", "-r", REALM, "-q", f"ktadd -k {tmp_path / keytab}.keytab {principal}")
    kdc = subprocess.Popen(["krb5kdc", "-n", "-r", REALM], env=env, stdin=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 20
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert kdc.poll() is None and time.monotonic() < end
            time.sleep(0.1)
        yield {**env, "KRB5_CLIENT_KTNAME": str(tmp_path / "client.keytab")}
    finally:
        kdc.terminate()
        kdc.wait(10)


@pytest.fixture
def door(stack: Settings, realm: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A server before the NameNode that lets in who has a ticket, as who the ticket says; its port."""
    monkeypatch.setenv("KRB5_CONFIG", realm["KRB5_CONFIG"])
    monkeypatch.setenv("KRB5_KTNAME", str(tmp_path / "server.keytab"))

    class Handler(BaseHTTPRequestHandler):
        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            kind, _, token = self.headers.get("Authorization", "").partition(" ")
            if kind != "Negotiate":
                self.tell(401, b"", {"WWW-Authenticate": "Negotiate"})
                return
            context = gssapi.SecurityContext(usage="accept")
            answer = context.step(base64.b64decode(token))
            who = str(context.initiator_name).partition("@")[0]
            there = HTTPConnection("127.0.0.1", stack.ports.namenode_http, timeout=30)
            there.request(self.command, f"{self.path}&user.name={who}", body=body)
            got = there.getresponse()
            content, headers = got.read(), {"WWW-Authenticate": f"Negotiate {base64.b64encode(answer or b'').decode()}"}
            headers |= {n: v for n, v in got.getheaders() if n.lower() in {"location", "content-type"}}
            self.tell(got.status, content, headers)
            there.close()

        def tell(self, status: int, content: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self) -> None:
            self.pass_on()

        def do_PUT(self) -> None:
            self.pass_on()

        def do_DELETE(self) -> None:
            self.pass_on()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


SCRIPT = """
import os, sys
from pivo.errors import PivoError
from pivo.store import open_store

address = sys.argv[1]
writer = open_store(address, "pivo")
folder = f".incoming/kerberos-{os.getpid()}"
writer.write(folder + "/file", iter([b"x" * 1000]))
print("READ", len(open_store(address, "pivo-reader").read(folder + "/file", 100, 500)))
try:
    open_store(address, "pivo-reader").write(folder + "/other", iter([b"y"]))
except PivoError as err:
    print("REFUSED", err)
writer.delete(folder)
"""


def test_the_archive_is_reached_with_tickets(door: int, realm: dict[str, str], tmp_path: Path) -> None:
    address = f"webhdfs://localhost:{door}/backups?auth=kerberos&principal={{user}}@{REALM}"
    env = {**realm, "PYTHONPATH": os.pathsep.join([str(CHECKOUT / "include"), *sys.path])}

    def run(**more: str) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-c", SCRIPT, address]
        return subprocess.run(words, env=env | more, capture_output=True, text=True, timeout=90, check=False)

    done = run()
    assert "READ 500" in done.stdout and "REFUSED HDFS refused pivo-reader" in done.stdout, done.stdout + done.stderr
    (tmp_path / "none").mkdir()
    refused = run(KRB5_CLIENT_KTNAME=str(tmp_path / "no.keytab"), KRB5CCNAME=f"DIR:{tmp_path}/none")
    assert "does not let pivo in: there is no ticket that is valid there" in refused.stderr, refused.stderr
