# SPDX-License-Identifier: Apache-2.0
"""Receipts that are kept come in; they go out again as long as each is the entry of the log that it is kept as.

Whoever can write to a store needs no key for it: a receipt that is changed there is refused before its words are read.
Who changes its leaf too is found by the proof that leads from it to a checkpoint, without which nothing is handed out.
"""

from __future__ import annotations

from collections.abc import Sequence

from lockgate.core.merkle import Node, leaf_hash
from lockgate.core.vault import Receipt
from lockgate.errors import UnsoundError
from lockgate.ports.store import Snapshot


def as_logged(seen: Snapshot, receipts: Sequence[Receipt]) -> Sequence[Receipt]:
    """Return receipts; refuse the first whose bytes are not those that the log counts at its place."""
    leaves = seen.nodes({Node(0, receipt.index) for receipt in receipts})
    for receipt in receipts:
        if leaves[Node(0, receipt.index)] != leaf_hash(receipt.envelope):
            raise not_as_signed(receipt)
    return receipts


def not_as_signed(receipt: Receipt) -> UnsoundError:
    """Return that the bytes of a receipt were changed where they are kept."""
    return UnsoundError(
        f"receipt {receipt.seq} of {receipt.rollout_id}, entry {receipt.index} of the log, is not as it was signed",
        advice="`lockgate fsck` says what else is wrong; put the store back from a backup.",
    )
