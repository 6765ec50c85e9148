# SPDX-License-Identifier: Apache-2.0
"""A connection inside a transaction comes in; what others signed over checkpoints goes out, or in."""

from __future__ import annotations

from lockgate.adapters.stores.packing import pack
from lockgate.adapters.stores.postgres.rows import PostgresRowsReading, PostgresRowsWriting
from lockgate.core.voucher import Voucher

_LATEST = "SELECT DISTINCT ON (kind, signer) body FROM vouchers WHERE org = %s ORDER BY kind, signer, size DESC"


class PostgresVouchersReading(PostgresRowsReading):
    """What others signed, as it is seen by the transaction."""

    def vouchers(self, size: int) -> tuple[Voucher, ...]:
        """Return what was signed over one checkpoint."""
        return self._all(Voucher, "SELECT body FROM vouchers WHERE org = %s AND size = %s ORDER BY kind, signer", size)

    def latest_vouchers(self) -> tuple[Voucher, ...]:
        """Return the latest of each signer."""
        return self._all(Voucher, _LATEST)

    def vouched_after(self, after: int, count: int) -> tuple[int, ...]:
        """Return sizes that were vouched for."""
        sql = "SELECT DISTINCT size FROM vouchers WHERE org = %s AND size > %s ORDER BY size LIMIT %s"
        return tuple(size for (size,) in self._rows(sql, after, count))


class PostgresVouchersWriting(PostgresVouchersReading, PostgresRowsWriting):
    """What others signed, to be kept."""

    def put_voucher(self, voucher: Voucher) -> None:
        """Keep a signature."""
        sql = (
            "INSERT INTO vouchers VALUES (%s, %s, %s, %s, %s)"
            " ON CONFLICT (org, size, kind, signer) DO UPDATE SET body = excluded.body"
        )
        self._later(sql, voucher.size, voucher.kind.value, voucher.by, pack(voucher))
