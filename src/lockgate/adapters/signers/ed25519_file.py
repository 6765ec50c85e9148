# SPDX-License-Identifier: Apache-2.0
"""A file comes in; the signer of the private key that it holds, made where that is asked for, goes out.

A key is a PKCS#8 file in PEM that only its owner may read, locked by a passphrase where one is given.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from lockgate.adapters.whole_file import whole_file
from lockgate.core.public_key import PublicKey
from lockgate.crash_point import reach
from lockgate.errors import DataError, LockgateError, NotPermittedError, UsageError

MAX_KEY_FILE_SIZE = 10_000


class Ed25519FileSigner:
    """A signer whose private key came from a file."""

    def __init__(self, key: Ed25519PrivateKey, keep: Callable[[PublicKey], None] = lambda _key: None) -> None:
        self._key = key
        self._keep: Callable[[PublicKey], None] | None = keep
        self._public = key.public_key()
        raw = self._public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        self._named = PublicKey(raw)

    def __repr__(self) -> str:
        return f"Ed25519FileSigner(key_id={self.key_id!r})"

    @property
    def key_id(self) -> str:
        """Return the SHA-256 of the public key's SubjectPublicKeyInfo."""
        return self._named.key_id

    @property
    def public_key_pem(self) -> bytes:
        """Return the public key in PEM."""
        return self._named.pem

    def check(self) -> None:
        """Refuse nothing: the key is there."""

    def sign(self, message: bytes) -> bytes:
        """Return the signature, which has been checked; the public key is kept first, to outlive the private one."""
        if self._keep is not None:
            self._keep(self._named)
            self._keep = None
        signature = self._key.sign(message)
        try:
            self._public.verify(signature, message)
        except InvalidSignature as error:
            raise LockgateError(
                f"key {self.key_id} made a signature that does not verify; nothing was signed",
                advice="Memory or processor may be faulty: verify the latest receipts on another machine.",
            ) from error
        return signature


def read_key_file(
    path: Path, passphrase: bytes | None = None, keep: Callable[[PublicKey], None] = lambda _key: None
) -> Ed25519FileSigner:
    """Return the signer of a key that only its owner may read."""
    with explained(path):
        return Ed25519FileSigner(_decode(path, _read(path), passphrase), keep)


def read_public_half(path: Path, passphrase: bytes | None = None) -> PublicKey:
    """Return the public half of a key by which nothing is signed; others may be able to read the file."""
    with explained(path):
        raw = _decode(path, _read(path, may_sign=False), passphrase).public_key()
    return PublicKey(raw.public_bytes(Encoding.Raw, PublicFormat.Raw))


def make_key_file(path: Path, passphrase: bytes | None = None) -> None:
    """Write a key of its own, unless another process was first."""
    lock = NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase)
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)
    with whole_file(path, pem) as whole:
        reach("key.written")
        # A link, unlike a rename, does not replace: of many first starts one wins and all read its key.
        with contextlib.suppress(FileExistsError):
            os.link(whole, path)


def _read(path: Path, *, may_sign: bool = True) -> bytes:
    # What is opened is what is judged: between a check by name and an open by name the file may change.
    # Without O_NONBLOCK a pipe in the key's place would be waited for.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise DataError(f"{path} is not a file", advice="A key is a regular file, or a link to one.")
        if may_sign and stat.S_IMODE(status.st_mode) & 0o077:
            raise NotPermittedError(
                f"{path} can be read or written by others than its owner (mode {stat.S_IMODE(status.st_mode):04o})",
                advice=f"`chmod 600 {path}`, and the folder's other keys; if somebody may have read one, `lockgate "
                "keys rotate receipt --compromised --last-good-index N` (or `rotate log`) lets another follow it.",
            )
        return file.read(MAX_KEY_FILE_SIZE)


def _decode(path: Path, pem: bytes, passphrase: bytes | None) -> Ed25519PrivateKey:
    is_locked = b"-----BEGIN ENCRYPTED PRIVATE KEY-----" in pem
    if is_locked and passphrase is None:
        raise NotPermittedError(
            f"{path} is locked by a passphrase",
            advice="LOCKGATE_KEY_PASSPHRASE_FILE names the file that holds the passphrase.",
        )
    try:
        key = load_pem_private_key(pem, password=passphrase if is_locked else None)
    except Exception:  # noqa: BLE001 -- whatever the library raises
        # The cause may quote what was read, and what was read may be a key.
        what = "does not open by that passphrase, or holds no private key" if is_locked else "holds no private key"
        raise _not_a_key(path, f"{what} in PEM") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise _not_a_key(path, "holds a key of another kind")
    return key


def _not_a_key(path: Path, what: str) -> DataError:
    return DataError(
        f"{path} {what}; an Ed25519 key in PKCS#8 is needed",
        advice="Put the key back from its backup; without it older receipts still verify by its public key.",
    )


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Say of what a disk refuses which key it is, and what to do."""
    try:
        yield
    except PermissionError as error:
        raise NotPermittedError(
            f"{path} cannot be read or made: {error.strerror}",
            advice="Run as the owner of the key, on a disk that keeps permissions and hard links.",
        ) from error
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read or made: {error.strerror or error}",
            advice="Choose a folder on a disk that keeps permissions and hard links.",
        ) from error
