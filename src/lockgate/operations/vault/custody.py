# SPDX-License-Identifier: Apache-2.0
"""The keys of a house come in; a log that others have signed so far is refused, or says in a receipt that it changes.

A key that nobody decided to change signs nothing: whoever verifies would find a log that two have signed.
"""

from __future__ import annotations

from dataclasses import replace

from lockgate import __version__
from lockgate.core.custody import Custody, CustodyAct, custody_series, draft_custody
from lockgate.core.decision.decision import Action, Cause
from lockgate.core.envelope import signer_of
from lockgate.core.listed_key import Use
from lockgate.core.receipt import Actor, operator
from lockgate.core.vault import Receipt
from lockgate.errors import UsageError
from lockgate.operations.vault.keeping import Marks, keep, writing
from lockgate.operations.vault.known_keys import custody, has_signed_first, stated_by, unknown_keys
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot, Transaction


def renew_keys(actor: Actor, house: House) -> tuple[Receipt, tuple[Use, ...]]:
    """Let the keys of a house sign from now on in place of those that signed so far, by a receipt that says so.

    Return it, and of which roles the keys are new.
    """
    checked = operator(actor.name or "", actor.reason or "", actor.kind)
    with writing(house) as work:
        latest = work.latest_receipt()
        if latest is None:
            raise UsageError("nothing was signed yet", advice="The keys that are there sign the first receipt.")
        new = unknown_keys(work, house, latest)
        if not new:
            raise UsageError(
                "the keys that are there are those that signed so far",
                advice="Move receipt.pem, log.pem or both out of the keys folder first; who has them can still sign.",
            )
        _refuse_former(work, house, new)
        before = custody(work, house.org)
        ours = Custody(receipt_key=house.signers.receipt.key_id, log_key=house.signers.log.key_id)
        kept = ours if before is None else replace(before, receipt_key=ours.receipt_key, log_key=ours.log_key)
        after = replace(kept, overlap=None) if Use.LOG in new else kept
        return change(work, house, after, Action.NEW_KEYS, checked), new


def _refuse_former(seen: Snapshot, house: House, new: tuple[Use, ...]) -> None:
    """Refuse a key that signed a log before another took its place: a manifest could not say where it counts."""
    stated = [stated_by(each) for each in seen.receipts(custody_series(house.org))]
    was = {key_id for each in stated for key_id in (each.receipt_key, each.log_key)}
    was |= {signer_of(each.envelope) for each in seen.entries_after(-1, 1)}
    for role in new:
        key_id = house.signers.receipt.key_id if role is Use.RECEIPT else house.signers.log.key_id
        if key_id in was or (role is Use.LOG and has_signed_first(seen, house)):
            raise UsageError(
                f"{role} key {key_id} signed this log before another took its place, and a key has one span of it",
                advice=f"Move {role}.pem out of the keys folder and call again: another key is made.",
            )


def standing(seen: Snapshot, house: House) -> Custody:
    """Return a house's custody: as it was signed last, else its own keys, with nothing pruned."""
    ours = Custody(receipt_key=house.signers.receipt.key_id, log_key=house.signers.log.key_id)
    return custody(seen, house.org) or ours


def change(
    work: Transaction, house: House, after: Custody, action: Action, actor: Actor, said: str | None = None
) -> Receipt:
    """Write the receipt of a change of custody; `said` is what was done, where that is more than its actor's reason."""
    latest = work.latest_receipt(custody_series(house.org))
    act = CustodyAct(
        org=house.org,
        before=None if latest is None else stated_by(latest),
        after=after,
        action=action,
        reason=said or actor.reason or "",
        at=house.clock.now(),
        seq=1 if latest is None else latest.seq + 1,
        previous=None if latest is None else latest.digest,
        engine=__version__,
    )
    marks = Marks(
        series=custody_series(house.org),
        seq=act.seq,
        revision=act.seq,
        action=action,
        cause=Cause.OPERATOR,
        at=act.at,
    )
    return keep(work, house, draft_custody(act, actor), marks)
