# SPDX-License-Identifier: Apache-2.0
"""An Ed25519 public key comes in as PEM or as 32 bytes; its id, its PEM and its bytes go out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache

from lockgate.core.base64_text import from_base64, to_base64
from lockgate.core.refusal import Reason, VerifyError

KEY_SIZE = 32
# y of the points of small order, on the curve of RFC 8032: for a key at one of these anybody finds signatures.
_P = 2**255 - 19
_EIGHTH = 2707385501144840649318225287225658788936804267575313519463743609750303402022
SMALL_ORDER = frozenset((0, 1, _P - 1, _EIGHTH, _P - _EIGHTH))
# RFC 8410 section 4: the DER of every Ed25519 SubjectPublicKeyInfo begins with these bytes.
_SPKI_PREFIX = bytes.fromhex("302a300506032b6570032100")
_BEGIN, _END = "-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----"


def is_weak(raw: bytes) -> bool:
    """Say whether 32 bytes stand for a point of small order, in any of its encodings."""
    return (int.from_bytes(raw, "little") % 2**255) % _P in SMALL_ORDER


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One Ed25519 public key, by its 32 bytes."""

    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) != KEY_SIZE:
            raise ValueError(f"an Ed25519 public key has {KEY_SIZE} bytes, not {len(self.raw)}")

    @property
    def key_id(self) -> str:
        """Return the SHA-256 of the key's SubjectPublicKeyInfo in DER, in lower-case hexadecimal."""
        return hashlib.sha256(_SPKI_PREFIX + self.raw).hexdigest()

    @property
    def pem(self) -> bytes:
        """Return the key as OpenSSL writes it."""
        return f"{_BEGIN}\n{to_base64(_SPKI_PREFIX + self.raw)}\n{_END}\n".encode("ascii")


@lru_cache(maxsize=64)
def read_public_key(pem: bytes) -> PublicKey:
    """Return the key that a PEM file holds."""
    lines = pem.decode("ascii", "replace").strip().splitlines()
    if any("PRIVATE KEY" in line for line in lines):
        raise VerifyError(
            Reason.PUBLIC_KEY,
            "this is a private key, and verifying needs the public one",
            advice="`openssl pkey -in KEY -pubout` writes it. Never hand out the private one.",
        )
    try:
        begin, *body, end = lines
        der = from_base64("".join(line.strip() for line in body))
    except ValueError:
        begin, der, end = "", b"", ""
    if (begin, end) != (_BEGIN, _END) or not der.startswith(_SPKI_PREFIX) or len(der) != len(_SPKI_PREFIX) + KEY_SIZE:
        raise VerifyError(
            Reason.PUBLIC_KEY,
            "this is not an Ed25519 public key in PEM",
            advice=f"Such a file has three lines, the first of them `{_BEGIN}`.",
        )
    if is_weak(der[len(_SPKI_PREFIX) :]):
        raise VerifyError(
            Reason.PUBLIC_KEY,
            "this key is a point of small order, for which anybody can make signatures",
            advice="No tool makes such a key by chance: ask its owner for theirs.",
        )
    return PublicKey(der[len(_SPKI_PREFIX) :])
