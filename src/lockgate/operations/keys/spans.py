# SPDX-License-Identifier: Apache-2.0
"""A log comes in; by which keys it was signed, and from which to which of its places, goes out.

It is read from the log itself: from its first receipt and checkpoint, and from the receipts of its custody since.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from lockgate.core.checkpoint import read_checkpoint
from lockgate.core.custody import Custody, Revocation, custody_series
from lockgate.core.decision.decision import Action
from lockgate.core.envelope import signer_of
from lockgate.core.instant import Instant
from lockgate.core.listed_key import ListedKey, Status, Use
from lockgate.core.note import NoteKey, read_note
from lockgate.core.public_key import PublicKey
from lockgate.core.vault import Receipt
from lockgate.errors import NotPermittedError, UsageError
from lockgate.operations.vault.known_keys import stated_by
from lockgate.operations.vault.portions import PORTION, portions
from lockgate.ports.store import Snapshot

STOLEN = "others may have signed by it"


@dataclass(frozen=True, slots=True)
class Span:
    """A key that signed a log, and from which to which of its places; `last` is None while it signs."""

    key_id: str
    first: int
    last: int | None = None


@dataclass(frozen=True, slots=True)
class _Change:
    """The custody that a receipt led to, at which place of the log, and whether the key before it said so."""

    at: int
    after: Custody
    is_handed_on: bool


def key_spans(seen: Snapshot, org: str, known: Mapping[str, PublicKey], now: Instant) -> Mapping[Use, tuple[Span, ...]]:
    """Return the keys of each use that signed a log, the oldest first; `known` are public keys by their ids."""
    changes = [_changed(each) for each in seen.receipts(custody_series(org))]
    first = next(iter(seen.entries_after(-1, 1)), None)
    if first is None:
        raise UsageError("nothing was signed yet", advice="A manifest says from where on keys sign: sign something.")
    receipt = _receipt_spans(signer_of(first.envelope), changes)
    log = _log_spans(seen, _first_log_key(seen, known), changes, known, now)
    return {Use.RECEIPT: tuple(receipt), Use.LOG: tuple(log)}


def listed_keys(seen: Snapshot, org: str, known: Mapping[str, PublicKey], now: Instant) -> tuple[ListedKey, ...]:
    """Return the keys of a log as its manifest lists them, the oldest first; `known` are public keys by their ids."""
    spans = key_spans(seen, org, known, now)
    latest = seen.latest_receipt(custody_series(org))
    revoked = () if latest is None else stated_by(latest).revoked
    return tuple(each for use in spans for each in _listed(spans[use], use, known, revoked))


def _changed(receipt: Receipt) -> _Change:
    return _Change(receipt.index, stated_by(receipt), receipt.action == Action.ROTATE_KEY.value)


def _receipt_spans(first: str, changes: Sequence[_Change]) -> list[Span]:
    spans = [Span(first, 0)]
    for each in changes:
        if each.after.receipt_key != spans[-1].key_id:
            # A key that hands on signs the receipt that says so; a new one in place of a lost one signs it itself.
            begin = each.at + 1 if each.is_handed_on else each.at
            spans[-1] = replace(spans[-1], last=begin - 1)
            spans.append(Span(each.after.receipt_key, begin))
    return spans


def _log_spans(
    seen: Snapshot, first: str, changes: Sequence[_Change], known: Mapping[str, PublicKey], now: Instant
) -> list[Span]:
    # Any later change may have ended an overlap: what the last one states alone says which former key still signs.
    overlap = changes[-1].after.overlap if changes else None
    beside = overlap.log_key if overlap is not None and overlap.until > now else None
    spans = [Span(first, 0)]
    for each in changes:
        former = spans[-1].key_id
        if each.after.log_key != former:
            last = None if former == beside else _last_line(seen, known.get(former), each.at)
            spans[-1] = replace(spans[-1], last=last)
            spans.append(Span(each.after.log_key, each.at))
    return spans


def _last_line(seen: Snapshot, key: PublicKey | None, changed_at: int) -> int:
    """Return the last place up to which a former key of the log has signed, beside its follower or before it."""
    last = changed_at - 1
    if key is None:
        return last
    for size, note in portions(lambda after: seen.checkpoints_after(after, PORTION), lambda row: row[0], changed_at):
        read = read_note(note)
        name = read_checkpoint(read.body).origin
        if NoteKey(name, key.raw).key_hash not in {line.key_hash for line in read.signatures if line.name == name}:
            break
        last = size - 1
    return last


def _first_log_key(seen: Snapshot, known: Mapping[str, PublicKey]) -> str:
    for _, note in seen.checkpoints_after(-1, 1):
        read = read_note(note)
        name = read_checkpoint(read.body).origin
        lines = [line.key_hash for line in read.signatures if line.name == name]
        for key in known.values():
            if NoteKey(name, key.raw).key_hash in lines:
                return key.key_id
    raise _unknown("that signed the log's first checkpoint")


def _listed(
    spans: Iterable[Span], use: Use, known: Mapping[str, PublicKey], revoked: Sequence[Revocation]
) -> Iterator[ListedKey]:
    last_good = {each.key_id: each.last for each in revoked}
    for span in spans:
        status, last, reason = Status.ACTIVE if span.last is None else Status.RETIRED, span.last, None
        if span.key_id in last_good:
            good = last_good[span.key_id]
            status, last, reason = Status.REVOKED, good if last is None else min(last, good), STOLEN
            if last < span.first and span.key_id not in known:
                # A thief's own key, whose public half nobody here has: what is not listed counts nowhere too.
                continue
        key = _known(known, span.key_id)
        yield ListedKey(key=key, use=use, status=status, first=span.first, last=last, reason=reason)


def _known(known: Mapping[str, PublicKey], key_id: str) -> PublicKey:
    if key_id not in known:
        raise _unknown(key_id)
    return known[key_id]


def _unknown(which: str) -> NotPermittedError:
    return NotPermittedError(
        f"the public half of key {which} is not in the keys folder",
        advice="Put it there as public/receipt-NAME.pem or public/log-NAME.pem, from a backup or a saved receipt.",
    )
