# SPDX-License-Identifier: Apache-2.0
"""A log and a timestamp authority come in; now and then its latest checkpoint is stamped, and the stamp kept.

One stamp covers every receipt up to the checkpoint. A log that has come to rest is stamped once more, at the latest
when the time between two stamps is over.
"""

from __future__ import annotations

from lockgate.core.checkpoint import read_checkpoint
from lockgate.core.instant import SECOND
from lockgate.core.note import read_note
from lockgate.core.voucher import Voucher, VoucherKind
from lockgate.errors import LockgateError
from lockgate.ports.house import House
from lockgate.ports.timestamps import TimestampAuthority

EVERY_S = 15 * 60
ASK_S = 10.0


def stamp(house: House, authority: TimestampAuthority, every_s: float = EVERY_S) -> str | None:
    """Stamp the latest checkpoint where that is due; return what went wrong, or nothing; None where it is not due."""
    now = house.clock.now()
    with house.store.reading(house.org) as seen:
        note = seen.checkpoint()
        known = [each for each in seen.latest_vouchers() if each.kind is VoucherKind.TIMESTAMP]
    if note is None:
        return None
    size = read_checkpoint(read_note(note).body).size
    if any(each.size >= size or 0 <= now - each.at < every_s * SECOND for each in known):
        return None
    try:
        token = authority.stamp(note, ASK_S)
    except LockgateError as error:
        return f"timestamp authority {authority.url}: {error.message}"
    voucher = Voucher(kind=VoucherKind.TIMESTAMP, by=authority.url, size=size, body=token, at=now)
    with house.store.writing(house.org) as work:
        work.put_voucher(voucher)
    return ""
