# SPDX-License-Identifier: Apache-2.0
"""A folder without a private key comes in; a signer that refuses, and may know the public key, goes out."""

from __future__ import annotations

from pathlib import Path

from lockgate.adapters.signers.ed25519_file import MAX_KEY_FILE_SIZE, explained
from lockgate.core.listed_key import Use
from lockgate.core.public_key import PublicKey, read_public_key
from lockgate.errors import NotPermittedError


class LostKeySigner:
    """The signer of a key that is not there: it signs nothing, and knows its public key where that was left."""

    def __init__(self, folder: Path, role: Use) -> None:
        self._path, self._public = folder / f"{role}.pem", folder / f"{role}-key.pem"

    @property
    def key_id(self) -> str:
        """Return the id of the public key."""
        return self._named().key_id

    @property
    def public_key_pem(self) -> bytes:
        """Return the public key in PEM."""
        return self._named().pem

    def check(self) -> None:
        """Refuse."""
        raise self._lost()

    def sign(self, message: bytes) -> bytes:  # noqa: ARG002 -- nothing is signed
        """Refuse to sign."""
        raise self._lost()

    def _named(self) -> PublicKey:
        with explained(self._public):
            if not self._public.exists():
                raise self._lost()
            return read_public_key(self._public.read_bytes()[:MAX_KEY_FILE_SIZE])

    def _lost(self) -> NotPermittedError:
        return NotPermittedError(
            f"{self._path} is not there, and this store was signed by the keys of that folder",
            advice="Nothing is signed, and reading works. Put the keys folder back from its backup. If the keys are "
            "lost for good, `lockgate new-keys --reason TEXT --yes` goes on by new ones, and a receipt says so.",
        )
