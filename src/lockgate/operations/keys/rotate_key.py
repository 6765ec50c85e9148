# SPDX-License-Identifier: Apache-2.0
"""A role comes in; its key is followed by a prepared one, and a receipt in each log that it signs says from when on.

The key that signed so far signs that, or, where others may sign by it, its follower. The receipt is what changes whose
turn it is: wherever a process ends, the keys folder holds both keys, and the log says which of them signs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from lockgate.core.custody import MAX_REVOKED, Custody, Overlap, Revocation
from lockgate.core.decision.decision import Action
from lockgate.core.instant import Instant
from lockgate.core.listed_key import Use
from lockgate.core.receipt import Actor, operator
from lockgate.core.vault import Receipt
from lockgate.errors import UsageError
from lockgate.operations.access.organisations import organisations
from lockgate.operations.keys.manifest import known_publicly
from lockgate.operations.keys.spans import listed_keys
from lockgate.operations.vault.custody import change
from lockgate.operations.vault.keeping import writing
from lockgate.operations.vault.known_keys import custody, heir, log_signers
from lockgate.operations.vault.witnessed import vouched_size
from lockgate.ports.house import House
from lockgate.ports.signing import KeyRing, PublicKeys, Signer


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """Which key is followed and why; how long a former key of the log signs beside its follower.

    `last_good` is of a key that others may sign by: the last place at which it counts, of each organisation's log.
    """

    role: Use
    actor: Actor
    overlap: Instant = 0
    last_good: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """The key that signs now, where the one before it was put, and the receipts that say so, by organisation.

    There is no receipt where an earlier call had ended before it was done, or another machine rotated the key.
    """

    key_id: str
    aside: str | None
    receipts: Mapping[str, Receipt] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Succession:
    """The signers of a house of which one is followed already."""

    receipt: Signer
    log: Signer
    kept: PublicKeys
    ring: KeyRing

    def signer(self, role: Use, key_id: str) -> Signer | None:
        """Return the signer of a key."""
        return self.ring.signer(role, key_id)


def rotate_key(rotation: Rotation, house: House, ring: KeyRing) -> Rotated:
    """Let a key be followed by the prepared one in every log that it signs, and put the files into their places."""
    checked = operator(rotation.actor.name or "", rotation.actor.reason or "", rotation.actor.kind)
    signed = [replace(house, org=org) for org in organisations(house) if _has_signed(replace(house, org=org))]
    if not signed:
        raise UsageError("nothing was signed yet", advice="The keys that are there sign the first receipt.")
    if rotation.last_good is None:
        # Keys that are lost hand nothing on; to say so, and what to do, comes before anything is made.
        ring.receipt.check()
        ring.log.check()
    following = ring.prepare(rotation.role)
    _check_last_good(rotation, signed, following.key_id)
    receipts = {}
    for each in signed:
        receipt = _follow(each, replace(rotation, actor=checked), following, ring)
        if receipt is not None:
            receipts[each.org] = receipt
    aside = ring.take(rotation.role, following.key_id)
    return Rotated(key_id=following.key_id, aside=aside, receipts=receipts)


def last_vouched(house: House, org: str) -> int:
    """Return the last entry of a log that a checkpoint covers which a witness or a timestamp authority signed."""
    with house.store.reading(org) as seen:
        size = vouched_size(seen, 1)
    if size is None:
        raise UsageError(
            f"nobody outside has signed a checkpoint of the log of {org}",
            advice="Name the last good entry by its number, from a checkpoint that somebody has kept.",
        )
    return size - 1


def _has_signed(house: House) -> bool:
    with house.store.reading(house.org) as seen:
        return seen.latest_receipt() is not None


def _check_last_good(rotation: Rotation, signed: Sequence[House], following: str) -> None:
    """Refuse a last good entry that is none of the key's, in each log that is not signed by its follower yet."""
    if rotation.last_good is None:
        return
    for house in signed:
        with house.store.reading(house.org) as seen:
            size, listed = seen.tree().size, listed_keys(seen, house.org, known_publicly(house), house.clock.now())
            stated = custody(seen, house.org)
        first, key_id = max((each.first, each.key.key_id) for each in listed if each.use == rotation.role)
        if key_id == following:
            continue
        # The place before its first is that of a key of which nothing is good.
        if not max(first - 1, 0) <= rotation.last_good.get(house.org, -1) < size:
            raise UsageError(
                f"entries {first:,} to {size - 1:,} of the log of {house.org} are of this key, and none of them is "
                "named as the last good one",
                advice=f"--last-good-index {house.org}:N, where N is the index of the last entry that a witness, or a "
                "checkpoint that somebody kept, has covered before the key was stolen; one less than the first where "
                "none of them is good.",
            )
        if stated is not None and len(stated.revoked) >= MAX_REVOKED:
            raise UsageError(
                f"{MAX_REVOKED} keys of the log of {house.org} are revoked, and no receipt states more of them",
                advice="Let the key be followed without --compromised, tell your auditors which place it counts up to, "
                "and go on in an organisation of another name, whose log begins anew.",
            )


def _follow(house: House, rotation: Rotation, following: Signer, ring: KeyRing) -> Receipt | None:
    """Write the receipt of one log; None where that log is signed by the following key already."""
    is_stolen = rotation.role is Use.RECEIPT and rotation.last_good is not None
    # What a stolen key signs from now on counts for nothing, not even that another follows it.
    signers = _Succession(following, ring.log, ring.kept, ring) if is_stolen else ring
    with writing(replace(house, signers=signers)) as work:
        latest = work.latest_receipt()
        assert latest is not None
        log = log_signers(work, house, latest)[0].key_id
        now = custody(work, house.org) or Custody(receipt_key=heir(latest), log_key=log)
        former = heir(latest) if rotation.role is Use.RECEIPT else log
        if former == following.key_id:
            return None
        after = _after(now, rotation, house, former, following.key_id)
        action = Action.NEW_KEYS if is_stolen else Action.ROTATE_KEY
        said = _said(rotation, house.org, former, following.key_id)
        return change(work, replace(house, signers=signers), after, action, rotation.actor, said)


def _after(now: Custody, rotation: Rotation, house: House, former: str, following: str) -> Custody:
    last_good = rotation.last_good
    revoked = now.revoked if last_good is None else (*now.revoked, Revocation(former, last_good[house.org]))
    if rotation.role is Use.RECEIPT:
        return replace(now, receipt_key=following, revoked=revoked)
    until = house.clock.now() + rotation.overlap
    overlap = Overlap(former, until) if rotation.overlap and last_good is None else None
    return replace(now, log_key=following, overlap=overlap, revoked=revoked)


def _said(rotation: Rotation, org: str, former: str, following: str) -> str:
    what = "receipts" if rotation.role is Use.RECEIPT else "checkpoints"
    if rotation.last_good is None:
        return f"key {following} signs {what} from here on in place of key {former}: {rotation.actor.reason}"
    last = rotation.last_good[org]
    return f"key {following} signs {what} from here on; key {former} counts up to entry {last}: {rotation.actor.reason}"
