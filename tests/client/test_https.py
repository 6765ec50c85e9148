# SPDX-License-Identifier: Apache-2.0
"""A server that speaks TLS by a certificate of its own comes in; whether the client calls it goes out."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lockgate.client import Client, Timing
from lockgate.errors import UnreachableError
from lockgate.wiring import system_clock
from tests.client.scripted import Script, scripted

TOKEN = "rvk_00000000000000000000000000_secret"  # noqa: S105 -- it opens nothing


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Return a file with a key and a certificate of this machine that nobody else signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.fromtimestamp(system_clock().now() / 1_000, UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path / "certificate.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def script(certificate: Path) -> Iterator[Script]:
    """Return a server that speaks TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with scripted((200, {}, {"id": "rol_a"}), tls=context) as serving:
        yield serving


@pytest.mark.clause("CL-05")
def test_a_certificate_that_is_trusted_lets_the_key_travel(
    script: Script, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SSL_CERT_FILE names what is trusted besides; the connection is kept for the next call."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with Client(script.url, TOKEN) as client:
        found = [client.rollout("rol_a"), client.rollout("rol_a")]

    assert [each["id"] for each in found] == ["rol_a", "rol_a"]
    assert [headers["authorization"] for _, _, headers, _ in script.asked] == [f"Bearer {TOKEN}"] * 2


@pytest.mark.clause("CL-05")
def test_a_certificate_that_is_not_trusted_gets_no_key(script: Script) -> None:
    """The call fails at once, because another try would meet the same certificate."""
    waited: list[float] = []
    timing = Timing(sleep=waited.append, draw=lambda: 1.0)
    with Client(script.url, TOKEN, timing=timing) as client, pytest.raises(UnreachableError, match=r"(?i)certificate"):
        client.rollout("rol_a")

    assert (script.asked, waited) == ([], [])
