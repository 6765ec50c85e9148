# SPDX-License-Identifier: Apache-2.0
"""A snapshot comes in; its checkpoint with what others signed over it goes out."""

from __future__ import annotations

from lockgate.core.voucher import VoucherKind
from lockgate.ports.store import Snapshot


def witnessed_checkpoint(seen: Snapshot, size: int | None = None) -> bytes | None:
    """Return the signed checkpoint of a size, by default the latest, with the cosignatures that were kept of it."""
    note = seen.checkpoint(size)
    if note is None:
        return None
    at = seen.tree().size if size is None else size
    lines = (each.body for each in seen.vouchers(at) if each.kind is VoucherKind.COSIGNATURE)
    return note + b"".join(lines)


def timestamp_of(seen: Snapshot, size: int) -> bytes | None:
    """Return the answer of a timestamp authority over the checkpoint of a size, as RFC 3161 has it."""
    tokens = (each.body for each in seen.vouchers(size) if each.kind is VoucherKind.TIMESTAMP)
    return next(tokens, None)


def vouched_size(seen: Snapshot, least: int) -> int | None:
    """Return the size of the latest checkpoint of so many entries or more that somebody outside signed."""
    sizes = [each.size for each in seen.latest_vouchers() if each.size >= least]
    return max(sizes, default=None)
