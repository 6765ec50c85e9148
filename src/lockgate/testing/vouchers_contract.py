# SPDX-License-Identifier: Apache-2.0
"""A store comes in; pytest says whether it keeps what others signed over checkpoints, as the port promises.

It is a part of StoreContract.
"""

from __future__ import annotations

from dataclasses import replace

from lockgate.core.voucher import Voucher, VoucherKind
from lockgate.ports.store import Store

FIRST = Voucher(kind=VoucherKind.COSIGNATURE, by="w1+00000000+BA==", size=3, body=b"line\n", at=7)
OTHER = replace(FIRST, by="w2+00000000+BA==")
STAMP = replace(FIRST, kind=VoucherKind.TIMESTAMP, by="https://tsa.example", body=b"\x30\x00")


class VouchersContract:
    """What every store promises of cosignatures and timestamps."""

    def test_what_others_signed_over_a_checkpoint_comes_back(self, store: Store) -> None:
        """By kind and signer; of one signer the last that was kept of a size; in its organisation alone."""
        with store.writing() as work:
            for each in (STAMP, OTHER, FIRST, replace(FIRST, size=4)):
                work.put_voucher(each)
            work.put_voucher(replace(OTHER, body=b"again\n", at=9))
        with store.writing("acme") as work:
            work.put_voucher(replace(FIRST, size=9))

        with store.reading() as seen:
            assert seen.vouchers(3) == (FIRST, replace(OTHER, body=b"again\n", at=9), STAMP)
            assert seen.vouchers(9) == ()

    def test_the_latest_of_each_signer_is_of_its_largest_checkpoint(self, store: Store) -> None:
        """In whichever order they came."""
        with store.writing() as work:
            for each in (replace(FIRST, size=10), FIRST, OTHER, STAMP, replace(STAMP, size=12)):
                work.put_voucher(each)

        with store.reading() as seen:
            assert seen.latest_vouchers() == (replace(FIRST, size=10), OTHER, replace(STAMP, size=12))

    def test_sizes_that_were_vouched_for_are_read_in_portions(self, store: Store) -> None:
        """Each once, in order."""
        with store.writing() as work:
            for each in (replace(FIRST, size=10), FIRST, OTHER, replace(STAMP, size=12)):
                work.put_voucher(each)

        with store.reading() as seen:
            assert (seen.vouched_after(-1, 2), seen.vouched_after(10, 5), seen.vouched_after(12, 5)) == (
                (3, 10),
                (12,),
                (),
            )
