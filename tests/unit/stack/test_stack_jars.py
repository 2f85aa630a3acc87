from __future__ import annotations

import datetime
import hashlib
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12

from pivo.errors import StackError
from pivo.stack import jars


def authority(name: str) -> bytes:
    """A self-signed certificate, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM)


def test_the_trust_store_holds_each_authority_once_under_its_own_alias() -> None:
    one, two = authority("Proxy CA"), authority("Proxy CA")
    pem = b"# a comment\n" + one + b"\n" + two + one
    store = pkcs12.load_pkcs12(jars.trust_store(pem, "secret"), b"secret")
    assert len(store.additional_certs) == 2
    assert len({entry.friendly_name for entry in store.additional_certs}) == 2


def test_an_unreadable_entry_does_not_spoil_the_others() -> None:
    broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    assert len(jars.certificates(broken + authority("Good CA"))) == 1


def test_a_bundle_without_certificates_is_refused() -> None:
    with pytest.raises(StackError, match="SSL_CERT_FILE"):
        jars.trust_store(b"nothing here", "secret")


def test_ssl_cert_file_names_the_bundle(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_bytes(authority("Proxy CA"))
    assert jars.bundle({"SSL_CERT_FILE": str(bundle)}) == bundle
    assert jars.bundle({"SSL_CERT_FILE": str(tmp_path / "none.pem")}) is None


def test_the_environments_proxy_reaches_java(tmp_path: Path) -> None:
    options = jars.network_options({"HTTPS_PROXY": "http://proxy.example:3128", "SSL_CERT_FILE": "/none"}, tmp_path)
    assert options == ["-Dhttps.proxyHost=proxy.example", "-Dhttps.proxyPort=3128"]


def listed(**files: bytes) -> str:
    return "".join(f"{hashlib.sha256(data).hexdigest()}  kafka/{name}.jar\n" for name, data in files.items())


def test_jars_are_compared_with_the_list(tmp_path: Path) -> None:
    (tmp_path / "kafka").mkdir()
    (tmp_path / "kafka" / "a.jar").write_bytes(b"a")
    assert jars.verify(tmp_path, listed(a=b"a")) == 1
    with pytest.raises(StackError, match=r"kafka/a\.jar is not the one"):
        jars.verify(tmp_path, listed(a=b"another"))
    with pytest.raises(StackError, match=r"among them kafka/b\.jar"):
        jars.verify(tmp_path, listed(a=b"a", b=b"b"))
    (tmp_path / "kafka" / "stray.jar").write_bytes(b"not listed")
    with pytest.raises(StackError, match=r"kafka/stray\.jar"):
        jars.verify(tmp_path, listed(a=b"a"))
