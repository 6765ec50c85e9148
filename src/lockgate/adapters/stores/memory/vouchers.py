# SPDX-License-Identifier: Apache-2.0
"""Tables of a transaction come in; what others signed over checkpoints goes out, or in."""

from __future__ import annotations

from lockgate.adapters.stores.memory.tables import MemoryTablesReading, MemoryTablesWriting
from lockgate.core.voucher import Voucher

TABLE = "vouchers"


class MemoryVouchersReading(MemoryTablesReading):
    """What others signed, in tables that nobody writes to."""

    __slots__ = ()

    def vouchers(self, size: int) -> tuple[Voucher, ...]:
        """Return what was signed over one checkpoint."""
        return tuple(each for each in self._in_order() if each.size == size)

    def latest_vouchers(self) -> tuple[Voucher, ...]:
        """Return the latest of each signer."""
        return tuple({(each.kind, each.by): each for each in self._in_order()}.values())

    def vouched_after(self, after: int, count: int) -> tuple[int, ...]:
        """Return sizes that were vouched for."""
        return tuple(sorted({each.size for each in self._in_order() if each.size > after})[:count])

    def _in_order(self) -> list[Voucher]:
        return sorted(self._table(TABLE).values(), key=lambda each: (each.kind.value, each.by, each.size))


class MemoryVouchersWriting(MemoryVouchersReading, MemoryTablesWriting):
    """What others signed, in tables of a transaction's own."""

    __slots__ = ()

    def put_voucher(self, voucher: Voucher) -> None:
        """Keep a signature."""
        self._writable(TABLE)[voucher.kind, voucher.by, voucher.size] = voucher
