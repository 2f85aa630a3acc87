"""The archive on a kerberised HDFS: MIT's KDC, a NameNode and a DataNode in secure mode with Hadoop's own TLS, a keytab
with a principal for each of PIVO's users. Skipped where Kerberos' programs or its Python packages are missing.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gitmake import linear
from kerberos_kit import MISSING, REALM, Realm, SecureHdfs, secure_hdfs
from pivo.settings import CHECKOUT, Settings
from pivo.stack import java, spark

pytestmark = pytest.mark.stack
if MISSING:
    pytest.skip(
        f"no {MISSING[0]} here (Debian: apt-get install krb5-kdc krb5-admin-server krb5-user)", allow_module_level=True
    )
_PACKAGES = "Kerberos' Python packages: pip install requests-kerberos gssapi krb5"
requests_kerberos = pytest.importorskip("requests_kerberos", reason=_PACKAGES)
pytest.importorskip("spnego", reason=_PACKAGES)
pytest.importorskip("krb5", reason=_PACKAGES)

_PATH = os.pathsep.join([str(CHECKOUT / "include"), str(Path(requests_kerberos.__file__).parents[1])])
_PROXY = {"hadoop.proxyuser.pivo.users": "pivo-reader,pivo-keeper", "hadoop.proxyuser.pivo.hosts": "*"}


@dataclass(frozen=True)
class Site:
    """A realm, its HDFS, and the keytab of the archive's users."""

    realm: Realm
    hdfs: SecureHdfs
    keytab: Path
    env: dict[str, str]

    @property
    def address(self) -> str:
        return self.hdfs.address(principal=f"{{user}}@{REALM}", keytab=str(self.keytab))

    def child(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        env = {**self.env, "PIVO_ARCHIVE": self.address} | more
        return subprocess.run(words, env=env, capture_output=True, text=True, timeout=120, check=False)

    def pivo(self, *words: str, **more: str) -> str:
        """The command line's output; every output of it is searched for a token of a DataNode's URL."""
        done = self.child(sys.executable, "-c", "from pivo.cli import main; main()", *words, **more)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "delegation=" not in done.stdout + done.stderr and "Traceback" not in done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def site(stack: Settings, stack_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("kerberos")
    realm = Realm(folder / "realm")
    realm.make()
    keytab, superuser = realm.add("archive", "pivo", "pivo-reader", "pivo-keeper"), realm.add("superuser", "hdfs")
    env = {name: value for name, value in realm.env.items() if not name.startswith("PIVO_")} | stack_env
    env |= {"PYTHONPATH": _PATH, "PIVO_INDEX": str(folder / "index.db"), "PIVO_STAGING": str(folder / "staging")}
    with realm.serve(), secure_hdfs(realm, stack, folder / "hdfs", _PROXY) as hdfs:
        made = Site(realm, hdfs, keytab, env)
        cache = {"KRB5CCNAME": f"FILE:{folder}/of-the-superuser"}
        realm.run("kinit", "-k", "-t", str(superuser), "hdfs", **cache)
        made.pivo("init", PIVO_ARCHIVE=hdfs.address(), **cache)
        yield made


ROLES = """
import sys
from pivo.errors import PivoError
from pivo.settings import Settings
from pivo.store import open_store

def refused(what):
    try:
        what()
    except PivoError as err:
        print("REFUSED", err)

address = Settings.load().archive
writer, reader, keeper = (open_store(address, user) for user in ("pivo", "pivo-reader", "pivo-keeper"))
writer.write(".incoming/roles/file", iter([b"x" * 1000, b"y" * 1000]))
print("READ", reader.read(".incoming/roles/file", 990, 20), len(reader._direct._known))
refused(lambda: reader.write(".incoming/roles/other", iter([b"z"])))
refused(lambda: writer.write(".incoming/roles/file", iter([b"z"])))
refused(lambda: writer.freeze("by-the-writer"))
print("FROZEN", keeper.freeze("by-the-keeper"))
writer.delete(".incoming/roles")
"""


def test_each_of_the_archives_users_is_a_principal_of_its_own(site: Site) -> None:
    done = site.child(sys.executable, "-c", ROLES)
    out = done.stdout
    assert f"READ {b'x' * 10 + b'y' * 10!r} 1" in out, out + done.stderr  # from a DataNode, with the NameNode's token
    refusals = [line for line in out.splitlines() if line.startswith("REFUSED")]
    assert "HDFS refused pivo-reader" in refusals[0] and "exists already" in refusals[1]
    assert "pivo" in refusals[2] and "keeper" not in refusals[2] and "FROZEN True" in out
    assert not Path(site.realm.folder / "tickets").exists(), "a keytab's tickets are this process's own"


def test_a_repository_is_archived_proven_read_and_fetched_by_executors(
    site: Site, stack: Settings, tmp_path: Path
) -> None:
    source, name = linear(tmp_path / "source.git", 12), f"kerberos-{os.getpid()}"
    assert "12 commits" in site.pivo("ingest", source.url, "--name", name)
    site.pivo("index")
    assert "whole" in site.pivo("verify", name)
    script = (
        "import json, sys\nfrom pivo.restore.plan import PLAN, repo_folder, validate\n"
        "from pivo.restore.run import RestoreRun\nfrom pivo.settings import Settings\n"
        "settings = Settings.load()\nplan = validate(settings, repo=sys.argv[1], ref='HEAD', target=sys.argv[2], "
        "run_id='kerberos')\nplan.save(repo_folder(settings.staging, plan.run_id, plan.repo) / PLAN)\n"
        "print(json.dumps(RestoreRun(settings, plan.run_id, {}).job_arguments()))\n"
    )
    planned = site.child(
        sys.executable, "-c", script, name, str(tmp_path / "back.git"), PIVO_RESTORE_ROOTS=str(tmp_path)
    )
    assert planned.returncode == 0, planned.stderr
    conf = {"PYTHONPATH": _PATH, "KRB5_CONFIG": str(site.realm.conf)}  # what is in the environment of Spark's workers
    words = [str(Path(sys.executable).with_name("spark-submit")), "--master", stack.spark_master]
    words += [w for n, v in conf.items() for w in ("--conf", f"spark.executorEnv.{n}={v}")]
    words += [str(CHECKOUT / "spark_jobs" / "restore_job.py"), *json.loads(planned.stdout.splitlines()[-1])]
    env = {**os.environ, **spark.environment(stack, java.find), **conf}
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0 and "SHA-256 verified" in done.stdout, done.stdout + done.stderr[-3000:]
    assert "delegation=" not in done.stdout + done.stderr


def test_one_principal_stands_for_the_others_where_the_namenode_lets_it(site: Site) -> None:
    told = site.hdfs.address(principal=f"pivo@{REALM}", keytab=str(site.keytab), proxy="yes")
    script = (
        "import sys\nfrom pivo.store import open_store\n"
        "store = open_store(sys.argv[1], sys.argv[2])\n"
        "print(len(store.list('')) > 0, store.stat('.incoming').is_dir)\n"
    )
    done = site.child(sys.executable, "-c", script, told, "pivo-reader")
    assert "True True" in done.stdout, done.stderr
    done = site.child(sys.executable, "-c", script, told, "ann")
    assert "is not allowed to impersonate ann" in done.stderr, done.stderr


LOOK = """
import sys
from pivo.errors import PivoError
from pivo.store import open_store
try:
    open_store(sys.argv[1], "pivo-reader").list("")
    print("LET IN")
except PivoError as err:
    print(err)
"""


def test_what_is_wrong_with_a_ticket_is_said_in_a_sentence(site: Site, tmp_path: Path) -> None:
    realm, keytab = site.realm, str(site.keytab)
    cached = site.hdfs.address(principal=f"{{user}}@{REALM}")
    cache = {"KRB5CCNAME": f"FILE:{tmp_path}/cache"}

    def look(address: str, *before: str, **more: str) -> str:
        done = site.child(*before, sys.executable, "-c", LOOK, address, **{**cache, **more})
        assert not done.stderr.strip(), done.stderr  # no traceback of a library's log either
        return done.stdout

    def kinit(user: str, *more: str) -> None:
        realm.run("kinit", *more, "-k", "-t", keytab, user, **cache)

    assert f"the ticket cache has none of pivo-reader@{REALM}" in look(cached)
    assert "there is no ticket. Get one (kinit)" in look(site.hdfs.address())
    kinit("pivo")
    assert f"the ticket cache has none of pivo-reader@{REALM}. Name a keytab" in look(cached)
    kinit("pivo-reader", "-l", "1s")
    time.sleep(1.5)
    assert f"the ticket of pivo-reader@{REALM} has expired. Get a new one (kinit)" in look(cached)
    kinit("pivo-reader")
    assert look(cached) == "LET IN\n"
    if shutil.which("faketime"):  # Debian: faketime
        skewed = {"KRB5_CONFIG": str(realm.write_conf(tmp_path / "krb5.conf", "kdc_timesync = 0"))}
        for address in (cached, site.address):  # the NameNode notices, the KDC notices
            assert "the clocks of this machine, of the KDC" in look(address, "faketime", "-f", "+20m", **skewed)
    wrong = site.hdfs.address(principal=f"x-{{user}}@{REALM}", keytab=keytab)
    assert f"the keytab has no key of x-pivo-reader@{REALM}" in look(wrong)
    assert "the keytab cannot be read" in look(site.hdfs.address(keytab=str(tmp_path / "no.keytab")))
    assert f"the KDC knows no HTTP/127.0.0.1@{REALM}" in look(site.hdfs.address("127.0.0.1", keytab=keytab))
    away = {"KRB5_CONFIG": str(realm.write_conf(tmp_path / "away.conf", port=1))}
    assert "Kerberos does not answer: Cannot contact any KDC" in look(site.address, **away)
    simple = site.address.replace("auth=kerberos", "auth=simple").partition("&principal")[0]
    assert "there is no Kerberos, which it asks for" in look(simple)


def test_a_namenode_whose_own_key_is_old_is_told_as_that(site: Site, tmp_path: Path) -> None:
    """The last one: nobody gets in afterwards."""
    realm = site.realm
    realm.run("kadmin.local", "-r", REALM, stdin=f"ktadd -k {tmp_path / 'newer.keytab'} HTTP/localhost\n")
    done = site.child(sys.executable, "-c", LOOK, site.address)
    assert "HDFS cannot read the ticket: the key in its own SPNEGO keytab is not the KDC's" in done.stdout, done.stderr
