# SPDX-License-Identifier: Apache-2.0
"""A folder comes in; the signers of its two private keys, made where nothing was signed by them yet, go out.

Each key is a PKCS#8 file in PEM that only its owner may read. A copy without private keys holds the public ones.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
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

from lockgate.adapters.signers.public_folder import keep_public, kept_public
from lockgate.core.public_key import PublicKey, read_public_key
from lockgate.crash_point import reach
from lockgate.errors import DataError, LockgateError, NotPermittedError, UsageError
from lockgate.ports.signing import PublicKeys

RECEIPT_KEY = "receipt.pem"
LOG_KEY = "log.pem"
# Beside a private key, or in its place in a copy that was made without.
PUBLIC = {RECEIPT_KEY: "receipt-key.pem", LOG_KEY: "log-key.pem"}
ROLES = {RECEIPT_KEY: "receipt", LOG_KEY: "log"}
OWNER_ONLY = 0o600
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


class LostKeySigner:
    """The signer of a key that is not there: it signs nothing, and knows its public key where that was left."""

    def __init__(self, path: Path) -> None:
        self._path = path

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
        public = self._path.with_name(PUBLIC[self._path.name])
        with _explained(public):
            if not public.exists():
                raise self._lost()
            return read_public_key(public.read_bytes()[:MAX_KEY_FILE_SIZE])

    def _lost(self) -> NotPermittedError:
        return NotPermittedError(
            f"{self._path} is not there, and this store was signed by the keys of that folder",
            advice="Nothing is signed, and reading works. Put the keys folder back from its backup. If the keys are "
            "lost for good, `lockgate new-keys --reason TEXT --yes` goes on by new ones, and a receipt says so.",
        )


@dataclass(frozen=True, slots=True)
class FileSigners:
    """The two signers of a folder: one for receipts, one for checkpoints of the log."""

    receipt: Ed25519FileSigner | LostKeySigner
    log: Ed25519FileSigner | LostKeySigner
    folder: Path

    @property
    def kept(self) -> PublicKeys:
        """Return the public keys of all that signed from the folder, as far as they are there."""
        receipt, log = (tuple(kept_public(self.folder, role).values()) for role in ROLES.values())
        return PublicKeys(receipt, log)


def open_signers(folder: Path, may_make: Callable[[], bool] = lambda: True) -> FileSigners:
    """Return the signers of a folder.

    A key that is not there is made, whoever else does the same at once; where keys may not be made it is a lost one.
    """
    signers = FileSigners(_open(folder / RECEIPT_KEY, may_make), _open(folder / LOG_KEY, may_make), folder)
    pair = (signers.receipt, signers.log)
    if all(isinstance(each, Ed25519FileSigner) for each in pair) and pair[0].key_id == pair[1].key_id:
        raise NotPermittedError(
            f"{folder / RECEIPT_KEY} and {folder / LOG_KEY} hold the same key, and a key has one role",
            advice="Put the right key back into one of the two files.",
        )
    return signers


def public_keys(folder: Path) -> Mapping[str, bytes]:
    """Return the public keys of a folder that are known, by the name of the file that a copy keeps each in."""
    found: dict[str, bytes] = {}
    for name, public in PUBLIC.items():
        found |= kept_public(folder, ROLES[name])
        signer = _open(folder / name, lambda: False)
        with contextlib.suppress(NotPermittedError):
            found[public] = signer.public_key_pem
    return found


def find_key(path: Path) -> Ed25519FileSigner | LostKeySigner:
    """Return what is known of a key by which nothing is signed; it is made by nobody, and may be read by others."""
    with _explained(path):
        return Ed25519FileSigner(_decode(path, _read(path, may_sign=False))) if path.exists() else LostKeySigner(path)


def _open(path: Path, may_make: Callable[[], bool]) -> Ed25519FileSigner | LostKeySigner:
    with _explained(path):
        if not path.exists():
            if not may_make():
                return LostKeySigner(path)
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make(path)
        return Ed25519FileSigner(_decode(path, _read(path)), partial(keep_public, path.parent, ROLES[path.name]))


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
                advice=f"`chmod 600 {path}`, and the folder's other keys; if somebody may have read them, move them "
                "away, and `lockgate new-keys --reason TEXT --yes` makes others.",
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
