# SPDX-License-Identifier: Apache-2.0
"""A folder of keys comes in; what is known of its public keys goes out when it is asked for, and nothing is signed.

Whoever only looks needs no private key, and makes none; how safe a private key is kept is a signer's concern.
"""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

from lockgate.adapters.signers.key_folder import find_public, kept_here
from lockgate.core.listed_key import Use
from lockgate.core.public_key import PublicKey
from lockgate.errors import LockgateError
from lockgate.ports.signing import PublicKeys


class KnownKey:
    """The public key of one role."""

    def __init__(self, folder: Path, role: Use) -> None:
        self._folder, self._role = folder, role

    @property
    def key_id(self) -> str:
        """Return the id of the public key."""
        return self._found().key_id

    @property
    def public_key_pem(self) -> bytes:
        """Return the public key in PEM."""
        return self._found().pem

    def check(self) -> NoReturn:
        """Refuse."""
        self.sign(b"")

    def sign(self, message: bytes) -> NoReturn:  # noqa: ARG002 -- nothing is signed
        """Refuse to sign."""
        raise LockgateError(
            f"the {self._role} key in {self._folder} is only looked at, and signs nothing",
            advice="Please report this: it is a fault in Lockgate.",
        )

    def _found(self) -> PublicKey:
        return find_public(self._folder, self._role)


class KnownKeys:
    """The public keys of a folder, where signers are asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.receipt, self.log = KnownKey(folder, Use.RECEIPT), KnownKey(folder, Use.LOG)

    @property
    def kept(self) -> PublicKeys:
        """Return the public keys of all that signed from the folder, as far as they are there."""
        return kept_here(self._folder)

    def signer(self, role: Use, key_id: str) -> KnownKey | None:
        """Return the key of a role that is there, where it is that one."""
        found = self.receipt if role is Use.RECEIPT else self.log
        return found if found.key_id == key_id else None
