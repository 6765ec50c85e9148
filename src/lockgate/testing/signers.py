# SPDX-License-Identifier: Apache-2.0
"""A seed comes in; signers whose keys everybody can compute go out. For tests: they prove nothing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lockgate.core.listed_key import Use
from lockgate.core.public_key import PublicKey
from lockgate.ports.signing import PublicKeys

NO_KEYS = PublicKeys()


class SeededSigner:
    """A signer whose private key is the digest of a text."""

    def __init__(self, seed: str) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(seed.encode("utf-8")).digest())
        self._public = PublicKey(self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    @property
    def key_id(self) -> str:
        """Return the id of the public key."""
        return self._public.key_id

    @property
    def public_key_pem(self) -> bytes:
        """Return the public key in PEM."""
        return self._public.pem

    def check(self) -> None:
        """Refuse nothing: everybody has the key."""

    def sign(self, message: bytes) -> bytes:
        """Return the signature."""
        return self._key.sign(message)


@dataclass(frozen=True, slots=True)
class SeededSigners:
    """The two signers of a vault for tests."""

    receipt: SeededSigner
    log: SeededSigner
    kept: PublicKeys = NO_KEYS

    def signer(self, role: Use, key_id: str) -> SeededSigner | None:
        """Return the signer of a key, where it is one of the two."""
        found = self.receipt if role is Use.RECEIPT else self.log
        return found if found.key_id == key_id else None


def seeded_signers(seed: int = 0) -> SeededSigners:
    """Return the signers of a seed."""
    return SeededSigners(SeededSigner(f"receipt {seed}"), SeededSigner(f"log {seed}"))
