# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout, or of an app's series, comes in; its receipts, and all that verifies them, go out as files."""

from __future__ import annotations

from collections.abc import Mapping

from lockgate.core.checkpoint import read_checkpoint
from lockgate.core.envelope import signer_of
from lockgate.core.merkle import Tree, plan_tree
from lockgate.core.note import read_note
from lockgate.core.public_key import read_public_key
from lockgate.core.vault import Receipt
from lockgate.errors import DataError, UnknownError
from lockgate.operations.proofs import growth_under, proof_under
from lockgate.operations.reading import receipts_in
from lockgate.operations.sign import log_key
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot

RECEIPT_KEY = "receipt-key.pem"
LOG_KEY = "log-key.txt"
CHECKPOINT = "checkpoint.txt"
GROWTH = "log.consistency"


def export(rollout_id: str, house: House, seq: int | None = None, since: bytes | None = None) -> Mapping[str, bytes]:
    """Return the files of all receipts of a rollout, or of one: the receipts, their proofs, and the public keys.

    Older keys that signed some of them are among those, as far as they were kept.
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
            files[GROWTH] = log_growth(seen, since, checkpoint)
        signed_by = {signer_of(each.envelope) for each in chosen} - {house.signers.receipt.key_id}
    signers, origin = house.signers, read_checkpoint(read_note(checkpoint).body).origin
    kept = [read_public_key(pem) for pem in signers.kept.receipt]
    return {
        **files,
        **{older_key_file(key.key_id): key.pem for key in kept if key.key_id in signed_by},
        CHECKPOINT: checkpoint,
        RECEIPT_KEY: signers.receipt.public_key_pem,
        LOG_KEY: f"{log_key(origin, signers.log).text}\n".encode(),
    }


def key_file(receipt: Receipt, house: House) -> str:
    """Return the name of the file that holds the public key by which a receipt verifies."""
    signer = signer_of(receipt.envelope)
    return RECEIPT_KEY if signer == house.signers.receipt.key_id else older_key_file(signer)


def older_key_file(key_id: str) -> str:
    """Return the name of the file of an older key."""
    return f"receipt-key-{key_id[:16]}.pem"


def receipt_file(receipt: Receipt) -> str:
    """Return the name of a receipt's file."""
    return f"receipt-{receipt.seq}.json"


def proof_file(receipt: Receipt) -> str:
    """Return the name of the file that proves where a receipt stands in the log."""
    return f"receipt-{receipt.seq}.tlog-proof"


def log_growth(seen: Snapshot, since: bytes, checkpoint: bytes) -> bytes:
    """Return the proof that the log at its checkpoint begins with the tree of a checkpoint that somebody kept."""
    kept, now = read_checkpoint(read_note(since).body), read_checkpoint(read_note(checkpoint).body)
    if kept.origin != now.origin or not 0 < kept.size <= now.size or _tree(seen, kept.size).root != kept.root:
        raise DataError(
            f"the checkpoint is of {kept.size:,} entries of {kept.origin}, and the log here, {now.origin}, which has "
            f"{now.size:,}, never was that tree",
            advice="Keep the checkpoint: signed by the same key it proves that the log went another way.",
        )
    return growth_under(seen, kept.size, now.size, checkpoint)


def _tree(seen: Snapshot, size: int) -> Tree:
    peaks = plan_tree(size)
    kept = seen.nodes(peaks)
    return Tree(size, tuple(kept[node] for node in peaks))
