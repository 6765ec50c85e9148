# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout comes in; its raw runs are pinned no more, and the receipt that says so goes out."""

from __future__ import annotations

from lockgate.core.decision.decision import Action
from lockgate.core.receipt import Actor, operator
from lockgate.core.vault import Receipt
from lockgate.errors import UsageError
from lockgate.operations.vault.custody import change, standing
from lockgate.operations.vault.keeping import writing
from lockgate.ports.house import House

LET_GO = Actor("job", "prune", "asked for by --release-pins")


def release(rollout_id: str, house: House, actor: Actor = LET_GO) -> Receipt | None:
    """Release the raw runs that a rollout has pinned, by a receipt; None where it had pinned none."""
    checked = operator(actor.name or "", actor.reason or "", actor.kind)
    with writing(house) as work:
        if work.trial(rollout_id) is None:
            raise UsageError(f"there is no rollout {rollout_id}", advice="`lockgate list` shows those that there are.")
        if not work.drop_pin(rollout_id):
            return None
        said = f"raw runs that {rollout_id} pinned are let go: {checked.reason}"
        return change(work, house, standing(work, house), Action.PRUNE, checked, said)
