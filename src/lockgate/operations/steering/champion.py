# SPDX-License-Identifier: Apache-2.0
"""An app comes in; it goes out with the champions that its receipts prove, whatever its row says."""

from __future__ import annotations

from dataclasses import replace

from lockgate.core.app import App
from lockgate.core.crowning import Crowning, crowning_of, in_order, is_crowning
from lockgate.core.envelope import open_envelope, signer_of
from lockgate.core.merkle import Node, leaf_hash
from lockgate.core.policy.policy import Mode
from lockgate.core.public_key import read_public_key
from lockgate.core.refusal import VerifyError
from lockgate.core.statement import read_statement
from lockgate.core.vault import Receipt
from lockgate.errors import UnsoundError
from lockgate.ports.house import House
from lockgate.ports.store import Transaction
from lockgate.verify import Keys, verify_receipt


def proven(work: Transaction, house: House, app: App) -> App:
    """Return an app with its champions as its receipts prove them, which is how it is kept from then on."""
    found = App(name=app.name)
    for crowning in in_order(_crownings(work, house, app.name)):
        found = crowning.crowned(found)
    after = replace(app, champion=found.champion, former_champion=found.former_champion)
    if after != app:
        work.put_app(after)
    return after


def _crownings(work: Transaction, house: House, app: str) -> list[Crowning]:
    found = []
    for rollout in work.rollouts(app):
        for receipt in work.receipts(rollout.id) if rollout.mode is Mode.CANARY else ():
            crowning = _verified(work, house, receipt) if is_crowning(receipt) else None
            if crowning is not None:
                found.append(crowning)
    return found


def _verified(work: Transaction, house: House, receipt: Receipt) -> Crowning | None:
    """Return what a receipt that the log holds, and that our key signed where it names it, does to the champion."""
    leaf = Node(0, receipt.index)
    try:
        if work.hashes_of([leaf]).get(leaf) != leaf_hash(receipt.envelope):
            raise _broken(receipt, "the log holds another one at its place")
        if signer_of(receipt.envelope) == house.signers.receipt.key_id:
            own = read_public_key(house.signers.receipt.public_key_pem)
            return crowning_of(receipt, verify_receipt(receipt.envelope, Keys((own,))).statement)
        # By an older key, whose public half is not at hand here: `fsck --key` verifies it.
        return crowning_of(receipt, read_statement(open_envelope(receipt.envelope).payload))
    except VerifyError as error:
        raise _broken(receipt, error.message) from error


def _broken(receipt: Receipt, what: str) -> UnsoundError:
    return UnsoundError(
        f"receipt {receipt.seq} of {receipt.rollout_id} does not say who was champion: {what}",
        advice="Nothing is signed. `lockgate fsck` says what else is wrong; put the store back from a sound backup.",
    )
