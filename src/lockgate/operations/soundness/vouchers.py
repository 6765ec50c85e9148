# SPDX-License-Identifier: Apache-2.0
"""A check comes in; what others are said to have signed over checkpoints, and have not, goes out as flaws."""

from __future__ import annotations

from collections.abc import Iterator

from lockgate.core.cosignature import read_witness_key
from lockgate.core.note import read_note
from lockgate.core.refusal import VerifyError
from lockgate.core.soundness.flaw import Flaw, Rule
from lockgate.core.voucher import Voucher, VoucherKind
from lockgate.core.wording import count_text, entries_text
from lockgate.operations.vault.checking import Check
from lockgate.operations.vault.portions import PORTION, portions
from lockgate.ports.timestamps import StampReader
from lockgate.verify import is_cosigned

OUTSIDE = "what others signed"


def check_vouchers(check: Check, stamps: StampReader | None = None) -> None:
    """Check that each cosignature is of its witness and its checkpoint, and each timestamp of an authority and its own.

    Without certificates that authorities are known by it is left open who made the timestamps.
    """
    unread = 0
    for size in portions(lambda after: check.seen.vouched_after(after, PORTION), lambda size: size):
        note = check.seen.checkpoint(size)
        for voucher in check.seen.vouchers(size):
            check.count(f"{voucher.kind.value}s")
            check.add(_flaws(voucher, size, note, stamps))
            unread += voucher.kind is VoucherKind.TIMESTAMP and stamps is None
    if unread:
        check.leave(f"who made {count_text(unread, 'timestamp')}, because no certificates of authorities are trusted")


def _flaws(voucher: Voucher, size: int, note: bytes | None, stamps: StampReader | None) -> Iterator[Flaw]:
    what = f"the {voucher.kind.value} of {voucher.by} over {entries_text(size)}"
    if note is None or voucher.size != size:
        yield Flaw(Rule.SIGNATURE, OUTSIDE, f"{what} is of a checkpoint that is not kept")
    elif voucher.kind is VoucherKind.COSIGNATURE:
        if not _is_cosigned(voucher, read_note(note).body):
            yield Flaw(Rule.SIGNATURE, OUTSIDE, f"{what} is not of that witness and checkpoint")
    elif stamps is not None and not _is_stamped(voucher, note, stamps):
        said = "does not verify over that checkpoint by any certificate that authorities are known by"
        yield Flaw(Rule.SIGNATURE, OUTSIDE, f"{what} {said}")


def _is_stamped(voucher: Voucher, note: bytes, stamps: StampReader) -> bool:
    try:
        stamps.read(voucher.body, note)
    except VerifyError:
        return False
    return True


def _is_cosigned(voucher: Voucher, body: str) -> bool:
    try:
        key = read_witness_key(voucher.by)
        (line,) = read_note(f"{body}\n".encode() + voucher.body).signatures
        return is_cosigned(key, line, body)
    except (VerifyError, ValueError):
        return False
