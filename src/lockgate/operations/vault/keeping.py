# SPDX-License-Identifier: Apache-2.0
"""A drafted receipt comes in; signed, and at the end of the log under a signed checkpoint, it goes out.

A receipt is appended by `keep` inside a transaction of `writing`, which signs one checkpoint for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from lockgate.core.checkpoint import Checkpoint
from lockgate.core.decision.decision import Action, Cause
from lockgate.core.instant import Instant
from lockgate.core.merkle import leaf_hash
from lockgate.core.receipt import Draft
from lockgate.core.vault import Receipt
from lockgate.crash_point import reach
from lockgate.operations.vault.high_water import Depth, refuse_older
from lockgate.operations.vault.known_keys import log_signers, receipt_signer
from lockgate.operations.vault.origin import origin_of
from lockgate.operations.vault.sign import sign_checkpoint, sign_receipt
from lockgate.ports.house import House
from lockgate.ports.store import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What a receipt is found by: whose it is, its place among those, and what was decided when."""

    series: str
    seq: int
    revision: int
    action: Action
    cause: Cause
    at: Instant


@contextmanager
def changing(house: House, spines: Sequence[str] | None = None) -> Iterator[Transaction]:
    """Open a transaction, unless the store was put back from an older copy: what that takes is lost with it."""
    with house.store.writing(house.org, spines) as work:
        # The log grows by nobody meanwhile, and nobody needs a reader of their own for that.
        refuse_older(house, work)
        yield work


@contextmanager
def closing(house: House) -> Iterator[Transaction]:
    """Open a transaction, also of an older copy, for what only takes something away from callers.

    Where that is lost with the copy nothing is worse than before.
    """
    with house.store.writing(house.org) as work:
        yield work


@contextmanager
def writing(house: House) -> Iterator[Transaction]:
    """Open a transaction; what it has appended to the log when it ends is covered by one signed checkpoint."""
    origin, note = "", b""
    with changing(house) as work:
        yield work
        tree = work.tree()
        if tree.size and work.checkpoint(tree.size) is None:
            origin = origin_of(work.checkpoint(), house)
            signers = log_signers(work, house, work.latest_receipt())
            note = sign_checkpoint(Checkpoint(origin, tree.size, tree.root), *signers)
            reach("checkpoint.signed")
            work.add_checkpoint(tree.size, note)
            reach("checkpoint.added")
    if note and house.high_water is not None:
        house.high_water.lift(origin, note)


def keep(work: Transaction, house: House, drafted: Draft, marks: Marks) -> Receipt:
    """Sign a receipt and append it to the log, in the transaction that is handed in."""
    tree, latest = work.tree(), work.latest_receipt()
    if tree.size == 0 or work.checkpoint(tree.size) is not None:
        # The first receipt of this transaction; nothing may be signed before the log is known to be the latest.
        refuse_older(house, work, Depth.WHOLE)
        if marks.action is not Action.NEW_KEYS:
            # A checkpoint that cannot be signed in the end would undo all that is signed before.
            log_signers(work, house, latest)
    signer = house.signers.receipt if marks.action is Action.NEW_KEYS else receipt_signer(house, latest)
    receipt = Receipt(
        id=drafted.id,
        rollout_id=marks.series,
        seq=marks.seq,
        revision=marks.revision,
        action=marks.action.value,
        cause=marks.cause.value,
        at=marks.at,
        index=tree.size,
        envelope=sign_receipt(drafted.payload, signer),
    )
    reach("receipt.signed")
    _, nodes = tree.append(leaf_hash(receipt.envelope))
    work.append(receipt, nodes)
    reach("receipt.appended")
    return receipt
