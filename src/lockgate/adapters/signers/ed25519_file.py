# SPDX-License-Identifier: Apache-2.0
"""A folder comes in; the signers of its two private keys, made when they are not there, go out.

Each key is a PKCS#8 file in PEM that only its owner may read.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from lockgate.core.public_key import PublicKey
from lockgate.crash_point import reach
from lockgate.errors import DataError, LockgateError, NotPermittedError, UsageError

RECEIPT_KEY = "receipt.pem"
LOG_KEY = "log.pem"
OWNER_ONLY = 0o600
MAX_KEY_FILE_SIZE = 10_000


class Ed25519FileSigner:
    """A signer whose private key came from a file."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
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

    def sign(self, message: bytes) -> bytes:
        """Return the signature, which has been checked."""
        signature = self._key.sign(message)
        try:
            self._public.verify(signature, message)
        except InvalidSignature as error:
            raise LockgateError(
                f"key {self.key_id} made a signature that does not verify; nothing was signed",
                advice="Memory or processor may be faulty: verify the latest receipts on another machine.",
            ) from error
        return signature


@dataclass(frozen=True, slots=True)
class FileSigners:
    """The two signers of a folder: one for receipts, one for checkpoints of the log."""

    receipt: Ed25519FileSigner
    log: Ed25519FileSigner


def open_signers(folder: Path) -> FileSigners:
    """Return the signers of a folder; a key that is not there is made, whoever else does the same at once."""
    signers = FileSigners(_open(folder / RECEIPT_KEY), _open(folder / LOG_KEY))
    if signers.receipt.key_id == signers.log.key_id:
        raise NotPermittedError(
            f"{folder / RECEIPT_KEY} and {folder / LOG_KEY} hold the same key, and a key has one role",
            advice="Put the right key back into one of the two files.",
        )
    return signers


def _open(path: Path) -> Ed25519FileSigner:
    with _explained(path):
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make(path)
        return Ed25519FileSigner(_decode(path, _read(path)))


def _make(path: Path) -> None:
    """Write a key of its own, unless another process was first."""
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    # mkstemp opens with O_EXCL and 0600: the key is never in a file that others can read.
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        reach("key.written")
        # A link, unlike a rename, does not replace: of many first starts one wins and all read its key.
        with contextlib.suppress(FileExistsError):
            os.link(name, path)
    finally:
        Path(name).unlink()
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(path: Path) -> bytes:
    # What is opened is what is judged: between a check by name and an open by name the file may change.
    # Without O_NONBLOCK a pipe in the key's place would be waited for.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise DataError(f"{path} is not a file", advice="A key is a regular file, or a link to one.")
        if stat.S_IMODE(status.st_mode) & 0o077:
            raise NotPermittedError(
                f"{path} can be read or written by others than its owner (mode {stat.S_IMODE(status.st_mode):04o})",
                advice=f"`chmod 600 {path}`; if somebody may have read it, put a new key in its place.",
            )
        return file.read(MAX_KEY_FILE_SIZE)


def _decode(path: Path, pem: bytes) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError:
        raise _not_a_key(path, "is locked by a passphrase") from None
    except Exception:  # noqa: BLE001 -- whatever the library raises
        # The cause may quote what was read, and what was read may be a key.
        raise _not_a_key(path, "holds no private key in PEM") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise _not_a_key(path, "holds a key of another kind")
    return key


def _not_a_key(path: Path, what: str) -> DataError:
    return DataError(
        f"{path} {what}; an Ed25519 key in PKCS#8 is needed",
        advice="Put the key back from its backup; without it older receipts still verify by its public key.",
    )


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
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
