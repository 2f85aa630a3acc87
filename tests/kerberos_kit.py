"""A kerberised HDFS for tests: MIT's KDC with a realm of its own in a folder, and the stack's NameNode and DataNode in
secure mode with Hadoop's own TLS. Nothing outside the folder is changed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploy_kit import free_port
from pivo.settings import Settings
from pivo.stack import hdfs
from pivo.stack.java import find, jvm
from tls_kit import Authority

REALM = "PIVO.TEST"
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
MISSING = [n for n in ("krb5kdc", "kdb5_util", "kadmin.local", "kinit") if shutil.which(n, path=PATH) is None]
"""Programs that are not here (Debian: krb5-kdc krb5-admin-server krb5-user)."""


def listening(port: int, process: subprocess.Popen[bytes], log: Path, seconds: float = 60.0) -> None:
    """Waits until the process listens on localhost."""
    end = time.monotonic() + seconds
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None and time.monotonic() < end, log.read_text(errors="replace")[-4000:]
        time.sleep(0.1)


@dataclass
class Realm:
    """A KDC's realm below `folder`; `env` is a client's environment, with a ticket cache of its own and no tickets."""

    folder: Path
    port: int = field(default_factory=free_port)

    @property
    def conf(self) -> Path:
        return self.folder / "krb5.conf"

    @property
    def env(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("KRB5")}
        return {**kept, "PATH": PATH, "KRB5_CONFIG": str(self.conf), "KRB5CCNAME": f"FILE:{self.folder}/tickets"}

    def write_conf(self, path: Path, *more: str, port: int | None = None) -> Path:
        """A client's krb5.conf, with `more` lines among its defaults."""
        defaults = [
            f"default_realm = {REALM}",
            *(
                f"{name} = false"
                for name in ("dns_lookup_kdc", "dns_lookup_realm", "rdns", "dns_canonicalize_hostname")
            ),
            "udp_preference_limit = 1",
            *more,
        ]
        rows = ["[libdefaults]", *defaults, "[realms]", f"{REALM} = {{", f"kdc = 127.0.0.1:{port or self.port}", "}"]
        path.write_text("\n".join(rows) + "\n")
        return path

    def run(self, *words: str, code: int | None = 0, stdin: str = "", **more: str) -> str:
        """One of Kerberos' programs; its output."""
        env = {**self.env, "KRB5_KDC_PROFILE": str(self.folder / "kdc.conf"), **more}
        done = subprocess.run(words, env=env, input=stdin, capture_output=True, text=True, timeout=60, check=False)
        assert code in (None, done.returncode), (words, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def make(self) -> None:
        """The realm's database, without principals."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.write_conf(self.conf)
        (self.folder / "kdc.conf").write_text(
            f"[realms]\n{REALM} = {{\ndatabase_name = {self.folder}/principal\nkey_stash_file = {self.folder}/stash\n"
            f"acl_file = {self.folder}/acl\nkdc_listen = 127.0.0.1:{self.port}\n"
            f"kdc_tcp_listen = 127.0.0.1:{self.port}\nmax_life = 1d\n}}\n[logging]\nkdc = FILE:{self.folder}/kdc.log\n"
        )
        self.run("kdb5_util", "-r", REALM, "create", "-s", "-P", "a-master-word")

    def add(self, keytab: str, *principals: str) -> Path:
        """New principals, their keys in one keytab; they prove who they are before they get a ticket, as in any realm
        that is well kept."""
        path = self.folder / f"{keytab}.keytab"
        rows = [f"addprinc -randkey +requires_preauth {p}\nktadd -k {path} {p}\n" for p in principals]
        self.run("kadmin.local", "-r", REALM, stdin="".join(rows))
        assert path.exists()
        return path

    @contextmanager
    def serve(self) -> Iterator[Realm]:
        """With the KDC running."""
        log = self.folder / "krb5kdc.out"
        env = {**self.env, "KRB5_KDC_PROFILE": str(self.folder / "kdc.conf")}
        with log.open("wb") as out:
            kdc = subprocess.Popen(
                ["krb5kdc", "-n", "-r", REALM], env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )
        try:
            listening(self.port, kdc, log, 20)
            yield self
        finally:
            kdc.terminate()
            kdc.wait(10)


_RULES = f"RULE:[2:$1@$0](nn@{REALM})s/.*/hdfs/ RULE:[2:$1@$0](dn@{REALM})s/.*/hdfs/ DEFAULT"


@dataclass(frozen=True)
class SecureHdfs:
    """A NameNode and a DataNode that let nobody in without a ticket; `https` is the NameNode's port for WebHDFS."""

    folder: Path
    https: int
    ca: Path

    def address(self, host: str = "localhost", **options: str) -> str:
        """The archive's address on it."""
        told = "&".join(
            f"{name}={value}" for name, value in {"ca": str(self.ca), "auth": "kerberos", **options}.items()
        )
        return f"swebhdfs://{host}:{self.https}/backups?{told}"

    def said(self) -> str:
        """The servers' logs."""
        return "".join((self.folder / f"{name}.log").read_text(errors="replace") for name in ("namenode", "datanode"))


@contextmanager
def secure_hdfs(
    realm: Realm, settings: Settings, folder: Path, more: dict[str, str] | None = None
) -> Iterator[SecureHdfs]:
    """Starts the two on free ports, with the stack's configuration where security does not change it; `more` goes into
    core-site."""
    folder.mkdir(parents=True, exist_ok=True)
    authority = Authority.make(folder)
    keytab = realm.add("hdfs", "nn/localhost", "dn/localhost", "HTTP/localhost")
    names = ("rpc", "http", "https", "dn", "dn-https", "dn-ipc")
    ports = {name: free_port() for name in names}
    at = {name: f"localhost:{port}" for name, port in ports.items()}
    word = "only-for-this-test"
    authority.keystore(folder / "server.p12", word)
    (folder / "signature").write_text("signs cookies in this test\n")
    sites = hdfs.configuration(settings)
    core = sites["core-site.xml"] | {
        "fs.defaultFS": f"hdfs://{at['rpc']}",
        "hadoop.tmp.dir": str(folder / "tmp"),
        "hadoop.security.authentication": "kerberos",
        "hadoop.security.auth_to_local": _RULES,
        "hadoop.http.authentication.type": "kerberos",
        "hadoop.http.authentication.signature.secret.file": str(folder / "signature"),
        "hadoop.http.authentication.kerberos.principal": f"HTTP/localhost@{REALM}",
        "hadoop.http.authentication.kerberos.keytab": str(keytab),
        # the users of a test are no users of this machine
        "hadoop.user.group.static.mapping.overrides": "hdfs=hdfs;pivo=pivo;pivo-reader=pivo-reader;",
        **(more or {}),
    }
    site = sites["hdfs-site.xml"] | {
        "dfs.permissions.superusergroup": "hdfs",
        "dfs.namenode.name.dir": f"file://{folder}/name",
        "dfs.namenode.rpc-address": at["rpc"],
        "dfs.namenode.http-address": at["http"],
        "dfs.namenode.https-address": at["https"],
        "dfs.namenode.https-bind-host": "127.0.0.1",
        "dfs.datanode.data.dir": f"file://{folder}/data",
        "dfs.datanode.hostname": "localhost",
        "dfs.datanode.address": at["dn"],
        "dfs.datanode.https.address": at["dn-https"],
        "dfs.datanode.ipc.address": at["dn-ipc"],
        "dfs.http.policy": "HTTPS_ONLY",
        "dfs.block.access.token.enable": "true",
        "dfs.data.transfer.protection": "authentication",
        "dfs.web.authentication.kerberos.principal": f"HTTP/localhost@{REALM}",
        "dfs.web.authentication.kerberos.keytab": str(keytab),
        "dfs.namenode.kerberos.internal.spnego.principal": f"HTTP/localhost@{REALM}",
    }
    for name, short in (("namenode", "nn"), ("datanode", "dn")):
        site[f"dfs.{name}.kerberos.principal"] = f"{short}/localhost@{REALM}"
        site[f"dfs.{name}.keytab.file"] = str(keytab)
    ssl = {f"ssl.server.keystore.{k}": v for k, v in _store(folder / "server.p12", word).items()}
    conf = folder / "conf"
    hdfs.write_configuration(settings, conf)
    for file, values in (("core-site.xml", core), ("hdfs-site.xml", site), ("ssl-server.xml", ssl)):
        (conf / file).write_text(hdfs.site_xml(values))
    classpath: list[Path | str] = [conf, f"{settings.jars}/hdfs/*"]
    options = (f"-Djava.security.krb5.conf={realm.conf}",)

    def command(memory: str, main: str, *args: str) -> tuple[str, ...]:
        return jvm(find, memory, classpath, f"org.apache.hadoop.hdfs.server.{main}", *args, options=options)

    def start(name: str, words: Sequence[str]) -> subprocess.Popen[bytes]:
        with (folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(words, env=realm.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    formatting = start("namenode", command("384m", "namenode.NameNode", "-format", "-nonInteractive"))
    assert formatting.wait(90) == 0, (folder / "namenode.log").read_text()[-4000:]
    running: list[subprocess.Popen[bytes]] = []
    try:
        for name, memory, main, port in (
            ("namenode", "384m", "namenode.NameNode", ports["https"]),
            ("datanode", "256m", "datanode.DataNode", ports["dn-https"]),
        ):
            running.append(start(name, command(memory, main)))
            listening(port, running[-1], folder / f"{name}.log")
        yield SecureHdfs(folder, ports["https"], authority.ca)
    finally:
        for process in running:
            process.kill()
            process.wait(20)


def _store(path: Path, word: str) -> dict[str, str]:
    return {"location": str(path), "password": word, "keypassword": word, "type": "pkcs12"}
