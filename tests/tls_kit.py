"""A certificate authority of a test's own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Authority:
    """A certificate authority: its certificate, and a server's key with its chain, as PEM files."""

    ca: Path
    server: Path

    @classmethod
    def make(cls, folder: Path) -> Authority:
        def name(text: str) -> x509.Name:
            return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

        now = datetime.now(UTC)
        ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())

        def certificate(subject: str, public: Any, *extensions: x509.ExtensionType) -> x509.Certificate:
            made = x509.CertificateBuilder(name("PIVO's test authority"), name(subject), public.public_key())
            made = made.serial_number(x509.random_serial_number())
            made = made.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))
            for extension in extensions:
                made = made.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
            return made.sign(ca_key, hashes.SHA256())

        root = certificate("PIVO's test authority", ca_key, x509.BasicConstraints(ca=True, path_length=None))
        here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("localhost")])
        leaf = certificate("server", key, here, x509.BasicConstraints(ca=False, path_length=None))
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        told = cls(folder / "ca.pem", folder / "server.pem")
        told.ca.write_bytes(root.public_bytes(serialization.Encoding.PEM))
        told.server.write_bytes(
            key.private_bytes(*form) + b"".join(c.public_bytes(serialization.Encoding.PEM) for c in (leaf, root))
        )
        return told

    def keystore(self, path: Path, word: str) -> None:
        """The server's key and chain as Java's servers read it, locked with `word`."""
        pem = self.server.read_bytes()
        key = serialization.load_pem_private_key(pem, None)
        leaf, root = x509.load_pem_x509_certificates(pem)
        locked = serialization.BestAvailableEncryption(word.encode())
        path.write_bytes(pkcs12.serialize_key_and_certificates(b"server", key, leaf, [root], locked))  # type: ignore[arg-type]
