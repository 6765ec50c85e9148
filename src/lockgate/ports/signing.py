# SPDX-License-Identifier: Apache-2.0
"""Bytes come in; signatures by the two keys of a vault go out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from lockgate.core.listed_key import Use


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """Public keys in PEM, of receipts and of checkpoints of the log."""

    receipt: tuple[bytes, ...] = ()
    log: tuple[bytes, ...] = ()


class Signer(Protocol):
    """Signs bytes by one Ed25519 key.

    Duties: the same bytes get the same signature (RFC 8032, without a random part), so that a redo after a crash is
    the same receipt. A signature is checked against the public key before it is handed out; one that does not verify
    raises a LockgateError, and nothing was signed. The private key is in no message, log or representation.
    Of a key that is not there `sign` raises a NotPermittedError, and so does the rest where its public key is unknown.
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

    def check(self) -> None:
        """Refuse as `sign` would where the private key is not there."""

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

    @property
    def kept(self) -> PublicKeys:
        """Return the public keys of all that signed here, as far as they were kept; those of older keys too."""
        ...

    def signer(self, role: Use, key_id: str) -> Signer | None:
        """Return the signer of a role's key, looked for anew where it is not at hand; None where it is not here.

        A key that is prepared for its turn, or whose turn is over, is found as well: the log says whose turn it is.
        """
        ...


@dataclass(frozen=True, slots=True)
class Aside:
    """Where what signed before was put, and whether it is the file of a program, which holds its public half alone."""

    place: str
    is_program: bool


class KeyRing(Signers, Protocol):
    """Signers of which one can be followed by another."""

    def prepared(self, role: Use) -> str | None:
        """Return the id of the key that was prepared to follow; None where none was. Nothing is made."""
        ...

    def prepare(self, role: Use, *, may_be_file: bool = False) -> Signer:
        """Return the signer of the key that is to follow, made where none was prepared; its public half is kept.

        Where a program signs none is made, with a UsageError, unless a key in a file may follow it.
        """
        ...

    def take(self, role: Use, key_id: str) -> Aside | None:
        """Put a prepared key into its place, and what was there aside; return where that is, None where it was so."""
        ...
