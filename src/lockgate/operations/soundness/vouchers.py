# SPDX-License-Identifier: Apache-2.0
"""A check comes in; what others are said to have signed over checkpoints, and have not, goes out as flaws."""

from __future__ import annotations

from collections.abc import Iterator

from lockgate.core.cosignature import read_witness_key
from lockgate.core.note import read_note
from lockgate.core.refusal import VerifyError
from lockgate.core.soundness.flaw import Flaw, Rule
from lockgate.core.voucher import Voucher, VoucherKind
from lockgate.operations.vault.checking import PORTION, Check, portions
from lockgate.verify import is_cosigned

OUTSIDE = "what others signed"


def check_vouchers(check: Check) -> None:
    """Check that each cosignature is of its witness and its checkpoint; timestamps are only checked to be of one."""
    for size in portions(lambda after: check.seen.vouched_after(after, PORTION), lambda size: size):
        note = check.seen.checkpoint(size)
        for voucher in check.seen.vouchers(size):
            check.count(f"{voucher.kind.value}s")
            check.add(_flaws(voucher, size, note))


def _flaws(voucher: Voucher, size: int, note: bytes | None) -> Iterator[Flaw]:
    what = f"the {voucher.kind.value} of {voucher.by} over {size} entries"
    if note is None or voucher.size != size:
        yield Flaw(Rule.SIGNATURE, OUTSIDE, f"{what} is of a checkpoint that is not kept")
    elif voucher.kind is VoucherKind.COSIGNATURE and not _is_cosigned(voucher, read_note(note).body):
        yield Flaw(Rule.SIGNATURE, OUTSIDE, f"{what} is not of that witness and checkpoint")


def _is_cosigned(voucher: Voucher, body: str) -> bool:
    try:
        key = read_witness_key(voucher.by)
        (line,) = read_note(f"{body}\n".encode() + voucher.body).signatures
        return is_cosigned(key, line, body)
    except (VerifyError, ValueError):
        return False
