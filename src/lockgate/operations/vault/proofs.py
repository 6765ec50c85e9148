# SPDX-License-Identifier: Apache-2.0
"""A receipt or two sizes of a log come in; what proves where it stands, or that the log has only grown, goes out.

The first proof of a receipt is under the checkpoint that its own transaction signed: whoever makes it again at any
time makes the same bytes. The latest is under the checkpoint that the log has now.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from lockgate.core.checkpoint import LogGrowth, LogProof, checkpoint_of
from lockgate.core.merkle import Tree, check_inclusion, leaf_hash, plan_consistency, plan_inclusion, plan_tree
from lockgate.core.refusal import VerifyError
from lockgate.core.vault import Receipt
from lockgate.errors import DataError, UnknownError, UsageError
from lockgate.operations.vault.logged import not_as_signed
from lockgate.operations.vault.witnessed import witnessed_checkpoint
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot

# For so many receipts nodes are read at once; neighbours in the log share most of theirs.
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Signed:
    """A receipt and the proof of its place in the log, under the checkpoint that was signed with it."""

    receipt: Receipt
    proof: bytes


def receipt_in(seen: Snapshot, series: str, seq: int) -> Receipt:
    """Return a receipt of a series by its number."""
    found = seen.receipts_after(series, seq - 1, 1)
    if not found or found[0].seq != seq:
        raise UnknownError(f"{series} has no receipt {seq}", advice="Receipts of a rollout count from 1.")
    return found[0]


def signed(series: str, seq: int, house: House) -> Signed:
    """Return what was signed when a receipt was written; in an open transaction, what is about to be kept."""
    with house.store.reading(house.org) as seen:
        receipt = receipt_in(seen, series, seq)
        return Signed(receipt, first_proof(seen, receipt))


def all_signed(wanted: Iterable[tuple[str, int]], house: House) -> Mapping[str, Signed]:
    """Return what was signed with the receipts of several series, by these, from one snapshot."""
    with house.store.reading(house.org) as seen:
        found = {series: receipt_in(seen, series, seq) for series, seq in wanted}
        return {series: Signed(receipt, first_proof(seen, receipt)) for series, receipt in found.items()}


def first_proof(seen: Snapshot, receipt: Receipt) -> bytes:
    """Return the proof of a receipt under the first checkpoint that covers it."""
    ((size, note),) = seen.checkpoints_after(receipt.index, 1)
    return proof_under(seen, receipt, size, note)


def latest_proof(seen: Snapshot, receipt: Receipt) -> bytes:
    """Return the proof of a receipt under the latest checkpoint."""
    note = latest_checkpoint(seen)
    return proof_under(seen, receipt, checkpoint_of(note).size, note)


def latest_checkpoint(seen: Snapshot) -> bytes:
    """Return the signed checkpoint of the log, with what witnesses signed of it; one without entries has none."""
    note = witnessed_checkpoint(seen)
    if note is None:
        raise UnknownError("the log has no entry yet, and so no checkpoint", advice="The first receipt makes one.")
    return note


def growth(old: int, new: int | None, house: House) -> bytes:
    """Return the proof that the log at one size, the latest by default, begins with the log at another."""
    with house.store.reading(house.org) as seen:
        latest = latest_checkpoint(seen)
        note = latest if new is None else seen.checkpoint(new)
        size = checkpoint_of(latest).size if new is None else new
        if note is None:
            raise UnknownError(
                f"no checkpoint was signed of the size {size:,}",
                advice="Leave the later size out to get the latest.",
            )
        if not 0 < old <= size:
            raise UsageError(
                f"no log of the size {size:,} is shown to begin with one of {old:,}",
                advice=f"Name a size from 1 to {size:,}; it is the second line of a checkpoint.",
            )
        return growth_under(seen, old, size, note)


def entry(seen: Snapshot, index: int) -> Receipt:
    """Return the entry of a log at an index."""
    found = seen.entries_after(index - 1, 1)
    if not found or found[0].index != index:
        last = seen.latest_receipt()
        end = 0 if last is None else last.index + 1
        raise UnknownError(f"the log has no entry {index}", advice=f"It has {end:,}, which count from 0.")
    return found[0]


def growth_under(seen: Snapshot, old: int, size: int, note: bytes) -> bytes:
    """Return the proof that the log of a size, which a checkpoint covers, begins with an older one."""
    plan = plan_consistency(old, size)
    return LogGrowth(old, plan.hashes(seen.nodes(plan.nodes)), note).encode()


def proof_under(seen: Snapshot, receipt: Receipt, size: int, note: bytes) -> bytes:
    """Return the proof of a receipt under the checkpoint of a size."""
    plan = plan_inclusion(receipt.index, size)
    return LogProof(receipt.index, plan.hashes(seen.nodes(plan.nodes)), note).encode()


def proofs_under(seen: Snapshot, receipts: Iterable[Receipt], note: bytes) -> Iterator[tuple[Receipt, bytes]]:
    """Yield receipts, each with its proof under a checkpoint that covers them, the log's nodes read once for many.

    One from which its proof does not lead to the checkpoint is refused.
    """
    left, covered = iter(receipts), checkpoint_of(note)
    while portion := list(islice(left, AT_ONCE)):
        plans = [plan_inclusion(receipt.index, covered.size) for receipt in portion]
        nodes = seen.nodes({node for plan in plans for node in plan.nodes})
        for receipt, plan in zip(portion, plans, strict=True):
            hashes = plan.hashes(nodes)
            try:
                check_inclusion(leaf_hash(receipt.envelope), receipt.index, covered.tree, hashes)
            except VerifyError as error:
                raise not_as_signed(receipt) from error
            yield receipt, LogProof(receipt.index, hashes, note).encode()


def grown_since(seen: Snapshot, since: bytes, note: bytes) -> bytes:
    """Return the proof that the log at its checkpoint begins with the tree of a checkpoint that somebody kept."""
    kept, now = checkpoint_of(since), checkpoint_of(note)
    if kept.origin != now.origin or not 0 < kept.size <= now.size or _tree(seen, kept.size).root != kept.root:
        raise DataError(
            f"the checkpoint is of {kept.origin} at the size {kept.size:,}, and the log here, {now.origin}, whose size "
            f"is {now.size:,}, never was that tree",
            advice="Keep the checkpoint: signed by the same key it proves that the log went another way.",
        )
    return growth_under(seen, kept.size, now.size, note)


def _tree(seen: Snapshot, size: int) -> Tree:
    peaks = plan_tree(size)
    kept = seen.nodes(peaks)
    return Tree(size, tuple(kept[node] for node in peaks))
