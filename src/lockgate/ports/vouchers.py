# SPDX-License-Identifier: Apache-2.0
"""The part of a store that holds what others signed over checkpoints comes in; cosignatures and timestamps go out."""

from __future__ import annotations

from typing import Protocol

from lockgate.core.voucher import Voucher


class VouchersReading(Protocol):
    """What others signed, as it was at one moment."""

    def vouchers(self, size: int) -> tuple[Voucher, ...]:
        """Return what was signed over the checkpoint of a size, by kind and signer."""

    def latest_vouchers(self) -> tuple[Voucher, ...]:
        """Return of each kind and signer what it signed over the largest checkpoint, by kind and signer."""

    def vouched_after(self, after: int, count: int) -> tuple[int, ...]:
        """Return sizes over whose checkpoints something was signed, in order."""


class VouchersWriting(VouchersReading, Protocol):
    """What others signed, to be kept."""

    def put_voucher(self, voucher: Voucher) -> None:
        """Keep a signature; it replaces the one of its kind, signer and size."""
