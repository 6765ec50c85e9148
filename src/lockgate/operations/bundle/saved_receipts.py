# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout, or of an app's series, comes in; its receipts, and all that verifies them, go out as files."""

from __future__ import annotations

from collections.abc import Mapping

from lockgate.core.checkpoint import checkpoint_of
from lockgate.core.envelope import signer_of
from lockgate.core.listed_key import Use
from lockgate.core.note import NoteKey
from lockgate.core.vault import Receipt
from lockgate.errors import UnknownError
from lockgate.operations.keys.public_keys import public_keys
from lockgate.operations.line.reading import receipts_in
from lockgate.operations.vault.proofs import grown_since, proof_under
from lockgate.ports.house import House

RECEIPT_KEY = "receipt-key.pem"
LOG_KEY = "log-key.txt"
CHECKPOINT = "checkpoint.txt"
GROWTH = "log.consistency"


def saved_receipts(
    rollout_id: str, house: House, seq: int | None = None, since: bytes | None = None
) -> Mapping[str, bytes]:
    """Return the files of all receipts of a rollout, or of one: the receipts, their proofs, and the public keys.

    Among those are all that were kept: an older one signed some of them, or what stands beside them in a bundle.
    With a checkpoint that somebody kept, also the proof that the log has only grown since.
    """
    with house.store.reading(house.org) as seen:
        receipts = receipts_in(seen, rollout_id)
        chosen = [each for each in receipts if seq is None or each.seq == seq]
        if not chosen:
            raise UnknownError(
                f"{rollout_id} has no receipt {seq}", advice=f"Its receipts count from 1 to {len(receipts)}."
            )
        checkpoint = seen.checkpoint()
        assert checkpoint is not None
        size = seen.tree().size
        files: dict[str, bytes] = {}
        for receipt in chosen:
            files[receipt_file(receipt)] = receipt.envelope
            files[proof_file(receipt)] = proof_under(seen, receipt, size, checkpoint)
        if since is not None:
            files[GROWTH] = grown_since(seen, since, checkpoint)
    return {**files, CHECKPOINT: checkpoint, **_keys(checkpoint_of(checkpoint).origin, house)}


def _keys(origin: str, house: House) -> Mapping[str, bytes]:
    """Return the public keys of receipts, each in a file, and those of the log, the one at hand first."""
    ours = public_keys(house)
    log = "".join(f"{NoteKey(origin, key.raw).text}\n" for key in ours[Use.LOG])
    named = (RECEIPT_KEY, *(older_key_file(key.key_id) for key in ours[Use.RECEIPT][1:]))
    return {**{name: key.pem for name, key in zip(named, ours[Use.RECEIPT], strict=False)}, LOG_KEY: log.encode()}


def key_file(receipt: Receipt, house: House) -> str:
    """Return the name of the file that holds the public key by which a receipt verifies."""
    signer, ours = signer_of(receipt.envelope), public_keys(house)[Use.RECEIPT]
    return RECEIPT_KEY if ours and signer == ours[0].key_id else older_key_file(signer)


def older_key_file(key_id: str) -> str:
    """Return the name of the file of an older key."""
    return f"receipt-key-{key_id[:16]}.pem"


def receipt_file(receipt: Receipt) -> str:
    """Return the name of a receipt's file."""
    return f"receipt-{receipt.seq}.json"


def proof_file(receipt: Receipt) -> str:
    """Return the name of the file that proves where a receipt stands in the log."""
    return f"receipt-{receipt.seq}.tlog-proof"
