# SPDX-License-Identifier: Apache-2.0
"""A key that signs no more, or beside its follower, and that others may sign by comes in; a receipt revokes it.

Nothing follows it, because something else signs already: that signs the receipt. An overlap of that key ends at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from lockgate.core.custody import Custody
from lockgate.core.decision.decision import Action
from lockgate.core.listed_key import Use
from lockgate.core.receipt import Actor, operator
from lockgate.core.vault import Receipt
from lockgate.errors import UsageError
from lockgate.operations.keys.last_good import refuse_place, signed_logs, spans_of, standing_keys, with_revoked
from lockgate.operations.vault.custody import change
from lockgate.operations.vault.keeping import writing
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot

# So much of an id is in the name of its public half's file, and is enough to name it by.
LEAST_DIGITS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoking:
    """Which key is revoked, by its id or how that begins, and the last place at which it counts in each log."""

    role: Use
    key_id: str
    last_good: Mapping[str, int]
    actor: Actor


def revoke_former(revoking: Revoking, house: House) -> Mapping[str, Receipt]:
    """Let a key that is followed already count no further in any log; return the receipts by organisation.

    A log that says so already gets no receipt. A place before the one that was named first may be named later.
    """
    checked = operator(revoking.actor.name or "", revoking.actor.reason or "", revoking.actor.kind)
    key_id = former_key(revoking.role, revoking.key_id, house)
    found: list[str] = []
    for each in signed_logs(house):
        with each.store.reading(each.org) as seen:
            if _has_signed(seen, each, key_id, revoking):
                _after(standing_keys(seen, each), key_id, revoking, each.org)
                found.append(each.org)
    receipts = {}
    for org in found:
        receipt = _revoke(replace(house, org=org), key_id, replace(revoking, actor=checked))
        if receipt is not None:
            receipts[org] = receipt
    return receipts


def former_key(role: Use, begins: str, house: House) -> str:
    """Return the whole id of the one key of a use that has signed a log and whose id begins so."""
    found: set[str] = set()
    for each in signed_logs(house):
        with each.store.reading(each.org) as seen:
            found |= {span.key_id for span in spans_of(seen, each)[role]}
    return named_key(role, begins, found)


def named_key(role: Use, begins: str, key_ids: Iterable[str]) -> str:
    """Return the one id that begins so; refuse where none does, or more than one."""
    named = sorted(each for each in key_ids if each.startswith(begins))
    if len(begins) < LEAST_DIGITS or not named:
        raise UsageError(
            f"no {role} key whose id begins with {begins!r} has signed",
            advice="`lockgate keys manifest` lists them; of an id its first 16 digits are enough.",
        )
    if len(named) > 1:
        raise UsageError(f"{len(named)} {role} keys begin with {begins!r}", advice=f"Name one: {', '.join(named)}.")
    return named[0]


def _has_signed(seen: Snapshot, house: House, key_id: str, revoking: Revoking) -> bool:
    """Say whether a key has signed a log; refuse what cannot be said of it there."""
    spans = spans_of(seen, house)[revoking.role]
    span = next((each for each in spans if each.key_id == key_id), None)
    if span is None:
        return False
    if span == spans[-1]:
        raise UsageError(
            f"key {span.key_id} is the one that signs now in the log of {house.org}",
            advice="Leave --former out, and another key follows it.",
        )
    refuse_place(seen, house, span, revoking.last_good)
    return True


def _revoke(house: House, key_id: str, revoking: Revoking) -> Receipt | None:
    with writing(house) as work:
        now = standing_keys(work, house)
        after = _after(now, key_id, revoking, house.org)
        if after == now:
            return None
        last = next(each.last for each in after.revoked if each.key_id == key_id)
        said = f"key {key_id}, which is followed already, counts up to entry {last}: {revoking.actor.reason}"
        return change(work, house, after, Action.REVOKE_KEY, revoking.actor, said)


def _after(now: Custody, key_id: str, revoking: Revoking, org: str) -> Custody:
    overlap = None if now.overlap is not None and now.overlap.log_key == key_id else now.overlap
    revoked = with_revoked(now, [key_id], revoking.last_good[org], org)
    return replace(now, overlap=overlap, revoked=revoked)
