# SPDX-License-Identifier: Apache-2.0
"""The part of a store that holds what was decided comes in by keys; receipts and log go out.

What is added must not be there yet; what is put may be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from lockgate.core.merkle import Node, Tree
from lockgate.core.vault import Receipt
from lockgate.ports.contents import ContentsReading, ContentsWriting
from lockgate.ports.vouchers import VouchersReading, VouchersWriting


class VaultReading(VouchersReading, ContentsReading, Protocol):
    """Receipts, what they name, and log, as they were at one moment."""

    def receipts(self, rollout_id: str, after: int = 0) -> tuple[Receipt, ...]:
        """Return the receipts of a rollout after one by seq, in order."""

    def receipt(self, receipt_id: str) -> Receipt | None:
        """Return a receipt."""

    def latest_receipt(self, rollout_id: str | None = None) -> Receipt | None:
        """Return the receipt at the end of the log, or the last one of a rollout."""

    def tree(self) -> Tree:
        """Return the tree of the log."""

    def nodes(self, wanted: Iterable[Node]) -> Mapping[Node, bytes]:
        """Return the hashes of whole nodes of the log."""

    def checkpoint(self, size: int | None = None) -> bytes | None:
        """Return the signed checkpoint of the log at a size; by default the latest."""


class VaultWriting(VaultReading, VouchersWriting, ContentsWriting, Protocol):
    """Receipts, what they name, and log, to be kept."""

    def append(self, receipt: Receipt, nodes: Iterable[tuple[Node, bytes]]) -> None:
        """Append a receipt to its rollout and to the log, with the nodes that it made whole; for ever."""

    def add_checkpoint(self, size: int, note: bytes) -> None:
        """Keep the signed checkpoint that covers the whole log as it is now, of that size; for ever."""
