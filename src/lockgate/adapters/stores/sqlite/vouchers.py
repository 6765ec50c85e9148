# SPDX-License-Identifier: Apache-2.0
"""A connection inside a transaction comes in; what others signed over checkpoints goes out, or in."""

from __future__ import annotations

from lockgate.adapters.stores.packing import pack
from lockgate.adapters.stores.sqlite.rows import SqliteRowsReading, SqliteRowsWriting
from lockgate.core.voucher import Voucher

_LATEST = (
    "SELECT body FROM vouchers v WHERE org = ?1 AND size ="
    " (SELECT max(size) FROM vouchers WHERE org = ?1 AND kind = v.kind AND signer = v.signer) ORDER BY kind, signer"
)


class SqliteVouchersReading(SqliteRowsReading):
    """What others signed, as it was when the transaction began to read."""

    def vouchers(self, size: int) -> tuple[Voucher, ...]:
        """Return what was signed over one checkpoint."""
        return self._all(Voucher, "SELECT body FROM vouchers WHERE org = ? AND size = ? ORDER BY kind, signer", size)

    def latest_vouchers(self) -> tuple[Voucher, ...]:
        """Return the latest of each signer."""
        return self._all(Voucher, _LATEST)

    def vouched_after(self, after: int, count: int) -> tuple[int, ...]:
        """Return sizes that were vouched for."""
        sql = "SELECT DISTINCT size FROM vouchers WHERE org = ? AND size > ? ORDER BY size LIMIT ?"
        return tuple(size for (size,) in self._rows(sql, after, count))


class SqliteVouchersWriting(SqliteVouchersReading, SqliteRowsWriting):
    """What others signed, to be kept."""

    def put_voucher(self, voucher: Voucher) -> None:
        """Keep a signature."""
        sql = (
            "INSERT INTO vouchers VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (org, size, kind, signer) DO UPDATE SET body = excluded.body"
        )
        self._change(sql, voucher.size, voucher.kind.value, voucher.by, pack(voucher))
