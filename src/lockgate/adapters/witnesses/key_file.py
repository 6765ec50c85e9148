# SPDX-License-Identifier: Apache-2.0
"""A folder and a name come in; the key of a witness, made where none is, goes out.

The private key is a PKCS#8 file in PEM that only its owner may read; the public one stands beside it with the name.
"""

from __future__ import annotations

import contextlib
import os
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

from lockgate.adapters.whole_file import whole_file
from lockgate.core.cosignature import WitnessKey, read_witness_key
from lockgate.core.note import is_name
from lockgate.errors import DataError, LockgateError, NotPermittedError, UsageError

PRIVATE, PUBLIC = "witness.pem", "witness-key.txt"
MAX_KEY_FILE_SIZE = 10_000


class WitnessKeyFile:
    """A key that cosigns, from a file."""

    def __init__(self, key: Ed25519PrivateKey, name: str) -> None:
        self._key = key
        self._public = WitnessKey(name, key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    def __repr__(self) -> str:
        return f"WitnessKeyFile({self._public.text!r})"

    @property
    def public(self) -> WitnessKey:
        """Return the public key with the name of the witness."""
        return self._public

    def sign(self, message: bytes) -> bytes:
        """Return the signature, which has been checked."""
        signature = self._key.sign(message)
        try:
            self._key.public_key().verify(signature, message)
        except InvalidSignature as error:
            raise LockgateError(
                f"the key of {self._public.name} made a signature that does not verify; nothing was signed",
                advice="Memory or processor may be faulty.",
            ) from error
        return signature


def make_key(folder: Path, name: str) -> WitnessKeyFile:
    """Make the key of a witness in a folder that has none."""
    if not is_name(name):
        raise UsageError(
            f"{name!r} is no name of a witness: it has a blank or a +",
            advice="A web address without its https:// is usual, such as witness.example.com/lockgate.",
        )
    key = Ed25519PrivateKey.generate()
    made = WitnessKeyFile(key, name)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(folder / PUBLIC, f"{made.public.text}\n".encode(), 0o644)
        _write(folder / PRIVATE, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)
    except FileExistsError as error:
        raise UsageError(
            f"{folder} has the key of a witness already", advice="Name a new folder; a key is never replaced."
        ) from error
    except OSError as error:
        raise UsageError(f"no key can be made in {folder}: {error.strerror or error}") from error
    return made


def open_key(folder: Path) -> WitnessKeyFile:
    """Return the key of a folder."""
    private = folder / PRIVATE
    try:
        named = read_witness_key((folder / PUBLIC).read_bytes()[:MAX_KEY_FILE_SIZE].decode("utf-8", "replace"))
        with private.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise NotPermittedError(
                    f"{private} can be read or written by others than its owner", advice=f"`chmod 600 {private}`."
                )
            pem = file.read(MAX_KEY_FILE_SIZE)
    except FileNotFoundError as error:
        raise UsageError(
            f"there is no key of a witness in {folder}",
            advice="`lockgate witness key --dir FOLDER --name NAME` makes one.",
        ) from error
    except OSError as error:
        raise NotPermittedError(f"{error.filename} cannot be read: {error.strerror}") from error
    found = WitnessKeyFile(_decoded(pem, private), named.name)
    if found.public != named:
        raise DataError(f"{folder / PUBLIC} is not the public key of {private}", advice="Put the two back together.")
    return found


def _decoded(pem: bytes, path: Path) -> Ed25519PrivateKey:
    # The cause may quote what was read, and what was read may be a key.
    with contextlib.suppress(Exception):
        key = load_pem_private_key(pem, password=None)
        if isinstance(key, Ed25519PrivateKey):
            return key
    raise DataError(f"{path} holds no Ed25519 key in PEM", advice="Put the key back from its backup.")


def _write(path: Path, data: bytes, mode: int) -> None:
    """Write a file that must not be there yet."""
    with whole_file(path, data, mode) as whole:
        os.link(whole, path)
