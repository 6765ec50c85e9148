# SPDX-License-Identifier: Apache-2.0
"""A public key, a signature and a message come in; whether they belong together goes out."""

from __future__ import annotations

from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from lockgate.core.envelope import Envelope, is_malleated
from lockgate.core.public_key import PublicKey
from lockgate.core.refusal import Reason, VerifyError


def is_signed(raw: bytes, signature: bytes, message: bytes) -> bool:
    """Say whether a signature is that of an Ed25519 key over a message."""
    try:
        _loaded(raw).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def check_signature(envelope: Envelope, key: PublicKey) -> None:
    """Refuse an envelope whose signature is not the key's."""
    if is_malleated(envelope.signature):
        raise VerifyError(Reason.SIGNATURE_MALLEATED, "the signature is a second form of another one")
    if not is_signed(key.raw, envelope.signature, envelope.signed_bytes()):
        raise VerifyError(Reason.SIGNATURE, "the signature is not of this key and payload: one of them was changed")


@lru_cache(maxsize=64)
def _loaded(raw: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(raw)
