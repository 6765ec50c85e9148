# SPDX-License-Identifier: Apache-2.0
"""A signer comes in; pytest says whether it keeps the port's promises.

class TestMine(SignerContract):
    def signer(self) -> Signer: ...
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from lockgate.core.public_key import PublicKey, read_public_key
from lockgate.ports.signing import Signer

MESSAGES = (b"", b"\x00", b"DSSEv1 0  0 ", bytes(range(256)) * 160)


class SignerContract:
    """What every signer must do."""

    # Lockgate never signs no bytes at all: whoever cannot may leave the first one out.
    messages: tuple[bytes, ...] = MESSAGES

    def signer(self) -> Signer:
        """Return the signer under test, with the same key at every call."""
        raise NotImplementedError

    def key(self) -> PublicKey:
        """Return the signer's public key as others read it."""
        return read_public_key(self.signer().public_key_pem)

    def test_the_id_is_the_public_keys(self) -> None:
        """Who has the PEM finds the id by OpenSSL alone."""
        assert self.signer().key_id == self.key().key_id

    def test_the_public_key_is_written_in_one_form(self) -> None:
        """The PEM is byte for byte OpenSSL's, so that files of it compare equal."""
        assert self.signer().public_key_pem == self.key().pem

    def test_signatures_verify(self) -> None:
        """Any bytes, none and many included, are signed as they are: `verify` raises for another signature."""
        public = Ed25519PublicKey.from_public_bytes(self.key().raw)

        for message in self.messages:
            public.verify(self.signer().sign(message), message)

    def test_a_redo_is_the_same(self) -> None:
        """Without a random part a crashed signer's redo is the identical receipt; other bytes are signed otherwise."""
        first = [self.signer().sign(message) for message in self.messages]

        again = [self.signer().sign(message) for message in self.messages]

        assert again == first
        assert len(set(first)) == len(self.messages)
