# SPDX-License-Identifier: Apache-2.0
"""A checkpoint's body and a time come in; what a witness signs goes out, and its line and key are read and written.

c2sp.org/tlog-cosignature, version 1 with Ed25519: who cosigns says that, at that time, this was the largest tree of
the log that it had seen, and that it began with every tree that it had seen before.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from lockgate.core.base64_text import from_base64, to_base64
from lockgate.core.note import KEY_HASH_SIZE, KEY_SIZE, NoteSignature, is_name
from lockgate.core.public_key import is_weak
from lockgate.core.refusal import Reason, VerifyError

ED25519_COSIGNATURE = b"\x04"
HEADER = "cosignature/v1"
TIME_SIZE, SIGNATURE_SIZE = 8, 64
MAX_TIME = 2**63 - 1


@dataclass(frozen=True, slots=True)
class WitnessKey:
    """An Ed25519 key that cosigns checkpoints under the name of a witness."""

    name: str
    raw: bytes

    def __post_init__(self) -> None:
        if not is_name(self.name) or len(self.raw) != KEY_SIZE:
            raise ValueError("a witness has a name without spaces or +, and a key of 32 bytes")

    @property
    def key_hash(self) -> bytes:
        """Return the four bytes by which a signature line selects its key."""
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519_COSIGNATURE + self.raw).digest()[:KEY_HASH_SIZE]

    @property
    def text(self) -> str:
        """Return the key as tools of C2SP take it."""
        return f"{self.name}+{self.key_hash.hex()}+{to_base64(ED25519_COSIGNATURE + self.raw)}"

    def is_of(self, line: NoteSignature) -> bool:
        """Say whether a signature line names this key."""
        return (line.name, line.key_hash) == (self.name, self.key_hash)


@dataclass(frozen=True, slots=True)
class Cosignature:
    """When a witness cosigned, in seconds since 1970 by its own clock, and its signature."""

    time: int
    signature: bytes

    def __post_init__(self) -> None:
        if not 0 <= self.time <= MAX_TIME or len(self.signature) != SIGNATURE_SIZE:
            raise ValueError("a cosignature is a time and 64 bytes")

    def line(self, key: WitnessKey) -> NoteSignature:
        """Return the signature line of a witness."""
        return NoteSignature(key.name, key.key_hash, self.time.to_bytes(TIME_SIZE, "big") + self.signature)


def cosigned_message(body: str, time: int) -> bytes:
    """Return the bytes that a witness signs: its time, and the whole body of the checkpoint's note."""
    return f"{HEADER}\ntime {time}\n{body}".encode()


def read_cosignature(line: NoteSignature) -> Cosignature:
    """Return what a signature line of a witness holds; nothing in it has been verified."""
    time, signature = line.signature[:TIME_SIZE], line.signature[TIME_SIZE:]
    try:
        return Cosignature(int.from_bytes(time, "big"), signature)
    except ValueError as error:
        raise VerifyError(Reason.COSIGNATURE_SHAPE, f"this is not a cosignature: {error}") from error


def read_witness_key(text: str) -> WitnessKey:
    """Return the key of a text `name+hash+base64`, whose hash must be its own."""
    try:
        name, key_hash, encoded = text.strip().split("+", 2)
        data = from_base64(encoded)
        key = WitnessKey(name, data[1:])
    except ValueError as error:
        raise _bad_key() from error
    if data[:1] != ED25519_COSIGNATURE or key.key_hash.hex() != key_hash or is_weak(key.raw):
        raise _bad_key()
    return key


def _bad_key() -> VerifyError:
    return VerifyError(
        Reason.WITNESS_KEY,
        "this is not the key of a witness",
        advice="It is one line: name+hash+base64, for cosignatures by Ed25519 (type 04).",
    )
