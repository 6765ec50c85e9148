# SPDX-License-Identifier: Apache-2.0
"""A payload or a checkpoint and the signer of its role come in; the signed bytes to keep and to hand out go out.

Nothing signed may leave before the transaction that keeps it has committed.
"""

from __future__ import annotations

from lockgate.core.checkpoint import Checkpoint
from lockgate.core.envelope import PAYLOAD_TYPE, Envelope, pre_authentication_encoding
from lockgate.core.note import Note, NoteKey, sign_line
from lockgate.core.public_key import read_public_key
from lockgate.ports.signing import Signer


def sign_receipt(payload: bytes, signer: Signer) -> bytes:
    """Return the envelope of a drafted receipt, which is the log's entry."""
    signature = signer.sign(pre_authentication_encoding(PAYLOAD_TYPE, payload))
    return Envelope(PAYLOAD_TYPE, payload, signer.key_id, signature).encode()


def sign_checkpoint(checkpoint: Checkpoint, signer: Signer) -> bytes:
    """Return the signed note of a checkpoint, by the log's key, whose name is the origin."""
    body = checkpoint.body()
    line = sign_line(log_key(checkpoint.origin, signer), signer.sign(body.encode("utf-8")))
    return Note(body, (line,)).encode()


def log_key(origin: str, signer: Signer) -> NoteKey:
    """Return the public key by which others check the checkpoints of an origin."""
    return NoteKey(origin, read_public_key(signer.public_key_pem).raw)
