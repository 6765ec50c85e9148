# SPDX-License-Identifier: Apache-2.0
"""A log that is about to grow and the keys of a house come in; the signers whose turn it is go out, or a refusal.

Whose turn it is stands in the log alone: a process that began before a key was changed finds the new one by itself.
"""

from __future__ import annotations

from functools import lru_cache

from lockgate.core.checkpoint import Checkpoint, read_checkpoint
from lockgate.core.custody import Custody, custody_series, stated_custody
from lockgate.core.decision.decision import Action
from lockgate.core.envelope import open_envelope, signer_of
from lockgate.core.listed_key import Use
from lockgate.core.note import NoteSignature, read_note
from lockgate.core.statement import read_statement
from lockgate.core.vault import Receipt
from lockgate.errors import NotPermittedError, UnsoundError
from lockgate.operations.vault.sign import log_key
from lockgate.ports.house import House
from lockgate.ports.signing import Signer
from lockgate.ports.store import Snapshot

RESTORE = (
    "Put the keys folder back from its backup, or the key that follows into it. If the keys are lost for good, "
    "`lockgate new-keys --reason TEXT --yes` goes on by new ones, and a receipt says so."
)


def refuse_others(seen: Snapshot, house: House) -> None:
    """Refuse to let a log grow by other keys than those whose turn it is."""
    latest = seen.latest_receipt()
    receipt_signer(house, latest)
    log_signers(seen, house, latest)


def receipt_signer(house: House, latest: Receipt | None) -> Signer:
    """Return the signer of the receipt behind the latest of a log, or refuse where its key is not here."""
    if latest is None:
        return house.signers.receipt
    return _here(house, Use.RECEIPT, heir(latest), latest)


def log_signers(seen: Snapshot, house: House, latest: Receipt | None) -> tuple[Signer, ...]:
    """Return who signs the next checkpoint: the log's key, and beside it while they overlap the one that it follows."""
    note = seen.checkpoint()
    if latest is None or note is None:
        return (house.signers.log,)
    covered, own = _own_lines(note)
    is_known = any(_is_of(line, covered.origin, house.signers.log) for line in own)
    if latest.action == Action.NEW_KEYS.value and covered.size <= latest.index and not is_known:
        # The receipt that says that the keys are new stands in this transaction.
        return (house.signers.log,)
    if latest.action != Action.ROTATE_KEY.value and len(own) == 1 and is_known:
        return (house.signers.log,)
    stated = custody(seen, house.org)
    if stated is None:
        raise _others(latest)
    current = _here(house, Use.LOG, stated.log_key, latest)
    overlap = stated.overlap
    if overlap is None or overlap.until <= house.clock.now():
        return (current,)
    former = house.signers.signer(Use.LOG, overlap.log_key)
    return (current,) if former is None else (current, former)


def heir(latest: Receipt) -> str:
    """Return the id of the key that signs behind a receipt: the one that it names as the next, else its own."""
    if latest.action == Action.ROTATE_KEY.value:
        return stated_by(latest).receipt_key
    return signer_of(latest.envelope)


def unknown_keys(seen: Snapshot, house: House, latest: Receipt) -> tuple[Use, ...]:
    """Return of which roles a house has other keys than those whose turn it is."""
    receipt: tuple[Use, ...] = () if heir(latest) == house.signers.receipt.key_id else (Use.RECEIPT,)
    return receipt if _has_signed_log(seen, house) else (*receipt, Use.LOG)


def has_signed_first(seen: Snapshot, house: House) -> bool:
    """Say whether the log's first checkpoint is signed by the log key that a house has at hand."""
    return any(_has_line(note, house) for _, note in seen.checkpoints_after(-1, 1))


def custody(seen: Snapshot, org: str) -> Custody | None:
    """Return an organisation's custody as its own receipts state it; None where nothing ever changed it."""
    latest = seen.latest_receipt(custody_series(org))
    return None if latest is None else stated_by(latest)


def stated_by(receipt: Receipt) -> Custody:
    """Return the custody that a receipt of an organisation's own series leads to."""
    to = read_statement(open_envelope(receipt.envelope).payload).predicate["to"]
    if not isinstance(to, dict) or not {"receiptKey", "logKey"} <= set(to):
        raise UnsoundError(
            f"receipt {receipt.seq} of {receipt.rollout_id} is kept as one of custody, and states none",
            advice="Nothing is signed. `lockgate fsck` says what else is wrong; put back a sound backup.",
        )
    return stated_custody(to)


def _here(house: House, role: Use, key_id: str, latest: Receipt) -> Signer:
    found = house.signers.signer(role, key_id)
    if found is not None:
        return found
    at_hand = house.signers.receipt if role is Use.RECEIPT else house.signers.log
    if at_hand.key_id == key_id:
        # A key that is lost: it is known, and refuses by itself.
        return at_hand
    raise _others(latest)


def _others(latest: Receipt) -> NotPermittedError:
    if latest.action == Action.ROTATE_KEY.value:
        return NotPermittedError(
            f"the key that signs since receipt {latest.seq} of {latest.rollout_id} is not in the keys folder here",
            advice="Nothing is signed, and reading works. Copy the key from the folder of the machine that rotated it.",
        )
    return NotPermittedError(
        f"the keys that are here did not sign this store: its latest receipt names key {signer_of(latest.envelope)}",
        advice=f"Nothing is signed, and reading works. {RESTORE}",
    )


def _has_signed_log(seen: Snapshot, house: House) -> bool:
    note = seen.checkpoint()
    return note is None or _has_line(note, house)


def _has_line(note: bytes, house: House) -> bool:
    covered, own = _own_lines(note)
    return any(_is_of(line, covered.origin, house.signers.log) for line in own)


# A transaction asks at its first receipt and at its end; the checkpoint is the same then.
@lru_cache(maxsize=64)
def _own_lines(note: bytes) -> tuple[Checkpoint, tuple[NoteSignature, ...]]:
    """Return a checkpoint and the lines of the log's own keys under it, the first that of the key at hand."""
    read = read_note(note)
    checkpoint = read_checkpoint(read.body)
    return checkpoint, tuple(line for line in read.signatures if line.name == checkpoint.origin)


def _is_of(line: NoteSignature, origin: str, signer: Signer) -> bool:
    return line.key_hash == log_key(origin, signer).key_hash
