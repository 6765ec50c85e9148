# SPDX-License-Identifier: Apache-2.0
"""The log of the sample receipts comes in; trees that are not one log go out, though each of them is signed.

Of each vector nothing but one comparison fails: of one of two roots, of sizes, of origins, or of what leads to a root.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

from lockgate.core.checkpoint import Checkpoint, LogGrowth, LogProof, read_log_growth, read_log_proof
from lockgate.core.refusal import Reason
from lockgate.operations.vault.sign import log_key, sign_checkpoint
from lockgate.ports.signing import Signer
from tools.receipt_contradictions import series
from tools.receipt_log import ORIGIN, Log
from tools.receipt_samples import LOG, RECEIPTS

# A name, why it is refused, and what somebody verifies by.
Case = tuple[str, Reason, dict[str, Any]]
OTHER_ORIGIN = "elsewhere.example/log"
# Of so many entries a verifier had kept the checkpoint: of no full tree, so that a first hash leads to both roots.
KEPT = 5


def other_trees(log: Log) -> Iterator[Case]:
    """Yield trees of which something is another than that of the log that they are compared with."""
    for name, kept, growth in (*_growths(log), *_grown_checkpoints(log)):
        logged = {"receipt": log.entries[1].decode(), "proof": log.proof(1).decode()}
        files = {"keptCheckpoint": kept.decode(), "consistency": growth.decode()}
        yield f"trees: {name}", Reason.CONSISTENCY, {**logged, **files, **_trusted()}
    yield from _kept(log)
    yield from _series()


def _growths(log: Log) -> Iterator[tuple[str, bytes, bytes]]:
    """Yield kept checkpoints with proofs whose hashes lead elsewhere."""
    for old in (4, KEPT):
        read, kept = read_log_growth(log.growth(old)), log.checkpoint(old)
        # It leads to the second root alone: whoever compares the first with what was kept finds nothing.
        last = (*read.hashes[:-1], read.hashes[-1][::-1])
        yield f"from {old}, the last hash turned round", kept, LogGrowth(old, last, read.checkpoint).encode()
        more = (*read.hashes, read.hashes[-1])
        yield f"from {old}, a hash more", kept, LogGrowth(old, more, read.checkpoint).encode()
    tree = Log((log.entries[1], *log.entries[:3])).checkpoint(4)
    yield "from 4, another root was kept", tree, log.growth(4)
    empty = sign_checkpoint(Checkpoint(ORIGIN, 0, hashlib.sha256().digest()), LOG)
    yield "from 0", empty, LogGrowth(0, (), log.checkpoint(log.size)).encode()


def _grown_checkpoints(log: Log) -> Iterator[tuple[str, bytes, bytes]]:
    """Yield proofs whose own checkpoint is not the one that the receipt's proof has."""
    read, kept, root = read_log_growth(log.growth(KEPT)), log.checkpoint(KEPT), log.trees[-1].root
    for what, note in (
        ("root", _signed(log.size, root[::-1])),
        ("size", _signed(log.size + 1, root)),
        ("origin", _signed(log.size, root, OTHER_ORIGIN)),
    ):
        yield f"to a checkpoint of another {what}", kept, LogGrowth(KEPT, read.hashes, note).encode()


def _kept(log: Log) -> Iterator[Case]:
    logged = {"receipt": log.entries[1].decode(), "proof": log.proof(1).decode()}
    elsewhere = _signed(log.size, log.trees[-1].root, OTHER_ORIGIN).decode()
    yield "trees: a kept one of another origin", Reason.FORK, {**logged, "keptCheckpoint": elsewhere, **_trusted()}
    wrong = read_log_growth(log.growth(KEPT))
    unsigned = LogGrowth(KEPT, wrong.hashes, _signed(log.size, log.trees[-1].root, signer=RECEIPTS)).encode()
    files = {"keptCheckpoint": log.checkpoint(KEPT).decode(), "consistency": unsigned.decode()}
    yield "trees: a proof to a checkpoint of another key", Reason.CHECKPOINT_UNSIGNED, {**logged, **files}
    strange = _signed(KEPT, log.trees[KEPT].root, signer=RECEIPTS).decode()
    files = {"keptCheckpoint": strange, "consistency": log.growth(KEPT).decode()}
    yield "trees: a kept one of another key", Reason.CHECKPOINT_UNSIGNED, {**logged, **files}


def _series() -> Iterator[Case]:
    """Yield a series whose proofs are of two trees, of which only one thing is another."""
    first, second, third, *_ = series("canary")
    log = Log((first, second))
    proof = read_log_proof(log.proof(1))
    moved = LogProof(proof.index, proof.hashes, _signed(log.size, log.trees[-1].root, OTHER_ORIGIN)).encode()
    # What is its second leaf as the third one of a tree of three: that is a hash less on the way to the same root.
    sized = LogProof(2, proof.hashes, _signed(3, log.trees[-1].root)).encode()
    others = {"roots of one size": Log((third, second)).proof(1), "origins": moved, "sizes of one root": sized}
    for what, other in others.items():
        proofs = [log.proof(0).decode(), other.decode()]
        files = {"chain": [first.decode(), second.decode()], "proofs": proofs}
        yield f"trees: proofs of two {what}", Reason.CHECKPOINTS, {**files, **_trusted()}


def _signed(size: int, root: bytes, origin: str = ORIGIN, signer: Signer = LOG) -> bytes:
    return sign_checkpoint(Checkpoint(origin, size, root), signer)


def _trusted(origins: Sequence[str] = (ORIGIN, OTHER_ORIGIN)) -> dict[str, Any]:
    """Return the keys of somebody who trusts one key for two logs."""
    keys = [log_key(origin, LOG).text for origin in origins]
    return {"receiptKeys": [RECEIPTS.public_key_pem.decode()], "logKeys": keys}
