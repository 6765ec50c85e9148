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
from lockgate.operations.vault.high_water import refuse_older, refuse_older_copy, refuse_seen
from lockgate.operations.vault.known_keys import log_signers, receipt_signer
from lockgate.operations.vault.sign import sign_checkpoint, sign_receipt
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot, Transaction


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
    if spines is None:
        refuse_older_log(house)
    with house.store.writing(house.org, spines) as work:
        if spines is not None:
            # The log grows by nobody meanwhile, and a small batch is spared a reader of its own.
            _refuse_older_seen(work, house)
        yield work


@contextmanager
def writing(house: House) -> Iterator[Transaction]:
    """Open a transaction; what it has appended to the log when it ends is covered by one signed checkpoint."""
    origin, note = "", b""
    with changing(house) as work:
        yield work
        tree = work.tree()
        if tree.size and work.checkpoint(tree.size) is None:
            origin = _origin(work, house)
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
        refuse_older(work, house, _origin(work, house), tree)
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


def refuse_older_log(house: House) -> None:
    """Refuse a log of which is remembered more than its store has, also to who may come to sign nothing."""
    if house.high_water is None:
        return
    with house.store.reading(house.org) as seen:
        latest = seen.checkpoint()
    origin = _named(latest, house)
    # Mostly nothing is remembered but what the store said just now.
    if house.high_water.held(origin) not in (None, latest):
        refuse_older_copy(house, origin)


def _refuse_older_seen(work: Snapshot, house: House) -> None:
    if house.high_water is None:
        return
    latest = work.checkpoint()
    origin = _named(latest, house)
    note = house.high_water.held(origin)
    if note is not None and note != latest:
        refuse_seen(work, note, house.high_water.place(origin))


def _origin(work: Snapshot, house: House) -> str:
    return _named(work.checkpoint(), house)


def _named(latest: bytes | None, house: House) -> str:
    """Return the name of the log: that of its first checkpoint, whichever key signs later ones."""
    if latest is not None:
        return latest.split(b"\n", 1)[0].decode("utf-8")
    return first_origin(house)


def first_origin(house: House) -> str:
    """Return the name that a log has whose first checkpoint a house signs."""
    return f"lockgate/{house.org}/{house.signers.log.key_id[:16]}"
