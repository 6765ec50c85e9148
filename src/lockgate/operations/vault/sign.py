# SPDX-License-Identifier: Apache-2.0
"""A payload or a checkpoint and the signer of its role come in; the signed bytes to keep and to hand out go out.

Nothing signed may leave before the transaction that keeps it has committed.
"""

from __future__ import annotations

from lockgate.core.checkpoint import Checkpoint
from lockgate.core.envelope import PAYLOAD_TYPE, Envelope, pre_authentication_encoding
from lockgate.core.note import Note, NoteKey, sign_line
from lockgate.core.public_key import read_public_key
from lockgate.errors import UnreachableError
from lockgate.ports.signing import Signer
from lockgate.verify import is_signed


def sign_receipt(payload: bytes, signer: Signer) -> bytes:
    """Return the envelope of a drafted receipt, which is the log's entry."""
    signature = _signed(pre_authentication_encoding(PAYLOAD_TYPE, payload), signer)
    return Envelope(PAYLOAD_TYPE, payload, signer.key_id, signature).encode()


def sign_checkpoint(checkpoint: Checkpoint, *signers: Signer) -> bytes:
    """Return the signed note of a checkpoint, by the log's key, whose name is the origin, and by a former one."""
    body = checkpoint.body()
    message = body.encode("utf-8")
    lines = (sign_line(log_key(checkpoint.origin, each), _signed(message, each)) for each in signers)
    return Note(body, tuple(lines)).encode()


def log_key(origin: str, signer: Signer) -> NoteKey:
    """Return the public key by which others check the checkpoints of an origin."""
    return log_key_of(origin, signer.public_key_pem)


def log_key_of(origin: str, pem: bytes) -> NoteKey:
    """Return a public key in PEM as one by which others check the checkpoints of an origin."""
    return NoteKey(origin, read_public_key(pem).raw)


def _signed(message: bytes, signer: Signer) -> bytes:
    """Return a signature that verifies; a signer may be faulty, and what it signs is kept for ever."""
    signature = signer.sign(message)
    if not is_signed(read_public_key(signer.public_key_pem).raw, signature, message):
        raise UnreachableError(
            f"what key {signer.key_id} has signed does not verify; nothing was stored",
            advice="The signer may be faulty, or use another key than it names.",
        )
    return signature
