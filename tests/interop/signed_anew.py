# SPDX-License-Identifier: Apache-2.0
"""What a rollout's receipts are to say comes in; a bundle in which the owner's own keys signed it goes out.

Its signatures, chain of digests, proofs and checkpoint are all in order: only what it says is not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping

from lockgate.core.bundle_layout import CHECKPOINT, LOG_KEYS, proof_file, receipt_file
from lockgate.core.canonical import canonicalize
from lockgate.core.checkpoint import Checkpoint, LogProof
from lockgate.core.envelope import open_envelope
from lockgate.core.merkle import Node, Tree, leaf_hash, plan_inclusion
from lockgate.operations.vault.sign import sign_checkpoint, sign_receipt
from lockgate.ports.signing import Signers

# The number of a receipt and its statement's bytes come in; the bytes that are signed in their place go out.
Said = Callable[[int, bytes], bytes]


def signed_anew(files: Mapping[str, bytes], said: Said, signers: Signers) -> dict[str, bytes]:
    """Return files whose receipts say something else, signed by these keys in a log of their own; listed as before."""
    count = sum(name.startswith("receipts/") for name in files)
    apart = ("related/", "proofs/", "sshsig/", "sigstore/", "log.consistency")
    made = {name: data for name, data in files.items() if not name.startswith(apart)}
    previous, tree, nodes = None, Tree(), dict[Node, bytes]()
    for seq in range(1, count + 1):
        statement = json.loads(open_envelope(files[receipt_file(seq)]).payload)
        statement["predicate"]["prevReceipt"] = previous
        envelope = sign_receipt(said(seq, canonicalize(statement)), signers.receipt)
        previous = {"sha256": hashlib.sha256(envelope).hexdigest()}
        tree, added = tree.append(leaf_hash(envelope))
        nodes.update(added)
        made[receipt_file(seq)] = envelope
    origin = files[LOG_KEYS].decode("ascii").partition("+")[0]
    note = sign_checkpoint(Checkpoint(origin, tree.size, tree.root), signers.log)
    for seq in range(1, count + 1):
        proof = LogProof(seq - 1, plan_inclusion(seq - 1, tree.size).hashes(nodes), note)
        made[proof_file(seq)] = proof.encode()
    return {**made, CHECKPOINT: note}


def _put(old: bytes, new: bytes, seq: int = 2) -> Said:
    """Return what puts something else into the statement of one receipt."""

    def said(number: int, payload: bytes) -> bytes:
        assert number != seq or payload.count(old) > 0
        return payload.replace(old, new, 1) if number == seq else payload

    return said


OTHER_ID = (b'"receiptId":"rcp_', b'"receiptId":"rcp_a')
# Each is signed by the right keys, and stands in a log whose every proof is right.
MISSTATED: dict[str, tuple[Said, str]] = {
    "a member twice": (_put(b'"advisory":', b'"advisory":true,"advisory":'), "its statement is not in its one form"),
    "a space": (_put(b'"advisory":', b'"advisory": '), "its statement is not in its one form"),
    "a line break behind it": (lambda seq, data: data + b"\n" * (seq == 2), "its statement is not in its one form"),
    "a number spelled otherwise": (_put(b'"schemaVersion":1', b'"schemaVersion":1.0'), "a number in its statement"),
    "a number as a text": (_put(b'"seq":2', b'"seq":"2"'), "its seq does not count from 1"),
    "another version": (_put(b'"schemaVersion":1', b'"schemaVersion":99'), "it is not of schema version 1"),
    "another id": (_put(*OTHER_ID), "its id is not the one of its organisation"),
    "an actor without a type": (_put(b'"type":"', b'"typ":"'), "a text in its statement is none"),
    "another baseline": (_put(b'"release":"v36"', b'"release":"v35"'), "it is about something else"),
    "another beginning": (_put(b'"from":{"revision":1', b'"from":{"revision":7'), "it begins otherwise than"),
    "an end": (_put(b'"revision":1,"status":"active"', b'"revision":1,"status":"cancelled"'), "after the end of its"),
}
