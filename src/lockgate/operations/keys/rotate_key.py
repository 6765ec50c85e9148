# SPDX-License-Identifier: Apache-2.0
"""A role comes in; its key is followed by a prepared one, and a receipt in each log that it signs says from when on.

The key that signed so far signs that, or, where others may sign by it, its follower. The receipt is what changes whose
turn it is: wherever a process ends, the keys folder holds both keys, and the log says which of them signs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from lockgate.core.custody import Custody, Overlap
from lockgate.core.decision.decision import Action
from lockgate.core.instant import Instant, instant_text
from lockgate.core.listed_key import Use
from lockgate.core.receipt import Actor, operator
from lockgate.core.vault import Receipt
from lockgate.errors import UsageError
from lockgate.operations.keys.last_good import refuse_place, signed_logs, spans_of, standing_keys, with_revoked
from lockgate.operations.vault.custody import change
from lockgate.operations.vault.high_water import refuse_older
from lockgate.operations.vault.keeping import writing
from lockgate.operations.vault.known_keys import custody, log_signers, receipt_signer
from lockgate.ports.house import House
from lockgate.ports.signing import Aside, KeyRing, PublicKeys, Signer


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """Which key is followed and why; how long a former key of the log signs beside its follower.

    `last_good` is of a key that others may sign by: the last place at which it counts, of each organisation's log.
    `may_use_prepared` lets such a key be followed by one that was there before; `may_end_overlap` a former key of the
    log sign no more although it was to; `may_be_file` a program by a key in a file.
    """

    role: Use
    actor: Actor
    overlap: Instant = 0
    last_good: Mapping[str, int] | None = None
    may_use_prepared: bool = False
    may_end_overlap: bool = False
    may_be_file: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """The key that signs now, where the one before it was put, and the receipts that say so, by organisation.

    There is no receipt where an earlier call had ended before it was done, or another machine rotated the key.
    """

    key_id: str
    aside: Aside | None
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
    logs, prepared = signed_logs(house), ring.prepared(rotation.role)
    # Whatever is refused is refused before a key is made, because the next call would take the one that is left.
    waiting = [each for each in logs if not _is_followed(each, rotation, prepared)]
    for each in waiting:
        _check(each, rotation, prepared)
    if prepared is not None and len(waiting) == len(logs):
        _refuse_prepared(rotation, prepared)
    following = ring.prepare(rotation.role, may_be_file=rotation.may_be_file)
    receipts = {}
    for each in logs:
        receipt = _follow(each, replace(rotation, actor=checked), following, ring)
        if receipt is not None:
            receipts[each.org] = receipt
    aside = ring.take(rotation.role, following.key_id)
    return Rotated(key_id=following.key_id, aside=aside, receipts=receipts)


def _is_followed(house: House, rotation: Rotation, prepared: str | None) -> bool:
    """Say whether a prepared key signs a log already: an earlier call has ended, or another machine rotated the key."""
    with house.store.reading(house.org) as seen:
        if prepared is None or _signs(standing_keys(seen, house), rotation.role) != prepared:
            return False
        if rotation.last_good is None:
            return True
        former, stated = spans_of(seen, house)[rotation.role][-2:-1], custody(seen, house.org)
    revoked = () if stated is None else stated.revoked
    if not {each.key_id for each in former} <= {each.key_id for each in revoked}:
        raise UsageError(
            f"key {prepared} has followed in the log of {house.org} without a word that the one before it is stolen",
            advice="Call without --compromised, which puts the files into their places; then with --compromised, and "
            "with --former KEYID where it is the one before it that is stolen.",
        )
    return True


def _check(house: House, rotation: Rotation, prepared: str | None) -> None:
    """Refuse what the receipt of a log would be refused for, before anything is made."""
    refuse_older(house)
    with house.store.reading(house.org) as seen:
        latest = seen.latest_receipt()
        is_stolen = rotation.last_good is not None
        # Keys that are lost hand nothing on; one that is stolen need not be here to be followed.
        if not (is_stolen and rotation.role is Use.RECEIPT):
            receipt_signer(house, latest).check()
        if not (is_stolen and rotation.role is Use.LOG):
            log_signers(seen, house, latest)[0].check()
        spans = spans_of(seen, house)
        now = standing_keys(seen, house)
        _refuse_overlap(now, rotation, house)
        if any(each.key_id == prepared for each in (*spans[Use.RECEIPT], *spans[Use.LOG])):
            raise UsageError(
                f"the prepared key {prepared} has signed the log of {house.org} before, and a key has one span of it",
                advice=f"Remove {rotation.role}.next.pem or {rotation.role}.next.json: another key is made.",
            )
        if rotation.last_good is not None:
            refuse_place(seen, house, spans[rotation.role][-1], rotation.last_good)
            stolen = _stolen(now, rotation.role, house.clock.now())
            with_revoked(now, stolen, rotation.last_good[house.org], house.org)


def _refuse_overlap(now: Custody, rotation: Rotation, house: House) -> None:
    """Refuse to end what was promised to who knows a log by its former key, unless that is asked for."""
    overlap = now.overlap
    if rotation.role is not Use.LOG or rotation.last_good is not None or rotation.may_end_overlap:
        return
    if overlap is not None and overlap.until > house.clock.now():
        raise UsageError(
            f"key {overlap.log_key} signs the log of {house.org} beside its follower until "
            f"{instant_text(overlap.until)}, and a third key would end that now",
            advice="Wait until then, or add --end-overlap where nobody knows the log by that key any more.",
        )


def _refuse_prepared(rotation: Rotation, prepared: str) -> None:
    """Refuse to let a stolen key be followed by one that its thief may have read as well."""
    if rotation.last_good is not None and not rotation.may_use_prepared:
        file = f"{rotation.role}.next.pem"
        raise UsageError(
            f"{file} or {rotation.role}.next.json holds key {prepared}, which was prepared before this call and may be "
            "stolen too",
            advice="Remove the file, and another key is made; where it was prepared after the theft, by you or by a "
            "call like this one that failed, add --use-prepared.",
        )


def _follow(house: House, rotation: Rotation, following: Signer, ring: KeyRing) -> Receipt | None:
    """Write the receipt of one log; None where that log is signed by the following key already."""
    is_stolen = rotation.role is Use.RECEIPT and rotation.last_good is not None
    # What a stolen key signs from now on counts for nothing, not even that another follows it.
    signers = _Succession(following, ring.log, ring.kept, ring) if is_stolen else ring
    signing = replace(house, signers=signers)
    with writing(signing) as work:
        now = standing_keys(work, signing)
        former = _signs(now, rotation.role)
        if former == following.key_id:
            return None
        # Who calls the same at once may have been first.
        _refuse_overlap(now, rotation, house)
        stolen = _stolen(now, rotation.role, house.clock.now())
        after = _after(now, rotation, house, following.key_id, stolen)
        action = Action.NEW_KEYS if is_stolen else Action.ROTATE_KEY
        said = _said(rotation, house.org, stolen, following.key_id)
        return change(work, signing, after, action, rotation.actor, said)


def _signs(now: Custody, role: Use) -> str:
    return now.receipt_key if role is Use.RECEIPT else now.log_key


def _stolen(now: Custody, role: Use, at: Instant) -> Sequence[str]:
    """Return the key that signs, and before it one that still signs beside it: whoever had the folder has both.

    One whose overlap is over signs no more. What is said of it is said by its name, as of every other former key.
    """
    overlap = now.overlap if role is Use.LOG else None
    return (*(() if overlap is None or overlap.until <= at else (overlap.log_key,)), _signs(now, role))


def _after(now: Custody, rotation: Rotation, house: House, following: str, stolen: Sequence[str]) -> Custody:
    good, revoked = rotation.last_good, now.revoked
    if good is not None:
        revoked = with_revoked(now, stolen, good[house.org], house.org)
    if rotation.role is Use.RECEIPT:
        return replace(now, receipt_key=following, revoked=revoked)
    until = house.clock.now() + rotation.overlap
    overlap = Overlap(now.log_key, until) if rotation.overlap and good is None else None
    return replace(now, log_key=following, overlap=overlap, revoked=revoked)


def _said(rotation: Rotation, org: str, stolen: Sequence[str], following: str) -> str:
    what = "receipts" if rotation.role is Use.RECEIPT else "checkpoints"
    if rotation.last_good is None:
        return f"key {following} signs {what} from here on in place of key {stolen[-1]}: {rotation.actor.reason}"
    last, keys = rotation.last_good[org], " and ".join(f"key {each}" for each in stolen)
    count = "counts" if len(stolen) == 1 else "count"
    return f"key {following} signs {what} from here on; {keys} {count} up to entry {last}: {rotation.actor.reason}"
