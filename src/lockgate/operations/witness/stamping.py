# SPDX-License-Identifier: Apache-2.0
"""A log and a timestamp authority come in; now and then its latest checkpoint is stamped, and the stamp kept.

One stamp covers every receipt up to the checkpoint. A log that has come to rest is stamped once more, at the latest
when the time between two stamps is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from lockgate.core.checkpoint import checkpoint_of
from lockgate.core.instant import SECOND
from lockgate.core.voucher import Voucher, VoucherKind
from lockgate.errors import LockgateError
from lockgate.operations.vault.keeping import changing
from lockgate.ports.house import House
from lockgate.ports.timestamps import TimestampAuthority

EVERY_S = 15 * 60
ASK_S = 10.0


class StampOutcome(Enum):
    """What came of stamping a log."""

    NOT_DUE = "not due"
    STAMPED = "stamped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Stamping:
    """What came of stamping a log, and in words what went wrong."""

    outcome: StampOutcome
    said: str = ""


def stamp(house: House, authority: TimestampAuthority, every_s: float = EVERY_S) -> Stamping:
    """Stamp the latest checkpoint where that is due."""
    now = house.clock.now()
    with house.store.reading(house.org) as seen:
        note = seen.checkpoint()
        known = [each for each in seen.latest_vouchers() if each.kind is VoucherKind.TIMESTAMP]
    if note is None:
        return Stamping(StampOutcome.NOT_DUE)
    size = checkpoint_of(note).size
    if any(each.size >= size or 0 <= now - each.at < every_s * SECOND for each in known):
        return Stamping(StampOutcome.NOT_DUE)
    try:
        token = authority.stamp(note, ASK_S)
    except LockgateError as error:
        return Stamping(StampOutcome.FAILED, f"timestamp authority {authority.url}: {error.message}")
    voucher = Voucher(kind=VoucherKind.TIMESTAMP, by=authority.url, size=size, body=token, at=now)
    with changing(house) as work:
        work.put_voucher(voucher)
    return Stamping(StampOutcome.STAMPED)
