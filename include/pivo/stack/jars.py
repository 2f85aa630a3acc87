"""Fetches the jars of HDFS, ZooKeeper and Kafka, with the Apache Ivy that pyspark brings.

Ivy is given the system's certificate authorities (a Java from a wheel knows only its own list, so it would fail
behind a proxy that re-signs TLS) and a cache of its own (it would take the home folder from the password file).
Every jar must be the one that `jars.sha256` names.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
import ssl
import subprocess
import sys
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from pivo.errors import PivoError, StackError
from pivo.settings import Settings, base_environment
from pivo.stack import java, spark

HERE = Path(__file__).parent
ATTEMPTS = 3
_END = b"-----END CERTIFICATE-----"


def bundle(env: Mapping[str, str]) -> Path | None:
    """The file with the certificate authorities that this system trusts: SSL_CERT_FILE, else OpenSSL's default."""
    named = env.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    return Path(named) if named and Path(named).is_file() else None


def certificates(pem: bytes) -> list[x509.Certificate]:
    """Each certificate in `pem` once; entries that cannot be read are left out, as OpenSSL does."""
    found: dict[bytes, x509.Certificate] = {}
    for piece in pem.split(_END)[:-1]:
        start = piece.find(b"-----BEGIN CERTIFICATE-----")
        if start < 0:
            continue
        try:
            with warnings.catch_warnings(action="ignore"):  # of authorities with an odd serial number
                certificate = x509.load_pem_x509_certificate(piece[start:] + _END)
        except ValueError:
            continue
        found.setdefault(certificate.fingerprint(hashes.SHA256()), certificate)
    return list(found.values())


def trust_store(pem: bytes, password: str) -> bytes:
    """A PKCS12 store that Java takes as its list of authorities; an alias a fingerprint."""
    entries = [
        pkcs12.PKCS12Certificate(one, one.fingerprint(hashes.SHA256()).hex().encode()) for one in certificates(pem)
    ]
    if not entries:
        raise StackError("The file of certificate authorities holds none.", "Set SSL_CERT_FILE to one that does.")
    return pkcs12.serialize_java_truststore(entries, BestAvailableEncryption(password.encode()))


def network_options(env: Mapping[str, str], folder: Path) -> list[str]:
    """Java's options for the system's authorities and the environment's proxy."""
    options = []
    authorities = bundle(env)
    if authorities:
        password = secrets.token_hex(8)
        store = folder / "authorities.p12"
        store.write_bytes(trust_store(authorities.read_bytes(), password))
        options += [
            f"-Djavax.net.ssl.trustStore={store}",
            "-Djavax.net.ssl.trustStoreType=PKCS12",
            f"-Djavax.net.ssl.trustStorePassword={password}",
        ]
    for scheme in ("http", "https"):
        proxy = urlsplit(env.get(f"{scheme}_proxy") or env.get(f"{scheme.upper()}_PROXY") or "")
        if proxy.hostname:
            options.append(f"-D{scheme}.proxyHost={proxy.hostname}")
            options.append(f"-D{scheme}.proxyPort={proxy.port or 80}")
    return options


def retrieve(target: Path) -> int:
    """Fetches all jars into `target`/hdfs and `target`/kafka, whole or not at all; returns how many."""
    work = target.with_name("jars.work")
    work.mkdir(parents=True, exist_ok=True)
    ivy = next((spark.spark_home() / "jars").glob("ivy-*.jar"), None)
    if ivy is None:
        raise StackError("pyspark came without its Ivy.", "Run `rm -rf .venv`, then `make setup`.")
    command = [
        str(java.find().binary),
        *network_options(base_environment(), work),
        *("-jar", str(ivy), "-cache", str(work / "cache"), "-ivy", str(HERE / "ivy.xml"), "-types", "jar", "bundle"),
        *("-retrieve", f"{work}/lib/[conf]/[artifact]-[revision](-[classifier]).[ext]"),
    ]
    shutil.rmtree(work / "lib", ignore_errors=True)
    for attempt in range(1, ATTEMPTS + 1):
        told = _run_ivy(command, work)
        if told is None:
            break
        if attempt == ATTEMPTS:
            raise StackError(f"Ivy could not fetch the jars: {told}", "Check the network, then run it again.")
        sys.stderr.write(f"    {told}; trying again\n")
        time.sleep(2 * attempt)
    count = verify(work / "lib", (HERE / "jars.sha256").read_text())
    shutil.rmtree(target, ignore_errors=True)
    (work / "lib").rename(target)
    shutil.rmtree(work)
    return count


def _run_ivy(command: list[str], work: Path) -> str | None:
    """Runs Ivy, counting what it fetches; None when all went well, else its complaint."""
    fetched, shown, complaint = 0, 0.0, ""
    with (
        (work / "ivy.log").open("w") as log,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=work
        ) as ivy,
    ):
        for line in ivy.stdout or ():
            log.write(line)
            fetched += line.lstrip().startswith("[SUCCESSFUL ]")
            if any(word in line for word in ("UNRESOLVED DEPENDENCY", "FAILED DOWNLOAD", "SERVER ERROR", "Exception")):
                complaint = complaint or line.strip(" \t\n:")
            if fetched and time.monotonic() - shown > 5:
                shown = time.monotonic()
                sys.stderr.write(f"    {fetched} jars fetched\n")
    if ivy.returncode == 0:
        return None
    return complaint or f"exit code {ivy.returncode}, see {work / 'ivy.log'}"


def verify(folder: Path, listed: str) -> int:
    """Compares the jars below `folder` with a list of `<sha256>  <path>` lines; StackError for any difference."""
    expected = {path: value for value, path in (line.split() for line in listed.splitlines())}
    found = {str(path.relative_to(folder)): path for path in folder.rglob("*.jar")}
    missing = sorted(expected.keys() - found.keys())
    if missing:
        raise StackError(f"{len(missing)} jars were not fetched, among them {missing[0]}.", "Run it again.")
    for name, path in sorted(found.items()):
        with path.open("rb") as jar:
            value = hashlib.file_digest(jar, "sha256").hexdigest()
        if expected.get(name) != value:
            raise StackError(
                f"The jar {name} is not the one that this version of PIVO was made with.",
                "Do not use it; try another network, and report this if it stays.",
            )
    return len(found)


def main() -> int:
    """`python -m pivo.stack.jars`: 0 done, 1 failed."""
    try:
        count = retrieve(Settings.load().jars)
    except PivoError as err:
        sys.stderr.write(f"    {err.what}\n    {err.do}\n")
        return 1
    sys.stderr.write(f"    {count} jars, each as listed\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
