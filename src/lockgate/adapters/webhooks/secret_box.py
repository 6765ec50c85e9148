# SPDX-License-Identifier: Apache-2.0
"""A webhook's secret comes in and ciphertext goes out, and back; the key is a file that only its owner may read.

The id of the endpoint is bound to its ciphertext, so that no row of the store can stand in for another. A store has one
key: it is made with the keys that sign, and whoever finds none makes none, because others may seal by it already.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from lockgate.adapters.owner import make_folder
from lockgate.adapters.whole_file import whole_file
from lockgate.errors import DataError, LockgateError, NotPermittedError

KEY_FILE = "webhook.key"
KEY_BYTES, NONCE_BYTES = 32, 12


class SecretBox:
    """Seals and opens secrets by the key of a folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / KEY_FILE

    def seal(self, secret: bytes, name: str) -> bytes:
        """Return the ciphertext of a secret that is bound to a name."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + ChaCha20Poly1305(self._key()).encrypt(nonce, secret, name.encode())

    def open(self, sealed: bytes, name: str) -> bytes:
        """Return the secret of a ciphertext that is bound to a name."""
        try:
            return ChaCha20Poly1305(self._key()).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], name.encode())
        except (InvalidTag, ValueError) as error:
            raise DataError(
                "the secret was sealed by another key",
                advice=f"Put {KEY_FILE} back into the keys folder, or rotate the secret with --force.",
            ) from error

    def opens(self, sealed: bytes, name: str) -> bool:
        """Say whether a ciphertext can be opened here."""
        try:
            self.open(sealed, name)
        except LockgateError:
            return False
        return True

    def _key(self) -> bytes:
        try:
            descriptor = os.open(self._path, os.O_RDONLY)
        except FileNotFoundError as error:
            raise NotPermittedError(
                f"{KEY_FILE} of the keys folder is not there, and every server of a store seals by the same one",
                advice="Copy it from the server that made the store, or put it back from its backup. If it is lost for "
                "good, `lockgate new-keys --reason TEXT --yes` makes another; rotate each secret with --force then.",
            ) from error
        except OSError as error:
            raise DataError(
                f"{KEY_FILE} of the keys folder cannot be read: {error.strerror}",
                advice="Run as the owner of the key.",
            ) from error
        with os.fdopen(descriptor, "rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise NotPermittedError(
                    f"others may read {KEY_FILE} of the keys folder", advice="chmod 600 it, and rotate the secrets."
                )
            key = file.read(KEY_BYTES + 1)
        if len(key) != KEY_BYTES:
            raise DataError(f"{KEY_FILE} of the keys folder is no key", advice="Put it back from its backup.")
        return key


def make_key(folder: Path) -> None:
    """Make the key of a folder whole before it has its name, and let whoever was first at it win."""
    make_folder(folder)
    with whole_file(folder / KEY_FILE, secrets.token_bytes(KEY_BYTES)) as made, contextlib.suppress(FileExistsError):
        os.link(made, folder / KEY_FILE)
