# SPDX-License-Identifier: Apache-2.0
"""Receivers with certificates of a private authority come in; only the one that was meant is sent anything."""

from __future__ import annotations

import datetime as dt
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from lockgate.adapters.outgoing.resolving import Names
from lockgate.adapters.webhooks.secret_box import SecretBox, make_key
from lockgate.adapters.webhooks.sender import Sender
from lockgate.core.delivery import Carried
from lockgate.core.instant import SECOND
from lockgate.wiring import system_clock
from tests.spec.line import world
from tests.spec.test_webhook_sending import MESSAGE
from tests.spec.webhooked import LOOPBACK, hooked

NAME = "receiver.example.com"


@dataclass(frozen=True)
class Authority:
    """Who signs certificates: a file that says so, and its key."""

    file: Path
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def issued(self, name: str, days: int = 1) -> Path:
        """Return a file with a key and the certificate of a name."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = _certificate(name, key, self.certificate.subject, self.key, days)
        path = self.file.with_name(f"{name}-{days}.pem")
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.write_bytes(private + made.public_bytes(Encoding.PEM))
        return path


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: x509.Name, by: ec.EllipticCurvePrivateKey, days: int
) -> x509.Certificate:
    now = dt.datetime.fromtimestamp(system_clock().now() / SECOND, dt.UTC)
    is_authority = name == "authority"
    day = dt.timedelta(days=1)
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 9 * day)
        .not_valid_after(now + days * day)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
    )
    if not is_authority:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    return builder.sign(by, hashes.SHA256())


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Return an authority that nobody else knows."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "authority")])
    certificate = _certificate("authority", key, subject, key, 5)
    file = tmp_path_factory.mktemp("authority") / "authority.pem"
    file.write_bytes(certificate.public_bytes(Encoding.PEM))
    return Authority(file, certificate, key)


@contextmanager
def secured(certificate: Path) -> Iterator[tuple[int, list[str]]]:
    """Answer by TLS until the block ends, and return the port and which hosts were asked for."""
    came: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            came.append(str(self.headers["host"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            return

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with Server(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server.server_port, came
        finally:
            server.shutdown()
            thread.join(10)


def told(folder: Path, port: int, ca_file: Path | None) -> Carried:
    """Send a message to the receiver of a name that leads to this machine."""
    here = world()
    make_key(folder)
    receivers = Sender(
        SecretBox(folder),
        LOOPBACK,
        here.clock,
        None if ca_file is None else str(ca_file),
        Names(lambda _host: (ip_address("127.0.0.1"),)),
    )
    return receivers.carry_out(hooked(here, receivers, f"https://{NAME}:{port}/").endpoint, MESSAGE)


@pytest.mark.clause("WH-25")
def test_a_receiver_of_a_private_authority_is_sent_to_by_its_name(authority: Authority, tmp_path: Path) -> None:
    """Its certificate is that of the name, though an address was connected to."""
    with secured(authority.issued(NAME)) as (port, came):
        carried = told(tmp_path, port, authority.file)

    assert (carried.fault, carried.code) == (None, 204)
    assert came == [f"{NAME}:{port}"]


@pytest.mark.clause("WH-25")
@pytest.mark.parametrize(
    ("name", "days", "is_known", "said"),
    [
        (NAME, 1, False, "certificate does not verify"),
        ("other.example.com", 1, True, "certificate does not verify: Hostname mismatch"),
        (NAME, -1, True, "certificate does not verify: certificate has expired"),
    ],
)
def test_whoever_cannot_prove_the_name_is_sent_nothing(
    authority: Authority, name: str, days: int, is_known: bool, said: str, tmp_path: Path
) -> None:
    """An authority that nobody vouches for, another name, and a certificate that is over."""
    with secured(authority.issued(name, days)) as (port, came):
        carried = told(tmp_path, port, authority.file if is_known else None)

    assert said in (carried.fault or "")
    assert came == []


@pytest.mark.clause("WH-25")
def test_a_file_of_certificates_that_is_none_is_a_fault(tmp_path: Path) -> None:
    """Nothing is sent, and nothing is taken for verified."""
    (tmp_path / "empty.pem").write_text("none\n", encoding="utf-8")

    for name in ("empty.pem", "missing.pem"):
        assert "LOCKGATE_WEBHOOK_CA cannot be read" in (told(tmp_path, 1, tmp_path / name).fault or "")
