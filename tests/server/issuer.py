# SPDX-License-Identifier: Apache-2.0
"""Claims come in; tokens that a real issuer signed, whose keys a real server publishes by TLS, go out."""

from __future__ import annotations

import datetime as dt
import http.server
import ipaddress
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

LOCAL = "127.0.0.1"


@cache
def private_key(number: int = 0) -> rsa.RSAPrivateKey:
    """Return one of some keys."""
    return rsa.generate_private_key(public_exponent=65_537, key_size=2_048 + 8 * number)


def public_jwk(kid: str = "one", number: int = 0, **other: object) -> dict[str, Any]:
    """Return a public key as an issuer publishes it."""
    document = jwt.algorithms.RSAAlgorithm.to_jwk(private_key(number).public_key(), as_dict=True)
    return {**document, "kid": kid, "use": "sig", "alg": "RS256", **other}


@dataclass
class Issuer:
    """A server by TLS on loopback: `documents` are what it answers, `asked` what it was asked for."""

    address: str
    context: ssl.SSLContext
    asked: list[str] = field(default_factory=list)
    documents: dict[str, Callable[[http.server.BaseHTTPRequestHandler], None]] = field(default_factory=dict)

    def publish(self, *keys: Mapping[str, Any], path: str = "/.well-known/jwks") -> None:
        """Publish some keys."""
        body = json.dumps({"keys": keys}).encode()
        self.documents[path] = lambda handler: answer(handler, 200, body)

    def token(self, claims: Mapping[str, object], kid: str = "one", number: int = 0, **header: object) -> str:
        """Return a token of some claims, signed by one of the keys."""
        return jwt.encode({"iss": self.address, **claims}, private_key(number), "RS256", headers={"kid": kid, **header})


def answer(handler: http.server.BaseHTTPRequestHandler, code: int, body: bytes, **headers: str) -> None:
    """Answer a request."""
    handler.send_response(code)
    for name, text in headers.items():
        handler.send_header(name, text)
    handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def drip(handler: http.server.BaseHTTPRequestHandler) -> None:
    """Answer a byte at a time, for longer than anybody waits."""
    handler.send_response(200)
    handler.send_header("content-length", "1000")
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.05)


@contextmanager
def issuing(folder: Path) -> Iterator[Issuer]:
    """Open an issuer on a free port."""
    certificate, trusted = _certificate(folder)
    found: list[Issuer] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found[0].asked.append(self.path)
            document = found[0].documents.get(self.path)
            try:
                answer(self, 404, b"") if document is None else document(self)
            except OSError:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Say nothing of clients that go."""

    with Server((LOCAL, 0), Handler) as server:
        ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ours.load_cert_chain(certificate)
        server.socket = ours.wrap_socket(server.socket, server_side=True)
        found.append(Issuer(f"https://{LOCAL}:{server.server_address[1]}", trusted))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield found[0]
        finally:
            server.shutdown()
            thread.join(10)


def _certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Return a certificate for this machine with its key, and a context that trusts it alone."""
    key, name = private_key(9), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "issuer")])
    now = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(LOCAL))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public = made.public_bytes(serialization.Encoding.PEM)
    form = serialization.PrivateFormat.PKCS8
    private = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    path = folder / "issuer.pem"
    path.write_bytes(private + public)
    return path, ssl.create_default_context(cadata=public.decode())
