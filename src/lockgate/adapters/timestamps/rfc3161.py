# SPDX-License-Identifier: Apache-2.0
"""Bytes and certificates that are trusted come in; a timestamp authority's verified answer goes out (RFC 3161).

The library is an extra: who asks no authority needs it not.
"""

from __future__ import annotations

import functools
from pathlib import Path
from types import ModuleType

from cryptography import x509

from lockgate.adapters.outgoing.posting import Posting, read_configured_url
from lockgate.adapters.timestamps.certificate_set import ordered
from lockgate.core.instant import SECOND
from lockgate.core.refusal import Reason, VerifyError
from lockgate.errors import NotPermittedError, UnreachableError, UsageError
from lockgate.ports.timestamps import Stamp

MAX_ANSWER, MAX_CERTIFICATES = 65_536, 1_000_000
# Of what the library says of an answer.
MAX_SAID = 200
QUERY = "application/timestamp-query"
REPLY = "application/timestamp-reply"


class KnownAuthorities:
    """The authorities that are known by certificates in PEM."""

    def __init__(self, pem: bytes) -> None:
        _certificates(pem)
        _library()
        self._pem = pem

    def read(self, answer: bytes, data: bytes) -> Stamp:
        """Return who stamped some bytes and when."""
        return read_timestamp(answer, data, self._pem)


class Rfc3161Authority:
    """An authority at an address, known by the certificates of a file."""

    def __init__(self, url: str, certificates: Path, posting: Posting | None = None) -> None:
        self._target, self._url = read_configured_url(url), url
        # What cannot work is told when it is configured, and not once in a quarter of an hour.
        self._pem = read_certificates(certificates)
        _library()
        self._posting = posting or Posting()

    @property
    def url(self) -> str:
        """Return where it is asked."""
        return self._url

    def stamp(self, data: bytes, seconds: float) -> bytes:
        """Return the answer over some bytes."""
        library = _library()
        builder = library.TimestampRequestBuilder().data(data).hash_algorithm(library.HashAlgorithm.SHA256)
        query = builder.cert_request(cert_request=True).nonce(nonce=True).build()
        answered = self._posting.post(self._target, query.as_bytes(), QUERY, seconds, MAX_ANSWER)
        kind = answered.content_type.partition(";")[0].strip().lower()
        if answered.code != 200 or kind != REPLY:
            raise UnreachableError(f"{self._target.name} answered {answered.code} and no timestamp")
        read_timestamp(answered.kept, data, self._pem, nonce=query.nonce)
        return answered.kept


def read_timestamp(answer: bytes, data: bytes, pem: bytes, nonce: int | None = None) -> Stamp:
    """Return who stamped some bytes and when, if a certificate that is trusted says so."""
    library = _library()
    builder = library.VerifierBuilder()
    for certificate in _certificates(pem):
        builder = builder.add_root_certificate(certificate)
    if nonce is not None:
        builder = builder.nonce(nonce)
    try:
        read = library.decode_timestamp_response(ordered(answer))
        _refuse_rejected(read.status, read.status_string)
        builder.build().verify_message(read, data)
        info, signer = read.tst_info, next(iter(read.signed_data.signer_infos))
        named = next(
            cert.subject.rfc4514_string()
            for cert in map(x509.load_der_x509_certificate, read.signed_data.certificates)
            if (cert.issuer, cert.serial_number) == (signer.issuer, signer.serial_number)
        )
    except (ValueError, StopIteration, library.VerificationError) as error:
        raise VerifyError(Reason.TIMESTAMP, f"this is no timestamp of these bytes: {_why(error)}") from error
    return Stamp(round(info.gen_time.timestamp() * SECOND), named)


def _why(error: Exception) -> str:
    """Return what a person can act on of what the library says, which may hold its own dump of a stack of errors."""
    said, _, stack = str(error).partition("ErrorStack")
    if "certificate verify error" in stack:
        return "it is not signed by a certificate that you named, nor by one that such a certificate vouches for"
    return "its signature does not verify" if stack else said[:MAX_SAID]


def _refuse_rejected(status: int, said: list[str]) -> None:
    if status:
        raise ValueError(f"the authority refused: {', '.join(said) or f'status {status}'}")


def read_certificates(path: Path) -> bytes:
    """Return the bytes of a file of certificates in PEM."""
    try:
        with path.open("rb") as file:
            pem = file.read(MAX_CERTIFICATES)
    except OSError as error:
        raise NotPermittedError(
            f"{path} cannot be read: {error.strerror or error}",
            advice="Name a file of certificates in PEM that timestamp authorities are known by.",
        ) from error
    _certificates(pem)
    return pem


def _certificates(pem: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise UsageError(
            "this is no file of certificates in PEM", advice="It holds those that the timestamp authority is known by."
        ) from error


@functools.cache
def _library() -> ModuleType:
    try:
        import rfc3161_client  # noqa: PLC0415 -- an extra, which is loaded where it is asked for
    except ImportError as error:
        raise UsageError(
            "timestamps need a library that is not installed",
            advice="Install the package rfc3161-client, or Lockgate with its extra `timestamps`.",
        ) from error
    return rfc3161_client
