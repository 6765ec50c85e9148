# SPDX-License-Identifier: Apache-2.0
"""Receipts come in; the proofs that one checkpoint covers them go out, the log's nodes read once for many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from lockgate.core.checkpoint import LogProof
from lockgate.core.merkle import plan_inclusion
from lockgate.core.vault import Receipt
from lockgate.ports.store import Snapshot

# For so many receipts nodes are read at once; neighbours in the log share most of theirs.
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Log:
    """The log at a size, by its signed checkpoint."""

    size: int
    checkpoint: bytes


def log_proofs(seen: Snapshot, receipts: Iterable[Receipt], log: Log) -> Iterator[tuple[Receipt, bytes]]:
    """Yield receipts, each with its tlog-proof in the tree of the log."""
    left = iter(receipts)
    while portion := list(islice(left, AT_ONCE)):
        plans = [plan_inclusion(receipt.index, log.size) for receipt in portion]
        nodes = seen.nodes({node for plan in plans for node in plan.nodes})
        for receipt, plan in zip(portion, plans, strict=True):
            yield receipt, LogProof(receipt.index, plan.hashes(nodes), log.checkpoint).encode()
