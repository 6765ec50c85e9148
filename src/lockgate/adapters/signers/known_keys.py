# SPDX-License-Identifier: Apache-2.0
"""A folder of keys comes in; what is known of its public keys goes out when it is asked for, and nothing is signed.

Whoever only looks needs no private key, and makes none; how safe a private key is kept is a signer's concern.
"""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

from lockgate.adapters.signers.ed25519_file import LOG_KEY, RECEIPT_KEY, ROLES, find_key
from lockgate.adapters.signers.public_folder import kept_public
from lockgate.errors import LockgateError
from lockgate.ports.signing import PublicKeys


class KnownKey:
    """The public key of one role."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def key_id(self) -> str:
        """Return the id of the public key."""
        return find_key(self._path).key_id

    @property
    def public_key_pem(self) -> bytes:
        """Return the public key in PEM."""
        return find_key(self._path).public_key_pem

    def check(self) -> NoReturn:
        """Refuse."""
        self.sign(b"")

    def sign(self, message: bytes) -> NoReturn:  # noqa: ARG002 -- nothing is signed
        """Refuse to sign."""
        raise LockgateError(
            f"{self._path} is only looked at, and signs nothing",
            advice="Please report this: it is a fault in Lockgate.",
        )


class KnownKeys:
    """The public keys of a folder, where signers are asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.receipt, self.log = KnownKey(folder / RECEIPT_KEY), KnownKey(folder / LOG_KEY)

    @property
    def kept(self) -> PublicKeys:
        """Return the public keys of all that signed from the folder, as far as they are there."""
        receipt, log = (tuple(kept_public(self._folder, role).values()) for role in ROLES.values())
        return PublicKeys(receipt, log)
