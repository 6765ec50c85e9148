# SPDX-License-Identifier: Apache-2.0
"""Bytes come in; signatures by the two keys of a vault go out."""

from __future__ import annotations

from typing import Protocol


class Signer(Protocol):
    """Signs bytes by one Ed25519 key.

    Duties: the same bytes get the same signature (RFC 8032, without a random part), so that a redo after a crash is
    the same receipt. A signature is checked against the public key before it is handed out; one that does not verify
    raises a LockgateError, and nothing was signed. The private key is in no message, log or representation.
    Of a key that is not there `sign` raises a NotPermittedError, and so does the rest where its public key is not known.
    A key has one role: receipts and checkpoints of the log are never signed by the same key.
    """

    @property
    def key_id(self) -> str:
        """Return the SHA-256 of the public key's SubjectPublicKeyInfo in DER, in lower-case hexadecimal."""
        ...

    @property
    def public_key_pem(self) -> bytes:
        """Return the public key as OpenSSL writes it."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the 64 bytes of the signature."""
        ...


class Signers(Protocol):
    """The two keys of a vault: one for receipts, one for checkpoints of the log."""

    @property
    def receipt(self) -> Signer:
        """Return the signer of receipts."""
        ...

    @property
    def log(self) -> Signer:
        """Return the signer of checkpoints."""
        ...
