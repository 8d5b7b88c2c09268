"""PostgreSQL 15 of Debian 12 with TLS, which the wheel's is built without."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services import debian, postgres

NOT_NEEDED = ("cron", "libllvm14", "libz3-4", "logrotate", "perl", "ssl-cert", "sysstat")


@dataclass(frozen=True)
class TlsServer:
    """A server with TLS: `url` asks for it and checks the server's name against `ca`, the file of its authority."""

    url: str
    ca: Path


@contextlib.contextmanager
def postgres_tls() -> Iterator[TlsServer]:
    """Unpack and start PostgreSQL with a certificate for 127.0.0.1 and localhost."""
    root = debian.unpacked("postgres", "postgresql-15", without=NOT_NEEDED)
    with postgres.service("postgres-tls") as at:
        installed = postgres.within_reach(at, root, "usr/lib", "usr/share/postgresql")
        at.environment.update(debian.libraries(installed))
        ca = certify(at.folder, at.uid)
        url = postgres.serve(
            at,
            installed / "usr" / "lib" / "postgresql" / "15" / "bin",
            "-L",
            installed / "usr" / "share" / "postgresql" / "15",
            settings=(
                "ssl=on",
                f"ssl_cert_file={at.folder / 'server.pem'}",
                f"ssl_key_file={at.folder / 'key.pem'}",
                "jit=off",  # it would ask for LLVM, which we leave out
            ),
        )
        yield TlsServer(f"{url}?sslmode=verify-full&sslrootcert={ca}", ca)


def certify(folder: Path, uid: int) -> Path:
    """Write an authority's certificate, and a server's with its key for a user; the path of the authority's."""
    today = datetime.datetime.now(datetime.UTC)
    authority_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority, server = (
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("Test authority", "localhost")
    )
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])

    def sign(subject: x509.Name, key: ec.EllipticCurvePrivateKey, is_authority: bool) -> bytes:
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(authority)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(today - datetime.timedelta(days=1))
            .not_valid_after(today + datetime.timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        )
        if not is_authority:
            certificate = certificate.add_extension(names, critical=False)
        return certificate.sign(authority_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    (folder / "ca.pem").write_bytes(sign(authority, authority_key, True))
    (folder / "server.pem").write_bytes(sign(server, server_key, False))
    key = folder / "key.pem"
    key.touch(0o600)
    key.write_bytes(
        server_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    os.chown(key, uid, -1)
    return folder / "ca.pem"
